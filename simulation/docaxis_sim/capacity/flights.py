"""Flights: what leaves an outbox while an outage is about: whether it reaches its peer, and what its sender hears.

When to send is decided by `docaxis.core.outbox` and `docaxis.core.schedule`, through `docaxis_sim.capacity.senders`;
what a token does at stations is not this room's. Rules are those of `docaxis_sim.capacity.courier`.
"""

from functools import partial
from heapq import heappop, heappush
from typing import Final

from docaxis.core import limits
from docaxis.core.outbox import Flight
from docaxis.core.schedule import LANE_CONTROL, lane_of
from docaxis_sim.capacity.calendar import Calendar
from docaxis_sim.capacity.columns import Columns
from docaxis_sim.capacity.crossings import UP_TO_NODE, Crossings, is_document, part
from docaxis_sim.capacity.outages import Outages
from docaxis_sim.capacity.plan import (
    NEVER,
    NODE,
    SECOND_NS,
    STEP_BITS,
    STEP_MASK,
    UP,
    Bool,
    Form,
    Int32,
    Plan,
    last_node_step,
)
from docaxis_sim.capacity.senders import Sender, clock_ms, time_of, tokens_of

CONNECT_TIMEOUT_NS: Final = 5 * SECOND_NS
"""What the node's client waits for a connection (`docaxis.transport.base.ClientSettings.connect_s`)."""


class Trip:
    """A request that reached its peer: how many of its items are on their way yet, which are durable there, which were
    lost, and when its sender hears."""

    __slots__ = ("answer_ns", "durable", "flight", "lost", "open", "sender")

    def __init__(self, sender: Sender, flight: Flight) -> None:
        self.sender = sender
        self.flight = flight
        self.open = len(flight.items)
        self.durable: list[int] = []
        self.lost: list[int] = []
        self.answer_ns = 0


class Flights:
    """All outboxes of a plan and what left them. Counts failed attempts in `tries`, marks in `expired` what is given
    up, both by delivery."""

    def __init__(
        self, plan: Plan, calendar: Calendar, columns: Columns, crossings: Crossings, outages: Outages,
        tries: Int32, expired: Bool,
    ) -> None:  # fmt: skip
        self._plan: Final = plan
        self._calendar: Final = calendar
        self._columns: Final = columns
        self._crossings: Final = crossings
        self._outages: Final = outages
        self._tries: Final = tries
        self._expired: Final = expired
        self._senders: Final[dict[int, Sender]] = {}
        self._with_peer: Final[dict[int, Trip]] = {}
        self._due: Final[list[tuple[int, int]]] = []
        self._now_ns = 0
        self.aboard: Final[dict[int, Trip]] = {}
        """Tokens that a request brings, until they are durable over there or lost."""

    # --- into an outbox, and out of it ---

    def offer(self, time_ns: int, token: int) -> None:
        """Into the outbox of its sender, unless it is too late for that."""
        d = token >> STEP_BITS
        here, there = self._crossings.ends(token)
        lane, size = LANE_CONTROL, 0
        if is_document(token):
            due_ns = self.due_ns(d)
            if due_ns <= time_ns:
                self._expired[d] = True
                return
            self._wait_for(due_ns, token)
            lane = lane_of(int(self._plan.deliveries.priority[d]))
            size = self._columns.size[d] if self._columns.form[d] == Form.INLINE else 0
        sender = self._senders.get(here)
        if sender is None:
            sender = self._senders[here] = Sender(here, self._plan.node_ids, self._launch)
        sender.offer(there, lane, token, size)
        self._pump(sender, time_ns)

    def waits(self, here: int, there: int) -> bool:
        """Whether something of a node waits for a peer, or is on its way and unanswered."""
        sender = self._senders.get(here)
        return sender is not None and sender.has(there)

    def heard(self, time_ns: int, here: int, there: int) -> None:
        """A node hears of a peer: if it had given it up for now, it tries again."""
        sender = self._senders.get(here)
        if sender is not None and sender.probe(there, time_ns):
            self._pump(sender, time_ns)

    def look(self, node: int, time_ns: int) -> None:
        """Perhaps something may leave a node now."""
        if node in self._senders:
            self._pump(self._senders[node], time_ns)

    def _pump(self, sender: Sender, time_ns: int) -> None:
        """What the core's machine does at the end of each turn: sends what may go, and asks to be woken."""
        if self._outages.dark_until_ns(sender.node) != NEVER:
            return
        self._withdraw_due(time_ns)
        self._now_ns = time_ns
        sender.pump(time_ns)
        timer_ms = sender.outbox.next_timer_ms()
        if timer_ms is not None and timer_ms != sender.woken_ms:
            sender.woken_ms = timer_ms
            self._calendar.call_at(time_of(timer_ms), partial(self._pump, sender))

    # --- how a request fares ---

    def _launch(self, sender: Sender, flight: Flight) -> None:
        """A request leaves at `_now_ns`."""
        tokens, peer = tokens_of(flight), sender.peer_of(flight)
        if self._outages.blocked(sender.node, peer):
            fails_ns = self._now_ns + self.fails_after_ns(peer, tokens[0])
            self._calendar.call_at(fails_ns, partial(self._undelivered, sender, flight))
            return
        trip = Trip(sender, flight)
        for token in tokens:
            self.aboard[token] = self._with_peer[token] = trip
            travels_ns = 0 if part(token & STEP_MASK) == UP else self._crossings.latency_ns(token)
            self._calendar.push(self._now_ns + travels_ns, token)

    def fails_after_ns(self, peer: int, token: int) -> int:
        """Nobody answers where all is cut off; where a node is switched off, its host refuses."""
        dark = self._outages.dark_until_ns(peer) != NEVER
        return 2 * self._crossings.latency_ns(token) if dark else CONNECT_TIMEOUT_NS

    def _undelivered(self, sender: Sender, flight: Flight, now_ns: int) -> None:
        """As `docaxis.core.returns`: all of it waits, and the peer is left alone for longer each time."""
        sender.outbox.land(flight.number)
        for token in tokens_of(flight):
            self._tries[token >> STEP_BITS] += 1
        sender.outbox.failed(flight, "peer.unreachable", 0, clock_ms(now_ns))
        self._pump(sender, now_ns)

    def durable(self, time_ns: int, token: int) -> None:
        """What a request brought is durable over there."""
        trip = self.aboard.pop(token)
        sent = token - UP_TO_NODE if part(token & STEP_MASK) == NODE else token
        trip.durable.append(sent)
        self._one_less(trip, time_ns + self._crossings.latency_ns(sent))

    def lose(self, time_ns: int, token: int) -> None:
        """What a request brought did not get there."""
        trip = self.aboard.pop(token)
        sent = token - UP_TO_NODE if part(token & STEP_MASK) == NODE else token
        del self._with_peer[sent]
        self._tries[token >> STEP_BITS] += 1
        trip.lost.append(sent)
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
        for token in trip.durable:
            del self._with_peer[token]
        if trip.lost:
            for token in trip.lost:
                if is_document(token) and self.due_ns(token >> STEP_BITS) <= now_ns:
                    self._give_up(token)
            outbox.failed(flight, "peer.timeout", 0, now_ms)
        self._pump(trip.sender, now_ns)

    # --- deadlines ---

    def due_ns(self, d: int) -> int:
        """When a delivery's deadline is."""
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
        self._withdraw_due(now_ns)
        if self._due:
            self._calendar.call_at(self._due[0][0], self._look_at_due)

    def _withdraw_due(self, now_ns: int) -> None:
        """Documents past their deadline are withdrawn, as the core's machine does, unless their peer has them or is
        about to."""
        while self._due and self._due[0][0] <= now_ns:
            _, token = heappop(self._due)
            if token not in self._with_peer:
                self._give_up(token)

    def _give_up(self, token: int) -> None:
        here, there = self._crossings.ends(token)
        if self._senders[here].withdraw(there, token):
            self._expired[token >> STEP_BITS] = True
