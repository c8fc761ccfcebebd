"""The vector engine's event loop, compiled by numba: a calendar of slots, stations as arrays, one token at a time.

Arrays in, arrays out; what they mean is said in `plan`, how they are made in `vector`. Everything that is compiled is
in this one file, because numba keeps what it compiled for as long as the file it began in is the same; and for the same
reason nothing here depends on a constant of another module but by argument (`STEP_BITS` is checked on import).

Times are nanoseconds, `key` orders events of one instant: numbers below that of loops are ends of rounds, the others are
tokens plus that number. A link that costs nothing holds nobody, so it is passed without an event.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

from docaxis_sim.capacity import plan
from docaxis_sim.capacity.plan import Bool, Int8, Int32, Int64, Stations

STEP_BITS: Final = 6
STEP_MASK: Final = (1 << STEP_BITS) - 1
NEVER: Final = -1
SLOTS_MAX: Final = 1 << 16
SLOT_EVENTS: Final = 16
"""How many of the events known so far a slot is made for; each brings several more."""
WINDOW_BIRTHS_MIN: Final = 1024
LOOP: Final = 0
UP: Final = 1
DOWN: Final = 2

assert (STEP_BITS, NEVER) == (plan.STEP_BITS, plan.NEVER)

# Numbers in `Calendar.at`.
HEAP: Final = 0  # how many events are in the heap
UNUSED: Final = 1  # first free entry of the pool
TOUCHED: Final = 2  # entries of the pool beyond this were never used
FROM: Final = 3  # where slot 0 begins
SHIFT: Final = 4  # a slot is 2**SHIFT ns wide
SLOTS: Final = 5
SLOT: Final = 6  # the next to be opened
EDGE: Final = 7  # where it begins: the heap has every event before
LATER: Final = 8  # first entry of the list of what is beyond the slots
LATER_COUNT: Final = 9
LATER_FIRST: Final = 10  # earliest and latest of those
LATER_LAST: Final = 11
BORN: Final = 12  # how many births are taken
EVENTS: Final = 13
NOW: Final = 14
ARRIVED: Final = 15
AT: Final = 16


class Calendar(NamedTuple):
    """Events to come: `heap` ``(capacity, 2)`` of (time, key) until the edge, lists through `pool` and `link` beyond
    it; `heads` has the list of each slot."""

    heap: Int64
    pool: Int64
    link: Int32
    heads: Int32
    at: Int64


class Work(NamedTuple):
    """Deliveries: `kind` row in `Ways` of each, `roots` their birth times, children as lists, `extra` ``(rows, n)``."""

    kind: Int8
    first: Bool
    bytes: Int64
    path: Int32
    latency_ns: Int64
    delay_ns: Int64
    birth_ns: Int64
    roots: Int64
    child: Int32
    sibling: Int32
    extra: Int64


class Ways(NamedTuple):
    """What each step means, ``(kinds of deliveries, steps)``: `station` (LOOP, UP or DOWN), its `place` on the path, cost
    `row`, whether that which is `sized` by bytes comes on top, `next` step and which `hop`'s latency lies before it,
    number of the `status` that begins with it (-1: none), and whether a delivery has then arrived. Per kind: where it
    `begin`s. Per step: `out` and `extra` row. Per status: its first `state`."""

    station: Int8
    place: Int8
    row: Int8
    sized: Bool
    next: Int8
    hop: Int8
    status: Int8
    arrives: Bool
    begin: Int8
    out: Int8
    extra: Int8
    state: Int8


class Floor(NamedTuple):
    """State of all stations: lists of those who wait at each node, lines of nodes, when each server gets free (those of
    a loop from `server[loop]` on), commits, links, and what comes out."""

    free: Int64
    server: Int32
    line_first: Int32
    line_last: Int32
    line_next: Int32
    wait_first: Int32
    wait_last: Int32
    rounds: Int64
    busy: Int64
    commit_start: Int64
    commit_end: Int64
    commits: Int64
    up_free: Int64
    down_free: Int64
    left: Int64


class World(NamedTuple):
    """Everything the loop needs."""

    stations: Stations
    work: Work
    ways: Ways
    floor: Floor
    calendar: Calendar


_F = TypeVar("_F", bound=Callable[..., Any])


def _compiled(function: _F) -> _F:
    """Compiled, and kept on disk where a folder for that can be written (beside this file, or the user's cache)."""
    try:
        return numba.njit(cache=True, nogil=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # numba found no such folder
        return numba.njit(nogil=True)(function)  # type: ignore[no-any-return]


# --- the calendar ---


@_compiled
def _heap_push(c: Calendar, t: int, key: int) -> None:
    heap, at = c.heap, c.at
    i = at[HEAP]
    at[HEAP] = i + 1
    while i > 0:
        up = (i - 1) >> 1
        if heap[up, 0] < t or (heap[up, 0] == t and heap[up, 1] < key):
            break
        heap[i, 0], heap[i, 1] = heap[up, 0], heap[up, 1]
        i = up
    heap[i, 0], heap[i, 1] = t, key


@_compiled
def _heap_drop(c: Calendar) -> None:
    """Takes the first event out."""
    heap, at = c.heap, c.at
    size = at[HEAP] - 1
    at[HEAP] = size
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


@_compiled
def _entry(c: Calendar, a: int, b: int) -> int:
    """A pool entry with these two numbers."""
    at = c.at
    i = at[UNUSED]
    if i >= 0:
        at[UNUSED] = c.link[i]
    else:
        i = at[TOUCHED]
        at[TOUCHED] = i + 1
    c.pool[i, 0], c.pool[i, 1] = a, b
    c.link[i] = -1
    return i


@_compiled
def _give_back(c: Calendar, i: int) -> None:
    c.link[i] = c.at[UNUSED]
    c.at[UNUSED] = i


@_compiled
def _file(c: Calendar, i: int) -> None:
    """Puts an entry into its slot, or beyond all slots."""
    at, t = c.at, c.pool[i, 0]
    slot = (t - at[FROM]) >> at[SHIFT]
    if slot < at[SLOTS]:
        c.link[i] = c.heads[slot]
        c.heads[slot] = i
        return
    at[LATER_FIRST] = t if at[LATER] < 0 else min(t, at[LATER_FIRST])
    at[LATER_LAST] = t if at[LATER] < 0 else max(t, at[LATER_LAST])
    c.link[i] = at[LATER]
    at[LATER] = i
    at[LATER_COUNT] += 1


@_compiled
def _push(c: Calendar, t: int, key: int) -> None:
    if t < c.at[EDGE]:
        _heap_push(c, t, key)
    else:
        _file(c, _entry(c, t, key))


@_compiled
def _new_slots(c: Calendar, roots: Int64) -> None:
    """Slots for the time from the next event on: until the last known, or several times as many births as are known."""
    at, born, later = c.at, c.at[BORN], c.at[LATER_COUNT]
    ahead = min(len(roots), born + max(WINDOW_BIRTHS_MIN, 4 * later))
    if born < len(roots):
        begin = roots[born] if later == 0 else min(roots[born], at[LATER_FIRST])
        end = roots[ahead - 1] if later == 0 or ahead < len(roots) else max(roots[ahead - 1], at[LATER_LAST])
    else:
        begin, end = at[LATER_FIRST], at[LATER_LAST]
    slots = min(SLOTS_MAX, 1 + (later + ahead - born) // SLOT_EVENTS)
    shift = 0
    while (end - begin) >> shift >= slots:
        shift += 1
    at[FROM] = at[EDGE] = begin
    at[SHIFT], at[SLOTS], at[SLOT] = shift, slots, 0
    c.heads[:slots] = -1
    i = at[LATER]
    at[LATER], at[LATER_COUNT] = -1, 0
    while i >= 0:
        following = c.link[i]
        _file(c, i)
        i = following


@_compiled
def _open_slot(w: World) -> None:
    """Moves the next slot into the heap, and the births of its time."""
    c, roots = w.calendar, w.work.roots
    at = c.at
    i = c.heads[at[SLOT]]
    at[SLOT] += 1
    at[EDGE] += 1 << at[SHIFT]
    while i >= 0:
        following = c.link[i]
        _heap_push(c, c.pool[i, 0], c.pool[i, 1])
        _give_back(c, i)
        i = following
    while at[BORN] < len(roots) and roots[at[BORN]] < at[EDGE]:
        d = at[BORN]
        at[BORN] = d + 1
        _come(w, roots[d], d, w.ways.begin[w.work.kind[d]])


@_compiled
def _more(w: World) -> bool:
    """Fills the heap; False if nothing is left to happen."""
    at = w.calendar.at
    while at[HEAP] == 0:
        if at[SLOT] < at[SLOTS]:
            _open_slot(w)
        elif at[LATER] >= 0 or at[BORN] < len(w.work.roots):
            _new_slots(w.calendar, w.work.roots)
        else:
            return False
    return True


# --- links ---


@_compiled
def _pass_up(w: World, t: int, d: int, step: int) -> int:
    """Through the up link; when the down link is entered."""
    kind = w.work.kind[d]
    link = w.stations.up_of[w.work.path[w.ways.place[kind, step], d]]
    start = end = t
    if w.stations.up_ns_per_kib[link] > 0:
        start = max(t, w.floor.up_free[link])
        end = start + (w.work.bytes[d] * w.stations.up_ns_per_kib[link] >> 10)
        w.floor.up_free[link] = end
    w.floor.left[w.ways.out[step], d] = end
    return start + w.work.latency_ns[w.ways.hop[kind, step], d]


@_compiled
def _pass_down(w: World, t: int, d: int, step: int) -> int:
    """Through the down link; when the content is written."""
    kind, size = w.work.kind[d], w.work.bytes[d]
    node = w.work.path[w.ways.place[kind, step], d]
    link = w.stations.down_of[node]
    end = t
    if w.stations.down_ns_per_kib[link] > 0:
        end = max(t, w.floor.down_free[link]) + (size * w.stations.down_ns_per_kib[link] >> 10)
        w.floor.down_free[link] = end
    sent = w.floor.left[w.ways.out[step - 1], d] + w.work.latency_ns[w.ways.hop[kind, step - 1], d]
    left = max(end, sent)
    w.floor.left[w.ways.out[step], d] = left
    if not w.ways.sized[kind, step]:
        return left
    return left + w.stations.blob_ns[node] + (size * w.stations.blob_ns_per_kib[node] >> 10)


@_compiled
def _come(w: World, t: int, d: int, step: int) -> None:
    """A token on its way to a step: past links that cost nothing, then into the calendar."""
    kind = w.work.kind[d]
    while w.ways.station[kind, step] != LOOP:
        node = w.work.path[w.ways.place[kind, step], d]
        if w.ways.station[kind, step] == UP:
            if w.stations.up_ns_per_kib[w.stations.up_of[node]] > 0:
                break
            t = _pass_up(w, t, d, step)
        else:
            if w.stations.down_ns_per_kib[w.stations.down_of[node]] > 0:
                break
            t = _pass_down(w, t, d, step)
        step += 1
    _push(w.calendar, t, len(w.floor.rounds) + (d << STEP_BITS | step))


# --- loops and disks ---


@_compiled
def _cost(w: World, d: int, step: int, node: int) -> int:
    """What a visit costs on its loop."""
    row = w.ways.row[w.work.kind[d], step]
    if row == 0 and not w.work.first[d]:
        row = 1
    cost = w.stations.cost_ns[row, node]
    if w.ways.sized[w.work.kind[d], step]:
        cost += w.work.bytes[d] * w.stations.content_ns_per_kib[node] >> 10
    if w.ways.extra[step] >= 0:
        cost += w.work.extra[w.ways.extra[step], d]
    return cost


@_compiled
def _commit(w: World, t: int, node: int) -> int:
    """When that which its loop lets go at `t` is on disk."""
    disk, loop, floor = w.stations.disk_of[node], w.stations.loop_of[node], w.floor
    if w.stations.servers[loop] > 1:
        floor.commits[disk] += 1
        return t + w.stations.commit_ns[disk]
    if t >= floor.commit_start[disk]:
        floor.commit_start[disk] = max(t, floor.commit_end[disk])
        floor.commit_end[disk] = floor.commit_start[disk] + w.stations.commit_ns[disk]
        floor.commits[disk] += 1
    return floor.commit_end[disk]


@_compiled
def _leave(w: World, t: int, d: int, step: int) -> None:
    """What follows when a delivery leaves a loop and its disk."""
    work, ways = w.work, w.ways
    kind = work.kind[d]
    w.floor.left[ways.out[step], d] = t
    following, status = ways.next[kind, step], ways.status[kind, step]
    if following >= 0:
        hop = ways.hop[kind, step]
        _come(w, t + work.latency_ns[hop, d] if hop >= 0 else t, d, following)
    if 0 <= status < len(work.delay_ns) and work.delay_ns[status, d] >= 0:
        _come(w, t + work.delay_ns[status, d], d, ways.state[status])
    if ways.arrives[kind, step]:
        w.calendar.at[ARRIVED] += 1
        child = work.child[d]
        while child >= 0:
            _come(w, t + work.birth_ns[child], child, ways.begin[work.kind[child]])
            child = work.sibling[child]


@_compiled
def _free_server(w: World, loop: int) -> int:
    """The server that gets free first."""
    best = w.floor.server[loop]
    for server in range(best + 1, best + w.stations.servers[loop]):
        if w.floor.free[server] < w.floor.free[best]:
            best = server
    return best


@_compiled
def _start(w: World, t: int, loop: int, server: int, node: int, cost: int) -> int:
    """A round begins; when those in it are on disk."""
    length = w.stations.round_ns[loop] + cost
    w.floor.free[server] = t + length
    w.floor.rounds[loop] += 1
    w.floor.busy[loop] += length
    return _commit(w, t + length, node)


@_compiled
def _join_line(w: World, loop: int, node: int) -> None:
    floor = w.floor
    if floor.line_first[loop] < 0:
        floor.line_first[loop] = node
    else:
        floor.line_next[floor.line_last[loop]] = node
    floor.line_last[loop] = node
    floor.line_next[node] = -1


@_compiled
def _wait(w: World, loop: int, server: int, node: int, token: int, cost: int) -> None:
    """A visit finds its loop busy."""
    floor, entry = w.floor, _entry(w.calendar, token, cost)
    if floor.wait_first[node] >= 0:
        w.calendar.link[floor.wait_last[node]] = entry
    else:
        floor.wait_first[node] = entry
        if floor.line_first[loop] < 0:
            _push(w.calendar, floor.free[server], loop)
        _join_line(w, loop, node)
    floor.wait_last[node] = entry


@_compiled
def _round(w: World, t: int, loop: int, server: int) -> None:
    """The first node of the line is taken, and up to round_max of those who wait there."""
    floor, pool, link = w.floor, w.calendar.pool, w.calendar.link
    node = floor.line_first[loop]
    floor.line_first[loop] = floor.line_next[node]
    first = entry = floor.wait_first[node]
    cost = took = 0
    while entry >= 0 and took < w.stations.round_max[loop]:
        cost += pool[entry, 1]
        took += 1
        entry = link[entry]
    floor.wait_first[node] = entry
    if entry >= 0:
        _join_line(w, loop, node)
    left = _start(w, t, loop, server, node, cost)
    for _ in range(took):
        token, following = pool[first, 0], link[first]
        _give_back(w.calendar, first)
        _leave(w, left, token >> STEP_BITS, token & STEP_MASK)
        first = following


@_compiled
def _end_of_round(w: World, t: int, loop: int) -> None:
    """Servers that are free at `t` take rounds from the line."""
    server = _free_server(w, loop)
    while w.floor.line_first[loop] >= 0 and w.floor.free[server] <= t:
        _round(w, t, loop, server)
        server = _free_server(w, loop)
    if w.floor.line_first[loop] >= 0:
        _push(w.calendar, w.floor.free[server], loop)


@_compiled
def _visit(w: World, t: int, d: int, step: int) -> None:
    """A token comes to a loop."""
    node = w.work.path[w.ways.place[w.work.kind[d], step], d]
    loop = w.stations.loop_of[node]
    cost, server = _cost(w, d, step, node), _free_server(w, loop)
    if w.floor.free[server] <= t:
        _leave(w, _start(w, t, loop, server, node, cost), d, step)
    else:
        _wait(w, loop, server, node, d << STEP_BITS | step, cost)


@_compiled
def _token(w: World, t: int, d: int, step: int) -> None:
    station = w.ways.station[w.work.kind[d], step]
    if station == LOOP:
        _visit(w, t, d, step)
    elif station == UP:
        _come(w, _pass_up(w, t, d, step), d, step + 1)
    else:
        _come(w, _pass_down(w, t, d, step), d, step + 1)


@_compiled
def carry_on(w: World, until_ns: int, events: int) -> bool:
    """Takes so many events, or those until `until_ns`; True if there are more."""
    at, heap, loops = w.calendar.at, w.calendar.heap, len(w.floor.rounds)
    for _ in range(events):
        if not _more(w) or heap[0, 0] > until_ns:
            return False
        t, key = heap[0, 0], heap[0, 1]
        _heap_drop(w.calendar)
        at[NOW] = t
        at[EVENTS] += 1
        if key < loops:
            _end_of_round(w, t, key)
        else:
            _token(w, t, (key - loops) >> STEP_BITS, (key - loops) & STEP_MASK)
    return True


def calendar(capacity: int) -> Calendar:
    """An empty calendar with room for so many events; memory is touched only as far as it is used."""
    at = np.zeros(AT, np.int64)
    at[[UNUSED, LATER]] = -1
    pair: NDArray[np.int64] = np.empty((capacity, 2), np.int64)
    link, heads = np.empty(capacity, np.int32), np.empty(SLOTS_MAX, np.int32)
    return Calendar(pair, np.empty_like(pair), link, heads, at)
