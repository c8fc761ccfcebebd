"""Columns: a plan as plain Python reads it fastest, and the empty columns of its outcome.

Turns numpy columns into lists of shared objects, views and bytes, and names the steps that will be taken; nothing
happens here.
"""

from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from docaxis_sim.capacity.plan import (
    DOWN,
    ENVELOPE,
    HOPS_MAX,
    NEVER,
    NODE,
    SUBMIT,
    UP,
    Deliveries,
    Form,
    Int64,
    Plan,
    hop,
    receipt,
    status,
)
from docaxis_sim.capacity.rounds import Node

T = TypeVar("T")
Whole: TypeAlias = "memoryview[int]"
"""A numpy column of 64 bits as Python reads and writes its elements fastest; the two share their memory."""


class Link:
    """A link that sends one thing after the other; free from `free_ns` on. `area_ns`: as in `Run`."""

    __slots__ = ("area_ns", "free_ns", "ns_per_kib", "number")

    def __init__(self, number: int, ns_per_kib: int) -> None:
        self.number = number
        self.ns_per_kib = ns_per_kib
        self.free_ns = 0
        self.area_ns = 0


class Columns(NamedTuple):
    """A plan's columns as Python reads them fastest: lists of shared objects, views, and bytes for small numbers.

    `nodes`, `ups` and `downs`: by place on the path, who is there, and its links. `links`: all of them, up links first.
    `latency`: by hop. `left_ns`: by step, when each delivery left it; `left` is the same. `children`: by parent, in
    order.
    """

    nodes: list[list[Node]]
    ups: list[list[Link]]
    downs: list[list[Link]]
    links: list[Link]
    latency: list[Whole]
    size: Whole
    form: bytes
    more: bytes
    hops: bytes
    status_delay: list[Whole]
    extra: dict[int, Whole]
    children: dict[int, list[int]]
    birth: Whole
    left_ns: dict[int, Int64]
    left: dict[int, Whole]
    hops_max: int
    hops_min: int


def foreseen(deliveries: Deliveries) -> list[int]:
    """The steps that any delivery takes by its form, its hops and its statuses."""
    steps = set()
    form, statuses = deliveries.form, _statuses(deliveries.status_delay_ns)
    for hops in np.unique(deliveries.hops).tolist():
        these = deliveries.hops == hops
        steps |= {hop(h, part) for h in range(hops) for part in (UP, DOWN, NODE)}
        if (these & (form == Form.CHUNKED)).any():
            steps |= {hop(h, ENVELOPE) for h in range(hops)}
        told = these & (form != Form.CHUNK)
        if told.any():
            steps |= {SUBMIT} | {receipt(j) for j in range(hops)}
            steps |= {status(k, j) for k in range(int(statuses[told].max())) for j in range(hops + 1)}
    return sorted(steps)


def _statuses(delay_ns: Int64) -> Int64:
    """How many statuses follow each delivery: those before the first NEVER."""
    counted: Int64 = np.cumprod(delay_ns != NEVER, axis=0, dtype=np.int64).sum(axis=0)
    return counted


def columns(plan: Plan, nodes: list[Node]) -> Columns:
    """The plan's columns, and empty ones for the outcome."""
    deliveries, stations = plan.deliveries, plan.stations
    hops_max = int(deliveries.hops.max(initial=0))
    path = deliveries.path[: hops_max + 1]
    ups = [Link(number, ns) for number, ns in enumerate(stations.up_ns_per_kib.tolist())]
    downs = [Link(number, ns) for number, ns in enumerate(stations.down_ns_per_kib.tolist())]
    left_ns = {step: np.full(len(deliveries.hops), NEVER, np.int64) for step in foreseen(deliveries)}
    return Columns(
        nodes=[_pick(nodes, place) for place in path],
        ups=[_pick([ups[n] for n in stations.up_of.tolist()], place) for place in path[:-1]],
        downs=[_pick([downs[n] for n in stations.down_of.tolist()], place) for place in path[1:]],
        links=ups + downs,
        latency=[_whole(column) for column in deliveries.latency_ns[:hops_max]],
        size=_whole(deliveries.bytes),
        form=deliveries.form.tobytes(),
        more=(~deliveries.first).tobytes(),
        hops=deliveries.hops.tobytes(),
        status_delay=[_whole(column) for column in deliveries.status_delay_ns],
        extra={step: _whole(column) for step, column in deliveries.extra_ns.items()},
        children=_children(deliveries),
        birth=_whole(deliveries.birth_ns),
        left_ns=left_ns,
        left={step: column.data for step, column in left_ns.items()},
        hops_max=hops_max,
        hops_min=int(deliveries.hops.min(initial=HOPS_MAX)),
    )


def _whole(column: NDArray[np.int64]) -> Whole:
    return np.ascontiguousarray(column).data


def _pick(things: list[T], which: NDArray[np.int32]) -> list[T]:
    """A list that names the same few objects again and again: eight bytes for each."""
    table = np.empty(len(things), object)
    table[:] = things
    picked: list[T] = table[which].tolist()
    return picked


def _children(deliveries: Deliveries) -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for child in np.flatnonzero(deliveries.parent >= 0).tolist():
        children.setdefault(int(deliveries.parent[child]), []).append(child)
    return children
