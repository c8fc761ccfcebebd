"""What one node keeps for another, as plainly as it can be said: what the core's outbox is compared with, in `senders`.

One list, what memory holds of it, and what is on its way. Shared with the core are the bounds in
`docaxis.core.limits`, the shares of lanes and the table of delays.
"""

from typing import Final, NamedTuple

from docaxis.core import limits
from docaxis.core.schedule import SHARES, peer_delay_ms

FEW: Final = 4
"""So many items a peer gets that did not answer several times."""
PART_MIN: Final = 64


class Item(NamedTuple):
    """What waits: its token, the core's lane for it, and its bytes in a request."""

    token: int
    lane: int
    size: int


class Request:
    """Some items on their way; `out`: those of which it is not known yet what becomes of them."""

    def __init__(self, pair: "Pair", items: list[Item]) -> None:
        self.pair, self.items = pair, items
        self.out = {item.token for item in items}
        self.durable: list[int] = []
        self.lost: list[int] = []
        self.over_ns = 0


class Pair:
    """What one node keeps for another: `kept`, all of it, the oldest first; `next`, by lane, what memory holds of it
    that is not on its way; `more`, by lane, whether something was left in the store since it was read last."""

    def __init__(self, here: int, there: int) -> None:
        self.here, self.there = here, there
        self.kept: dict[int, Item] = {}
        self.next: list[list[Item]] = [[] for _ in SHARES]
        self.more = [False] * len(SHARES)
        self.out: list[Request] = []
        self.fails = self.since_ms = self.next_ms = self.tried_ms = 0
        self.window, self.batch = 2.0, limits.BATCH_ITEMS_MAX

    @property
    def room(self) -> int:
        """How many items of a lane memory holds: of a peer that is down, no more than the next try takes."""
        return FEW if self.fails >= limits.BREAKER_FAILS else limits.LANE_MEMORY_ITEMS_MAX

    def held(self) -> set[int]:
        """What is in memory or on its way."""
        away = [item for request in self.out for item in request.items]
        return {item.token for items in (*self.next, away) for item in items if item.token in self.kept}

    def add(self, item: Item) -> None:
        """Something new is kept."""
        self.kept[item.token] = item
        if self.more[item.lane] or len(self.next[item.lane]) >= self.room:
            self.more[item.lane] = True
        else:
            self.next[item.lane].append(item)

    def remove(self, token: int) -> None:
        """It need not go any more."""
        self.kept.pop(token, None)
        self.next = [[item for item in items if item.token != token] for items in self.next]

    def to_read(self, lanes: dict[int, int]) -> None:
        """Adds the lanes to be read from the store, and how many items of each."""
        for lane, more in enumerate(self.more):
            if more and lane not in lanes and len(self.next[lane]) < self.room // 4:
                self.more[lane], lanes[lane] = False, self.room + len(self.held())

    def read(self, lane: int, most: int) -> None:
        """The oldest of a lane come from the store, as long as memory has room."""
        found = [item for item in self.kept.values() if item.lane == lane][:most]
        new = [item for item in found if item.token not in self.held()]
        fits = max(0, self.room - len(self.next[lane]))
        self.next[lane] += new[:fits]
        self.more[lane] = self.more[lane] or len(found) == most or len(new) > fits

    def request(self, now_ms: int) -> Request | None:
        """The next request, if one may go now."""
        free = int(self.window) - len(self.out)
        waits = sum(map(len, self.next))
        if not waits or free <= 0 or self.next_ms > now_ms:
            return None
        room, bytes_, items = min(self.batch, max(PART_MIN, -(-waits // free))), 0, list[Item]()
        for item in self._in_turn()[:room]:
            bytes_ += item.size
            if items and bytes_ > limits.BATCH_BYTES_FILL:
                break
            items.append(item)
        self.next = [[item for item in lane if item not in items] for lane in self.next]
        self.tried_ms = now_ms
        request = Request(self, items)
        self.out.append(request)
        return request

    def _in_turn(self) -> list[Item]:
        """All that memory holds: strict lanes first, then so many of each lane again and again."""
        turn = [item for lane, share in zip(self.next, SHARES, strict=True) if not share for item in lane]
        left = [list(lane) if share else [] for lane, share in zip(self.next, SHARES, strict=True)]
        while any(left):
            for lane, share in enumerate(SHARES):
                turn += left[lane][:share]
                left[lane] = left[lane][share:]
        return turn

    def succeeded(self) -> None:
        """All of a request is taken in: failures are forgotten, and more goes at once."""
        self.fails = self.since_ms = self.next_ms = 0
        self.window = min(limits.WINDOW_MAX, self.window + 1 / self.window)
        self.batch = min(limits.BATCH_ITEMS_MAX, 4 * self.batch)

    def failed(self, request: Request, names: tuple[str, ...], now_ms: int) -> None:
        """What is still to go of a request waits before everything else, and the peer is left alone for a while."""
        self.fails += 1
        self.since_ms = self.since_ms or now_ms
        delay_ms = peer_delay_ms(names[self.here], names[self.there], self.fails, now_ms - self.since_ms)
        self.next_ms = now_ms + delay_ms
        self.window = 1.0
        if self.fails >= limits.BREAKER_FAILS:
            self.batch = min(self.batch, FEW)
        for lane in range(len(SHARES)):
            back = [item for item in request.items if item.lane == lane and item.token in self.kept]
            together = back + self.next[lane]
            self.next[lane] = together[: self.room]
            self.more[lane] = self.more[lane] or len(together) > self.room
