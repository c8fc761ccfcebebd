"""Schedule: how long to wait after failures, and which lane an object travels in.

Pure functions of counts, times and names. Jitter is drawn from a hash of who waits for whom and how often, so that
it differs between nodes and is the same in every repetition. Retries never end by count (DESIGN, promise 6).
"""

from hashlib import sha256
from typing import Final

from docaxis.core import limits
from docaxis.core.envelope import Priority

LANE_CONTROL: Final = 0
LANE_EXPRESS: Final = 1
LANE_URGENT: Final = 2
LANE_NORMAL: Final = 3
LANE_BACKGROUND: Final = 4
LANE_NAMES: Final = ("control", "express", "urgent", "normal", "background")
"""For people, by number."""
SHARES: Final = (0, 0, 8, 4, 1)
"""Items of each lane per round of a batch; 0 marks the strict lanes, which are emptied first."""

assert len(SHARES) == limits.LANES

_LANES: Final = {
    Priority.NORMAL: LANE_NORMAL,
    Priority.URGENT: LANE_URGENT,
    Priority.VERY_URGENT: LANE_URGENT,
    Priority.EXPRESS: LANE_EXPRESS,
    Priority.TIMED_EXPRESS: LANE_EXPRESS,
}


def lane_of(priority: int) -> int:
    """The lane of a document of this priority."""
    return _LANES[Priority(priority)]


def jittered_ms(delay_ms: int, *names: object) -> int:
    """Between half and one and a half of `delay_ms`, always the same for the same names."""
    drawn = int.from_bytes(sha256("\x00".join(map(str, names)).encode()).digest()[:4], "big")
    return delay_ms // 2 + delay_ms * drawn // 2**32


def peer_delay_ms(me: str, peer: str, fails: int, outage_ms: int) -> int:
    """How long to leave a peer alone after `fails` consecutive failures over `outage_ms`."""
    cap = limits.RETRY_DELAY_MS_MAX if outage_ms < limits.OUTAGE_LONG_MS else limits.RETRY_DELAY_LONG_OUTAGE_MS_MAX
    return jittered_ms(_doubled(limits.RETRY_DELAY_MS_MIN, fails, cap), me, peer, fails)


def item_delay_ms(fails: int, wait_ms: int) -> int:
    """How long to leave one item alone that its peer would not take; after `ITEM_FAILS_MAX` it is parked."""
    if fails > limits.ITEM_FAILS_MAX:
        return max(wait_ms, limits.PARKED_RETRY_DELAY_MS)
    return max(wait_ms, _doubled(limits.ITEM_RETRY_DELAY_MS, fails, limits.PARKED_RETRY_DELAY_MS))


def content_delay_ms(me: str, doc: bytes, tries: int) -> int:
    """How long to wait before content is asked for again after `tries` failures."""
    cap = limits.CONTENT_RETRY_DELAY_MS_MAX
    return jittered_ms(_doubled(limits.CONTENT_RETRY_DELAY_MS_MIN, tries, cap), me, doc.hex(), tries)


def _doubled(base_ms: int, times: int, cap_ms: int) -> int:
    return min(cap_ms, base_ms << min(max(times - 1, 0), 32))
