"""Sources: where a node gets the directory's files, and what it makes of the answers.

Configured addresses and folders first, then a few peers chosen by chance. Nothing here is trusted: the files prove
themselves in `docaxis.directory`, so a connection need not. No schedule lives here; see `refresh`.
"""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import aiohttp

from docaxis.core import codec
from docaxis.core.addresses import Book
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.directory.files import Fetch, local_files
from docaxis.directory.proof import proof_value
from docaxis.directory.repository import Repository
from docaxis.directory.revocations import Judged
from docaxis.runtime.entropy import Entropy

PEERS_ASKED_MAX: Final = 3
ANSWER_S_MAX: Final = 30.0
GATHER_S_MAX: Final = 10.0
"""How long all sources together are given to say what was revoked; whoever is slower is heard at the next refresh."""

PeerFetch = Callable[[Sequence[str], str, int], Awaitable[bytes]]
"""Fetches a repository file from a node's endpoints; see `docaxis.transport.client.PeerClient.fetch_directory`."""


def nothing_known() -> Book:
    """The book of a node that has never seen a directory: it knows nobody, and delivers nothing yet."""
    return Book(lambda _: None, {}, 0, 0, {})


class NodeDirectory:
    """A node's copy of the directory and where it is fetched from; keeps `docaxis.runtime.refresh.Directory`."""

    def __init__(
        self,
        repository: Repository,
        me: PartyId,
        sources: Sequence[str],
        from_peer: PeerFetch | None,
        session: Callable[[], aiohttp.ClientSession],
        context: ssl.SSLContext,
        entropy: Entropy,
    ) -> None:
        """`from_peer` None: peers are not asked. `context` is how web sources are spoken to; it need not verify."""
        self._repository = repository
        self._me = me
        self._from_peer = from_peer
        self._entropy = entropy
        self._configured = [_source(each, session, context) for each in sources]
        self._nothing = nothing_known()

    @property
    def book(self) -> Book:
        """The snapshot in force."""
        return self._repository.book or self._nothing

    async def refresh(self, now_ms: int) -> Book | None:
        """See `docaxis.runtime.refresh.Directory.refresh`."""
        before = self._repository.book
        after = await self._repository.refresh([*self._configured, *self._some_peers()], now_ms)
        return None if after is before else after

    async def gather(self) -> None:
        """See `docaxis.runtime.refresh.Directory.gather`."""
        await self._repository.gather([*self._configured, *self._some_peers()], GATHER_S_MAX)

    async def revoke(self, raw: bytes) -> Judged:
        """Honours a file of revocations at once; see `docaxis.directory.repository.Repository.revoke`."""
        return await self._repository.revoke(raw)

    def file(self, name: str) -> bytes | None:
        """See `docaxis.runtime.refresh.Directory.file`."""
        return self._repository.serve(name)

    def proofs(self, parties: Sequence[PartyId]) -> Sequence[bytes]:
        """See `docaxis.runtime.refresh.Directory.proofs`."""
        return [codec.encode(proof_value(self._repository.prove(parties)))]

    def _some_peers(self) -> list[Fetch]:
        book = self.book
        others = [party for party in book.parties if party != self._me]
        if self._from_peer is None or not others:
            return []
        start = int.from_bytes(self._entropy.take(4), "big") % len(others)
        chosen = [others[(start + step) % len(others)] for step in range(min(PEERS_ASKED_MAX, len(others)))]
        entries = [entry for party in chosen if (entry := book.entry(party)) is not None]
        return [_peer_source(self._from_peer, entry.endpoints) for entry in entries]


def _peer_source(from_peer: PeerFetch, endpoints: Sequence[str]) -> Fetch:
    async def fetch(name: str, bytes_max: int) -> bytes:
        return await from_peer(endpoints, name, bytes_max)

    return fetch


def _source(address: str, session: Callable[[], aiohttp.ClientSession], context: ssl.SSLContext) -> Fetch:
    parts = urlsplit(address)
    if parts.scheme == "file":
        return local_files(Path(unquote(parts.path)))
    return _web_source(address.rstrip("/"), session, context)


def _web_source(base: str, session: Callable[[], aiohttp.ClientSession], context: ssl.SSLContext) -> Fetch:
    async def fetch(name: str, bytes_max: int) -> bytes:
        timeout = aiohttp.ClientTimeout(total=ANSWER_S_MAX)
        try:
            async with session().get(f"{base}/{name}", ssl=context, timeout=timeout, allow_redirects=False) as answer:
                if answer.status == 404:
                    raise TheirFault("directory.not-found", f"{base} has no {name}")
                if answer.status != 200:
                    raise TheirFault("peer.refused", f"{base} answered {answer.status}")
                return await _bounded(answer, bytes_max, base)
        except TimeoutError:
            raise TheirFault("peer.timeout", f"{base} does not answer") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TheirFault("peer.unreachable", f"{base}: {type(error).__name__}") from None

    return fetch


async def _bounded(answer: aiohttp.ClientResponse, bytes_max: int, base: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.content.iter_any():
        size += len(piece)
        if size > bytes_max:
            raise TheirFault("codec.too-long", f"{base} sends more than {bytes_max} bytes")
        pieces.append(piece)
    return b"".join(pieces)
