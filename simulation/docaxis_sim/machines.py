"""Machines: the third executor of capacity plans: full protocol machines under SimPy, for plans small enough for them.

Every node is a `docaxis_sim.host.Host` with the machine of the core, its outbox, windows, batches and wire bytes, and
a memory store; its times are those of the plan's stations (`docaxis_sim.tolls`) instead of drawn ones. Plans are
direct: one hop, no shared loops; their outages are cuts. It decides nothing about documents and draws nothing but
nonces.

On a quiet plan its latencies are those of `docaxis_sim.capacity.reference`, within the quarter of a microsecond in
which it counts time. Under load they differ, for these reasons: the outbox keeps at most a few requests to one peer in
the air and batches what waits meanwhile, where the other engines let each delivery go by itself; a node wakes for
answers, scans and directories too, for which the plan has no price, and finds its loop asleep less often; at most two
rounds wait for the disk, as in the real driver; the first recipient of a document and the others are one thing to
do; what the machines commit beyond the plan moves the disk's stalls; a node that answers an announcement with *held*
states that once more with *arrived*. In a cut each try takes a latency longer here, an answer under way when it begins
is lost, bytes of content under way are not, and the pauses between pulls are other draws of the same law.
"""

from collections.abc import Callable, Generator
from hashlib import sha256
from typing import Final

import numpy as np
import simpy

from docaxis.core.effects import Answer
from docaxis.core.envelope import File, make_file
from docaxis.core.errors import TheirFault
from docaxis.core.events import Act, Submission
from docaxis.core.ids import party_id
from docaxis.core.limits import EXPIRES_MS_MAX, EXPIRES_MS_MIN, HOUR_MS
from docaxis_sim.authority import Authority
from docaxis_sim.capacity.plan import (
    HOUR_NS,
    NEVER,
    NODE,
    ROUND_MAX,
    STATUSES_MAX,
    CannotCarry,
    Form,
    Law,
    Outage,
    Plan,
    Run,
    hop,
    receipt,
    status,
)
from docaxis_sim.diary import CODES, NUMBER, Diary, Paper, papers
from docaxis_sim.ground import START_MS, Ground
from docaxis_sim.host import Host
from docaxis_sim.streams import Streams
from docaxis_sim.tolls import NS_PER_MS, Tolls, Wires
from docaxis_sim.trace import Trace

Steps = Generator[simpy.Event, object, None]
NODES_MAX: Final = 10
DELIVERIES_MAX: Final = 500
STEP_MS: Final = 60_000
"""How often it is looked whether all is done."""


class Machines:
    """One plan about to be carried."""

    def __init__(self, plan: Plan, seed: int = 0) -> None:
        refuse(plan)
        self.plan: Final = plan
        self.diary: Final = Diary(plan)
        self.ground: Final = Ground(Streams(seed), Trace(START_MS), self.diary)
        self.diary.now_ns = self.now_ns
        self.wires: Final = Wires(self.ground, plan, self.diary)
        self.authority: Final = Authority(self.ground, plan.node_ids)
        self.tolls: Final = [Tolls(plan, node, self.diary) for node in range(len(plan.node_ids))]
        self.hosts: Final = [
            Host(self.ground, self.wires, party, self.authority.first_seals[party], self.authority.book, timing=toll)
            for party, toll in zip(plan.node_ids, self.tolls, strict=True)
        ]

    def now_ns(self) -> int:
        """Simulated time after the plan's first midnight."""
        return round((self.ground.env.now - START_MS) * NS_PER_MS)

    def run(self, progress: Callable[[int, int], None] | None = None) -> Run:
        """Carries the plan to its end."""
        self.diary.took = self._took
        for host in self.hosts:
            host.start()
            self.ground.env.process(self._keep_fresh(host))
        for number, paper in enumerate(self.diary.papers):
            self.ground.env.process(self._submit(number, paper))
        for outage in self.plan.outages:
            self.ground.env.process(self._cut(outage))
        while not self._is_over():
            self.ground.env.run(until=self._next_look_ms())
            if progress is not None:
                progress(self.now_ns(), int(np.count_nonzero(self.diary.left_ns[hop(0, NODE)] != NEVER)))
        return self._outcome()

    # --- what people do ---

    def _submit(self, number: int, paper: Paper) -> Steps:
        deliveries, row = self.plan.deliveries, paper.first
        yield self.ground.env.timeout(int(deliveries.birth_ns[row]) / NS_PER_MS)
        host = self.hosts[int(deliveries.path[0, row])]
        content = f"content of {number}".encode() if paper.size or deliveries.form[row] == Form.CHUNKED else b""
        files, inline = _files(content, deliveries.form[row] == Form.INLINE)
        digest = sha256(content).digest()
        self.diary.chunk(digest, number)
        if files and not inline:
            host.upload({digest: content})
        submission = Submission(
            ticket=0,
            key=f"document {number}",
            digest=digest,
            to=tuple(paper.rows),
            kind="new",
            ref=None,
            priority=int(deliveries.priority[row]),
            expires_ms=host.now_ms() + _deadline_ms(int(deliveries.deadline_ns[row])),
            meta={NUMBER: str(number), "subject": f"Văn bản số {number}"},
            files=files,
            inline=inline,
        )
        host.submit(submission, _accepted)

    def _took(self, step: int, row: int) -> None:
        """A delivery's next statement is due some time after its arrival, or after the statement before."""
        follows = {hop(0, NODE): 0} | {status(number, 0): number + 1 for number in range(STATUSES_MAX - 1)}
        number = follows.get(step, len(self.plan.deliveries.status_delay_ns))
        if number < len(self.plan.deliveries.status_delay_ns):
            delay_ns = int(self.plan.deliveries.status_delay_ns[number, row])
            if delay_ns != NEVER:
                self.ground.env.process(self._state(number, row, delay_ns))

    def _state(self, number: int, row: int, delay_ns: int) -> Steps:
        yield self.ground.env.timeout(delay_ns / NS_PER_MS)
        host = self.hosts[int(self.plan.deliveries.path[1, row])]
        key = f"statement {number} of {row}"
        doc = self.diary.doc(row)
        host.act(Act(0, key, sha256(key.encode()).digest(), doc, host.party, CODES[number], "", "clerk"), _accepted)

    def _keep_fresh(self, host: Host) -> Steps:
        """Each node gets a fresh directory twice a day."""
        while True:
            yield self.ground.env.timeout(12 * HOUR_MS)
            host.set_book(self.authority.book(host.now_ms()))

    def _cut(self, outage: Outage) -> Steps:
        """Nothing passes between some nodes and all others, in either direction."""
        inside, cuts = set(outage.inside.tolist()), self.wires.cuts
        pairs = [
            (one, other)
            for here, one in enumerate(self.plan.node_ids)
            for there, other in enumerate(self.plan.node_ids)
            if (here in inside) != (there in inside)
        ]
        yield self.ground.env.timeout(outage.from_ns / NS_PER_MS)
        for pair in pairs:
            cuts[pair] = cuts.get(pair, 0) + 1
        yield self.ground.env.timeout((outage.until_ns - outage.from_ns) / NS_PER_MS)
        for pair in pairs:
            cuts[pair] -= 1
            if not cuts[pair]:
                del cuts[pair]

    # --- its end ---

    def _next_look_ms(self) -> float:
        end_ms = START_MS + self.plan.end_ns / NS_PER_MS if self.plan.end_ns else float("inf")
        return min(self.ground.env.now + STEP_MS, end_ms)

    def _is_over(self) -> bool:
        if self.plan.end_ns:
            return self.now_ns() >= self.plan.end_ns
        deliveries, left_ns = self.plan.deliveries, self.diary.left_ns
        due_ns = deliveries.birth_ns + deliveries.deadline_ns + HOUR_NS
        home = (left_ns[receipt(0)] != NEVER) | (due_ns < self.now_ns())
        said = [
            (left_ns[status(number, 1)] != NEVER) | (delay_ns == NEVER) | (due_ns + delay_ns < self.now_ns())
            for number, delay_ns in enumerate(deliveries.status_delay_ns)
            if status(number, 1) in left_ns
        ]
        return bool(home.all() and all(each.all() for each in said))

    def _outcome(self) -> Run:
        stations, deliveries = self.plan.stations, self.plan.deliveries
        rounds, busy = np.zeros(len(stations.round_ns), np.int64), np.zeros(len(stations.round_ns), np.int64)
        commits = np.zeros(len(stations.commit_ns), np.int64)
        for node, toll in enumerate(self.tolls):
            rounds[stations.loop_of[node]], busy[stations.loop_of[node]] = toll.rounds, toll.busy_ns
            commits[stations.disk_of[node]] = toll.commits
        left_ns = self.diary.left_ns
        arrived, due_ns = left_ns[hop(0, NODE)], deliveries.birth_ns + deliveries.deadline_ns
        expired = np.where(arrived == NEVER, due_ns <= self.now_ns(), arrived > due_ns)
        tries = np.zeros(len(deliveries.hops), np.int32)
        return Run("machines", left_ns, rounds, busy, commits, tries, expired, self.diary.events)


def carry(plan: Plan, progress: Callable[[int, int], None] | None = None, seed: int = 0) -> Run:
    """Carries a small plan on full machines; `seed` is that of nonces. Raises `CannotCarry`, which says why."""
    return Machines(plan, seed).run(progress)


def refuse(plan: Plan) -> None:
    """Raises `CannotCarry` for a plan that machines cannot carry as it is meant."""
    stations, deliveries = plan.stations, plan.deliveries
    shared = (stations.loop_of, stations.disk_of)
    reasons = {
        f"more than {NODES_MAX} nodes": len(plan.node_ids) > NODES_MAX,
        f"more than {DELIVERIES_MAX} deliveries": len(deliveries.hops) > DELIVERIES_MAX,
        "documents that go over several hops": bool((deliveries.hops != 1).any()),
        "documents that are handed on": bool((deliveries.parent >= 0).any()),
        "shared content": bool((deliveries.form == Form.CHUNK).any()),
        "nodes that are switched off": any(outage.dark for outage in plan.outages),
        "links that are not first come, first served": stations.up_law is not Law.FIFO,
        "nodes that share a loop or a disk": any(len(set(each.tolist())) < len(each) for each in shared),
        "loops of several servers": bool((stations.servers[stations.loop_of] > 1).any()),
        "rounds of fewer things than a node's": bool((stations.round_max[stations.loop_of] != ROUND_MAX).any()),
        "documents with two deliveries to one recipient": sum(len(p.rows) for p in papers(plan)) < len(deliveries.hops),
        "documents to their own sender": bool((deliveries.path[0] == deliveries.path[1]).any()),
        "node ids that are no codes of parties": not all(map(_is_code, plan.node_ids)),
    }
    found = [reason for reason, holds in reasons.items() if holds]
    if found:
        raise CannotCarry(f"full machines do not carry {', '.join(found)}; the reference engine does")


def _is_code(text: str) -> bool:
    try:
        party_id(text)
    except TheirFault:
        return False
    return True


def _files(content: bytes, inline: bool) -> tuple[tuple[File, ...], tuple[bytes, ...]]:
    """A few bytes stand for content; what they weigh on links and loops is the plan's business."""
    if not content:
        return (), ()
    file = make_file("văn bản.pdf", "application/pdf", len(content), len(content), (sha256(content).digest(),))
    return (file,), (content,) if inline else ()


def _deadline_ms(deadline_ns: int) -> int:
    return min(max(deadline_ns // NS_PER_MS, EXPIRES_MS_MIN), EXPIRES_MS_MAX)


def _accepted(answer: Answer | None) -> None:
    """Nothing keeps a node of a quiet world from taking what it is handed."""
    if answer is None or answer.value is None:
        raise AssertionError(f"refused: {answer}")
