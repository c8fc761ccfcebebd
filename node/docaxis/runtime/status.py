"""Status: how a node is, in plain values for people and programs.

Measuring and naming only. Times are ``*_ms`` since 1970 UTC, durations are ``*_ms`` too, sizes are ``*_bytes``.
"""

import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from docaxis.core.addresses import Book
from docaxis.core.ids import KeyId
from docaxis.core.lifecycle import State
from docaxis.core.schedule import LANE_NAMES
from docaxis.core.trust import freshness
from docaxis.runtime.listed import Listing
from docaxis.store.base import Line, Totals

_STATM = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Memory of this process that is resident now; where the system does not tell, the most it ever was."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")


def directory_status(book: Book, now_ms: int, refreshed_ms: int, failure: str) -> dict[str, object]:
    """The directory in use, how fresh it is, and what the last refresh failed with."""
    return {
        "version": book.version,
        "verified_ms": book.verified_ms,
        "age_ms": max(0, now_ms - book.verified_ms),
        "freshness": freshness(book.verified_ms, now_ms).name.lower(),
        "refreshed_ms": refreshed_ms,
        "failure": failure,
        "revoked_keys": len(book.revoked),
    }


def identity_status(key: KeyId, found: Listing) -> dict[str, object]:
    """Whether the directory lists what this node signs with and shows; if not, what peers refuse it with, and why."""
    return {
        "key": key,
        "listed": not found.code,
        "code": found.code,
        "detail": found.detail,
        "ends_ms": found.ends_ms,
    }


def peers_status(
    delivery: Sequence[Mapping[str, object]], lines: Sequence[Line], now_ms: int
) -> list[dict[str, object]]:
    """How delivery to each peer stands, with what waits for it on disk: by lane, and since when the first of it."""
    waiting: dict[object, list[Line]] = {}
    for line in lines:
        waiting.setdefault(line.peer, []).append(line)
    known = {peer["peer"]: peer for peer in delivery}
    return [
        {"peer": peer, **known.get(peer, {}), **_waiting(waiting.get(peer, []), now_ms)}
        for peer in dict.fromkeys([*known, *waiting])
    ]


def _waiting(lines: Sequence[Line], now_ms: int) -> dict[str, object]:
    return {
        "queued": sum(line.entries for line in lines),
        "lanes": {LANE_NAMES[line.lane]: line.entries for line in lines},
        "oldest_age_ms": max((max(0, now_ms - line.first_kept_ms) for line in lines), default=0),
    }


def totals_status(totals: Totals) -> dict[str, object]:
    """Counted rows, states by name."""
    return {
        "outgoing": _by_name(totals.outgoing),
        "incoming": _by_name(totals.incoming),
        "envelopes": totals.envelopes,
        "statements": totals.statements,
        "queued": totals.queued,
        "refusals": totals.refusals,
    }


def _by_name(counts: Mapping[State, int]) -> dict[str, int]:
    return {state.name.lower(): counts[state] for state in sorted(counts)}
