"""What outages do, as plainly as it can be said: what `courier` and its rooms are compared with.

Whether nothing passes is looked up by time alone, in the list of outages. What one node keeps for another is one list;
everything that may be sent is sent whenever anybody looks. Shared with the rest are the plan, and the core's bounds
and its table of delays.
"""

from collections.abc import Callable
from functools import partial
from heapq import heappush
from typing import Final

import numpy as np

from docaxis.core import limits
from docaxis.core.schedule import content_delay_ms, lane_of
from docaxis_sim.capacity.plan import (
    DOWN,
    ENVELOPE,
    HOPS_MAX,
    MILLISECOND_NS,
    NODE,
    SECOND_NS,
    STATUSES_MAX,
    STEP_BITS,
    STEP_MASK,
    SUBMIT,
    UP,
    Form,
    Outage,
    Plan,
    Run,
    hop,
    last_node_step,
    receipt,
    status,
)
from tests.simulation.capacity.oracle import END_OF_ROUND
from tests.simulation.capacity.oracle_lines import LinesOracle
from tests.simulation.capacity.oracle_outbox import Item, Pair, Request

CALL: Final = -1
CONNECTING_NS: Final = 5 * SECOND_NS
DOCUMENT_BYTES: Final = 1_500 + 400
STATEMENT_BYTES: Final = 400 + 400
PROBE_MS: Final = 10_000
STATES: Final = frozenset(status(k, 0) for k in range(STATUSES_MAX))
UPS: Final = frozenset(hop(h, UP) for h in range(HOPS_MAX))

assert CALL < END_OF_ROUND


class OutageOracle(LinesOracle):
    """One plan with outages being carried."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.calls: list[Callable[[int], None]] = []
        self.pairs: dict[tuple[int, int], Pair] = {}
        self.aboard: dict[int, Request] = {}
        self.given_up: set[int] = set()
        self.tries = [0] * len(plan.deliveries.hops)
        self.pulls: dict[tuple[int, int], int] = {}
        self.let_go: dict[tuple[int, int], int] = {}
        for outage in plan.outages:
            self._call(outage.until_ns, partial(self._back, outage))

    # --- when nothing passes ---

    def _between(self, a: int, b: int) -> list[Outage]:
        """Outages that ever lie between two nodes."""
        found = []
        for outage in self.plan.outages:
            inside = a in outage.inside, b in outage.inside
            if any(inside) if outage.dark else inside[0] != inside[1]:
                found.append(outage)
        return found

    def _blocked(self, t: int, a: int, b: int) -> bool:
        return any(outage.from_ns <= t < outage.until_ns for outage in self._between(a, b))

    def _broken(self, a: int, b: int, after: int, before: int) -> bool:
        return any(outage.from_ns < before and outage.until_ns > after for outage in self._between(a, b))

    def _off_until(self, t: int, node: int) -> int | None:
        """When a node that is switched off comes back."""
        ends = [
            outage.until_ns
            for outage in self.plan.outages
            if outage.dark and outage.from_ns <= t < outage.until_ns and node in outage.inside
        ]
        return max(ends) if ends else None

    def _stands(self, t: int, loop: int) -> bool:
        return any(self._off_until(t, int(node)) for node in np.flatnonzero(self.stations.loop_of == loop))

    def _call(self, t: int, what: Callable[[int], None]) -> None:
        self.calls.append(what)
        heappush(self.events, (t, CALL, len(self.calls) - 1, 0, ()))

    def _other(self, t: int, kind: int, number: int) -> None:
        if kind == CALL:
            self.calls[number](t)
        else:
            super()._other(t, kind, number)

    def _back(self, outage: Outage, t: int) -> None:
        inside = outage.inside.tolist()
        for number in sorted({int(self.stations.loop_of[node]) for node in inside}):
            while self.loops[number].free and self.loops[number].line and not self._stands(t, number):
                self._round(t, number, 0)
        for node in inside:
            self._look(t, node)

    # --- loops that stand ---

    def _round(self, t: int, number: int, wake: int) -> None:
        if not self._stands(t, number):
            super()._round(t, number, wake)

    # --- what crosses ---

    def _crossing(self, d: int, step: int) -> int | None:
        """The hop over which a first contact with a peer goes: something announced, inline or said."""
        hops, inline = self._hops(d), self.deliveries.form[d] == Form.INLINE
        for h in range(hops):
            if step == hop(h, ENVELOPE) or (step == hop(h, UP) and inline) or step == receipt(hops - 1 - h):
                return h
            if any(step == status(k, hops - h) for k in range(STATUSES_MAX)):
                return h
        return None

    def _ends(self, d: int, step: int) -> tuple[int, int]:
        h = self._crossing(d, step)
        assert h is not None
        near, far = self._node(d, h), self._node(d, h + 1)
        return (near, far) if step < receipt(0) else (far, near)

    def _token(self, t: int, d: int, step: int) -> None:
        if step == SUBMIT or step in STATES:
            if (until := self._off_until(t, self._where(d, step)[0])) is not None:
                self._come(until, d, step)
                return
        elif self._crossing(d, step) is not None and not self._gets_through(t, d, step):
            return
        for h in range(self._hops(d)):
            if step == hop(h, UP):
                if self.deliveries.form[d] != Form.INLINE and not self._pulls(t, d, h):
                    return
                self.let_go[d, h] = t
            elif step == hop(h, NODE) and not self._is_whole(t, d, h):
                return
        super()._token(t, d, step)

    def _gets_through(self, t: int, d: int, step: int) -> bool:
        here, there = self._ends(d, step)
        request = self.aboard.get(d << STEP_BITS | step)
        before_it = self.pairs.get((here, there))
        if self._blocked(t, here, there):
            if request:
                self._lose(t, d, step)
            else:
                self._keep(t, d, step)
            return False
        if not request and before_it and before_it.kept:
            self._keep(t, d, step)
            return False
        back = self.pairs.get((there, here))
        if back and back.fails and _ms(t) - back.tried_ms >= PROBE_MS:
            back.next_ms = min(back.next_ms, _ms(t))
            self._look(t, there)
        return True

    def _is_whole(self, t: int, d: int, h: int) -> bool:
        """Whether all bytes came; else who sent or asked for them does so once more."""
        if not self._broken(self._node(d, h), self._node(d, h + 1), self.let_go[d, h], t):
            self.pulls.pop((d, h), None)
            return True
        for part in (UP, DOWN):
            del self.left[d, hop(h, part)]
        if self.deliveries.form[d] != Form.INLINE:
            self._pull_later(t, d, h)
        elif d << STEP_BITS | hop(h, UP) in self.aboard:
            self._lose(t, d, hop(h, UP))
        else:
            self.tries[d] += 1
            self._keep(t, d, hop(h, UP))
        return False

    # --- content that is pulled ---

    def _pulls(self, t: int, d: int, h: int) -> bool:
        here, there = self._node(d, h), self._node(d, h + 1)
        if (until := self._off_until(t, there)) is not None:
            self._pull_at(until, d, h)
        elif self._blocked(t, here, there):
            self._pull_later(t, d, h)
        else:
            return True
        return False

    def _pull_later(self, t: int, d: int, h: int) -> None:
        self.tries[d] += 1
        self.pulls[d, h] = self.pulls.get((d, h), 0) + 1
        name = self.plan.node_ids[self._node(d, h + 1)]
        pause_ns = content_delay_ms(name, d.to_bytes(32), self.pulls[d, h]) * MILLISECOND_NS
        self._pull_at(t + self._fails_after(t, self._node(d, h), self._latency(d, h)) + pause_ns, d, h)

    def _pull_at(self, t: int, d: int, h: int) -> None:
        if t < self._due_ns(d):
            self._come(t, d, hop(h, UP))
        else:
            self.given_up.add(d)

    def _fails_after(self, t: int, peer: int, latency_ns: int) -> int:
        """A host whose node is switched off refuses; nobody answers from behind a cut."""
        return CONNECTING_NS if self._off_until(t, peer) is None else 2 * latency_ns

    # --- what waits for a peer ---

    def _due_ns(self, d: int) -> int:
        parent, birth = int(self.deliveries.parent[d]), int(self.deliveries.birth_ns[d])
        if parent >= 0:
            birth += self.left[parent, last_node_step(self._hops(parent))]
        return birth + int(self.deliveries.deadline_ns[d])

    def _keep(self, t: int, d: int, step: int) -> None:
        lane, size = 0, STATEMENT_BYTES
        if step < receipt(0):
            if self._due_ns(d) <= t:
                self.given_up.add(d)
                return
            inline = self.deliveries.form[d] == Form.INLINE
            lane, size = lane_of(int(self.deliveries.priority[d])), DOCUMENT_BYTES
            size += int(self.deliveries.bytes[d]) if inline else 0
            self._call(self._due_ns(d), lambda _: self._give_up(d, step))
        here, there = self._ends(d, step)
        pair = self.pairs.setdefault((here, there), Pair(here, there))
        pair.add(Item(d << STEP_BITS | step, lane, size))
        self._look(t, here)

    def _give_up(self, d: int, step: int) -> None:
        """Its deadline; but what is with the peer, or on its way there, may yet be taken in."""
        token, pair = d << STEP_BITS | step, self.pairs[self._ends(d, step)]
        if token in pair.kept and not any(token in request.durable or token in self.aboard for request in pair.out):
            pair.remove(token)
            self.given_up.add(d)

    def _look(self, t: int, here: int) -> None:
        """Everything that may leave a node leaves it."""
        if self._off_until(t, here) is not None:
            return
        for pair in [pair for pair in self.pairs.values() if pair.here == here]:
            for d, step in [_parts(token) for token in pair.kept]:
                if step < receipt(0) and self._due_ns(d) <= t:
                    self._give_up(d, step)
            while self._look_at_pair(t, pair):
                pass

    def _look_at_pair(self, t: int, pair: Pair) -> bool:
        """What memory holds leaves first; whether more was read from the store after that."""
        lanes: dict[int, int] = {}
        pair.to_read(lanes)
        while request := pair.request(_ms(t)):
            self._launch(t, request)
            pair.to_read(lanes)
        for lane, most in lanes.items():
            pair.read(lane, most)
        return bool(lanes)

    def _launch(self, t: int, request: Request) -> None:
        pair = request.pair
        d, step = _parts(request.items[0].token)
        if self._blocked(t, pair.here, pair.there):
            known_ns = t + self._fails_after(t, pair.there, self._travels(d, step))
            self._call(known_ns, lambda now: self._not_delivered(now, request))
            return
        for item in request.items:
            self.aboard[item.token] = request
            d, step = _parts(item.token)
            self._come(t if step in UPS else t + self._travels(d, step), d, step)

    def _travels(self, d: int, step: int) -> int:
        h = self._crossing(d, step)
        assert h is not None
        return self._latency(d, h)

    def _not_delivered(self, t: int, request: Request) -> None:
        for item in request.items:
            self.tries[item.token >> STEP_BITS] += 1
        self._over(t, request)

    def _lose(self, t: int, d: int, step: int) -> None:
        token = d << STEP_BITS | step
        self.tries[d] += 1
        self.aboard[token].lost.append(token)
        self._known(t + CONNECTING_NS, token)

    def _leave(self, t: int, d: int, step: int) -> None:
        super()._leave(t, d, step)
        for h in range(self._hops(d)):
            if step == hop(h, NODE) and self.deliveries.form[d] == Form.INLINE:
                self._taken_in(t, d, hop(h, UP))
        self._taken_in(t, d, step)

    def _taken_in(self, t: int, d: int, step: int) -> None:
        token = d << STEP_BITS | step
        if token in self.aboard:
            self.aboard[token].durable.append(token)
            self._known(t + self._travels(d, step), token)

    def _known(self, t: int, token: int) -> None:
        """What became of one item of a request; when the last is known, its sender hears of all."""
        request = self.aboard.pop(token)
        request.out.discard(token)
        request.over_ns = max(request.over_ns, t)
        if not request.out:
            self._call(request.over_ns, lambda now: self._over(now, request))

    def _over(self, t: int, request: Request) -> None:
        pair = request.pair
        pair.out.remove(request)
        for token in request.durable:
            pair.remove(token)
        if len(request.durable) == len(request.items):
            pair.succeeded()
        else:
            for token in request.lost:
                d, step = _parts(token)
                if step < receipt(0) and self._due_ns(d) <= t:
                    pair.remove(token)
                    self.given_up.add(d)
            pair.failed(request, self.plan.node_ids, _ms(t))
            self._call(_ns(pair.next_ms), lambda now: self._look(now, pair.here))
        self._look(t, pair.here)

    # --- outcome ---

    def run(self, taken: int) -> Run:
        """What became of the plan."""
        run = super().run(taken)
        given_up = np.isin(np.arange(len(self.tries)), sorted(self.given_up))
        return run._replace(tries=np.array(self.tries, np.int32), expired=run.expired | given_up)


def _parts(token: int) -> tuple[int, int]:
    return token >> STEP_BITS, token & STEP_MASK


def _ms(t: int) -> int:
    return t // MILLISECOND_NS + limits.DAY_MS


def _ns(ms: int) -> int:
    return (ms - limits.DAY_MS) * MILLISECOND_NS


def carry(plan: Plan) -> Run:
    """What becomes of a plan with outages."""
    oracle = OutageOracle(plan)
    return oracle.run(oracle.carry())
