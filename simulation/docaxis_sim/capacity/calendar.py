"""Calendar: a SimPy environment in whole nanoseconds that also takes millions of light events, in one order of time.

Order and time only: what an event means is known to whoever pushed it. SimPy's processes, timeouts, interrupts and
`run(until=)` work as ever beside the light events; a light event is a number, and costs no object but that.

**How.** Time is cut into slots of about 0.1 s. What comes later than the current slot is appended to the list of its
slot, unsorted; the current slot alone is a heap, and a small one. A light event is one integer: its place in the slot,
then its number, so that integers compare as (time, number) do. A SimPy event leaves a light event of number 0 at its
time, and so is taken in its turn, before all other light events of the same instant.
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
"""A slot is 2**27 ns, 0.134 s: some tens of events of a national day, and less than a million slots in it."""
_SLOT_MASK: Final = (1 << SLOT_BITS) - 1
_FEED_AT_ONCE: Final = 1 << 15
_SIMPY: Final = 0

Handler = Callable[[int, int], None]
"""Takes the time in ns and the number of a light event."""


def _nothing_handles(time_ns: int, number: int) -> None:
    raise AssertionError(f"nothing handles the light event {number} at {time_ns} ns")


class Calendar(simpy.Environment):
    """A SimPy environment with light events.

    `stations`: numbers 1 to `stations` are events of stations, and handled by `on_station`. Numbers from `first_token`
    on are tokens (`token + first_token`, tokens below `tokens`), handled by ``handlers[token & STEP_MASK]``. Handlers
    are called with what remains when the offset is taken off. At one instant the smaller number comes first.
    """

    def __init__(self, stations: int, tokens: int) -> None:
        super().__init__()
        self.first_token: Final = 1 << max(stations, tokens, 1).bit_length()
        self.handlers: Final[list[Handler]] = list(repeat(_nothing_handles, STEP_MASK + 1))
        self.on_station: Handler = _nothing_handles
        self.events = 0
        self.slot = -1
        self._bits: Final = self.first_token.bit_length()
        self._heap: Final[list[int]] = []
        self._slots: Final[dict[int, list[int]]] = {}
        self._order: Final[list[int]] = []
        self._feed: Iterator[tuple[int, Iterable[tuple[int, int]]]] = iter(())
        self._fed: tuple[int, Iterable[tuple[int, int]]] | None = None
        self._after: tuple[int, Callable[[], None]] | None = None
        self._after_events = 0

    # --- light events ---

    def push(self, time_ns: int, number: int) -> None:
        """A light event at `time_ns`, not earlier than now."""
        slot = time_ns >> SLOT_BITS
        key = (time_ns & _SLOT_MASK) << self._bits | number
        if slot == self.slot:
            heappush(self._heap, key)
        elif slot in self._slots:
            self._slots[slot].append(key)
        else:
            self._slots[slot] = [key]
            heappush(self._order, slot)

    def feed(self, times_ns: Int64, numbers: Int64) -> None:
        """Light events known beforehand, sorted by time; they take their places in the calendar shortly before it is
        their turn."""
        self._feed = _pieces(times_ns, numbers, self._bits)
        self._fed = next(self._feed, None)

    def after_events(self, events: int, callback: Callable[[], None]) -> None:
        """Calls `callback` about every so many events."""
        self._after, self._after_events = (events, callback), self.events + events

    @property
    def reached_ns(self) -> int:
        """The end of the current slot: between slots, everything before it has been taken."""
        return (self.slot + 1) << SLOT_BITS

    # --- SimPy's side ---

    def schedule(self, event: Event, priority: EventPriority = NORMAL, delay: float = 0) -> None:
        """As SimPy's; `delay` is in whole nanoseconds."""
        if delay != int(delay):
            raise ValueError(f"time passes in whole nanoseconds here, not in {delay!r}")
        super().schedule(event, priority, int(delay))
        self.push(int(self._now + delay), _SIMPY)

    def call_at(self, time_ns: int, callback: Callable[[], None]) -> None:
        """Calls `callback` at `time_ns`, as a SimPy event; may be asked for by whoever handles a light event too."""
        event = Event(self)
        event._ok, event._value = True, None
        event.callbacks.append(lambda _: callback())
        heappush(self._queue, (time_ns, NORMAL, next(self._eid), event))
        self.push(time_ns, _SIMPY)

    def peek(self) -> Any:
        """The time of the next event of either kind; infinity if there is none."""
        slot, keys = self.slot, self._heap
        if not keys:
            slot, keys = self._next_slot()
        return (slot << SLOT_BITS) + (min(keys) >> self._bits) if keys else Infinity

    def step(self) -> None:
        """Takes all events of a slot; raises SimPy's `EmptySchedule` when there are none."""
        if not self._heap and not self._open_slot():
            raise EmptySchedule
        self._take_slot()
        if self._after is not None and self.events >= self._after_events:
            self.after_events(*self._after)
            self._after[1]()

    def _take_slot(self) -> None:
        heap, handlers, bits, first_token = self._heap, self.handlers, self._bits, self.first_token
        base_ns, mask, taken = self.slot << SLOT_BITS, (1 << bits) - 1, 0
        try:
            while heap:
                key = heappop(heap)
                taken += 1
                number = key & mask
                if number >= first_token:
                    number -= first_token
                    handlers[number & STEP_MASK](base_ns + (key >> bits), number)
                elif number:
                    self._now = base_ns + (key >> bits)
                    self.on_station(base_ns + (key >> bits), number)
                else:
                    super().step()
        finally:
            self.events += taken

    def _open_slot(self) -> bool:
        """Makes the next slot that has events the current one; False if there is none."""
        slot, keys = self._next_slot()
        if not keys:
            return False
        self.slot = heappop(self._order)
        self._heap.extend(self._slots.pop(slot))
        heapify(self._heap)
        return True

    def _next_slot(self) -> tuple[int, list[int]]:
        """The next slot that has events, and those; no events if there is none."""
        while self._fed is not None and (not self._order or self._fed[0] <= self._order[0]):
            self._take_from_feed(self._fed[1])
            self._fed = next(self._feed, None)
        return (self._order[0], self._slots[self._order[0]]) if self._order else (self.slot, [])

    def _take_from_feed(self, piece: Iterable[tuple[int, int]]) -> None:
        slots = self._slots
        for slot, key in piece:
            if slot in slots:
                slots[slot].append(key)
            else:
                slots[slot] = [key]
                heappush(self._order, slot)


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
