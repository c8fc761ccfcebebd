"""A host: one node's durable things, and the lives of its machine, one after the other.

What survives a crash is here: tables, chunks, the seal, the last directory, the clock. What does not is in
`docaxis_sim.life`. A host decides nothing about documents; like the real transport it refuses strangers and a full
disk at the door, and serves chunks to recipients only.
"""

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

import simpy

from docaxis.core import envelope, wire
from docaxis.core.addresses import Book, Status
from docaxis.core.effects import Answer, DropContent, Op
from docaxis.core.errors import TheirFault
from docaxis.core.events import Act, Acted, DirectoryChanged, Inbound, Submission, Submitted
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import State
from docaxis.core.limits import SECOND_MS
from docaxis.core.policy import Policy
from docaxis.core.ports import Seal
from docaxis.store.memory import MemoryTables, Snapshot
from docaxis_sim.ground import Ground
from docaxis_sim.issue import Issue, Subscriber
from docaxis_sim.life import Answered, Life
from docaxis_sim.network import Network, Refusal
from docaxis_sim.timing import Erratic, Timing

RESTART_MS_MAX = 20 * SECOND_MS


class Backup(NamedTuple):
    """A consistent copy of everything durable of a node; `mark` is the watcher's name for it."""

    tables: Snapshot
    chunks: dict[bytes, bytes]
    mark: int


class Host:
    """One node of a world. `absent` holds the reasons for which it may not run now; it runs when there are none. `born`
    is called at the beginning of each life."""

    def __init__(
        self,
        ground: Ground,
        network: Network,
        party: str,
        seal: Seal,
        book: Callable[[int], Book],
        policy: Policy | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.ground = ground
        self.network = network
        self.party = PartyId(party)
        self.seal = seal
        self.policy = policy or Policy()
        self.offset_ms = 0
        self.book = book(self.now_ms())
        self.subscriber = Subscriber()
        self.tables = MemoryTables()
        self.chunks: dict[bytes, bytes] = {}
        self.disk_full = False
        self.absent: dict[str, None] = {}
        self.life: Life | None = None
        self.born: Callable[[], None] = lambda: None
        self.poisoned: dict[PartyId, DocId | None] = {}
        self.chance = ground.streams(f"host {party}")
        self.timing = timing or Erratic(self.chance)
        network.stations[party] = self

    def now_ms(self) -> int:
        """The host's own clock."""
        return self.ground.now_ms + self.offset_ms

    # --- living and dying ---

    @property
    def up(self) -> bool:
        """Whether anything accepts connections: a node with a full disk still refuses politely."""
        return self.life is not None or (self.disk_full and self.absent == {"disk": None})

    def start(self) -> None:
        """A new life, if nothing forbids it and there is none."""
        if self.life is None and not self.absent:
            self.ground.note(self.party, "start")
            self.life = Life(self, self.tables.life(self.now_ms()))
            self.born()

    def crash(self, why: str) -> None:
        """Memory is gone, durable things stay; a new life begins soon, unless something forbids it."""
        if self.life is not None:
            self.ground.note(self.party, "crash", why)
            self.ground.watch.crashed(self.party, why)
            life, self.life = self.life, None
            life.die()
            self.ground.env.process(self._start_later(self.chance.randint(1, RESTART_MS_MAX)))

    def keep_down(self, reason: str) -> None:
        """Down until `allow` is called with the same reason."""
        self.absent[reason] = None
        self.crash(reason)

    def allow(self, reason: str) -> None:
        """The reason is gone; starts when it was the last one."""
        self.absent.pop(reason, None)
        self.start()

    def commit_failed(self) -> None:
        """The disk is full: this life is over, and the next one begins when there is room."""
        self.keep_down("disk")

    def set_disk_full(self, full: bool) -> None:
        """Nothing can be committed from now on, or everything again."""
        self.disk_full = full
        if not full:
            self.allow("disk")

    def use_seal(self, seal: Seal) -> None:
        """From the next life on, which begins soon, the node signs with another key."""
        self.seal = seal
        self.crash("new key")

    def backup(self) -> Backup:
        """A copy of everything durable, taken while the node is in use."""
        return Backup(self.tables.snapshot(self.now_ms()), dict(self.chunks), self.ground.watch.backed_up(self.party))

    def restore(self, kept: Backup) -> None:
        """The copy replaces everything; whatever was learnt since then is forgotten."""
        self.crash("restored from a backup")
        self.network.forget(self.party)
        self.tables.restore(kept.tables)
        self.chunks = dict(kept.chunks)
        self.ground.watch.restored(self.party, kept.mark)

    def _start_later(self, after_ms: int) -> Generator[simpy.Event, object, None]:
        yield self.ground.env.timeout(after_ms)
        self.start()

    def commit(self, ops: Sequence[Op]) -> None:
        """Keeps everything; chunks that no document names any more are destroyed, as the real driver does."""
        dropped = [digest for op in ops if isinstance(op, DropContent) for digest in self._digests(op.doc)]
        self.tables.apply(ops)
        for digest in dropped:
            if not self.tables.claimed([digest]):
                self.chunks.pop(digest, None)
        self.ground.watch.committed(self.party, ops)

    def _digests(self, doc: DocId) -> list[bytes]:
        kept = self.tables.document(doc)[1]
        return envelope.chunk_digests(envelope.decode(kept[0].signed.body).files) if kept else []

    # --- what reaches a node ---

    def renew(self, issue: Issue) -> None:
        """A source was asked for the directory: what the right officers signed is believed, and nothing else."""
        try:
            book, refused = self.subscriber.take(issue, self.now_ms())
        except TheirFault as fault:
            self.ground.watch.passed(fault.code)
            return
        for _fault in refused:
            self.ground.watch.passed("foreign revocation refused")
        self.ground.watch.renewed(self.party, issue.signed_ms)
        self.set_book(book)

    def set_book(self, book: Book) -> None:
        """A directory was fetched and verified."""
        self.book = book
        if self.life is not None:
            self.life.push(DirectoryChanged(book))

    def submit(self, submission: Submission, answered: Answered) -> None:
        """A document is handed in; `answered` gets None if the connection breaks."""
        if (life := self._open_for(answered)) is not None:
            ticket = life.expect(answered)
            life.push(Submitted((submission._replace(ticket=ticket),)))

    def act(self, act: Act, answered: Answered) -> None:
        """Somebody states something about a document; `answered` gets None if the connection breaks."""
        if (life := self._open_for(answered)) is not None:
            life.push(Acted((act._replace(ticket=life.expect(answered)),)))

    def _open_for(self, answered: Answered) -> Life | None:
        if self.life is None:
            answered(Answer(0, None, "node.disk-full") if self.disk_full else None)
        return self.life

    def arrive(self, peer: PartyId, body: bytes, answer: Callable[[bytes | Refusal | None], None]) -> None:
        """A request of `peer`, whose identity the transport has proven."""
        refusal = self._refusal(peer)
        if refusal is not None:
            answer(refusal)
            return
        assert self.life is not None
        try:
            batch = wire.decode_batch(body)
        except TheirFault as error:
            answer(Refusal(error.code))
            return
        if batch.sender != peer:
            answer(Refusal("party.mismatch"))
            return
        if self._chokes_on(peer, batch):
            answer(Refusal("codec.schema"))
            return
        self.life.push(Inbound(self.life.expect_reply(body, answer), peer, batch))

    def _chokes_on(self, peer: PartyId, batch: wire.Batch) -> bool:
        """Whether the one document that this node cannot read is among these; the first that comes becomes it."""
        if peer not in self.poisoned:
            return False
        ids = [DocId(item.id) for item in batch.items if item.kind == wire.ENVELOPE]
        if self.poisoned[peer] is None and ids:
            self.poisoned[peer] = ids[0]
        return self.poisoned[peer] in ids

    def _refusal(self, peer: PartyId) -> Refusal | None:
        if self.disk_full or self.life is None:
            return Refusal("node.disk-full", 10 * SECOND_MS)
        entry = self.book.entry(peer)
        if entry is None:
            return Refusal("party.unknown")
        if entry.status is Status.SUSPENDED:
            return Refusal("party.revoked")
        return None

    # --- chunks ---

    def upload(self, chunks: dict[bytes, bytes]) -> bool:
        """A clerk's software brings chunks before it submits; False when the node cannot take them."""
        if self.life is None or self.disk_full:
            return False
        self.chunks.update(chunks)
        return True

    def serve(self, peer: PartyId, doc: DocId, digest: bytes) -> bytes | None:
        """A chunk of a document, for one of its recipients, while it is not recovered."""
        records = self.tables.document(doc)[0]
        recipient = any(
            record.outgoing
            and record.standing.state is not State.RECOVERED
            and self.book.answers_for(peer, record.recipient)
            for record in records
        )
        return self.chunk(digest) if recipient and digest in self._digests(doc) else None

    def chunk(self, digest: bytes) -> bytes | None:
        """A chunk that is kept here, in whichever way."""
        kept = self.chunks.get(digest)
        return self.tables.content(digest) if kept is None else kept
