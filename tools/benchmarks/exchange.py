"""How fast two nodes exchange documents: durable at both ends, mutual TLS, the receipt verified and stored.

Two processes: the sender's node runs in this one and is fed through its own `submit`, the receiver's is a host process
of its own. A document counts when the sender's feed, read from its database, says *arrived*. The bare rate of HTTPS
requests, measured in the same run, stands beside it.
"""

import argparse
import asyncio
import itertools
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from docaxis.cli.serve import open_service, tune_interpreter
from docaxis.core.envelope import make_file
from docaxis.core.events import Submission
from docaxis.core.lifecycle import Code
from docaxis.runtime import config
from docaxis.runtime.node import Node
from docaxis.testing.ground import Agency, make_ground
from docaxis.testing.processes import HostProcess
from tools.benchmarks import transport

SENDER: Final = "G22"
RECEIVER: Final = "H49"
FEED_LINES: Final = 1_000
MANY: Final = 64
"""From so many documents under way on, the best rate is the one that is quoted; the latency is that of the fewest."""
SETTLE_S: Final = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of this benchmark."""
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each part is measured (default 8)")
    parser.add_argument("--warm-up", type=float, default=2.0, help="seconds before measuring begins (default 2)")
    parser.add_argument(
        "--concurrency", type=int, nargs="+", default=[1, 64, 256], help="documents under way at a time"
    )
    parser.add_argument("--bytes", type=int, default=2048, help="size of each document (default 2048)")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="write a profile of the sender's process there")


class Feeder:
    """Hands in documents and learns from the node's feed when they have arrived."""

    def __init__(self, node: Node, size: int) -> None:
        self._node = node
        self._size = size
        self._numbers = itertools.count()
        self._waiting: dict[bytes, asyncio.Future[float]] = {}
        self._early: dict[bytes, float] = {}
        self.arrived = 0

    async def follow(self) -> None:
        """Reads the feed for as long as it is let."""
        after = 0
        while True:
            lines = await self._node.wait_changes(after, FEED_LINES, 1_000)
            now = time.perf_counter()
            for line in lines:
                if line.change.code is Code.ARRIVED:
                    self._arrive(line.change.doc, now)
            after = lines[-1].cursor if lines else after

    def _arrive(self, doc: bytes, now: float) -> None:
        self.arrived += 1
        waiting = self._waiting.pop(doc, None)
        if waiting is None:
            self._early[doc] = now
        elif not waiting.done():
            waiting.set_result(now)

    async def one(self) -> float:
        """One document from submission to the receipt; its latency in seconds."""
        data = next(self._numbers).to_bytes(8, "big") * (self._size // 8)
        file = make_file("van-ban.pdf", "application/pdf", len(data), 1 << 20, (sha256(data).digest(),))
        meta = {"number": "28", "notation": "2018/QĐ-TTg", "subject": "Về việc gửi, nhận văn bản điện tử"}
        submission = Submission(0, "", b"", (RECEIVER,), "new", None, 0, 0, meta, (file,), (data,))
        begun = time.perf_counter()
        doc = bytes.fromhex(str((await self._node.submit(submission))["doc"]))
        ended = self._early.pop(doc, None)
        if ended is None:
            waiting = self._waiting[doc] = asyncio.get_running_loop().create_future()
            ended = await waiting
        return ended - begun

    async def keep_going(self, latencies: list[float]) -> None:
        """One document after the other."""
        while True:
            latencies.append(await self.one())


async def _measure(feeder: Feeder, receiver: HostProcess, concurrency: int, args: argparse.Namespace) -> dict[str, Any]:
    latencies: list[float] = []
    tasks = [asyncio.create_task(feeder.keep_going(latencies)) for _ in range(concurrency)]
    try:
        await asyncio.sleep(args.warm_up)
        latencies.clear()
        begun, arrived, cpu = time.perf_counter(), feeder.arrived, _cpu_s(receiver)
        await asyncio.sleep(args.seconds)
        seconds, documents = time.perf_counter() - begun, feeder.arrived - arrived
        now = _cpu_s(receiver)
        cpu = now[0] - cpu[0], now[1] - cpu[1]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    done = [task.exception() for task in tasks if not task.cancelled()]
    if any(done):
        raise next(error for error in done if error)
    found = sorted(latencies) or [0.0]
    return {
        "concurrency": concurrency,
        "documents_per_s": round(documents / seconds, 1),
        "p50_ms": round(statistics.median(found) * 1000, 2),
        "p99_ms": round(found[min(len(found) - 1, int(len(found) * 0.99))] * 1000, 2),
        "cpu_ms_per_document": round(sum(cpu) * 1000 / max(1, documents), 3),
        "cpu_ms_sender": round(cpu[0] * 1000 / max(1, documents), 3),
        "cpu_ms_receiver": round(cpu[1] * 1000 / max(1, documents), 3),
    }


def _cpu_s(receiver: HostProcess) -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, receiver.cpu_s()


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _exchange(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    agencies = {code: Agency(code, code, code, "bench") for code in (SENDER, RECEIVER)}
    ground = make_ground(folder, agencies)
    receiver = HostProcess([ground.nodes[RECEIVER]], folder / "hosts.log")
    await receiver.start()
    settings = config.load(ground.nodes[SENDER], {}).settings
    service = await open_service(ground.nodes[SENDER], settings)
    await service.start()
    tune_interpreter()
    try:
        feeder = Feeder(service.node, args.bytes)
        following = asyncio.create_task(feeder.follow())
        rows = []
        for concurrency in args.concurrency:
            rows.append(await _measure(feeder, receiver, concurrency, args))
            await _settle(service.node)
        following.cancel()
        rss_mb = _resident_mb() + receiver.resident_bytes() / 1e6
    finally:
        await service.stop()
        await receiver.stop()
    return {"rows": rows, "rss_mb": round(rss_mb, 1)}


async def _settle(node: Node) -> None:
    """Waits until nothing is under way, so that one part does not load the next."""
    async with asyncio.timeout(SETTLE_S):
        while (await node.store.totals()).queued:  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.05)


def on_uvloop(work: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Runs `work` on the loop that nodes use."""
    import uvloop  # noqa: PLC0415 - only needed here

    async def inside() -> dict[str, Any]:
        return await work()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(inside())


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures; the object that `--json` prints."""
    with tempfile.TemporaryDirectory(prefix="docaxis-bench-") as folder:
        profiler = _profiler(args)
        found = on_uvloop(lambda: _exchange(Path(folder), args))
        if profiler is not None:
            profiler.disable()
            profiler.dump_stats(args.profile)
    beside = transport.run(argparse.Namespace(seconds=3.0, flights=16, bytes=args.bytes))
    rows = found["rows"]
    single = min(rows, key=lambda row: row["concurrency"])
    many = max([row for row in rows if row["concurrency"] >= MANY] or rows, key=lambda row: row["documents_per_s"])
    return {
        "documents_per_s": many["documents_per_s"],
        "concurrency": many["concurrency"],
        "p50_ms": single["p50_ms"],
        "p99_ms": single["p99_ms"],
        "cpu_ms_per_document": many["cpu_ms_per_document"],
        "rss_mb": found["rss_mb"],
        "rows": rows,
        "bare_https": beside,
    }


def _profiler(args: argparse.Namespace) -> Any:
    if args.profile is None:
        return None
    import cProfile  # noqa: PLC0415 - only when asked for

    profiler = cProfile.Profile()
    profiler.enable()
    return profiler
