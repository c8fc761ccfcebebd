"""Assembly: the rows of all traffics as one table of deliveries, in a plan's order, with their routes.

Sorting and looking up only; nothing is drawn here, and nobody's place in a queue is decided.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from docaxis_sim.capacity.model import TopologySpec
from docaxis_sim.capacity.plan import HOPS_MAX, NEVER, Deliveries, Int8, Int32, Int64
from docaxis_sim.capacity.routes import paths
from docaxis_sim.capacity.rows import Drawn
from docaxis_sim.capacity.topology import Topology, latency_ns

_ROUTED_AT_ONCE: Final = 1 << 17


def assembled(spec: TopologySpec, topology: Topology, drawn: Sequence[Drawn]) -> Deliveries:
    """All deliveries: those without a parent by birth, then children, none before its parent. Raises
    `docaxis_sim.capacity.routes.NoRoute`."""
    starts = np.cumsum([0, *(len(each.rows.document) for each in drawn)])
    parent = _column(drawn, np.int32, lambda each: each.rows.parent, starts[:-1])
    order = _order(_column(drawn, np.int64, _submitted), parent)
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    parent = parent[order]
    first_groups = np.cumsum([0, *(len(each.documents.content) for each in drawn)])[:-1]
    hops, path, latency = _routed(
        spec,
        topology,
        _column(drawn, np.int32, lambda each: each.rows.source)[order],
        _column(drawn, np.int32, lambda each: each.rows.target)[order],
    )
    return Deliveries(
        birth_ns=_column(drawn, np.int64, _births)[order],
        parent=np.where(parent >= 0, place[parent], np.int32(-1)),
        bytes=_column(drawn, np.int64, lambda each: each.rows.bytes)[order],
        form=_column(drawn, np.int8, lambda each: each.rows.form)[order],
        first=_column(drawn, np.bool_, lambda each: each.rows.first)[order],
        hops=hops,
        path=path,
        latency_ns=latency,
        status_delay_ns=_statuses(drawn, place),
        deadline_ns=_column(drawn, np.int64, lambda each: _each(each, each.traffic.deadline_ns))[order],
        priority=_column(drawn, np.int8, lambda each: each.documents.priority[each.rows.document])[order],
        traffic=_column(drawn, np.int16, lambda each: _each(each, 0), range(len(drawn)))[order],
        group=_column(drawn, np.int32, lambda each: each.rows.document, first_groups)[order],
        extra_ns={},
    )


def _column(
    drawn: Sequence[Drawn],
    dtype: type[np.generic],
    values: Callable[[Drawn], NDArray[Any]],
    offsets: Sequence[int] | Int64 | None = None,
) -> NDArray[Any]:
    """One column of all traffics below each other; numbers that are not negative move by their traffic's offset."""
    parts = [values(each).astype(dtype, copy=False) for each in drawn]
    if offsets is not None:
        parts = [np.where(part >= 0, part + dtype(offset), part) for part, offset in zip(parts, offsets, strict=True)]
    return np.concatenate([np.zeros(0, dtype), *parts])


def _submitted(each: Drawn) -> Int64:
    return each.documents.birth_ns[each.rows.document]


def _births(each: Drawn) -> Int64:
    """Of a child: how long after its parent."""
    return np.where(each.rows.parent >= 0, each.rows.delay_ns, _submitted(each))


def _each(each: Drawn, value: int) -> Int64:
    return np.full(len(each.rows.document), value, np.int64)


def _order(submitted: Int64, parent: Int32) -> Int64:
    """Rows by generation, and by submission in each. What was drawn first comes first at one instant."""
    generation = np.zeros(len(parent), np.int8)
    above = parent
    while (above >= 0).any():
        generation += above >= 0
        above = np.where(above >= 0, parent[above], np.int32(-1))
    order = np.argsort(submitted, kind="stable")
    return order[np.argsort(generation[order], kind="stable")] if generation.any() else order


def _routed(spec: TopologySpec, topology: Topology, source: Int32, target: Int32) -> tuple[Int8, Int32, Int64]:
    """Hops, path and one-way latencies, a block at a time: latencies need some large columns on the way."""
    hops = np.empty(len(source), np.int8)
    path = np.empty((HOPS_MAX + 1, len(source)), np.int32)
    latency = np.zeros((HOPS_MAX, len(source)), np.int64)
    for start in range(0, len(source), _ROUTED_AT_ONCE):
        block = slice(start, start + _ROUTED_AT_ONCE)
        hops[block], path[:, block] = paths(topology, spec, source[block], target[block])
        for hop in range(int(hops[block].max())):
            there = np.flatnonzero(hops[block] > hop) + start
            latency[hop, there] = latency_ns(topology, spec.latency, path[hop, there], path[hop + 1, there])
    return hops, path, latency


def _statuses(drawn: Sequence[Drawn], place: Int32) -> Int64:
    """Every traffic's status delays, each where its delivery is."""
    table = np.full((max((len(each.status_delay_ns) for each in drawn), default=0), len(place)), NEVER, np.int64)
    start = 0
    for each in drawn:
        rows = place[start : start + len(each.rows.document)]
        for number, delays in enumerate(each.status_delay_ns):
            table[number, rows] = delays
        start += len(rows)
    return table
