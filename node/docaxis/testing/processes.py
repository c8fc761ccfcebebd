"""Operating-system processes that host real nodes: started, waited for, switched off as by a power cut, and measured.

It speaks to hosts by their standard streams and signals only; everything about documents goes through the local API.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from docaxis.core.errors import OurFault

READY_S_MAX: Final = 60.0
STOP_S_MAX: Final = 20.0
SERVES: Final = b"serves"
READY: Final = b"ready"
_LINE_BYTES_MAX: Final = 1 << 16


class HostProcess:
    """One process with one or more nodes in it (see `docaxis.testing.host`)."""

    def __init__(self, folders: Sequence[Path], log: Path) -> None:
        self.folders = tuple(folders)
        self.die_at = ""
        """Where the next life ends by SIGKILL: a seam between effects and a number, as ``then:3`` (empty: nowhere)."""
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process is not None else None

    async def launch(self) -> None:
        """Starts the process; `ready` waits for its nodes."""
        assert self.pid is None, "it runs already"
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "docaxis.testing.host",
                *map(str, self.folders),
                *(("--die-at", self.die_at) if self.die_at else ()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LINE_BYTES_MAX,
                env={**os.environ, "SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull},  # as `docaxis node run`
            )

    async def ready(self, serves: Callable[[], None] | None = None) -> None:
        """Returns when every node in it serves, having called `serves` once for each; raises `OurFault`
        ``node.unreachable`` with the end of its log."""
        while (word := await self._word()) == SERVES:
            if serves is not None:
                serves()
        if word != READY:
            await self.kill()
            raise OurFault("node.unreachable", f"a host process did not start; its log ends: {self._tail()}")

    async def _word(self) -> bytes:
        assert self._process is not None, "launch it first"
        assert self._process.stdout is not None
        try:
            return (await asyncio.wait_for(self._process.stdout.readline(), READY_S_MAX)).strip()
        except TimeoutError:
            return b""

    async def start(self, serves: Callable[[], None] | None = None) -> None:
        """Starts it and waits until it serves; `serves` is called for each of its nodes that does."""
        await self.launch()
        await self.ready(serves)

    async def died(self) -> int:
        """Waits until the process has ended by itself; its exit code (negative: the signal that ended it)."""
        assert self._process is not None, "launch it first"
        await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode

    async def stop(self) -> None:
        """Ends it gracefully; a host that does not end in time is killed."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Switches it off as a power cut would: SIGKILL, no goodbye."""
        await self._end(signal.SIGKILL)

    async def freeze(self) -> None:
        """Makes it accept connections and never answer: SIGSTOP."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGSTOP)

    async def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
            process.send_signal(signal.SIGCONT)
        try:
            await asyncio.wait_for(process.communicate(), STOP_S_MAX)
        except TimeoutError:
            process.kill()
            await process.communicate()

    def resident_bytes(self) -> int:
        """Resident memory of the process now, or 0 when it does not run."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, ValueError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_s(self) -> float:
        """Processor time the process has used, user and system, in seconds."""
        try:
            line = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return 0.0
        fields = line.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _tail(self) -> str:
        try:
            return self._log.read_text(encoding="utf-8", errors="replace")[-600:].strip() or "(empty)"
        except OSError:
            return "(no log)"


def shares(folders: Sequence[Path], processes: int) -> list[list[Path]]:
    """`folders` dealt out to at most `processes` processes, none empty."""
    return [dealt for dealt in (list(folders[n::processes]) for n in range(processes)) if dealt]
