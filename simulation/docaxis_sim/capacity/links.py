"""Up links whose share of each delivery depends on who else is there: lanes, and processor sharing.

Stations that answer calls and know no clock and no engine: whoever carries a plan tells a link what comes, asks when
something happens next, and comes back then. Nothing here knows nodes, latencies or what follows.

**lanes.** A delivery waits in the lane of its priority (`docaxis.core.schedule.lane_of`), behind those that came to
that lane before it, and is sent in pieces of at most `CHUNK_BYTES`. A piece that has begun is not interrupted. When one
ends, the next is picked as `docaxis.core.outbox` fills a request: strict lanes first, the lower before the higher; then
the others in turns, each up to its share of pieces, a lane that gets empty giving its turn up; when nothing waits any
more, turns begin anew. The *start* of a delivery is that of its first piece, its *end* that of its last.

**ps.** Egalitarian processor sharing: n deliveries in the link each get 1/n of it from the moment they come, in
whatever lane. *Start* is the arrival, *end* is when the last bit is through, rounded up to a whole nanosecond; others
have its share from the very moment, between whole nanoseconds too. Virtual time (how much each has got) is kept in
units of 2**-20 ns, so a million changes of n delay an end by less than 1 ns.

**The down link** sees the same as under fifo: it is entered latency after *start* and left at ``max(free, end +
latency)``, so that a delivery occupies it for its own bytes, from the first of them, and never leaves before the last
has come; bytes are kept, and what a law does to others' bytes is felt there only through *start* and *end*. Because
*end* is not known at *start* under these laws, an engine keeps the down link's ``free`` until it is.
"""

from collections import deque
from heapq import heappop, heappush
from typing import Final, NamedTuple, Protocol

from docaxis.core.limits import CHUNK_BYTES, LANES
from docaxis.core.schedule import SHARES, lane_of
from docaxis_sim.capacity.plan import NEVER, Int64, Law

_FINE_BITS: Final = 20


class News(NamedTuple):
    """Tokens whose first bytes, and whose last bytes, went out at this instant, in the order in which they did."""

    started: list[int]
    ended: list[int]


class SharedLink(Protocol):
    """One up link. `next_ns`: when something happens there by itself, NEVER if nothing will unless somebody comes."""

    next_ns: int

    def arrive(self, now_ns: int, token: int, size: int, priority: int) -> int:
        """A token comes with so many bytes; says when it starts: now, or NEVER if that is not known yet."""

    def due(self, now_ns: int) -> News:
        """What happened until now; nothing if `now_ns` is before `next_ns`."""


def make(law: Law, ns_per_kib: Int64) -> list[SharedLink]:
    """A link for each rate, all under the same law; raises ValueError for fifo, which needs none of this."""
    if law == Law.LANES:
        return [LanesLink(rate) for rate in ns_per_kib.tolist()]
    if law == Law.PS:
        return [PsLink(rate) for rate in ns_per_kib.tolist()]
    raise ValueError("a fifo link is known on arrival")


class Turns:
    """Which lane is next; the rule of `docaxis.core.outbox`, one pick at a time."""

    __slots__ = ("_lane", "_left")

    def __init__(self) -> None:
        self._lane = self._left = 0

    def pick(self, waiting: list[bool]) -> int:
        """The lane whose turn it is, of those where somebody is `waiting`; at least one must be."""
        for lane, share in enumerate(SHARES):
            if not share and waiting[lane]:
                return lane
        while not (self._left and waiting[self._lane]):
            self._lane = (self._lane + 1) % LANES
            self._left = SHARES[self._lane]
        self._left -= 1
        return self._lane

    def begin_anew(self) -> None:
        """Nobody waits: forget whose turn it was."""
        self._lane = self._left = 0


class _Sending:
    """A delivery in a lane: how many of its bytes have gone."""

    __slots__ = ("gone", "size", "token")

    def __init__(self, token: int, size: int) -> None:
        self.token, self.size, self.gone = token, size, 0


class LanesLink:
    """A link under the law of lanes."""

    __slots__ = ("_lanes", "_now", "_ns_per_kib", "_turns", "next_ns")

    def __init__(self, ns_per_kib: int) -> None:
        self._ns_per_kib = ns_per_kib
        self._lanes: list[deque[_Sending]] = [deque() for _ in range(LANES)]
        self._turns = Turns()
        self._now: deque[_Sending] | None = None
        self.next_ns = NEVER

    def arrive(self, now_ns: int, token: int, size: int, priority: int) -> int:
        """See `SharedLink`."""
        self._lanes[lane_of(priority)].append(_Sending(token, size))
        if self._now is not None:
            return NEVER
        self._send_piece(now_ns)
        return now_ns

    def due(self, now_ns: int) -> News:
        """See `SharedLink`."""
        news = News([], [])
        while self._now is not None and self.next_ns <= now_ns:
            if self._now[0].gone == self._now[0].size:
                news.ended.append(self._now.popleft().token)
            self._now = None
            if not any(self._lanes):
                self._turns.begin_anew()
                self.next_ns = NEVER
            elif first := self._send_piece(self.next_ns):
                news.started.append(first.token)
        return news

    def _send_piece(self, now_ns: int) -> _Sending | None:
        """The next piece goes out; whose it is, if it is a first one."""
        self._now = self._lanes[self._turns.pick([bool(lane) for lane in self._lanes])]
        sending = self._now[0]
        before = sending.gone
        sending.gone = min(sending.size, before + CHUNK_BYTES)
        # Differences of what all bytes up to there take, so that pieces together take what the whole does.
        self.next_ns = now_ns + (sending.gone * self._ns_per_kib >> 10) - (before * self._ns_per_kib >> 10)
        return None if before else sending


class PsLink:
    """A link under processor sharing."""

    __slots__ = ("_ended", "_got", "_heap", "_now_ns", "_ns_per_kib", "next_ns")

    def __init__(self, ns_per_kib: int) -> None:
        self._ns_per_kib = ns_per_kib
        self._got = self._now_ns = 0
        self._heap: list[tuple[int, int]] = []
        self._ended: list[int] = []
        self.next_ns = NEVER

    def arrive(self, now_ns: int, token: int, size: int, priority: int) -> int:
        """See `SharedLink`; `priority` makes no difference."""
        self._share(now_ns)
        heappush(self._heap, (self._got + ((size * self._ns_per_kib >> 10) << _FINE_BITS), token))
        self._look_ahead()
        return now_ns

    def due(self, now_ns: int) -> News:
        """See `SharedLink`."""
        if self.next_ns == NEVER or now_ns < self.next_ns:
            return News([], [])
        self._share(now_ns)
        ended, self._ended = self._ended, []
        self._look_ahead()
        return News([], ended)

    def _share(self, now_ns: int) -> None:
        """Everybody gets an equal part of the time since the last call, until they have all that they came for; an
        empty link starts from nothing."""
        left = now_ns - self._now_ns << _FINE_BITS
        while self._heap and (needed := (self._heap[0][0] - self._got) * len(self._heap)) <= left:
            left -= needed
            self._got, token = heappop(self._heap)
            self._ended.append(token)
        self._got = self._got + left // len(self._heap) if self._heap else 0
        self._now_ns = now_ns

    def _look_ahead(self) -> None:
        if self._ended:
            self.next_ns = self._now_ns
            return
        if not self._heap:
            self.next_ns = NEVER
            return
        lacking = (self._heap[0][0] - self._got) * len(self._heap)
        self.next_ns = self._now_ns + max(0, -(-lacking >> _FINE_BITS))
