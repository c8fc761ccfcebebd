"""A street of real nodes for the tests of the local API: real machines, keys and stores, one postman instead of TLS.

The postman carries the very bytes that the transport would, inside one process. Everything the API touches is the
product's own.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path

from aiohttp import web

from docaxis.api.app import make_app
from docaxis.client import Client
from docaxis.core import codec, wire
from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.effects import Send
from docaxis.core.errors import DocaxisError
from docaxis.core.events import Delivered, Undelivered
from docaxis.core.ids import DocId, PartyId
from docaxis.runtime.clock import SystemClock
from docaxis.runtime.content import Content
from docaxis.runtime.disk import Disk
from docaxis.runtime.entropy import SystemEntropy
from docaxis.runtime.hands import Front
from docaxis.runtime.log import Log
from docaxis.runtime.metrics import Metrics
from docaxis.runtime.node import Node, Parts
from docaxis.seal.sign import NodeSeal
from docaxis.store.blobs import Blobs
from docaxis.store.sqlite import SqliteStore

TOKEN = "a token of a test"
HOST = "127.0.0.1"


class Postman:
    """Carries batches and chunks between the nodes of the street, and what cannot be carried back."""

    def __init__(self, me: PartyId, street: "Street") -> None:
        self._me = me
        self._street = street

    async def send(self, wish: Send) -> Delivered | Undelivered:
        """One batch to its door."""
        house = self._street.houses.get(wish.peer)
        if house is None or house.away:
            return Undelivered(wish.peer, wish.flight, "peer.unreachable", "nobody at home", 0)
        try:
            body = await house.node.inbound(self._me, wire.decode_batch(wish.body))
        except DocaxisError as error:
            return Undelivered(wish.peer, wish.flight, error.code, error.detail, 0)
        return Delivered(wish.peer, wish.flight, wire.decode_reply(body))

    async def fetch_chunk(self, peer: PartyId, endpoints: Sequence[str], doc: DocId, digest: bytes, size: int) -> bytes:
        """One chunk from its door."""
        found = await self._street.houses[peer].node.chunk(self._me, doc, digest)
        return found if isinstance(found, bytes) else found.read_bytes()


class NoGate:
    """No listener for peers: the postman knocks at the node itself."""

    async def open(self, node: Node) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def adopt(self, book: Book) -> None:
        """Nobody to be told."""


class OneBook:
    """A directory of one edition."""

    def __init__(self, book: Book) -> None:
        self.book = book

    async def refresh(self, now_ms: int) -> Book | None:
        """There is no newer one."""
        return None

    def file(self, name: str) -> bytes | None:
        """It is not published here."""
        return None

    def proofs(self, parties: Sequence[PartyId]) -> Sequence[bytes]:
        """Something opaque: what is inside is the directory's business."""
        return [codec.encode(list(parties))]


class House:
    """One node with its local API, and the folder that its chunks are in."""

    def __init__(self, node: Node, chunks: Path) -> None:
        self.node = node
        self.chunks = chunks
        self.away = False
        self.url = ""

    def kept(self) -> list[Path]:
        """Its chunk files."""
        return [path for path in self.chunks.rglob("*") if path.is_file()]

    def client(self) -> Client:
        """A client of its API."""
        return Client(self.url, TOKEN)


class Street:
    """All houses, and the book that they share."""

    def __init__(self, folder: Path, codes: Sequence[str]) -> None:
        self.folder = folder
        self.log = StringIO()
        self.seals = {PartyId(code): NodeSeal((code * 32).encode()[:32]) for code in codes}
        self.entries = {party: entry_of(party, seal) for party, seal in self.seals.items()}
        self.houses: dict[PartyId, House] = {}

    def book(self) -> Book:
        """Who lives here; the first house also has an old number."""
        now_ms = SystemClock().now_ms()
        aliases = {f"000.00.00.{party}": party for party in self.entries}
        return Book(self.entries.get, aliases, 7, now_ms, {}, sorted(self.entries))

    def parts(self, party: PartyId, folder: Path) -> Parts:
        """What a house is made of."""
        clock, store, postman = SystemClock(), SqliteStore(folder / "node.db"), Postman(party, self)
        disk = Disk(self.folder, 0, clock)
        return Parts(
            me=party,
            folder=folder,
            seal=self.seals[party],
            store=store,
            content=Content(store, Blobs(folder / "blobs"), postman, disk),
            courier=postman,
            gate=NoGate(),
            directory=OneBook(self.book()),
            disk=disk,
            clock=clock,
            entropy=SystemEntropy(),
            front=Front(Log(self.log, "debug", "logfmt", clock.now_ms, {"id": party}), Metrics()),
        )

    @asynccontextmanager
    async def open(self, party: PartyId) -> AsyncIterator[House]:
        """A house that is lived in."""
        folder = self.folder / party
        folder.mkdir()
        house = self.houses[party] = House(Node(self.parts(party, folder)), folder / "blobs")
        await house.node.start()
        runner = web.AppRunner(make_app(house.node, TOKEN), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        house.url = f"http://{HOST}:{runner.addresses[0][1]}"
        try:
            yield house
        finally:
            await house.node.stop()
            await runner.cleanup()


def entry_of(party: PartyId, seal: NodeSeal) -> Entry:
    """What the directory says of a house."""
    key = SigningKey(seal.key_id, seal.algorithm, seal.public_key, 0, 0)
    names = (f"Cơ quan {party}", f"Agency {party}")
    endpoint = f"https://{party.lower()}.example.vn"
    return Entry(
        party, *names, "agency", None, (endpoint,), (), (key,), (), (f"000.00.00.{party}",), Status.OPEN, (), 0, 0, 1
    )


def unknown_id(seed: int) -> DocId:
    """An id that no document has."""
    return DocId(seed.to_bytes(32, "big"))
