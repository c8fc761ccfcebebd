"""Rounds: a node's loop and disk as the plan's laws say, known on arrival where the loop is free.

Who is served when, and nothing about what a visit means: `leave` is told when each token has left. The laws are those
of `docaxis_sim.capacity.plan`. A visit to a free loop is one event, because its end and the end of its group commit are
known at once; only where somebody waits, or a loop has several servers, is there an event at the end of a round.
"""

# ruff: noqa: PLR1730

from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Final

import numpy as np

from docaxis_sim.capacity.calendar import Calendar
from docaxis_sim.capacity.plan import NEVER, STEP_MASK, STEPS, Stations

FOREVER: Final = 1 << 62
"""Later than everything: a loop that must be asked more closely is never free at first sight."""

Leave = Callable[[int, int], None]
"""Told the time in ns at which a token left a step, and the token."""

Visit = Callable[["Node", int, int, int, Leave], None]
"""A token comes to a node at a time in ns; what it will cost the loop there in ns besides the round; who is told when
it has left."""

_Waiting = list[tuple[int, int]]
"""Visits: token and cost."""


class Disk:
    """Group commits: start and end of the last one that is scheduled; `turn`, by which the next finds how long it
    takes, is one more after each."""

    __slots__ = ("commit_ns", "end_ns", "first_turn", "start_ns", "turn")

    def __init__(self, number: int, commit_ns: int) -> None:
        self.commit_ns = commit_ns
        self.turn = self.first_turn = 7919 * number
        self.start_ns = self.end_ns = NEVER

    @property
    def commits(self) -> int:
        """How many there were."""
        return self.turn - self.first_turn


class Loop:
    """One interpreter: when it gets free, the line of nodes that wait, and what it has done.

    `number`: of the event at the end of its round. `alone_ns`: a round that had to be woken for. `running`: of a loop
    with several `servers`, the rounds under way (end, number of the round, node, visits) as a heap. `next_ns`: the end
    of a round that somebody waits for.
    `stands`: how many outages have switched it off; `until_ns`: the end of the round that was under way. `wakings` and
    `followed`: rounds that it had to be woken for, and others.
    """

    __slots__ = (
        "alone_ns", "busy_ns", "followed", "free_ns", "line", "next_ns", "number", "round_max", "round_ns", "running",
        "servers", "stands", "until_ns", "wakings",
    )  # fmt: skip

    def __init__(self, number: int, wake_ns: int, round_ns: int, round_max: int, servers: int) -> None:
        self.number = number
        self.alone_ns = wake_ns + round_ns
        self.round_ns = round_ns
        self.round_max = round_max
        self.servers = servers
        self.running: list[tuple[int, int, Node, _Waiting]] | None = [] if servers > 1 else None
        self.free_ns = 0 if self.running is None else FOREVER
        self.until_ns = 0
        self.line: deque[Node] = deque()
        self.next_ns = NEVER
        self.stands = 0
        self.wakings = 0
        self.followed = 0
        self.busy_ns = 0

    @property
    def rounds(self) -> int:
        """How many have begun."""
        return self.wakings + self.followed


class Node:
    """One node's share of its loop, and its disk: `costs` by `Cost`, `waiting` its visits (token and cost)."""

    __slots__ = (
        "blob_ns", "blob_ns_per_kib", "content_ns_per_kib", "costs", "disk", "loop", "number", "waiting",
    )  # fmt: skip

    def __init__(self, number: int, loop: Loop, disk: Disk, costs: tuple[int, ...]) -> None:
        self.number = number
        self.loop = loop
        self.disk = disk
        self.costs = costs
        self.content_ns_per_kib = 0
        self.blob_ns = 0
        self.blob_ns_per_kib = 0
        self.waiting: deque[tuple[int, int]] = deque()


def _left_for_good(time_ns: int, token: int) -> None:
    raise AssertionError(f"token {token} leaves a step at {time_ns} ns that no delivery takes")


class Rounds:
    """All loops of a plan. `visit` is how a token comes to a node; `leave`, by step, is told when it has left.

    The last of the numbers below 0 belong to so many `links`, which come after loops; the loops' are before them.
    `ahead`: whether a round may be reckoned before it begins, as nothing but its loop can keep it from beginning (and
    no run's end). `until_ns`: when the run ends."""

    def __init__(
        self, stations: Stations, calendar: Calendar, links: int, ahead: bool, until_ns: int = FOREVER
    ) -> None:
        _refuse_shared_disks(stations)
        self.leave: Final[list[Leave]] = [_left_for_good] * STEPS
        self.loops: Final = [
            Loop(number, *values)
            for number, values in enumerate(_loop_columns(stations), -links - len(stations.round_ns))
        ]
        self.disks: Final = [Disk(number, ns) for number, ns in enumerate(stations.commit_ns.tolist())]
        self.nodes: Final = _nodes(stations, self.loops, self.disks)
        self._extra_ns: Final[list[int]] = stations.commit_extra_ns.tolist()
        self._calendar: Final = calendar
        self._behind: Final = links
        self._until_ns: Final = until_ns
        self._waited_ns = 0
        in_turn = ahead and _rounds_are_visits(stations)
        visit, self._at_once_ns = self._made_visit_in_turn() if in_turn else self._made_visit()
        self.visit: Final = visit
        calendar.on_station = self.end_of_round

    @property
    def area_ns(self) -> int:
        """How long visits stood at all nodes together, see `docaxis_sim.capacity.plan.Run`."""
        return self._at_once_ns() + self._waited_ns

    def _made_visit(self) -> tuple[Visit, Callable[[], int]]:
        """`visit`, and how long those together stood here that did not have to wait."""
        ask, extra_ns, extras, until_ns = self._ask, self._extra_ns, len(self._extra_ns), self._until_ns
        area_ns = 0

        def visit(node: Node, time_ns: int, token: int, cost_ns: int, leave: Leave) -> None:
            nonlocal area_ns  # a number of each loop's own would lie anywhere in memory: 2 to 3 % of a national day
            loop = node.loop
            if time_ns < loop.free_ns:
                ask(node, time_ns, token, cost_ns)
                return
            length_ns = loop.alone_ns + cost_ns
            loop.wakings += 1
            loop.busy_ns += length_ns
            loop.free_ns = end_ns = time_ns + length_ns
            # As `_on_disk` does it, in one piece with the rest: nearly every visit of a plan comes this way.
            disk = node.disk
            left_ns = disk.end_ns
            if end_ns >= disk.start_ns:
                if left_ns < end_ns:
                    left_ns = end_ns
                disk.start_ns = left_ns
                turn = disk.turn
                disk.turn = turn + 1
                disk.end_ns = left_ns = left_ns + disk.commit_ns + extra_ns[turn % extras]
            area_ns += (left_ns if left_ns < until_ns else until_ns) - time_ns  # noqa: FURB136
            leave(left_ns, token)

        return visit, lambda: area_ns

    def _made_visit_in_turn(self) -> tuple[Visit, Callable[[], int]]:
        """The same where all rounds are of one visit, in the order in which visits come: then nobody can join or
        overtake who waits, and its round is known before it begins."""
        extra_ns, extras = self._extra_ns, len(self._extra_ns)
        area_ns = 0

        def visit(node: Node, time_ns: int, token: int, cost_ns: int, leave: Leave) -> None:
            nonlocal area_ns
            loop = node.loop
            end_ns = loop.free_ns
            if time_ns < end_ns:
                length_ns = loop.round_ns + cost_ns
                loop.followed += 1
            else:
                end_ns = time_ns
                length_ns = loop.alone_ns + cost_ns
                loop.wakings += 1
            loop.busy_ns += length_ns
            loop.free_ns = end_ns = end_ns + length_ns
            # As above; a call for it would cost what this saves.
            disk = node.disk
            left_ns = disk.end_ns
            if end_ns >= disk.start_ns:
                if left_ns < end_ns:
                    left_ns = end_ns
                disk.start_ns = left_ns
                turn = disk.turn
                disk.turn = turn + 1
                disk.end_ns = left_ns = left_ns + disk.commit_ns + extra_ns[turn % extras]
            area_ns += left_ns - time_ns
            leave(left_ns, token)

        return visit, lambda: area_ns

    def end_of_round(self, time_ns: int, number: int) -> None:
        """A round is over that somebody waits for, or one of several servers."""
        loop = self.loops[number + self._behind]
        if loop.running is not None:
            self._end_of_one(loop, loop.running, time_ns)
        elif time_ns == loop.next_ns and not loop.stands:
            loop.next_ns = NEVER
            self._round(loop, time_ns, woken=False)

    def stand(self, loop: Loop) -> None:
        """The loop is switched off: rounds under way end, no other begins."""
        if not loop.stands and loop.running is None:
            loop.until_ns, loop.free_ns = loop.free_ns, FOREVER
        loop.stands += 1

    def go_on(self, loop: Loop, time_ns: int) -> None:
        """The loop is switched on again, unless something else still holds it."""
        loop.stands -= 1
        if loop.stands:
            return
        if loop.running is not None:
            self._calendar.push(time_ns, loop.number)
        else:
            loop.free_ns = max(loop.until_ns, time_ns)
            self._wake_at_end(loop)

    def close(self) -> None:
        """The run has ended: rounds under way count wholly, their commits too."""
        for loop in self.loops:
            while loop.running:
                end_ns, _, node, _ = heappop(loop.running)
                self._on_disk(node.disk, end_ns)

    # --- where a look does not suffice ---

    def _ask(self, node: Node, time_ns: int, token: int, cost_ns: int) -> None:
        """The visit waits, unless one of several servers is free. Who waits is there until the run ends, as far as is
        known yet."""
        loop = node.loop
        self._waited_ns += self._until_ns - time_ns
        if not node.waiting:
            loop.line.append(node)
        node.waiting.append((token, cost_ns))
        if loop.stands:
            return
        if loop.running is not None:
            if len(loop.running) < loop.servers:
                self._round(loop, time_ns, woken=True)
        elif loop.next_ns == NEVER:
            self._wake_at_end(loop)

    def _wake_at_end(self, loop: Loop) -> None:
        """An event at the end of the round that is under way, if somebody waits for it."""
        if loop.line:
            loop.next_ns = loop.free_ns
            self._calendar.push(loop.next_ns, loop.number)

    def _round(self, loop: Loop, time_ns: int, woken: bool) -> None:
        """The first node in line gets its round."""
        node = loop.line.popleft()
        waiting = node.waiting
        visits = [waiting.popleft() for _ in range(min(len(waiting), loop.round_max))]
        if waiting:
            loop.line.append(node)
        length_ns = (loop.alone_ns if woken else loop.round_ns) + sum(cost_ns for _, cost_ns in visits)
        loop.wakings += woken
        loop.followed += not woken
        loop.busy_ns += length_ns
        end_ns = time_ns + length_ns
        if loop.running is not None:
            heappush(loop.running, (end_ns, loop.rounds, node, visits))
            self._calendar.push(end_ns, loop.number)
            return
        loop.free_ns = end_ns
        self._let_go(node, end_ns, visits)
        self._wake_at_end(loop)

    def _end_of_one(self, loop: Loop, running: list[tuple[int, int, Node, _Waiting]], time_ns: int) -> None:
        """One of several servers may have done its round; those that are free take the next."""
        if running and running[0][0] == time_ns:
            _, _, node, visits = heappop(running)
            self._let_go(node, time_ns, visits)
        while loop.line and len(running) < loop.servers and not loop.stands:
            self._round(loop, time_ns, woken=False)

    def _let_go(self, node: Node, end_ns: int, visits: _Waiting) -> None:
        """Those of a round go to the disk together, and leave."""
        left_ns = self._on_disk(node.disk, end_ns)
        self._waited_ns += len(visits) * (min(left_ns, self._until_ns) - self._until_ns)
        for token, _ in visits:
            self.leave[token & STEP_MASK](left_ns, token)

    def _on_disk(self, disk: Disk, time_ns: int) -> int:
        """When that which a loop lets go is on disk."""
        if time_ns >= disk.start_ns:
            disk.start_ns = max(time_ns, disk.end_ns)
            disk.end_ns = disk.start_ns + disk.commit_ns + self._extra_ns[disk.turn % len(self._extra_ns)]
            disk.turn += 1
        return disk.end_ns


def _rounds_are_visits(stations: Stations) -> bool:
    """Whether each loop has one node, one server, and rounds of one visit."""
    nodes = np.bincount(stations.loop_of, minlength=len(stations.round_ns))
    return bool(((nodes <= 1) & (stations.round_max == 1) & (stations.servers == 1)).all())


def _loop_columns(stations: Stations) -> Iterable[tuple[int, int, int, int]]:
    columns = (stations.wake_ns, stations.round_ns, stations.round_max, stations.servers)
    return zip(*(column.tolist() for column in columns), strict=True)


def _nodes(stations: Stations, loops: list[Loop], disks: list[Disk]) -> list[Node]:
    loop_of, disk_of = stations.loop_of.tolist(), stations.disk_of.tolist()
    nodes = [
        Node(number, loops[loop], disks[disk], tuple(costs))
        for number, (loop, disk, costs) in enumerate(zip(loop_of, disk_of, stations.cost_ns.T.tolist(), strict=True))
    ]
    columns = (stations.content_ns_per_kib.tolist(), stations.blob_ns.tolist(), stations.blob_ns_per_kib.tolist())
    for node, *rates in zip(nodes, *columns, strict=True):
        node.content_ns_per_kib, node.blob_ns, node.blob_ns_per_kib = rates
    return nodes


def _refuse_shared_disks(stations: Stations) -> None:
    loop_of: dict[int, int] = {}
    for disk, loop in zip(stations.disk_of.tolist(), stations.loop_of.tolist(), strict=True):
        if loop_of.setdefault(disk, loop) != loop:
            raise ValueError(f"disk {disk} is fed by the loops {loop_of[disk]} and {loop}; a disk has one loop")
