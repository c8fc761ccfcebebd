"""Lines: visits to up and down links as a run's departures tell of them, and when each must have left, worked out anew.

For checks: first come, first served is said here once more, line by line in columns, and no engine's code is used. What
a difference means is said by `laws`.
"""

from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.occupancy import parts
from docaxis_sim.capacity.plan import NEVER, STEP_BITS, STEP_MASK, UP, Bool, Int32, Int64, Law, Plan, hop
from docaxis_sim.capacity.visits import Kind, Visits

LATE: Final = 1 << 62
"""Later than any run ends."""

_HOP_STEPS: Final = hop(1, UP) - hop(0, UP)


class Seen(NamedTuple):
    """Visits to lines of one kind that had begun when the run ended: which line, the token, when it came and left
    (NEVER: it was there still), what it occupies of the line, and how long it takes if nobody else is there."""

    link: Int32
    token: Int64
    came: Int64
    left: Int64
    service: Int64
    least: Int64


class Pile:
    """Visits to lines of one kind, laid down some after the other; never more than `most`. Memory is touched only as
    far as it is used."""

    def __init__(self, kind: Kind, most: int) -> None:
        self._count = 0
        self._link: Final = np.empty(most, np.int32)
        self._times: Final = [np.empty(most, np.int64) for _ in Seen._fields[1:]]
        if kind is Kind.UP:  # alone on it, everybody takes as long as it is occupied
            self._times[-1] = self._times[-2]

    def add(self, each: Visits) -> None:
        """Lays down visits of one step."""
        place = slice(self._count, self._count + len(each.row))
        token = each.row << STEP_BITS | each.step
        self._link[place] = each.station
        some = (token, each.came_ns, each.left_ns, each.service_ns, each.least_ns)
        for column, values in zip(self._times, some, strict=True):
            column[place] = values
        self._count = place.stop

    def seen(self) -> Seen:
        """All of them."""
        return Seen(self._link[: self._count], *(column[: self._count] for column in self._times))


def picked(visits: Seen, which: Bool) -> Seen:
    """Some of them."""
    link, *times = visits
    return Seen(link[which], *(column[which] for column in times))


def joined(one: Seen, other: Seen) -> Seen:
    """The visits of both."""
    (link, *times), (more, *later) = one, other
    return Seen(np.concatenate([link, more]), *map(np.concatenate, zip(times, later, strict=True)))


def by_line(link: Int32, *keys: Int64) -> Int64:
    """The order by line, and on each line by the last of some keys, then by the one before it. Numbers of lines are
    small, and small numbers are sorted without comparing them."""
    small = link.astype(np.uint16) if link.max(initial=0) < 1 << 16 else link
    return np.lexsort((*keys, small))


def expected_ns(visits: Seen) -> Int64:
    """When each visit leaves a line that serves who comes first: after its own work behind that of all before it, and
    not sooner than it would alone."""
    order = by_line(visits.link, visits.token, visits.came)
    expected = np.empty(len(order), np.int64)
    for part in parts(visits.link[order]):
        those = order[part]
        came, service = visits.came[those], visits.service[those]
        done = np.cumsum(service)
        free = done + np.maximum.accumulate(came - done + service)
        expected[those] = np.maximum(free, came + visits.least[those])
    return expected


def overlapping(visits: Seen) -> int:
    """How many were served while the one before was."""
    left = np.flatnonzero(visits.left != NEVER)
    order = left[by_line(visits.link[left], visits.left[left])]
    over = visits.left[order][:-1] > (visits.left - visits.service)[order][1:]
    return int((over & (visits.link[order][1:] == visits.link[order][:-1])).sum())


def cut_through(plan: Plan, up: Seen, ends_ns: Int64, until_ns: int) -> Seen:
    """Visits to lines down of which no departure tells: their first bytes had come when the run ended, their last were
    still on the line up, which they leave at `ends_ns` (or later than anybody knows, where that is `LATE`)."""
    still = np.flatnonzero(up.left == NEVER)
    row, h = up.token[still] >> STEP_BITS, ((up.token[still] & STEP_MASK) - hop(0, UP)) // _HOP_STEPS
    latency = plan.deliveries.latency_ns[h, row]
    fifo = plan.stations.up_law is Law.FIFO
    came = (ends_ns[still] - up.service[still] if fifo else up.came[still]) + latency
    link = plan.stations.down_of[plan.deliveries.path[h + 1, row]]
    service = plan.deliveries.bytes[row] * plan.stations.down_ns_per_kib[link] >> 10
    least = np.maximum(service, ends_ns[still] + latency - came)
    token = up.token[still] + hop(0, UP + 1) - hop(0, UP)
    found = Seen(link, token, came, np.full(len(still), NEVER, np.int64), service, least)
    return picked(found, came <= until_ns)
