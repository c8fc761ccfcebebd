"""Small plans for engines to disagree on: ties everywhere, things that cost nothing, shared stations, all forms.

Only makes plans; what becomes of them is said elsewhere.
"""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from docaxis_sim.capacity.plan import (
    HOPS_MAX,
    NEVER,
    ROUND_MAX,
    STATUSES_MAX,
    SUBMIT,
    Cost,
    Deliveries,
    Form,
    Law,
    Plan,
    Stations,
    hop,
    last_node_step,
    receipt,
    status,
)

_times = st.sampled_from([0, 0, 10, 20, 20, 50, 100, 130])
_delays = st.sampled_from([0, 0, 10, 10, 30, 200])
_rates = st.sampled_from([0, 10, 10, 20, 100])
_sizes = st.sampled_from([0, 512, 1024, 1024, 2048, 5000])
_EXTRA_STEPS = (SUBMIT, hop(0, 0), last_node_step(1), last_node_step(2), receipt(0), status(0, 0), status(1, 1))


def _columns(draw: st.DrawFn, values: st.SearchStrategy[int], rows: int, dtype: Any = np.int64) -> Any:
    return np.array(draw(st.lists(values, min_size=rows, max_size=rows)), dtype)


@st.composite
def stations(draw: st.DrawFn, nodes: int, servers_max: int = 3) -> Stations:
    """Stations of so many nodes, some of them shared; a disk has one loop."""
    numbers = st.integers(0, nodes - 1)
    loop_of = _columns(draw, numbers, nodes, np.int32)
    disk_shared = draw(st.booleans())
    return Stations(
        loop_of=loop_of,
        disk_of=loop_of if disk_shared else np.arange(nodes, dtype=np.int32),
        up_of=_columns(draw, numbers, nodes, np.int32),
        down_of=_columns(draw, numbers, nodes, np.int32),
        cost_ns=np.array([_columns(draw, _delays, nodes) for _ in Cost]),
        content_ns_per_kib=_columns(draw, _rates, nodes),
        blob_ns=_columns(draw, _delays, nodes),
        blob_ns_per_kib=_columns(draw, _rates, nodes),
        wake_ns=_columns(draw, _delays, nodes),
        round_ns=_columns(draw, _delays, nodes),
        round_max=_columns(draw, st.sampled_from([1, 2, 3, ROUND_MAX]), nodes, np.int32),
        servers=_columns(draw, st.integers(1, servers_max), nodes, np.int32),
        commit_ns=_columns(draw, _delays, nodes),
        commit_extra_ns=_columns(draw, _delays, draw(st.integers(1, 3))),
        up_ns_per_kib=_columns(draw, _rates, nodes),
        down_ns_per_kib=_columns(draw, _rates, nodes),
        up_law=Law.FIFO,
    )


def _row(nodes: int) -> st.SearchStrategy[tuple[Any, ...]]:
    """Birth, form, hops, first, size, latencies, path, delays of statuses, deadline, place of the parent."""
    return st.tuples(
        _times,
        st.sampled_from(list(Form)),
        st.integers(1, 3),
        st.booleans(),
        _sizes,
        st.lists(_delays, min_size=3, max_size=3),
        st.lists(st.integers(0, nodes - 1), min_size=4, max_size=4),
        st.lists(_delays, max_size=STATUSES_MAX),
        st.sampled_from([100, 500, 10_000]),
        st.integers(0, 39),
    )


def deliveries(rows: list[tuple[Any, ...]], children: int, extra_ns: dict[int, Any]) -> Deliveries:
    """Columns of rows; the last `children` of them are children of rows before them."""
    total = len(rows)
    without = total - children
    rows = sorted(rows[:without], key=lambda row: row[0]) + rows[without:]
    path = np.full((HOPS_MAX + 1, total), -1, np.int32)
    latency_ns = np.zeros((HOPS_MAX, total), np.int64)
    delays_ns = np.full((STATUSES_MAX, total), NEVER, np.int64)
    parent = np.full(total, -1, np.int32)
    for d, (_, form, hops, _, _, latencies, places, delays, _, place) in enumerate(rows):
        path[: hops + 1, d] = places[: hops + 1]
        latency_ns[:hops, d] = latencies[:hops]
        delays_ns[: len(delays), d] = delays if form != Form.CHUNK else NEVER
        parent[d] = place % d if d >= without else -1
    return Deliveries(
        birth_ns=np.array([row[0] for row in rows], np.int64),
        parent=parent,
        bytes=np.array([row[4] for row in rows], np.int64),
        form=np.array([row[1] for row in rows], np.int8),
        first=np.array([row[3] for row in rows], np.bool_),
        hops=np.array([row[2] for row in rows], np.int8),
        path=path,
        latency_ns=latency_ns,
        status_delay_ns=delays_ns,
        deadline_ns=np.array([row[8] for row in rows], np.int64),
        priority=np.zeros(total, np.int8),
        traffic=np.zeros(total, np.int16),
        group=np.arange(total, dtype=np.int32),
        extra_ns=extra_ns,
    )


@st.composite
def small_plans(draw: st.DrawFn) -> Plan:
    """A plan of 2–6 nodes and up to 40 deliveries."""
    nodes = draw(st.integers(2, 6))
    rows = draw(st.lists(_row(nodes), min_size=1, max_size=40))
    children = draw(st.integers(0, len(rows) - 1))
    steps = draw(st.sets(st.sampled_from(_EXTRA_STEPS), max_size=2))
    extra_ns = {step: _columns(draw, _delays, len(rows)) for step in sorted(steps)}
    return Plan(
        node_ids=tuple(f"N{number}" for number in range(nodes)),
        stations=draw(stations(nodes)),
        deliveries=deliveries(rows, children, extra_ns),
        outages=(),
        end_ns=draw(st.sampled_from([0, 0, 150, 400])),
    )
