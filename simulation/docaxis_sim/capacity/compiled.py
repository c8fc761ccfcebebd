"""The vector engine's event loop, compiled by numba: stations as rows of numbers, one token at a time.

Arrays in, arrays out: what they mean is said in `plan`, they are made in `vector`, and nothing here is told to people.
Times are nanoseconds. The key of an event is the number of a loop (the end of a round), or the number of loops plus a
token. A link that costs nothing holds nobody, so tokens pass it without an event of their own.
"""

# mypy: disable-error-code="no-any-return"
# Single numbers out of rows and columns are Any to a type checker; numba types them itself.

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from docaxis_sim.capacity import calendar_queue, floor, itinerary, plan
from docaxis_sim.capacity.calendar_queue import entry, give_back, heap_drop, open_slot, part, push, whole
from docaxis_sim.capacity.floor import ARRIVED, EDGE, EVENTS, HEAP, NOW, SOURCE, UNTIL, World
from docaxis_sim.capacity.itinerary import AT_LOOP, AT_UP
from docaxis_sim.capacity.plan import COMMIT_STRIDE, STEP_BITS, STEP_MASK

if TYPE_CHECKING:
    int64 = int
else:
    int64 = np.int64  # without it, numba would compile everything once more for every width of a column

# --- links ---


@part
def _pass_up(w: World, t: int, d: int, step: int) -> int:
    """Through the up link; when the down link is entered."""
    way = w.ways[w.kind[d], step]
    link = w.links[w.nodes[w.path[way.place, d]].up]
    start = end = t
    if link.ns_per_kib > 0:
        start = max(t, link.free_ns)
        end = start + (w.bytes[d] * link.ns_per_kib >> 10)
        link.free_ns = end
    w.left[way.out, d] = end
    return start + w.latency_ns[way.hop, d]


@part
def _pass_down(w: World, t: int, d: int, step: int) -> int:
    """Through the down link; when the content is written."""
    sent, way = w.ways[w.kind[d], step - 1], w.ways[w.kind[d], step]
    node = w.nodes[w.path[way.place, d]]
    link = w.links[node.down]
    end = t
    if link.ns_per_kib > 0:
        end = max(t, link.free_ns) + (w.bytes[d] * link.ns_per_kib >> 10)
        link.free_ns = end
    end = max(end, w.left[sent.out, d] + w.latency_ns[sent.hop, d])
    w.left[way.out, d] = end
    if way.sized:
        end += node.blob_ns + (w.bytes[d] * node.blob_ns_per_kib >> 10)
    return end


@part
def _come(w: World, t: int, d: int, step: int) -> None:
    """A token on its way to a step: past links that cost nothing, then to the events."""
    while True:
        way = w.ways[w.kind[d], step]
        if way.station == AT_LOOP:
            break
        node = w.nodes[w.path[way.place, d]]
        up = way.station == AT_UP
        if w.links[node.up if up else node.down].ns_per_kib > 0:
            break
        t = _pass_up(w, t, d, step) if up else _pass_down(w, t, d, step)
        step += 1
    push(w.calendar, t, len(w.loops) + (d << STEP_BITS | step))


# --- loops and disks ---


@part
def _cost(w: World, d: int, step: int, number: int) -> int:
    """What a visit costs the loop of a node."""
    way = w.ways[w.kind[d], step]
    cost = w.nodes[number].cost_ns[way.row]
    if way.sized:
        cost += w.bytes[d] * w.nodes[number].content_ns_per_kib >> 10
    if way.extra >= 0:
        cost += w.extra[way.extra, d]
    return cost


@part
def _commit(w: World, t: int, number: int, servers: int, begun: bool) -> int:
    """When that which its loop lets go at `t` is on disk; counts if the round has `begun` before the run ends."""
    disk = w.disks[number]
    if servers == 1 and t < disk.start_ns:
        return disk.end_ns
    extra = w.commit_extra_ns[(COMMIT_STRIDE * number + disk.commits) % len(w.commit_extra_ns)]
    disk.commits += begun
    disk.start_ns = max(t, disk.end_ns) if servers == 1 else t
    disk.end_ns = disk.start_ns + disk.commit_ns + extra
    return disk.end_ns


@part
def _leave(w: World, t: int, d: int, step: int) -> None:
    """What follows when a delivery leaves a loop and its disk."""
    way = w.ways[w.kind[d], step]
    w.left[way.out, d] = t
    if way.next >= 0:
        _come(w, t + (w.latency_ns[way.hop, d] if way.hop >= 0 else 0), d, int64(way.next))
    if 0 <= way.status < len(w.delay_ns) and w.delay_ns[way.status, d] >= 0:
        push(w.calendar, t + w.delay_ns[way.status, d], len(w.loops) + (d << STEP_BITS | int64(way.state)))
    if way.arrives:
        w.calendar.at[ARRIVED] += 1
        child = int64(w.kin[0, d])
        while child >= 0:
            _come(w, t + w.birth_ns[child], child, int64(w.begin[w.kind[child]]))
            child = int64(w.kin[1, child])


@part
def _free_server(w: World, number: int) -> int:
    """The server of a loop that gets free first."""
    best = int64(w.loops[number].server)
    for server in range(best + 1, best + w.loops[number].servers):
        if w.free[server] < w.free[best]:
            best = server
    return best


@part
def _free_ns(w: World, number: int) -> int:
    """When a server of a loop gets free."""
    return w.loops[number].free_ns if w.loops[number].servers == 1 else w.free[_free_server(w, number)]


@part
def _start(w: World, t: int, number: int, node: int, cost: int) -> int:
    """A round of a loop begins; when those in it are on disk."""
    loop = w.loops[number]
    length = loop.round_ns + cost
    if loop.servers == 1:
        loop.free_ns = t + length
    else:
        w.free[_free_server(w, number)] = t + length
    begun = t <= w.calendar.at[UNTIL]
    if begun:
        loop.rounds += 1
        loop.busy_ns += length
    return _commit(w, t + length, int64(w.nodes[node].disk), int64(loop.servers), begun)


@part
def _join_line(w: World, number: int, node: int) -> None:
    """A node to the end of its loop's line."""
    loop = w.loops[number]
    if loop.line_first < 0:
        loop.line_first = node
    else:
        w.nodes[loop.line_last].line_next = node
    loop.line_last = node
    w.nodes[node].line_next = -1


@part
def _wait(w: World, number: int, at: int, token: int, cost: int) -> None:
    """A visit finds its loop busy."""
    node, waiting = w.nodes[at], entry(w.calendar, token, cost)
    if node.wait_first >= 0:
        w.calendar.pool[node.wait_last, 2] = waiting
    else:
        node.wait_first = waiting
        if w.loops[number].line_first < 0:
            push(w.calendar, _free_ns(w, number), number)
        _join_line(w, number, at)
    node.wait_last = waiting


@part
def _round(w: World, t: int, number: int) -> None:
    """The first node of the line is taken, and up to round_max of those who wait there."""
    loop, pool = w.loops[number], w.calendar.pool
    at = int64(loop.line_first)
    node = w.nodes[at]
    loop.line_first = node.line_next
    first = waiting = int64(node.wait_first)
    cost = took = 0
    while waiting >= 0 and took < loop.round_max:
        cost += pool[waiting, 1]
        took += 1
        waiting = pool[waiting, 2]
    node.wait_first = waiting
    if waiting >= 0:
        _join_line(w, number, at)
    left = _start(w, t, number, at, cost)
    for _ in range(took):
        token, following = pool[first, 0], pool[first, 2]
        give_back(w.calendar, first)
        _leave(w, left, token >> STEP_BITS, token & STEP_MASK)
        first = following


@part
def _end_of_round(w: World, t: int, number: int) -> None:
    """Servers that are free at `t` take rounds from the line."""
    loop = w.loops[number]
    while loop.line_first >= 0 and _free_ns(w, number) <= t:
        _round(w, t, number)
    if loop.line_first >= 0:
        push(w.calendar, _free_ns(w, number), number)


@part
def _visit(w: World, t: int, d: int, step: int) -> None:
    """A token comes to a loop."""
    at = int64(w.path[w.ways[w.kind[d], step].place, d])
    number = int64(w.nodes[at].loop)
    cost, free_ns = _cost(w, d, step, at), _free_ns(w, number)
    if free_ns <= t:
        _leave(w, _start(w, t, number, at, w.loops[number].wake_ns + cost), d, step)
    elif w.loops[number].serial:
        _leave(w, _start(w, free_ns, number, at, cost), d, step)
    else:
        _wait(w, number, at, d << STEP_BITS | step, cost)


@part
def _token(w: World, t: int, d: int, step: int) -> None:
    """A token comes to a station."""
    station = w.ways[w.kind[d], step].station
    if station == AT_LOOP:
        _visit(w, t, d, step)
    else:
        _come(w, _pass_up(w, t, d, step) if station == AT_UP else _pass_down(w, t, d, step), d, step + 1)


@part
def _known(w: World) -> bool:
    """Makes sure that the next event is known: the first in the heap or the next birth. False if nothing is left."""
    at, roots_ns = w.calendar.at, w.roots_ns
    while at[HEAP] == 0 and (at[SOURCE] == len(roots_ns) or roots_ns[at[SOURCE]] >= at[EDGE]):
        if not open_slot(w.calendar, roots_ns):
            return False
    return True


@part
def _birth(w: World) -> int:
    """The key of the next birth if that is the next event, else -1. Births are sorted, so they need no heap."""
    at, heap = w.calendar.at, w.calendar.heap
    d = at[SOURCE]
    if d == len(w.roots_ns) or w.roots_ns[d] >= at[EDGE]:
        return -1
    key = len(w.loops) + (d << STEP_BITS | int64(w.begin[w.kind[d]]))
    t = w.roots_ns[d]
    if at[HEAP] == 0 or t < heap[0, 0] or (t == heap[0, 0] and key < heap[0, 1]):
        return key
    return -1


class CarryOn(Protocol):
    """Takes so many events, or those until a time; True if there are more."""

    def __call__(self, w: World, until_ns: int, events: int) -> bool: ...  # noqa: D102 - as above


def _made_of(digest: str) -> CarryOn:
    """The loop. numba keeps what it compiled under the function's code and what that encloses, and of its file looks at
    time and size only; enclosing a `digest` of all sources makes sure that nothing old is taken for new."""

    def carry_on(w: World, until_ns: int, events: int) -> bool:
        calendar, loops, heap = w.calendar, len(w.loops), w.calendar.heap
        calendar.at[UNTIL] = until_ns
        for _ in range(events):
            if not _known(w):
                return False
            key = _birth(w)
            born = key >= 0
            t = w.roots_ns[calendar.at[SOURCE]] if born else heap[0, 0]
            if t > until_ns:
                return False
            if born:
                calendar.at[SOURCE] += 1
            else:
                key = heap[0, 1]
                heap_drop(calendar)
            calendar.at[NOW] = t
            calendar.at[EVENTS] += 1
            if key < loops:
                _end_of_round(w, t, key)
            else:
                _token(w, t, (key - loops) >> STEP_BITS, (key - loops) & STEP_MASK)
        return digest != ""

    return whole(carry_on)


def _digest() -> str:
    """Of all files that the loop is made of."""
    files = (__file__, calendar_queue.__file__, floor.__file__, itinerary.__file__, plan.__file__)
    return sha256(b"\x00".join(Path(file).read_bytes() for file in files)).hexdigest()


carry_on: Final = _made_of(_digest())
