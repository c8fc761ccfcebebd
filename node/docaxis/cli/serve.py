"""The composition root: builds a node from its folder, with both its listeners, and runs it.

The only place that knows every adapter. It decides nothing and computes nothing: settings in, running parts out.
"""

import asyncio
import gc
import getpass
import logging
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final, NamedTuple, TextIO

import aiohttp
from aiohttp import web

from docaxis.api.app import make_app
from docaxis.core.addresses import Book
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.limits import DAY_MS, MIB, SECOND_MS
from docaxis.core.policy import Policy
from docaxis.directory.repository import Repository
from docaxis.runtime import folder as places
from docaxis.runtime.clock import Clock, SystemClock
from docaxis.runtime.config import Settings
from docaxis.runtime.content import Content
from docaxis.runtime.disk import Disk
from docaxis.runtime.entropy import Entropy, SystemEntropy
from docaxis.runtime.hands import Front
from docaxis.runtime.log import Log, library_said
from docaxis.runtime.metrics import Metrics
from docaxis.runtime.node import Node, Parts
from docaxis.runtime.perform import Probe
from docaxis.runtime.sources import NodeDirectory
from docaxis.seal.certificates import DOMAIN, certificate_der, certificate_names, tls_name
from docaxis.seal.keys import read_private
from docaxis.seal.sign import NodeSeal
from docaxis.store.base import Store
from docaxis.store.blobs import Blobs
from docaxis.store.sqlite import SqliteStore
from docaxis.transport.client import PeerClient
from docaxis.transport.server import PeerServer
from docaxis.transport.tls import Identity, PeerTls

PASSPHRASE_VARIABLE: Final = "DOCAXIS_PASSPHRASE"
API_GRACE_S: Final = 5.0
YOUNG_OBJECTS_MAX: Final = 20_000
SWITCH_INTERVAL_S: Final = 0.001


class PeerGate:
    """The peers' way in: TLS in step with the directory, and the listener. Keeps `docaxis.runtime.node.Gate`."""

    def __init__(self, identity: Identity, host: str, port: int) -> None:
        self.tls = PeerTls(identity, self._noted)
        self._host = host
        self._port = port
        self._node: Node | None = None
        self._server: PeerServer | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None, "open it first"
        return self._server.addresses[0][1]

    async def open(self, node: Node) -> None:
        """Listens for `node`."""
        self._node = node
        self._server = PeerServer(node, self.tls)
        await self._server.start(self._host, self._port)

    async def close(self) -> None:
        """Stops listening."""
        if self._server is not None:
            await self._server.stop()

    async def adopt(self, book: Book) -> None:
        """Trusts the certificates that this directory lists."""
        entries = (book.entry(party) for party in book.parties)
        await self.tls.adopt(book, [entry for entry in entries if entry is not None])

    def _noted(self, peer: str, code: str, detail: str) -> None:
        if self._node is not None:
            self._node.refused(peer, code, detail)


class Service:
    """One node of one folder, with the peers' listener and the local API. Made by `open_service`."""

    def __init__(self, folder: Path, settings: Settings, node: Node, gate: PeerGate, resources: AsyncExitStack) -> None:
        self.folder = folder
        self.settings = settings
        self.node = node
        self.gate = gate
        self.api_port = 0
        self._resources = resources
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Opens the node and both listeners; raises `DocaxisError` where it cannot, with nothing left open."""
        try:
            await self.node.start()
            await self._start_api()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Finishes what is under way and closes everything."""
        self.node.refuse_new()
        if self._runner is not None:
            await self._runner.cleanup()
            (self.folder / places.API_PORT).unlink(missing_ok=True)
        await self.node.stop()
        await self._resources.aclose()

    async def _start_api(self) -> None:
        api = self.settings.api
        token = read_private(self.folder / places.API_TOKEN).decode("ascii").strip()
        app = make_app(self.node, token, (api.host, *api.names))
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=API_GRACE_S)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, api.host, api.port).start()
        except OSError as error:
            raise OurFault("node.config", f"the API cannot listen on {api.host}:{api.port}: {error.strerror}") from None
        self.api_port = self._runner.addresses[0][1]
        (self.folder / places.API_PORT).write_text(f"{self.api_port}\n", encoding="ascii")


async def open_service(
    folder: Path,
    settings: Settings,
    passphrase: str | None = None,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    probe: Probe | None = None,
    log_to: TextIO | None = None,
    store: Store | None = None,
) -> Service:
    """Everything a node needs, built and not yet started. Call it inside the loop that will run the node.

    What is not given is the real thing: the system's clock and chance, the SQLite file in the folder.
    Raises `OurFault` for keys that cannot be opened and files that are not there.
    """
    clock = clock or SystemClock()
    log = Log(log_to or sys.stderr, settings.log.level, settings.log.form, clock.now_ms, {"node": settings.node.id})
    if isinstance(clock, SystemClock):
        clock.on_jump = lambda jump_ms: log.note("clock.jumped", "warning", by_ms=jump_ms)
    async with AsyncExitStack() as resources:
        identity = _identity(folder, settings, passphrase)
        gate = PeerGate(identity, settings.peers.host, settings.peers.port)
        client = PeerClient(gate.tls)
        resources.push_async_callback(client.close)
        chosen = Chosen(clock, entropy or SystemEntropy(), store or SqliteStore(folder / places.DATABASE), log)
        directory = _directory(folder, settings, gate, client, chosen, resources)
        seal = NodeSeal.load(folder / places.SIGNING_KEY, passphrase)
        node = Node(_parts(folder, settings, seal, gate, client, directory, chosen), probe)
        return Service(folder, settings, node, gate, resources.pop_all())
    raise AssertionError("the stack swallows no error")


class Chosen(NamedTuple):
    """What a test may choose, and everybody else takes from the system."""

    clock: Clock
    entropy: Entropy
    store: Store
    log: Log


def _identity(folder: Path, settings: Settings, passphrase: str | None) -> Identity:
    me = PartyId(settings.node.id)
    certificate_of(folder, me)
    return Identity(me, folder / places.TLS_CERTIFICATE, folder / places.TLS_KEY, passphrase)


def certificate_of(folder: Path, me: PartyId) -> bytes:
    """The node's certificate (DER), once it bears the name of `node.id`.

    Raises `OurFault` ``node.keys`` where it cannot be read, ``node.config`` where it is another's.
    """
    path = folder / places.TLS_CERTIFICATE
    try:
        certificate = certificate_der(path.read_bytes())
        names = certificate_names(certificate)
    except OSError as error:
        raise OurFault("node.keys", f"{path} cannot be read: {error.strerror}") from None
    except TheirFault:
        raise OurFault("node.keys", f"{path} is no certificate in PEM") from None
    if names != (tls_name(me),):
        whose = ", ".join(name.removesuffix(DOMAIN).upper() for name in names) or "nobody"
        raise OurFault(
            "node.config",
            f"node.id is {me}, but {path} is the certificate of {whose}: "
            f"set node.id back, or put the keys of {me} there",
        )
    return certificate


def _parts(
    folder: Path,
    settings: Settings,
    seal: NodeSeal,
    gate: PeerGate,
    client: PeerClient,
    directory: NodeDirectory,
    chosen: Chosen,
) -> Parts:
    clock, entropy, store, log = chosen
    disk = Disk(folder, settings.disk.reserve_mib * MIB, clock)
    return Parts(
        me=PartyId(settings.node.id),
        seal=seal,
        store=store,
        content=Content(store, Blobs(folder / places.BLOBS), client, disk),
        courier=client,
        gate=gate,
        directory=directory,
        disk=disk,
        clock=clock,
        entropy=entropy,
        front=Front(log, Metrics()),
        folder=folder,
        certificate=certificate_of(folder, PartyId(settings.node.id)),
        policy=Policy(settings.documents.expires_default_days * DAY_MS, settings.peers.credit_items),
        refresh_interval_ms=settings.directory.refresh_interval_s * SECOND_MS,
    )


def _directory(
    folder: Path,
    settings: Settings,
    gate: PeerGate,
    client: PeerClient,
    chosen: Chosen,
    resources: AsyncExitStack,
) -> NodeDirectory:
    try:
        root = (folder / places.ROOT).read_bytes()
    except OSError as error:
        detail = f"{folder / places.ROOT} cannot be read ({error.strerror}); it is the root file of the directory"
        raise OurFault("node.config", detail) from None
    web_session: list[aiohttp.ClientSession] = []

    def session() -> aiohttp.ClientSession:
        if not web_session:
            web_session.append(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
            resources.push_async_callback(web_session[0].close)
        return web_session[0]

    repository = Repository.open(folder / places.DIRECTORY, root, chosen.clock.now_ms())
    from_peer = client.fetch_directory if settings.directory.ask_peers else None
    me = PartyId(settings.node.id)
    return NodeDirectory(
        repository, me, settings.directory.sources, from_peer, session, gate.tls.anonymous_context, chosen.entropy
    )


def passphrase_of(folder: Path, environment: Mapping[str, str]) -> str | None:
    """The passphrase for this node's keys: from the environment, or asked for at a terminal if a key is encrypted.

    Raises `OurFault` ``node.passphrase`` where one is needed and nobody can be asked.
    """
    given = environment.get(PASSPHRASE_VARIABLE)
    if given:
        return given
    encrypted = [name for name in (places.SIGNING_KEY, places.TLS_KEY) if b"ENCRYPTED" in read_private(folder / name)]
    if not encrypted:
        return None
    if not sys.stdin.isatty():
        raise OurFault("node.passphrase", f"{folder / encrypted[0]} is encrypted; set {PASSPHRASE_VARIABLE}")
    return getpass.getpass(f"Passphrase for the keys in {folder}: ")


class _LibraryLines(logging.Handler):
    """Warnings of libraries become lines of our log."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        self._log.notes([library_said(record)])


def run(folder: Path, settings: Settings, passphrase: str | None) -> None:
    """Runs a node until SIGTERM or SIGINT; raises `DocaxisError` where it cannot start or go on."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run(folder, settings, passphrase))


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    with suppress(ImportError):
        import uvloop

        return uvloop.Loop
    return None


async def _run(folder: Path, settings: Settings, passphrase: str | None) -> None:
    service = await open_service(folder, settings, passphrase)
    library_lines = _LibraryLines(service.node.log)
    logging.getLogger().addHandler(library_lines)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    await service.start()
    tune_interpreter()
    try:
        async with asyncio.TaskGroup() as group:
            life = group.create_task(service.node.wait())
            await asked.wait()
            life.cancel()
    except BaseExceptionGroup as errors:
        raise OurFault("node.store", f"the node ended by a mistake of its own: {errors.exceptions[0]!r}") from None
    finally:
        await service.stop()
        logging.getLogger().removeHandler(library_lines)


def tune_interpreter() -> None:
    """Tells the interpreter about a running node.

    What was built by now lives as long as the process, and what comes are many small values in no cycles (the core's
    tests hold it to that): the collector looks less often, for it stops the node while it looks. And the store's
    writer, which gives the interpreter's lock up at each statement, gets it back within a millisecond while the loop
    computes, instead of five.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, 20, 20)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
