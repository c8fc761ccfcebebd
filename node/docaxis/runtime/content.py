"""Content: chunks of files coming in, being served, being read, and being destroyed.

Whether a document may have content, and who its recipients are, is read from records that the machine made. Bytes are
kept only once they match their digest. Envelopes and statements are none of this room's business.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from docaxis.core import envelope as envelopes
from docaxis.core import limits
from docaxis.core.addresses import Book
from docaxis.core.effects import Fetch
from docaxis.core.envelope import File
from docaxis.core.errors import TheirFault
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import State
from docaxis.core.record import Loaded
from docaxis.core.wanted import Wanted
from docaxis.runtime.disk import Disk
from docaxis.store.base import Store
from docaxis.store.blobs import Scrubbed

FETCHES_PER_PEER_MAX: Final = 2
"""Chunks that are pulled from one peer at a time, so that a silent one cannot take all of `limits.FETCHES_MAX`."""
UNCLAIMED_KEPT_MS: Final = limits.DAY_MS
"""How long an uploaded chunk waits for a document that names it."""
SCRUB_ITEMS: Final = 64
"""Chunks that are hashed again at each upkeep."""
_LISTS_CACHED_MAX: Final = 256


class Blobs(Protocol):
    """Chunks as files, named by their SHA-256."""

    async def keep(self, digest: bytes, data: bytes) -> None:
        """Durable on return; twice is once. Raises `TheirFault` ``content.corrupt`` unless they match."""
        ...

    async def read(self, digest: bytes) -> bytes | None:
        """The chunk, or None."""
        ...

    async def size(self, digest: bytes) -> int | None:
        """Its size in bytes, or None where it is not kept."""
        ...

    def path(self, digest: bytes) -> Path:
        """The file that holds it, if it is kept."""
        ...

    async def sweep(self, claimed: Callable[[Sequence[bytes]], Awaitable[frozenset[bytes]]], before_ms: int) -> int:
        """Destroys what was last kept before that time and is not claimed; how many chunks."""
        ...

    async def scrub(self, count: int) -> Scrubbed:
        """Hashes the next so many chunks again, and sets aside what does not match its name."""
        ...


class ChunkCourier(Protocol):
    """The way to a peer's chunks."""

    async def fetch_chunk(self, peer: PartyId, endpoints: Sequence[str], doc: DocId, digest: bytes, size: int) -> bytes:
        """A chunk of `size` bytes with that SHA-256, verified; raises `DocaxisError`."""
        ...


class Content:
    """All content of one node."""

    def __init__(self, store: Store, blobs: Blobs, courier: ChunkCourier, disk: Disk) -> None:
        self._store = store
        self._blobs = blobs
        self._courier = courier
        self._disk = disk
        self._permits = asyncio.Semaphore(limits.FETCHES_MAX)
        self._peer_permits: dict[PartyId, asyncio.Semaphore] = {}
        self._lists: OrderedDict[DocId, frozenset[bytes]] = OrderedDict()

    # --- coming in ---

    async def keep(self, digest: bytes, data: bytes) -> None:
        """Keeps a chunk that was handed in here; see `docaxis.api.service.NodeService.keep_chunk`."""
        self._disk.require_room(len(data))
        await self._blobs.keep(digest, data)

    async def pull(self, wish: Fetch) -> None:
        """Brings a document's chunks here, skipping what is here already; raises `DocaxisError`, keeping what came."""
        permits = self._peer_permits.setdefault(wish.peer, asyncio.Semaphore(FETCHES_PER_PEER_MAX))
        for digest, size in zip(wish.digests, wish.sizes, strict=True):
            if await self._blobs.size(digest) == size:
                continue
            async with permits, self._permits:
                self._disk.require_room(size)
                data = await self._courier.fetch_chunk(wish.peer, wish.endpoints, wish.doc, digest, size)
                await self._blobs.keep(digest, data)

    # --- going out ---

    async def sizes(self, digests: Sequence[bytes]) -> Mapping[bytes, int]:
        """Sizes of those that are kept here."""
        found = {digest: await self._blobs.size(digest) for digest in dict.fromkeys(digests)}
        return {digest: size for digest, size in found.items() if size is not None}

    async def read(self, digest: bytes) -> bytes:
        """A chunk, wherever it is kept, checked against its digest; raises `TheirFault` ``content.missing``."""
        data = await self._store.content(digest)
        if data is None:
            data = await self._blobs.read(digest)
        if data is None or sha256(data).digest() != digest:
            raise TheirFault("content.missing", f"chunk {digest.hex()} is not here")
        return data

    async def open(self, file: File) -> AsyncIterator[bytes]:
        """A file's bytes; raises on the first step where a chunk is not here, or no document claims it any more."""
        if await self._store.claimed(file.chunks) != frozenset(file.chunks):
            raise TheirFault("content.missing", f"{file.name} was destroyed, or has never come")
        for digest in file.chunks:
            yield await self.read(digest)

    async def serve(self, book: Book, peer: PartyId, doc: DocId, digest: bytes) -> bytes | Path:
        """A chunk, or the file that holds it, for a recipient of the document; raises `TheirFault`.

        Whoever is no recipient learns nothing.
        """
        loaded = await self._transmission(book, peer, doc)
        if loaded is None or loaded.record.standing.state in (State.RECOVERED, State.REFUSED, State.EXPIRED):
            raise TheirFault("document.unknown", "no document with content for this peer")
        if digest not in self._chunk_list(loaded):
            raise TheirFault("content.missing", "the document names no such chunk")
        path = self._blobs.path(digest)
        return path if await asyncio.to_thread(path.is_file) else await self.read(digest)

    async def _transmission(self, book: Book, peer: PartyId, doc: DocId) -> Loaded | None:
        found = await self._store.find(Wanted(records=((doc, peer),)))
        loaded = found.records.get((doc, peer))
        if loaded is not None:
            return loaded if loaded.record.outgoing else None
        every = (await self._store.find(Wanted(documents=(doc,)))).documents.get(doc, ())
        outgoing = (each for each in every if each.record.outgoing)
        return next((each for each in outgoing if book.answers_for(peer, each.record.recipient)), None)

    def _chunk_list(self, loaded: Loaded) -> frozenset[bytes]:
        doc = loaded.record.doc
        known = self._lists.get(doc)
        if known is None:
            known = frozenset(envelopes.chunk_digests(envelopes.decode(loaded.envelope).files))
            self._lists[doc] = known
            if len(self._lists) > _LISTS_CACHED_MAX:
                self._lists.popitem(last=False)
        return known

    # --- upkeep ---

    async def sweep(self, now_ms: int) -> int:
        """Destroys chunks that no document names and that have waited long enough; how many."""
        return await self._blobs.sweep(self._store.claimed, now_ms - UNCLAIMED_KEPT_MS)

    async def scrub(self) -> Sequence[bytes]:
        """Looks at some chunks again; the digests of those that the disk has spoilt, and that count as missing now."""
        return (await self._blobs.scrub(SCRUB_ITEMS)).damaged
