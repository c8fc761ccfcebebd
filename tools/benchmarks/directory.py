"""What a directory costs a node: first load, restart, one changed entry, look-ups, memory.

Each size is made by `tools.make_directory` and then read in a fresh process, as a node does, from local files:
the network's share depends on the network and is not in these figures. Memory is what the process holds beyond what it
held with its modules loaded and no directory.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from docaxis.core.addresses import Book
from docaxis.core.ids import PartyId
from docaxis.directory.files import local_files
from docaxis.directory.repository import Repository
from tools.make_directory import make

LOOKUPS: Final = 20_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of this benchmark."""
    parser.add_argument(
        "--entries", type=int, nargs="+", default=[95, 12_000, 125_000], metavar="N", help="sizes (default all three)"
    )


def _now_ms() -> int:
    return time.time_ns() // 10**6


def resident_mb() -> float:
    """Memory of this process that is resident, MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def per_s(call: Callable[[int], object], count: int) -> float:
    """Calls per second."""
    started = time.perf_counter()
    for number in range(count):
        call(number)
    return round(count / (time.perf_counter() - started), 0)


async def _refreshed_ms(repository: Repository, public: Path) -> tuple[float, Book]:
    started = time.perf_counter()
    book = await repository.refresh(local_files(public), _now_ms())
    return round((time.perf_counter() - started) * 1000, 1), book


async def _node(public: Path, folder: Path, line: Connection) -> dict[str, float]:
    """A node's life with one directory; `line` lets the publisher change an entry in between."""
    gc.collect()
    before_mb = resident_mb()
    repository = Repository(folder, (public / "1.root.json").read_bytes())
    cold_ms, book = await _refreshed_ms(repository, public)
    gc.collect()
    held_mb = resident_mb() - before_mb
    unchanged_ms, _ = await _refreshed_ms(repository, public)
    line.send("change")
    line.recv()
    change_ms, book = await _refreshed_ms(repository, public)
    codes = list(repository.entries.parties())
    names = list(repository.entries.aliases)[:LOOKUPS]
    step = max(1, len(codes) // LOOKUPS)
    return {
        "cold_load_ms": cold_ms,
        "unchanged_ms": unchanged_ms,
        "one_entry_change_ms": change_ms,
        "lookups_per_s": per_s(lambda n: book.entry(codes[n * step % len(codes)]), LOOKUPS),
        "lookups_repeated_per_s": per_s(lambda n: book.entry(codes[n % 95]), LOOKUPS),
        "aliases_per_s": per_s(lambda n: book.resolve(names[n % len(names)]), LOOKUPS // 4),
        "rss_mb": round(held_mb, 1),
    }


def _read(public: Path, folder: Path, line: Connection) -> None:
    """The reading process: a first life, and a restart from what it kept."""
    found = asyncio.run(_node(public, folder, line))
    root = (public / "1.root.json").read_bytes()
    started = time.perf_counter()
    again = Repository.open(folder, root, _now_ms())
    found["restart_ms"] = round((time.perf_counter() - started) * 1000, 1)
    assert again.book is not None
    line.send(found)


def measure(entries: int) -> dict[str, Any]:
    """One size."""
    with tempfile.TemporaryDirectory(prefix="docaxis-bench-") as name:
        started = time.perf_counter()
        ceremony = make(Path(name) / "publisher", entries, _now_ms())
        made_s = round(time.perf_counter() - started, 2)
        size = sum(path.stat().st_size for path in ceremony.public.rglob("*") if path.is_file())
        near, far = multiprocessing.get_context("spawn").Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_read, args=(ceremony.public, Path(name) / "node", far), daemon=True
        )
        process.start()
        assert near.recv() == "change"
        party = PartyId("H49")
        ceremony.put(ceremony.bench.entries_of(party)[party]._replace(name_vi="Tên mới"))
        started = time.perf_counter()
        ceremony.publish(_now_ms())
        publish_ms = round((time.perf_counter() - started) * 1000, 1)
        near.send("changed")
        found: dict[str, Any] = near.recv()
        process.join(10)
    return {"entries": entries, "mib": round(size / 2**20, 2), **found, "publish_ms": publish_ms, "make_s": made_s}


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Every size in turn."""
    return {"rows": [measure(entries) for entries in args.entries]}
