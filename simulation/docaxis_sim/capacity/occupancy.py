"""Occupancy: how busy every station was in every hour, how long its visits waited, and how many stood there when.

One pass over all visits, which sums up and forgets them. What the sums mean to a planner is said by `bottlenecks`,
`timeline` and `laws`.
"""

from collections.abc import Iterator
from itertools import pairwise, starmap
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from docaxis_sim.capacity.begun import Begun
from docaxis_sim.capacity.peers import held_by
from docaxis_sim.capacity.plan import (
    COMMIT_STRIDE,
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    NEVER,
    RECEIPT_FIRST,
    SECOND_NS,
    Bool,
    Float,
    Int32,
    Int64,
    Law,
    Run,
)
from docaxis_sim.capacity.reading import Reading
from docaxis_sim.capacity.visits import Kind, Visits, visits

DELAYED_NS: Final = SECOND_NS
"""A visit that waited this long was delayed."""

_TOGETHER: Final = 1 << 18
"""Disks are looked at together as long as their visits are hardly more than this, to keep memory small."""

_TICK_BITS: Final = 10
"""Commits of one disk are told apart by moments of 2**10 ns; none is that short."""


class Flow(NamedTuple):
    """The visits to one kind of station: how many came, and left, and how many took less than they would have alone."""

    came: int
    left: int
    too_short: int


class Occupancy:
    """Sums over all visits of one run. Hours and bins begin at midnight of the first day.

    `busy_ns`: per kind of station (``up``, ``down``, ``loop``, ``disk``) ``(stations, hours)``. `waiting_ns`, `count`,
    `delayed`: per `Kind` and station, without what waited for a peer or for the process to be woken; stalls of disks
    and commits ahead are in `disk_waiting_ns`, with `disk_visits`, per disk. `work_ns`, `commits`: per loop, what its
    visits cost without rounds; per disk. `present`: ``(nodes, bins)``, visits at a node's stations when a bin begins,
    and those that would be there if their peer could be reached. `documents`: per `Kind`, those of documents (not of
    receipts and statuses) that are there, over all nodes; `at_peer`: those that wait for a peer.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading, self.plan, self.until_ns = reading, reading.plan, reading.until_ns
        self.step_ns = bin_ns(reading.shown_ns)
        self.bins = reading.shown_ns // self.step_ns + 1
        self.hours = reading.until_ns // HOUR_NS + 1
        stations = self.plan.stations
        sizes = {Kind.NODE: len(stations.round_ns), Kind.UP: len(stations.up_ns_per_kib)}
        sizes[Kind.DOWN] = len(stations.down_ns_per_kib)
        self.waiting_ns = {kind: np.zeros(size) for kind, size in sizes.items()}
        self.count = {kind: np.zeros(size, np.int64) for kind, size in sizes.items()}
        self.delayed = {kind: np.zeros(size, np.int64) for kind, size in sizes.items()}
        self.flows = {kind: Flow(0, 0, 0) for kind in Kind}
        self.present = np.zeros((len(stations.loop_of), self.bins + 1), np.int32)
        self.documents = {kind: np.zeros(self.bins + 1, np.int64) for kind in Kind}
        self.at_peer = np.zeros(self.bins + 1, np.int64)
        self._work = {kind: np.zeros((size, self.hours)) for kind, size in sizes.items()}
        self._begun = Begun(self.plan, self.until_ns, sizes)
        self._served = np.zeros(sizes[Kind.UP])
        self._ends = np.empty(sum(map(len, reading.run.left_ns.values())), np.int64)
        self._ended = 0
        self._waits: dict[tuple[Kind, int], Float] = {}  # step by step, so that sums are rounded the same in any parts
        self._shared: list[tuple[Int32, Int64, Int64]] = []
        for each in visits(self.plan, reading.run, self.until_ns):
            self._see(each)
        for (kind, _), waits in self._waits.items():
            self.waiting_ns[kind] += waits
        self.present = np.cumsum(self.present, axis=1, dtype=np.int32)[:, :-1]
        self.documents = {kind: np.cumsum(steps)[:-1] for kind, steps in self.documents.items()}
        self.at_peer = np.cumsum(self.at_peer)[:-1]
        self._share()
        self.work_ns = self._work[Kind.NODE].sum(axis=1)
        for kind in Kind:
            self._go_on(kind)
        self.disk_waiting_ns, self.disk_visits = np.zeros((2, len(stations.commit_ns)))
        self.busy_ns = {
            "up": self._work[Kind.UP],
            "down": self._work[Kind.DOWN],
            "loop": _scaled(self._work[Kind.NODE], self._loop_busy_ns(reading.run)),
            "disk": self._disks(),
        }
        self._book_waits(reading.run)

    def _see(self, each: Visits) -> None:
        done = each.left_ns != NEVER
        given_up = self._reading.ended_ns(each)
        by_failure = held_by(self.plan, each, given_up)
        held: Bool = np.logical_or.reduce(by_failure, axis=0)
        end = np.where(done | held, given_up, self.until_ns)
        sojourn = end - each.came_ns
        waited = np.where(done, np.maximum(0, sojourn - each.least_ns), sojourn)
        waited[held] = 0
        size = len(self.count[each.kind])
        waits = self._waits.setdefault((each.kind, each.step), np.zeros(size))
        np.add.at(waits, each.station, waited.astype(np.float64))
        self.count[each.kind] += np.bincount(each.station, minlength=size)
        self.delayed[each.kind] += np.bincount(each.station[waited >= DELAYED_NS], minlength=size)
        self._flow(each, done, sojourn)
        self._stand(each, end, held)
        came = self._begun.came_ns(each, by_failure)
        self._occupy(each, done, self._begun.see(each, done, came, end), came)

    def _flow(self, each: Visits, done: Bool, sojourn: Int64) -> None:
        past, too_short = self.flows[each.kind], int((done & (sojourn < each.least_ns)).sum())
        self.flows[each.kind] = Flow(past.came + len(done), past.left + int(done.sum()), past.too_short + too_short)

    def _stand(self, each: Visits, end: Int64, held: Bool) -> None:
        """Count who is there when a bin begins: one more from the first such moment on, one less after the last."""
        first, beyond = -(-each.came_ns // self.step_ns), -(-end // self.step_ns)
        stays = np.flatnonzero((first < beyond) & (first < self.bins))
        node, first, beyond = each.node[stays], first[stays], np.minimum(beyond[stays], self.bins)
        _count(self.present, node, first, beyond)
        if each.step >= RECEIPT_FIRST:
            return
        waits = held[stays]
        _count_all(self.documents[each.kind], first[~waits], beyond[~waits])
        _count_all(self.at_peer, first[waits], beyond[waits])

    def _occupy(self, each: Visits, done: Bool, there: Int64, came: Int64) -> None:
        """Counts what visits took of their station. Where a line serves several at once or by turns, all who came there
        are looked at together afterwards."""
        station, left, service = each.station[done], each.left_ns[done], each.service_ns[done]
        if each.kind is Kind.NODE:
            disk = self.plan.stations.disk_of[each.node[done]]
            self._end(disk.astype(np.int64) * self._ticks + (left >> _TICK_BITS))
            left = left - self.plan.stations.commit_ns[disk]
        if each.kind is Kind.UP and self.plan.stations.up_law is not Law.FIFO:
            begins = np.maximum(each.came_ns[done], np.minimum(came[done], left - service))
            self._shared.append((station, begins, left))
            self._shared.append((each.station[there], came[there], np.full(len(there), self.until_ns)))
            self._served += np.bincount(station, service, len(self._served))
        else:
            _spread(self._work[each.kind], station, np.maximum(left, service), service)

    def _end(self, ends: Int64) -> None:
        """Keeps when disks made visits durable."""
        self._ends[self._ended : self._ended + len(ends)] = ends
        self._ended += len(ends)

    def _share(self) -> None:
        """Where a line serves several at once or by turns, it is busy while anybody is there."""
        if self._shared:
            link, came, left = map(np.concatenate, zip(*self._shared, strict=True))
            for station, begins, ends in presence(link, came, left):
                _spread(self._work[Kind.UP], np.full(len(ends), station, np.int32), ends, ends - begins)

    def _go_on(self, kind: Kind) -> None:
        """Adds what stations had begun when the run was stopped; who was served did not wait."""
        begun = self._begun.services(kind)
        busy = begun.busy_ns
        if kind is Kind.UP and self.plan.stations.up_law is not Law.FIFO:
            busy = (self._work[kind].sum(axis=1) - self._served)[begun.station]
        else:
            _spread(self._work[kind], begun.station.astype(np.int32), begun.since_ns + busy, busy)
            self.delayed[kind][begun.station] -= begun.first_at_once(DELAYED_NS)
        waiting = self.waiting_ns[kind]
        waiting[begun.station] = np.maximum(0, waiting[begun.station] - busy)

    def _book_waits(self, run: Run) -> None:
        """Takes from the loops' waiting what was not for them: their own waking, and their disks."""
        stations, waiting = self.plan.stations, self.waiting_ns[Kind.NODE]
        besides = run.loop_busy_ns - run.rounds * stations.round_ns - self.work_ns
        waiting -= np.minimum(waiting, np.clip(besides, 0, run.rounds * stations.wake_ns))
        loop_of = np.zeros(len(stations.commit_ns), np.int64)
        loop_of[stations.disk_of] = stations.loop_of
        booked = np.bincount(loop_of, self.disk_waiting_ns, len(waiting))
        share = np.divide(np.minimum(waiting, booked), booked, out=np.zeros(len(waiting)), where=booked > 0)
        self.disk_waiting_ns *= share[loop_of]
        waiting -= booked * share

    def _loop_busy_ns(self, run: Run) -> Float:
        """What each loop was busy until the end of the run: the engine counts a round that has begun wholly."""
        stations = self.plan.stations
        most = self._work[Kind.NODE].sum(axis=1) + run.rounds * (stations.round_ns + stations.wake_ns)
        busy: Float = np.minimum(run.loop_busy_ns, most)
        return busy

    @property
    def _ticks(self) -> int:
        return (self.until_ns >> _TICK_BITS) + (DAY_NS >> _TICK_BITS)

    def _disks(self) -> Float:
        """Commits of each disk in each hour, told apart by their ends, times what each of them takes."""
        disks = len(self.plan.stations.commit_ns)
        ends, self._ends = self._ends[: self._ended], np.zeros(0, np.int64)  # the largest thing here, soon gone
        ends.sort()
        self.commits = np.zeros(disks, np.int64)
        busy = np.zeros((disks, self.hours))
        edges = np.searchsorted(ends, np.arange(disks + 1) * self._ticks)
        firsts = np.searchsorted(edges, np.arange(_TOGETHER, len(ends), _TOGETHER))
        for first, beyond in pairwise(np.unique([0, *firsts, disks]).tolist()):
            self._some_disks(ends[edges[first] : edges[beyond]], first, busy[first:beyond])
        return busy

    def _some_disks(self, ends: Int64, first: int, busy: Float) -> None:
        stations = self.plan.stations
        first_of_each = np.flatnonzero(np.diff(ends, prepend=-1))
        commits, disks = ends[first_of_each], np.arange(first, first + len(busy))
        edges = np.searchsorted(commits, np.append(disks, first + len(busy)) * self._ticks)
        count = np.diff(edges)
        self.commits[first : first + len(busy)] = count
        disk = np.repeat(disks, count)
        tick, number = commits - disk * self._ticks, np.arange(len(disk)) - np.repeat(edges[:-1], count)
        extra = stations.commit_extra_ns[(COMMIT_STRIDE * disk + number) % len(stations.commit_extra_ns)]
        visits = np.diff(first_of_each, append=len(ends))
        waited = visits * (extra + _ahead_ns(disk, tick << _TICK_BITS, stations.commit_ns[disk] + extra))
        self.disk_waiting_ns[first : first + len(busy)] = np.bincount(disk - first, waited, len(busy))
        self.disk_visits[first : first + len(busy)] = np.bincount(disk - first, visits, len(busy))
        hour = np.minimum(tick << _TICK_BITS, self.until_ns) // HOUR_NS
        place, lasted = (disk - first) * self.hours + hour, stations.commit_ns[disk] + extra
        busy += np.bincount(place, lasted, busy.size).reshape(busy.shape)


def _ahead_ns(disk: Int64, end_ns: Int64, length_ns: Int64) -> Float:
    """How long the visits of each commit waited on average for the one before it. Who comes while a disk commits joins
    the next commit, which begins as that one ends: at any moment of it, so half of it on average."""
    at_once = np.zeros(len(disk), np.bool_)
    at_once[1:] = (disk[1:] == disk[:-1]) & (end_ns[1:] - length_ns[1:] - end_ns[:-1] < 2 << _TICK_BITS)
    ahead_ns = np.zeros(len(disk))
    ahead_ns[1:] = length_ns[:-1] / 2
    return np.where(at_once, ahead_ns, 0.0)


def bin_ns(shown_ns: int) -> int:
    """Width of the series' bins: five minutes for a day or two, a quarter of an hour up to a fortnight, else hours."""
    if shown_ns <= 2 * DAY_NS + HOUR_NS:
        return 5 * MINUTE_NS
    return 15 * MINUTE_NS if shown_ns <= 14 * DAY_NS else HOUR_NS


def presence(link: NDArray[Any], came: Int64, left: Int64) -> Iterator[tuple[int, Int64, Int64]]:
    """For each line when somebody was there: beginnings and ends of the times that do not overlap."""
    order = np.lexsort((came, link))
    link, came, left = link[order], came[order], left[order]
    for part in parts(link):
        last = np.maximum.accumulate(left[part])
        new = np.flatnonzero(came[part][1:] > last[:-1]) + 1
        begins = came[part][np.concatenate([[0], new])]
        yield int(link[part][0]), begins, last[np.concatenate([new - 1, [len(last) - 1]])]


def parts(link: NDArray[Any]) -> list[slice]:
    """Where each line's rows are, in rows sorted by line."""
    if not len(link):
        return []
    edges = [0, *(np.flatnonzero(np.diff(link)) + 1).tolist(), len(link)]
    return list(starmap(slice, pairwise(edges)))


def _count(table: Int32, node: Int32, first: Int64, beyond: Int64) -> None:
    flat, width = table.reshape(-1), table.shape[1]
    np.add.at(flat, node * np.int64(width) + first, np.int32(1))
    np.add.at(flat, node * np.int64(width) + beyond, np.int32(-1))


def _count_all(steps: Int64, first: Int64, beyond: Int64) -> None:
    steps += np.bincount(first, minlength=len(steps)) - np.bincount(beyond, minlength=len(steps))


def _spread(table: Float, station: Int32, end: Int64, busy: Int64) -> None:
    """Add time in which stations were busy, up to `end`, to the hours that it falls into."""
    hours = table.shape[1]
    last = (end - 1) // HOUR_NS
    np.clip(last, 0, hours - 1, out=last)
    early = busy > end - last * HOUR_NS
    place = station * np.int64(hours) + last
    np.add.at(table.reshape(-1), place, np.where(early, 0, busy).astype(np.float64))
    for each in np.flatnonzero(early):
        start = int(end[each]) - int(busy[each])
        for hour in range(start // HOUR_NS, int(last[each]) + 1):
            begins, ends = hour * HOUR_NS, (hour + 1) * HOUR_NS
            table[station[each], hour] += min(int(end[each]), ends) - max(start, begins)


def _scaled(work: Float, total: Float) -> Float:
    """Work over hours, each row with its true total: what rounds cost on top goes along with their work."""
    found = work.sum(axis=1)
    factor: Float = np.divide(total, found, out=np.zeros(len(found)), where=found > 0)
    return np.multiply(work, factor[:, None])
