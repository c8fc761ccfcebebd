"""Reading from SQLite: every question of the store, in as few queries as it has kinds of rows.

Each function expects a read transaction that the caller holds, so that several queries see one state. Nothing is
written here, and nothing is decided about what was found.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from docaxis.core.effects import AppendChange, LogRefusal, PutPeer, PutRequest
from docaxis.core.ids import HASH_BYTES, DocId, PartyId
from docaxis.core.lifecycle import Code, Standing, State
from docaxis.core.record import Loaded, Record
from docaxis.core.signed import Signed, SignedHead
from docaxis.core.statement import Position
from docaxis.core.wire import ENVELOPE, Item
from docaxis.store.base import Change, Found, Kept, Life, Line, RecordKey, Totals, Wanted
from docaxis.store.inline import chunks_to_send
from docaxis.store.writing import RECORD_COLUMNS

KEYS_PER_QUERY: Final = 250
"""At most so many keys stand in one query; a key has up to five parameters."""

_STATES: Final = tuple(State)
_RECORD_COLUMNS: Final = ", ".join(f"r.{name}" for name in RECORD_COLUMNS.split(", "))
_RECORDS: Final = f"SELECT {_RECORD_COLUMNS} FROM records AS r"  # noqa: S608  # constant columns
_RECORDS_BY_KEY: Final = f"""
    WITH wanted (id, place) AS (VALUES %s)
    SELECT {_RECORD_COLUMNS} FROM wanted CROSS JOIN objects AS o USING (id)
    CROSS JOIN records AS r ON r.envelope = o.seq AND r.recipient = wanted.place
"""  # noqa: S608  # constant columns
_RECORDS_BY_DOC: Final = f"""
    SELECT {_RECORD_COLUMNS}
    FROM objects AS o CROSS JOIN records AS r ON r.envelope = o.seq WHERE o.id IN (%s) ORDER BY r.envelope, r.recipient
"""  # noqa: S608  # constant columns
_SIGNED: Final = "SELECT o.id, body, place, path, raw, signature FROM objects AS o JOIN heads AS h ON h.seq = o.head"
_KEPT: Final = """
    SELECT kind, recipient, author, kept_ms, body, place, path, raw, signature
    FROM objects AS o JOIN heads AS h ON h.seq = o.head
    WHERE o.seq IN (
        SELECT seq FROM objects WHERE id = ? AND envelope IS NULL UNION ALL
        SELECT s.seq FROM objects AS e JOIN objects AS s ON s.envelope = e.seq WHERE e.id = ?)
    ORDER BY envelope IS NOT NULL, o.seq
"""
_POSITIONS: Final = """
    WITH wanted (id, recipient, author, epoch, number) AS (VALUES %s)
    SELECT w.id, w.recipient, w.author, w.epoch, w.number, s.id, min(s.seq)
    FROM wanted AS w CROSS JOIN objects AS e ON e.id = w.id CROSS JOIN objects AS s ON s.envelope = e.seq
        AND s.recipient = w.recipient AND s.author = w.author AND s.epoch = w.epoch AND s.number = w.number
    GROUP BY 1, 2, 3, 4, 5
"""
"""SQLite takes `s.id` from the row that has the least `seq`."""
_STATE: Final = "CASE WHEN agreed THEN 9 ELSE progress END"


def life(connection: sqlite3.Connection) -> Life:
    """What a node finds when it starts; the epoch must have been set."""
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    peers = connection.execute("SELECT peer, fails, down_since_ms, next_try_ms, epoch FROM peers ORDER BY peer")
    waiting = connection.execute("SELECT DISTINCT peer, lane FROM queue ORDER BY peer, lane")
    return Life(meta["epoch"], meta.get("since_ms", 0), tuple(map(PutPeer._make, peers)), tuple(waiting))


# --- for the machine ----------------------------------------------------------------------------------------------


def find(connection: sqlite3.Connection, wanted: Wanted) -> Found:
    """What exists of what is wanted."""
    records = list(_records_of_keys(connection, wanted.records))
    grouped: dict[DocId, list[Record]] = {}
    for record in _records_of_documents(connection, wanted.documents):
        grouped.setdefault(record.doc, []).append(record)
    loader = _Loader(connection, [*records, *(record for group in grouped.values() for record in group)])
    requests = _many(connection, "SELECT key, digest, answer, at_ms FROM requests WHERE key IN (%s)", wanted.requests)
    objects = _many(connection, "SELECT id FROM objects WHERE id IN (%s)", wanted.objects)
    return Found(
        records={record.key: loader.load(record) for record in records},
        requests={row[0]: PutRequest._make(row) for row in requests},
        objects=frozenset(object_id for (object_id,) in objects),
        documents={doc: tuple(loader.load(record) for record in group) for doc, group in grouped.items()},
        positions=dict(_positions(connection, wanted.positions)),
    )


def due(connection: sqlite3.Connection, before_ms: int, limit: int) -> tuple[Loaded, ...]:
    """Records that the machine wants to look at again."""
    rows = connection.execute(
        f"{_RECORDS} WHERE due_ms > 0 AND due_ms <= ? ORDER BY due_ms, envelope, recipient LIMIT ?",
        (before_ms, limit),
    )
    records = [_record(row) for row in rows.fetchall()]
    loader = _Loader(connection, records)
    return tuple(loader.load(record) for record in records)


def queue(
    connection: sqlite3.Connection, peer: PartyId, lane: int, now_ms: int, limit: int
) -> tuple[tuple[Item, int], ...]:
    """Queued items that may go, each with its failures."""
    entries = connection.execute(
        "SELECT kind, fails, id, body, place, path, raw, signature"
        " FROM queue AS q JOIN objects AS o ON o.seq = q.object JOIN heads AS h ON h.seq = o.head"
        " WHERE q.peer = ? AND q.lane = ? AND q.not_before_ms <= ? ORDER BY q.seq LIMIT ?",
        (peer, lane, now_ms, limit),
    ).fetchall()
    claims = _claims(connection, [row[2] for row in entries if row[0] == ENVELOPE])
    heads = _Heads()
    return tuple(
        (
            Item(kind, object_id, heads.signed(*rest), chunks_to_send(rest[0], claims.get(object_id, {}))),
            fails,
        )
        for kind, fails, object_id, *rest in entries
    )


def lines(connection: sqlite3.Connection) -> tuple[Line, ...]:
    """Queues that are not empty; SQLite takes `object` from the row that has the least `seq`."""
    rows = connection.execute(
        "SELECT peer, lane, entries, kept_ms FROM"
        " (SELECT peer, lane, count(*) AS entries, min(seq), object FROM queue GROUP BY peer, lane) AS q"
        " JOIN objects AS o ON o.seq = q.object ORDER BY peer, lane"
    )
    return tuple(map(Line._make, rows.fetchall()))


# --- for people ---------------------------------------------------------------------------------------------------


def documents(
    connection: sqlite3.Connection,
    outgoing: bool,
    before: tuple[int, bytes, str] | None,
    limit: int,
    state: State | None,
) -> list[tuple[Record, bytes]]:
    """One page of records, newest first."""
    where, parameters = ["outgoing = ?"], [int(outgoing), *(before or ())]
    if before is not None:
        where.append("(created_ms, doc, recipient) < (?, ?, ?)")
    if state is not None:
        where.append(f"{_STATE} = ?")
        parameters.append(int(state))
    order = "ORDER BY created_ms DESC, doc DESC, recipient DESC LIMIT ?"
    rows = connection.execute(f"{_RECORDS} WHERE {' AND '.join(where)} {order}", (*parameters, limit)).fetchall()
    records = [_record(row) for row in rows]
    bodies = _bodies(connection, records)
    return [(record, bodies[record.doc]) for record in records]


def document(connection: sqlite3.Connection, doc: DocId) -> tuple[tuple[Record, ...], tuple[Kept, ...]]:
    """Everything about one document."""
    rows = connection.execute(_KEPT, (doc, doc)).fetchall()
    heads = _Heads()
    kept = tuple(Kept(kind, recipient, by, heads.signed(*rest), at) for kind, recipient, by, at, *rest in rows)
    return tuple(_records_of_documents(connection, [doc])), kept


def starting(connection: sqlite3.Connection, prefix: bytes, limit: int) -> list[DocId]:
    """Ids of documents by their first bytes."""
    after = (prefix + b"\xff" * HASH_BYTES)[:HASH_BYTES]
    query = "SELECT id FROM objects WHERE id BETWEEN ? AND ? AND envelope IS NULL ORDER BY id LIMIT ?"
    return [DocId(doc) for (doc,) in connection.execute(query, (prefix, after, limit)).fetchall()]


def changes(connection: sqlite3.Connection, after: int, limit: int) -> list[Change]:
    """Lines of the feed."""
    rows = connection.execute(
        "SELECT cursor, doc, recipient, outgoing, code, state, author, at_ms FROM changes"
        " WHERE cursor > ? ORDER BY cursor LIMIT ?",
        (after, limit),
    )
    return [
        Change(cursor, AppendChange(doc, recipient, bool(outgoing), Code(code), _STATES[state], by, at_ms))
        for cursor, doc, recipient, outgoing, code, state, by, at_ms in rows.fetchall()
    ]


def last_change(connection: sqlite3.Connection) -> int:
    """The newest cursor."""
    newest: int = connection.execute("SELECT ifnull(max(cursor), 0) FROM changes").fetchone()[0]
    return newest


def content(connection: sqlite3.Connection, digest: bytes) -> bytes | None:
    """A chunk kept inline."""
    query = "SELECT inline FROM content WHERE digest = ? AND inline IS NOT NULL LIMIT 1"
    found: tuple[bytes] | None = connection.execute(query, (digest,)).fetchone()
    return found and found[0]


def claimed(connection: sqlite3.Connection, digests: Sequence[bytes]) -> frozenset[bytes]:
    """Which chunks some document names."""
    rows = _many(connection, "SELECT DISTINCT digest FROM content WHERE digest IN (%s)", digests)
    return frozenset(digest for (digest,) in rows)


def refusals(connection: sqlite3.Connection, limit: int) -> list[LogRefusal]:
    """The newest refusals."""
    rows = connection.execute("SELECT peer, code, detail, at_ms FROM refusals ORDER BY seq DESC LIMIT ?", (limit,))
    return [LogRefusal._make(row) for row in rows.fetchall()]


def totals(connection: sqlite3.Connection) -> Totals:
    """Counted rows."""
    states: dict[int, dict[State, int]] = {0: {}, 1: {}}
    by_state = f"SELECT outgoing, {_STATE}, count(*) FROM records GROUP BY 1, 2"  # noqa: S608  # constant
    for outgoing, state, count in connection.execute(by_state):
        states[outgoing][_STATES[state]] = count
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM objects), (SELECT count(*) FROM objects WHERE kind = 'statement'),"
        " (SELECT count(*) FROM queue), (SELECT count(*) FROM refusals)"
    )
    objects, statements, queued, refused = counts.fetchone()
    return Totals(states[1], states[0], objects - statements, statements, queued, refused)


# --- rows into values ---------------------------------------------------------------------------------------------


class _Heads:
    """Makes signed objects of rows; objects under one head share its bytes."""

    def __init__(self) -> None:
        self._known: dict[SignedHead, SignedHead] = {}

    def signed(self, body: bytes, place: int, path: bytes, raw: bytes, signature: bytes) -> Signed:
        head = SignedHead(raw, signature)
        return Signed(body, self._known.setdefault(head, head), place, _hashes(path))


class _Loader:
    """Adds envelopes and receipts to records: each envelope is read once, however many recipients it has."""

    def __init__(self, connection: sqlite3.Connection, records: Sequence[Record]) -> None:
        self._bodies = _bodies(connection, records)
        heads = _Heads()
        receipts = _many(connection, f"{_SIGNED} WHERE o.id IN (%s)", {record.receipt for record in records} - {None})
        self._receipts = {object_id: heads.signed(*rest) for object_id, *rest in receipts}

    def load(self, record: Record) -> Loaded:
        receipt = None if record.receipt is None else self._receipts.get(record.receipt)
        return Loaded(record, self._bodies[record.doc], receipt)


def _bodies(connection: sqlite3.Connection, records: Sequence[Record]) -> dict[bytes, bytes]:
    query = "SELECT id, body FROM objects WHERE id IN (%s)"
    return dict(_many(connection, query, {record.doc for record in records}))


def _records_of_keys(connection: sqlite3.Connection, keys: Sequence[RecordKey]) -> Iterator[Record]:
    for some in _slices(keys):
        query = _RECORDS_BY_KEY % ", ".join(["(?, ?)"] * len(some))
        rows = connection.execute(query, [part for key in some for part in key])
        yield from map(_record, rows.fetchall())


def _positions(connection: sqlite3.Connection, wanted: Sequence[Position]) -> Iterator[tuple[Position, bytes]]:
    for some in _slices(wanted):
        query = _POSITIONS % ", ".join(["(?, ?, ?, ?, ?)"] * len(some))
        for *position, object_id, _ in connection.execute(query, [part for each in some for part in each]).fetchall():
            yield Position._make(position), object_id


def _records_of_documents(connection: sqlite3.Connection, docs: Sequence[DocId]) -> Iterator[Record]:
    return map(_record, _many(connection, _RECORDS_BY_DOC, docs))


def _claims(connection: sqlite3.Connection, docs: Sequence[bytes]) -> dict[bytes, dict[bytes, bytes | None]]:
    claims: dict[bytes, dict[bytes, bytes | None]] = {}
    query = "SELECT id, digest, inline FROM objects AS o JOIN content AS c ON c.envelope = o.seq WHERE id IN (%s)"
    for doc, digest, inline in _many(connection, query, docs):
        claims.setdefault(doc, {})[digest] = inline
    return claims


def _many(connection: sqlite3.Connection, query: str, keys: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Runs `query` for all keys, a few hundred at a time."""
    for some in _slices(list(dict.fromkeys(keys))):
        yield from connection.execute(query % ", ".join("?" * len(some)), some).fetchall()


def _slices(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (keys[start : start + KEYS_PER_QUERY] for start in range(0, len(keys), KEYS_PER_QUERY))


def _record(row: tuple[Any, ...]) -> Record:
    progress, recalls, declined, agreed = row[7:11]
    standing = Standing(_STATES[progress], _hashes(recalls), _hashes(declined), bool(agreed))
    return Record._make((*row[:3], bool(row[3]), *row[4:7], standing, *row[11:]))


def _hashes(joined: bytes) -> tuple[bytes, ...]:
    return tuple(joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES))
