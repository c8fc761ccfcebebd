"""Cache: the last good state of the directory in one file, appended to and made durable with one fsync.

Named byte strings; a name's last record counts. It knows nothing of what it keeps, which is verified anew when it is
opened, and it may be deleted at any time: then the directory is fetched again. A torn or damaged tail is cut off.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from docaxis.core.errors import OurFault
from docaxis.core.limits import DIRECTORY_FILE_BYTES_MAX, MIB
from docaxis.directory.files import sync_folder

MAGIC: Final = b"docaxis/directory-cache/1\n"
GARBAGE_BYTES_MAX: Final = 1 * MIB
_HEAD_BYTES: Final = 2 + 4 + 32
_NAME_BYTES_MAX: Final = 255


def _records(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    while len(head := file.read(_HEAD_BYTES)) == _HEAD_BYTES:
        name_bytes, body_bytes = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:6], "big")
        if name_bytes > _NAME_BYTES_MAX or body_bytes > DIRECTORY_FILE_BYTES_MAX:
            return
        name, body = file.read(name_bytes), file.read(body_bytes)
        if sha256(head[:6] + name + body).digest() != head[6:]:
            return
        yield name.decode(errors="replace"), body


def record(name: str, body: bytes) -> bytes:
    """One record: lengths of name and body, SHA-256 of lengths, name and body, then name and body."""
    raw = name.encode()
    assert len(raw) <= _NAME_BYTES_MAX
    lengths = len(raw).to_bytes(2, "big") + len(body).to_bytes(4, "big")
    return lengths + sha256(lengths + raw + body).digest() + raw + body


class Cache:
    """Writes the file. Not for two writers at once, and not on an event loop: every call waits for the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._bytes = 0

    def load(self) -> dict[str, bytes]:
        """Everything kept; empty where there is no file, or where it is not one of ours. Raises `OurFault`."""
        try:
            with self._path.open("rb") as file:
                found, end = {}, 0
                if file.read(len(MAGIC)) == MAGIC:
                    for name, body in _records(file):
                        found[name], end = body, file.tell()
                # nothing is appended behind a damaged tail: the next write starts the file anew
                self._bytes = end if end == os.fstat(file.fileno()).st_size else 0
                return found
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise OurFault("node.store", f"{self._path} cannot be read: {error.strerror}") from None

    def keep(self, added: Mapping[str, bytes], live: Collection[str], everything: Mapping[str, bytes]) -> None:
        """Makes `added` durable. The file is rewritten from `everything` (the names in `live`) where it has grown to
        twice what is alive, or where this process has not written it yet. Raises `OurFault` ``node.disk-full`` or
        ``node.store``."""
        alive_bytes = sum(len(everything[name]) for name in live)
        extra = b"".join(record(name, body) for name, body in added.items())
        try:
            if self._bytes and self._bytes + len(extra) <= 2 * alive_bytes + GARBAGE_BYTES_MAX:
                self._append(extra)
            else:
                self._rewrite({name: everything[name] for name in live})
        except OSError as error:
            self._bytes = 0
            code = "node.disk-full" if error.errno in (28, 122) else "node.store"
            raise OurFault(code, f"{self._path} cannot be written: {error.strerror}") from None

    def _append(self, extra: bytes) -> None:
        with self._path.open("ab") as file:
            file.write(extra)
            file.flush()
            os.fsync(file.fileno())
        self._bytes += len(extra)

    def _rewrite(self, kept: Mapping[str, bytes]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(self._path.name + ".new")
        with draft.open("wb") as file:
            file.write(MAGIC)
            for name, body in kept.items():
                file.write(record(name, body))
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        draft.replace(self._path)
        sync_folder(self._path.parent)
        self._bytes = size
