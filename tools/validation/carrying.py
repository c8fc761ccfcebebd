"""Carrying: every workload through real nodes, in order, and everything that was recorded of it; as values and as JSON.

The capacity of the set-up is measured first, for workloads are shares of it. Nothing is predicted or compared here.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from tools.benchmarks.__main__ import machine
from tools.calibration.load import SECOND_NS, Call, Load, births_read, births_value, bursts, poisson
from tools.calibration.measured_host import Used
from tools.calibration.plant import Outcome, Plant
from tools.calibration.surroundings import disk_ms
from tools.validation import workloads
from tools.validation.workloads import Workload

PROCESSES: Final = 2
PATIENCE_S: Final = 60.0
DISK_S: Final = 3.0
WARM: Final = bursts("warm", ((0, (1,)), (1, (0,))), 100, 1, 0.01)
"""What runs for the first time runs before anything is measured; the two have met then."""


class Carried(NamedTuple):
    """A workload and what became of it."""

    workload: Workload
    outcome: Outcome


class Record(NamedTuple):
    """A whole set-up: each node's code and process, documents per second that it can carry (``inline``, ``pulled``),
    and for each workload its repeats. `surroundings`: the machine, its disk, and how long loads were."""

    codes: tuple[str, ...]
    of: tuple[int, ...]
    capacity_per_s: dict[str, float]
    carried: tuple[tuple[Carried, ...], ...]
    surroundings: dict[str, Any]


async def carry_all(args: argparse.Namespace) -> Record:
    """Real nodes carry everything. Raises `OurFault` where one does not start."""
    of = tuple(node % PROCESSES for node in range(args.nodes))
    with tempfile.TemporaryDirectory(prefix="docaxis-validate-", dir=args.folder) as folder:
        async with Plant(Path(folder) / "ground", of) as plant:
            await plant.carry(WARM)
            carried = [await _repeats(plant, [workloads.strangers(args.nodes, args.seconds, args.seed)])]
            await plant.carry(workloads.everybody_meets(args.nodes, plant.met), PATIENCE_S)
            capacity = {kind: await _capacity(plant, args, kind == "inline") for kind in ("inline", "pulled")}
            carried += [await _repeats(plant, each) for each in _chosen(args, capacity)]
            codes = plant.codes
    surroundings = {
        "processes": PROCESSES,
        "seconds": args.seconds,
        "repeats": args.repeats,
        "disk_alone_ms": disk_ms(args.folder, DISK_S),
        "machine": machine(),
    }
    return Record(codes, of, capacity, tuple(carried), surroundings)


async def _repeats(plant: Plant, repeats: Sequence[Workload]) -> tuple[Carried, ...]:
    return tuple([Carried(each, await plant.carry(each.load, PATIENCE_S, each.outages)) for each in repeats])


async def _capacity(plant: Plant, args: argparse.Namespace, inline: bool) -> float:
    """Documents per second. Content has to be new each time, so that it cannot be handed in in turn: there it is so
    many at once, until the last is home."""
    size = workloads.INLINE_BYTES if inline else workloads.PULLED_BYTES
    count = 6_000 if inline else min(300, int(60 * args.seconds))
    load = poisson("capacity", args.nodes, count, 1.0, args.seed, size=size, inline=inline)
    if inline:
        in_flight = workloads.UNDER_WAY_PER_NODE * min(args.nodes, workloads.NODES_UNDER_WAY_MAX)
        return await plant.saturate(load, in_flight, args.seconds / 5, args.seconds / 2)
    at_once = load._replace(births=tuple(each._replace(at_ns=0) for each in load.births))
    outcome = await plant.carry(at_once, 2 * PATIENCE_S)
    return len(load.births) * SECOND_NS / max(outcome.home_ns)


def _chosen(args: argparse.Namespace, capacity: dict[str, float]) -> list[list[Workload]]:
    """Workloads, each as often as it is repeated."""
    seeds = [args.seed + 100 * number for number in range(args.repeats)]
    found = [
        [
            *workloads.open_loop(args.nodes, capacity["inline"], args.seconds, seed, inline=True),
            *workloads.open_loop(args.nodes, capacity["pulled"], args.seconds, seed, inline=False),
            workloads.bulk(args.nodes, capacity["inline"], args.seconds, seed),
            workloads.to_all(args.nodes, max(2, int(args.seconds / 3))),
            workloads.outage(args.nodes, capacity["inline"], args.seconds * 1.5, seed),
        ]
        for seed in seeds
    ]
    return [list(each) for each in zip(*found, strict=True) if args.only in each[0].load.name]


def write(record: Record, path: Path) -> None:
    """Keeps a record, so that it can be predicted again with other costs."""
    carried = [[_value(each) for each in repeats] for repeats in record.carried]
    path.write_text(json.dumps({**record._asdict(), "carried": carried}), encoding="utf-8")


def read(path: Path) -> Record:
    """A record that `write` kept; raises OSError, ValueError or KeyError where it is none."""
    found = json.loads(path.read_text(encoding="utf-8"))
    carried = tuple(tuple(map(_carried, repeats)) for repeats in found["carried"])
    return Record(tuple(found["codes"]), tuple(found["of"]), found["capacity_per_s"], carried, found["surroundings"])


def _value(each: Carried) -> dict[str, Any]:
    load = {**each.workload.load._asdict(), "births": births_value(each.workload.load.births)}
    used = [one._asdict() for one in each.outcome.used]
    outcome = {**each.outcome._asdict(), "load": None, "met": sorted(each.outcome.met), "used": used}
    return {"workload": {**each.workload._asdict(), "load": load}, "outcome": outcome}


def _carried(found: dict[str, Any]) -> Carried:
    load = found["workload"]["load"]
    load = Load(load["name"], load["seconds"], births_read(load["births"]))
    outages = tuple((node, begin, end) for node, begin, end in found["workload"]["outages"])
    workload = Workload(**{**found["workload"], "load": load, "outages": outages})
    met = frozenset(Call(*call) for call in found["outcome"]["met"])
    off = [(node, begin, end) for node, begin, end in found["outcome"]["off"]]
    used = [Used(**one) for one in found["outcome"]["used"]]
    return Carried(workload, Outcome(**{**found["outcome"], "load": load, "met": met, "used": used, "off": off}))
