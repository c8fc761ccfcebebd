"""The opening of the axis, replayed: real nodes in a few processes, driven through their local APIs only.

Steps and their order; what is shown is `docaxis.testing.show`'s, what it came to is the audit's. Nothing here reaches
into a running node.
"""

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from docaxis.cli.connect import client_of
from docaxis.client import Client
from docaxis.client.files import Attachment
from docaxis.core import envelope as envelopes
from docaxis.core import evidence_file
from docaxis.core.envelope import Priority
from docaxis.core.errors import OurFault
from docaxis.core.lifecycle import Code, State
from docaxis.core.limits import KIB
from docaxis.core.signed import Signed
from docaxis.runtime.clock import Clock, SystemClock
from docaxis.runtime.entropy import SystemEntropy
from docaxis.store.base import REFUSALS_KEPT_MAX
from docaxis.testing import attacks
from docaxis.testing import audit as audits
from docaxis.testing.attacks import Thief
from docaxis.testing.audit import Attempt, Findings, Repeat
from docaxis.testing.ground import Ground
from docaxis.testing.processes import HostProcess, shares
from docaxis.testing.script import Script
from docaxis.testing.show import Show

PATIENCE_S: Final = 75.0
POLL_S: Final = 0.15
VERIFY_S_MAX: Final = 60.0
STRANGER: Final = "X99"
_STEPS: Final = {
    "received": Code.RECEIVED, "assigned": Code.ASSIGNED, "processing": Code.PROCESSING, "completed": Code.COMPLETED,
}  # fmt: skip
_ACTOR: Final = "Văn thư cơ quan"
_ATTACKS: Final = 3


class Outcome(NamedTuple):
    """What the run came to. `overtaken`: ordinary letters that arrived after the telegram sent behind them;
    `refused`: the kinds of attack whose refusal, of that very attempt, the attacked node recorded; `victim_refusals`:
    everything it recorded, by code; `replays_without_effect`: genuine batches handed in again that changed nothing;
    `complaints`: whatever is not as it must be."""

    findings: Findings
    overtaken: int
    refused: tuple[str, ...]
    victim_refusals: Mapping[str, int]
    replays_without_effect: int
    evidence_verified: bool
    timeline: str
    resident_bytes: int
    complaints: tuple[str, ...]


class Opening:
    """One replay on prepared `ground`, in `processes` processes beside one for the agency that is switched off."""

    def __init__(self, ground: Ground, script: Script, processes: int, show: Show, clock: Clock | None = None) -> None:
        self._ground = ground
        self._script = script
        self._show = show
        self._clock = clock or SystemClock()
        self._clients: dict[str, Client] = {}
        self._letters: list[str] = []
        self._telegram = ""
        self._attempts: list[Attempt] = []
        self._repeats: list[Repeat] = []
        others = [folder for code, folder in ground.nodes.items() if code != script.absent]
        log = ground.folder / "hosts.log"
        self._hosts = [HostProcess(share, log) for share in shares(others, processes)]
        self._absent = HostProcess([ground.nodes[script.absent]], log)

    async def run(self) -> Outcome:
        """Plays everything, stops every node, and counts."""
        async with AsyncExitStack() as stack:
            stack.push_async_exit(self._end)
            await self._start()
            for code, folder in self._ground.nodes.items():
                if code != self._script.absent:
                    self._clients[code] = await stack.enter_async_context(client_of(folder))
            doc = await self._play()
            verified, timeline = await self._prove(doc)
            resident = sum(host.resident_bytes() for host in (*self._hosts, self._absent))
        return await self._count(doc, verified, timeline, resident)

    # --- the steps ---

    async def _start(self) -> None:
        self._show.step("starting the nodes", "khởi động các nút")
        nodes = len(self._ground.nodes)
        numbers = itertools.count(1)

        def serves() -> None:
            self._show.progress(next(numbers), nodes)

        await asyncio.gather(*(host.start(serves) for host in (self._absent, *self._hosts)))
        self._show.step(f"{self._script.absent} is switched off", "một cơ quan bị ngắt")
        await self._absent.kill()

    async def _play(self) -> str:
        script = self._script
        await self._fill_queue()
        doc = await self._issue()
        present = len(self._ground.nodes) - 2
        await self._follow(doc, lambda states: _at_least(states, State.ARRIVED) >= present, f"{present} arrivals")
        await asyncio.gather(
            self._handle(doc), self._refuse(doc), self._take_back(), self._send_large(), self._attack(doc)
        )
        self._show.step(f"{script.absent} comes back", "cơ quan hoạt động trở lại")
        await self._absent.start()
        await self._follow(doc, self._all_done, "every agency's answer")
        await self._until(self._queue_done, "the waiting letters")
        return doc

    async def _fill_queue(self) -> None:
        plan = self._script.overtaking
        self._show.step(
            f"{plan.letters} ordinary letters, then one express telegram, wait for {plan.recipient}",
            "văn bản thường và công điện hỏa tốc",
        )
        sender = self._clients[plan.sender]
        numbers = range(1, plan.letters + 1)
        sent = await asyncio.gather(*(self._letter(sender, plan.recipient, f"{plan.subject} {n}") for n in numbers))
        self._letters = list(sent)
        self._telegram = await self._letter(sender, plan.recipient, plan.telegram, Priority.EXPRESS)

    async def _letter(
        self, sender: Client, to: str, subject: str, priority: Priority = Priority.NORMAL, data: bytes = b""
    ) -> str:
        files = [Attachment(data or subject.encode(), "van-ban.txt", "text/plain")]
        return (await sender.send([to], files=files, meta={"subject": subject}, priority=priority)).doc

    async def _issue(self) -> str:
        decision = self._script.decision
        to = [code for code in self._ground.nodes if code != decision.issuer]
        self._show.step(
            f"{decision.issuer} issues {decision.meta['number']}/{decision.meta['notation']} to {len(to)} agencies",
            "phát hành văn bản",
        )
        sent = await self._clients[decision.issuer].send(
            to, files=[decision.file], meta=decision.meta, priority=Priority(decision.priority)
        )
        return sent.doc

    async def _handle(self, doc: str) -> None:
        for code in self._script.handled:
            for step in self._script.steps:
                await self._clients[code].advance(doc, _STEPS[step], actor=_ACTOR)
        self._show.step(f"{', '.join(self._script.handled)} take it through every step", "xử lý đến hoàn thành")

    async def _refuse(self, doc: str) -> None:
        await self._clients[self._script.refusing].refuse(doc, self._script.refusal, actor=_ACTOR)
        self._show.step(f"{self._script.refusing} refuses it, with a reason", "từ chối tiếp nhận")

    async def _take_back(self) -> None:
        plan = self._script.recalled
        sender, recipient = self._clients[plan.sender], self._clients[plan.recipient]
        doc = await self._letter(sender, plan.recipient, plan.subject)
        await self._state_of(sender, doc, State.ARRIVED)
        await recipient.advance(doc, Code.RECEIVED, actor=_ACTOR)
        await sender.recall(doc, plan.reason, actor=_ACTOR)
        await self._until(lambda: self._recall_waits(recipient, doc), "the recall")
        await recipient.agree(doc, text=plan.answer, actor=_ACTOR)
        await self._state_of(sender, doc, State.RECOVERED)
        self._show.step(f"a letter of {plan.sender} to {plan.recipient} is recalled and recovered", "thu hồi văn bản")

    async def _send_large(self) -> None:
        plan = self._script.large
        data = b"".join(sha256(n.to_bytes(4, "big")).digest() for n in range(plan.size_kib * KIB // 32))
        sender = self._clients[plan.sender]
        doc = await self._letter(sender, plan.recipient, plan.subject, data=data)
        await self._state_of(sender, doc, State.ARRIVED)
        self._show.step(f"{plan.size_kib} KiB from {plan.sender} to {plan.recipient}, pulled in chunks", "tệp lớn")

    async def _attack(self, doc: str) -> None:
        """Somebody has the TLS key of one node, and then of the issuer's, and tries what they are good for."""
        script = self._script
        genuine = evidence_file.read(await self._clients[script.victim].evidence(doc)).envelope
        async with self._thief(script.stolen_from) as thief:
            played = [
                await attacks.forge(thief),
                await attacks.replay_as_another(thief, genuine),
                await attacks.knock_unknown(thief.victim, STRANGER, thief.entropy),
            ]
        for attempt, answer in played:
            self._show.attack(f"{attempt.kind} to {script.victim}", answer)
        self._attempts = [each.attempt for each in played]
        async with self._thief(script.decision.issuer) as thief:
            repeat = await attacks.replay(thief, genuine, _pieces(genuine, script.decision.file))
        self._repeats = [repeat]
        self._show.step(
            f"the decision itself, handed in to {script.victim} {len(repeat.receipts)} times more: "
            f"answered with {len(set(repeat.receipts))} receipt",
            "gửi lặp",
        )

    @asynccontextmanager
    async def _thief(self, code: str) -> AsyncIterator[Thief]:
        """Somebody who has the TLS key of `code`, before the victim's door."""
        ground = self._ground
        epoch = (await self._clients[code].status())["epoch"]
        owner, victim = ground.entry(code), ground.entry(self._script.victim)
        async with ground.thief_client(code) as client:
            yield Thief(client, owner, victim, self._clock.now_ms(), epoch, SystemEntropy())

    # --- waiting ---

    async def _follow(self, doc: str, done: Callable[[Mapping[str, State]], bool], what: str) -> None:
        """Shows the states of the decision until `done` says so."""
        issuer = self._clients[self._script.decision.issuer]

        async def look() -> bool:
            states = {each.recipient: each.state for each in (await issuer.document(doc)).transmissions}
            self._show.states(states)
            return done(states)

        await self._until(look, what)

    def _all_done(self, states: Mapping[str, State]) -> bool:
        wished = dict.fromkeys(self._script.handled, _final_state(self._script.steps[-1]))
        wished |= {self._script.refusing: State.REFUSED}
        return all(states[code] == state for code, state in wished.items()) and _at_least(states, State.ARRIVED) == len(
            states
        )

    async def _queue_done(self) -> bool:
        sender = self._clients[self._script.overtaking.sender]
        waiting = [row.doc async for row in sender.outbox(State.SENT)]
        return not waiting

    async def _state_of(self, client: Client, doc: str, state: State) -> None:
        async def reached() -> bool:
            return all(each.state >= state for each in (await client.document(doc)).transmissions)

        await self._until(reached, f"{state.name.lower()} of {doc[:12]}")

    async def _recall_waits(self, client: Client, doc: str) -> bool:
        return any(each.recall_waiting for each in (await client.document(doc)).transmissions)

    async def _until(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await holds():  # noqa: ASYNC110 - what is waited for happens in other processes
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise OurFault("peer.timeout", f"waited {PATIENCE_S:.0f} s for {what}; see {self._ground.folder}") from None

    # --- proving and counting ---

    async def _prove(self, doc: str) -> tuple[bool, str]:
        """Exports the evidence, and lets a process that has only the root keys check it."""
        room = self._ground.folder / "auditor"
        room.mkdir(exist_ok=True)
        evidence = await self._clients[self._script.decision.issuer].evidence(doc)
        (room / "decision.evidence").write_bytes(evidence)
        (room / "root.json").write_bytes(self._ground.root.read_bytes())
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "docaxis.cli.main", "verify", "decision.evidence", "--root", "root.json",
            cwd=room, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            printed, _ = await asyncio.wait_for(process.communicate(), VERIFY_S_MAX)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        timeline = printed.decode(errors="replace")
        (room / "timeline.txt").write_text(timeline, encoding="utf-8")
        return process.returncode == 0, timeline

    async def _end(self, kind: type[BaseException] | None, *_: object) -> None:
        """Every process ends: gracefully, or at once where somebody does not want to wait for the end."""
        at_once = kind is not None and issubclass(kind, asyncio.CancelledError)
        hosts = (*self._hosts, self._absent)
        await asyncio.gather(*(host.kill() if at_once else host.stop() for host in hosts))

    async def _count(self, doc: str, verified: bool, timeline: str, resident: int) -> Outcome:
        self._show.step("counting from the nodes' databases", "đối soát từ cơ sở dữ liệu các nút")
        findings = await self._ground.findings()
        async with self._ground.kit(self._script.overtaking.recipient) as kit:
            arrivals = [
                line.change.doc.hex()
                for line in await kit.store.changes(0, 10_000)
                if line.change.code is Code.ARRIVED and not line.change.outgoing
            ]
        async with self._ground.kit(self._script.victim) as kit:
            refused = await audits.refused(kit.store, self._attempts)
            recorded = Counter(row.code for row in await kit.store.refusals(REFUSALS_KEPT_MAX))
            harmless = sum([await audits.without_effect(kit.store, each) for each in self._repeats])
        overtaken = self._overtaken(arrivals)
        outcome = Outcome(findings, overtaken, tuple(refused), recorded, harmless, verified, timeline, resident, ())
        return outcome._replace(complaints=tuple(self._complaints(outcome)))

    def _overtaken(self, arrivals: Sequence[str]) -> int:
        """Letters handed in before the telegram that arrived after it."""
        if self._telegram not in arrivals:
            return 0
        behind = set(arrivals[arrivals.index(self._telegram) + 1 :])
        return len(behind.intersection(self._letters))

    def _complaints(self, outcome: Outcome) -> list[str]:
        findings = outcome.findings
        agencies = len(self._ground.nodes)
        transmissions = agencies - 1 + len(self._letters) + 3
        checks: dict[str, Any] = {
            f"{findings.transmissions} transmissions instead of {transmissions}": findings.transmissions
            == transmissions,
            f"{findings.lost} lost": findings.lost == 0,
            f"{findings.duplicated} duplicated": findings.duplicated == 0,
            f"{findings.false} objects whose signature does not hold": findings.false == 0,
            f"{findings.unproven} states without evidence": findings.unproven == 0,
            "not every delivery has a verified receipt": findings.receipts_verified == findings.deliveries,
            f"only {len(outcome.refused)} attacks recorded as refused: {outcome.refused}": len(outcome.refused)
            == _ATTACKS,
            "a genuine batch handed in again was answered otherwise, or had an effect": outcome.replays_without_effect
            == len(self._repeats)
            == 1,
            "the evidence did not verify": outcome.evidence_verified,
            "the telegram overtook nothing": outcome.overtaken > 0,
        }
        for state, least in (("completed", len(self._script.handled)), ("refused", 1), ("recovered", 1)):
            checks[f"fewer than {least} {state}"] = findings.by_state.get(state, 0) >= least
        return [complaint for complaint, fine in checks.items() if not fine]


def summary(outcome: Outcome, agencies: int, seconds: float) -> dict[str, Any]:
    """The object that `--json` prints last."""
    findings = outcome.findings
    return {
        "agencies": agencies,
        "documents": findings.documents,
        "transmissions": findings.transmissions,
        "deliveries": findings.deliveries,
        "receipts_verified": findings.receipts_verified,
        "statements_verified": findings.statements_verified,
        "by_state": findings.by_state,
        "lost": findings.lost,
        "duplicated": findings.duplicated,
        "states_unproven": findings.unproven,
        "attacks_refused": len(outcome.refused),
        "replays_without_effect": outcome.replays_without_effect,
        "refusals": dict(outcome.victim_refusals),
        "letters_overtaken": outcome.overtaken,
        "evidence_verified": outcome.evidence_verified,
        "seconds": round(seconds, 1),
        "rss_mb_total": round(outcome.resident_bytes / 1e6, 1),
        "complaints": list(outcome.complaints),
    }


def _pieces(genuine: Signed, path: Path) -> list[bytes]:
    """The chunks of the envelope's only file, as they travelled beside it."""
    data, chunk = path.read_bytes(), envelopes.decode(genuine.body).files[0].chunk
    return [data[start : start + chunk] for start in range(0, len(data), chunk)]


def _at_least(states: Mapping[str, State], state: State) -> int:
    return sum(each >= state for each in states.values())


def _final_state(step: str) -> State:
    return State[step.upper()]
