"""Shared up links as plainly as they can be said: what `links` and `uplinks` are compared with.

Lanes are a list of jobs that is looked through piece by piece, equal shares are exact fractions; nothing is shared with
the engines but the plan, and nothing with the core but which lane a priority has and what a lane's share is.
"""

from fractions import Fraction
from heapq import heappush
from typing import Final

from docaxis.core.schedule import SHARES, lane_of
from docaxis_sim.capacity.plan import DOWN, HOPS_MAX, STEP_BITS, STEP_MASK, UP, Law, Plan, Run, hop
from tests.simulation.capacity.oracle import END_OF_ROUND, TOKEN, Oracle

AT_A_LINE: Final = 1
PIECE_BYTES: Final = 1 << 20

assert END_OF_ROUND < AT_A_LINE < TOKEN


class Job:
    """What somebody sends over a line of lanes: `sent` of its bytes have gone, or are going."""

    def __init__(self, token: int, size: int, lane: int) -> None:
        self.token, self.size, self.lane, self.sent, self.begun = token, size, lane, 0, False


class Lanes:
    """A line that sends piece after piece; whose turn it is stands in a list of turns that are left. `next`: when the
    piece is over that is going."""

    def __init__(self, ns_per_kib: int) -> None:
        self.ns_per_kib = ns_per_kib
        self.jobs: list[Job] = []
        self.turns: list[int] = []
        self.now: Job | None = None
        self.next: int | None = None

    def come(self, t: int, job: Job) -> list[int]:
        """Who starts because of it."""
        self.jobs.append(job)
        return [] if self.now else self._piece(t)

    def happens(self, t: int) -> tuple[list[int], list[int]]:
        """A piece is over: who starts, and who has ended."""
        job, self.now, self.next = self.now, None, None
        assert job
        ended = [job.token] if job.sent == job.size else []
        if ended:
            self.jobs.remove(job)
        if self.jobs:
            return self._piece(t), ended
        self.turns = []
        return [], ended

    def _lane(self) -> int:
        waits = {job.lane for job in self.jobs}
        strict = [lane for lane in sorted(waits) if not SHARES[lane]]
        if strict:
            return strict[0]
        while not any(lane in waits for lane in self.turns):
            self.turns = [lane for lane, share in enumerate(SHARES) for _ in range(share)]
        while self.turns[0] not in waits:
            self.turns.pop(0)
        return self.turns.pop(0)

    def _piece(self, t: int) -> list[int]:
        lane = self._lane()
        job = self.now = next(job for job in self.jobs if job.lane == lane)
        begins, before = not job.begun, job.sent * self.ns_per_kib >> 10
        job.begun, job.sent = True, min(job.size, job.sent + PIECE_BYTES)
        self.next = t + (job.sent * self.ns_per_kib >> 10) - before
        return [job.token] if begins else []


class LinesOracle(Oracle):
    """One plan being carried, over up links that send one after the other or in lanes."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        lanes = plan.stations.up_law == Law.LANES
        self.lines = [Lanes(int(ns)) for ns in plan.stations.up_ns_per_kib] if lanes else []
        self.through: dict[tuple[int, int], int] = {}

    def _visit_up(self, t: int, d: int, h: int) -> None:
        if not self.lines:
            super()._visit_up(t, d, h)
            return
        number = int(self.stations.up_of[self._node(d, h)])
        job = Job(d << STEP_BITS | hop(h, UP), int(self.deliveries.bytes[d]), lane_of(int(self.deliveries.priority[d])))
        self._go_out(t, self.lines[number].come(t, job))
        self._look_at(number)

    def _other(self, t: int, kind: int, number: int) -> None:
        if kind != AT_A_LINE:
            super()._other(t, kind, number)
        elif self.lines[number].next == t:
            started, ended = self.lines[number].happens(t)
            self._go_out(t, started)
            for token in ended:
                self._gone_out(t, token >> STEP_BITS, _hop_of_up(token & STEP_MASK))
            self._look_at(number)

    def _look_at(self, number: int) -> None:
        at = self.lines[number].next
        if at is not None:
            heappush(self.events, (at, AT_A_LINE, number, 0, ()))

    def _go_out(self, t: int, tokens: list[int]) -> None:
        """The first bytes leave; they are at the other side a latency later."""
        for token in tokens:
            d, h = token >> STEP_BITS, _hop_of_up(token & STEP_MASK)
            self._come(t + self._latency(d, h), d, hop(h, DOWN))

    def _gone_out(self, t: int, d: int, h: int) -> None:
        """The last byte has left; a down link that had taken all before it waits for that one only."""
        self._left_up(t, d, h)
        if (d, h) in self.through:
            self._leave(max(self.through.pop((d, h)), t + self._latency(d, h)), d, hop(h, DOWN))

    def _visit_down(self, t: int, d: int, h: int) -> None:
        if (d, hop(h, UP)) in self.left:
            super()._visit_down(t, d, h)
        else:
            _, self.through[d, h] = self.downs[self.stations.down_of[self._node(d, h + 1)]].fifo(
                t, int(self.deliveries.bytes[d])
            )


def _hop_of_up(step: int) -> int:
    return next(h for h in range(HOPS_MAX) if hop(h, UP) == step)


def carry(plan: Plan) -> Run:
    """What becomes of a plan over such lines; PS is not carried, see `shares`."""
    oracle = LinesOracle(plan)
    return oracle.run(oracle.carry())


Coming = tuple[int, int]
"""When somebody comes to a line of equal shares, and how long it would have the line if it were alone."""


def shares(coming: list[Coming]) -> list[Fraction]:
    """When each has all that it came for, exactly: n of them get 1/n each."""
    ends = [Fraction(0)] * len(coming)
    lacks: dict[int, Fraction] = {}
    waits = sorted(range(len(coming)), key=lambda who: coming[who])
    now = Fraction(0)
    while waits or lacks:
        first_ends = now + min(lacks.values()) * len(lacks) if lacks else None
        comes = Fraction(coming[waits[0]][0]) if waits else None
        then = min(moment for moment in (first_ends, comes) if moment is not None)
        lacks = {who: lack - (then - now) / len(lacks) for who, lack in lacks.items()}
        now = then
        if first_ends == then:
            for who in [who for who, lack in lacks.items() if lack == 0]:
                ends[who] = now
                del lacks[who]
        if comes == then:
            who = waits.pop(0)
            lacks[who] = Fraction(coming[who][1])
    return ends
