"""Crowd: what several nodes in each of two busy processes cost beyond what a quiet machine showed.

Two processes that compute at once slow each other down (caches, siblings of a core), and threads of one process wait
for its interpreter. Six nodes in a ring carry documents to their neighbours at a steady pace, faster from load to load;
how much more processor they used than the plan of the same load says, and how long their commits took, is measured.
None of these loads is one that the simulator is validated on. What the figures are used for is `tools.validation`'s.
"""

import tempfile
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.reference import carry
from tools.calibration.load import SECOND_NS, Birth, Load
from tools.calibration.plant import Plant
from tools.validation.contended import SharedHost
from tools.validation.predict import Setup, plan_of, speed_of

RING: Final = (0, 1) * 3
PER_S: Final = (20, 80, 150, 220, 300, 400)
QUANTILES: Final = 256


class Crowded(NamedTuple):
    """While processes used `busy` of a core each: `factor`, processor used over what the plan says of a processor as
    fast as it just was; quantiles of the times of commits, ns."""

    busy: float
    factor: float
    commit_ns: tuple[int, ...]


async def crowd(folder: Path, costs: Costs, host: SharedHost, seconds: float) -> list[Crowded]:
    """One row for each pace, `seconds` each. Raises `OurFault` where a node does not start."""
    found = []
    with tempfile.TemporaryDirectory(prefix="docaxis-crowd-", dir=folder) as inside:
        async with Plant(Path(inside) / "ring", RING) as plant:
            setup = Setup(plant.codes, RING, host)
            await plant.carry(_ring(20, 2.0))
            for per_s in PER_S:
                outcome = await plant.carry(_ring(per_s, seconds))
                run = carry(plan_of(outcome.load, setup, costs, outcome.met, speed=speed_of([outcome], host)))
                used_ns = sum(used.cpu_ns for used in outcome.used)
                places = (np.arange(QUANTILES) + 0.5) / QUANTILES
                commits = np.quantile(np.array(outcome.commit_ns), places).astype(int).tolist()
                busy = used_ns / (len(outcome.used) * seconds * SECOND_NS)
                found.append(Crowded(round(busy, 4), round(used_ns / int(run.loop_busy_ns.sum()), 4), tuple(commits)))
    return found


def _ring(per_s: int, seconds: float) -> Load:
    """Each node in turn to its neighbour on the other process, evenly spread."""
    nodes = len(RING)
    count = int(per_s * seconds)
    births = tuple(
        Birth(number * SECOND_NS // per_s, number % nodes, ((number + 1) % nodes,), 2048, True)
        for number in range(count)
    )
    return Load(f"ring, {per_s} a second", seconds, births)
