"""Plant: real nodes in a few processes, a load carried through them at its own pace, and everything that was recorded.

Starts, paces and collects. What a load is, `tools.calibration.load` says; what the figures mean, whoever asked for
them. The load is open: a document is due at its moment however the nodes fare, and lateness of the pacing itself is
recorded.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from docaxis.core.errors import OurFault
from docaxis.testing.ground import Agency, Ground, make_ground
from tools.calibration.ledger import INBOUND, OUTBOUND
from tools.calibration.load import SECOND_NS, Call, Load, births_value, new_calls
from tools.calibration.pacing import Pacer

READY_S_MAX: Final = 90.0
ANSWER_S_MAX: Final = 180.0
SETTLE_S: Final = 0.5
_LEAD_NS: Final = 200_000_000
_LINE_BYTES_MAX: Final = 1 << 20


class Used(NamedTuple):
    """What a process used and what its nodes did between two moments: processor time of all threads and of the loop's
    alone, and counts by name, of all its nodes together and of each."""

    wall_ns: int
    cpu_ns: int
    loop_ns: int
    waits: int
    counts: dict[str, int]
    nodes: dict[int, dict[str, int]]


class Outcome(NamedTuple):
    """What became of a load. Arrays by (document, recipient) in the order of births; times in ns after the beginning,
    -1 where it did not happen. `met`: who had called whom before. `late`: documents paced more than `LATE_NS_MIN`
    late, of `documents`; `refused`: that were not taken; `used` per process; `commit_ns` all commits seen."""

    load: Load
    met: frozenset[Call]
    handed_ns: list[int]
    arrived_ns: list[int]
    home_ns: list[int]
    late: int
    late_ns_max: int
    refused: dict[str, int]
    used: list[Used]
    commit_ns: list[int]
    commits_of: dict[int, list[int]]

    def latencies_ns(self) -> tuple[list[int], list[int]]:
        """From the planned moment until arrived and until home, of those that did."""
        born = [birth.at_ns for birth in self.load.births for _ in birth.to]
        arrived = [there - at for there, at in zip(self.arrived_ns, born, strict=True) if there >= 0]
        return arrived, [there - at for there, at in zip(self.home_ns, born, strict=True) if there >= 0]


class _Process:
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


class Plant:
    """Real nodes, dealt out to `processes`; node ``n`` runs in process ``of[n]``."""

    def __init__(self, folder: Path, of: Sequence[int]) -> None:
        self._folder = folder
        self.of = list(of)
        codes = [f"H{number + 10:03}" for number in range(len(of))]
        self.ground = make_ground(folder, {code: Agency(code, code, code, "bench") for code in codes})
        members = [[node for node, host in enumerate(of) if host == process] for process in range(max(of) + 1)]
        self._hosts = [_Process(self.ground, mine, folder / "hosts.log") for mine in members]
        self._codes = {code: number for number, code in enumerate(codes)}
        self._open = AsyncExitStack()
        self.met: frozenset[Call] = frozenset()

    async def __aenter__(self) -> Self:
        for host in self._hosts:
            self._open.push_async_callback(host.stop)
        await asyncio.gather(*(host.start() for host in self._hosts))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def ask(self, do: str, **arguments: object) -> list[Any]:
        """The same command to every process."""
        return await asyncio.gather(*(host.ask(do, **arguments) for host in self._hosts))

    async def carry(
        self, load: Load, patience_s: float = 30.0, switches: Sequence[tuple[int, int, bool]] = ()
    ) -> Outcome:
        """Carries a load and waits until all is home, at most `patience_s` after its end. `switches`: at so many ns a
        node is switched off or on."""
        await self._prepare(load)
        before = await self.ask("counts")
        begin_ns = time.monotonic_ns() + _LEAD_NS
        pacer = Pacer(load, [self._hosts[self.of[birth.sender]].pipe for birth in load.births], begin_ns)
        pacer.start()
        await self._switch(switches, begin_ns)
        await asyncio.to_thread(pacer.join)
        await self._until_home(load, patience_s)
        after = await self.ask("counts")
        used = [_used(*each) for each in zip(before, after, strict=True)]
        outcome = self._outcome(load, begin_ns, pacer, used, await self._harvest())
        self.met |= {call for calls in new_calls(load.births, self.met) for call in calls}
        return outcome

    async def saturate(self, load: Load, in_flight: int, warm_up_s: float, seconds: float) -> float:
        """Documents per second with `in_flight` under way all the time, drawn from `load` in turn."""
        await self._prepare(load)
        await self.ask("keep_going", in_flight=-(-in_flight // len(self._hosts)))
        await asyncio.sleep(warm_up_s)
        begun_ns, before = time.monotonic_ns(), await self.ask("done")
        await asyncio.sleep(seconds)
        after, ended_ns = await self.ask("done"), time.monotonic_ns()
        await self.ask("let_go")
        self.met |= {call for calls in new_calls(load.births, self.met) for call in calls}
        home: int = sum(late["home"] - early["home"] for early, late in zip(before, after, strict=True))
        return home * SECOND_NS / (ended_ns - begun_ns)

    async def hand_in_only(self, load: Load, frozen: int) -> Used:
        """Hands a load in at process 0 while process `frozen` stands still, and thaws it then: what process 0 used for
        submissions alone."""
        await self._prepare(load)
        self._hosts[frozen].freeze(True)
        try:
            before = await self._hosts[0].ask("counts")
            pacer = Pacer(load, [self._hosts[0].pipe for _ in load.births], time.monotonic_ns())
            pacer.start()
            await asyncio.to_thread(pacer.join)
            while (await self._hosts[0].ask("done"))["handing_in"]:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.02)
            after = await self._hosts[0].ask("counts")
        finally:
            self._hosts[frozen].freeze(False)
        await self._until_home(load, ANSWER_S_MAX)
        return _used(before, after)

    async def act(self, node: int, codes: Sequence[str], together: bool) -> tuple[int, list[Used]]:
        """People at a node state `codes` of everything that arrived with the last load, one by one or `together`; how
        many words, and what it took."""
        before = await self.ask("counts")
        acts = (await self._hosts[self.of[node]].ask("act", number=node, codes=list(codes), together=together))["acts"]
        await asyncio.sleep(SETTLE_S)
        after = await self.ask("counts")
        return acts, [_used(*each) for each in zip(before, after, strict=True)]

    async def blobs(self, size: int, count: int) -> list[int]:
        """How long node 0 takes to keep a chunk of `size` bytes, `count` times, ns each."""
        found: list[int] = (await self._hosts[0].ask("blobs", node=0, size=size, count=count))["ns"]
        return found

    async def _prepare(self, load: Load) -> None:
        path = self._folder / "births.json"
        path.write_text(json.dumps(births_value(load.births)), encoding="utf-8")
        await self.ask("prepare", path=str(path))

    async def _switch(self, switches: Sequence[tuple[int, int, bool]], begin_ns: int) -> None:
        for at_ns, node, on in switches:
            await asyncio.sleep(max(0, begin_ns + at_ns - time.monotonic_ns()) / SECOND_NS)
            await self._hosts[self.of[node]].ask("switch", number=node, on=on)

    async def _until_home(self, load: Load, patience_s: float) -> None:
        wanted = sum(len(birth.to) for birth in load.births)
        until_ns = time.monotonic_ns() + int(patience_s * SECOND_NS)
        while time.monotonic_ns() < until_ns:
            done = await self.ask("done")
            if sum(each["home"] for each in done) >= wanted and not any(each["handing_in"] for each in done):
                return
            await asyncio.sleep(0.05)

    async def _harvest(self) -> list[dict[str, Any]]:
        paths = [self._folder / f"harvest-{number}.json" for number in range(len(self._hosts))]
        await asyncio.gather(
            *(host.ask("harvest", path=str(path)) for host, path in zip(self._hosts, paths, strict=True))
        )
        return [json.loads(path.read_text(encoding="utf-8")) for path in paths]

    def _outcome(
        self, load: Load, begin_ns: int, pacer: "Pacer", used: list[Used], harvests: list[dict[str, Any]]
    ) -> Outcome:
        handed = {int(number): row for each in harvests for number, row in each["handed"].items()}
        numbers = {doc: number for each in harvests for _, number, doc, _, _ in each["moments"] if number >= 0}
        times: dict[tuple[str, int, int], int] = {}
        for each in harvests:
            for side, _, doc, recipient, at_ns in each["moments"]:
                if doc in numbers:
                    times.setdefault((side, numbers[doc], self._codes[recipient]), at_ns - begin_ns)
        refused: dict[str, int] = {}
        for _, _, code in handed.values():
            if code:
                refused[code] = refused.get(code, 0) + 1
        keys = [(number, to) for number, birth in enumerate(load.births) for to in birth.to]
        commits = {int(node): found for each in harvests for node, found in each["commit_ns"].items()}
        return Outcome(
            load,
            self.met,
            [handed[number][0] - begin_ns if number in handed else -1 for number in range(len(load.births))],
            [times.get((INBOUND, *key), -1) for key in keys],
            [times.get((OUTBOUND, *key), -1) for key in keys],
            pacer.late,
            pacer.late_ns_max,
            refused,
            used,
            [value for found in commits.values() for value in found],
            commits,
        )


def _used(before: dict[str, Any], after: dict[str, Any]) -> Used:
    nodes = {
        int(node): {name: amount - before["nodes"][node].get(name, 0) for name, amount in counts.items()}
        for node, counts in after["nodes"].items()
    }
    names = sorted({name for counts in nodes.values() for name in counts})
    return Used(
        after["at_ns"] - before["at_ns"],
        after["cpu_ns"] - before["cpu_ns"],
        after["loop_ns"] - before["loop_ns"],
        after["waits"] - before["waits"],
        {name: sum(counts.get(name, 0) for counts in nodes.values()) for name in names},
        nodes,
    )
