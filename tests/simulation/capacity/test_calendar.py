"""The calendar: light events and SimPy's own in one order of time, whatever slot or bucket they fall into."""

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from simpy.core import Infinity

from docaxis_sim.capacity.calendar import BUCKET_BITS, SLOT_BITS, Calendar

_SLOT_NS, _BUCKET_NS = 1 << SLOT_BITS, 1 << BUCKET_BITS
_times = st.integers(0, 5) | st.integers(0, 3 * _BUCKET_NS) | st.integers(0, 40 * _SLOT_NS)


def _watched(stations: int = 3) -> tuple[Calendar, list[tuple[int, int]]]:
    calendar, seen = Calendar(stations, 1 << 12), list[tuple[int, int]]()

    def handle(time_ns: int, number: int) -> None:
        seen.append((time_ns, number))

    calendar.handlers[:] = [handle] * len(calendar.handlers)
    calendar.on_station = handle
    return calendar, seen


@given(st.lists(st.tuples(_times, st.integers(-3, 4_000))), st.lists(_times))
def test_events_are_taken_by_time_and_then_by_number(pushed: list[tuple[int, int]], fed: list[int]) -> None:
    """Slots and buckets are only speed: what is pushed and what is fed comes in the order of (time, number)."""
    calendar, seen = _watched()
    births = np.sort(np.array(fed, np.int64))
    calendar.feed(births, np.arange(len(births)))
    for time_ns, number in pushed:
        calendar.push(time_ns, number)
    calendar.run()
    assert seen == sorted([*pushed, *zip(births.tolist(), range(len(births)), strict=True)])
    assert calendar.events == len(seen)


@given(st.lists(st.tuples(_times, _times), max_size=20))
def test_what_an_event_brings_about_takes_its_place_among_the_others(pairs: list[tuple[int, int]]) -> None:
    """Also at the very instant: an event that costs nothing is taken before all later ones."""
    calendar, seen = _watched()
    calendar.handlers[1] = lambda time_ns, token: calendar.push(time_ns + pairs[token >> 6][1], token + 1)
    for number, (time_ns, _) in enumerate(pairs):
        calendar.push(time_ns, number << 6 | 1)
    calendar.run()
    assert seen == sorted((begin + after, number << 6 | 2) for number, (begin, after) in enumerate(pairs))


def test_a_simpy_process_sees_what_happened_before_it_and_nothing_later() -> None:
    """A monitor of SimPy's kind looks at an instant before the light events of that instant."""
    calendar, seen = _watched()
    counts = []

    def monitor() -> Generator[simpy.Event, Any, None]:
        while calendar.now < 3 * _SLOT_NS:
            yield calendar.timeout(_SLOT_NS // 2)
            counts.append(len(seen))

    calendar.process(monitor())
    for number in range(1, 7):
        calendar.push(number * _SLOT_NS // 2, number)
    calendar.run()
    assert counts == [0, 1, 2, 3, 4, 5]


def test_a_process_can_be_interrupted_from_a_light_event() -> None:
    """Reactive parts are ordinary processes: light events call them, and they go on at that time."""
    calendar, _ = _watched()
    woken = []

    def sleeper() -> Generator[simpy.Event, Any, None]:
        try:
            yield calendar.timeout(10 * _SLOT_NS)
        except simpy.Interrupt:
            woken.append(calendar.now)

    process = calendar.process(sleeper())
    calendar.handlers[5] = lambda time_ns, _: calendar.call_at(time_ns + 7, lambda _: process.interrupt())
    calendar.push(_SLOT_NS + 3, 5)
    calendar.run()
    assert woken == [_SLOT_NS + 10]


def test_a_run_can_be_stopped_and_continued() -> None:
    """`run(until=)` is SimPy's: everything before that time has been taken, and nothing after it."""
    calendar, seen = _watched()
    for number in range(10):
        calendar.push(number * 1000, number)
    calendar.run(until=4000)
    assert [number for _, number in seen] == [0, 1, 2, 3]
    assert calendar.peek() == 4000
    calendar.run()
    assert len(seen) == 10
    assert calendar.peek() == Infinity


def test_what_comes_after_a_run_has_ended_is_still_taken_in_order() -> None:
    """Whoever goes on with a calendar that had nothing left may begin in the very slot in which it ended."""
    calendar, seen = _watched()
    calendar.push(5, 1)
    calendar.run()
    for time_ns, number in ((_SLOT_NS + 1, 3), (9 * _BUCKET_NS, 2), (_SLOT_NS - 1, 4)):
        calendar.push(time_ns, number)
    calendar.run()
    assert [number for _, number in seen] == [1, 2, 4, 3]


def test_time_passes_in_whole_nanoseconds() -> None:
    """A fraction would be lost without a word: it is refused."""
    with pytest.raises(ValueError, match="whole nanoseconds"):
        Calendar(0, 0).timeout(0.5)
