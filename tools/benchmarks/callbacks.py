"""The laws of `docaxis_sim.capacity.plan` on SimPy's public API at its quickest, for `tools/bench simulation`.

No processes: one `Timeout` for each visit and one for each round, and links and disks that know on arrival when they
will be free. That is as far as SimPy goes without touching its insides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import simpy

from tools.benchmarks.rivals import SALT, Events, Town, Way

Then = Callable[[], None]


class _Node:
    """A node: who waits at its loop, whether that is free, the last commit of its disk, and when its links are free."""

    def __init__(self, later: Callable[[int, Then], None], now: Callable[[], int], town: Town, number: int) -> None:
        self._later, self._now, self._town, self._number = later, now, town, number
        self._waiting: deque[tuple[int, Then]] = deque()
        self._busy = False
        self._commit_begins = self._commit_ends = -1
        self._commits = 0
        self.up_free = self.down_free = 0

    def visit(self, cost: int, then: Then) -> None:
        """Calls `then` when loop and disk are through with it."""
        if self._busy:
            self._waiting.append((cost, then))
        else:
            self._busy = True
            self._round([(cost, then)], self._town.wake_ns[self._number])

    def _round(self, batch: list[tuple[int, Then]], wake: int) -> None:
        takes = wake + self._town.round_ns[self._number] + sum(cost for cost, _ in batch)
        self._later(takes, lambda: self._end(batch))

    def _end(self, batch: list[tuple[int, Then]]) -> None:
        leave = self._committed(self._now()) - self._now()
        for _, then in batch:
            self._later(leave, then)
        if self._waiting:
            most = min(len(self._waiting), self._town.round_max[self._number])
            self._round([self._waiting.popleft() for _ in range(most)], 0)
        else:
            self._busy = False

    def _committed(self, now: int) -> int:
        if now >= self._commit_begins:
            stalls = self._town.stalls_ns
            stall = stalls[(SALT * self._number + self._commits) % len(stalls)]
            self._commits += 1
            self._commit_begins = max(now, self._commit_ends)
            self._commit_ends = self._commit_begins + self._town.commit_ns[self._number] + stall
        return self._commit_ends


class _Documents:
    """What follows what, for every delivery."""

    def __init__(self, town: Town) -> None:
        self.environment = simpy.Environment()
        self._town = town
        self._nodes: dict[int, _Node] = {}
        self.arrived = [0] * len(town.ways)

    def later(self, delay: int, then: Then) -> None:
        """Calls `then` after a while."""
        self.environment.timeout(delay, then).callbacks.append(_call)

    def now(self) -> int:
        """The simulated time."""
        return int(self.environment.now)

    def at(self, number: int) -> _Node:
        """A node, made when it is first needed."""
        if number not in self._nodes:
            self._nodes[number] = _Node(self.later, self.now, self._town, number)
        return self._nodes[number]

    def clerks(self) -> Events:
        """Submits every document at its time."""
        for number, each in enumerate(self._town.ways):
            yield self.environment.timeout(each.birth - self.environment.now)
            self._submit(number, each)

    def _submit(self, number: int, each: Way) -> None:
        def content() -> None:
            self._content(number, each)

        def announced() -> None:
            self.later(each.way, content)

        def announce() -> None:
            self.at(each.b).visit(each.envelope, announced)

        submitted = content if each.envelope < 0 else lambda: self.later(each.way, announce)
        self.at(each.a).visit(each.submit, submitted)

    def _content(self, number: int, each: Way) -> None:
        sender, now = self.at(each.a), self.now()
        begins = max(now, sender.up_free)
        sender.up_free = begins + each.up
        last_byte = sender.up_free + each.way
        self.later(begins + each.way - now, lambda: self._down(number, each, last_byte))

    def _down(self, number: int, each: Way, last_byte: int) -> None:
        recipient, now = self.at(each.b), self.now()
        recipient.down_free = max(now, recipient.down_free) + each.down
        there = max(recipient.down_free, last_byte) + each.blob
        self.later(there - now, lambda: self.at(each.b).visit(each.node, lambda: self._arrived(number, each)))

    def _arrived(self, number: int, each: Way) -> None:
        self.arrived[number] = self.now()
        self.later(each.way, lambda: self.at(each.a).visit(each.receipt, _nothing))
        if each.after >= 0:
            self.later(each.after, lambda: self._state(each))

    def _state(self, each: Way) -> None:
        def home() -> None:
            self.at(each.a).visit(each.status, _nothing)

        self.at(each.b).visit(each.state, lambda: self.later(each.way, home))


def _call(event: Any) -> None:
    event._value()


def _nothing() -> None:
    pass


def callbacks(town: Town) -> list[int]:
    """When each document arrived, in ns."""
    documents = _Documents(town)
    documents.environment.process(documents.clerks())
    documents.environment.run()
    return documents.arrived
