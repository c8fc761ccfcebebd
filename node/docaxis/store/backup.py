"""Backup and restore: a consistent copy of a node's database and content while the node runs, and the way back.

Files only; no table is known here but the one mark that says "this is a backup, of such a time". A folder made by
`take` holds ``node.db`` and ``blobs/``. Rows are read before files: every file that they name existed before them.
"""

import contextlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from docaxis.core.errors import OurFault, TheirFault
from docaxis.store import disk, migrate

DATABASE: Final = "node.db"
BLOBS: Final = "blobs"
MARK: Final = "backup_ms"
"""Name of the mark in the table ``meta``; opening the store takes it away and starts a new epoch."""


class Taken(NamedTuple):
    """What a backup holds: sizes in bytes, and how many chunks are files."""

    database_bytes: int
    chunks: int
    chunks_bytes: int


def take(database: Path, blobs: Path, target: Path, now_ms: int) -> Taken:
    """Copies the database of a node, running or not, and the chunks in `blobs` into the folder `target`.

    Chunks are linked where `target` is on the same disk, else copied. ``node.db`` appears last: a backup that was
    interrupted has none. Raises `OurFault` ``node.exists``, ``node.disk-full`` or ``node.store``.
    """
    with disk.faults(target):
        unfinished = _copy_database(database, target / DATABASE, now_ms)
        chunks, size = _copy_tree(blobs, target / BLOBS)
        _rename(unfinished, target / DATABASE)
    return Taken((target / DATABASE).stat().st_size, chunks, size)


def copy_database(database: Path, target: Path, now_ms: int) -> None:
    """A consistent and marked copy of the database alone, as the new file `target`; see `take`."""
    with disk.faults(target.parent):
        _rename(_copy_database(database, target, now_ms), target)


def restore(source: Path, database: Path, blobs: Path) -> Taken:
    """Puts the backup in the folder `source` where a node will look for its database and its chunks.

    Raises `OurFault` ``node.exists`` if there is a database already, ``node.disk-full`` or ``node.store``, and
    `TheirFault` ``file.wrong`` for what is no backup or is damaged.
    """
    with disk.faults(database.parent):
        if database.exists() or database.with_name(f"{database.name}-wal").exists():
            raise OurFault("node.exists", f"{database} holds a node's documents")
        check(source / DATABASE)
        database.parent.mkdir(parents=True, exist_ok=True)
        chunks, size = _copy_tree(source / BLOBS, blobs)
        _rename(_copy_file(source / DATABASE, _unfinished(database)), database)
    return Taken(database.stat().st_size, chunks, size)


def check(path: Path) -> int:
    """The time of the backup at `path`, ms since 1970 UTC; raises `TheirFault` ``file.wrong`` unless it is sound."""
    if not path.is_file():
        raise TheirFault("file.wrong", f"no backup at {path}; name a folder made by `docaxis node backup`")
    with disk.faults(path.parent), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as found:
        if migrate.version(found) == 0:
            raise TheirFault("file.wrong", f"{path} is empty; name a whole backup")
        mark = found.execute("SELECT value FROM meta WHERE name = ?", (MARK,)).fetchone()
        if mark is None:
            raise TheirFault(
                "file.wrong", f"{path} is a node's own database, not a backup; make one with `docaxis node backup`"
            )
        answer = _quick_check(found)
        if answer != "ok":
            raise TheirFault("file.wrong", f"{path} is damaged: {answer}; name another backup")
        return int(mark[0])


def _quick_check(found: sqlite3.Connection) -> str:
    try:
        return str(found.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # the disk's, not the file's
            raise
        return str(error)


def _copy_database(database: Path, target: Path, now_ms: int) -> Path:
    if target.exists():
        raise OurFault("node.exists", f"{target} exists already")
    if not database.is_file():
        raise OurFault("node.store", f"no database at {database}")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(target)
    _remove(unfinished)
    try:
        _vacuum(database, unfinished, now_ms)
    except BaseException:
        # Where there was too little room, what was written must not take the rest of it.
        _remove(unfinished)
        raise
    return unfinished


def _remove(unfinished: Path) -> None:
    for path in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
        path.unlink(missing_ok=True)


def _vacuum(database: Path, copy: Path, now_ms: int) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy, isolation_level=None)) as marked:
        marked.execute("REPLACE INTO meta (name, value) VALUES (?, ?)", (MARK, now_ms))
    copy.chmod(0o600)
    disk.sync_file(copy)


def _copy_tree(source: Path, target: Path) -> tuple[int, int]:
    """How many chunks, and their bytes. A chunk that goes while we look belongs to no document any more."""
    chunks = size = 0
    folders = {target}
    for path in sorted(source.glob("??/??/*")):
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
            _link_or_copy(path, copy)
            folders |= {copy.parent, copy.parent.parent}
            chunks += 1
    for folder in folders if chunks else ():
        disk.sync_folder(folder)
    return chunks, size


def _link_or_copy(path: Path, copy: Path) -> None:
    if copy.exists():
        return
    try:
        copy.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or a file system without links
        _copy_file(path, copy)


def _copy_file(path: Path, copy: Path) -> Path:
    shutil.copyfile(path, copy)
    copy.chmod(0o600)
    disk.sync_file(copy)
    return copy


def _rename(unfinished: Path, target: Path) -> None:
    unfinished.rename(target)
    disk.sync_folder(target.parent)


def _unfinished(target: Path) -> Path:
    return target.with_name(f"{target.name}.unfinished")
