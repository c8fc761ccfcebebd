"""Chunks as files, named by their SHA-256: ``ab/cd/<digest>`` below one folder.

Durable before named: bytes go to an unfinished file in the same tree, are synced, and only then get their name; rows
that claim a chunk are committed after that. No row and no document is known here; who may read, and what is still
claimed, is answered elsewhere.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Final, NamedTuple

from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.limits import CHUNK_BYTES_MAX, MIB
from docaxis.store import disk

FREE_BYTES_MIN: Final = 16 * MIB
"""Room that chunks leave to the database."""
ASKED_TOGETHER_MAX: Final = 500
_UNFINISHED: Final = "unfinished"
_DAMAGED: Final = "damaged"


class Scrubbed(NamedTuple):
    """What `Blobs.scrub` looked at, and what it found changed and set aside; `ended` when it came to the last chunk."""

    looked_at: int
    damaged: tuple[bytes, ...]
    ended: bool


class Blobs:
    """All chunk files of a node below `folder`; only one process may write there."""

    def __init__(self, folder: Path, free_bytes_min: int = FREE_BYTES_MIN) -> None:
        self._folder = folder
        self._free_bytes_min = free_bytes_min
        # Giving a name, finding one and sweeping one away exclude each other.
        self._names = Lock()
        self._scrub_after = ""
        self._durable_folders: set[bytes] = set()

    def path(self, digest: bytes) -> Path:
        """Where the chunk is, if it is kept."""
        name = digest.hex()
        return self._folder / name[:2] / name[2:4] / name

    async def keep(self, digest: bytes, data: bytes) -> None:
        """Keeps a chunk durably; twice is once. Raises `TheirFault` ``content.corrupt`` or ``content.too-large``,
        `OurFault` ``node.disk-full`` or ``node.store``."""
        await asyncio.to_thread(self._keep, digest, data)

    async def read(self, digest: bytes) -> bytes | None:
        """The chunk's bytes, or None. What the disk made of them since is for the reader to check."""
        return await asyncio.to_thread(self._read, digest)

    async def size(self, digest: bytes) -> int | None:
        """Its size in bytes, or None where it is not kept. Whoever asks may be about to name it in a document: for
        `sweep` it is as young as if it had been kept now."""
        return await asyncio.to_thread(self._renew, digest)

    async def sweep(self, claimed: Callable[[Sequence[bytes]], Awaitable[frozenset[bytes]]], before_ms: int) -> int:
        """Destroys chunks last kept or asked for before `before_ms` that `claimed` does not claim, and what was never
        finished; how many chunks. One that is wanted again meanwhile stays."""
        gone = 0
        old = iter(await asyncio.to_thread(self._older, before_ms))
        while some := tuple(islice(old, ASKED_TOGETHER_MAX)):
            unclaimed = set(some) - await claimed(some)
            gone += await asyncio.to_thread(self._remove_older, sorted(unclaimed), before_ms)
        await asyncio.to_thread(self._remove_unfinished, before_ms)
        return gone

    async def scrub(self, count: int) -> Scrubbed:
        """Hashes the next `count` chunks again, in the order of their names, from the first after the last. What does
        not match its name is set aside, so that it counts as missing and is fetched again."""
        return await asyncio.to_thread(self._scrub, count)

    # --- in a thread ------------------------------------------------------------------------------------------------

    def _keep(self, digest: bytes, data: bytes) -> None:
        if len(data) > CHUNK_BYTES_MAX:
            raise TheirFault("content.too-large", f"a chunk has at most {CHUNK_BYTES_MAX} bytes")
        if sha256(data).digest() != digest:
            raise TheirFault("content.corrupt", f"{len(data)} bytes do not have the digest {digest.hex()}")
        with disk.faults(self._folder):
            if self._renew(digest) != len(data):
                self._name(self._write(data), digest)

    def _renew(self, digest: bytes) -> int | None:
        with self._names, disk.faults(self._folder):
            path = self.path(digest)
            try:
                os.utime(path)
                return path.stat().st_size
            except FileNotFoundError:
                return None

    def _write(self, data: bytes) -> Path:
        """A durable file without a name of its own yet."""
        folder = self._folder / _UNFINISHED
        folder.mkdir(parents=True, exist_ok=True)
        if (free := disk.free_bytes(folder)) - len(data) < self._free_bytes_min:
            raise OurFault("node.disk-full", f"{free // MIB} MiB free below {self._folder}")
        with NamedTemporaryFile(dir=folder, delete=False) as unfinished:
            try:
                unfinished.write(data)
                unfinished.flush()
                os.fdatasync(unfinished.fileno())
            except BaseException:
                Path(unfinished.name).unlink()
                raise
        return Path(unfinished.name)

    def _name(self, unfinished: Path, digest: bytes) -> None:
        path = self.path(digest)
        # Whoever finds the name may rely on it: nobody looks before it is durable.
        with self._names:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.rename(path)
            disk.sync_folder(path.parent)
            if digest[:2] not in self._durable_folders:
                disk.sync_folder(path.parent.parent)
                disk.sync_folder(self._folder)
                self._durable_folders.add(digest[:2])

    def _read(self, digest: bytes) -> bytes | None:
        with disk.faults(self._folder):
            try:
                return self.path(digest).read_bytes()
            except FileNotFoundError:
                return None

    def _remove_older(self, digests: Sequence[bytes], before_ms: int) -> int:
        gone = 0
        for digest in digests:
            with self._names, disk.faults(self._folder):
                if (kept_ms := _kept_ms(self.path(digest))) is not None and kept_ms < before_ms:
                    self.path(digest).unlink()
                    gone += 1
        return gone

    def _remove_unfinished(self, before_ms: int) -> None:
        with disk.faults(self._folder):
            for path in (self._folder / _UNFINISHED).glob("*"):
                if (begun_ms := _kept_ms(path)) is not None and begun_ms < before_ms:
                    path.unlink(missing_ok=True)

    def _older(self, before_ms: int) -> list[bytes]:
        with disk.faults(self._folder):
            kept = ((path, _kept_ms(path)) for path in self._chunks())
            return [bytes.fromhex(path.name) for path, kept_ms in kept if kept_ms is not None and kept_ms < before_ms]

    def _scrub(self, count: int) -> Scrubbed:
        with disk.faults(self._folder):
            paths = list(islice((path for path in self._chunks() if path.name > self._scrub_after), count))
            damaged = tuple(bytes.fromhex(path.name) for path in paths if not self._is_sound(path))
        ended = len(paths) < count
        self._scrub_after = "" if ended else paths[-1].name
        return Scrubbed(len(paths), damaged, ended)

    def _is_sound(self, path: Path) -> bool:
        try:
            sound = sha256(path.read_bytes()).hexdigest() == path.name
        except FileNotFoundError:
            return True  # destroyed on purpose while we looked
        except OSError:
            sound = False  # the disk cannot read it any more
        if not sound:
            (self._folder / _DAMAGED).mkdir(exist_ok=True)
            path.rename(self._folder / _DAMAGED / path.name)
        return sound

    def _chunks(self) -> Iterator[Path]:
        """Every chunk file, in the order of names."""
        for first in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            for second in sorted(first.glob("[0-9a-f][0-9a-f]")):
                yield from sorted(path for path in second.iterdir() if len(path.name) == sha256().digest_size * 2)


def _kept_ms(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return None
