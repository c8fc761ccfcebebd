"""Plant: real nodes in a few processes, a load carried through them at its own pace, and everything that was recorded.

Starts, paces and collects. What a load is, `tools.calibration.load` says; what the figures mean, whoever asked for
them. The load is open: a document is due at its moment however the nodes fare, and lateness of the pacing itself is
recorded.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from docaxis.testing.ground import Agency, make_ground
from tools.calibration.ledger import INBOUND, OUTBOUND
from tools.calibration.load import SECOND_NS, Call, Load, births_value, new_calls
from tools.calibration.measured_host import ANSWER_S_MAX, MeasuredHost, Used, used_between
from tools.calibration.pacing import Pacer
from tools.calibration.surroundings import busy_now, others_cores

SETTLE_S: Final = 0.5
_LEAD_NS: Final = 60_000_000


class Outcome(NamedTuple):
    """What became of a load. Arrays by (document, recipient) in the order of births; times in ns after the beginning,
    -1 where it did not happen. `met`: who had called whom before. `late`: documents paced more than `LATE_NS_MIN`
    late; `refused`: that were not taken; `used` per process; `commit_ns` all commits seen; `others_cores`: what other
    processes of the machine used meanwhile; `off`: node, and from when until when it was off."""

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
    others_cores: float
    off: list[tuple[int, int, int]]

    def latencies_ns(self) -> tuple[list[int], list[int]]:
        """From the planned moment until arrived and until home, of those that did."""
        born = [birth.at_ns for birth in self.load.births for _ in birth.to]
        arrived = [there - at for there, at in zip(self.arrived_ns, born, strict=True) if there >= 0]
        return arrived, [there - at for there, at in zip(self.home_ns, born, strict=True) if there >= 0]


class Plant:
    """Real nodes, dealt out to `processes`; node ``n`` runs in process ``of[n]``."""

    def __init__(self, folder: Path, of: Sequence[int]) -> None:
        self._folder = folder
        self.of = list(of)
        codes = [f"H{number + 10:03}" for number in range(len(of))]
        self.ground = make_ground(folder, {code: Agency(code, code, code, "bench") for code in codes})
        members = [[node for node, host in enumerate(of) if host == process] for process in range(max(of) + 1)]
        self._hosts = [MeasuredHost(self.ground, mine, folder / "hosts.log") for mine in members]
        self.codes = tuple(codes)
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
        self, load: Load, patience_s: float = 30.0, outages: Sequence[tuple[int, int, int]] = ()
    ) -> Outcome:
        """Carries a load and waits until all is home, at most `patience_s` after its end. `outages`: a node, and from
        when until when it is to be off, ns; one after the other."""
        await self._prepare(load)
        before, machine, mine_s = await self.ask("counts"), busy_now(), time.process_time()
        begin_ns = time.monotonic_ns() + _LEAD_NS
        pacer = Pacer(load, [self._hosts[self.of[birth.sender]].pipe for birth in load.births], begin_ns)
        pacer.start()
        off = [await self._switch(each, begin_ns) for each in outages]
        await asyncio.to_thread(pacer.join)
        await self._until_home(load, patience_s)
        after = await self.ask("counts")
        used = [used_between(*each) for each in zip(before, after, strict=True)]
        ours_s = sum(each.cpu_ns for each in used) / SECOND_NS + time.process_time() - mine_s
        others = others_cores(machine, busy_now(), ours_s)
        outcome = self._outcome(load, begin_ns, pacer, used, await self._harvest(), others, off)
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
        return used_between(before, after)

    async def act(self, node: int, codes: Sequence[str], together: bool) -> tuple[int, list[Used]]:
        """People at a node state `codes` of everything that arrived with the last load, one by one or `together`; how
        many words, and what it took."""
        before = await self.ask("counts")
        acts = (await self._hosts[self.of[node]].ask("act", number=node, codes=list(codes), together=together))["acts"]
        await asyncio.sleep(SETTLE_S)
        after = await self.ask("counts")
        return acts, [used_between(*each) for each in zip(before, after, strict=True)]

    async def blobs(self, size: int, count: int) -> list[int]:
        """How long node 0 takes to keep a chunk of `size` bytes, `count` times, ns each."""
        found: list[int] = (await self._hosts[0].ask("blobs", node=0, size=size, count=count))["ns"]
        return found

    async def _prepare(self, load: Load) -> None:
        path = self._folder / "births.json"
        path.write_text(json.dumps(births_value(load.births)), encoding="utf-8")
        await self.ask("prepare", path=str(path))

    async def _switch(self, outage: tuple[int, int, int], begin_ns: int) -> tuple[int, int, int]:
        """Switches a node off and on; from when it took nothing more until when it served again."""
        node, from_ns, until_ns = outage
        host = self._hosts[self.of[node]]
        await asyncio.sleep(max(0, begin_ns + from_ns - time.monotonic_ns()) / SECOND_NS)
        ended_ns = time.monotonic_ns()
        await host.ask("switch", number=node, on=False)
        await asyncio.sleep(max(0, begin_ns + until_ns - time.monotonic_ns()) / SECOND_NS)
        begun_ns = (await host.ask("switch", number=node, on=True))["at_ns"]
        return node, ended_ns - begin_ns, begun_ns - begin_ns

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
        self,
        load: Load,
        begin_ns: int,
        pacer: Pacer,
        used: list[Used],
        harvests: list[dict[str, Any]],
        others: float,
        off: list[tuple[int, int, int]],
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
        commits = [value for each in harvests for found in each["commit_ns"].values() for value in found]
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
            commits,
            others,
            off,
        )
