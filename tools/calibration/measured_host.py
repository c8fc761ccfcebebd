"""Measured host: the other end of `tools.calibration.host`, one process of real nodes, its commands and its counts.

Starts it, speaks to it and ends it. Which loads it carries is `tools.calibration.plant`'s business.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from docaxis.core.errors import OurFault
from docaxis.testing.ground import Ground
from tools.calibration.yardstick import STANDARD_NS

READY_S_MAX: Final = 90.0
ANSWER_S_MAX: Final = 180.0
_LINE_BYTES_MAX: Final = 1 << 20


class Used(NamedTuple):
    """What a process used and what its nodes did between two moments: processor time of all threads and of the loop's
    alone, what one piece of the yardstick's work took meanwhile (`yardstick_ns`; all of it is taken off the others),
    and counts by name, of all its nodes together and of each."""

    wall_ns: int
    cpu_ns: int
    loop_ns: int
    yardstick_ns: float
    waits: int
    counts: dict[str, int]
    nodes: dict[int, dict[str, int]]


class MeasuredHost:
    """One host process and the two ways to it: commands, and the pipe of numbers."""

    def __init__(self, ground: Ground, mine: Sequence[int], log: Path) -> None:
        self.mine = list(mine)
        self._folders = [str(folder) for folder in ground.nodes.values()]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.pipe = -1

    async def start(self) -> None:
        """Starts it; returns when its nodes serve."""
        read, self.pipe = os.pipe()
        words = ["--mine", *map(str, self.mine), "--pipe", str(read)]
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tools.calibration.host", *self._folders, *words,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, pass_fds=(read,),
                limit=_LINE_BYTES_MAX,
                env={**os.environ, "SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull},
            )  # fmt: skip
        os.close(read)
        await self._answer(READY_S_MAX)

    async def ask(self, do: str, **arguments: object) -> Any:
        """One command and its answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        return await self._answer(ANSWER_S_MAX)

    async def _answer(self, seconds: float) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), seconds)
        if not line:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise OurFault("node.unreachable", f"a host process ended; its log ends: {tail}")
        return json.loads(line)

    def freeze(self, still: bool) -> None:
        """Lets its connections stay open and nobody answer (SIGSTOP), or lets it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if still else signal.SIGCONT)

    async def stop(self) -> None:
        """Ends it by the end of its commands."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 30.0)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        os.close(self.pipe)


def used_between(before: dict[str, Any], after: dict[str, Any]) -> Used:
    """What a process used and did between two answers to ``counts``."""
    nodes = {
        int(node): {name: amount - before["nodes"][node].get(name, 0) for name, amount in counts.items()}
        for node, counts in after["nodes"].items()
    }
    times, ns = (late - early for early, late in zip(before["yardstick"], after["yardstick"], strict=True))
    names = sorted({name for counts in nodes.values() for name in counts})
    return Used(
        after["at_ns"] - before["at_ns"],
        after["cpu_ns"] - before["cpu_ns"] - ns,
        after["loop_ns"] - before["loop_ns"] - ns,
        ns / times if times else STANDARD_NS,
        max(0, after["waits"] - before["waits"] - times),
        {name: sum(counts.get(name, 0) for counts in nodes.values()) for name in names},
        nodes,
    )
