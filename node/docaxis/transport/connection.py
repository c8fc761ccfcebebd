"""Connections: who is on the line, how many lines there are, and how long a line may keep us waiting.

What aiohttp leaves open on its own: a bound on connections in all and for each peer, a time for the head of a
request and for the whole of it, and errors that tell nothing. What a request means is not this module's business.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader

from docaxis.core.addresses import Book
from docaxis.core.errors import DocaxisError, OurFault, TheirFault
from docaxis.core.ids import PartyId
from docaxis.transport.base import MEDIA_PROBLEM, Refused, ServerSettings
from docaxis.transport.problems import problem_of
from docaxis.transport.tls import identify

Handler = Callable[[web.BaseRequest], Any]

HUNG_UP: Final = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError, web.RequestPayloadError)
"""What aiohttp and the loop raise where a caller has gone, in the middle of what it says or of what it is told."""
GONE: Final = "the caller hung up before the end"

_HEADERS: Final = {"Server": "docaxis", "Cache-Control": "no-store"}


def refusal(error: DocaxisError, status: int = 0, *, hang_up: bool = False) -> web.Response:
    """The answer that tells of `error`."""
    problem = problem_of(error, status)
    response = web.Response(body=problem.body, status=problem.status, headers=_HEADERS, content_type=MEDIA_PROBLEM)
    if problem.retry_after_s:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    if hang_up:
        response.force_close()
    return response


class Connection(web.RequestHandler):
    """One TLS connection. `certificate` is what the caller proved to hold, None for an anonymous one."""

    __slots__ = ("_answering_since", "_head_since", "_identified", "_lines", "certificate")

    def __init__(self, lines: "Lines", loop: asyncio.AbstractEventLoop, **settings: Any) -> None:
        super().__init__(lines, loop=loop, **settings)
        self.certificate: bytes | None = None
        self._lines = lines
        self._identified: tuple[Book, PartyId] | None = None
        self._head_since = 0.0
        self._answering_since = 0.0

    def peer(self, book: Book) -> PartyId:
        """Whose connection this is by the directory in force; raises `TheirFault` ``party.*``."""
        known = self._identified
        if known is not None and known[0] is book:
            return known[1]
        self._identified = None
        if self.certificate is None:
            raise TheirFault("party.unknown", "no certificate was shown")
        party = identify(book, self.certificate)
        self._identified = (book, party)
        return party

    def request_begins(self) -> None:
        """The head of a request is complete."""
        self._head_since = 0.0
        self._answering_since = self._loop.time()

    def overdue(self, now_s: float, settings: ServerSettings) -> bool:
        """Whether this line has kept us waiting for too long."""
        if self._answering_since:
            return now_s - self._answering_since > settings.request_s
        return bool(self._head_since) and now_s - self._head_since > settings.head_s

    def abort(self) -> None:
        """Cuts the line at once; what is in its buffers is lost."""
        transport = self.transport
        if transport is not None:
            transport.abort()

    # --- what aiohttp calls -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """After the handshake."""
        ssl_object = transport.get_extra_info("ssl_object")
        self.certificate = ssl_object.getpeercert(binary_form=True) if ssl_object is not None else None
        self._head_since = self._loop.time()
        if self._lines.admit(self):
            super().connection_made(transport)
        else:
            self._force_close = True
            whose = "a peer" if self.certificate else "strangers"
            self._lines.noted("", "node.busy", f"one connection too many of {whose}, or in all")
            # uvloop's transports are none of asyncio's by their class, and know how to be cut all the same.
            cast(asyncio.Transport, transport).abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Whatever the reason."""
        self._lines.release(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Starts the clock for a head that has begun; `request_begins` stops it."""
        if not self._head_since and not self._answering_since:
            self._head_since = self._loop.time()
        super().data_received(data)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """The answer has been taken."""
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._answering_since = 0.0
            if self.certificate is None:
                self._head_since = self._loop.time()  # strangers may not keep a place by saying nothing

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Nonsense on the line, or a mistake of ours: a problem document either way, and no word too many."""
        if isinstance(exc, HUNG_UP):
            self.log_exception("", exc_info=exc)
            raise ConnectionError("nobody is there to be answered")
        if status >= 500:
            self.log_exception("a request failed", exc_info=exc)
            error: DocaxisError = OurFault("node.store", "")
        else:
            error = TheirFault("request.malformed", "not HTTP as this node reads it")
            self._lines.noted("", error.code, f"HTTP {status}")
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun; nothing else can be told")
        return refusal(error, status if status < 500 else 503, hang_up=True)

    def log_exception(self, *args: Any, **keywords: Any) -> None:
        """What no handler foresaw is a bug, and goes to whoever watches the loop, not into a log of aiohttp's; unless
        the caller went away, which is its right."""
        error = keywords.get("exc_info")
        if isinstance(error, HUNG_UP):
            self._lines.noted(self._identified[1] if self._identified else "", "request.malformed", GONE)
        else:
            self._loop.call_exception_handler({"message": str(args[0]), "exception": error})


class Lines(web.Server):
    """All connections of a listener: makes them, counts them, and cuts those that keep us waiting."""

    def __init__(self, handler: Handler, noted: Refused, settings: ServerSettings) -> None:
        """Call it inside the running loop."""
        super().__init__(handler, request_factory=self._begin)
        self.noted: Final = noted
        self._settings = settings
        self._open: set[Connection] = set()
        self._by_caller: Counter[bytes] = Counter()
        self._sweeping: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Event | None = None

    def __call__(self) -> web.RequestHandler:
        """A connection that has been accepted; its handshake follows."""
        settings = self._settings
        return Connection(
            self,
            asyncio.get_running_loop(),
            keepalive_timeout=settings.idle_s,
            access_log=None,
            max_line_size=settings.head_bytes_max,
            max_field_size=settings.head_bytes_max,
            max_headers=settings.headers_max,
            lingering_time=settings.linger_s,
            auto_decompress=False,
        )

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection) -> bool:
        """Counts a connection in, unless there are too many, in all or from this caller."""
        caller = connection.certificate or b""
        most = self._settings.connections_per_peer_max if caller else self._settings.connections_anonymous_max
        if len(self._open) >= self._settings.connections_max or self._by_caller[caller] >= most:
            return False
        self._open.add(connection)
        self._by_caller[caller] += 1
        return True

    def release(self, connection: Connection) -> None:
        """Counts it out; doing so twice is once."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        caller = connection.certificate or b""
        self._by_caller[caller] -= 1
        if not self._by_caller[caller]:
            del self._by_caller[caller]
        if not self._open and self._emptied is not None:
            self._emptied.set()

    async def all_closed(self, patience_s: float) -> None:
        """Returns when every connection is closed; those that take longer than `patience_s` are cut."""
        self._emptied = asyncio.Event()
        if self._open:
            try:
                async with asyncio.timeout(patience_s):
                    await self._emptied.wait()
            except TimeoutError:
                for connection in list(self._open):
                    connection.abort()

    def watch(self) -> None:
        """Begins to look at every line in turn."""
        loop = asyncio.get_running_loop()
        self._sweeping = loop.call_later(self._settings.sweep_s, self._sweep, loop)

    def rest(self) -> None:
        """Ends looking."""
        if self._sweeping is not None:
            self._sweeping.cancel()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now_s = loop.time()
        for connection in [each for each in self._open if each.overdue(now_s, self._settings)]:
            connection.abort()
        self._sweeping = loop.call_later(self._settings.sweep_s, self._sweep, loop)

    def _begin(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        assert isinstance(protocol, Connection)
        protocol.request_begins()
        return web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=0)
