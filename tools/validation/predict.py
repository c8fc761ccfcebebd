"""Predict: the plan of the very load that real nodes carried, and what the simulator makes of it.

The same births, senders, recipients and sizes; nodes of one process share its loop. Costs come from a calibration file
that was written before, on other loads. Nothing is tuned here, and nothing is measured.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.plan import (
    HOPS_MAX,
    NEVER,
    ROUND_MAX,
    SUBMIT,
    Cost,
    Deliveries,
    Form,
    Law,
    Outage,
    Plan,
    Run,
    Stations,
    arrived_ns,
    home_ns,
    last_node_step,
)
from docaxis_sim.capacity.reference import carry
from tools.calibration.load import Call, Load, new_calls
from tools.validation.contended import TURNS, SharedHost, busy_of, crowded

DEADLINE_NS: Final = 86_400_000_000_000
_ORDER: Final = (
    (Cost.SUBMIT, "submit_ns"), (Cost.SUBMIT_MORE, "submit_more_ns"), (Cost.ENVELOPE, "envelope_ns"),
    (Cost.CONTENT, "content_ns"), (Cost.RELAY, "relay_ns"), (Cost.RECEIPT, "receipt_ns"), (Cost.STATE, "state_ns"),
    (Cost.STATUS, "status_ns"),
)  # fmt: skip


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


def predict(plan: Plan, host: SharedHost, seed: int) -> Predicted:
    """What the reference engine makes of the plan, with everything as slow as its processes are busy."""
    busy = busy_of(plan, carry(plan))
    for _ in range(TURNS if host.crowd else 0):
        busy = (busy + busy_of(plan, carry(crowded(plan, host, busy, seed)))) / 2
    plan = crowded(plan, host, busy, seed)
    run = carry(plan)
    return Predicted(arrived_ns(plan, run).tolist(), home_ns(plan, run).tolist(), run)


def plan_of(
    load: Load,
    setup: Setup,
    costs: Costs,
    met: frozenset[Call] = frozenset(),
    outages: Sequence[tuple[int, int, int]] = (),
) -> Plan:
    """The plan of a load. `met`: who had called whom before it began. `outages`: node, from and until in ns."""
    dark = tuple(
        Outage(f"{setup.codes[node]} off", np.array([node], np.int32), begin, end, dark=True)
        for node, begin, end in outages
    )
    return Plan(setup.codes, stations(setup, costs), deliveries(load, setup, costs, met), dark, 0)


def stations(setup: Setup, costs: Costs) -> Stations:
    """A disk for each node, one loop for all nodes of a process, links that take no time: the loopback's cost is the
    processor's. Slow commits come later."""
    nodes, loops = len(setup.of), max(setup.of) + 1
    own, none = np.arange(nodes, dtype=np.int32), np.zeros(nodes, np.int64)
    table = np.array([getattr(costs, name) for _, name in sorted(_ORDER)], np.int64)
    return Stations(
        loop_of=np.array(setup.of, np.int32),
        disk_of=own,
        up_of=own,
        down_of=own,
        cost_ns=np.repeat(table[:, None], nodes, axis=1),
        content_ns_per_kib=np.full(nodes, costs.content_ns_per_kib, np.int64),
        blob_ns=np.full(nodes, costs.blob_ns, np.int64),
        blob_ns_per_kib=np.full(nodes, costs.blob_ns_per_kib, np.int64),
        wake_ns=np.full(loops, costs.wake_ns, np.int64),
        round_ns=np.full(loops, costs.round_ns, np.int64),
        round_max=np.full(loops, ROUND_MAX, np.int32),
        servers=np.ones(loops, np.int32),
        commit_ns=np.full(nodes, costs.commit_ns, np.int64),
        commit_extra_ns=np.zeros(1, np.int64),
        up_ns_per_kib=none,
        down_ns_per_kib=none,
        up_law=Law.FIFO,
    )


def deliveries(load: Load, setup: Setup, costs: Costs, met: frozenset[Call]) -> Deliveries:
    """One row per document and recipient, in the order of the load."""
    rows = [(number, birth, to) for number, birth in enumerate(load.births) for to in birth.to]
    count = len(rows)
    sizes = np.array([birth.bytes for _, birth, _ in rows], np.int64)
    inline = np.array([birth.inline for _, birth, _ in rows], np.bool_)
    documents = np.array([number for number, _, _ in rows], np.int32)
    path = np.full((HOPS_MAX + 1, count), -1, np.int32)
    path[0] = [birth.sender for _, birth, _ in rows]
    path[1] = [to for _, _, to in rows]
    latency_ns = np.zeros((HOPS_MAX, count), np.int64)
    latency_ns[0] = setup.host.latency_ns
    calls = new_calls(load.births, met)
    out = np.array(
        [sum(call.caller == birth.sender for call in row) for row, (_, birth, _) in zip(calls, rows, strict=True)]
    )
    back = np.array([len(row) for row in calls]) - out
    served_ns = np.where(inline, 0, costs.serve_ns + (sizes * costs.serve_ns_per_kib >> 10))
    return Deliveries(
        birth_ns=np.array([birth.at_ns for _, birth, _ in rows], np.int64),
        parent=np.full(count, NEVER, np.int32),
        bytes=sizes,
        form=np.where(inline, Form.INLINE, Form.CHUNKED).astype(np.int8),
        first=np.diff(documents, prepend=-1) != 0,
        hops=np.ones(count, np.int8),
        path=path,
        latency_ns=latency_ns,
        status_delay_ns=np.full((1, count), NEVER, np.int64),
        deadline_ns=np.full(count, DEADLINE_NS, np.int64),
        priority=np.zeros(count, np.int8),
        traffic=np.zeros(count, np.int16),
        group=documents,
        extra_ns={
            SUBMIT: served_ns + out * costs.connect_ns + back * costs.accept_ns,
            last_node_step(1): out * costs.accept_ns + back * costs.connect_ns,
        },
    )
