"""The one writer: commits that wait together are made durable together, and the log is copied back beside them.

A thread with the only connection that writes. It knows transactions, not what is in them; and when the disk is full it
knows the one thing that matters then, which ops bring in something new.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from docaxis.core.effects import Op, PutContent, PutObject
from docaxis.core.errors import OurFault
from docaxis.core.wire import ENVELOPE
from docaxis.store import disk
from docaxis.store.writing import Scribe

GROUP_OPS_MAX: Final = 8_192
"""A group takes no further commit once it holds so many ops; what is more waits for the next."""
_COPY_ROUNDS_MAX: Final = 4
_REST_PAGES: Final = 256


class WriterSettings(NamedTuple):
    """See `docaxis.store.sqlite.SqliteSettings`."""

    wal_bytes: int
    reserve_bytes: int
    database_bytes_max: int


class _Commit(NamedTuple):
    ops: Sequence[Op]
    done: "asyncio.Future[None]"


class Writer:
    """Owns `connection` and a thread. `commit` may be called from the loop's thread only."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, settings: WriterSettings, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._folder = path.parent
        self._connection = connection
        self._loop = loop
        self._scribe = Scribe(connection)
        self._room = _Room(path, connection, settings)
        self._log = _Log(path, connection, settings.wal_bytes)
        self._waiting: SimpleQueue[_Commit | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="docaxis-store-write", daemon=True)
        self._thread.start()

    async def commit(self, ops: Sequence[Op]) -> None:
        """Returns when `ops` are durable; see `docaxis.store.base.Store.commit`."""
        done = self._loop.create_future()
        self._waiting.put(_Commit(ops, done))
        await done

    def close(self) -> None:
        """Writes what waits, then ends the thread."""
        self._waiting.put(None)
        self._thread.join()
        self._log.close()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, last = self._gather(first)
            self._settle(list(zip(group, self._write(group), strict=True)))
            with contextlib.suppress(sqlite3.Error):
                # A log that cannot be copied back is no reason to refuse a commit: the next one tries again.
                self._log.tend()
            if last:
                return

    def _gather(self, first: _Commit) -> tuple[list[_Commit], bool]:
        """Everything that waits already, and whether the end was among it."""
        group, count = [first], len(first.ops)
        while count < GROUP_OPS_MAX:
            try:
                following = self._waiting.get_nowait()
            except Empty:
                break
            if following is None:
                return group, True
            group.append(following)
            count += len(following.ops)
        return group, False

    def _write(self, group: list[_Commit]) -> list[Exception | None]:
        """Each commit's fate: all together, or one by one where that failed, so that none suffers for another."""
        together = self._attempt([each.ops for each in group])
        if together is None:
            return [None] * len(group)
        if len(group) == 1 and not self._room.spend(together):
            return [together]
        self._room.spend(together)
        return [self._attempt([each.ops]) for each in group]

    def _attempt(self, parts: list[Sequence[Op]]) -> Exception | None:
        try:
            with disk.faults(self._folder), self._transaction():
                self._room.admit(parts)
                self._scribe.write(parts)
        except Exception as error:  # noqa: BLE001  # goes to whoever waits for this commit; the thread must live on
            return error
        return None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # Some errors, such as a full disk, have ended the transaction already.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _settle(self, fates: list[tuple[_Commit, Exception | None]]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(_tell, fates)


def _tell(fates: list[tuple[_Commit, Exception | None]]) -> None:
    for (_, done), error in fates:
        if done.done():
            continue  # whoever waited was cancelled; the rows are kept all the same
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


class _Room:
    """What happens when the disk is full: the reserve is given up, and only what brings nothing new may use it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, settings: WriterSettings) -> None:
        self._folder = path.parent
        self._connection = connection
        self._settings = settings
        self._reserve = disk.Reserve(path.with_suffix(".reserve"), settings.reserve_bytes)
        self._hold()

    def admit(self, commits: list[Sequence[Op]]) -> None:
        """Raises `OurFault` ``node.disk-full`` for new documents while there is no reserve."""
        if not self._reserve.held and any(map(_brings_something, chain.from_iterable(commits))):
            self._hold()
            if not self._reserve.held:
                raise OurFault("node.disk-full", f"{self._folder}: no room for new documents")

    def spend(self, error: Exception) -> bool:
        """Gives up the reserve if `error` says that the disk is full; whether that can help."""
        if not (isinstance(error, OurFault) and error.code == "node.disk-full" and self._reserve.held):
            return False
        self._reserve.spend()
        self._limit(self._settings.database_bytes_max)
        return True

    def _hold(self) -> None:
        most = self._settings.database_bytes_max
        if most and self._used_bytes() > most - 2 * self._settings.reserve_bytes:
            return
        with contextlib.suppress(OSError):  # without room to reserve there is no reserve
            self._reserve.hold()
        if self._reserve.held:
            self._limit(max(0, most - self._settings.reserve_bytes))

    def _limit(self, size_bytes: int) -> None:
        if self._settings.database_bytes_max:
            self._connection.execute(f"PRAGMA max_page_count = {size_bytes // self._pragma('page_size')}").fetchall()

    def _used_bytes(self) -> int:
        return (self._pragma("page_count") - self._pragma("freelist_count")) * self._pragma("page_size")

    def _pragma(self, name: str) -> int:
        value: int = self._connection.execute(f"PRAGMA {name}").fetchone()[0]
        return value


def _brings_something(op: Op) -> bool:
    return (type(op) is PutObject and op.kind == ENVELOPE) or (type(op) is PutContent and op.inline is not None)


class _Log:
    """Copies the write-ahead log back into the database once it is `wal_bytes` long.

    A second thread copies the bulk while commits go on. But a log starts again from its beginning only when all of it
    is copied at the moment of a commit, which never happens while commits keep coming; so the writer copies the small
    rest itself, between two commits.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, wal_bytes: int) -> None:
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._connection = connection
        self._wal_bytes = wal_bytes
        self._copier: threading.Thread | None = None

    def tend(self) -> None:
        """Called after each group of commits."""
        if self._copier is not None:
            if not self._copier.is_alive():
                self._copier = None
                _copy_back(self._connection)
        elif self._wal.stat().st_size >= self._wal_bytes:
            self._copier = threading.Thread(target=self._copy, name="docaxis-store-copy", daemon=True)
            self._copier.start()

    def close(self) -> None:
        """Waits for the second thread."""
        if self._copier is not None:
            self._copier.join()

    def _copy(self) -> None:
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(self._path)) as connection:
            for _ in range(_COPY_ROUNDS_MAX):
                if _copy_back(connection) <= _REST_PAGES:
                    return


def _copy_back(connection: sqlite3.Connection) -> int:
    """One passive round, which waits for nobody; the pages that are still only in the log when it ends."""
    _, logged, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(logged - copied)
