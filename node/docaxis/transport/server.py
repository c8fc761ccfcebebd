"""The peer listener: HTTPS requests of other nodes become calls of an injected service, refusals become problems.

Cheapest question first: who is it, may it speak for whom it says, how long is it, is there room; only then a body is
read. Nothing here decides about a document or touches a store. Specification: ``node/docs/spec/transport.md``.
"""

import asyncio
import json
import socket
from collections import Counter
from pathlib import Path
from typing import Final

from aiohttp import web

from docaxis.core import limits, wire
from docaxis.core.errors import DocaxisError, OurFault, TheirFault
from docaxis.core.ids import DocId, PartyId
from docaxis.transport import base
from docaxis.transport.base import PeerService, ServerSettings
from docaxis.transport.connection import GONE, HUNG_UP, Connection, Lines, refusal
from docaxis.transport.tls import PeerTls

_PIECE_BYTES: Final = 256 * limits.KIB
_SERVER: Final = "docaxis"
_REPLY_HEADERS: Final = {"Server": _SERVER, "Content-Type": base.MEDIA_REPLY}
_IMMUTABLE: Final = "private, max-age=31536000, immutable"


class _Refused(Exception):
    """A refusal with the HTTP status that says it best."""

    def __init__(self, error: DocaxisError, status: int = 0) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


def _malformed(detail: str, status: int = 400) -> _Refused:
    return _Refused(TheirFault("request.malformed", detail), status)


class PeerServer:
    """Listens for other nodes and hands what they bring to `service`."""

    def __init__(self, service: PeerService, tls: PeerTls, settings: ServerSettings = base.SERVER_DEFAULTS) -> None:
        self._service = service
        self._tls = tls
        self._settings = settings
        self._lines: Lines | None = None
        self._listener: asyncio.Server | None = None
        self._stopping = False
        self._at_work: Counter[str] = Counter()

    # --- life ---------------------------------------------------------------------------------------------------

    async def start(self, host: str, port: int) -> None:
        """Begins to listen; port 0 takes any free one. Raises `OurFault` ``node.config`` where it cannot."""
        lines = Lines(self._handle, self._tls.noted, self._settings)
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                lines,
                host,
                port,
                ssl=self._tls.server_context,
                ssl_handshake_timeout=self._settings.handshake_s,
                ssl_shutdown_timeout=self._settings.linger_s,
                backlog=1_024,
                reuse_address=True,
            )
        except OSError as error:
            raise OurFault("node.config", f"cannot listen on {host}:{port}: {error.strerror}") from None
        self._lines = lines
        lines.watch()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens."""
        sockets: tuple[socket.socket, ...] = self._listener.sockets if self._listener is not None else ()
        return [each.getsockname()[:2] for each in sockets]

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return 0 if self._lines is None else len(self._lines)

    async def stop(self, grace_s: float = 5.0) -> None:
        """Accepts nothing more, lets requests under way finish for at most `grace_s`, and closes every connection."""
        if self._listener is None or self._lines is None:
            return
        self._stopping = True
        self._listener.close()
        self._lines.rest()
        self._lines.pre_shutdown()
        await self._lines.shutdown(grace_s)
        await self._lines.all_closed(self._settings.linger_s)
        self._listener = None

    # --- requests -----------------------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection)
        caller = ""
        try:
            if self._stopping:
                raise _Refused(OurFault("node.stopping"))
            path = request.raw_path
            if path.startswith(base.DIRECTORY) and request.method == "GET":
                return await self._directory(request, path.removeprefix(base.DIRECTORY))
            caller = connection.peer(self._service.book)
            return await self._known(request, caller, path)
        except _Refused as refused:
            return self._refuse(request, caller, refused.error, refused.status)
        except DocaxisError as error:
            return self._refuse(request, caller, error)

    async def _known(self, request: web.BaseRequest, peer: PartyId, path: str) -> web.StreamResponse:
        """What a party of the directory may ask for."""
        if request.method == "PUT" and path.startswith(base.IN):
            return await self._inbound(request, peer, path.removeprefix(base.IN))
        if request.method == "GET" and path.startswith(base.CONTENT):
            return await self._content(request, peer, path.removeprefix(base.CONTENT))
        if request.method == "GET" and path == base.HELLO:
            return self._whole(json.dumps(self._service.hello()).encode(), base.MEDIA_JSON)
        raise _Refused(TheirFault("request.not-found", "see the specification of the peer protocol"), 404)

    async def _inbound(self, request: web.BaseRequest, peer: PartyId, rest: str) -> web.StreamResponse:
        sender, _, name = rest.partition("/")
        if sender != peer:
            raise _Refused(TheirFault("party.mismatch", f"{peer} may not send as {sender[:40]}"))
        length = self._length_of(request)
        self._take(peer)
        try:
            batch = wire.decode_batch(await self._body(request, length))
            if batch.sender != peer:
                raise TheirFault("party.mismatch", f"a batch of {batch.sender} from {peer}")
            if name != wire.batch_id(batch.items).hex():
                raise _malformed("the path does not name this batch")
            answer = await self._service.inbound(peer, batch)
        finally:
            self._give_back(peer)
        return web.Response(body=answer, headers=_REPLY_HEADERS)

    def _length_of(self, request: web.BaseRequest) -> int:
        """The length of a body that may be read."""
        headers = request.headers
        if headers.get("Content-Type") != base.MEDIA_BATCH or "Content-Encoding" in headers:
            raise _malformed(f"the body must be {base.MEDIA_BATCH}", 415)
        length = headers.get("Content-Length", "")
        if "Transfer-Encoding" in headers or not (length.isascii() and length.isdigit()):
            raise _malformed("Content-Length is required", 411)
        if len(length) > 10 or int(length) > limits.BATCH_BYTES_MAX:
            error = TheirFault("codec.too-long", f"at most {limits.BATCH_BYTES_MAX} bytes")
            raise _Refused(error)
        return int(length)

    async def _body(self, request: web.BaseRequest, length: int) -> bytes:
        content = request.content
        if content.is_eof() and content.total_bytes == length:
            return content.read_nowait() if length else b""  # it came with its head: no timer for nothing
        try:
            async with asyncio.timeout(self._settings.body_s):
                return await content.readexactly(length)
        except TimeoutError:
            raise _malformed(f"the body took longer than {self._settings.body_s:g} s", 408) from None
        except asyncio.IncompleteReadError:
            raise _malformed("the body is shorter than announced") from None
        except HUNG_UP:
            raise _malformed(GONE) from None

    async def _content(self, request: web.BaseRequest, peer: PartyId, rest: str) -> web.StreamResponse:
        doc, _, digest = rest.partition("/")
        self._take(peer)
        try:
            found = await self._service.chunk(peer, DocId(_digest_of(doc)), _digest_of(digest))
            if isinstance(found, bytes):
                return self._whole(found, base.MEDIA_BYTES, _IMMUTABLE)
            return await _stream(
                request, found, base.MEDIA_BYTES, _IMMUTABLE, limits.CHUNK_BYTES_MAX, "content.missing"
            )
        finally:
            self._give_back(peer)

    async def _directory(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        """Repository files are signed and public: anybody may read them, whoever serves them."""
        found = self._service.directory_file(name) if base.is_directory_name(name) else None
        if found is None:
            raise TheirFault("directory.not-found", "no such file in the repository")
        media = base.MEDIA_JSON if name.endswith(".json") else base.MEDIA_BYTES
        self._take("")
        try:
            if isinstance(found, bytes):
                return self._whole(found, media, "no-cache")
            most = limits.DIRECTORY_FILE_BYTES_MAX
            return await _stream(request, found, media, "no-cache", most, "directory.not-found")
        finally:
            self._give_back("")

    def _whole(self, body: bytes, media: str, cache: str = "no-store") -> web.Response:
        return web.Response(body=body, content_type=media, headers={"Server": _SERVER, "Cache-Control": cache})

    # --- bounds -------------------------------------------------------------------------------------------------

    def _take(self, caller: str) -> None:
        """A place at work; raises where there is none, in all or for this caller."""
        settings = self._settings
        if self._at_work.total() >= settings.requests_max or self._at_work[caller] >= settings.requests_per_peer_max:
            raise _Refused(OurFault("node.busy"))
        self._at_work[caller] += 1

    def _give_back(self, caller: str) -> None:
        self._at_work[caller] -= 1
        if not self._at_work[caller]:
            del self._at_work[caller]

    def _refuse(self, request: web.BaseRequest, caller: str, error: DocaxisError, status: int = 0) -> web.Response:
        if not error.code.startswith("node."):
            self._tls.noted(caller, error.code, f"{request.method} {request.raw_path[:100]}: {error.detail}")
        return refusal(error, status, hang_up=not request.content.is_eof())  # what is not read ends the line


def _digest_of(text: str) -> bytes:
    """32 bytes from 64 lower-case hexadecimal digits: one spelling for each address."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != base.DIGEST_BYTES or raw.hex() != text:
        raise TheirFault("id.malformed", "64 lower-case hexadecimal digits are expected")
    return raw


async def _stream(
    request: web.BaseRequest, path: Path, media: str, cache: str, bytes_max: int, absent: str
) -> web.StreamResponse:
    """A file, piece by piece: one answer holds one piece in memory, whatever the length."""
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError:
        raise TheirFault(absent, "not here any more") from None
    try:
        first = await asyncio.to_thread(file.read, _PIECE_BYTES)
        size = await asyncio.to_thread(file.seek, 0, 2)
        if size > bytes_max:
            raise OurFault("node.store", f"{path} has {size} bytes, at most {bytes_max} may be served")
        response = web.StreamResponse(headers={"Server": _SERVER, "Content-Type": media, "Cache-Control": cache})
        response.content_length = size
        await response.prepare(request)
        await response.write(first)
        sent = len(first)
        await asyncio.to_thread(file.seek, sent)
        while sent < size:
            piece = await asyncio.to_thread(file.read, min(_PIECE_BYTES, size - sent))
            if not piece:
                raise ConnectionError("the file became shorter while it was sent")
            await response.write(piece)
            sent += len(piece)
        await response.write_eof()
        return response
    finally:
        file.close()
