"""What the embedded store can write: documents and rows per second through commits as a loaded node makes them.

One document is what its sender keeps of it from submission to the verified receipt: a signed envelope and a statement
under heads that 64 objects share, two states of its record, 2 KiB of content, an idempotency key, an entry of the queue
and its removal, a line of the feed. The ops are made beforehand; the clock runs only while they are written.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import resource
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

from docaxis.core.effects import (
    AppendChange,
    Dequeue,
    Enqueue,
    Op,
    PutContent,
    PutHead,
    PutObject,
    PutRecord,
    PutRequest,
)
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, Standing, State
from docaxis.core.record import Record
from docaxis.core.wanted import Wanted
from docaxis.store.sqlite import SqliteStore

ME: Final = PartyId("G22")
PEER: Final = PartyId("H49")
SHARED: Final = 64
NOW_MS: Final = 1_780_000_000_000


class Maker:
    """Documents from a seed; sizes as on the wire."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.keys: list[tuple[DocId, PartyId]] = []

    def group(self, documents: int) -> tuple[list[Op], list[Op]]:
        """The ops of so many documents that were submitted together, and those of their receipts."""
        submitted: list[Op] = []
        receipts: list[Op] = []
        for number in range(documents):
            if number % SHARED == 0:
                heads = [self._random.randbytes(32) for _ in range(2)]
                for ops, head in zip((submitted, receipts), heads, strict=True):
                    ops.append(PutHead(head, self._random.randbytes(180), self._random.randbytes(64)))
            self._document(submitted, receipts, heads)
        return submitted, receipts

    def _document(self, submitted: list[Op], receipts: list[Op], heads: list[bytes]) -> None:
        doc, said = DocId(self._random.randbytes(32)), self._random.randbytes(32)
        path, content = self._random.randbytes(32 * 6), self._random.randbytes(2_048)
        record = Record(
            doc, PEER, ME, True, 0, NOW_MS + len(self.keys), NOW_MS * 2, Standing(),
            0, 0, doc, 0, 0, doc, "", NOW_MS * 2, 0, None, None, NOW_MS,
        )  # fmt: skip
        answered = record._replace(
            standing=Standing(State.ARRIVED),
            theirs_epoch=NOW_MS,
            theirs_seq=1,
            theirs_last=said,
            due_ms=0,
            receipt=said,
        )
        envelope, statement = self._random.randbytes(520), self._random.randbytes(330)
        key = doc.hex()
        submitted += [
            PutObject(doc, "envelope", doc, "", ME, heads[0], 7, path, envelope, NOW_MS),
            PutRecord(record),
            PutContent(doc, hashlib.sha256(content).digest(), content),
            PutRequest(key, doc, doc, NOW_MS),
            Enqueue(PEER, 0, doc),
        ]
        receipts += [
            PutObject(said, "statement", doc, PEER, PEER, heads[1], 7, path, statement, NOW_MS),
            PutRecord(answered),
            Dequeue(PEER, doc),
            AppendChange(doc, PEER, True, Code.ARRIVED, State.ARRIVED, PEER, NOW_MS),
        ]
        self.keys.append((doc, PEER))


async def write(store: SqliteStore, groups: list[list[Op]], in_flight: int) -> float:
    """Seconds for all groups, so many commits waiting at any time."""
    waiting = iter(groups)

    async def worker() -> None:
        for ops in waiting:
            await store.commit(ops)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return time.perf_counter() - started


async def measure(
    store: SqliteStore, maker: Maker, documents: int, size: int, in_flight: int
) -> dict[str, float | int]:
    """One line of the table."""
    pairs = [maker.group(size) for _ in range(documents // size)]
    groups = [ops for lag in zip([*pairs, None, None], [None, None, *pairs], strict=True) for ops in _both(*lag)]
    before = resource.getrusage(resource.RUSAGE_SELF)
    seconds = await write(store, groups, in_flight)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    count = size * len(pairs)
    return {
        "documents_per_commit": size,
        "in_flight": in_flight,
        "documents_per_s": round(count / seconds),
        "rows_per_s": round(sum(map(len, groups)) / seconds),
        "cpu_us_per_document": round(cpu / count * 1e6),
        "ms_per_commit": round(seconds / len(groups) * in_flight * 1e3, 2),
    }


def _both(first: tuple[list[Op], list[Op]] | None, second: tuple[list[Op], list[Op]] | None) -> list[list[Op]]:
    return [*([first[0]] if first else []), *([second[1]] if second else [])]


async def measure_find(store: SqliteStore, maker: Maker, keys: int) -> dict[str, float | int]:
    """Loading records of documents chosen at random, with their envelopes and receipts."""
    chosen = random.Random(1).sample(maker.keys, keys * 20)
    started = time.perf_counter()
    for start in range(0, len(chosen), keys):
        await store.find(Wanted(records=tuple(chosen[start : start + keys])))
    seconds = time.perf_counter() - started
    return {"keys_per_find": keys, "records_per_s": round(len(chosen) / seconds)}


def keep_busy(stop: threading.Event) -> threading.Thread:
    """A thread that computes without pause, as a loaded event loop does."""

    def compute() -> None:
        while not stop.is_set():
            sum(number * number for number in range(500))

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    return thread


async def bench(folder: Path, documents: int, before: int, busy: bool) -> dict[str, Any]:
    """All figures."""
    database = folder / "node.db"
    store, maker = SqliteStore(database), Maker(1)
    await store.open(NOW_MS)
    while before > len(maker.keys):
        for ops in maker.group(4_096):
            await store.commit(ops)
    stop = threading.Event()
    thread = keep_busy(stop) if busy else None
    writes = [
        await measure(store, maker, documents // share, size, in_flight)
        for size, in_flight, share in ((1, 1, 20), (1, 64, 4), (16, 4, 2), (64, 4, 1), (256, 4, 1))
    ]
    reads = [await measure_find(store, maker, keys) for keys in (1, 64, 256)]
    stop.set()
    if thread:
        thread.join()
    await store.close()
    size = database.stat().st_size // len(maker.keys)
    return {"documents_before": before, "database_bytes_per_document": size, "writes": writes, "reads": reads}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of this benchmark."""
    parser.add_argument("--documents", type=int, default=20_000, help="documents per line")
    parser.add_argument("--before", type=int, default=0, help="documents that the store holds before the first line")
    parser.add_argument("--busy", action="store_true", help="with a thread that computes all the time beside the store")
    parser.add_argument("--folder", type=Path, default=None, help="the disk to measure (default: that of new folders)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Everything, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="docaxis-bench-") as folder:
        return asyncio.run(bench(Path(folder), args.documents, args.before, args.busy))
