"""A circle of machines and perfect wires: what happens at one end is carried to the other, in memory and at once.

For tests of the core alone. Time stands still unless a test moves it; nothing is lost unless a test cuts a wire.
"""

from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from docaxis.core import effects as fx
from docaxis.core import events as ev
from docaxis.core import limits, wire
from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.envelope import make_file
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.machine import Machine
from docaxis.core.policy import Policy
from docaxis.seal.sign import NodeSeal
from docaxis.store.memory import MemoryTables

START_MS = 1_774_000_000_000


def seal_of(code: str) -> NodeSeal:
    """A real Ed25519 seal, the same for the same code in each run."""
    return NodeSeal(sha256(code.encode()).digest())


def entry_of(code: str, seal: NodeSeal, **changes: Any) -> Entry:
    """A directory entry with one endpoint and the seal's key."""
    key = SigningKey(seal.key_id, seal.algorithm, seal.public_key, 0, 0)
    entry = Entry(
        PartyId(code), code, code, "test", None, (f"https://{code}",), (), (key,), (), (), Status.OPEN, (), 0, 0, 1
    )
    return entry._replace(**changes)


class Host:
    """One machine with its memory store, driven as every driver drives it."""

    def __init__(self, circle: "Circle", code: str) -> None:
        self.circle = circle
        self.code = PartyId(code)
        self.seal = seal_of(code)
        self.tables = MemoryTables()
        self.answers: dict[int, fx.Answer] = {}
        self.replies: dict[int, bytes] = {}
        self.sent: list[fx.Send] = []
        self.notes: list[fx.Noted] = []
        self.wake_ms = 0
        self.files: set[bytes] = set()
        self.lives = 0
        self.policy = Policy()
        self._ticket = 0

    def start(self, policy: Policy | None = None) -> None:
        """A new life on the same store; what was under way for the old one is lost."""
        self.lives += 1
        self.policy = policy or self.policy
        self.machine = Machine(self.code, self.seal, self.circle.book, self.policy)
        life = self.tables.life(self.circle.now_ms)
        self.do(ev.Started(life.epoch, life.since_ms, life.peers, life.waiting))

    def do(self, *events: ev.Event) -> None:
        """Handles events as one group commit, and performs what they lead to."""
        wanted = self.machine.wanted(events)
        self.machine.absorb(self.tables.find(wanted))
        done = [self.machine.handle(event, self.circle.now_ms, self.circle.chance()) for event in events]
        self.tables.apply([op for effects in done for op in effects.durable])
        self.machine.committed(self.machine.handled)
        for effects in done:
            for then in effects.then:
                self._perform(then)
            self.notes += [tell for tell in effects.tell if isinstance(tell, fx.Noted)]

    def _perform(self, then: fx.Then) -> None:
        match then:
            case fx.Send():
                self.sent.append(then)
                self.later(then)
            case fx.Reply(ticket, body):
                self.replies[ticket] = body
            case fx.Answer():
                self.answers[then.ticket] = then
            case fx.Fetch():
                self.later(then)
            case fx.LoadQueue(peer, lane, now_ms, limit):
                items = self.tables.queue(peer, lane, now_ms, limit)
                self.later(ev.QueueLoaded(peer, lane, items))
            case fx.LoadDue(before_ms, limit):
                due = self.tables.due(before_ms, limit)
                self.later(ev.DueLoaded(due, len(due) == limit))
            case fx.WakeAt(at_ms):
                self.wake_ms = at_ms

    def later(self, what: fx.Then | ev.Event) -> None:
        """Something on its way, for as long as this life lasts."""
        self.circle.wire.append((self, self.lives, what))

    def submission(self, *to: str, data: bytes = b"", key: str = "", **fields: Any) -> ev.Submission:
        """A submission with one inline file, or one that must be pulled when ``inline=()``."""
        self._ticket += 1
        files = (make_file("a.pdf", "application/pdf", len(data), 1 << 20, (sha256(data).digest(),)),) if data else ()
        made = ev.Submission(
            self._ticket, key, sha256(repr((to, data, fields)).encode()).digest(), to, "new", None, 0, 0,
            {"subject": "về việc"}, files, (data,) if data else (),
        )  # fmt: skip
        return made._replace(**fields)

    def submit(self, *to: str, data: bytes = b"", key: str = "", **fields: Any) -> fx.Answer:
        """Hands in one document, lets everything settle, and gives the answer."""
        made = self.submission(*to, data=data, key=key, **fields)
        self.do(ev.Submitted((made,)))
        self.circle.settle()
        return self.answers[made.ticket]

    def act(self, doc: DocId, code: Code, text: str = "", recipient: str = "", key: str = "") -> fx.Answer:
        """States something, lets everything settle, and gives the answer."""
        self._ticket += 1
        digest = sha256(repr((doc, code, text, recipient)).encode()).digest()
        act = ev.Act(self._ticket, key, digest, doc, recipient, code, text, "Nguyễn Văn A")
        self.do(ev.Acted((act,)))
        self.circle.settle()
        return self.answers[act.ticket]

    def state(self, doc: DocId, recipient: str) -> State | None:
        """What this host knows of the document at the recipient."""
        found = self.tables.document(doc)[0]
        return next((each.standing.state for each in found if each.recipient == recipient), None)

    def hand_in(self, peer: str, batch: wire.Batch) -> wire.Reply:
        """What this host answers to a batch, bytes and all."""
        self._ticket += 1
        self.do(ev.Inbound(self._ticket, PartyId(peer), wire.decode_batch(wire.encode_batch(batch))))
        return wire.decode_reply(self.replies.pop(self._ticket))


class Circle:
    """Hosts that know each other through one book."""

    def __init__(self, *codes: str) -> None:
        self.now_ms = START_MS
        self.wire: deque[tuple[Host, int, fx.Then | ev.Event]] = deque()
        self.cut: set[tuple[str, str]] = set()
        self.exchanged = 0
        self.lose_replies = 0
        self.stumbles: bytes | None = None
        self._chances = 0
        self.hosts = {PartyId(code): Host(self, code) for code in codes}
        self.entries = {
            host.code: entry_of(code, host.seal) for code, host in zip(codes, self.hosts.values(), strict=True)
        }
        self.book = self.new_book(1)
        for host in self.hosts.values():
            host.start()
        self.settle()

    def new_book(self, version: int, **fields: Any) -> Book:
        """A book over the entries as they are now."""
        entries = dict(self.entries)
        given: dict[str, Any] = {
            "aliases": {},
            "verified_ms": self.now_ms,
            "revoked": {},
            "parties": tuple(entries),
        } | fields
        self.book = Book(entries.get, version=version, **given)
        return self.book

    def __getitem__(self, code: str) -> Host:
        return self.hosts[PartyId(code)]

    def chance(self) -> bytes:
        """32 bytes, different each time and the same in each run."""
        self._chances += 1
        return sha256(self._chances.to_bytes(8, "big")).digest()

    def settle(self, steps_max: int = 10_000) -> None:
        """Carries everything until nothing moves."""
        for _ in range(steps_max):
            if not self.wire:
                return
            host, life, what = self.wire.popleft()
            self._carry(host, life, what)
        raise AssertionError("the circle does not come to rest")

    def jump(self, ms: int) -> None:
        """Moves time in one step, as if all had slept: everybody wakes once, and lets everything settle."""
        self.now_ms += ms
        self.later(limits.MINUTE_MS)

    def later(self, ms: int) -> None:
        """Moves time, waking whoever asked for it on the way, and lets everything settle."""
        until_ms = self.now_ms + ms
        while (next_ms := min(host.wake_ms for host in self.hosts.values())) <= until_ms:
            self.now_ms = max(self.now_ms, next_ms)
            for host in self.hosts.values():
                if host.wake_ms <= self.now_ms:
                    host.wake_ms = 1 << 62
                    host.do(ev.Woke())
            self.settle()
        self.now_ms = until_ms

    def _carry(self, host: Host, life: int, what: fx.Then | ev.Event) -> None:
        match what:
            case fx.Send(peer, flight, _, _, body):
                answer = self._exchange(host, peer, flight, body)
                if life == host.lives:
                    host.do(answer)
            case _ if life != host.lives:
                pass
            case fx.Fetch(doc, recipient, peer, _, digests, _):
                lost = (host.code, peer) in self.cut
                host.do(ev.NotFetched(doc, recipient, "peer.timeout", "") if lost else ev.Fetched(doc, recipient))
                host.files |= set() if lost else set(digests)
            case ev.QueueLoaded() | ev.DueLoaded():
                host.do(what)
            case _:
                raise AssertionError(f"nothing that travels: {what}")

    def _exchange(self, host: Host, peer: PartyId, flight: int, body: bytes) -> ev.Event:
        self.exchanged += 1
        if (host.code, peer) in self.cut:
            return ev.Undelivered(peer, flight, "peer.unreachable", "cut", 0)
        if self.stumbles in [item.id for item in wire.decode_batch(body).items]:
            return ev.Undelivered(peer, flight, "peer.refused", "HTTP 500", 0)
        reply = self.hosts[peer].hand_in(host.code, wire.decode_batch(body))
        if self.lose_replies:
            self.lose_replies -= 1
            return ev.Undelivered(peer, flight, "peer.timeout", "lost", 0)
        return ev.Delivered(peer, flight, reply)


def doc_of(answer: fx.Answer) -> DocId:
    """The document's id in an answer; fails loudly where the answer is an error."""
    assert answer.value is not None, (answer.code, answer.detail)
    return DocId(bytes.fromhex(str(answer.value["doc"])))


def codes_of(host: Host, doc: DocId) -> Sequence[str]:
    """The codes in the feed of a host about a document, in order."""
    return [line.change.code.value for line in host.tables.changes(0, 1000) if line.change.doc == doc]
