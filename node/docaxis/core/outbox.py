"""The outbox: one queue per destination, fair between destinations, lanes by priority inside each.

Decides what may be sent when: windows, natural batching, backoff, breaker, credits. The durable queue is the store's;
here is the part of it that is next to go, bounded per lane, and the rest is read back when there is room. It builds
no bytes and knows nothing of documents. Design and measurements behind it: architecture notes on federation delivery.
"""

from collections import deque
from heapq import heappop, heappush
from typing import Final, NamedTuple

from docaxis.core import limits
from docaxis.core.effects import LoadQueue, PutPeer
from docaxis.core.ids import PartyId
from docaxis.core.schedule import LANE_CONTROL, SHARES, peer_delay_ms
from docaxis.core.wire import Item

WINDOW_START: Final = 2.0
PART_ITEMS_MIN: Final = 64
SLOW_START_ITEMS: Final = 4
PROBE_INTERVAL_MS_MIN: Final = 10 * limits.SECOND_MS
RELOAD_STEP_MS: Final = 1 * limits.SECOND_MS
"""Items that wait for about the same time are read back together."""
_ITEM_OVERHEAD_BYTES: Final = 400


class Queued(NamedTuple):
    """One item, how often its peer would not take it, and its lane."""

    item: Item
    fails: int
    lane: int


class Flight(NamedTuple):
    """One request in the air; `greets`: the peer was to be called even with nothing to send; `epoch`: that of the
    peer's log when the request left."""

    number: int
    peer: PartyId
    items: tuple[Queued, ...]
    greets: bool
    epoch: int


class Lane:
    """The next items of one lane, and whether the store holds `more`; `postponed` says that some of those may be
    waiting for a time that an earlier life knew. `reloads_ms` is a heap of the times known to this one. `asked` is how
    many items a read under way may bring, 0 where none is; `settled` are those that it may bring though they left."""

    __slots__ = ("asked", "items", "more", "postponed", "reloads_ms", "settled")

    def __init__(self) -> None:
        self.items: deque[Queued] = deque()
        self.more = False
        self.asked = 0
        self.postponed = False
        self.reloads_ms: list[int] = []
        self.settled: set[bytes] = set()


class Queue:
    """Everything about one destination. `fails` counts consecutive failed requests, `why` is the code of the last one;
    `window` is how many requests may be in the air; `batch_items` grows again after an outage (slow start)."""

    __slots__ = (
        "batch_items", "credit", "down_since_ms", "epoch", "fails", "flights", "greet", "greet_ms", "held", "lanes",
        "last_try_ms", "next_try_ms", "peer", "resynced_ms", "timer_ms", "why", "window",
    )  # fmt: skip

    def __init__(self, peer: PartyId, batch_items: int) -> None:
        self.peer = peer
        self.lanes = [Lane() for _ in range(limits.LANES)]
        self.held: set[bytes] = set()
        self.flights = 0
        self.window = WINDOW_START
        self.batch_items = batch_items
        self.credit = batch_items
        self.fails = 0
        self.why = ""
        self.down_since_ms = 0
        self.next_try_ms = 0
        self.last_try_ms = 0
        self.timer_ms = 0
        self.epoch = 0
        self.greet = False
        self.greet_ms = 0
        self.resynced_ms = 0

    def saved(self) -> PutPeer:
        """The part that survives a restart."""
        return PutPeer(self.peer, self.fails, self.down_since_ms, self.next_try_ms, self.epoch)

    @property
    def room(self) -> int:
        """How many items of a lane memory holds: for a peer that is down, no more than the next try takes."""
        return limits.LANE_MEMORY_ITEMS_MAX if self.fails < limits.BREAKER_FAILS else SLOW_START_ITEMS

    def waiting_items(self) -> int:
        """Items in memory that are not in the air."""
        return sum(len(lane.items) for lane in self.lanes)


class Outbox:
    """All queues of a node. `me` names the node in jitter; `batch_items` and `flights_max` come from the policy."""

    def __init__(self, me: PartyId, batch_items: int, flights_max: int) -> None:
        self._me = me
        self._batch_items = batch_items
        self._flights_max = flights_max
        self._flight_number = 0
        self._ready: dict[PartyId, None] = {}
        self._timers: list[tuple[int, PartyId]] = []
        self.queues: dict[PartyId, Queue] = {}
        self.flights: dict[int, Flight] = {}

    def queue(self, peer: PartyId) -> Queue:
        """The queue of a destination, made when first asked for."""
        found = self.queues.get(peer)
        if found is None:
            found = self.queues[peer] = Queue(peer, self._batch_items)
        return found

    def begin(self, number: int) -> None:
        """Counts flights from here, so that an answer to a request of an earlier life is not taken for one of this."""
        self._flight_number = number

    def restore(self, saved: PutPeer) -> None:
        """Takes over what survived a restart."""
        queue = self.queue(saved.peer)
        queue.fails, queue.down_since_ms = saved.fails, saved.down_since_ms
        queue.next_try_ms, queue.epoch = saved.next_try_ms, saved.epoch
        if queue.fails:
            self._slow_down(queue)

    def push(self, peer: PartyId, lane: int, item: Item) -> None:
        """An item that has just been enqueued durably: kept in memory if it is next, else read back later."""
        queue = self.queue(peer)
        place = queue.lanes[lane]
        if item.id in queue.held:
            return
        if place.more or place.asked or len(place.items) >= queue.room:
            place.more = True
        else:
            place.items.append(Queued(item, 0, lane))
            queue.held.add(item.id)
        self._ready[peer] = None

    def expect(self, peer: PartyId, lane: int, postponed: bool = False) -> None:
        """The store holds items of this lane that memory does not; also some that wait for an unknown time?"""
        place = self.queue(peer).lanes[lane]
        place.more = True
        place.postponed = place.postponed or postponed
        self._ready[peer] = None

    def wake(self, peer: PartyId) -> None:
        """Something changed for this peer: look at it again."""
        self._ready[peer] = None

    def greet(self, peer: PartyId) -> None:
        """Call this peer even with nothing to send, so that it learns our epoch."""
        self.queue(peer).greet = True
        self._ready[peer] = None

    def greet_at(self, peer: PartyId, at_ms: int) -> None:
        """Call this peer at this time at the latest, even with nothing to send."""
        queue = self.queue(peer)
        if not queue.greet_ms:
            queue.greet_ms = at_ms
            heappush(self._timers, (at_ms, peer))

    def probe(self, peer: PartyId, now_ms: int) -> None:
        """A sign of life from a peer that is failing: one try now, without forgetting its failures."""
        queue = self.queues.get(peer)
        if queue and queue.fails and now_ms - queue.last_try_ms >= PROBE_INTERVAL_MS_MIN:
            queue.next_try_ms = min(queue.next_try_ms, now_ms)
            self._ready[peer] = None

    def loaded(self, peer: PartyId, lane: int, items: tuple[tuple[Item, int], ...]) -> None:
        """What a `LoadQueue` brought; what is here already, or was settled meanwhile, is passed over."""
        queue = self.queue(peer)
        place = queue.lanes[lane]
        full = len(items) >= place.asked
        place.asked = 0
        for item, fails in items:
            if item.id in queue.held or item.id in place.settled:
                continue
            if len(place.items) >= queue.room:
                full = True
                break
            place.items.append(Queued(item, fails, lane))
            queue.held.add(item.id)
        # Asking again where less than asked for came would go on for ever, for all of it may be in the air.
        place.more = place.more or full
        place.postponed = place.postponed and full
        place.settled.clear()
        self._ready[peer] = None

    def settle(self, peer: PartyId, item: bytes) -> None:
        """The item has left the durable queue, or will be tried later from there."""
        queue = self.queue(peer)
        queue.held.discard(item)
        for lane in queue.lanes:
            if lane.asked:
                lane.settled.add(item)

    def withdraw(self, peer: PartyId, item: bytes) -> None:
        """The item is no longer wanted: out of memory too, unless it is in the air."""
        queue = self.queue(peer)
        for lane in queue.lanes if item in queue.held else ():
            kept = [queued for queued in lane.items if queued.item.id != item]
            if len(kept) != len(lane.items):
                lane.items = deque(kept)
        self.settle(peer, item)

    def retry_at(self, peer: PartyId, lane: int, at_ms: int) -> None:
        """Items of this lane wait in the store until `at_ms`."""
        place = self.queue(peer).lanes[lane]
        at_ms += -at_ms % RELOAD_STEP_MS
        if at_ms not in place.reloads_ms:
            heappush(place.reloads_ms, at_ms)
            heappush(self._timers, (at_ms, peer))

    # --- what became of a request ---

    def land(self, number: int) -> Flight | None:
        """The request is over; None if this life of the node knows no such request."""
        flight = self.flights.pop(number, None)
        if flight is not None:
            self.queue(flight.peer).flights -= 1
            self._ready[flight.peer] = None
        return flight

    def succeeded(self, peer: PartyId, credit: int, wait_ms: int, now_ms: int) -> bool:
        """A well-formed answer came: the window grows, failures are forgotten. True if there were any."""
        queue = self.queue(peer)
        recovered = queue.fails > 0
        queue.fails, queue.why, queue.down_since_ms, queue.next_try_ms = 0, "", 0, 0
        queue.window = min(limits.WINDOW_MAX, queue.window + 1 / queue.window)
        queue.batch_items = min(self._batch_items, queue.batch_items * 4)
        queue.credit = credit
        if credit == 0:
            queue.next_try_ms = now_ms + max(wait_ms, limits.RETRY_DELAY_MS_MIN)
        return recovered

    def failed(self, flight: Flight, why: str, wait_ms: int, now_ms: int) -> Queue:
        """No usable answer: the items wait at the front of their queue, the peer is left alone for longer each time."""
        queue = self.queue(flight.peer)
        queue.fails += 1
        queue.why = why
        queue.down_since_ms = queue.down_since_ms or now_ms
        delay_ms = peer_delay_ms(self._me, flight.peer, queue.fails, now_ms - queue.down_since_ms)
        queue.next_try_ms = now_ms + max(delay_ms, wait_ms)
        self._slow_down(queue)
        self._put_back(queue, flight)
        self._wake_for(queue)
        return queue

    def shrink(self, flight: Flight) -> None:
        """The peer could not read the request as a whole: smaller ones will show which item it is."""
        queue = self.queue(flight.peer)
        queue.batch_items = max(1, len(flight.items) // 4)
        self._put_back(queue, flight)

    def _slow_down(self, queue: Queue) -> None:
        queue.window = 1.0
        queue.credit = self._batch_items
        if queue.fails >= limits.BREAKER_FAILS:
            queue.batch_items = min(queue.batch_items, SLOW_START_ITEMS)

    @staticmethod
    def _put_back(queue: Queue, flight: Flight) -> None:
        """To the front, as if they had never left; what has no room any more is read back later."""
        queue.greet = queue.greet or flight.greets
        for queued in reversed(flight.items):
            if queued.item.id in queue.held:
                queue.lanes[queued.lane].items.appendleft(queued)
        for lane in queue.lanes:
            while len(lane.items) > queue.room:
                queue.held.discard(lane.items.pop().item.id)
                lane.more = True

    # --- what may go now ---

    def pump(self, now_ms: int, hold_documents: bool) -> tuple[list[Flight], list[LoadQueue]]:
        """Requests that may leave now, destination after destination, and lanes to be read back."""
        while self._timers and self._timers[0][0] <= now_ms:
            self._ready[heappop(self._timers)[1]] = None
        flights: list[Flight] = []
        loads: list[LoadQueue] = []
        waiting = self._ready
        self._ready = {}
        while waiting and len(self.flights) < self._flights_max:
            peer = next(iter(waiting))
            del waiting[peer]
            queue = self.queues[peer]
            loads += self._reads(queue, now_ms)
            flight = self._next_flight(queue, now_ms, hold_documents)
            if flight is not None:
                flights.append(flight)
                waiting[peer] = None
        self._ready = waiting | self._ready
        return flights, loads

    def next_timer_ms(self) -> int | None:
        """When the next destination or item may be tried again."""
        return self._timers[0][0] if self._timers else None

    def _next_flight(self, queue: Queue, now_ms: int, hold_documents: bool) -> Flight | None:
        if queue.greet_ms and queue.greet_ms <= now_ms:
            queue.greet, queue.greet_ms = True, 0
        if not (queue.greet or queue.waiting_items()) or queue.flights >= int(queue.window):
            return None
        if queue.next_try_ms > now_ms:
            self._wake_for(queue)
            return None
        items = self._fill(queue, hold_documents)
        if not items and not queue.greet:
            return None
        greets, queue.greet = queue.greet, False
        queue.flights += 1
        queue.last_try_ms = now_ms
        self._flight_number += 1
        flight = Flight(self._flight_number, queue.peer, tuple(items), greets, queue.epoch)
        self.flights[flight.number] = flight
        return flight

    def _wake_for(self, queue: Queue) -> None:
        if queue.timer_ms != queue.next_try_ms:
            queue.timer_ms = queue.next_try_ms
            heappush(self._timers, (queue.next_try_ms, queue.peer))

    @staticmethod
    def _fair_part(queue: Queue) -> int:
        """What waits, spread over the requests that may be in the air: sender and receiver then work at the same time
        instead of taking turns with one large batch."""
        free = max(1, int(queue.window) - queue.flights)
        return max(PART_ITEMS_MIN, -(-queue.waiting_items() // free))

    def _fill(self, queue: Queue, hold_documents: bool) -> list[Queued]:
        """Strict lanes first, then the others by their shares, until the request is full."""
        lanes = queue.lanes[: LANE_CONTROL + 1] if hold_documents else queue.lanes
        room = max(1, min(queue.batch_items, queue.credit, self._fair_part(queue)))
        taken: list[Queued] = []
        bytes_left = limits.BATCH_BYTES_FILL
        while room > len(taken) and bytes_left > 0:
            before = len(taken)
            for lane, share in zip(lanes, SHARES, strict=False):
                bytes_left -= _take(lane.items, share or room, room, bytes_left, taken)
            if len(taken) == before:
                break
        return taken

    def _reads(self, queue: Queue, now_ms: int) -> list[LoadQueue]:
        loads = []
        for number, lane in enumerate(queue.lanes):
            while lane.reloads_ms and lane.reloads_ms[0] <= now_ms:
                heappop(lane.reloads_ms)
                lane.more = True
            if lane.more and not lane.asked and len(lane.items) < queue.room // 4:
                # After a restart nobody knows when postponed items were to be tried again: they are tried now.
                until_ms = now_ms + limits.DAY_MS if lane.postponed else now_ms
                lane.more, lane.asked = False, queue.room + len(queue.held)
                loads.append(LoadQueue(queue.peer, number, until_ms, lane.asked))
        return loads


def _take(items: deque[Queued], share: int, room: int, bytes_left: int, taken: list[Queued]) -> int:
    used = 0
    while items and share > 0 and len(taken) < room:
        size = len(items[0].item.signed.body) + sum(map(len, items[0].item.inline)) + _ITEM_OVERHEAD_BYTES
        if taken and used + size > bytes_left:
            return bytes_left
        taken.append(items.popleft())
        used += size
        share -= 1
    return used
