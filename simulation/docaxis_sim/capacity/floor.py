"""The floor on which the vector engine works: stations, deliveries and events to come as rows and columns of numbers.

Types and empty shelves only: `vector` fills them, `compiled` moves what is on them. Nothing here needs the compiler.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from docaxis_sim.capacity.plan import Cost, Int8, Int32, Int64

Rows = NDArray[np.void]

SLOTS_MAX: Final = 1 << 16

# Numbers in `Calendar.at`.
HEAP: Final = 0  # events in the heap
UNUSED: Final = 1  # first unused entry of the pool, -1: none was given back
TOUCHED: Final = 2  # entries of the pool beyond this were never used
FROM: Final = 3  # when slot 0 begins
SHIFT: Final = 4  # a slot is 2**SHIFT ns wide
SLOTS: Final = 5
SLOT: Final = 6  # the next to be opened
EDGE: Final = 7  # when it begins: the heap has every event before
LATER: Final = 8  # first entry of the list of what is beyond the slots
LATER_COUNT: Final = 9
LATER_FIRST: Final = 10  # earliest and latest of those
LATER_LAST: Final = 11
SOURCE: Final = 12  # how many of the sorted source are taken
EVENTS: Final = 13  # for the user: events taken, time of the last, deliveries arrived
NOW: Final = 14
ARRIVED: Final = 15
UNTIL: Final = 16  # until when it takes them
_NUMBERS: Final = 17


class Calendar(NamedTuple):
    """`heap` ``(capacity, 2)`` of (time, key) until the edge; `pool` ``(capacity, 3)`` of two numbers and the entry
    that follows in a list, -1 for none; `heads` the list of each slot; `at` the numbers named above."""

    heap: Int64
    pool: Int64
    heads: Int32
    at: Int64


NODE: Final = np.dtype(
    [("cost_ns", np.int64, (len(Cost),))]
    + [(name, np.int32) for name in ("loop", "disk", "up", "down", "wait_first", "wait_last", "line_next", "_")]
    + [(name, np.int64) for name in ("content_ns_per_kib", "blob_ns", "blob_ns_per_kib", "__")]
)
"""What it is charged, its stations (the down links are numbered after the up links), the list of those who wait at it,
the next in line. Rows of this and the next type are whole lines of a processor's cache."""
LOOP: Final = np.dtype(
    [(name, np.int64) for name in ("free_ns", "wake_ns", "round_ns", "busy_ns")]
    + [(name, np.int32) for name in ("wakings", "followed", "round_max", "servers", "server", "serial")]
    + [(name, np.int32) for name in ("line_first", "line_last")]
)
"""`free_ns`: of its only server; of several, `server` is the row of the first in `World.servers`. `serial`: rounds are
of one visit and of one node, so that ends are known on arrival. `wakings`, `followed`: rounds that it had to be woken
for, and others. `line_*`: nodes."""
SERVER: Final = np.dtype([(name, np.int64) for name in ("end_ns", "turn", "node", "first")])
"""One of several servers: the end of its round and the round's number, at which node it is (-1: free), the list of the
visits in it."""
DISK: Final = np.dtype([(name, np.int64) for name in ("commit_ns", "start_ns", "end_ns", "commits")])
LINK: Final = np.dtype([(name, np.int64) for name in ("ns_per_kib", "free_ns")])
WAY: Final = np.dtype(
    [(n, np.int8) for n in ("station", "place", "row", "sized", "next", "hop", "status", "state", "arrives")]
    + [(n, np.int8) for n in ("out", "extra")]
)
"""A step of a kind of delivery: `itinerary.Itinerary`; `state`: first step of `status`; rows in `left`, `extra`."""


class World(NamedTuple):
    """Stations (rows of the types above), what steps mean (`ways` ``(kinds, steps)``, `begin`), deliveries (columns of
    the plan; `kin` ``(2, n)``: first child, next of the same parent; `extra` ``(rows, n)``), the outcome (`left`
    ``(rows, n)``; `area`: as in `Run`) and events to come."""

    nodes: Rows
    loops: Rows
    disks: Rows
    links: Rows
    servers: Rows
    commit_extra_ns: Int64
    ways: Rows
    begin: Int8
    kind: Int8
    bytes: Int64
    path: Int32
    latency_ns: Int64
    delay_ns: Int64
    birth_ns: Int64
    roots_ns: Int64
    kin: Int32
    extra: Int64
    left: Int64
    area: Int64
    calendar: Calendar


def empty_calendar(capacity: int) -> Calendar:
    """A calendar with room for so many events; memory is touched only as far as it is used."""
    at = np.zeros(_NUMBERS, np.int64)
    at[[UNUSED, LATER]] = -1
    heap: Int64 = np.empty((capacity, 2), np.int64)
    pool: Int64 = np.empty((capacity, 3), np.int64)
    return Calendar(heap, pool, np.empty(SLOTS_MAX, np.int32), at)
