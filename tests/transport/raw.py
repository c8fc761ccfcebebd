"""Raw requests for the tests of the listener, and a listener whose patience is short."""

from docaxis.core import wire
from docaxis.core.wire import Batch
from docaxis.transport.base import ServerSettings
from tests.transport.town import (
    Node,
    Town,
    put_head,
)

QUICK = ServerSettings(head_s=0.6, body_s=0.6, request_s=1.2, handshake_s=0.5, sweep_s=0.05, linger_s=0.1)
DOC, DIGEST = "00" * 32, "11" * 32


async def pair(town: Town, server: ServerSettings = QUICK) -> tuple[Node, Node]:
    """Who is called, and a party of the directory that calls."""
    return await town.settle("H49", server), await town.settle("G22")


def put(batch: Batch, sender: str | None = None) -> bytes:
    """A well-formed request."""
    body = wire.encode_batch(batch)
    return put_head(sender or batch.sender, wire.batch_id(batch.items).hex(), len(body)) + body
