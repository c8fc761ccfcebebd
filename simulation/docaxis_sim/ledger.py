"""The ledger: what a stranger with a key to every room writes down while a world runs.

Built from what nodes commit and say, never from their stores' own answers, so that it can contradict them. It shares
no code with the machine; which entries are wrong is said in `docaxis_sim.checkers`, which it calls as things happen.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from docaxis.core import statement as statements
from docaxis.core import wire
from docaxis.core.addresses import Book
from docaxis.core.effects import AppendChange, Dequeue, Enqueue, Op, PutHead, PutObject, PutRecord, Resend
from docaxis.core.events import Delivered, DirectoryChanged, Event, Inbound, Undelivered, Woke
from docaxis.core.ids import DocId, KeyId
from docaxis.core.record import Record
from docaxis.core.signed import decode_head
from docaxis.core.statement import Statement
from docaxis_sim import checkers


class Ack(NamedTuple):
    """A submission that was acknowledged: from then on it may not be lost. `at_ms` is the true time."""

    sender: str
    key: str
    doc: DocId
    to: tuple[str, ...]
    at_ms: int


class Shelf:
    """What one node has made durable, as its commits said so."""

    def __init__(self) -> None:
        self.objects: dict[bytes, PutObject] = {}
        self.heads: dict[bytes, bytes] = {}
        self.records: dict[tuple[DocId, str], Record] = {}
        self.feed: Counter[tuple[DocId, str, bool, str, str]] = Counter()

    def keep(self, op: Op) -> None:
        """One op."""
        if isinstance(op, PutObject):
            self.objects.setdefault(op.id, op)
        elif isinstance(op, PutHead):
            self.heads.setdefault(op.head, op.raw)
        elif isinstance(op, PutRecord):
            self.records[op.record.key] = op.record
        elif isinstance(op, AppendChange):
            self.feed[op.doc, op.recipient, op.outgoing, op.code.value, op.by] += 1

    def statements(self, doc: DocId, recipient: str) -> list[Statement]:
        """Every statement kept about one transmission, in the order of keeping."""
        return [
            statements.decode(each.body)
            for each in self.objects.values()
            if each.kind == wire.STATEMENT and each.doc == doc and each.recipient == recipient
        ]


class Ledger:
    """Implements `docaxis_sim.ground.Watch`. `now_ms` gives the true time."""

    def __init__(self) -> None:
        self.now_ms: Callable[[], int] = lambda: 0
        self.acks: dict[DocId, Ack] = {}
        self.keys: dict[tuple[str, str], DocId] = {}
        self.shelves: dict[str, Shelf] = {}
        self.logs: dict[str, list[Op]] = {}
        self.backups: list[list[Op]] = []
        self.words: dict[checkers.Place, bytes] = {}
        self.restored_parties: Counter[str] = Counter()
        self.revoked: dict[tuple[str, KeyId], int] = {}
        self.revoked_parties: dict[str, None] = {}
        self.arrivals: dict[tuple[DocId, str], int] = {}
        self.happened: Counter[str] = Counter()
        self.pulse: Counter[tuple[str, int]] = Counter()
        self.wakes: Counter[tuple[str, int]] = Counter()
        self.failures: Counter[tuple[str, str, int]] = Counter()
        self.contacts: Counter[tuple[str, str, int]] = Counter()
        self.lives: Counter[tuple[str, int]] = Counter()

    def shelf(self, party: str) -> Shelf:
        """What a party has made durable."""
        return self.shelves.setdefault(party, Shelf())

    def acknowledged(self, ack: Ack) -> None:
        """A clerk was told that a document is on its way; the same key must always mean the same document."""
        known = self.keys.setdefault((ack.sender, ack.key), ack.doc)
        if ack.sender not in self.restored_parties:
            checkers.one_key_one_document(ack.sender, ack.key, known, ack.doc)
        self.acks.setdefault(ack.doc, ack)
        self.happened["acknowledged"] += 1

    # --- Watch ---

    def handled(self, party: str, event: Event) -> None:
        """The machine of `party` has handled an event."""
        now_ms = self.now_ms()
        name = type(event).__name__
        self.happened[name] += 1
        minute, hour = now_ms // 60_000, now_ms // 3_600_000
        self.pulse[party, minute] += 1
        if isinstance(event, DirectoryChanged):
            self._told(party, event.book)
        elif isinstance(event, Woke):
            self.wakes[party, minute] += 1
        elif isinstance(event, Inbound):
            self.contacts[party, event.peer, hour] += 1
        elif isinstance(event, Undelivered):
            self.failures[party, event.peer, hour] += 1
            contacts = self.contacts[party, event.peer, hour]
            checkers.patience(
                party, event.peer, self.failures[party, event.peer, hour], contacts, self.lives[party, hour]
            )
        elif isinstance(event, Delivered):
            self._outcomes(event.reply)
        elif name == "Started":
            self.lives[party, hour] += 1
        checkers.calm(party, self.pulse[party, minute], self.wakes[party, minute])

    def _outcomes(self, reply: wire.Reply) -> None:
        for result in reply.results:
            self.happened[f"{result.outcome.value} {result.code}".strip()] += 1

    def _told(self, party: str, book: Book) -> None:
        for key in book.revoked:
            self.revoked.setdefault((party, key), self.now_ms())

    def committed(self, party: str, ops: Sequence[Op]) -> None:
        """These ops are durable at `party` now."""
        shelf = self.shelf(party)
        self.logs.setdefault(party, []).extend(ops)
        for op in ops:
            if isinstance(op, PutRecord):
                checkers.monotone(party, shelf.records.get(op.record.key), op.record)
            shelf.keep(op)
            if isinstance(op, PutObject):
                self._new_object(party, shelf, op)
            elif isinstance(op, PutRecord):
                self._note_arrival(party, op.record)
            elif isinstance(op, AppendChange):
                self._new_line(party, shelf, op)
            elif isinstance(op, Enqueue | Dequeue | Resend):
                self.happened[type(op).__name__] += 1

    def _new_object(self, party: str, shelf: Shelf, op: PutObject) -> None:
        head = decode_head(shelf.heads[op.head])
        told_ms = self.revoked.get((party, head.key))
        checkers.authority(party, op, head.key, told_ms, self.now_ms())
        if op.kind == wire.STATEMENT and op.by == party:
            said = statements.decode(op.body)
            envelope = shelf.objects.get(said.doc)
            checkers.deadline(party, said, None if envelope is None else envelope.body)
            checkers.chain(self.words, said, op.id)

    def _note_arrival(self, party: str, record: Record) -> None:
        if record.outgoing and record.standing.progress.name not in ("SENT", "HELD", "EXPIRED"):
            self.arrivals.setdefault((record.doc, record.recipient), self.now_ms())

    def _new_line(self, party: str, shelf: Shelf, op: AppendChange) -> None:
        self.happened[f"code {op.code.value}"] += 1
        count = shelf.feed[op.doc, op.recipient, op.outgoing, op.code.value, op.by]
        forgotten = sum(self.restored_parties[each] for each in {party, op.by})
        checkers.once(party, op, count, forgotten)

    def asked(self, party: str, request: bytes) -> None:
        """This request leaves the node of `party`."""
        for item in wire.decode_batch(request).items:
            checkers.durable_before_spoken(party, item.id, self.shelf(party).objects)

    def answered(self, party: str, request: bytes, answer: bytes) -> None:
        """This answer leaves the node of `party`."""
        reply = wire.decode_reply(answer)
        shelf = self.shelf(party)
        items = wire.decode_batch(request).items
        checkers.one_result_per_item(party, len(items), len(reply.results))
        for item, result in zip(items, reply.results, strict=True):
            if result.receipt is not None:
                checkers.durable_before_spoken(party, result.receipt.id, shelf.objects)
            if result.outcome is wire.Outcome.KEPT:
                checkers.kept_is_kept(party, item, shelf.objects)

    def mark(self, party: str) -> int:
        """A backup is taken of all ops until now."""
        self.backups.append(list(self.logs.get(party, ())))
        return len(self.backups) - 1

    def restored(self, party: str, mark: int) -> None:
        """Everything after the mark is forgotten; what others heard of it stays true."""
        log = self.logs[party] = list(self.backups[mark])
        self.restored_parties[party] += 1
        self.shelves[party] = shelf = Shelf()
        for op in log:
            shelf.keep(op)
