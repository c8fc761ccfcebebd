"""Calendar: a SimPy environment in whole nanoseconds that also takes millions of light events, in one order of time.

Order and time only: what an event means is known to whoever pushed it. SimPy's processes, timeouts, interrupts and
`run(until=)` work as ever beside the light events; a light event is a time and a number, and no object but that.

**How.** Time is cut into slots of 0.13 s, and the current slot into buckets of a millisecond. What comes later than the
current slot is one integer in the list of its slot; what comes in it is appended to its bucket; the current bucket
alone is a heap, seldom of more than three. A SimPy event leaves a light event of the smallest number at its time, and
so is taken in its turn, before all other light events of the same instant.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from heapq import heapify, heappop, heappush
from itertools import repeat
from typing import Any, Final

import simpy
from simpy.core import EmptySchedule, Infinity
from simpy.events import NORMAL, Event, EventPriority

from docaxis_sim.capacity.plan import STEP_MASK, Int64

SLOT_BITS: Final = 27
"""A slot is 2**27 ns, 0.134 s: less than a million of them in a day."""
BUCKET_BITS: Final = 20
"""A bucket is 2**20 ns, about a millisecond: one event of a national day."""
_SLOT_MASK: Final = (1 << SLOT_BITS) - 1
_BUCKETS: Final = 1 << SLOT_BITS - BUCKET_BITS
_FEW: Final = 6
"""A slot of so few events is one bucket: looking into all of them would take longer."""
_FEED_AT_ONCE: Final = 1 << 15

Handler = Callable[[int, int], None]
"""Takes the time in ns and the number of a light event."""


def _nothing_handles(time_ns: int, number: int) -> None:
    raise AssertionError(f"nothing handles the light event {number} at {time_ns} ns")


class Calendar(simpy.Environment):
    """A SimPy environment with light events.

    A light event's number is a token, and handled by ``handlers[token & STEP_MASK]``, or negative, that of a station,
    not below `-stations`, and handled by `on_station`. At one instant the smaller number comes first.
    """

    def __init__(self, stations: int, tokens: int) -> None:
        super().__init__()
        self.handlers: Final[list[Handler]] = list(repeat(_nothing_handles, STEP_MASK + 1))
        self.on_station: Handler = _nothing_handles
        self.events = 0
        self._simpy: Final = -1 - stations
        self._bits: Final = max(tokens + stations, 1).bit_length()
        self._later: Final[dict[int, list[int]]] = {}
        self._order: Final[list[int]] = []
        self._feed: Iterator[tuple[int, Iterable[tuple[int, int]]]] = iter(())
        self._fed: tuple[int, Iterable[tuple[int, int]]] | None = None
        self._after: tuple[int, Callable[[], None]] | None = None
        self._after_events = 0
        self._buckets: Final[list[list[tuple[int, int]]]] = [[] for _ in range(_BUCKETS)]
        self._bucket = _BUCKETS
        self._bucket_bits = BUCKET_BITS
        self._slot = -1
        self._slot_ns = self._slot_end_ns = 0

    # --- light events ---

    def push(self, time_ns: int, number: int) -> None:
        """A light event at `time_ns`, not earlier than now."""
        if time_ns < self._slot_end_ns:
            bucket = time_ns - self._slot_ns >> self._bucket_bits
            if bucket > self._bucket:
                self._buckets[bucket].append((time_ns, number))
            else:
                heappush(self._buckets[bucket], (time_ns, number))
        else:
            self._push_later(time_ns >> SLOT_BITS, (time_ns & _SLOT_MASK) << self._bits | number - self._simpy)

    def _push_later(self, slot: int, key: int) -> None:
        if slot in self._later:
            self._later[slot].append(key)
        else:
            self._later[slot] = [key]
            heappush(self._order, slot)

    def feed(self, times_ns: Int64, numbers: Int64) -> None:
        """Light events known beforehand, sorted by time; they take their places in the calendar shortly before it is
        their turn."""
        self._feed = _pieces(times_ns, numbers - self._simpy, self._bits)
        self._fed = next(self._feed, None)

    def after_events(self, events: int, callback: Callable[[], None]) -> None:
        """Calls `callback` about every so many events."""
        self._after, self._after_events = (events, callback), self.events + events

    @property
    def reached_ns(self) -> int:
        """The end of the current slot: between slots, everything before it has been taken."""
        return self._slot + 1 << SLOT_BITS

    # --- SimPy's side ---

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: float = 0) -> None:
        """As SimPy's; `delay` is in whole nanoseconds."""
        if delay != int(delay):
            raise ValueError(f"time passes in whole nanoseconds here, not in {delay!r}")
        super().schedule(event, priority, int(delay))
        self.push(int(self._now + delay), self._simpy)

    def call_at(self, time_ns: int, callback: Callable[[int], None]) -> None:
        """Calls `callback` with `time_ns` at that time, as a SimPy event; whoever handles a light event may ask too."""
        event = Event(self)
        event._ok, event._value = True, None
        event.callbacks.append(lambda _: callback(time_ns))
        heappush(self._queue, (time_ns, NORMAL, next(self._eid), event))
        self.push(time_ns, self._simpy)

    def peek(self) -> Any:
        """The time of the next event of either kind; infinity if there is none."""
        here = [min(bucket)[0] for bucket in self._buckets[self._bucket :] if bucket]
        if here:
            return here[0]
        keys = self._next_slot()
        return (self._order[0] << SLOT_BITS) + (min(keys) >> self._bits) if keys else Infinity

    def step(self) -> None:
        """Takes all events of a slot; raises SimPy's `EmptySchedule` when there are none."""
        if self._bucket == _BUCKETS:
            self._open_slot()
        self._take_slot()
        self._bucket, self._slot_end_ns = _BUCKETS, 0
        if self._after is not None and self.events >= self._after_events:
            self.after_events(*self._after)
            self._after[1]()

    def _take_slot(self) -> None:
        """Bucket by bucket, in the order of time; what comes about in the current bucket joins in."""
        handlers, simpy_number, simpy_step, taken = self.handlers, self._simpy, super().step, 0
        try:
            for bucket, heap in enumerate(self._buckets if self._bucket_bits == BUCKET_BITS else self._buckets[:1]):
                if not heap:
                    continue
                self._bucket = bucket
                heapify(heap)
                while heap:
                    time_ns, number = heappop(heap)
                    taken += 1
                    if number >= 0:
                        handlers[number & STEP_MASK](time_ns, number)
                    elif number > simpy_number:
                        self.on_station(time_ns, number)
                    else:
                        simpy_step()
        finally:
            self.events += taken

    def _open_slot(self) -> None:
        """Makes the next slot that has events the current one."""
        keys = self._next_slot()
        if not keys:
            raise EmptySchedule
        self._slot = heappop(self._order)
        del self._later[self._slot]
        self._slot_ns, self._slot_end_ns = self._slot << SLOT_BITS, self._slot + 1 << SLOT_BITS
        self._bucket = 0
        self._bucket_bits = bucket_bits = BUCKET_BITS if len(keys) > _FEW else SLOT_BITS
        start_ns, bits, mask, buckets = self._slot_ns, self._bits, (1 << self._bits) - 1, self._buckets
        simpy_number = self._simpy
        for key in keys:
            offset_ns = key >> bits
            buckets[offset_ns >> bucket_bits].append((start_ns + offset_ns, (key & mask) + simpy_number))

    def _next_slot(self) -> list[int]:
        """What is in the next slot that has events; nothing if there is none."""
        while self._fed is not None and (not self._order or self._fed[0] <= self._order[0]):
            for slot, key in self._fed[1]:
                self._push_later(slot, key)
            self._fed = next(self._feed, None)
        return self._later[self._order[0]] if self._order else []


def _pieces(times_ns: Int64, numbers: Int64, bits: int) -> Iterator[tuple[int, Iterable[tuple[int, int]]]]:
    """The first slot of each piece of the feed, then slots and keys of its events."""
    for begin in range(0, len(times_ns), _FEED_AT_ONCE):
        times = times_ns[begin : begin + _FEED_AT_ONCE]
        keys = (times & _SLOT_MASK) << bits | numbers[begin : begin + _FEED_AT_ONCE]
        slots = (times >> SLOT_BITS).tolist()
        yield slots[0], zip(slots, keys.tolist(), strict=True)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Python's search for garbage in cycles is off inside: light events make none, and looking at millions of
    numbers again and again costs more than carrying them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
