"""The embedded store: SQLite in WAL mode, one writer thread with group commit, and short reads beside it.

The face only: opening, and handing questions and ops to threads. How ops become rows is `writing`, how rows become
values `reading`, how commits are grouped `writer`; the disk's moods are in `disk`.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from docaxis.core.effects import LogRefusal, Op
from docaxis.core.errors import OurFault
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import State
from docaxis.core.limits import MIB
from docaxis.core.record import Loaded, Record
from docaxis.core.wire import Item
from docaxis.store import backup, disk, migrate, reading
from docaxis.store.base import Change, Found, Kept, Life, Line, Totals, Wanted
from docaxis.store.writer import Writer, WriterSettings

T = TypeVar("T")

BUSY_TIMEOUT_S: Final = 5.0
"""How long a statement waits for another process, such as one that makes a backup."""


class SqliteSettings(NamedTuple):
    """`cache_bytes`: pages that the writer keeps in memory, filled as they are used. `wal_bytes`: the write-ahead log
    is copied into the database from this length on. `reserve_bytes`: given up when the disk is full, so that what must
    be written still can be. `database_bytes_max`: where a full disk begins, 0 for the disk's own end. `readers`: reads
    at one time. `network_disk`: use a network file system in spite of its promises."""

    cache_bytes: int = 16 * MIB
    wal_bytes: int = 16 * MIB
    reserve_bytes: int = 4 * MIB
    database_bytes_max: int = 0
    readers: int = 2
    network_disk: bool = False


DEFAULTS: Final = SqliteSettings()


class SqliteStore:
    """A `docaxis.store.base.Store` in the file `path`."""

    def __init__(self, path: Path, settings: SqliteSettings = DEFAULTS) -> None:
        self._path = path
        self._settings = settings
        self._open = ExitStack()
        self._writer: Writer | None = None
        self._readers: _Readers | None = None

    # --- opening, writing, closing ----------------------------------------------------------------------------------

    async def open(self, now_ms: int) -> Life:
        """See `Store.open`; also raises ``node.running`` while another process has it open."""
        return await asyncio.to_thread(self._begin, now_ms, asyncio.get_running_loop())

    async def life(self) -> Life:
        """See `Store.life`."""
        return await self._read(reading.life)

    async def close(self) -> None:
        """See `Store.close`."""
        await asyncio.to_thread(self._open.close)
        self._writer = self._readers = None

    async def commit(self, ops: Sequence[Op]) -> None:
        """See `Store.commit`."""
        if self._writer is None:
            raise OurFault("node.store", "the store is not open")
        await self._writer.commit(ops)

    def _begin(self, now_ms: int, loop: asyncio.AbstractEventLoop) -> Life:
        with disk.faults(self._path.parent), ExitStack() as opened:
            if not self._settings.network_disk:
                disk.refuse_network(self._path.parent)
            opened.callback(disk.Owner(self._path.with_suffix(".lock")).release)
            # For this user alone; SQLite gives its other files the same rights.
            self._path.touch(mode=0o600)
            connection = opened.enter_context(closing(_connect(self._path)))
            _prepare(connection, self._settings)
            migrate.upgrade(connection)
            disk.sync_folder(self._path.parent)
            begin_epoch(connection, now_ms)
            life = reading.life(connection)
            self._readers = _Readers(self._path, self._settings.readers)
            opened.callback(self._readers.close)
            self._writer = Writer(self._path, connection, _writer_settings(self._settings), loop)
            opened.callback(self._writer.close)
            self._open = opened.pop_all()
        return life

    # --- reading ----------------------------------------------------------------------------------------------------

    async def _read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        if self._readers is None:
            raise OurFault("node.store", "the store is not open")
        return await self._readers.ask(question)

    async def find(self, wanted: Wanted) -> Found:
        """See `Store.find`."""
        return await self._read(partial(reading.find, wanted=wanted))

    async def queue(self, peer: PartyId, lane: int, now_ms: int, limit: int) -> tuple[tuple[Item, int], ...]:
        """See `Store.queue`."""
        return await self._read(lambda connection: reading.queue(connection, peer, lane, now_ms, limit))

    async def lines(self) -> tuple[Line, ...]:
        """See `Store.lines`."""
        return await self._read(reading.lines)

    async def due(self, before_ms: int, limit: int) -> tuple[Loaded, ...]:
        """See `Store.due`."""
        return await self._read(lambda connection: reading.due(connection, before_ms, limit))

    async def documents(
        self, outgoing: bool, before: tuple[int, bytes, str] | None, limit: int, state: State | None
    ) -> list[tuple[Record, bytes]]:
        """See `Store.documents`."""
        return await self._read(lambda connection: reading.documents(connection, outgoing, before, limit, state))

    async def document(self, doc: DocId) -> tuple[tuple[Record, ...], tuple[Kept, ...]]:
        """See `Store.document`."""
        return await self._read(lambda connection: reading.document(connection, doc))

    async def starting(self, prefix: bytes, limit: int) -> list[DocId]:
        """See `Store.starting`."""
        return await self._read(lambda connection: reading.starting(connection, prefix, limit))

    async def changes(self, after: int, limit: int) -> list[Change]:
        """See `Store.changes`."""
        return await self._read(lambda connection: reading.changes(connection, after, limit))

    async def last_change(self) -> int:
        """See `Store.last_change`."""
        return await self._read(reading.last_change)

    async def content(self, digest: bytes) -> bytes | None:
        """See `Store.content`."""
        return await self._read(lambda connection: reading.content(connection, digest))

    async def claimed(self, digests: Sequence[bytes]) -> frozenset[bytes]:
        """See `Store.claimed`."""
        return await self._read(lambda connection: reading.claimed(connection, digests))

    async def refusals(self, limit: int) -> list[LogRefusal]:
        """See `Store.refusals`."""
        return await self._read(lambda connection: reading.refusals(connection, limit))

    async def totals(self) -> Totals:
        """See `Store.totals`."""
        return await self._read(reading.totals)

    async def backup(self, target: str, now_ms: int) -> None:
        """Writes ``node.db`` into the folder `target`; see `Store.backup`, and `docaxis.store.backup` for all of it."""
        await asyncio.to_thread(backup.copy_database, self._path, Path(target) / backup.DATABASE, now_ms)


class _Readers:
    """A few threads with a connection each, made when they are first needed."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._mine = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="docaxis-store-read")

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """The answer, from one state of the database."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, question)

    def close(self) -> None:
        """Waits for what is being read."""
        self._threads.shutdown()
        for connection in self._all:
            connection.close()

    def _answer(self, question: Callable[[sqlite3.Connection], T]) -> T:
        with disk.faults(self._path.parent):
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                return question(connection)
            finally:
                connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = _connect(self._path)
            connection.execute("PRAGMA query_only = ON")
            self._all.append(connection)
        return connection


def begin_epoch(connection: sqlite3.Connection, now_ms: int) -> None:
    """Sets the epoch in a new database, and a later one in a restored backup, whose mark it takes away."""
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    changed: dict[str, int] = {}
    if backup.MARK in meta:
        changed = {"epoch": max(now_ms, meta.get("epoch", 0) + 1), "since_ms": meta[backup.MARK]}
    elif "epoch" not in meta:
        changed = {"epoch": max(1, now_ms)}
    if not changed:
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("REPLACE INTO meta (name, value) VALUES (?, ?)", changed.items())
    connection.execute("DELETE FROM meta WHERE name = ?", (backup.MARK,))
    connection.execute("COMMIT")


def _connect(path: Path) -> sqlite3.Connection:
    """A connection whose transactions we begin and end ourselves; the threads around it take turns by design."""
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _prepare(connection: sqlite3.Connection, settings: SqliteSettings) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise OurFault("node.store", f"the file system offers no shared memory for a write-ahead log ({mode})")
    for pragma in (
        "synchronous = FULL",
        "secure_delete = FAST",
        # Copying the log back is the business of `writer`, off the path of commits.
        "wal_autocheckpoint = 0",
        # A log that was copied back shrinks to this, so that its length says how much is not copied yet.
        f"journal_size_limit = {settings.wal_bytes // 4}",
        f"cache_size = -{settings.cache_bytes // 1024}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _writer_settings(settings: SqliteSettings) -> WriterSettings:
    return WriterSettings(settings.wal_bytes, settings.reserve_bytes, settings.database_bytes_max)
