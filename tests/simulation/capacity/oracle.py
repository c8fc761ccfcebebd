"""The plan's laws once more, as plainly as they can be said: what the engines are compared with.

One heap, one object per station, one event per visit and one per end of a round; nothing is known in advance and
nothing is fast. It shares no code with the engines but the plan. What shared up links do is `oracle_lines`', what
outages do `oracle_outages`'.
"""

from collections import deque
from heapq import heappop, heappush
from typing import Final

import numpy as np

from docaxis_sim.capacity.plan import (
    DOWN,
    ENVELOPE,
    HOPS_MAX,
    NEVER,
    NODE,
    STATUS_FIRST,
    STATUSES_MAX,
    STEP_BITS,
    STEP_MASK,
    SUBMIT,
    UP,
    Cost,
    Form,
    Plan,
    Run,
    Stations,
    hop,
    last_node_step,
    receipt,
    status,
)

END_OF_ROUND: Final = 0
TOKEN: Final = 2


class Disk:
    """Group commits of one disk."""

    def __init__(self, number: int, stations: Stations) -> None:
        self.number, self.stations = number, stations
        self.start = self.end = -1
        self.commits = 0

    def next_takes_ns(self) -> int:
        """How long the next commit takes; counts it."""
        extra = self.stations.commit_extra_ns[(7919 * self.number + self.commits) % len(self.stations.commit_extra_ns)]
        self.commits += 1
        return int(self.stations.commit_ns[self.number] + extra)

    def group_commit(self, t: int) -> int:
        """When what comes at `t` is on disk."""
        if t >= self.start:
            self.start = max(t, self.end)
            self.end = self.start + self.next_takes_ns()
        return self.end


class Loop:
    """One interpreter: how many of its servers are free, who waits at which node, and the line of nodes."""

    def __init__(self, servers: int) -> None:
        self.free = servers
        self.line: deque[int] = deque()
        self.rounds = self.wakings = self.busy = 0


class Link:
    """A link that sends one after the other."""

    def __init__(self, ns_per_kib: int) -> None:
        self.ns_per_kib, self.free = ns_per_kib, 0

    def fifo(self, t: int, size: int) -> tuple[int, int]:
        """Start and end of what comes at `t`."""
        start = max(t, self.free)
        self.free = start + (size * self.ns_per_kib >> 10)
        return start, self.free


class Oracle:
    """One plan being carried."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.stations, self.deliveries = plan, plan.stations, plan.deliveries
        self.left: dict[tuple[int, int], int] = {}
        self.events: list[tuple[int, int, int, int, tuple[int, ...]]] = []
        self.loops = [Loop(int(servers)) for servers in self.stations.servers]
        self.changes: list[tuple[int, int, int]] = []
        self.waiting: list[deque[int]] = [deque() for _ in self.stations.loop_of]
        self.disks = [Disk(disk, self.stations) for disk in range(len(self.stations.commit_ns))]
        self.ups = [Link(int(ns)) for ns in self.stations.up_ns_per_kib]
        self.downs = [Link(int(ns)) for ns in self.stations.down_ns_per_kib]

    # --- what a delivery is ---

    def _node(self, d: int, place: int) -> int:
        return int(self.deliveries.path[place, d])

    def _hops(self, d: int) -> int:
        return int(self.deliveries.hops[d])

    def _latency(self, d: int, h: int) -> int:
        return int(self.deliveries.latency_ns[h, d])

    def _statuses(self, d: int) -> list[int]:
        delays = [int(ns) for ns in self.deliveries.status_delay_ns[:, d]]
        return delays[: delays.index(NEVER)] if NEVER in delays else delays

    def _where(self, d: int, step: int) -> tuple[int, int]:
        """Node and cost row of a step at a loop."""
        hops = self._hops(d)
        if step == SUBMIT:
            return self._node(d, 0), Cost.SUBMIT if self.deliveries.first[d] else Cost.SUBMIT_MORE
        for h in range(hops):
            if step == hop(h, ENVELOPE):
                return self._node(d, h + 1), Cost.ENVELOPE
            if step == hop(h, NODE):
                return self._node(d, h + 1), Cost.CONTENT if h == hops - 1 else Cost.RELAY
            if step == receipt(h):
                return self._node(d, hops - 1 - h), Cost.RECEIPT
        _, j = next((k, j) for k in range(STATUSES_MAX) for j in range(hops + 1) if step == status(k, j))
        return self._node(d, hops - j), Cost.STATUS if j else Cost.STATE

    def _cost(self, d: int, step: int) -> int:
        node, row = self._where(d, step)
        cost = int(self.stations.cost_ns[row, node])
        if row in (Cost.CONTENT, Cost.RELAY):
            cost += int(self.deliveries.bytes[d]) * int(self.stations.content_ns_per_kib[node]) >> 10
        return cost + (int(self.deliveries.extra_ns[step][d]) if step in self.deliveries.extra_ns else 0)

    # --- loops ---

    def _visit_loop(self, t: int, d: int, step: int) -> None:
        node, _ = self._where(d, step)
        loop = self.loops[self.stations.loop_of[node]]
        self.waiting[node].append(d << STEP_BITS | step)
        if node not in loop.line:
            loop.line.append(node)
        if loop.free:
            self._round(t, int(self.stations.loop_of[node]), 1)

    def _round(self, t: int, number: int, wake: int) -> None:
        """The first in line get theirs; `wake`: 1 if the loop has to be woken for it."""
        loop = self.loops[number]
        node = loop.line.popleft()
        took = min(len(self.waiting[node]), int(self.stations.round_max[number]))
        tokens = tuple(self.waiting[node].popleft() for _ in range(took))
        if self.waiting[node]:
            loop.line.append(node)
        length = wake * int(self.stations.wake_ns[number]) + int(self.stations.round_ns[number])
        length += sum(self._cost(token >> STEP_BITS, token & STEP_MASK) for token in tokens)
        loop.rounds += 1
        loop.wakings += wake
        loop.busy += length
        loop.free -= 1
        heappush(self.events, (t + length, END_OF_ROUND, number, loop.rounds, tokens))

    def _on_disk(self, t: int, tokens: tuple[int, ...]) -> int:
        node, _ = self._where(tokens[0] >> STEP_BITS, tokens[0] & STEP_MASK)
        disk: Disk = self.disks[self.stations.disk_of[node]]
        return disk.group_commit(t)

    def _end_of_round(self, t: int, number: int, tokens: tuple[int, ...]) -> None:
        left = self._on_disk(t, tokens)
        for token in tokens:
            self._leave(left, token >> STEP_BITS, token & STEP_MASK)
        self.loops[number].free += 1
        if self.loops[number].line:
            self._round(t, number, 0)

    # --- links ---

    def _visit_up(self, t: int, d: int, h: int) -> None:
        start, end = self.ups[self.stations.up_of[self._node(d, h)]].fifo(t, int(self.deliveries.bytes[d]))
        self._left_up(end, d, h)
        self._come(start + self._latency(d, h), d, hop(h, DOWN))

    def _left_up(self, t: int, d: int, h: int) -> None:
        self.left[d, hop(h, UP)] = t
        self._changes(t, d, hop(h, UP), -1)

    def _visit_down(self, t: int, d: int, h: int) -> None:
        _, end = self.downs[self.stations.down_of[self._node(d, h + 1)]].fifo(t, int(self.deliveries.bytes[d]))
        self._leave(max(end, self.left[d, hop(h, UP)] + self._latency(d, h)), d, hop(h, DOWN))

    def _writing_ns(self, d: int, node: int) -> int:
        if self.deliveries.form[d] == Form.INLINE:
            return 0
        per_kib = int(self.stations.blob_ns_per_kib[node])
        return int(self.stations.blob_ns[node]) + (int(self.deliveries.bytes[d]) * per_kib >> 10)

    # --- from step to step ---

    def _come(self, t: int, d: int, step: int) -> None:
        heappush(self.events, (t, TOKEN, d << STEP_BITS | step, 0, ()))

    def _begin(self, t: int, d: int) -> None:
        self._come(t, d, hop(0, UP) if self.deliveries.form[d] == Form.CHUNK else SUBMIT)

    def _begin_hop(self, t: int, d: int, h: int) -> None:
        if self.deliveries.form[d] == Form.CHUNKED:
            self._come(t + self._latency(d, h), d, hop(h, ENVELOPE))
        else:
            self._come(t, d, hop(h, UP))

    def _leave(self, t: int, d: int, step: int) -> None:
        """What follows when a delivery leaves a step."""
        self.left[d, step] = t
        self._changes(t, d, step, -1)
        hops = self._hops(d)
        if step == SUBMIT:
            self._begin_hop(t, d, 0)
        for h in range(hops):
            if step == hop(h, ENVELOPE):
                self._come(t + self._latency(d, h), d, hop(h, UP))
            elif step == hop(h, DOWN):
                self._come(t + self._writing_ns(d, self._node(d, h + 1)), d, hop(h, NODE))
            elif step == hop(h, NODE) and h + 1 < hops:
                self._begin_hop(t, d, h + 1)
            elif step == receipt(h) and h + 1 < hops:
                self._come(t + self._latency(d, hops - 2 - h), d, receipt(h + 1))
        if step == last_node_step(hops):
            self._arrive(t, d)
        if step >= STATUS_FIRST:
            self._leave_status(t, d, step)

    def _arrive(self, t: int, d: int) -> None:
        if self.deliveries.form[d] != Form.CHUNK:
            self._come(t + self._latency(d, self._hops(d) - 1), d, receipt(0))
            for delay in self._statuses(d)[:1]:
                self._come(t + delay, d, status(0, 0))
        for child in np.flatnonzero(self.deliveries.parent == d):
            self._begin(t + int(self.deliveries.birth_ns[child]), int(child))

    def _leave_status(self, t: int, d: int, step: int) -> None:
        hops = self._hops(d)
        for k in range(len(self._statuses(d))):
            if step == status(k, 0) and k + 1 < len(self._statuses(d)):
                self._come(t + self._statuses(d)[k + 1], d, status(k + 1, 0))
            for j in range(hops):
                if step == status(k, j):
                    self._come(t + self._latency(d, hops - 1 - j), d, status(k, j + 1))

    def _changes(self, t: int, d: int, step: int, change: int) -> None:
        """There is one more at a station, or one less."""
        self.changes.append((t, self._station(d, step), change))

    def _station(self, d: int, step: int) -> int:
        """0 for all loops together, then up links, then down links."""
        for h in range(HOPS_MAX):
            if step == hop(h, UP):
                return 1 + int(self.stations.up_of[self._node(d, h)])
            if step == hop(h, DOWN):
                return 1 + len(self.ups) + int(self.stations.down_of[self._node(d, h + 1)])
        return 0

    def _token(self, t: int, d: int, step: int) -> None:
        self._changes(t, d, step, 1)
        for h in range(HOPS_MAX):
            if step == hop(h, UP):
                return self._visit_up(t, d, h)
            if step == hop(h, DOWN):
                return self._visit_down(t, d, h)
        return self._visit_loop(t, d, step)

    def _other(self, t: int, kind: int, number: int) -> None:
        """An event of a kind that only a law beyond these knows."""
        raise AssertionError(f"nothing happens at {t} of the kind {kind}, number {number}")

    def carry(self) -> int:
        """Takes all events in their order; says how many."""
        taken = 0
        for d in np.flatnonzero(self.deliveries.parent < 0):
            self._begin(int(self.deliveries.birth_ns[d]), int(d))
        while self.events and not (self.plan.end_ns and self.events[0][0] > self.plan.end_ns):
            t, kind, number, _, tokens = heappop(self.events)
            taken += 1
            if kind == END_OF_ROUND:
                self._end_of_round(t, number, tokens)
            elif kind == TOKEN:
                self._token(t, number >> STEP_BITS, number & STEP_MASK)
            else:
                self._other(t, kind, number)
        for t, kind, _, _, tokens in sorted(self.events):
            if kind == END_OF_ROUND:
                self._on_disk(t, tokens)
        return taken

    # --- outcome ---

    def _foreseen(self, d: int) -> set[int]:
        hops, form = self._hops(d), self.deliveries.form[d]
        steps = {hop(h, part) for h in range(hops) for part in (UP, DOWN, NODE)}
        if form == Form.CHUNKED:
            steps |= {hop(h, ENVELOPE) for h in range(hops)}
        if form != Form.CHUNK:
            steps |= {SUBMIT} | {receipt(j) for j in range(hops)}
            steps |= {status(k, j) for k in range(len(self._statuses(d))) for j in range(hops + 1)}
        return steps

    def _left_ns(self, d: int, step: int) -> int:
        t = self.left.get((d, step), NEVER)
        return NEVER if self.plan.end_ns and t > self.plan.end_ns else t

    def _birth(self, d: int) -> int:
        """NEVER for a child whose parent never arrived."""
        parent = int(self.deliveries.parent[d])
        if parent < 0:
            return int(self.deliveries.birth_ns[d])
        arrived = self._left_ns(parent, last_node_step(self._hops(parent)))
        return NEVER if arrived == NEVER else arrived + int(self.deliveries.birth_ns[d])

    def _expired(self, d: int) -> bool:
        birth, arrived = self._birth(d), self._left_ns(d, last_node_step(self._hops(d)))
        if birth == NEVER:
            return False
        due = birth + int(self.deliveries.deadline_ns[d])
        return arrived > due if arrived != NEVER else due <= self.plan.end_ns

    def _areas(self) -> list[int]:
        """How many were at each station, times how long, change by change."""
        stations = 1 + len(self.ups) + len(self.downs)
        area, there, since = [0] * stations, [0] * stations, [0] * stations
        ends = [(self.plan.end_ns, station, 0) for station in range(stations)] if self.plan.end_ns else []
        for t, station, change in sorted(self.changes) + ends:
            now = min(t, self.plan.end_ns) if self.plan.end_ns else t
            area[station] += there[station] * (now - since[station])
            since[station] = now
            there[station] += change
        return area

    def run(self, taken: int) -> Run:
        """What became of the plan."""
        everyone = range(len(self.deliveries.birth_ns))
        foreseen = {step for d in everyone for step in self._foreseen(d)}
        return Run(
            engine="oracle",
            left_ns={step: np.array([self._left_ns(d, step) for d in everyone], np.int64) for step in sorted(foreseen)},
            rounds=np.array([loop.rounds for loop in self.loops], np.int64),
            loop_busy_ns=np.array([loop.busy for loop in self.loops], np.int64),
            commits=np.array([disk.commits for disk in self.disks], np.int64),
            tries=np.zeros(len(everyone), np.int32),
            expired=np.array([self._expired(d) for d in everyone], np.bool_),
            events=taken,
            wakings=np.array([loop.wakings for loop in self.loops], np.int64),
            area_ns=np.array(self._areas(), np.int64),
        )


def carry(plan: Plan) -> Run:
    """What becomes of a plan."""
    oracle = Oracle(plan)
    return oracle.run(oracle.carry())


def assert_same(run: Run, expected: Run) -> None:
    """Every departure of every step, and what the stations counted."""
    assert list(run.left_ns) == list(expected.left_ns)
    for step, column in expected.left_ns.items():
        np.testing.assert_array_equal(run.left_ns[step], column, err_msg=f"step {step}")
    for name in ("rounds", "wakings", "loop_busy_ns", "area_ns", "commits", "tries", "expired"):
        np.testing.assert_array_equal(getattr(run, name), getattr(expected, name), err_msg=name)
