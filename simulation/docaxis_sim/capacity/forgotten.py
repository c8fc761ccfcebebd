"""Forgotten: documents that stand at a station in a run that was stopped, though it had the time to serve them.

A document under way is with somebody: on its way to a station or in an outbox until a moment that is still to come, or
at a station that is busy with it or with others. Judged from departures and the plan's laws alone, and only where no
failure can be the reason. No engine's code is used here.
"""

from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.plan import NEVER, RECEIPT_FIRST, UP, Bool, Int32, Int64, Law, Plan, Run, hop
from docaxis_sim.capacity.visits import Kind, Visits, visits


class _Open(NamedTuple):
    """Visits of documents that lasted when the run ended; a row per visit. `line`: see `_line`."""

    row: Int64
    station: Int32
    line: Int32
    came_ns: Int64
    least_ns: Int64


class _Seen:
    """What was seen at the stations of one kind: when each last let somebody go, when the first of those who are there
    came, their number and work; per line, when the last came who was served; whether a failure touched any."""

    def __init__(self, plan: Plan) -> None:
        size = max(len(plan.node_ids), *(len(each) for each in _stations(plan)))
        self.left_ns: Final = np.zeros(size, np.int64)
        self.first_ns: Final = np.full(size, np.iinfo(np.int64).max)
        self.count: Final = np.zeros(size, np.int64)
        self.work_ns: Final = np.zeros(size, np.int64)
        self.served_ns: Final = np.full(size, NEVER)
        self.touched: Final = np.zeros(size, np.bool_)
        self.open: Final[list[_Open]] = []

    def take(self, each: Visits, line: Int32, touched: Bool) -> None:
        """Takes in the visits of a step."""
        done, touched = each.left_ns != NEVER, touched[each.row]
        there = np.flatnonzero(~done)
        np.maximum.at(self.left_ns, each.station[done], each.left_ns[done])
        np.maximum.at(self.served_ns, line[done], each.came_ns[done])
        np.minimum.at(self.first_ns, each.station[there], each.came_ns[there])
        np.add.at(self.work_ns, each.station[there], each.service_ns[there])
        np.add.at(self.count, each.station[there], 1)
        self.touched[each.station[touched]] = True
        if each.step < RECEIPT_FIRST:
            at = there[~touched[there]]
            self.open.append(_Open(each.row[at], each.station[at], line[at], each.came_ns[at], each.least_ns[at]))


def forgotten(plan: Plan, run: Run) -> int:
    """How many documents, or parts of them, were forgotten. None is known in a run that went on until all was done."""
    if not plan.end_ns:
        return 0
    touched, seen = _touched(plan), {kind: _Seen(plan) for kind in Kind}
    for each in visits(plan, run, plan.end_ns):
        seen[each.kind].take(each, _line(each), touched)
        if each.kind is Kind.UP:
            _cut_through(plan, each, seen[Kind.DOWN])
    rows = [_of_kind(plan, kind, found) for kind, found in seen.items()]
    return len(np.unique(np.concatenate(rows)))


def _cut_through(plan: Plan, up: Visits, down: _Seen) -> None:
    """What a line up has not sent wholly may be at the line down already; at most all of its bytes."""
    stations, row = plan.stations, up.row[up.left_ns == NEVER]
    h = (up.step - hop(0, UP)) // (hop(1, UP) - hop(0, UP))
    line = stations.down_of[plan.deliveries.path[h + 1][row]]
    np.add.at(down.work_ns, line, plan.deliveries.bytes[row] * stations.down_ns_per_kib[line] >> 10)


def _stations(plan: Plan) -> tuple[Int64, Int64, Int64]:
    return plan.stations.round_ns, plan.stations.up_ns_per_kib, plan.stations.down_ns_per_kib


def _line(each: Visits) -> Int32:
    """Who is served in the order of arrival: all on a line, and at a loop those of one node."""
    return each.node if each.kind is Kind.NODE else each.station


def _touched(plan: Plan) -> Bool:
    """Deliveries with a node or a hop on their way that some failure touched, or with a node whose loop one stopped."""
    path = plan.deliveries.path
    found = np.zeros(path.shape[1], np.bool_)
    for outage in plan.outages:
        inside = np.zeros(len(plan.node_ids) + 1, np.bool_)  # the last is for "no node", which is -1
        inside[outage.inside] = True
        if outage.dark:
            inside[:-1] = np.isin(plan.stations.loop_of, plan.stations.loop_of[outage.inside])
        found |= inside[path].any(axis=0)
    return found


def _of_kind(plan: Plan, kind: Kind, seen: _Seen) -> Int64:
    """Who was forgotten at the stations of one kind."""
    there = _Open(*(np.concatenate(columns) for columns in zip(*seen.open, strict=True)))
    station = there.station
    # Whatever the order, a station that never rests has by then done all that is there and was there.
    done_ns = np.maximum(seen.left_ns, seen.first_ns)[station] + seen.work_ns[station]
    done_ns = np.maximum(done_ns, there.came_ns + there.least_ns) + _besides_ns(plan, kind, seen)[station]
    rested = ~seen.touched[station] & (done_ns < plan.end_ns)
    overtaken = _in_order(plan, kind)[station] & (seen.served_ns[there.line] > there.came_ns)
    rows: Int64 = there.row[rested | overtaken]
    return rows


def _in_order(plan: Plan, kind: Kind) -> Bool:
    """Stations that let go of everybody in the order of arrival."""
    if kind is Kind.NODE:
        alone: Bool = plan.stations.servers == 1
        return alone
    in_turn = kind is Kind.UP and plan.stations.up_law is Law.FIFO
    return np.full(len(_stations(plan)[kind]), in_turn)


def _besides_ns(plan: Plan, kind: Kind, seen: _Seen) -> Int64:
    """What a station needs besides the work: a loop has to be woken and makes a round for each at most, and a disk may
    be in the middle of a commit."""
    stations, size = plan.stations, len(_stations(plan)[kind])
    if kind is not Kind.NODE:
        return np.zeros(size, np.int64)
    commits_ns = 2 * int(stations.commit_ns.max() + stations.commit_extra_ns.max())
    besides_ns: Int64 = stations.wake_ns + seen.count[:size] * stations.round_ns + commits_ns
    return besides_ns
