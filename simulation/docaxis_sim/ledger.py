"""The ledger: what a stranger with a key to every room writes down while a world runs.

Built from what nodes commit and say, never from their stores' own answers, so that it can contradict them. Bytes are
read by `docaxis_sim.reading`, not by the core; which entries are wrong is said in `docaxis_sim.checkers`, which is
called as things happen.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from docaxis.core.addresses import Book
from docaxis.core.effects import (
    AppendChange,
    Dequeue,
    Effects,
    Enqueue,
    Noted,
    Op,
    PutHead,
    PutObject,
    PutRecord,
    Resend,
    Send,
)
from docaxis.core.events import Delivered, DirectoryChanged, Event, Inbound, Started, Submitted, Undelivered, Woke
from docaxis.core.ids import DocId, KeyId
from docaxis.core.limits import BATCH_ITEMS_MAX
from docaxis.core.record import Record
from docaxis_sim import checkers, reading, sometimes, vouching
from docaxis_sim.reading import Said


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
        self.heads: dict[bytes, PutHead] = {}
        self.records: dict[tuple[DocId, str], Record] = {}
        self.feed: Counter[tuple[DocId, str, bool, str, str]] = Counter()

    def keep(self, op: Op) -> None:
        """One op."""
        if isinstance(op, PutObject):
            self.objects.setdefault(op.id, op)
        elif isinstance(op, PutHead):
            self.heads.setdefault(op.head, op)
        elif isinstance(op, PutRecord):
            self.records[op.record.key] = op.record
        elif isinstance(op, AppendChange):
            self.feed[op.doc, op.recipient, op.outgoing, op.code.value, op.by] += 1

    def statements(self, doc: DocId, recipient: str) -> list[Said]:
        """Every statement kept about one transmission, in the order of keeping."""
        return [
            reading.statement(each.body)
            for each in self.objects.values()
            if each.kind == reading.STATEMENT and each.doc == doc and each.recipient == recipient
        ]


class Ledger:
    """Implements `docaxis_sim.ground.Watch`. `now_ms` gives the true time; `heirs` succeed closed codes; `published`
    and `really_revoked` are what the authority has done about keys, whatever others believe of it."""

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
        self.forged_parties: dict[str, None] = {}
        self.heirs: Mapping[str, str] = {}
        self.arrivals: dict[tuple[DocId, str], int] = {}
        self.happened: Counter[str] = Counter()
        self.pulse: Counter[tuple[str, int]] = Counter()
        self.wakes: Counter[tuple[str, int]] = Counter()
        self.silences: dict[tuple[str, str], checkers.Silence] = {}
        self.credits: dict[tuple[str, str], int] = {}
        self.books: dict[str, Book] = {}
        self.published: vouching.Published = {}
        self.really_revoked: Mapping[KeyId, int] = {}
        self.said: set[bytes] = set()
        self.signing: dict[tuple[str, str], KeyId] = {}
        self.versions: Counter[str] = Counter()

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

    def handled(self, party: str, event: Event, effects: Effects, clock_ms: int) -> None:
        """The machine of `party` has handled an event, with these effects, when its clock showed `clock_ms`."""
        self.happened[type(event).__name__] += 1
        self.happened.update(sometimes.seen(event, effects, self.forged_parties))
        minute = self.now_ms() // 60_000
        self.pulse[party, minute] += 1
        if isinstance(event, DirectoryChanged):
            self._told(party, event.book)
        elif isinstance(event, Woke):
            self.wakes[party, minute] += 1
        elif isinstance(event, Inbound):
            self._heard(party, event)
        elif isinstance(event, Undelivered):
            self._failed(party, event, clock_ms)
        elif isinstance(event, Delivered):
            self._delivered(party, event, effects)
        elif isinstance(event, Started):
            self._begun(party)
        checkers.calm(party, self.pulse[party, minute], self.wakes[party, minute])
        for effect in effects.then:
            if isinstance(effect, Send):
                self._leaves(party, effect, clock_ms)
        if (book := self.books.get(party)) is not None:
            age_ms = clock_ms - book.verified_ms
            checkers.fresh_enough(party, age_ms, clock_ms, isinstance(event, Inbound), effects)
            self.happened["stale directory held documents"] += age_ms >= checkers.STALE_MS and isinstance(
                event, Submitted
            )

    def _heard(self, party: str, event: Inbound) -> None:
        """A request came in: a sign of life, and perhaps one that came before."""
        if (silence := self.silences.get((party, event.peer))) is not None:
            self.silences[party, event.peer] = silence._replace(sign=True)
        known = self.shelf(party).objects
        if any(item.kind == reading.ENVELOPE and item.id in known for item in event.batch.items):
            self.happened["duplicate refused"] += 1
        if party in self.books and event.batch.dir != self.books[party].version:
            self.happened["directory versions differed"] += 1

    def _failed(self, party: str, event: Undelivered, clock_ms: int) -> None:
        """A request that could not be read is no failure of its peer, and the refusal is a sign of life: smaller ones
        may follow at once."""
        self.credits.pop((party, event.peer), None)
        before = self.silences.get((party, event.peer), checkers.Silence(0, 0))
        refused = event.code.startswith("codec.")
        after = before._replace(sign=True) if refused else checkers.Silence(before.failures + 1, clock_ms)
        if after.failures:
            self.silences[party, event.peer] = after

    def _delivered(self, party: str, event: Delivered, effects: Effects) -> None:
        """An answer counts unless the node says that it was none."""
        self.silences.pop((party, event.peer), None)
        if any(isinstance(told, Noted) and told.event == "peer.failed" for told in effects.tell):
            self.credits.pop((party, event.peer), None)
        else:
            self.credits[party, event.peer] = event.reply.credit
        for result in event.reply.results:
            self.happened[f"{result.outcome.value} {result.code}".strip()] += 1

    def _begun(self, party: str) -> None:
        """A new life knows of failures only what was durable, and of credit nothing; of its directory it hears soon."""
        self.books.pop(party, None)
        for memory in (self.silences, self.credits):
            for key in [key for key in memory if key[0] == party]:
                memory.pop(key)

    def _leaves(self, party: str, effect: Send, clock_ms: int) -> None:
        """A request was decided."""
        silence = self.silences.get((party, effect.peer))
        if silence is not None:
            checkers.patience(party, effect.peer, silence, clock_ms)
            self.silences[party, effect.peer] = silence._replace(sign=False)
        credit = self.credits.get((party, effect.peer), BATCH_ITEMS_MAX)
        if credit < BATCH_ITEMS_MAX:
            items = len(reading.request(effect.body).parts)
            checkers.within_credit(party, effect.peer, items, credit)
            self.happened["credit exhausted"] += items == credit

    def _told(self, party: str, book: Book) -> None:
        self.books[party] = book
        vouching.never_back(party, self.versions[party], book.version)
        vouching.truly_listed(party, book, self.published)
        vouching.truly_revoked(party, book, self.really_revoked)
        self.versions[party] = book.version
        for key in book.revoked:
            self.revoked.setdefault((party, key), self.now_ms())

    def crashed(self, party: str, why: str) -> None:
        """The node of `party` was struck down."""
        if why in sometimes.CRASHES:
            self.happened[sometimes.CRASHES[why]] += 1

    def passed(self, what: str) -> None:
        """Something rare happened to a message, a clock or a directory: a rare path, or the code of a refusal."""
        self.happened[sometimes.REFUSED.get(what, what)] += 1

    def renewed(self, party: str, signed_ms: int) -> None:
        """The node of `party` believes a directory whose stamp was signed then."""
        vouching.not_frozen(party, signed_ms, self.now_ms())

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
        head = shelf.heads[op.head]
        vouching.provable(party, op, head, self.published)
        vouching.authentic(party, op, self.said)
        if op.by == party:
            self.said.add(op.id)
        key = KeyId(reading.seal(head.raw).key)
        if self.signing.setdefault((party, op.by), key) != key:
            self.signing[party, op.by] = key
            self.happened["new key met"] += 1
        checkers.authority(party, op, key, self.revoked.get((party, key)), self.now_ms())
        if op.kind == reading.STATEMENT and op.by == party:
            said = reading.statement(op.body)
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
        if self.restored_parties[op.by]:
            # People there may refuse what they forgot to have worked on; it arrives anew when that is remembered.
            forgotten += shelf.feed[op.doc, op.recipient, op.outgoing, "02", op.by]
        checkers.once(party, op, count, forgotten)

    def asked(self, party: str, peer: str, request: bytes) -> None:
        """This request leaves the node of `party` for that of `peer`."""
        for part in reading.request(request).parts:
            checkers.durable_before_spoken(party, part.id, self.shelf(party).objects)
            if part.kind == reading.ENVELOPE:
                carried = [sha256(chunk).digest() for chunk in part.inline]
                checkers.for_its_recipients(party, peer, reading.envelope(part.body), carried, self.heirs)

    def served(self, party: str, peer: str, doc: bytes, digest: bytes) -> None:
        """This chunk, asked for as content of that document, leaves the node of `party` for that of `peer`."""
        kept = self.shelf(party).objects
        checkers.durable_before_spoken(party, doc, kept)
        checkers.for_its_recipients(party, peer, reading.envelope(kept[doc].body), [digest], self.heirs)

    def answered(self, party: str, request: bytes, answer: bytes) -> None:
        """This answer leaves the node of `party`."""
        results = reading.answer(answer)
        shelf = self.shelf(party)
        batch = reading.request(request)
        checkers.one_result_per_item(party, len(batch.parts), len(results))
        for part, result in zip(batch.parts, results, strict=True):
            if result.receipt is not None:
                checkers.receipt_for_its_document(party, batch.recipient, part, result.receipt)
                checkers.durable_before_spoken(party, reading.object_id(result.receipt), shelf.objects)
            if result.outcome == reading.KEPT:
                checkers.kept_is_kept(party, part, shelf.objects)

    def backed_up(self, party: str) -> int:
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
