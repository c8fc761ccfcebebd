"""Begun: what stations had begun and not finished when a run was stopped, worked out from who stood there.

A line or a loop never rests while somebody waits for it: it is busy since it last let somebody go, or since the first
of those who stand there came, and for no longer than they all need. Nothing here is spread over hours or judged.
"""

from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.plan import Bool, Int64, Plan
from docaxis_sim.capacity.visits import Kind, Visits


class Service(NamedTuple):
    """A row per station that was at work at the end of a run: since when, for how long (ns) on what it did not finish,
    and how long the first of those who stand there had waited for it (ns)."""

    station: Int64
    since_ns: Int64
    busy_ns: Int64
    first_waited_ns: Int64
    until_ns: int

    def first_at_once(self, soon_ns: int) -> Bool:
        """Where the first of those who stand there, though it has long been there, had not waited for so long."""
        stood_ns = self.first_waited_ns + self.until_ns - self.since_ns
        at_once: Bool = (self.first_waited_ns < soon_ns) & (stood_ns >= soon_ns)
        return at_once


class Begun:
    """Takes in all visits of a run, one step after the other, and keeps what lasts; nothing does in a run that went on
    until all was done. `sizes`: how many stations of each kind there are."""

    def __init__(self, plan: Plan, until_ns: int, sizes: dict[Kind, int]) -> None:
        self._plan: Final = plan
        self._until_ns: Final = until_ns
        self._free_ns: Final = {kind: np.zeros(size, np.int64) for kind, size in sizes.items()}
        self._first_ns: Final = {kind: np.full(size, until_ns) for kind, size in sizes.items()}
        self._work_ns: Final = {kind: np.zeros(size, np.int64) for kind, size in sizes.items()}

    def see(self, each: Visits, done: Bool, came_ns: Int64, end_ns: Int64) -> Int64:
        """Takes in the visits of a step, with when they came to their station and when they left it or were given up;
        returns those that are there at the end, waiting or served."""
        if not self._plan.end_ns:
            return np.zeros(0, np.int64)
        np.maximum.at(self._free_ns[each.kind], each.station[done], self._let_go_ns(each)[done])
        there = np.flatnonzero(~done & (end_ns == self._until_ns) & (came_ns < self._until_ns))
        np.minimum.at(self._first_ns[each.kind], each.station[there], came_ns[there])
        np.add.at(self._work_ns[each.kind], each.station[there], each.service_ns[there])
        return there

    def _let_go_ns(self, each: Visits) -> Int64:
        """When each visit's station was rid of it: after a loop, its disk made it durable."""
        if each.kind is not Kind.NODE:
            return each.left_ns
        stations = self._plan.stations
        return each.left_ns - stations.commit_ns[stations.disk_of[each.node]]

    def came_ns(self, each: Visits, held: Bool) -> Int64:
        """When each visit came to its station; what a failure held up (`held`: failures × visits), not before that was
        over."""
        came_ns = each.came_ns
        for outage, which in zip(self._plan.outages, held, strict=True):
            came_ns = np.where(which, np.maximum(came_ns, outage.until_ns), came_ns)
        return came_ns

    def services(self, kind: Kind) -> Service:
        """The stations of one kind that were at work at the end."""
        station = np.flatnonzero(self._first_ns[kind] < self._until_ns)
        first_ns = self._first_ns[kind][station]
        since_ns = np.maximum(first_ns, self._free_ns[kind][station])
        busy_ns = np.minimum(self._until_ns - since_ns, self._work_ns[kind][station])
        return Service(station, since_ns, busy_ns, since_ns - first_ns, self._until_ns)
