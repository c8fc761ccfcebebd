"""The disk under a store: one owner, no network file system, a reserve for bad days, and errors with our names.

Files and mounts only; no table and no document is known here.
"""

import contextlib
import errno
import fcntl
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from docaxis.core.errors import OurFault

NETWORK_FILE_SYSTEMS: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "coda", "fuse.glusterfs", "fuse.sshfs", "gfs2", "ncpfs", "nfs", "nfs4", "ocfs2"}
    | {"smb3", "smbfs"}
)
"""Kinds of mounts on which locks and fsync do not promise what a database needs."""

_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_PRIMARY_CODE: Final = 0xFF
_NEARLY_FULL_BYTES: Final = 64 * 1024


@contextlib.contextmanager
def faults(folder: Path) -> Iterator[None]:
    """Errors of SQLite and of the system leave as `OurFault` ``node.disk-full`` or ``node.store``."""
    try:
        yield
    except sqlite3.Error as error:
        code = (getattr(error, "sqlite_errorcode", 0) or 0) & _PRIMARY_CODE
        # Where SQLite cannot grow its shared memory or sync, it reports a failed disk, though the disk is only full.
        full = code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and free_bytes(folder) < _NEARLY_FULL_BYTES)
        raise OurFault("node.disk-full" if full else "node.store", f"{folder}: {error}") from error
    except OSError as error:
        code_of_ours = "node.disk-full" if error.errno in _NO_ROOM else "node.store"
        raise OurFault(code_of_ours, f"{folder}: {error.strerror or error}") from error


def free_bytes(folder: Path) -> int:
    """Room that is left for this user."""
    return shutil.disk_usage(folder).free


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(path: Path) -> None:
    """Makes a file's bytes durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def mount_kind(path: Path, mounts: str) -> str:
    """The kind of file system under `path`, from the text of ``/proc/mounts``; empty when none is named."""
    best, found = -1, ""
    for line in mounts.splitlines():
        fields = line.split()
        place = Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[1]))
        # Of mounts on one place, the last one counts.
        if path.is_relative_to(place) and len(place.parts) >= best:
            best, found = len(place.parts), fields[2]
    return found


def refuse_network(folder: Path) -> None:
    """Raises `OurFault` ``node.store`` if the folder lies on a network file system."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return  # a system without /proc: nobody to ask
    kind = mount_kind(folder.resolve(), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise OurFault("node.store", f"{folder} lies on a network file system ({kind}), where a power cut loses data")


class Owner:
    """The claim of one process on a database, held as long as the file is open; the kernel frees it after a crash."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise OurFault("node.running", f"{path.parent} is in use by another process") from None

    def release(self) -> None:
        """Lets others have it."""
        os.close(self._handle)


class Reserve:
    """A file of `size` bytes that is given up when the disk is full, so that a node can still write what must be
    written. Without room for it the reserve counts as spent."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self.held = False

    def hold(self) -> None:
        """Makes the file, if there is room for it and as much again."""
        if self._path.exists() and self._path.stat().st_size == self._size:
            self.held = True
        elif free_bytes(self._path.parent) >= 2 * self._size:
            self._make()

    def spend(self) -> None:
        """Gives the room to whoever needs it."""
        self._path.unlink(missing_ok=True)
        self.held = False

    def _make(self) -> None:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(handle, 0, self._size)
        except OSError:
            self.spend()
        else:
            self.held = True
        finally:
            os.close(handle)
