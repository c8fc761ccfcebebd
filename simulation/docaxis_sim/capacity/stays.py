"""Stays: how long visits stood at each station and what they asked of it, added up from a run's departures; exact.

For checks: whole nanoseconds, station by station, to be held against what an engine counted while it carried the plan.
What a difference means is said by `laws`.
"""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity import lines
from docaxis_sim.capacity.lines import LATE, Pile
from docaxis_sim.capacity.occupancy import parts
from docaxis_sim.capacity.plan import NEVER, Bool, Int32, Int64, Law, Plan, Run
from docaxis_sim.capacity.visits import Kind, Visits, visits

LOOKED_AT: Final = 2_000_000
"""About so many visits are looked at when wakings are checked, to keep memory small; of a larger run those of every
second loop, every third and so on."""


class Wakings(NamedTuple):
    """Of some loops, how often each of them must have been woken, and how often at most."""

    loop: Int64
    least: Int64
    most: Int64


class Stays:
    """A run's visits, added up.

    `known`: per `Kind`, of which stations every visit is known (what an outage keeps from its peer waits nobody sees
    where, and may come twice). `came`: how many visits nodes and such lines had; `area_ns`: how long visits stood at
    each station, modulo 2**64. `work_ns`: per loop, what those that left cost without rounds; `open_ns`: those that
    were there still. `up`, `down`: visits to lines; `up_ns`: when the former must have ended, `LATE` where that is not
    worked out.
    """

    def __init__(self, plan: Plan, run: Run, until_ns: int) -> None:
        self.plan, self.until_ns = plan, until_ns
        stations = plan.stations
        self.sizes = {Kind.NODE: len(stations.round_ns), Kind.UP: len(stations.up_ns_per_kib)}
        self.sizes[Kind.DOWN] = len(stations.down_ns_per_kib)
        self.known = _known(plan, self.sizes)
        self.came = dict.fromkeys(Kind, 0)
        self.area_ns = {kind: np.zeros(size, np.int64) for kind, size in self.sizes.items()}
        self.work_ns, self.open_ns = np.zeros((2, self.sizes[Kind.NODE]), np.int64)
        self._every = 1 + sum(map(len, run.left_ns.values())) // LOOKED_AT
        self._loops: list[tuple[Int64, Int64, Int64, Int64]] = []
        found = {kind: Pile(kind, int(plan.deliveries.hops.sum(dtype=np.int64))) for kind in (Kind.UP, Kind.DOWN)}
        for each in visits(plan, run, until_ns):
            if each.kind is Kind.NODE:
                self._see(each)
            else:
                found[each.kind].add(each)
        self.up, self.down = found[Kind.UP].seen(), found[Kind.DOWN].seen()
        self.up_ns = lines.expected_ns(self.up) if stations.up_law is Law.FIFO else np.full(len(self.up.link), LATE)
        self._cut_through()
        self._stand(Kind.UP, self.up.link, self.up.came, self.up.left)
        self._stand(Kind.DOWN, self.down.link, self.down.came, self.down.left)

    def _see(self, each: Visits) -> None:
        """Visits to loops."""
        loop, left, stations = each.station.astype(np.int64), each.left_ns, self.plan.stations
        self._stand(Kind.NODE, loop, each.came_ns, left)
        done = left != NEVER
        np.add.at(self.work_ns, loop[done], each.service_ns[done])
        np.add.at(self.open_ns, loop[~done], each.service_ns[~done])
        some = np.flatnonzero(loop % self._every == 0)
        surely_gone = np.where(done, left - stations.commit_ns[stations.disk_of[each.node]], LATE)
        surely_there = each.came_ns + stations.round_ns[loop] + each.service_ns
        self._loops.append((loop[some], each.came_ns[some], surely_gone[some], surely_there[some]))

    def _stand(self, kind: Kind, station: Int32 | Int64, came: Int64, left: Int64) -> None:
        np.add.at(self.area_ns[kind], station, np.where(left == NEVER, self.until_ns, left) - came)
        self.came[kind] += len(station) if kind is Kind.NODE else int(self.known[kind][station].sum())

    def _cut_through(self) -> None:
        """Lines down that somebody had come to whose last byte had not left the line up when the run ended."""
        if not (self.up.left == NEVER).any() or self.plan.stations.up_law is Law.LANES:
            return
        more = lines.cut_through(self.plan, self.up, self.up_ns, self.until_ns)
        self.down = lines.joined(self.down, more)
        if not self.known[Kind.UP].all():  # who began when on such a line up is not known
            self.known[Kind.DOWN][more.link] = False

    def wakings(self) -> Wakings:
        """A loop must have been woken by who comes after all before have let go of it: at the latest when what they did
        went to the disk. It cannot be woken while somebody is surely there: a round and the own work, from the arrival
        on. Of loops that an outage touches nothing is said, and of those with several servers no most."""
        none = np.zeros(0, np.int64)
        loop, came, gone, there = (
            np.concatenate([none, *(each[column] for each in self._loops)]) for column in range(4)
        )
        order = np.lexsort((there, came, loop))
        loop, came, gone, there = loop[order], came[order], gone[order], there[order]
        where = [part for part in parts(loop) if self.known[Kind.NODE][loop[part.start]]]
        these = np.array([loop[part.start] for part in where], np.int64)
        most = np.array([1 + (came[part][1:] >= _latest(there[part])).sum() for part in where], np.int64)
        return Wakings(
            these,
            np.array([1 + (came[part][1:] > _latest(gone[part])).sum() for part in where], np.int64),
            np.where(self.plan.stations.servers[these] > 1, LATE, most),
        )


def _latest(ends: Int64) -> Int64:
    """Of each visit but the first, the latest end of those before it."""
    latest: Int64 = np.maximum.accumulate(ends)[:-1]
    return latest


def _known(plan: Plan, sizes: dict[Kind, int]) -> dict[Kind, Bool]:
    """Stations that no delivery meets on whose way an outage ever lies, and that are never switched off."""
    known = {kind: np.ones(size, np.bool_) for kind, size in sizes.items()}
    stations = plan.stations
    for outage in plan.outages:
        if outage.dark:
            known[Kind.NODE][stations.loop_of[outage.inside]] = False
    path = plan.deliveries.path[:, _touched(plan)]
    for here, there in pairwise(path):
        goes = there != NEVER
        known[Kind.NODE][stations.loop_of[np.concatenate([here[goes], there[goes]])]] = False
        known[Kind.UP][stations.up_of[here[goes]]] = False
        known[Kind.DOWN][stations.down_of[there[goes]]] = False
    return known


def _touched(plan: Plan) -> Bool:
    """Deliveries on whose way an outage ever lies."""
    path = plan.deliveries.path
    touched = np.zeros(path.shape[1], np.bool_)
    for outage in plan.outages:
        inside = np.zeros(len(plan.stations.loop_of) + 1, np.bool_)  # the last is for "no node", which is -1
        inside[outage.inside] = True
        met = inside[path]
        touched |= met.any(axis=0) & (outage.dark | (~met & (path != NEVER)).any(axis=0))
    return touched
