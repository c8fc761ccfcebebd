"""Visits: who came to which station when, worked out from the departures in a run; some deliveries' step at a time.

The steps' order is the plan's (`docaxis_sim.capacity.plan`), read backwards: a visit came when the one before it left
plus what lies between. Nothing is counted or judged here.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.plan import (
    DOWN,
    ENVELOPE,
    HOPS_MAX,
    NEVER,
    NODE,
    STATUSES_MAX,
    SUBMIT,
    UP,
    Bool,
    Cost,
    Deliveries,
    Form,
    Int32,
    Int64,
    Law,
    Plan,
    Run,
    arrived_ns,
    hop,
    receipt,
    status,
)

TOGETHER: Final = 1 << 16
"""Deliveries that are looked at together: so few that their columns stay near the processor, and hardly take memory."""


class Kind(IntEnum):
    """What a station is to a planner."""

    NODE = 0
    """A loop and its disk: the node's own work."""
    UP = 1
    DOWN = 2


class Visits(NamedTuple):
    """Visits of one step that had begun by the end of a run, of some deliveries; every column has a row per visit.

    `row`: the delivery. `node`: where. `station`: loop, up link or down link. `service_ns`: what it occupies of it.
    `least_ns`: how long it would have taken had nobody else been there. `left_ns`: NEVER while it lasts.
    """

    step: int
    kind: Kind
    row: Int64
    node: Int32
    station: Int32
    came_ns: Int64
    left_ns: Int64
    service_ns: Int64
    least_ns: Int64


def born_ns(plan: Plan, run: Run) -> Int64:
    """When each delivery was submitted or, for a child, handed on; NEVER where its parent never arrived."""
    deliveries = plan.deliveries
    child = deliveries.parent >= 0
    if not child.any():
        return deliveries.birth_ns
    above = arrived_ns(plan, run)[np.maximum(deliveries.parent, 0)]
    born = np.where(child, above + deliveries.birth_ns, deliveries.birth_ns)
    born[child & (above == NEVER)] = NEVER
    return born


def visits(plan: Plan, run: Run, until_ns: int) -> Iterator[Visits]:
    """Every visit that began at or before `until_ns`: some deliveries after the other (`TOGETHER`), and of these step
    by step in the order in which a delivery takes them."""
    born = born_ns(plan, run)
    for first in range(0, max(1, len(born)), TOGETHER):
        some = slice(first, first + TOGETHER)
        for each in _of_some(_Walk(_cut(plan, some), _cut_run(run, some), born[some], until_ns)):
            yield each._replace(row=each.row + first)


def _cut(plan: Plan, some: slice) -> Plan:
    """The same plan with some of its deliveries alone. Who is whose parent is lost."""
    deliveries = plan.deliveries
    extra_ns = {step: ns[some] for step, ns in deliveries.extra_ns.items()}
    columns: dict[str, Any] = {
        name: column[..., some] for name, column in deliveries._asdict().items() if name != "extra_ns"
    }
    return plan._replace(deliveries=Deliveries(**columns, extra_ns=extra_ns))


def _cut_run(run: Run, some: slice) -> Run:
    return run._replace(left_ns={step: left[some] for step, left in run.left_ns.items()})


def _of_some(walk: "_Walk") -> Iterator[Visits]:
    yield from walk.submissions()
    for h in range(HOPS_MAX):
        yield from walk.hop(h)
    yield from walk.receipts()
    for k in range(STATUSES_MAX):
        yield from walk.statuses(k)


class _Walk:
    """The deliveries' way through the steps; keeps when each of them was let go last."""

    def __init__(self, plan: Plan, run: Run, born: Int64, until_ns: int) -> None:
        self.plan, self.run, self.until_ns = plan, run, until_ns
        self.cost_ns = plan.stations.cost_ns
        self.form, self.hops = plan.deliveries.form, plan.deliveries.hops
        self.arrived = arrived_ns(plan, run)
        self.ready = born

    def submissions(self) -> Iterator[Visits]:
        if SUBMIT not in self.run.left_ns:
            return
        row = self._those(self.form != Form.CHUNK, self.ready)
        cost = np.where(self.plan.deliveries.first[row], Cost.SUBMIT, Cost.SUBMIT_MORE)
        node = self.plan.deliveries.path[0][row]
        yield self._at_node(SUBMIT, row, node, self.ready[row], self.cost_ns[cost, node])
        self.ready = np.where(self.form != Form.CHUNK, self.run.left_ns[SUBMIT], self.ready)

    def hop(self, h: int) -> Iterator[Visits]:
        if hop(h, UP) not in self.run.left_ns:
            return
        goes = self.hops > h
        ready = self.ready
        if hop(h, ENVELOPE) in self.run.left_ns:
            pulled = goes & (self.form == Form.CHUNKED)
            yield self._envelopes(h, self._those(pulled, ready), ready)
            left = self.run.left_ns[hop(h, ENVELOPE)]
            ready = np.where(pulled, _later(left, self.plan.deliveries.latency_ns[h]), ready)
        up = self._up(h, self._those(goes, ready), ready)
        yield up
        down = self._down(h, up)
        yield down
        yield self._contents(h, down)
        self.ready = np.where(goes, self.run.left_ns[hop(h, NODE)], self.ready)

    def _envelopes(self, h: int, row: Int64, ready: Int64) -> Visits:
        node = self.plan.deliveries.path[h + 1][row]
        came = ready[row] + self.plan.deliveries.latency_ns[h][row]
        return self._at_node(hop(h, ENVELOPE), row, node, came, self.cost_ns[Cost.ENVELOPE, node])

    def _up(self, h: int, row: Int64, ready: Int64) -> Visits:
        stations = self.plan.stations
        node = self.plan.deliveries.path[h][row]
        link = stations.up_of[node]
        service = self.plan.deliveries.bytes[row] * stations.up_ns_per_kib[link] >> 10
        left = self.run.left_ns[hop(h, UP)][row]
        return Visits(hop(h, UP), Kind.UP, row, node, link, ready[row], left, service, service)

    def _down(self, h: int, up: Visits) -> Visits:
        """Bytes flow through: the down link is entered when the first of them comes, and left after the last."""
        stations = self.plan.stations
        start = up.came_ns if stations.up_law is Law.PS else up.left_ns - up.service_ns
        latency = self.plan.deliveries.latency_ns[h][up.row]
        came = start + latency
        had = (up.left_ns != NEVER) & (came <= self.until_ns)
        row, came, last = up.row[had], came[had], (up.left_ns + latency)[had]
        node = self.plan.deliveries.path[h + 1][row]
        link = stations.down_of[node]
        service = self.plan.deliveries.bytes[row] * stations.down_ns_per_kib[link] >> 10
        left = self.run.left_ns[hop(h, DOWN)][row]
        return Visits(hop(h, DOWN), Kind.DOWN, row, node, link, came, left, service, np.maximum(service, last - came))

    def _contents(self, h: int, down: Visits) -> Visits:
        stations, deliveries = self.plan.stations, self.plan.deliveries
        had = down.left_ns != NEVER
        row, node = down.row[had], down.node[had]
        size = deliveries.bytes[row]
        writing = stations.blob_ns[node] + (size * stations.blob_ns_per_kib[node] >> 10)
        came = down.left_ns[had] + np.where(deliveries.form[row] == Form.INLINE, 0, writing)
        cost = np.where(deliveries.hops[row] == h + 1, Cost.CONTENT, Cost.RELAY)
        cost_ns = self.cost_ns[cost, node] + (size * stations.content_ns_per_kib[node] >> 10)
        return self._at_node(hop(h, NODE), row, node, came, cost_ns)

    def receipts(self) -> Iterator[Visits]:
        ready = self.arrived
        for j in range(HOPS_MAX):
            if receipt(j) not in self.run.left_ns:
                return
            goes = (self.hops > j) & (self.form != Form.CHUNK)
            yield self._towards_home(receipt(j), Cost.RECEIPT, j, self._those(goes, ready), ready)
            ready = self.run.left_ns[receipt(j)]

    def statuses(self, k: int) -> Iterator[Visits]:
        delays = self.plan.deliveries.status_delay_ns
        if k >= len(delays) or status(k, 0) not in self.run.left_ns:
            return
        before = self.run.left_ns[status(k - 1, 0)] if k else self.arrived
        stated = _later(before, delays[k])
        goes = (delays[k] != NEVER) & (self.form != Form.CHUNK)
        row = self._those(goes, stated)
        node = self.plan.deliveries.path[self.hops[row], row]
        yield self._at_node(status(k, 0), row, node, stated[row], self.cost_ns[Cost.STATE, node])
        ready = self.run.left_ns[status(k, 0)]
        for j in range(HOPS_MAX):
            if status(k, 1 + j) not in self.run.left_ns:
                return
            row = self._those(goes & (self.hops > j), ready)
            yield self._towards_home(status(k, 1 + j), Cost.STATUS, j, row, ready)
            ready = self.run.left_ns[status(k, 1 + j)]

    def _towards_home(self, step: int, cost: Cost, j: int, row: Int64, ready: Int64) -> Visits:
        deliveries = self.plan.deliveries
        at = self.hops[row] - 1 - j
        came = ready[row] + deliveries.latency_ns[at, row]
        node = deliveries.path[at, row]
        return self._at_node(step, row, node, came, self.cost_ns[cost, node])

    def _at_node(self, step: int, row: Int64, node: Int32, came: Int64, cost: Int64) -> Visits:
        begun = came <= self.until_ns
        if not begun.all():
            row, node, came, cost = row[begun], node[begun], came[begun], cost[begun]
        stations = self.plan.stations
        extra = self.plan.deliveries.extra_ns.get(step)
        service = cost if extra is None else cost + extra[row]
        loop = stations.loop_of[node]
        least = stations.round_ns[loop] + service + stations.commit_ns[stations.disk_of[node]]
        return Visits(step, Kind.NODE, row, node, loop, came, self.run.left_ns[step][row], service, least)

    def _those(self, goes: Bool, ready: Int64) -> Int64:
        return np.flatnonzero(goes & (ready != NEVER) & (ready <= self.until_ns))


def _later(moment: Int64, delay: Int64) -> Int64:
    return np.where((moment == NEVER) | (delay == NEVER), NEVER, moment + delay)
