"""Every shipped scenario at full load on both engines: how many documents part ways, and what an engine refuses.

A document parts ways if any of its departures, its expiry or its failed tries differ by a nanosecond or more. The
vector engine refuses some scenarios by name; those are listed with the reason, and then carried by both without what
was refused, because the rest of them is a plan too. `waited` says that there was something to disagree about: the
documents that had to wait for another one at a line. Each scenario runs in a process of its own.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Final

import numpy as np

from docaxis_sim.capacity import prepare, reference, scenario, shipped, vector
from docaxis_sim.capacity.plan import NEVER, Bool, Law, Plan, Run
from docaxis_sim.capacity.visits import Kind, visits

_FOREVER: Final = 1 << 62


def names() -> list[str]:
    """All scenarios that come with the simulator and say something about capacity."""
    return sorted(path.stem for path in shipped.shipped().glob("*.toml"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of this benchmark."""
    parser.add_argument("--scenarios", nargs="+", choices=names(), default=names(), help="which (default all)")
    parser.add_argument("--load", type=float, default=1.0, help="of each scenario (default 1)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Carries and compares; the object that `--json` prints."""
    rows = []
    for name in args.scenarios:
        with ProcessPoolExecutor(1, get_context("spawn")) as executor:
            rows.append(executor.submit(compared, name, args.load).result())
    total = sum(int(row["deliveries"]) for row in rows)
    return {"deliveries": total, "differing": sum(int(row["differing"]) for row in rows), "rows": rows}


def compared(name: str, load: float) -> dict[str, Any]:
    """One scenario: the row of the table."""
    plan = prepare.prepare(scenario.load(shipped.shipped() / f"{name}.toml", {"load": load}), 1).plan
    refused = vector.refusal(plan)
    plan = without_refused(plan)
    fast = vector.carry(plan)
    started = time.process_time()
    slow = reference.carry(plan)
    return {
        "scenario": name,
        "deliveries": len(plan.deliveries.hops),
        "waited": int(waited(plan, slow).sum()),
        "differing": int(differing(slow, fast).sum()),
        "reference_cpu_s": time.process_time() - started,
        "refused": refused.partition(";")[0],
    }


def without_refused(plan: Plan) -> Plan:
    """What both engines carry of a plan: no outages, and lines that send one thing after the other."""
    return plan._replace(stations=plan.stations._replace(up_law=Law.FIFO), outages=())


def differing(one: Run, other: Run) -> Bool:
    """By delivery, whether two runs say different things of it."""
    assert one.left_ns.keys() == other.left_ns.keys()
    found: Bool = (one.expired != other.expired) | (one.tries != other.tries)
    for step, column in one.left_ns.items():
        found |= column != other.left_ns[step]
    return found


def waited(plan: Plan, run: Run) -> Bool:
    """By delivery, whether it had to wait for another one at some line."""
    found: Bool = np.zeros(len(plan.deliveries.hops), np.bool_)
    for each in visits(plan, run, plan.end_ns or _FOREVER):
        if each.kind is not Kind.NODE:
            late = (each.left_ns != NEVER) & (each.left_ns - each.came_ns > each.least_ns)
            found[each.row[late]] = True
    return found
