"""Predict: the plan of the very load that real nodes carried, and what the simulator makes of it.

The same births, senders, recipients and sizes; nodes of one process share its loop. Costs come from a calibration file
that was written before, on other loads; stations and connections are charged by the very code that planners' scenarios
go through. Nothing is tuned here, and nothing is measured.
"""

import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.contacts import extra_ns
from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.plan import (
    HOPS_MAX,
    NEVER,
    ROUND_MAX,
    Deliveries,
    Float,
    Form,
    Law,
    Outage,
    Plan,
    Run,
    Stations,
    arrived_ns,
    home_ns,
)
from docaxis_sim.capacity.reference import carry
from docaxis_sim.capacity.stations import work
from tools.calibration.load import Call, Load
from tools.calibration.plant import Outcome
from tools.validation.contended import TURNS, SharedHost, busy_of, crowded

DEADLINE_NS: Final = 86_400_000_000_000


class Setup(NamedTuple):
    """What stays the same from load to load: each node's code (retries are spread by it) and process, and what holds
    for processes that share a machine."""

    codes: tuple[str, ...]
    of: tuple[int, ...]
    host: SharedHost


class Predicted(NamedTuple):
    """Times in ns after the beginning, by (document, recipient) in the order of the load; -1 where it did not
    happen."""

    arrived_ns: list[int]
    home_ns: list[int]
    run: Run


def predict(plan: Plan, seed: int) -> Predicted:
    """What the reference engine makes of the plan as it is, as for a planner: slow commits shuffled by `seed`."""
    shuffled = np.random.default_rng(seed).permutation(plan.stations.commit_extra_ns)
    return _predicted(plan._replace(stations=plan.stations._replace(commit_extra_ns=shuffled)))


def predict_crowded(plan: Plan, host: SharedHost, seed: int) -> Predicted:
    """The same with everything as slow as processes that share a machine are busy; as `predict` without a table of
    that."""
    if not host.crowd:
        return predict(plan, seed)
    busy = busy_of(plan, carry(plan))
    for _ in range(TURNS):
        busy = (busy + busy_of(plan, carry(crowded(plan, host, busy, seed)))) / 2
    return _predicted(crowded(plan, host, busy, seed))


def _predicted(plan: Plan) -> Predicted:
    run = carry(plan)
    return Predicted(arrived_ns(plan, run).tolist(), home_ns(plan, run).tolist(), run)


def speed_of(outcomes: Sequence[Outcome], host: SharedHost) -> float:
    """How fast the processors were while these loads were carried, against how fast they were as costs were measured:
    what the scenarios of planners call the speed of a node."""
    return host.yardstick_ns / statistics.fmean(used.yardstick_ns for each in outcomes for used in each.used)


def plan_of(
    load: Load,
    setup: Setup,
    costs: Costs,
    met: frozenset[Call] = frozenset(),
    outages: Sequence[tuple[int, int, int]] = (),
    speed: float = 1.0,
) -> Plan:
    """The plan of a load. `met`: who had called whom before it began. `outages`: node, from and until in ns."""
    dark = tuple(
        Outage(f"{setup.codes[node]} off", np.array([node], np.int32), begin, end, dark=True)
        for node, begin, end in outages
    )
    speeds = np.full(len(setup.of), speed)
    drawn = deliveries(load, setup)
    drawn = drawn._replace(extra_ns=extra_ns(drawn, costs, speeds, met))
    return Plan(setup.codes, stations(setup, costs, speeds), drawn, dark, 0)


def stations(setup: Setup, costs: Costs, speeds: Float) -> Stations:
    """What a planner's scenario makes of the costs, but a loop for each process, and links that take no time: the
    loopback's cost is the processor's."""
    nodes, loops = len(setup.of), max(setup.of) + 1
    own, none = np.arange(nodes, dtype=np.int32), np.zeros(nodes, np.int64)
    columns = work(costs, speeds)
    return Stations(
        loop_of=np.array(setup.of, np.int32),
        disk_of=own,
        up_of=own,
        down_of=own,
        **{**columns, "wake_ns": columns["wake_ns"][:loops], "round_ns": columns["round_ns"][:loops]},
        round_max=np.full(loops, ROUND_MAX, np.int32),
        servers=np.ones(loops, np.int32),
        commit_ns=np.full(nodes, costs.commit_ns, np.int64),
        commit_extra_ns=np.array(costs.commit_extra_ns or (0,), np.int64),
        up_ns_per_kib=none,
        down_ns_per_kib=none,
        up_law=Law.FIFO,
    )


def deliveries(load: Load, setup: Setup) -> Deliveries:
    """One row per document and recipient, in the order of the load; what connections cost comes later."""
    rows = [(number, birth, to) for number, birth in enumerate(load.births) for to in birth.to]
    count = len(rows)
    documents = np.array([number for number, _, _ in rows], np.int32)
    path = np.full((HOPS_MAX + 1, count), -1, np.int32)
    path[0] = [birth.sender for _, birth, _ in rows]
    path[1] = [to for _, _, to in rows]
    latency_ns = np.zeros((HOPS_MAX, count), np.int64)
    latency_ns[0] = setup.host.latency_ns
    return Deliveries(
        birth_ns=np.array([birth.at_ns for _, birth, _ in rows], np.int64),
        parent=np.full(count, NEVER, np.int32),
        bytes=np.array([birth.bytes for _, birth, _ in rows], np.int64),
        form=np.array([Form.INLINE if birth.inline else Form.CHUNKED for _, birth, _ in rows], np.int8),
        first=np.diff(documents, prepend=-1) != 0,
        hops=np.ones(count, np.int8),
        path=path,
        latency_ns=latency_ns,
        status_delay_ns=np.full((1, count), NEVER, np.int64),
        deadline_ns=np.full(count, DEADLINE_NS, np.int64),
        priority=np.zeros(count, np.int8),
        traffic=np.zeros(count, np.int16),
        group=documents,
        extra_ns={},
    )
