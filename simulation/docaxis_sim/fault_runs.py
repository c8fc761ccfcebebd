"""Fault runs: the worlds of many seeds, one after the other or several at once, and what each of them came to.

What is told about a world fits through a pipe: worlds may run in other processes. Plans are made and printed elsewhere.
"""

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import docaxis.core
import docaxis_sim
from docaxis.seal import paper
from docaxis.store import base, memory
from docaxis_sim import fault_file
from docaxis_sim.fault_file import Source
from docaxis_sim.plan import Plan
from docaxis_sim.world import Broken, Outcome, World

WORLDS_EACH: Final = 4
"""A process of its own is worth its start for so many worlds."""


class Engine(NamedTuple):
    """What runs the worlds: the same seed, scenario and `code` give the same traces. `code` is a digest of the sources
    of the core, of the store and seal that these worlds use, and of the fault executor."""

    code: str
    python: str
    simpy: str


def engine() -> Engine:
    """This one."""
    files = [Path(str(module.__file__)) for module in (paper, base, memory)]
    files += [file for package in (docaxis.core, docaxis_sim) for file in Path(package.__path__[0]).glob("*.py")]
    digest = sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()
    return Engine(digest[:16], platform.python_version(), version("simpy"))


def usual_jobs(worlds: int) -> int:
    """How many processes are sensible: one per core, none for less than a few worlds."""
    return max(1, min(os.cpu_count() or 1, worlds // WORLDS_EACH))


class Told(NamedTuple):
    """What one world came to: its outcome, or which promise it broke and how (`last`: its last lines). `lines` is its
    whole trace where that was wanted."""

    seed: int
    plan: Plan
    outcome: Outcome | None
    promise: str
    detail: str
    last: tuple[str, ...]
    lines: tuple[str, ...]


def one(source: Source, trace: bool, seed: int) -> Told:
    """The world of one seed."""
    plan = fault_file.plan(source, seed)
    world = World(seed, plan, keep_trace=trace)
    try:
        outcome = world.run()
    except Broken as broken:
        breach, last = broken.breach, tuple(broken.last)
        return Told(seed, plan, None, breach.promise, breach.detail, last, tuple(world.trace.lines) if trace else ())
    return Told(seed, plan, outcome, "", "", (), tuple(world.trace.lines) if trace else ())


def every(source: Source, seeds: Sequence[int], jobs: int, trace: bool) -> Iterator[Told]:
    """The worlds of all seeds in their order, so many processes at work; the same whatever their number."""
    run: Callable[[int], Told] = partial(one, source, trace)
    if jobs == 1 or len(seeds) == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(min(jobs, len(seeds)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(run, seeds, chunksize=max(1, min(8, len(seeds) // (4 * jobs))))
