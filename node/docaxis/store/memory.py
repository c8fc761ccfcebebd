"""A store in memory: the model that every other engine is compared with, and the store of simulated nodes.

No I/O, no clock, no waiting: `MemoryTables` is plain and synchronous, and `MemoryStore` only wears the async face of
`docaxis.store.base.Store` over it. Nothing here survives the process.
"""

import copy
import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from docaxis.core.effects import (
    AppendChange,
    Dequeue,
    DropContent,
    Enqueue,
    LogRefusal,
    Op,
    Postpone,
    PutContent,
    PutHead,
    PutObject,
    PutPeer,
    PutRecord,
    PutRequest,
    Resend,
)
from docaxis.core.errors import OurFault
from docaxis.core.ids import HASH_BYTES, DocId, PartyId
from docaxis.core.lifecycle import State
from docaxis.core.record import Loaded, Record
from docaxis.core.signed import Signed, SignedHead
from docaxis.core.statement import Position
from docaxis.core.wire import ENVELOPE, Item
from docaxis.store.base import (
    REFUSALS_KEPT_MAX,
    Change,
    Found,
    Kept,
    Life,
    Line,
    RecordKey,
    Totals,
    Wanted,
)
from docaxis.store.inline import chunks_to_send


class Snapshot(NamedTuple):
    """A copy of all tables as of `taken_ms`; see `MemoryTables.restore`."""

    taken_ms: int
    tables: dict[str, Any]


class _Waiting(NamedTuple):
    object: bytes
    not_before_ms: int
    fails: int


class MemoryTables:
    """All tables of one node. They outlive the simulated process that uses them, as a disk would."""

    def __init__(self) -> None:
        self._epoch = 0
        self._since_ms = 0
        self._restored_ms: int | None = None
        self._heads: dict[bytes, SignedHead] = {}
        self._objects: dict[bytes, PutObject] = {}
        self._about: dict[DocId, list[bytes]] = {}
        self._positions: dict[Position, bytes] = {}
        self._numbers: dict[DocId, int] = {}
        self._records: dict[RecordKey, Record] = {}
        self._recipients: dict[DocId, list[PartyId]] = {}
        self._due: dict[RecordKey, int] = {}
        self._claims: dict[DocId, dict[bytes, bytes | None]] = {}
        self._claimants: dict[bytes, dict[DocId, None]] = {}
        self._lanes: dict[tuple[PartyId, int], dict[bytes, _Waiting]] = {}
        self._lane_of: dict[tuple[PartyId, bytes], int] = {}
        self._peers: dict[PartyId, PutPeer] = {}
        self._requests: dict[str, PutRequest] = {}
        self._changes: list[AppendChange] = []
        self._refusals: deque[LogRefusal] = deque(maxlen=REFUSALS_KEPT_MAX)

    # --- a life, and disasters --------------------------------------------------------------------------------------

    def life(self, now_ms: int) -> Life:
        """What a node finds when it starts: the same epoch as before, or a new one after `restore`."""
        if self._restored_ms is not None:
            self._since_ms, self._restored_ms = self._restored_ms, None
            self._epoch = max(now_ms, self._epoch + 1)
        elif not self._epoch:
            self._epoch = max(1, now_ms)
        peers = tuple(self._peers[peer] for peer in sorted(self._peers))
        return Life(self._epoch, self._since_ms, peers, tuple(sorted(key for key, lane in self._lanes.items() if lane)))

    def snapshot(self, now_ms: int) -> Snapshot:
        """An independent copy of everything, as a backup at `now_ms` would hold it."""
        return Snapshot(now_ms, copy.deepcopy(vars(self)))

    def restore(self, snapshot: Snapshot) -> None:
        """Forgets everything since the snapshot; the next `life` starts a new epoch with `since_ms` set."""
        vars(self).update(copy.deepcopy(snapshot.tables))
        self._restored_ms = snapshot.taken_ms

    # --- writing ----------------------------------------------------------------------------------------------------

    def apply(self, ops: Sequence[Op]) -> None:
        """Keeps all of `ops`, or none; raises `OurFault` ``node.store`` if one names a head or an object that is
        neither kept nor among them."""
        self._check(ops)
        for op in sorted(ops, key=lambda op: type(op) not in (PutHead, PutObject)):
            _KEEP[type(op)](self, op)

    def _check(self, ops: Sequence[Op]) -> None:
        heads = {op.head for op in ops if type(op) is PutHead}
        objects = {op.id for op in ops if type(op) is PutObject}
        for op in ops:
            if type(op) is PutObject and op.head not in heads and op.head not in self._heads:
                raise OurFault("node.store", f"object {op.id.hex()} names a head that is not kept")
            named = _named(op)
            if named is not None and named not in objects and named not in self._objects:
                raise OurFault("node.store", f"{type(op).__name__} names the object {named.hex()}, which is not kept")

    def _put_head(self, op: PutHead) -> None:
        self._heads.setdefault(op.head, SignedHead(op.raw, op.signature))

    def _put_object(self, op: PutObject) -> None:
        if op.id not in self._objects:
            self._objects[op.id] = op
            self._about.setdefault(op.doc, []).append(op.id)
            if op.kind == ENVELOPE:
                self._numbers[op.doc] = len(self._numbers)
            else:
                self._positions.setdefault(Position(op.doc, op.recipient, op.by, op.epoch, op.seq), op.id)

    def _put_record(self, op: PutRecord) -> None:
        record, key = op.record, op.record.key
        before = self._records.get(key)
        if before is None:
            self._recipients.setdefault(record.doc, []).append(record.recipient)
        else:
            assert _fixed(before) == _fixed(record), f"the envelope fixed these fields for ever: {before} {record}"
        self._records[key] = record
        if record.due_ms > 0:
            self._due[key] = record.due_ms
        else:
            self._due.pop(key, None)

    def _put_content(self, op: PutContent) -> None:
        self._claims.setdefault(op.doc, {}).setdefault(op.digest, op.inline)
        self._claimants.setdefault(op.digest, {})[op.doc] = None

    def _drop_content(self, op: DropContent) -> None:
        for digest in self._claims.pop(op.doc, {}):
            claimants = self._claimants[digest]
            del claimants[op.doc]
            if not claimants:
                del self._claimants[digest]

    def _enqueue(self, op: Enqueue) -> None:
        if (op.peer, op.object) not in self._lane_of:
            self._lane_of[op.peer, op.object] = op.lane
            self._lanes.setdefault((op.peer, op.lane), {})[op.object] = _Waiting(op.object, 0, 0)

    def _dequeue(self, op: Dequeue) -> None:
        lane = self._lane_of.pop((op.peer, op.object), None)
        if lane is not None:
            del self._lanes[op.peer, lane][op.object]

    def _postpone(self, op: Postpone) -> None:
        lane = self._lane_of.get((op.peer, op.object))
        if lane is not None:
            self._lanes[op.peer, lane][op.object] = _Waiting(op.object, op.not_before_ms, op.fails)

    def _put_peer(self, op: PutPeer) -> None:
        self._peers[op.peer] = op

    def _put_request(self, op: PutRequest) -> None:
        self._requests.setdefault(op.key, op)

    def _append_change(self, op: AppendChange) -> None:
        self._changes.append(op)

    def _log_refusal(self, op: LogRefusal) -> None:
        self._refusals.append(op)

    def _resend(self, op: Resend) -> None:
        kept = [each for each in self._objects.values() if each.kept_ms >= op.since_ms and self._shared(each, op.peer)]
        for each in sorted(kept, key=lambda each: each.kind != ENVELOPE):
            self._enqueue(Enqueue(op.peer, op.lane, each.id))

    def _shared(self, each: PutObject, peer: PartyId) -> bool:
        """Whether the object belongs to a transmission between this node and `peer`."""
        recipients = self._recipients.get(each.doc, ()) if each.kind == ENVELOPE else (PartyId(each.recipient),)
        records = (self._records.get((each.doc, recipient)) for recipient in recipients)
        return any(
            record is not None and peer == (record.recipient if record.outgoing else record.sender)
            for record in records
        )

    # --- reading for the machine ------------------------------------------------------------------------------------

    def find(self, wanted: Wanted) -> Found:
        """See `Store.find`."""
        documents = {doc: self._loaded_of(doc) for doc in wanted.documents if doc in self._recipients}
        return Found(
            records={key: self._loaded(self._records[key]) for key in wanted.records if key in self._records},
            requests={key: self._requests[key] for key in wanted.requests if key in self._requests},
            objects=frozenset(each for each in wanted.objects if each in self._objects),
            documents=documents,
            positions={each: self._positions[each] for each in wanted.positions if each in self._positions},
        )

    def queue(self, peer: PartyId, lane: int, now_ms: int, limit: int) -> tuple[tuple[Item, int], ...]:
        """See `Store.queue`."""
        ready = (entry for entry in self._lanes.get((peer, lane), {}).values() if entry.not_before_ms <= now_ms)
        return tuple((self._item(entry.object), entry.fails) for entry, _ in zip(ready, range(limit), strict=False))

    def lines(self) -> tuple[Line, ...]:
        """See `Store.lines`."""
        return tuple(
            Line(peer, number, len(entries), self._objects[next(iter(entries))].kept_ms)
            for (peer, number), entries in sorted(self._lanes.items())
            if entries
        )

    def due(self, before_ms: int, limit: int) -> tuple[Loaded, ...]:
        """See `Store.due`."""
        ready = [self._records[key] for key, due_ms in self._due.items() if due_ms <= before_ms]
        return tuple(self._loaded(record) for record in heapq.nsmallest(limit, ready, key=self._due_order))

    def _due_order(self, record: Record) -> tuple[int, int, str]:
        return record.due_ms, self._numbers[record.doc], record.recipient

    def _loaded_of(self, doc: DocId) -> tuple[Loaded, ...]:
        return tuple(self._loaded(record) for record in self._records_of(doc))

    def _records_of(self, doc: DocId) -> tuple[Record, ...]:
        return tuple(self._records[doc, recipient] for recipient in sorted(self._recipients.get(doc, ())))

    def _loaded(self, record: Record) -> Loaded:
        known = record.receipt is not None and record.receipt in self._objects
        receipt = self._signed(record.receipt) if known and record.receipt is not None else None
        return Loaded(record, self._objects[record.doc].body, receipt)

    def _signed(self, object_id: bytes) -> Signed:
        kept = self._objects[object_id]
        hashes = range(0, len(kept.path), HASH_BYTES)
        path = tuple(kept.path[start : start + HASH_BYTES] for start in hashes)
        return Signed(kept.body, self._heads[kept.head], kept.place, path)

    def _item(self, object_id: bytes) -> Item:
        kept = self._objects[object_id]
        claims = self._claims.get(kept.doc, {}) if kept.kind == ENVELOPE else {}
        return Item(kept.kind, object_id, self._signed(object_id), chunks_to_send(kept.body, claims))

    # --- reading for people -----------------------------------------------------------------------------------------

    def documents(
        self, outgoing: bool, before: tuple[int, bytes, str] | None, limit: int, state: State | None
    ) -> list[tuple[Record, bytes]]:
        """See `Store.documents`."""
        page = heapq.nlargest(
            limit,
            (
                record
                for record in self._records.values()
                if record.outgoing == outgoing
                and (state is None or record.standing.state == state)
                and (before is None or _page_order(record) < before)
            ),
            key=_page_order,
        )
        return [(record, self._objects[record.doc].body) for record in page]

    def document(self, doc: DocId) -> tuple[tuple[Record, ...], tuple[Kept, ...]]:
        """See `Store.document`."""
        objects = sorted(
            (self._objects[each] for each in self._about.get(doc, ())), key=lambda each: each.kind != ENVELOPE
        )
        kept = tuple(Kept(each.kind, each.recipient, each.by, self._signed(each.id), each.kept_ms) for each in objects)
        return self._records_of(doc), kept

    def starting(self, prefix: bytes, limit: int) -> list[DocId]:
        """See `Store.starting`."""
        return heapq.nsmallest(limit, (doc for doc in self._numbers if doc.startswith(prefix)))

    def changes(self, after: int, limit: int) -> list[Change]:
        """See `Store.changes`."""
        after = max(0, after)
        lines = self._changes[after : after + limit]
        return [Change(cursor, change) for cursor, change in enumerate(lines, after + 1)]

    def last_change(self) -> int:
        """See `Store.last_change`."""
        return len(self._changes)

    def content(self, digest: bytes) -> bytes | None:
        """See `Store.content`."""
        copies = (self._claims[doc][digest] for doc in self._claimants.get(digest, {}))
        return next((chunk for chunk in copies if chunk is not None), None)

    def claimed(self, digests: Iterable[bytes]) -> frozenset[bytes]:
        """See `Store.claimed`."""
        return frozenset(digest for digest in digests if digest in self._claimants)

    def refusals(self, limit: int) -> list[LogRefusal]:
        """See `Store.refusals`."""
        return list(reversed(self._refusals))[:limit]

    def totals(self) -> Totals:
        """See `Store.totals`."""
        counts: dict[bool, dict[State, int]] = {True: {}, False: {}}
        for record in self._records.values():
            states = counts[record.outgoing]
            states[record.standing.state] = states.get(record.standing.state, 0) + 1
        envelopes = sum(each.kind == ENVELOPE for each in self._objects.values())
        return Totals(
            outgoing=counts[True],
            incoming=counts[False],
            envelopes=envelopes,
            statements=len(self._objects) - envelopes,
            queued=len(self._lane_of),
            refusals=len(self._refusals),
        )


def _named(op: Op) -> bytes | None:
    """The object without which the op makes no sense."""
    match op:
        case PutObject(kind=kind, doc=doc):
            return None if kind == ENVELOPE else doc
        case PutRecord(record=record):
            return record.doc
        case PutContent(doc=doc):
            return doc
        case Enqueue(object=object_id):
            return object_id
        case _:
            return None


def _fixed(record: Record) -> tuple[bool, int, PartyId, int, int]:
    """What the envelope says for ever; no later record of the same key may say otherwise."""
    return record.outgoing, record.created_ms, record.sender, record.priority, record.expires_ms


def _page_order(record: Record) -> tuple[int, bytes, str]:
    return record.created_ms, record.doc, record.recipient


_KEEP: Final[dict[type, Callable[[MemoryTables, Any], None]]] = {
    PutHead: MemoryTables._put_head,
    PutObject: MemoryTables._put_object,
    PutRecord: MemoryTables._put_record,
    PutContent: MemoryTables._put_content,
    DropContent: MemoryTables._drop_content,
    Enqueue: MemoryTables._enqueue,
    Dequeue: MemoryTables._dequeue,
    Postpone: MemoryTables._postpone,
    PutPeer: MemoryTables._put_peer,
    PutRequest: MemoryTables._put_request,
    AppendChange: MemoryTables._append_change,
    LogRefusal: MemoryTables._log_refusal,
    Resend: MemoryTables._resend,
}


class MemoryStore:
    """The async face of `MemoryTables`; `backups` holds what `backup` wrote, by target."""

    def __init__(self, tables: MemoryTables | None = None) -> None:
        self.tables = tables or MemoryTables()
        self.backups: dict[str, Snapshot] = {}

    async def open(self, now_ms: int) -> Life:
        """See `Store.open`."""
        return self.tables.life(now_ms)

    async def life(self) -> Life:
        """See `Store.life`."""
        return self.tables.life(0)

    async def close(self) -> None:
        """Nothing to finish."""

    async def commit(self, ops: Sequence[Op]) -> None:
        """See `Store.commit`."""
        self.tables.apply(ops)

    async def find(self, wanted: Wanted) -> Found:
        """See `Store.find`."""
        return self.tables.find(wanted)

    async def queue(self, peer: PartyId, lane: int, now_ms: int, limit: int) -> tuple[tuple[Item, int], ...]:
        """See `Store.queue`."""
        return self.tables.queue(peer, lane, now_ms, limit)

    async def lines(self) -> tuple[Line, ...]:
        """See `Store.lines`."""
        return self.tables.lines()

    async def due(self, before_ms: int, limit: int) -> tuple[Loaded, ...]:
        """See `Store.due`."""
        return self.tables.due(before_ms, limit)

    async def documents(
        self, outgoing: bool, before: tuple[int, bytes, str] | None, limit: int, state: State | None
    ) -> list[tuple[Record, bytes]]:
        """See `Store.documents`."""
        return self.tables.documents(outgoing, before, limit, state)

    async def document(self, doc: DocId) -> tuple[tuple[Record, ...], tuple[Kept, ...]]:
        """See `Store.document`."""
        return self.tables.document(doc)

    async def starting(self, prefix: bytes, limit: int) -> list[DocId]:
        """See `Store.starting`."""
        return self.tables.starting(prefix, limit)

    async def changes(self, after: int, limit: int) -> list[Change]:
        """See `Store.changes`."""
        return self.tables.changes(after, limit)

    async def last_change(self) -> int:
        """See `Store.last_change`."""
        return self.tables.last_change()

    async def content(self, digest: bytes) -> bytes | None:
        """See `Store.content`."""
        return self.tables.content(digest)

    async def claimed(self, digests: Sequence[bytes]) -> frozenset[bytes]:
        """See `Store.claimed`."""
        return self.tables.claimed(digests)

    async def refusals(self, limit: int) -> list[LogRefusal]:
        """See `Store.refusals`."""
        return self.tables.refusals(limit)

    async def totals(self) -> Totals:
        """See `Store.totals`."""
        return self.tables.totals()

    async def backup(self, target: str, now_ms: int) -> None:
        """Keeps a snapshot under `target`; raises `OurFault` ``node.exists`` when there is one already."""
        if target in self.backups:
            raise OurFault("node.exists", f"there is a backup at {target}")
        self.backups[target] = self.tables.snapshot(now_ms)
