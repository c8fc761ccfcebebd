"""A small town of parties for the tests of transport: real keys, real certificates, real books, real sockets.

Only the service behind a listener is written here: it keeps what reaches it, and answers with real replies.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from docaxis.core import wire
from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.effects import Send
from docaxis.core.errors import TheirFault
from docaxis.core.ids import DocId, KeyId, PartyId
from docaxis.core.signed import sign_together
from docaxis.core.wire import Batch, Item, Outcome, Reply, Result
from docaxis.seal.certificates import certificate_pem, make_certificate, tls_name
from docaxis.seal.keys import new_tls_key, write_private
from docaxis.seal.sign import NodeSeal
from docaxis.transport.base import CLIENT_DEFAULTS, SERVER_DEFAULTS, ClientSettings, ServerSettings
from docaxis.transport.client import PeerClient
from docaxis.transport.server import PeerServer
from docaxis.transport.tls import Identity, PeerTls

NOW_MS = 1_795_000_000_000
HOST = "127.0.0.1"
_TLS_KEY = new_tls_key()  # one key is enough for all: a party is told by its certificate


class Refusal(NamedTuple):
    """One call of the callback for refusals."""

    peer: str
    code: str
    detail: str


def reply_of(party: PartyId, batch: Batch) -> bytes:
    """A real answer: every item kept."""
    results = tuple(Result(Outcome.KEPT, "", 0, None) for _ in batch.items)
    return wire.encode_reply(Reply(party, 1, 0, batch.dir, 64, 0, results))


class Office:
    """The service behind a listener."""

    def __init__(self, me: PartyId, town: "Town") -> None:
        self.me = me
        self.town = town
        self.batches: list[tuple[PartyId, Batch]] = []
        self.chunks: dict[tuple[bytes, bytes], bytes | Path] = {}
        self.files: dict[str, Path] = {}
        self.answer: Callable[[PartyId, Batch], Awaitable[bytes]] | None = None

    @property
    def book(self) -> Book:
        """The town's book: all its parties see the same."""
        return self.town.book

    async def inbound(self, peer: PartyId, batch: Batch) -> bytes:
        """Keeps the batch, and says so."""
        self.batches.append((peer, batch))
        return await self.answer(peer, batch) if self.answer is not None else reply_of(self.me, batch)

    async def chunk(self, peer: PartyId, doc: DocId, digest: bytes) -> bytes | Path:
        """What the test has laid there."""
        try:
            return self.chunks[doc, digest]
        except KeyError:
            raise TheirFault("document.unknown", "no such document for you") from None

    def directory_file(self, name: str) -> Path | None:
        """What the test has laid there."""
        return self.files.get(name)

    def hello(self) -> dict[str, object]:
        """Only its name."""
        return {"id": self.me}


class Node(NamedTuple):
    """One party with its listener and its client."""

    party: PartyId
    office: Office
    tls: PeerTls
    server: PeerServer
    client: PeerClient
    seal: NodeSeal
    refusals: list[Refusal]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.addresses[0][1]

    @property
    def endpoint(self) -> str:
        """Its address as it stands in a directory."""
        return f"https://{HOST}:{self.port}"

    def batch(self, to: PartyId, *bodies: bytes, sender: PartyId | None = None) -> Batch:
        """A batch of signed objects; what they say is not the transport's business."""
        signed = sign_together(self.seal, self.party, bodies, NOW_MS) if bodies else []
        items = tuple(Item(wire.STATEMENT, each.id, each, ()) for each in signed)
        return Batch(sender or self.party, to, 1, 0, self.office.book.version, items)

    def wish(self, to: "Node", *bodies: bytes, sender: PartyId | None = None) -> Send:
        """The effect that sends such a batch."""
        batch = self.batch(to.party, *bodies, sender=sender)
        return Send(to.party, 7, (to.endpoint,), wire.batch_id(batch.items), wire.encode_batch(batch))


class Town:
    """All parties, and the directory they share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[PartyId, Entry] = {}
        self.nodes: list[Node] = []
        self.book = self._book(())

    def _book(self, revoked: tuple[bytes, ...]) -> Book:
        entries = dict(self.entries)
        revocations = {KeyId(each): NOW_MS for each in revoked}
        return Book(entries.get, {}, len(self.nodes) + 1, NOW_MS, revocations)

    def identity(self, party: PartyId, certificate: bytes | None = None) -> Identity:
        """Key and certificate as files."""
        der = certificate or make_certificate(party, _TLS_KEY, NOW_MS - 400 * 86_400_000)
        folder = self.folder / f"{party}-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        write_private(folder / "tls.pem", _TLS_KEY)
        (folder / "tls.crt").write_bytes(certificate_pem(der))
        return Identity(party, folder / "tls.crt", folder / "tls.pem")

    def enter(self, party: PartyId, certificate: bytes, seal: NodeSeal, status: Status = Status.OPEN) -> None:
        """Writes a party into the directory."""
        key = SigningKey(seal.key_id, seal.algorithm, seal.public_key, 0, 0)
        self.entries[party] = Entry(
            party,
            party,
            party,
            "agency",
            None,
            (f"https://{HOST}:1",),
            (),
            (key,),
            (certificate,),
            (),
            status,
            (),
            0,
            0,
            1,
        )

    async def publish(self, revoked: tuple[bytes, ...] = ()) -> None:
        """A new snapshot, which every node adopts."""
        self.book = self._book(revoked)
        for node in self.nodes:
            await node.tls.adopt(self.book, self.entries.values())

    async def settle(
        self,
        code: str,
        server: ServerSettings = SERVER_DEFAULTS,
        client: ClientSettings = CLIENT_DEFAULTS,
        *,
        listed: bool = True,
    ) -> Node:
        """A new party, in the directory unless it is not `listed`, listening and able to call."""
        party, refusals = PartyId(code), list[Refusal]()
        identity, seal, office = self.identity(party), NodeSeal((code * 32).encode()[:32]), Office(party, self)
        tls = PeerTls(identity, lambda *told: refusals.append(Refusal(*told)))
        if listed:
            self.enter(party, ssl.PEM_cert_to_DER_cert(identity.certificate.read_text()), seal)
        node = Node(party, office, tls, PeerServer(office, tls, server), PeerClient(tls, client), seal, refusals)
        self.nodes.append(node)
        await self.publish()
        await node.server.start(HOST, 0)
        return node

    async def leave(self) -> None:
        """Everybody closes."""
        for node in self.nodes:
            await node.client.close()
        for node in self.nodes:
            await node.server.stop(0.2)


class Line:
    """A raw TLS connection to a listener: for what no honest client would send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, raw: bytes) -> None:
        """Sends bytes as they are, as far as the other side still takes them."""
        self.writer.write(raw)
        with suppress(ConnectionError):
            await self.writer.drain()

    async def hear(self) -> tuple[int, dict[str, str], bytes]:
        """One answer: status, headers with lower-case names, body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split(" ")[1]), headers, body

    async def refusal(self) -> tuple[int, str]:
        """Status and code of an answer that must be a problem document, and nothing but one."""
        status, headers, body = await self.hear()
        assert headers["content-type"] == "application/problem+json"
        assert headers["server"] == "docaxis"
        problem = json.loads(body)
        assert problem.keys() == {"type", "title", "status", "detail", "code"}
        assert problem["status"] == status
        assert problem["type"] == f"urn:docaxis:problem:{problem['code']}"
        return status, problem["code"]

    async def rest(self) -> bytes:
        """Everything until the other side hangs up, however it does so."""
        heard = bytearray()
        with suppress(ConnectionError, ssl.SSLError):
            while piece := await self.reader.read(65_536):
                heard += piece
        return bytes(heard)


def context_of(identity: Identity | None) -> ssl.SSLContext:
    """A context that trusts any server and shows what it is given: an attacker's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if identity is not None:
        context.load_cert_chain(identity.certificate, identity.key)
    return context


@asynccontextmanager
async def line_to(node: Node, identity: Identity | None = None) -> AsyncIterator[Line]:
    """A raw connection to `node`."""
    reader, writer = await asyncio.open_connection(
        HOST, node.port, ssl=context_of(identity), server_hostname=tls_name(node.party)
    )
    try:
        yield Line(reader, writer)
    finally:
        writer.transport.abort()


def put_head(
    sender: str, name: str, length: object, media: str = "application/vnd.docaxis.batch", more: str = ""
) -> bytes:
    """The head of a request that brings a batch."""
    return (
        f"PUT /v1/in/{sender}/{name} HTTP/1.1\r\nHost: x\r\nContent-Type: {media}\r\n"
        f"Content-Length: {length}\r\n{more}\r\n"
    ).encode()


def get_head(path: str) -> bytes:
    """The head of a request for something."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
