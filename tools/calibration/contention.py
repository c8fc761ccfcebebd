"""Contention: how long a commit takes while its own process computes, because both need the one interpreter.

The store's writer gives the interpreter up at every statement and has to win it back; and who waits for the commit
hears of it when the loop gets round to it. Measured with the node's own store and a loop that computes for a while at
random moments, in a process of its own: `python -m tools.calibration.contention FOLDER`. Nothing is fitted here.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from docaxis.cli.serve import tune_interpreter
from docaxis.store.sqlite import SqliteStore
from tools.benchmarks.store import Maker

SHARES: Final = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
"""Parts of the time in which the loop computes."""
JOB_S: Final = 0.0015
"""One computation: about a round with its handling."""
PAUSE_S: Final = 0.008
QUANTILES: Final = 128


class Contended(NamedTuple):
    """Commits beside a process that used `busy` of a core, with all its threads; quantiles of their times, ns."""

    busy: float
    ns: tuple[int, ...]


def measure(folder: Path, samples: int) -> list[Contended]:
    """Commits at each of `SHARES`, on the disk of `folder`."""
    import uvloop  # noqa: PLC0415 - the loop that nodes use

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(folder, samples))


async def _measure(folder: Path, samples: int) -> list[Contended]:
    with tempfile.TemporaryDirectory(prefix="docaxis-contention-", dir=folder) as inside:
        store = SqliteStore(Path(inside) / "contention.db")
        await store.open(1)
        try:
            maker = Maker(1)
            groups = [maker.group(1)[0] for _ in range(samples * len(SHARES))]
            tune_interpreter()
            return [
                await _beside(store, groups[place * samples : (place + 1) * samples], share)
                for place, share in enumerate(SHARES)
            ]
        finally:
            await store.close()


async def _beside(store: SqliteStore, groups: list[Any], share: float) -> Contended:
    generator = np.random.default_rng(int(share * 100))
    computing = asyncio.create_task(_compute(share, generator))
    began_ns, used_ns = time.monotonic_ns(), time.process_time_ns()
    found = []
    for ops in groups:
        at_ns = time.monotonic_ns()
        await store.commit(ops)
        found.append(time.monotonic_ns() - at_ns)
        await asyncio.sleep(PAUSE_S * (0.5 + generator.random()))
    busy = (time.process_time_ns() - used_ns) / (time.monotonic_ns() - began_ns)
    computing.cancel()
    places = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return Contended(round(busy, 4), tuple(np.quantile(np.array(found), places).astype(int).tolist()))


async def _compute(share: float, generator: np.random.Generator) -> None:
    """A Poisson stream of computations; those that come while one runs are done one after the other."""
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while share:
        due_s += generator.exponential(JOB_S / share)
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        until_s = time.thread_time() + JOB_S
        while time.thread_time() < until_s:
            sum(range(200))


def main(words: list[str]) -> int:
    """Prints the measurement as JSON."""
    folder, samples = words
    print(json.dumps(measure(Path(folder), int(samples))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
