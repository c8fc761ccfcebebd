"""The ground an axis stands on: a directory made by a real ceremony, and one prepared folder for each node.

Makes files and reads them back; starts nothing. Ports lie outside the range that the system gives to outgoing
connections, so that a node that was off finds its own free when it comes back.
"""

import os
import socket
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from docaxis.cli.node import make_folder
from docaxis.core.addresses import Book, Entry
from docaxis.core.errors import OurFault
from docaxis.core.ids import PartyId, party_id
from docaxis.directory.ceremony import Ceremony
from docaxis.directory.entries import make_key, simple_entry
from docaxis.runtime import folder as places
from docaxis.runtime.clock import Clock, SystemClock
from docaxis.runtime.config import (
    ApiSettings,
    DirectorySettings,
    DiskSettings,
    LogSettings,
    NodeSettings,
    PeerSettings,
    Settings,
)
from docaxis.runtime.entropy import SystemEntropy
from docaxis.store.blobs import Blobs
from docaxis.store.sqlite import SqliteStore
from docaxis.testing.audit import Findings, Kit, audit
from docaxis.transport.client import PeerClient
from docaxis.transport.tls import Identity, PeerTls

LOOPBACK: Final = "127.0.0.1"
PORT_FIRST: Final = 20_000
PORT_LAST: Final = 32_000
TOKEN_BYTES: Final = 32
TEST_REFRESH_S: Final = 600


class Agency(NamedTuple):
    """An agency as it enters the directory."""

    code: str
    name_vi: str
    name_en: str
    kind: str


class Ground:
    """Folders of nodes by code under `folder`, the directory's public files, and the root file to trust."""

    def __init__(self, folder: Path, agencies: Mapping[str, Agency], ceremony: Ceremony, entries: list[Entry]) -> None:
        self.folder = folder
        self.agencies = agencies
        self.ceremony = ceremony
        self.nodes = {code: folder / "nodes" / code for code in agencies}
        self.root = folder / "root.json"
        self._entries = {entry.id: entry for entry in entries}

    def entry(self, code: str) -> Entry:
        """An agency's entry as it was published."""
        return self._entries[PartyId(code)]

    def book(self) -> Book:
        """A book over the entries that were published, for audits."""
        return Book(self._entries.get, {}, 1, 0, {}, tuple(self._entries))

    @asynccontextmanager
    async def kit(self, code: str) -> AsyncIterator[Kit]:
        """What a node that has stopped has on its disk."""
        store = SqliteStore(self.nodes[code] / places.DATABASE)
        await store.open(SystemClock().now_ms())
        try:
            yield Kit(store, Blobs(self.nodes[code] / places.BLOBS))
        finally:
            await store.close()

    async def findings(self) -> Findings:
        """The audit of all nodes, once they have stopped."""
        async with AsyncExitStack() as stack:
            kits = {PartyId(code): await stack.enter_async_context(self.kit(code)) for code in self.nodes}
            return await audit(kits, self.book())

    @asynccontextmanager
    async def thief_client(self, code: str) -> AsyncIterator[PeerClient]:
        """A peer client with the TLS identity of another node, stolen from its folder."""
        folder = self.nodes[code]
        identity = Identity(PartyId(code), folder / places.TLS_CERTIFICATE, folder / places.TLS_KEY)
        tls = PeerTls(identity, lambda peer, code, detail: None)
        await tls.adopt(self.book(), list(self._entries.values()))
        client = PeerClient(tls)
        try:
            yield client
        finally:
            await client.close()


def make_ground(folder: Path, agencies: Mapping[str, Agency], clock: Clock | None = None) -> Ground:
    """Keys, certificates and settings for every agency, and a directory of them with a threshold root.

    Raises `OurFault` ``node.exists`` where `folder` holds a ground already.
    """
    if (folder / "nodes").exists():
        raise OurFault("node.exists", f"{folder} holds an axis already")
    now_ms = (clock or SystemClock()).now_ms()
    folder.mkdir(parents=True, exist_ok=True)
    ceremony = Ceremony(folder / "directory", now_ms)
    ports = free_ports(len(agencies))
    entries = []
    for agency in agencies.values():
        entry = _make_node(folder / "nodes" / agency.code, agency, next(ports), ceremony.public, now_ms)
        ceremony.add_agency([entry])
        entries.append(entry)
    ceremony.publish(now_ms)
    ground = Ground(folder, agencies, ceremony, entries)
    ground.root.write_bytes(ceremony.root)
    for node in ground.nodes.values():
        (node / places.ROOT).write_bytes(ceremony.root)
    return ground


def _make_node(folder: Path, agency: Agency, port: int, directory: Path, now_ms: int) -> Entry:
    """One node's folder, made as `docaxis node init` makes it, and its entry for the directory."""
    endpoint = f"https://{LOOPBACK}:{port}"
    code = party_id(agency.code)
    settings = Settings(
        node=NodeSettings(id=code),
        peers=PeerSettings(host=LOOPBACK, port=port, endpoint=endpoint),
        api=ApiSettings(host=LOOPBACK, port=0),
        directory=DirectorySettings(sources=(directory.resolve().as_uri(),), refresh_interval_s=TEST_REFRESH_S),
        disk=DiskSettings(reserve_mib=0),
        log=LogSettings(level="warning"),
    )
    made = make_folder(folder, settings, None, now_ms, SystemEntropy().take(TOKEN_BYTES))
    keys = tuple(make_key(b64decode(each["public"]), each["not_before_ms"]) for each in made["keys"])
    certificates = tuple(b64decode(each) for each in made["certificates"])
    entry = simple_entry(code, agency.name_vi, agency.name_en, agency.kind)
    return entry._replace(endpoints=(endpoint,), keys=keys, certificates=certificates)


def free_ports(count: int) -> Iterator[int]:
    """Ports of the loopback that nobody listens on now, each once; the search begins at a place of this process's own.

    Raises `OurFault` ``node.config`` when there are not enough.
    """
    span = PORT_LAST - PORT_FIRST
    begin = os.getpid() * 127 % span
    found = 0
    for step in range(span):
        port = PORT_FIRST + (begin + step) % span
        if found < count and _is_free(port):
            found += 1
            yield port
        if found == count:
            return
    raise OurFault("node.config", f"fewer than {count} free ports from {PORT_FIRST} to {PORT_LAST} on {LOOPBACK}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
