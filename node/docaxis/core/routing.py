"""Routing: whose endpoint is called to reach a party, decided from the directory alone.

Pure look-ups, the same for every tier: an endpoint of its own, else a hub that keeps its mailbox, else the nearest
ancestor that has an endpoint. Nothing here sends, retries or remembers; whether the directory may still be acted on is
`docaxis.core.trust`'s to say. Specification: ``node/docs/spec/directory.md`` §7.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from docaxis.core.addresses import Book, Entry, Status
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId

ANCESTORS_MAX: Final = 8


class How(StrEnum):
    """Why a hop leads where it leads."""

    LOCAL = "local"
    DIRECT = "direct"
    VIA = "via"
    ANCESTOR = "ancestor"


class Hop(NamedTuple):
    """One step towards a recipient. `party` is whose `endpoints` are called (me, where `how` is LOCAL); `recipient` is
    who answers for the code that was addressed: the code itself, or its successor where the code is closed."""

    party: PartyId
    endpoints: tuple[str, ...]
    how: How
    recipient: PartyId


def next_hop(book: Book, me: PartyId, dst: PartyId) -> Hop:
    """Where a document for `dst` goes next from `me`.

    No hop ever leads to one that leads on: a hub named in `via`, and an ancestor, keep what they are handed (LOCAL), so
    a path has at most one hub under one directory version. Raises `TheirFault` ``party.unknown``, ``party.closed``,
    ``id.malformed`` or ``party.no-route``.
    """
    recipient = book.resolve(dst)
    entry = book.entry(recipient)
    assert entry is not None, "resolve returns only ids that have an entry"
    if recipient == me or me in entry.via:
        return _local(book, me, recipient)
    if entry.endpoints:
        return Hop(recipient, entry.endpoints, How.DIRECT, recipient)
    for hub in entry.via:
        found = _callable(book, hub)
        if found is not None:
            return Hop(hub, found.endpoints, How.VIA, recipient)
    for above in ancestors(book, entry):
        if above.id == me:
            return _local(book, me, recipient)
        if above.endpoints and above.status is Status.OPEN:
            return Hop(above.id, above.endpoints, How.ANCESTOR, recipient)
    raise TheirFault("party.no-route", f"{recipient} has no endpoint, and no hub or ancestor of it has one")


def ancestors(book: Book, entry: Entry) -> Iterator[Entry]:
    """The entries above `entry`, nearest first; ends at the top, at a gap, at a circle, or after `ANCESTORS_MAX`."""
    seen = {entry.id}
    for _ in range(ANCESTORS_MAX):
        above = book.entry(entry.parent) if entry.parent is not None else None
        if above is None or above.id in seen:
            return
        seen.add(above.id)
        yield above
        entry = above


def _local(book: Book, me: PartyId, recipient: PartyId) -> Hop:
    mine = book.entry(me)
    return Hop(me, mine.endpoints if mine else (), How.LOCAL, recipient)


def _callable(book: Book, party: PartyId) -> Entry | None:
    entry = book.entry(party)
    return entry if entry is not None and entry.endpoints and entry.status is Status.OPEN else None
