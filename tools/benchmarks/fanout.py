"""How long one document to ninety-four real nodes takes until the last receipt, all healthy and with dead ones.

Ninety-five nodes in a few processes, as in the demonstration. The second part kills ten nodes and freezes five (they
accept connections and never answer); the healthy ones are compared with themselves. Latencies are read from the
issuer's feed: the time its database gave each *arrived*, less the time the document was handed in.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from docaxis.cli.connect import client_of
from docaxis.client import Client
from docaxis.core.lifecycle import Code
from docaxis.testing.ground import Agency, Ground, make_ground
from docaxis.testing.processes import HostProcess, shares

ISSUER: Final = "G22"
PATIENCE_S: Final = 60.0
PAUSE_S: Final = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of this benchmark."""
    parser.add_argument("--nodes", type=int, default=95, help="nodes in all, the issuer included (default 95)")
    parser.add_argument("--dead", type=int, default=10, help="nodes killed in the second part (default 10)")
    parser.add_argument("--silent", type=int, default=5, help="nodes frozen in the second part (default 5)")
    parser.add_argument("--rounds", type=int, default=5, help="documents in each part (default 5)")
    parser.add_argument("--processes", type=int, default=2, help="processes for the healthy nodes (default 2)")
    parser.add_argument("--bytes", type=int, default=40_000, help="size of the document (default 40000)")


class _Part:
    """Rounds of one document to everybody, and when each healthy recipient's receipt was in the issuer's database."""

    def __init__(self, client: Client, recipients: Sequence[str], healthy: set[str]) -> None:
        self._client = client
        self._recipients = recipients
        self._healthy = healthy
        self.firsts: list[float] = []
        self.latencies_ms: list[float] = []
        self.lasts_ms: list[float] = []

    async def round(self, size: int, number: int) -> None:
        """One document."""
        cursor = await self._client.last_change()
        data = number.to_bytes(4, "big") * (size // 4)
        begun_ms = time.time() * 1000
        doc = await _send(self._client, self._recipients, data)
        missing = set(self._healthy)
        found: list[float] = []
        async with asyncio.timeout(PATIENCE_S):
            async for change in self._client.changes(cursor):
                if change.doc == doc and change.code is Code.ARRIVED and change.recipient in missing:
                    missing.discard(change.recipient)
                    found.append(change.said_ms - begun_ms)
                if not missing:
                    break
        self.latencies_ms += found
        self.lasts_ms.append(max(found))

    def figures(self) -> dict[str, Any]:
        """Latency of the healthy recipients, and of the last of each round, in ms."""
        found = sorted(self.latencies_ms)
        return {
            "recipients": len(self._recipients),
            "healthy": len(self._healthy),
            "p50_ms": round(statistics.median(found), 1),
            "p99_ms": round(found[min(len(found) - 1, int(len(found) * 0.99))], 1),
            "last_ms": round(statistics.median(self.lasts_ms), 1),
            "last_ms_worst": round(max(self.lasts_ms), 1),
        }


async def _send(client: Client, to: Sequence[str], data: bytes) -> str:
    from docaxis.client.files import Attachment  # noqa: PLC0415 - kept beside its one use

    return (await client.send(to, files=[Attachment(data, "van-ban.pdf", "application/pdf")])).doc


class _Stage:
    """The processes: the issuer's own, the healthy nodes', and one each for those that will be killed or frozen."""

    def __init__(self, ground: Ground, args: argparse.Namespace) -> None:
        log = ground.folder / "hosts.log"
        others = [code for code in ground.nodes if code != ISSUER]
        self.dead, self.silent = others[: args.dead], others[args.dead : args.dead + args.silent]
        healthy = others[args.dead + args.silent :]
        folders = ground.nodes
        self.killed = HostProcess([folders[code] for code in self.dead], log) if self.dead else None
        self.frozen = HostProcess([folders[code] for code in self.silent], log) if self.silent else None
        self.healthy = [
            HostProcess(share, log) for share in shares([folders[c] for c in (ISSUER, *healthy)], args.processes)
        ]

    @property
    def hosts(self) -> list[HostProcess]:
        """All of them."""
        return [*self.healthy, *(host for host in (self.killed, self.frozen) if host is not None)]


async def _fanout(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    codes = [ISSUER, *(f"H{n:02}" for n in range(1, args.nodes))]
    ground = make_ground(folder, {code: Agency(code, code, code, "bench") for code in codes})
    stage = _Stage(ground, args)
    async with AsyncExitStack() as stack:
        for host in stage.hosts:
            stack.push_async_callback(host.stop)
        begun = time.perf_counter()
        await asyncio.gather(*(host.start() for host in stage.hosts))
        ready_s = time.perf_counter() - begun
        client = await stack.enter_async_context(client_of(ground.nodes[ISSUER]))
        recipients = codes[1:]
        cold = _Part(client, recipients, set(recipients))
        await cold.round(args.bytes, 0)
        calm = _Part(client, recipients, set(recipients))
        for number in range(args.rounds):
            await calm.round(args.bytes, 1 + number)
        rss_mb = sum(host.resident_bytes() for host in stage.hosts) / 1e6
        await _break(stage)
        broken = _Part(client, recipients, set(recipients) - set(stage.dead) - set(stage.silent))
        for number in range(args.rounds):
            await broken.round(args.bytes, 100 + number)
            await asyncio.sleep(PAUSE_S)
    return _report(cold, calm, broken, ready_s, rss_mb)


async def _break(stage: _Stage) -> None:
    if stage.killed is not None:
        await stage.killed.kill()
    if stage.frozen is not None:
        await stage.frozen.freeze()


def _report(cold: _Part, calm: _Part, broken: _Part, ready_s: float, rss_mb: float) -> dict[str, Any]:
    parts = {"first": cold.figures(), "all healthy": calm.figures(), "dead and silent": broken.figures()}
    return {
        "rows": [{"part": name, **figures} for name, figures in parts.items()],
        "last_receipt_ms": parts["all healthy"]["last_ms_worst"],
        "last_receipt_first_ms": parts["first"]["last_ms_worst"],
        "p50_ratio_with_faults": round(parts["dead and silent"]["p50_ms"] / parts["all healthy"]["p50_ms"], 2),
        "p99_ratio_with_faults": round(parts["dead and silent"]["p99_ms"] / parts["all healthy"]["p99_ms"], 2),
        "ready_s": round(ready_s, 2),
        "rss_mb": round(rss_mb, 1),
    }


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures; the object that `--json` prints."""
    from tools.benchmarks.exchange import on_uvloop  # noqa: PLC0415 - kept beside its one use

    with tempfile.TemporaryDirectory(prefix="docaxis-fanout-") as folder:
        return on_uvloop(lambda: _fanout(Path(folder), args))
