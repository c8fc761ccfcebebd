"""The store's promises, as a protocol that every engine keeps and one suite of tests checks.

Promises only; no engine lives here. An engine decides nothing about documents: it keeps rows and reads them.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from docaxis.core.effects import AppendChange, LogRefusal, Op, PutPeer
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import State
from docaxis.core.record import Loaded, Record
from docaxis.core.signed import Signed
from docaxis.core.wanted import Found, RecordKey, Wanted
from docaxis.core.wire import Item

__all__ = ["REFUSALS_KEPT_MAX", "Change", "Found", "Kept", "Life", "Line", "RecordKey", "Store", "Totals", "Wanted"]

REFUSALS_KEPT_MAX: Final = 10_000
"""Rows that `LogRefusal` may leave behind; the oldest go first."""


class Life(NamedTuple):
    """What the store knows when a node starts (see `events.Started`)."""

    epoch: int
    since_ms: int
    peers: tuple[PutPeer, ...]
    waiting: tuple[tuple[PartyId, int], ...]


class Kept(NamedTuple):
    """One kept object, in the order of keeping: `kind` is ``envelope`` or ``statement``."""

    kind: str
    recipient: str
    by: PartyId
    signed: Signed
    kept_ms: int


class Change(NamedTuple):
    """One line of the feed with its cursor."""

    cursor: int
    change: AppendChange


class Line(NamedTuple):
    """What waits for one peer in one lane: how many entries, and when the object that is first in it was kept here."""

    peer: PartyId
    lane: int
    entries: int
    first_kept_ms: int


class Totals(NamedTuple):
    """Counted rows: records by direction and state (states without records are absent), kept objects by kind, entries
    in all queues, and refusals remembered."""

    outgoing: dict[State, int]
    incoming: dict[State, int]
    envelopes: int
    statements: int
    queued: int
    refusals: int


class Store(Protocol):
    """Everything durable of one node.

    Atomic: `commit` keeps all its ops or none. Durable: when `commit` returns, they survive a power cut. Idempotent:
    heads, objects, claims on content, queue entries and requests that exist stay as they are. Whole: the head of an
    object, the envelope of a statement, a record or a claim, and the object of a queue entry are kept before or with
    it, in any order within one commit; else the commit fails with ``node.store``. A record's `sender`,
    `outgoing`, `priority`, `created_ms` and `expires_ms` never change. One writer: commits become visible in the order
    in which they were called. All methods but `close` may be called from the event loop only.
    """

    async def open(self, now_ms: int) -> Life:
        """Opens or makes the store; raises `OurFault` ``store.too-new``, ``node.disk-full`` or ``node.store``.

        The first opening sets the epoch, later ones keep it; opening a restored backup starts a new one, with
        `since_ms` the time of that backup (kept until the next restore: a peer may be away for long)."""
        ...

    async def life(self) -> Life:
        """What a node would find if it started now; for a machine that is built anew while the store stays open."""
        ...

    async def close(self) -> None:
        """Finishes what was begun and releases every file."""
        ...

    async def commit(self, ops: Sequence[Op]) -> None:
        """Keeps `ops` in one durable transaction; raises `OurFault` ``node.disk-full`` or ``node.store``, then nothing
        of them is kept. One that fails does not stop those called after it: what builds on a commit waits for it."""
        ...

    async def find(self, wanted: Wanted) -> Found:
        """Reads what exists, as of all commits that have returned, in a few queries however much is wanted."""
        ...

    async def queue(self, peer: PartyId, lane: int, now_ms: int, limit: int) -> tuple[tuple[Item, int], ...]:
        """Queued items that may go by `now_ms`, oldest first, each with its own failures; inline chunks included
        (those kept inline, when all of the document's chunks are)."""
        ...

    async def lines(self) -> tuple[Line, ...]:
        """Every queue that is not empty, by peer and lane: for people, in one query however many entries wait."""
        ...

    async def due(self, before_ms: int, limit: int) -> tuple[Loaded, ...]:
        """Records with ``0 < due_ms <= before_ms``, earliest first, then as kept, then by recipient."""
        ...

    async def documents(
        self, outgoing: bool, before: tuple[int, bytes, str] | None, limit: int, state: State | None
    ) -> list[tuple[Record, bytes]]:
        """A page of records with their envelope's bytes, newest first by (created_ms, doc, recipient), below
        `before`."""
        ...

    async def document(self, doc: DocId) -> tuple[tuple[Record, ...], tuple[Kept, ...]]:
        """All records and all kept objects of a document (its envelope first, then as kept); both empty when it is
        unknown."""
        ...

    async def starting(self, prefix: bytes, limit: int) -> list[DocId]:
        """Ids of the documents that begin with these bytes, in order, at most `limit`."""
        ...

    async def changes(self, after: int, limit: int) -> list[Change]:
        """Lines of the feed with a cursor above `after`, oldest first."""
        ...

    async def last_change(self) -> int:
        """Cursor of the newest line of the feed; 0 while it is empty."""
        ...

    async def content(self, digest: bytes) -> bytes | None:
        """A chunk that is kept inline, or None (it may be a file: see `docaxis.store.blobs`)."""
        ...

    async def claimed(self, digests: Sequence[bytes]) -> frozenset[bytes]:
        """Which of these chunks some document still names."""
        ...

    async def refusals(self, limit: int) -> list[LogRefusal]:
        """What was refused from outside, newest first."""
        ...

    async def totals(self) -> Totals:
        """Counts for people and tests, from the rows themselves."""
        ...

    async def backup(self, target: str, now_ms: int) -> None:
        """Writes a consistent copy while the store is in use; the copy knows that it is one, and of when: opening it
        starts a new epoch with `since_ms` set. Raises `OurFault`."""
        ...
