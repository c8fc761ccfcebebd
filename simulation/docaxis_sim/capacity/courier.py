"""Courier: what becomes of a delivery that meets an outage: its sender's own outbox, its recipient's own retries.

Stands before the handlers of `docaxis_sim.capacity.steps`, and only in plans that have outages; a pair that none of
them touches passes at once. Nothing here decides when to try again: `docaxis.core.outbox` and `docaxis.core.schedule`
do, called as the core's machine calls them.

**What is assumed.** A crossing meets an outage if nothing passes between its nodes at the moment at which it would
reach the other side; content also if anything broke while its bytes were under way. Then the first contact (an
announcement, what travels inline, a receipt, a statement) goes into its sender's outbox, in the core's lane for it, and
so does whatever follows for that peer until nothing waits for it any more. A request to a peer that is cut off fails
when `CONNECT_TIMEOUT_NS` is over; to one that is switched off, after a round trip (it is refused). Pulled content is
tried again by its recipient. A request that arrives is answered, one latency after the last of its items is durable,
and the answer comes home. A node that is switched off finishes its round, takes no other, sends nothing, and goes on
where it stood; its clerks come back when it does. A document in an outbox, or whose content is missing, is given up at
its deadline.
"""

from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from typing import Final

import numpy as np

from docaxis.core import limits
from docaxis.core.outbox import Flight
from docaxis.core.schedule import LANE_CONTROL, content_delay_ms, lane_of
from docaxis_sim.capacity.calendar import Calendar, Handler
from docaxis_sim.capacity.columns import Columns
from docaxis_sim.capacity.outages import Outages
from docaxis_sim.capacity.plan import (
    DOWN,
    ENVELOPE,
    MILLISECOND_NS,
    NEVER,
    NODE,
    SECOND_NS,
    STATUS_FIRST,
    STEP_BITS,
    STEP_MASK,
    SUBMIT,
    UP,
    Form,
    Plan,
    hop,
    last_node_step,
    receipt,
    status,
)
from docaxis_sim.capacity.rounds import Leave, Loop, Rounds
from docaxis_sim.capacity.senders import Sender, clock_ms, time_of, tokens_of

CONNECT_TIMEOUT_NS: Final = 5 * SECOND_NS
"""What the node's client waits for a connection (`docaxis.transport.base.ClientSettings.connect_s`)."""
_PER_HOP: Final = hop(1, ENVELOPE) - hop(0, ENVELOPE)
_UP_TO_NODE: Final = hop(0, NODE) - hop(0, UP)
_PER_STATUS: Final = status(1, 0) - status(0, 0)
_ID_BYTES: Final = 32


class Trip:
    """A request that reached its peer: how many of its items are not yet durable there, which are, how many
    were lost."""

    __slots__ = ("answer_ns", "durable", "flight", "lost", "open", "sender")

    def __init__(self, sender: Sender, flight: Flight) -> None:
        self.sender = sender
        self.flight = flight
        self.open = len(flight.items)
        self.durable: list[int] = []
        self.lost = 0
        self.answer_ns = 0


class Courier:
    """Carries what meets an outage. `tries` and `expired` are columns of the outcome."""

    def __init__(self, plan: Plan, calendar: Calendar, rounds: Rounds, columns: Columns) -> None:
        self._plan: Final = plan
        self._calendar: Final = calendar
        self._rounds: Final = rounds
        self._columns: Final = columns
        self._outages: Final = Outages(plan)
        self._paths: Final = [row.tolist() for row in plan.deliveries.path[: columns.hops_max + 1]]
        self._hop_of: Final = {step: self._made_hop_of(step) for step in columns.left}
        self._senders: Final[dict[int, Sender]] = {}
        self._aboard: Final[dict[int, Trip]] = {}
        self._begun_ns: Final[dict[int, int]] = {}
        self._pulls: Final[dict[int, int]] = {}
        self._due: Final[list[tuple[int, int]]] = []
        self._now_ns = 0
        self.tries: Final = np.zeros(len(plan.deliveries.hops), np.int32)
        self.expired: Final = np.zeros(len(plan.deliveries.hops), np.bool_)

    def install(self) -> None:
        """Stands before the handlers of all that an outage can meet, and switches off and on what outages do."""
        handlers = self._calendar.handlers
        for step in self._columns.left:
            handlers[step] = self._guard(step, handlers[step])
        for number, outage in enumerate(self._plan.outages):
            self._calendar.call_at(outage.from_ns, partial(self._begin, number))
            self._calendar.call_at(outage.until_ns, partial(self._end, number))

    def watch(self, step: int, leave: Leave) -> Leave:
        """A `leave` that also tells the request which brought the token that it is durable now."""
        if _part(step) in (UP, DOWN) or step == SUBMIT or _is_state(step):
            return leave
        aboard = self._aboard

        def leave_and_tell(time_ns: int, token: int) -> None:
            leave(time_ns, token)
            if token in aboard:
                self._durable(time_ns, token)

        return leave_and_tell

    def _guard(self, step: int, handler: Handler) -> Handler:
        if step == SUBMIT or _is_state(step):
            return self._at_home(step, handler)
        part = _part(step)
        if part == UP:
            return self._before_up(step, handler)
        if part == NODE:
            return self._before_node(step, handler)
        return handler if part == DOWN else self._before_contact(step, handler)

    # --- outages come and go ---

    def _begin(self, number: int, now_ns: int) -> None:
        self._outages.begin(number)
        for loop in self._darkened(number):
            self._rounds.stand(loop)

    def _end(self, number: int, now_ns: int) -> None:
        self._outages.end(number)
        for loop in self._darkened(number):
            self._rounds.go_on(loop, now_ns)
        for node in self._plan.outages[number].inside.tolist():
            if node in self._senders:
                self._pump(self._senders[node], now_ns)

    def _darkened(self, number: int) -> list[Loop]:
        outage = self._plan.outages[number]
        loops = {self._rounds.nodes[node].loop.number: self._rounds.nodes[node].loop for node in outage.inside.tolist()}
        return [loops[each] for each in sorted(loops)] if outage.dark else []

    # --- guards: what comes to a handler, and is perhaps kept from it ---

    def _at_home(self, step: int, handler: Handler) -> Handler:
        """A clerk whose node is switched off tries again when it is back."""
        place, hops = self._paths, self._columns.hops

        def guard(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            until_ns = self._outages.dark_until_ns(place[0 if step == SUBMIT else hops[d]][d])
            if until_ns == NEVER:
                handler(time_ns, token)
            else:
                self._calendar.push(until_ns, token)

        return guard

    def _before_contact(self, step: int, handler: Handler) -> Handler:
        touched, hop_of = self._outages.touched, self._hop_of[step]

        def guard(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            if not touched[hop_of(d)][d] or self._passes(time_ns, token):
                handler(time_ns, token)

        return guard

    def _before_up(self, step: int, handler: Handler) -> Handler:
        h, inline = _hop(step), Form.INLINE.value
        touched, form = self._outages.touched[h], self._columns.form

        def guard(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            if touched[d]:
                if not (self._passes(time_ns, token) if form[d] == inline else self._pulls_now(time_ns, token, h)):
                    return
                self._begun_ns[d] = time_ns
                if token in self._aboard:
                    self._aboard[token + _UP_TO_NODE] = self._aboard.pop(token)
            handler(time_ns, token)

        return guard

    def _before_node(self, step: int, handler: Handler) -> Handler:
        """Content whose bytes were cut off is not there."""
        h = _hop(step)

        def guard(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            begun_ns = self._begun_ns.pop(d, NEVER)
            here, there = self._paths[h][d], self._paths[h + 1][d]
            if begun_ns == NEVER or not self._outages.interrupted(here, there, begun_ns, time_ns):
                self._pulls.pop(d, None)
                handler(time_ns, token)
                return
            self._columns.left[hop(h, UP)][d] = self._columns.left[hop(h, DOWN)][d] = NEVER
            if self._columns.form[d] != Form.INLINE:
                self._pull_again(time_ns, token - _UP_TO_NODE, h)
            elif token in self._aboard:
                self._lose(time_ns, token)
            else:
                self.tries[d] += 1
                self._offer(time_ns, token - _UP_TO_NODE)

        return guard

    def _passes(self, time_ns: int, token: int) -> bool:
        """Whether a first contact gets through; if not, its sender's outbox has it now."""
        here, there = self._ends(token)
        aboard = token in self._aboard
        if self._outages.blocked(here, there):
            if aboard:
                self._lose(time_ns, token)
            else:
                self._offer(time_ns, token)
            return False
        sender = self._senders.get(here)
        if not aboard and sender is not None and sender.has(there):
            self._offer(time_ns, token)
            return False
        other = self._senders.get(there)
        if other is not None and other.probe(here, time_ns):
            self._pump(other, time_ns)
        return True

    # --- outboxes ---

    def _offer(self, time_ns: int, token: int) -> None:
        """Into the outbox of its sender, unless it is too late for that."""
        d, step = token >> STEP_BITS, token & STEP_MASK
        here, there = self._ends(token)
        lane, size = LANE_CONTROL, 0
        if step < receipt(0):
            due_ns = self._due_ns(d)
            if due_ns <= time_ns:
                self.expired[d] = True
                return
            self._wait_for(due_ns, token)
            lane = lane_of(int(self._plan.deliveries.priority[d]))
            size = self._columns.size[d] if self._columns.form[d] == Form.INLINE else 0
        sender = self._senders.get(here)
        if sender is None:
            sender = self._senders[here] = Sender(here, self._plan.node_ids, self._launch)
        sender.offer(there, lane, token, size)
        self._pump(sender, time_ns)

    def _pump(self, sender: Sender, time_ns: int) -> None:
        """What the core's machine does at the end of each turn: sends what may go, and asks to be woken."""
        if self._outages.dark_until_ns(sender.node) != NEVER:
            return
        self._now_ns = time_ns
        sender.pump(time_ns)
        timer_ms = sender.outbox.next_timer_ms()
        if timer_ms is not None and timer_ms != sender.woken_ms:
            sender.woken_ms = timer_ms
            self._calendar.call_at(time_of(timer_ms), partial(self._pump, sender))

    def _launch(self, sender: Sender, flight: Flight) -> None:
        """A request leaves at `_now_ns`."""
        tokens, peer = tokens_of(flight), sender.peer_of(flight)
        if self._outages.blocked(sender.node, peer):
            fails_ns = self._now_ns + self._fails_after_ns(peer, tokens[0])
            self._calendar.call_at(fails_ns, partial(self._undelivered, sender, flight))
            return
        trip = Trip(sender, flight)
        for token in tokens:
            self._aboard[token] = trip
            travels_ns = 0 if _part(token & STEP_MASK) == UP else self._latency_ns(token)
            self._calendar.push(self._now_ns + travels_ns, token)

    def _fails_after_ns(self, peer: int, token: int) -> int:
        """Nobody answers where all is cut off; where a node is switched off, its host refuses."""
        dark = self._outages.dark_until_ns(peer) != NEVER
        return 2 * self._latency_ns(token) if dark else CONNECT_TIMEOUT_NS

    def _undelivered(self, sender: Sender, flight: Flight, now_ns: int) -> None:
        """As `docaxis.core.returns`: all of it waits, and the peer is left alone for longer each time."""
        sender.outbox.land(flight.number)
        for token in tokens_of(flight):
            self.tries[token >> STEP_BITS] += 1
        sender.outbox.failed(flight, "peer.unreachable", 0, clock_ms(now_ns))
        self._pump(sender, now_ns)

    def _durable(self, time_ns: int, token: int) -> None:
        trip = self._aboard.pop(token)
        sent = token - _UP_TO_NODE if _part(token & STEP_MASK) == NODE else token
        trip.durable.append(sent)
        self._one_less(trip, time_ns + self._latency_ns(sent))

    def _lose(self, time_ns: int, token: int) -> None:
        trip = self._aboard.pop(token)
        self.tries[token >> STEP_BITS] += 1
        trip.lost += 1
        self._one_less(trip, time_ns + CONNECT_TIMEOUT_NS)

    def _one_less(self, trip: Trip, answer_ns: int) -> None:
        trip.open -= 1
        trip.answer_ns = max(trip.answer_ns, answer_ns)
        if not trip.open:
            self._calendar.call_at(trip.answer_ns, partial(self._answered, trip))

    def _answered(self, trip: Trip, now_ns: int) -> None:
        """As `docaxis.core.returns`: what is durable over there leaves the queue."""
        outbox, flight, now_ms = trip.sender.outbox, trip.flight, clock_ms(now_ns)
        outbox.land(flight.number)
        if not trip.lost:
            outbox.succeeded(flight.peer, limits.CREDIT_ITEMS_MAX, 0, now_ms)
        trip.sender.settle(flight, trip.durable)
        if trip.lost:
            outbox.failed(flight, "peer.timeout", 0, now_ms)
        self._pump(trip.sender, now_ns)

    # --- content that is pulled ---

    def _pulls_now(self, time_ns: int, token: int, h: int) -> bool:
        """Whether a recipient reaches what it pulls from; if not, it will try again."""
        d = token >> STEP_BITS
        here, there = self._paths[h][d], self._paths[h + 1][d]
        until_ns = self._outages.dark_until_ns(there)
        if until_ns != NEVER:
            self._calendar.push(until_ns, token)
        elif self._outages.blocked(here, there):
            self._pull_again(time_ns, token, h)
        else:
            return True
        return False

    def _pull_again(self, time_ns: int, token: int, h: int) -> None:
        d = token >> STEP_BITS
        here, there = self._paths[h][d], self._paths[h + 1][d]
        self.tries[d] += 1
        self._pulls[d] = tries = self._pulls.get(d, 0) + 1
        delay_ms = content_delay_ms(self._plan.node_ids[there], d.to_bytes(_ID_BYTES), tries)
        again_ns = time_ns + self._fails_after_ns(here, token) + delay_ms * MILLISECOND_NS
        if again_ns < self._due_ns(d):
            self._calendar.push(again_ns, token)
        else:
            self.expired[d] = True

    # --- deadlines ---

    def _due_ns(self, d: int) -> int:
        deliveries = self._plan.deliveries
        birth_ns, parent = int(deliveries.birth_ns[d]), int(deliveries.parent[d])
        if parent >= 0:
            birth_ns += self._columns.left[last_node_step(int(deliveries.hops[parent]))][parent]
        return birth_ns + int(deliveries.deadline_ns[d])

    def _wait_for(self, due_ns: int, token: int) -> None:
        """The document will be looked at when it is due."""
        heappush(self._due, (due_ns, token))
        if self._due[0] == (due_ns, token):
            self._calendar.call_at(due_ns, self._look_at_due)

    def _look_at_due(self, now_ns: int) -> None:
        """Documents past their deadline are withdrawn, as the core's machine does, unless they are being taken in."""
        while self._due and self._due[0][0] <= now_ns:
            _, token = heappop(self._due)
            here, there = self._ends(token)
            on_its_way = token in self._aboard or token + _UP_TO_NODE in self._aboard
            if not on_its_way and self._senders[here].withdraw(there, token):
                self.expired[token >> STEP_BITS] = True
        if self._due:
            self._calendar.call_at(self._due[0][0], self._look_at_due)

    # --- where a token is ---

    def _made_hop_of(self, step: int) -> Callable[[int], int]:
        """By delivery, the hop that a first contact crosses."""
        if step < receipt(0):
            return lambda d: _hop(step)
        back = step - receipt(0) + 1 if step < STATUS_FIRST else (step - STATUS_FIRST) % _PER_STATUS
        hops = self._columns.hops
        return lambda d: hops[d] - back

    def _ends(self, token: int) -> tuple[int, int]:
        """From where to where a token crosses: documents forward, receipts and statuses back."""
        d, step = token >> STEP_BITS, token & STEP_MASK
        h = self._hop_of[step](d)
        near, far = self._paths[h][d], self._paths[h + 1][d]
        return (near, far) if step < receipt(0) else (far, near)

    def _latency_ns(self, token: int) -> int:
        d = token >> STEP_BITS
        return self._columns.latency[self._hop_of[token & STEP_MASK](d)][d]


def _hop(step: int) -> int:
    return (step - hop(0, ENVELOPE)) // _PER_HOP


def _part(step: int) -> int:
    """ENVELOPE, UP, DOWN or NODE, or NEVER for a step that is not on the way there."""
    return (step - hop(0, ENVELOPE)) % _PER_HOP if hop(0, ENVELOPE) <= step < receipt(0) else NEVER


def _is_state(step: int) -> bool:
    return step >= STATUS_FIRST and (step - STATUS_FIRST) % _PER_STATUS == 0
