"""Fault runs: the worlds of many seeds, one after the other or several at once, and what each of them came to.

What is told about a world fits through a pipe: worlds may run in other processes. Plans are made and printed elsewhere.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import NamedTuple

from docaxis_sim import fault_file
from docaxis_sim.fault_file import Source
from docaxis_sim.plan import Plan
from docaxis_sim.world import Broken, Outcome, World


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
