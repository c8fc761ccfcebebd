"""Writing ops into SQLite: one table of statements, and the few places where the order of ops matters.

Runs inside a transaction that somebody else begins and ends; reads nothing but what an op itself asks for.

Ops of one kind go to the engine together, many rows in one statement. That is not only fewer steps for SQLite: the
`sqlite3` module gives up the interpreter's lock around every step and must win it back from a busy event loop each
time, so the number of steps, not of rows, is what a loaded node pays for.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, TypeVar

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
from docaxis.core.record import Record
from docaxis.core.wire import ENVELOPE
from docaxis.store.base import REFUSALS_KEPT_MAX

T = TypeVar("T")

ROWS_PER_STATEMENT: Final = (64, 16, 4, 1)
"""Statements are prepared for these numbers of rows, largest first."""

RECORD_COLUMNS: Final = (
    "doc, recipient, sender, outgoing, priority, created_ms, expires_ms, progress, recalls, declined, agreed, "
    "mine_epoch, mine_seq, mine_last, theirs_epoch, theirs_seq, theirs_last, waits, due_ms, tries, superseded_by, "
    "receipt, updated_ms"
)
_RECORD_CHANGING: Final = RECORD_COLUMNS.split(", ")[7:]


_OBJECT: Final = "(SELECT seq FROM objects WHERE id = ?)"
_LOOKED_UP: Final = {
    ("objects", "head"): "(SELECT seq FROM heads WHERE head = ?)",
    ("objects", "envelope"): _OBJECT,
    ("records", "envelope"): _OBJECT,
    ("content", "envelope"): _OBJECT,
    ("queue", "object"): _OBJECT,
}
"""Columns that are given as 32 bytes and kept as the `seq` of what they name."""


def _insert(table: str, columns: str, conflict: str = "ON CONFLICT DO NOTHING") -> dict[int, str]:
    row = ", ".join(_LOOKED_UP.get((table, name), "?") for name in columns.split(", "))
    head = f"INSERT INTO {table} ({columns}) VALUES"
    return {rows: f"{head} {', '.join([f'({row})'] * rows)} {conflict}" for rows in ROWS_PER_STATEMENT}


def _overwriting(key: str, columns: Sequence[str]) -> str:
    return f"ON CONFLICT ({key}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in columns)}"


_HEADS: Final = _insert("heads", "head, raw, signature")
_ENVELOPES: Final = _insert("objects", "id, kind, recipient, author, head, place, path, body, kept_ms, epoch, number")
_STATEMENTS: Final = _insert(
    "objects", "id, kind, envelope, recipient, author, head, place, path, body, kept_ms, epoch, number"
)
_RECORDS: Final = _insert(
    "records", f"envelope, {RECORD_COLUMNS}", _overwriting("envelope, recipient", _RECORD_CHANGING)
)
_CONTENT: Final = _insert("content", "envelope, digest, inline")
_PEERS: Final = _insert(
    "peers",
    "peer, fails, down_since_ms, next_try_ms, epoch",
    _overwriting("peer", ("fails", "down_since_ms", "next_try_ms", "epoch")),
)
_REQUESTS: Final = _insert("requests", "key, digest, answer, at_ms")
_CHANGES: Final = _insert("changes", "doc, recipient, outgoing, code, state, author, at_ms", "")
_REFUSALS: Final = _insert("refusals", "peer, code, detail, at_ms", "")
_QUEUE: Final = _insert("queue", "peer, lane, seq, object, not_before_ms, fails")
_DEQUEUE: Final = {
    rows: f"DELETE FROM queue WHERE peer = ? AND object IN (SELECT seq FROM objects WHERE id IN ({marks}))"  # noqa: S608
    for rows, marks in ((rows, ", ".join("?" * rows)) for rows in ROWS_PER_STATEMENT)
}
_POSTPONE: Final = f"UPDATE queue SET not_before_ms = ?, fails = ? WHERE peer = ? AND object = {_OBJECT}"  # noqa: S608
_DROP: Final = f"DELETE FROM content WHERE envelope = {_OBJECT}"  # noqa: S608
_FORGET_REFUSALS: Final = "DELETE FROM refusals WHERE seq <= (SELECT max(seq) FROM refusals) - ?"
_SHARED: Final = """
    SELECT id FROM objects AS o
    WHERE kept_ms >= :since_ms AND EXISTS (
        SELECT 1 FROM records AS r
        WHERE r.envelope = ifnull(o.envelope, o.seq) AND (o.envelope IS NULL OR r.recipient = o.recipient)
        AND CASE WHEN r.outgoing THEN r.recipient ELSE r.sender END = :peer)
    ORDER BY o.envelope IS NOT NULL, seq
"""

_QUEUE_OPS: Final = frozenset({Enqueue, Dequeue, Postpone})
_KEPT_FIRST: Final = frozenset({PutHead, PutObject})


class Scribe:
    """Writes ops through one connection. `next_seq` is the next free place in all queues."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._next_seq = 1 + self._execute("SELECT ifnull(max(seq), 0) FROM queue").fetchone()[0]

    def write(self, commits: Iterable[Sequence[Op]]) -> None:
        """Writes the ops of some commits with the effect of one after the other; within a commit, its heads and
        objects come first.

        Ops of different kinds touch different tables and may change places. The exceptions: two kinds for one queue
        entry, and the ops that read other tables; before those, what waits is written.
        """
        waiting: defaultdict[type, list[Any]] = defaultdict(list)
        touched: dict[tuple[str, bytes], type] = {}
        for ops in commits:
            for number, op in enumerate(ops):
                kind = type(op)
                queues = kind in _QUEUE_OPS
                reads = kind is Resend or kind is DropContent
                if reads or (queues and touched.get((op.peer, op.object), kind) is not kind):  # type: ignore[union-attr]
                    # What follows in this commit may be named by what is written now.
                    for later in ops[number:]:
                        if type(later) in _KEPT_FIRST:
                            waiting[type(later)].append(later)
                    self._flush(waiting)
                    touched.clear()
                if queues:
                    touched[op.peer, op.object] = kind  # type: ignore[union-attr]  # one of those three
                waiting[kind].append(op)
                if reads:
                    self._flush(waiting)
        self._flush(waiting)

    def _flush(self, waiting: defaultdict[type, list[Any]]) -> None:
        for kind, write in _WRITERS.items():
            if ops := waiting.get(kind):
                write(self, ops)
        waiting.clear()

    def _many(self, statements: dict[int, str], rows: Sequence[Sequence[Any]]) -> None:
        for some in _portions(rows):
            self._execute(statements[len(some)], tuple(chain.from_iterable(some)))

    def _heads(self, ops: list[PutHead]) -> None:
        self._many(_HEADS, ops)

    def _objects(self, ops: list[PutObject]) -> None:
        # Envelopes before the statements that name them; an envelope names none.
        self._many(_ENVELOPES, [(*op[:2], *op[3:]) for op in ops if op.kind == ENVELOPE])
        self._many(_STATEMENTS, [op for op in ops if op.kind != ENVELOPE])

    def _records(self, ops: list[PutRecord]) -> None:
        latest = {(op.record.doc, op.record.recipient): op.record for op in ops}
        self._many(_RECORDS, [_record_row(record) for record in latest.values()])

    def _content(self, ops: list[PutContent]) -> None:
        self._many(_CONTENT, ops)

    def _drop(self, ops: list[DropContent]) -> None:
        # What a recall takes back must be gone from the file too, overflow pages included.
        self._execute("PRAGMA secure_delete = ON").fetchall()
        self._executemany(_DROP, ops)
        self._execute("PRAGMA secure_delete = FAST").fetchall()

    def _requests(self, ops: list[PutRequest]) -> None:
        self._many(_REQUESTS, ops)

    def _peers(self, ops: list[PutPeer]) -> None:
        self._many(_PEERS, ops)

    def _enqueue(self, ops: list[Enqueue]) -> None:
        rows = [(op.peer, op.lane, seq, op.object, 0, 0) for seq, op in enumerate(ops, self._next_seq)]
        self._next_seq += len(rows)
        self._many(_QUEUE, rows)

    def _dequeue(self, ops: list[Dequeue]) -> None:
        by_peer: defaultdict[str, list[bytes]] = defaultdict(list)
        for op in ops:
            by_peer[op.peer].append(op.object)
        for peer, objects in by_peer.items():
            for some in _portions(objects):
                self._execute(_DEQUEUE[len(some)], (peer, *some))

    def _postpone(self, ops: list[Postpone]) -> None:
        self._executemany(_POSTPONE, [(op.not_before_ms, op.fails, op.peer, op.object) for op in ops])

    def _changes(self, ops: list[AppendChange]) -> None:
        rows = [(op.doc, op.recipient, int(op.outgoing), op.code.value, int(op.state), op.by, op.at_ms) for op in ops]
        self._many(_CHANGES, rows)

    def _refusals(self, ops: list[LogRefusal]) -> None:
        self._many(_REFUSALS, ops)
        self._execute(_FORGET_REFUSALS, (REFUSALS_KEPT_MAX,))

    def _resend(self, ops: list[Resend]) -> None:
        for op in ops:
            found = self._execute(_SHARED, {"peer": op.peer, "since_ms": op.since_ms}).fetchall()
            self._enqueue([Enqueue(op.peer, op.lane, object_id) for (object_id,) in found])


def _portions(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    start = 0
    for size in ROWS_PER_STATEMENT:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


def _record_row(record: Record) -> tuple[Any, ...]:
    standing = record.standing
    return (
        record.doc,
        *record[:3],
        int(record.outgoing),
        int(record.priority),
        record.created_ms,
        record.expires_ms,
        int(standing.progress),
        b"".join(standing.recalls),
        b"".join(standing.declined),
        int(standing.agreed),
        *record[8:],
    )


_WRITERS: Final[dict[type, Callable[[Scribe, list[Any]], None]]] = {
    PutHead: Scribe._heads,
    PutObject: Scribe._objects,
    PutRecord: Scribe._records,
    PutContent: Scribe._content,
    DropContent: Scribe._drop,
    PutRequest: Scribe._requests,
    PutPeer: Scribe._peers,
    Enqueue: Scribe._enqueue,
    Dequeue: Scribe._dequeue,
    Postpone: Scribe._postpone,
    Resend: Scribe._resend,
    AppendChange: Scribe._changes,
    LogRefusal: Scribe._refusals,
}
