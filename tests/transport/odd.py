"""Calls that must fail, and listeners that say what no node would: for the tests of the client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from docaxis.core.effects import Send
from docaxis.core.events import Undelivered
from docaxis.transport.base import CLIENT_DEFAULTS, ClientSettings
from tests.transport.town import HOST, Node, Town

HASTY = ClientSettings(connect_s=0.4, answer_s=0.4)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def odd_listener(node: Node, talk: Talk) -> AsyncIterator[str]:
    """A listener with the node's own certificate that says whatever `talk` says; its address."""
    server = await asyncio.start_server(talk, HOST, 0, ssl=node.tls.server_context)
    try:
        yield f"https://{HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def saying(*parts: bytes) -> Talk:
    """Reads the head of a request, says the parts, and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
        try:
            await writer.drain()
            writer.close()
        except ConnectionError:
            pass

    return talk


def answer(body: bytes, status: str = "200 OK", media: str = "application/vnd.docaxis.reply", more: str = "") -> bytes:
    """An answer as it goes over the wire."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
    )
    return head.encode() + body


async def failed(caller: Node, wish: Send) -> Undelivered:
    """The outcome of a call that must fail."""
    outcome = await caller.client.send(wish)
    assert isinstance(outcome, Undelivered), outcome
    assert (outcome.peer, outcome.flight) == (wish.peer, wish.flight)
    return outcome


async def pair(town: Town, client: ClientSettings = CLIENT_DEFAULTS) -> tuple[Node, Node]:
    """Who calls, and who is called."""
    return await town.settle("G22", client=client), await town.settle("H49")
