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


@part
def _stood(w: World, place: int, came: int, left: int) -> None:
    """A visit to a loop (place 0) or a link (its number + 1), as far as it was there before the run ended."""
    until = w.calendar.at[UNTIL]
    if came < until:
        w.area[place] += min(left, until) - came


# --- links ---


@part
def _pass_up(w: World, t: int, d: int, step: int) -> int:
    """Through the up link; when the down link is entered."""
    way = w.ways[w.kind[d], step]
    number = int64(w.nodes[w.path[way.place, d]].up)
    link = w.links[number]
    start = end = t
    if link.ns_per_kib > 0:
        start = max(t, link.free_ns)
        end = start + (w.bytes[d] * link.ns_per_kib >> 10)
        link.free_ns = end
        _stood(w, 1 + number, t, end)
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
    _stood(w, 1 + int64(node.down), t, end)
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
def _commit(w: World, t: int, number: int, begun: bool) -> int:
    """When that which its loop lets go at `t` is on disk; counts if the round has `begun` before the run ends."""
    disk = w.disks[number]
    if t < disk.start_ns:
        return disk.end_ns
    extra = w.commit_extra_ns[(COMMIT_STRIDE * number + disk.commits) % len(w.commit_extra_ns)]
    disk.commits += begun
    disk.start_ns = max(t, disk.end_ns)
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
def _start(w: World, t: int, number: int, cost: int, woken: bool) -> int:
    """A round of a loop begins; when it ends."""
    loop = w.loops[number]
    length = loop.round_ns + cost + (loop.wake_ns if woken else 0)
    if t <= w.calendar.at[UNTIL]:
        loop.wakings += woken
        loop.followed += not woken
        loop.busy_ns += length
    return t + length


@part
def _alone(w: World, t: int, number: int, node: int, cost: int, woken: bool) -> int:
    """A round of one visit, on the only server of a loop; when the visit is on disk."""
    end = _start(w, t, number, cost, woken)
    w.loops[number].free_ns = end
    return _commit(w, end, int64(w.nodes[node].disk), t <= w.calendar.at[UNTIL])


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
    """A visit takes its place at its node, and the node in its loop's line."""
    node, waiting = w.nodes[at], entry(w.calendar, token, cost)
    if node.wait_first >= 0:
        w.calendar.pool[node.wait_last, 2] = waiting
    else:
        node.wait_first = waiting
        _join_line(w, number, at)
    node.wait_last = waiting


@part
def _take(w: World, number: int) -> tuple[int, int, int]:
    """The first node of the line, up to round_max of those who wait there as a list of their own, what they cost."""
    loop, pool = w.loops[number], w.calendar.pool
    at = int64(loop.line_first)
    node = w.nodes[at]
    loop.line_first = node.line_next
    first = last = waiting = int64(node.wait_first)
    cost = took = 0
    while waiting >= 0 and took < loop.round_max:
        cost += pool[waiting, 1]
        took += 1
        last = waiting
        waiting = pool[waiting, 2]
    pool[last, 2] = -1
    node.wait_first = waiting
    if waiting >= 0:
        _join_line(w, number, at)
    return at, first, cost


@part
def _let_go(w: World, visits: int, left: int) -> None:
    """All visits of a list leave. Each stood there until the end of the run, as far as was known."""
    until = w.calendar.at[UNTIL]
    while visits >= 0:
        token, following = w.calendar.pool[visits, 0], w.calendar.pool[visits, 2]
        give_back(w.calendar, visits)
        w.area[0] += min(left, until) - until
        _leave(w, left, token >> STEP_BITS, token & STEP_MASK)
        visits = following


@part
def _end_of_round(w: World, t: int, number: int) -> None:
    """The only server of a loop takes a round from the line."""
    at, visits, cost = _take(w, number)
    end = _start(w, t, number, cost, False)
    w.loops[number].free_ns = end
    _let_go(w, visits, _commit(w, end, int64(w.nodes[at].disk), True))
    if w.loops[number].line_first >= 0:
        push(w.calendar, end, number)


# --- loops of several servers ---


@part
def _first_to_end(w: World, number: int) -> int:
    """The server of a loop whose round ends first, of those that end together the one that began first; -1: none."""
    best = int64(-1)
    first = int64(w.loops[number].server)
    for server in range(first, first + w.loops[number].servers):
        this = w.servers[server]
        if this.node >= 0 and (
            best < 0
            or this.end_ns < w.servers[best].end_ns
            or (this.end_ns == w.servers[best].end_ns and this.turn < w.servers[best].turn)
        ):
            best = server
    return best


@part
def _work(w: World, t: int, number: int, woken: bool) -> None:
    """As many servers as are free take rounds from the line."""
    loop = w.loops[number]
    first = int64(loop.server)
    for server in range(first, first + loop.servers):
        if loop.line_first >= 0 and w.servers[server].node < 0:
            this = w.servers[server]
            this.turn = loop.wakings + loop.followed
            at, visits, cost = _take(w, number)
            this.node, this.first = at, visits
            this.end_ns = _start(w, t, number, cost, woken)
            push(w.calendar, this.end_ns, number)


@part
def _end_of_one(w: World, t: int, number: int) -> None:
    """One of several servers has done its round."""
    server = w.servers[_first_to_end(w, number)]
    left = _commit(w, t, int64(w.nodes[server.node].disk), True)
    server.node = -1
    _let_go(w, int64(server.first), left)
    _work(w, t, number, False)


@part
def _close(w: World) -> None:
    """The run has ended: rounds of several servers under way count wholly, their commits too."""
    for number in range(len(w.loops)):
        if w.loops[number].servers > 1:
            ends = _first_to_end(w, number)
            while ends >= 0:
                server = w.servers[ends]
                _commit(w, server.end_ns, int64(w.nodes[server.node].disk), True)
                server.node = -1
                ends = _first_to_end(w, number)


@part
def _visit(w: World, t: int, d: int, step: int) -> None:
    """A token comes to a loop."""
    at = int64(w.path[w.ways[w.kind[d], step].place, d])
    number = int64(w.nodes[at].loop)
    cost, loop = _cost(w, d, step, at), w.loops[number]
    woken = loop.free_ns <= t
    if loop.servers == 1 and (woken or loop.serial):
        left = _alone(w, max(t, loop.free_ns), number, at, cost, woken)
        _stood(w, 0, t, left)
        _leave(w, left, d, step)
        return
    w.area[0] += w.calendar.at[UNTIL] - t
    stands = loop.line_first >= 0
    _wait(w, number, at, d << STEP_BITS | step, cost)
    if loop.servers > 1:
        _work(w, t, number, True)
    elif not stands:
        push(w.calendar, loop.free_ns, number)


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
                _close(w)
                return False
            if born:
                calendar.at[SOURCE] += 1
            else:
                key = heap[0, 1]
                heap_drop(calendar)
            calendar.at[NOW] = t
            calendar.at[EVENTS] += 1
            if key < loops and w.loops[key].servers == 1:
                _end_of_round(w, t, key)
            elif key < loops:
                _end_of_one(w, t, key)
            else:
                _token(w, t, (key - loops) >> STEP_BITS, (key - loops) & STEP_MASK)
        return digest != ""

    return whole(carry_on)


def _digest() -> str:
    """Of all files that the loop is made of."""
    files = (__file__, calendar_queue.__file__, floor.__file__, itinerary.__file__, plan.__file__)
    return sha256(b"\x00".join(Path(file).read_bytes() for file in files)).hexdigest()


carry_on: Final = _made_of(_digest())
