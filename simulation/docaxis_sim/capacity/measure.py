"""Measure: from a plan and what an engine made of it to figures, tables, series and checks; one replication.

Only puts together what the rooms of measurement work out. How sure a figure is needs several replications and is
`statistics`' matter.
"""

from math import isnan, nan

from docaxis_sim.capacity import bottlenecks, costs, flow, latency, laws, timeline
from docaxis_sim.capacity.metrics import about
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.plan import Run
from docaxis_sim.capacity.prepare import Prepared
from docaxis_sim.capacity.reading import Reading
from docaxis_sim.capacity.stays import Stays
from docaxis_sim.capacity.study import Measures

_CHEAP = ("latency.", "arrived", "expired", "carried", "offered", "lost", "tries", "under_way", "documents")


def measure(prepared: Prepared, run: Run, scenario: Scenario) -> Measures:
    """Everything about one run."""
    reading = Reading(prepared.plan, run, scenario, prepared.topology)
    # First of all, when nothing else is in memory yet: nothing here needs more.
    of_stations = laws.of_stations(Stays(prepared.plan, run, reading.until_ns), run)
    found = list(latency.groups(reading))
    occupancy = Occupancy(reading)
    used = bottlenecks.uses(reading, occupancy)
    stored = flow.stored_bytes(reading, costs.read(scenario.calibration))
    figures = {
        **flow.metrics(reading),
        **latency.metrics(reading, found),
        **bottlenecks.metrics(reading, used),
        **_queues(reading, occupancy),
        **flow.recovery(reading),
        **flow.storage(stored, scenario),
    }
    tables = {
        "latency": latency.table(found),
        "ecdf": latency.curves(found),
        "batches": latency.batches(reading),
        "stations": bottlenecks.by_tier(reading, used),
        **bottlenecks.lists(reading, used),
        "losses": flow.losses(reading),
        "failures": flow.failures(reading),
        "nodes": bottlenecks.nodes(reading, occupancy, used, stored),
    }
    checks = (*laws.of_documents(reading, occupancy), *of_stations)
    return Measures(_known(figures), tables, timeline.series(reading, occupancy), checks)


def figure(prepared: Prepared, run: Run, scenario: Scenario, name: str) -> float:
    """One figure alone, as `measure` gives it, without working out the rest where that can be avoided; NaN where
    nothing was there to make it from, as a tier that nobody wrote to.

    Raises `KeyError` where there is no such figure."""
    if not name.startswith(_CHEAP):
        about(name)  # raises
        return measure(prepared, run, scenario).metrics.get(name, nan)
    reading = Reading(prepared.plan, run, scenario, prepared.topology)
    if not name.startswith("latency."):
        return flow.metrics(reading)[name]
    return latency.one(reading, name)


def _queues(reading: Reading, occupancy: Occupancy) -> dict[str, float]:
    standing = timeline.waiting(reading, occupancy)
    return {
        "queue.documents.max": float(standing.max(initial=0)),
        "queue.documents.mean": timeline.mean_waiting(reading),
        "queue.node.max": float(occupancy.present.max(initial=0)),
        "queue.peer.max": float(occupancy.at_peer.max(initial=0)),
        "queue.age.max_s": float(timeline.oldest_s(reading, occupancy).max(initial=0.0)),
    }


def _known(figures: dict[str, float]) -> dict[str, float]:
    """Without those that nothing was there to make from."""
    return {name: value for name, value in figures.items() if not isnan(value)}
