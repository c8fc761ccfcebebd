"""What HTTPS itself costs: the rate of bare PUT requests with mutual TLS, and of the same through our transport.

Two processes, one caller and one listener, both on uvloop, nothing stored and nothing signed. `bare` is aiohttp with a
handler that only answers; `transport` is `PeerClient` and `PeerServer` with the decoding of batch and reply. Every
other speed of the node is quoted as a ratio to `bare` measured in the same run, because machines differ and vary.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import ssl
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

from docaxis.core import wire
from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.effects import Send
from docaxis.core.events import Delivered
from docaxis.core.ids import DocId, PartyId
from docaxis.core.signed import sign_together
from docaxis.core.wire import Batch, Item, Outcome, Reply, Result
from docaxis.seal.certificates import certificate_der, certificate_pem, make_certificate, tls_name
from docaxis.seal.keys import new_tls_key, write_private
from docaxis.seal.sign import NodeSeal
from docaxis.transport.client import PeerClient
from docaxis.transport.server import PeerServer
from docaxis.transport.tls import Identity, PeerTls

HOST = "127.0.0.1"
CALLER, LISTENER = PartyId("G22"), PartyId("H49")
SEAL = NodeSeal(bytes(32))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of this benchmark."""
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each part runs (default 3)")
    parser.add_argument("--flights", type=int, default=16, help="requests under way at a time (default 16)")
    parser.add_argument("--bytes", type=int, default=2048, help="bytes of the object in a request (default 2048)")


def identities(folder: Path) -> dict[PartyId, Identity]:
    """Fresh keys and certificates for both."""
    made = {}
    for party in (CALLER, LISTENER):
        key = new_tls_key()
        home = folder / party
        home.mkdir()
        write_private(home / "tls.pem", key)
        (home / "tls.crt").write_bytes(certificate_pem(make_certificate(party, key, int(time.time() * 1000))))
        made[party] = Identity(party, home / "tls.crt", home / "tls.pem")
    return made


def entries(known: dict[PartyId, Identity]) -> dict[PartyId, Entry]:
    """The directory of the two."""
    key = SigningKey(SEAL.key_id, SEAL.algorithm, SEAL.public_key, 0, 0)
    return {
        party: Entry(
            party, party, party, "agency", None, (f"https://{HOST}:1",), (), (key,),
            (certificate_der(identity.certificate.read_bytes()),), (), Status.OPEN, (), 0, 0, 1,
        )
        for party, identity in known.items()
    }  # fmt: skip


async def peer_tls(me: PartyId, known: dict[PartyId, Identity]) -> PeerTls:
    """The contexts of one of them."""
    tls, listed = PeerTls(known[me], lambda *_: None), entries(known)
    await tls.adopt(Book(listed.get, {}, 1, 0, {}), listed.values())
    return tls


class Service:
    """Answers at once."""

    def __init__(self, tls: PeerTls) -> None:
        self.book = tls.book

    async def inbound(self, peer: PartyId, batch: Batch) -> bytes:
        """As a node would, without keeping anything."""
        results = tuple(Result(Outcome.KEPT, "", 0, None) for _ in batch.items)
        return wire.encode_reply(Reply(LISTENER, 1, 0, 1, 64, 0, results))

    async def chunk(self, peer: PartyId, doc: DocId, digest: bytes) -> bytes | Path:
        """Never asked for."""
        raise AssertionError

    def directory_file(self, name: str) -> Path | None:
        """Never asked for."""
        return None

    def hello(self) -> dict[str, object]:
        """Never asked for."""
        return {}


def bare_context(me: PartyId, known: dict[PartyId, Identity], protocol: int) -> ssl.SSLContext:
    """Mutual TLS 1.3 with nothing around it."""
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_cert_chain(known[me].certificate, known[me].key)
    for identity in known.values():
        context.load_verify_locations(identity.certificate)
    return context


async def _bare_handler(request: web.BaseRequest) -> web.StreamResponse:
    await request.read()
    return web.Response(body=b"x" * 256)


async def _listen(known: dict[PartyId, Identity], line: Connection) -> None:
    tls = await peer_tls(LISTENER, known)
    server = PeerServer(Service(tls), tls)
    await server.start(HOST, 0)
    context = bare_context(LISTENER, known, ssl.PROTOCOL_TLS_SERVER)
    bare = await asyncio.get_running_loop().create_server(
        web.Server(_bare_handler, access_log=None), HOST, 0, ssl=context
    )
    line.send((server.addresses[0][1], bare.sockets[0].getsockname()[1]))
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    loop.add_reader(line.fileno(), asked.set)
    while True:
        await asked.wait()
        asked.clear()
        if line.recv() == "stop":
            return
        line.send(_cpu_s())


def listen(known: dict[PartyId, Identity], line: Connection) -> None:
    """The process of the listener; tells its processor time whenever it is asked."""
    uvloop.run(_listen(known, line))


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def measure(
    call: Callable[[], Awaitable[object]], line: Connection, seconds: float, flights: int
) -> dict[str, float]:
    """Calls as fast as `flights` at a time allow; requests a second, latency, processor time of both sides."""
    await asyncio.gather(*(call() for _ in range(flights)))  # connections are made before the clock starts
    line.send("cpu")
    theirs, ours, begun = line.recv(), _cpu_s(), time.perf_counter()
    taken: list[float] = []

    async def flight() -> None:
        while (started := time.perf_counter()) < begun + seconds:
            await call()
            taken.append(time.perf_counter() - started)

    await asyncio.gather(*(flight() for _ in range(flights)))
    elapsed = time.perf_counter() - begun
    line.send("cpu")
    theirs, ours = line.recv() - theirs, _cpu_s() - ours
    cuts = statistics.quantiles(taken, n=100)
    return {
        "requests_per_s": round(len(taken) / elapsed, 1),
        "p50_ms": round(cuts[49] * 1000, 3),
        "p99_ms": round(cuts[98] * 1000, 3),
        "caller_cpu_us": round(ours / len(taken) * 1e6, 1),
        "listener_cpu_us": round(theirs / len(taken) * 1e6, 1),
    }


async def _call(
    known: dict[PartyId, Identity], line: Connection, args: argparse.Namespace, ports: tuple[int, int]
) -> dict[str, Any]:
    ours, bare = ports
    tls = await peer_tls(CALLER, known)
    signed = sign_together(SEAL, CALLER, [b"x" * args.bytes], 1)
    items = tuple(Item(wire.STATEMENT, each.id, each, ()) for each in signed)
    body = wire.encode_batch(Batch(CALLER, LISTENER, 1, 0, 1, items))
    wish = Send(LISTENER, 1, (f"https://{HOST}:{ours}",), wire.batch_id(items), body)
    client = PeerClient(tls)

    async def through_transport() -> None:
        outcome = await client.send(wish)
        assert isinstance(outcome, Delivered), outcome

    context = bare_context(CALLER, known, ssl.PROTOCOL_TLS_CLIENT)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:

        async def through_aiohttp() -> None:
            url = f"https://{HOST}:{bare}/v1/in/x"
            async with session.put(url, data=body, server_hostname=tls_name(LISTENER)) as response:
                await response.read()

        found: dict[str, Any] = {"bare": await measure(through_aiohttp, line, args.seconds, args.flights)}
        # A client keeps few connections to one peer, so its flights queue for them as they do in a node.
        found["transport"] = await measure(through_transport, line, args.seconds, args.flights)
        again = await measure(through_aiohttp, line, args.seconds, args.flights)
    await client.close()
    found["bare_per_s"] = round((found["bare"]["requests_per_s"] + again["requests_per_s"]) / 2, 1)
    found["ratio"] = round(found["transport"]["requests_per_s"] / found["bare_per_s"], 3)
    return found


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Both parts in turn, the bare one before and after; `bare_per_s` is what others quote their ratio to."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        known = identities(Path(folder))
        near, far = spawn.Pipe()
        process = spawn.Process(target=listen, args=(known, far), daemon=True)
        process.start()
        try:
            return uvloop.run(_call(known, near, args, near.recv()))
        finally:
            near.send("stop")
            process.join(5)


def main() -> None:
    """Runs it alone and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    print(json.dumps(run(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
