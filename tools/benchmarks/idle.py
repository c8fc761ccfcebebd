"""What a node costs that has nothing to do: time until it serves, and resident memory.

A real `docaxis node run` in a process of its own, with a directory of as many agencies as asked for. Ready means that
its listener answers `hello`; the interpreter's own start is part of it.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from docaxis.core.addresses import Entry
from docaxis.core.errors import DocaxisError
from docaxis.core.ids import PartyId
from docaxis.testing.ground import Agency, Ground, make_ground

ME: Final = "G22"
CALLER: Final = "H01"
PATIENCE_S: Final = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of this benchmark."""
    parser.add_argument("--agencies", type=int, default=95, help="agencies in the directory (default 95)")
    parser.add_argument("--runs", type=int, default=5, help="starts that are measured (default 5)")
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="how long it idles before it is measured (default 5)"
    )


async def _start(ground: Ground, entry: Entry, idle_s: float) -> dict[str, float]:
    """One life of the node."""
    async with ground.thief_client(CALLER) as client:
        begun = time.perf_counter()
        node = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "docaxis.cli.main", "node", "run", str(ground.nodes[ME]),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await _answers(client, entry):  # noqa: ASYNC110 - it happens in another process
                    await asyncio.sleep(0.01)
            ready_s = time.perf_counter() - begun
            await asyncio.sleep(idle_s)
            found = _usage(node.pid)
        finally:
            node.terminate()
            await node.wait()
    return {"ready_s": ready_s, **found}


async def _answers(client: Any, entry: Entry) -> bool:
    try:
        await client.hello(PartyId(ME), entry.endpoints)
    except DocaxisError:
        return False
    return True


def _usage(pid: int) -> dict[str, float]:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    named = dict(line.split(":", 1) for line in status.splitlines())
    return {
        "rss_mib": int(named["VmRSS"].split()[0]) / 1024,
        "rss_peak_mib": int(named["VmHWM"].split()[0]) / 1024,
    }


async def _measure(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    codes = [ME, *(f"H{n:02}" for n in range(1, args.agencies))]
    ground = make_ground(folder, {code: Agency(code, code, code, "bench") for code in codes})
    lives = [await _start(ground, ground.entry(ME), args.seconds) for _ in range(args.runs)]
    first, later = lives[0], lives[1:] or lives
    return {
        "ready_first_s": round(first["ready_s"], 2),
        "ready_s": round(statistics.median(life["ready_s"] for life in later), 2),
        "rss_mib": round(max(life["rss_mib"] for life in lives), 1),
        "rss_peak_mib": round(max(life["rss_peak_mib"] for life in lives), 1),
    }


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures; the object that `--json` prints."""
    with tempfile.TemporaryDirectory(prefix="docaxis-idle-") as folder:
        return asyncio.run(_measure(Path(folder), args))
