"""The peer client: performs `Send` and pulls content; what goes wrong outside comes back as a code of the registry.

It trusts a connection only after TLS and the directory agree whose it is, and reads no more than a bound allows. It
decides neither when to try again nor what an answer means. Specification: ``node/docs/spec/transport.md``.
"""

import asyncio
import io
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import aiohttp
from yarl import URL

from docaxis.core import limits, wire
from docaxis.core.effects import Send
from docaxis.core.errors import DocaxisError, TheirFault
from docaxis.core.events import Delivered, Undelivered
from docaxis.core.ids import DocId, PartyId
from docaxis.transport import base
from docaxis.transport.base import ClientSettings
from docaxis.transport.failures import Failure, failure_of, failure_of_answer, may_be_refusal
from docaxis.transport.pace import Pace
from docaxis.transport.tls import PeerTls

_BATCH_HEADERS: Final = {"Content-Type": base.MEDIA_BATCH}
_SILENT_HEADERS: Final = ("Accept", "Accept-Encoding", "User-Agent")
_READ_BYTES: Final = 256 * limits.KIB
_HANGING_UP_S: Final = 0.5


class _Answer(NamedTuple):
    """A whole answer with status 200."""

    media: str
    body: bytes


class _Failed(Exception):
    """An attempt at one endpoint came to nothing."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


class PeerClient:
    """Calls other nodes: one pool of connections for batches, one for content, one for public repository files."""

    def __init__(self, tls: PeerTls, settings: ClientSettings = base.CLIENT_DEFAULTS) -> None:
        """Call it inside the running loop, and `close` at the end."""
        self._tls = tls
        self._settings = settings
        self._pace = Pace(settings.handshakes_per_s, settings.handshakes_burst)
        self._generation = tls.client_generation
        self._control, self._bulk = self._known_pools()
        self._anonymous = self._pool(tls.anonymous_context, 8, 2)

    async def close(self) -> None:
        """Closes every connection."""
        for session in (self._control, self._bulk, self._anonymous):
            await session.close()

    # --- what a node wants of its peers -------------------------------------------------------------------------

    async def send(self, wish: Send) -> Delivered | Undelivered:
        """Puts a batch to the first endpoint that takes it. Never raises but `asyncio.CancelledError`."""
        path = f"{base.IN}{self._tls.me}/{wish.batch.hex()}"
        try:
            answer = await self._call(
                wish.peer, wish.endpoints, path, limits.ANSWER_BYTES_MAX, body=wish.body, bulk=False
            )
            reply = _read_reply(wish.peer, answer)
        except _Failed as failed:
            code, detail, wait_ms, _ = failed.failure
            return Undelivered(wish.peer, wish.flight, code, detail, wait_ms)
        return Delivered(wish.peer, wish.flight, reply)

    async def fetch_chunk(self, peer: PartyId, endpoints: Sequence[str], doc: DocId, digest: bytes, size: int) -> bytes:
        """A chunk of `size` bytes with SHA-256 `digest`, verified.

        Raises `DocaxisError` ``peer.*``, ``party.*``, ``content.*`` or ``document.unknown``.
        """
        path = f"{base.CONTENT}{doc.hex()}/{digest.hex()}"
        body = (await self._demand(peer, endpoints, path, size, bulk=True)).body
        if len(body) != size or await asyncio.to_thread(_digest, body) != digest:
            raise TheirFault("content.corrupt", f"{peer} sent {len(body)} bytes that are not the chunk asked for")
        return body

    async def fetch_directory(self, endpoints: Sequence[str], name: str, bytes_max: int) -> bytes:
        """A repository file, from the first endpoint that has it.

        Nobody is authenticated: whoever reads it checks the signatures inside. Raises `DocaxisError`
        ``directory.not-found`` or ``peer.*``.
        """
        if not base.is_directory_name(name):
            raise TheirFault("directory.not-found", f"not a name of the repository: {name[:60]!r}")
        last = Failure("peer.unreachable", "no endpoint given")
        for endpoint in endpoints:
            try:
                return (await self._attempt(self._anonymous, endpoint, base.DIRECTORY + name, None, bytes_max)).body
            except _Failed as failed:
                last = failed.failure
        raise _error(last)

    async def hello(self, peer: PartyId, endpoints: Sequence[str]) -> dict[str, object]:
        """What a peer says of itself; nothing of it is checked. Raises `DocaxisError` ``peer.*`` or ``party.*``."""
        answer = await self._demand(peer, endpoints, base.HELLO, base.HELLO_BYTES_MAX, bulk=False)
        try:
            value = json.loads(answer.body)
        except (ValueError, RecursionError):
            value = None
        if type(value) is not dict:
            raise TheirFault("peer.malformed", f"{peer} answered with no JSON object")
        return value

    # --- how ----------------------------------------------------------------------------------------------------

    async def _demand(
        self, peer: PartyId, endpoints: Sequence[str], path: str, bytes_max: int, *, bulk: bool
    ) -> _Answer:
        try:
            return await self._call(peer, endpoints, path, bytes_max, bulk=bulk)
        except _Failed as failed:
            raise _error(failed.failure) from None

    async def _call(
        self,
        peer: PartyId,
        endpoints: Sequence[str],
        path: str,
        bytes_max: int,
        *,
        body: bytes | None = None,
        bulk: bool,
    ) -> _Answer:
        """Tries one endpoint after the other, as long as nobody has answered."""
        try:
            name = self._tls.name_to_call(peer)
        except TheirFault as error:
            raise _Failed(Failure(error.code, error.detail)) from None
        await self._renew()
        last = Failure("party.no-route", f"{peer} has no endpoint")
        for endpoint in endpoints:
            try:
                session = self._bulk if bulk else self._control
                return await self._attempt(session, endpoint, path, name, bytes_max, body)
            except _Failed as failed:
                last = failed.failure
                if last.answered:
                    break
        raise _Failed(last)

    async def _attempt(
        self,
        session: aiohttp.ClientSession,
        endpoint: str,
        path: str,
        name: str | None,
        bytes_max: int,
        body: bytes | None = None,
    ) -> _Answer:
        if not endpoint.startswith("https://"):
            raise _Failed(Failure("peer.unreachable", f"not an HTTPS address: {endpoint[:100]!r}"))
        try:
            async with session.request(
                "GET" if body is None else "PUT",
                URL(endpoint.rstrip("/") + path, encoded=True),
                data=_payload(body),
                headers=None if body is None else _BATCH_HEADERS,
                server_hostname=name,
                allow_redirects=False,
                timeout=self._patience(bytes_max if body is None else len(body)),
            ) as response:
                if response.status == 200:
                    return _Answer(response.content_type, await _bounded(response, bytes_max))
                problem = await _bounded(response, base.PROBLEM_BYTES_MAX)
                raise _Failed(failure_of_answer(response.status, response.headers.get("Retry-After", ""), problem))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            failure = failure_of(error)
            if name is not None and may_be_refusal(error) and await self._refuses(endpoint, name):
                failure = Failure(
                    "peer.refused",
                    "the peer ends TLS after the handshake, as it does with a certificate it does not know",
                )
            raise _Failed(failure) from None

    async def _refuses(self, endpoint: str, name: str) -> bool:
        """Whether the peer's TLS turns this node away: asked by a connection on which nothing is said.

        In TLS 1.3 a server judges our certificate when our side of the handshake is done, and ends the line; what we
        have said meanwhile makes that look like an outage, though it is an entry missing in the peer's directory.
        """
        url = URL(endpoint)
        try:
            async with asyncio.timeout(self._settings.connect_s):
                await self._pace.turn()
                reader, writer = await asyncio.open_connection(
                    url.host, url.port, ssl=self._tls.client_context, server_hostname=name
                )
        except (TimeoutError, OSError, ValueError):
            return False
        try:
            async with asyncio.timeout(_HANGING_UP_S):
                await reader.read(1)
        except TimeoutError:
            return False  # it waits for us to speak, as it should
        except OSError:
            return True
        finally:
            writer.transport.abort()
        return True

    def _patience(self, size: int) -> aiohttp.ClientTimeout:
        settings = self._settings
        return aiohttp.ClientTimeout(
            total=settings.answer_s + size / settings.bytes_per_s_min, sock_connect=settings.connect_s
        )

    async def _renew(self) -> None:
        """After a certificate was withdrawn, no connection of the time before is used again."""
        if self._generation != self._tls.client_generation:
            self._generation = self._tls.client_generation
            old = (self._control, self._bulk)
            self._control, self._bulk = self._known_pools()
            for session in old:
                await session.close()

    def _known_pools(self) -> tuple[aiohttp.ClientSession, aiohttp.ClientSession]:
        settings, context = self._settings, self._tls.client_context
        return (
            self._pool(context, settings.connections_max, settings.connections_per_peer_max),
            self._pool(context, settings.bulk_connections_max, settings.bulk_connections_per_peer_max),
        )

    def _pool(self, context: Any, connections: int, per_peer: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=context,
            limit=connections,
            limit_per_host=per_peer,
            keepalive_timeout=self._settings.idle_s,
            ttl_dns_cache=60,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_SILENT_HEADERS,
            auto_decompress=False,
            read_bufsize=_READ_BYTES,
            trace_configs=[self._pacing()],
        )

    def _pacing(self) -> aiohttp.TraceConfig:
        """The public hook before a new connection; those in the pool pass unhindered."""

        async def before(*_: object) -> None:
            await self._pace.turn()

        pacing = aiohttp.TraceConfig()
        pacing.on_connection_create_start.append(before)
        return pacing


def _payload(body: bytes | None) -> bytes | io.BytesIO | None:
    """A long body goes out in pieces, so that one write does not hold the loop."""
    return io.BytesIO(body) if body is not None and len(body) > limits.BATCH_BYTES_FILL else body


async def _bounded(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """The body, unless it is longer than `bytes_max`: then what is left of it is never read."""
    if (response.content_length or 0) <= bytes_max:
        first = await response.content.readany()
        if len(first) == response.content_length:
            return first
        pieces, size = [first], len(first)
        while size <= bytes_max and (piece := await response.content.readany()):
            pieces.append(piece)
            size += len(piece)
        if size <= bytes_max:
            return b"".join(pieces)
    response.close()
    raise _Failed(Failure("peer.malformed", f"an answer of more than {bytes_max} bytes", answered=True))


def _read_reply(peer: PartyId, answer: _Answer) -> wire.Reply:
    if answer.media != base.MEDIA_REPLY:
        raise _Failed(Failure("peer.malformed", f"an answer of type {answer.media[:60]!r}"))
    try:
        reply = wire.decode_reply(answer.body)
    except DocaxisError as error:
        raise _Failed(Failure("peer.malformed", f"{error.code}: {error.detail}")) from None
    if reply.sender != peer:
        raise _Failed(Failure("peer.malformed", f"{peer} answered as {reply.sender}"))
    return reply


def _digest(body: bytes) -> bytes:
    return sha256(body).digest()


def _error(failure: Failure) -> DocaxisError:
    return TheirFault(failure.code, failure.detail)
