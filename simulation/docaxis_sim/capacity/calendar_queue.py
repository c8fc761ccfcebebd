"""A calendar queue that numba compiles: events in the order of (time, key), each at a few dozen nanoseconds.

What is near is in a small heap, what is further lies unsorted in slots, what is beyond them in one list from which new
slots are made when the old ones are used up. Slots adapt to how dense events are, so that neither an empty night nor a
million events at one instant make it slow; nothing depends on there being a delay between cause and effect. Nothing
here knows what an event means.
"""

# mypy: disable-error-code="no-any-return"
# Single numbers out of rows and columns are Any to a type checker; numba types them itself.

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba

from docaxis_sim.capacity.floor import (
    EDGE,
    FROM,
    HEAP,
    LATER,
    LATER_COUNT,
    LATER_FIRST,
    LATER_LAST,
    SHIFT,
    SLOT,
    SLOTS,
    SLOTS_MAX,
    SOURCE,
    TOUCHED,
    UNUSED,
    Calendar,
)
from docaxis_sim.capacity.plan import Int64

SLOT_EVENTS: Final = 8
"""How many of the events known when slots are made share one; most bring others later."""
WINDOW_SOURCE_MIN: Final = 1024

_F = TypeVar("_F", bound=Callable[..., Any])
_njit: Any = numba.njit  # takes options that its types do not name


def part(function: _F) -> _F:
    """A function that becomes part of those that call it, and is of no use to the interpreter. It makes no arrays, so
    nothing is counted (`_nrt`): counting references to the arrays it is handed takes ten times as long as its work."""
    made = _njit(_nrt=False, forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return cast(_F, made)


def whole(function: _F) -> _F:
    """The same for a function that is called from outside; it holds no interpreter lock. What was compiled is kept on
    disk where a folder for that can be written: beside the function's file, or in the user's cache."""
    try:
        made = _njit(_nrt=False, nogil=True, cache=True)(function)
    except RuntimeError:  # numba found no such folder
        made = _njit(_nrt=False, nogil=True)(function)
    return cast(_F, made)


@part
def heap_push(c: Calendar, t: int, key: int) -> None:
    """Into the heap."""
    heap = c.heap
    i = c.at[HEAP]
    c.at[HEAP] = i + 1
    while i > 0:
        up = (i - 1) >> 1
        if heap[up, 0] < t or (heap[up, 0] == t and heap[up, 1] < key):
            break
        heap[i, 0], heap[i, 1] = heap[up, 0], heap[up, 1]
        i = up
    heap[i, 0], heap[i, 1] = t, key


@part
def heap_drop(c: Calendar) -> None:
    """Takes the first event, ``heap[0]``, out."""
    heap = c.heap
    size = c.at[HEAP] - 1
    c.at[HEAP] = size
    t, key = heap[size, 0], heap[size, 1]
    i = 0
    down = 1
    while down < size:
        right = down + 1
        if right < size and (
            heap[right, 0] < heap[down, 0] or (heap[right, 0] == heap[down, 0] and heap[right, 1] < heap[down, 1])
        ):
            down = right
        if t < heap[down, 0] or (t == heap[down, 0] and key < heap[down, 1]):
            break
        heap[i, 0], heap[i, 1] = heap[down, 0], heap[down, 1]
        i = down
        down = 2 * i + 1
    heap[i, 0], heap[i, 1] = t, key


@part
def entry(c: Calendar, a: int, b: int) -> int:
    """An entry of the pool with these two numbers, in no list; also for other lists than those of the calendar."""
    i = c.at[UNUSED]
    if i >= 0:
        c.at[UNUSED] = c.pool[i, 2]
    else:
        i = c.at[TOUCHED]
        c.at[TOUCHED] = i + 1
    c.pool[i, 0], c.pool[i, 1], c.pool[i, 2] = a, b, -1
    return i


@part
def give_back(c: Calendar, i: int) -> None:
    """The entry is used no more."""
    c.pool[i, 2] = c.at[UNUSED]
    c.at[UNUSED] = i


@part
def _file(c: Calendar, i: int) -> None:
    """Puts an entry into its slot, or beyond all slots."""
    at, t = c.at, c.pool[i, 0]
    slot = (t - at[FROM]) >> at[SHIFT]
    if slot < at[SLOTS]:
        c.pool[i, 2] = c.heads[slot]
        c.heads[slot] = i
        return
    first = at[LATER] < 0
    at[LATER_FIRST] = t if first else min(t, at[LATER_FIRST])
    at[LATER_LAST] = t if first else max(t, at[LATER_LAST])
    c.pool[i, 2] = at[LATER]
    at[LATER] = i
    at[LATER_COUNT] += 1


@part
def push(c: Calendar, t: int, key: int) -> None:
    """An event to come."""
    if t < c.at[EDGE]:
        heap_push(c, t, key)
    else:
        _file(c, entry(c, t, key))


@part
def _new_slots(c: Calendar, source: Int64) -> None:
    """Slots from the next event on: until the last known, or for several times as many of the source as are known."""
    at, taken, later = c.at, c.at[SOURCE], c.at[LATER_COUNT]
    ahead = min(len(source), taken + max(WINDOW_SOURCE_MIN, 4 * later))
    begin, end = at[LATER_FIRST], at[LATER_LAST]
    if taken < len(source):
        begin = source[taken] if later == 0 else min(source[taken], begin)
        end = source[ahead - 1] if later == 0 or ahead < len(source) else max(source[ahead - 1], end)
    slots = min(SLOTS_MAX, 1 + (later + ahead - taken) // SLOT_EVENTS)
    shift = 0
    while (end - begin) >> shift >= slots:
        shift += 1
    at[FROM] = at[EDGE] = begin
    at[SHIFT], at[SLOTS], at[SLOT] = shift, slots, 0
    c.heads[:slots] = -1
    i = at[LATER]
    at[LATER], at[LATER_COUNT] = -1, 0
    while i >= 0:
        following = c.pool[i, 2]
        _file(c, i)
        i = following


@part
def open_slot(c: Calendar, source: Int64) -> bool:
    """Moves the next slot into the heap, which then has every event before the edge but those of the source, which the
    caller takes from there. False if nothing is left."""
    at = c.at
    if at[SLOT] == at[SLOTS]:
        if at[LATER] < 0 and at[SOURCE] == len(source):
            return False
        _new_slots(c, source)
    i = c.heads[at[SLOT]]
    at[SLOT] += 1
    at[EDGE] += 1 << at[SHIFT]
    while i >= 0:
        following = c.pool[i, 2]
        heap_push(c, c.pool[i, 0], c.pool[i, 1])
        give_back(c, i)
        i = following
    return True
