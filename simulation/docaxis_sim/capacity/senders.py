"""Senders: what a node has for a peer that it could not reach, kept and sent as the core's outbox decides.

The queue that a real node keeps in its store, and the calls of `docaxis.core.outbox` that its machine makes. What may
go when, in which lane, how many at once and after how long is the outbox's alone; how a request fares is the courier's.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, NamedTuple, cast

from docaxis.core import limits, wire
from docaxis.core.ids import PartyId
from docaxis.core.outbox import Flight, Outbox
from docaxis.core.schedule import LANE_CONTROL
from docaxis.core.signed import Signed, SignedHead
from docaxis_sim.capacity.plan import MILLISECOND_NS

_BEFORE_MS: Final = limits.DAY_MS
"""The simulated midnight is this long after the core's time 0, which the core takes for *never*."""
_ENVELOPE: Final = Signed(bytes(1_500), SignedHead(b"", b""), 0, ())
_STATEMENT: Final = Signed(bytes(400), SignedHead(b"", b""), 0, ())
"""The outbox asks objects only for their lengths: roughly those of real ones."""
_TOKEN_BYTES: Final = 8


def clock_ms(time_ns: int) -> int:
    """A simulated time as the core counts it."""
    return time_ns // MILLISECOND_NS + _BEFORE_MS


def time_of(clock_ms: int) -> int:
    """The simulated time of the core's."""
    return (clock_ms - _BEFORE_MS) * MILLISECOND_NS


class Waiting(NamedTuple):
    """What waits for one peer: by lane, tokens and the bytes that travel with each, oldest first."""

    peer: int
    lanes: tuple[OrderedDict[int, int], ...]


class Sender:
    """One node's outbox. `launch` is told of each request that leaves."""

    def __init__(self, node: int, node_ids: tuple[str, ...], launch: Callable[["Sender", Flight], None]) -> None:
        self.node: Final = node
        self.outbox: Final = Outbox(PartyId(node_ids[node]), limits.BATCH_ITEMS_MAX, limits.FLIGHTS_MAX)
        self.woken_ms: int | None = None
        self._ids: Final = node_ids
        self._launch: Final = launch
        self._waiting: Final[dict[PartyId, Waiting]] = {}

    def has(self, peer: int) -> bool:
        """Whether something waits for the peer, or is on its way and unanswered."""
        waiting = self._waiting.get(PartyId(self._ids[peer]))
        return waiting is not None and any(waiting.lanes)

    def peer_of(self, flight: Flight) -> int:
        """The node that a request goes to."""
        return self._waiting[flight.peer].peer

    def offer(self, peer: int, lane: int, token: int, size: int) -> None:
        """Something for a peer: kept durably, and in memory if it is next."""
        name = PartyId(self._ids[peer])
        waiting = self._waiting.get(name)
        if waiting is None:
            waiting = self._waiting[name] = Waiting(peer, tuple(OrderedDict() for _ in range(limits.LANES)))
        waiting.lanes[lane][token] = size
        self.outbox.push(name, lane, _item(token, lane, size))

    def settle(self, flight: Flight, tokens: Iterable[int]) -> None:
        """The peer has these."""
        for token in tokens:
            self.outbox.settle(flight.peer, _id(token))
            for lane in self._waiting[flight.peer].lanes:
                lane.pop(token, None)

    def withdraw(self, peer: int, token: int) -> bool:
        """No longer wanted; False if it was not waiting."""
        name = PartyId(self._ids[peer])
        waiting = self._waiting.get(name)
        found = [lane for lane in waiting.lanes if token in lane] if waiting else []
        for lane in found:
            del lane[token]
            self.outbox.withdraw(name, _id(token))
        return bool(found)

    def probe(self, peer: int, now_ns: int) -> bool:
        """A sign of life from a peer; whether it was given up for now."""
        queue = self.outbox.queues.get(PartyId(self._ids[peer]))
        if queue is None or not queue.fails:
            return False
        self.outbox.probe(queue.peer, clock_ms(now_ns))
        return True

    def pump(self, now_ns: int) -> None:
        """Sends what may go, reading back what the outbox asks for, as long as there is something to read."""
        reading = True
        while reading:
            flights, loads = self.outbox.pump(clock_ms(now_ns), False)
            for load in loads:
                kept = self._waiting[load.peer].lanes[load.lane]
                items = tuple((_item(t, load.lane, size), 0) for t, size in islice(kept.items(), load.limit))
                self.outbox.loaded(load.peer, load.lane, items)
            for flight in flights:
                self._launch(self, flight)
            reading = bool(loads)


def tokens_of(flight: Flight) -> list[int]:
    """The tokens that a request carries."""
    return [int.from_bytes(queued.item.id) for queued in flight.items]


def _id(token: int) -> bytes:
    return token.to_bytes(_TOKEN_BYTES)


def _item(token: int, lane: int, size: int) -> wire.Item:
    if lane == LANE_CONTROL:
        return wire.Item(wire.STATEMENT, _id(token), _STATEMENT, ())
    # A range has the length of the bytes that it stands for, and none of their memory.
    return wire.Item(wire.ENVELOPE, _id(token), _ENVELOPE, (cast("bytes", range(size)),))
