"""The machine: everything a node decides, one arm per event, each arm calling one room.

Pure: events, the time and 32 bytes of chance come in, effects come out. It does no I/O, reads no clock, and holds in
memory only what is next to go and what is not yet durable. Drivers call `wanted`, `absorb`, `handle`, `committed`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from docaxis.core import envelope as envelopes
from docaxis.core import limits, wire
from docaxis.core import statement as statements
from docaxis.core.addresses import Book
from docaxis.core.cache import Cache
from docaxis.core.desk import Desk, holds_documents
from docaxis.core.effects import Effects, LoadDue, Resend, Send, WakeAt
from docaxis.core.effects import Reply as ReplyTo
from docaxis.core.envelope import Envelope
from docaxis.core.errors import DocaxisError, TheirFault
from docaxis.core.events import (
    Acted,
    Delivered,
    DirectoryChanged,
    DueLoaded,
    Event,
    Fetched,
    Inbound,
    NotFetched,
    QueueLoaded,
    Started,
    Submitted,
    Undelivered,
    Woke,
)
from docaxis.core.ids import DocId, PartyId
from docaxis.core.intake import CONTENT_WATCH_MS, Intake, destroy, refused, repeat_first_word
from docaxis.core.lifecycle import Code, State
from docaxis.core.outbox import Flight, Outbox
from docaxis.core.policy import Policy
from docaxis.core.ports import Seal
from docaxis.core.record import WAITS_CONTENT, WAITS_DIRECTORY, WAITS_NOTHING, Loaded
from docaxis.core.returns import Returns
from docaxis.core.routing import Hop, How, next_hop
from docaxis.core.schedule import LANE_BACKGROUND, LANE_CONTROL
from docaxis.core.signed import Signed
from docaxis.core.statement import Position, Statement
from docaxis.core.turn import Say, Turn
from docaxis.core.wanted import Found, RecordKey, Wanted
from docaxis.core.wire import Batch, Item, Outcome, Reply, Result

SCAN_PAUSE_MS: Final = limits.SECOND_MS
"""What is due soon is not looked for more often than this."""
_PARSED_MAX: Final = 4 * limits.BATCH_ITEMS_MAX
_ENDS: Final = frozenset({Code.RECALL, Code.AGREE, Code.EXPIRED})
"""What may destroy a copy here, if no other recipient here holds it."""
_TAKES: Final = frozenset({Code.HELD, Code.ARRIVED, Code.REFUSED})


class Machine:
    """One node's protocol. `me` is the party it speaks for, `seal` signs with its key, `book` is the directory."""

    def __init__(self, me: PartyId, seal: Seal, book: Book, policy: Policy | None = None) -> None:
        self._me = me
        self._seal = seal
        self._policy = policy or Policy()
        self._handled = 0
        self._epoch = 1
        self._since_ms = 0
        self._woken_at_ms = 0
        self._scan_at_ms = 0
        self._scan_until_ms = 0
        self._scanning = False
        self._parsed: dict[tuple[str, bytes], Envelope | Statement | DocaxisError] = {}
        self.book = book
        self.cache = Cache()
        self.outbox = Outbox(me, self._policy.batch_items, self._policy.flights)
        self._intake = Intake(me, seal, book, self.cache, self.outbox)
        self._desk = Desk(me, book, self.cache, self.outbox, self._policy)
        self._returns = Returns(self.cache, self.outbox, self._intake)
        self._arms: dict[type, Callable[[Turn, Any], None]] = {
            Submitted: self._submitted,
            Acted: self._acted,
            Inbound: self._inbound,
            Delivered: self._delivered,
            Undelivered: self._returns.undelivered,
            Fetched: self._fetched,
            NotFetched: self._not_fetched,
            QueueLoaded: self._queue_loaded,
            DueLoaded: self._due_loaded,
            DirectoryChanged: self._directory_changed,
            Woke: self._woke,
            Started: self._started,
        }

    # --- the four calls of a driver ---

    def wanted(self, events: Sequence[Event]) -> Wanted:
        """What must be read from the store, and absorbed, before these events are handled."""
        records: list[RecordKey] = []
        requests: list[str] = []
        objects: list[bytes] = []
        documents: list[DocId] = []
        positions: list[Position] = []
        for event in events:
            match event:
                case Submitted(submissions):
                    requests += [each.key for each in submissions if each.key]
                    documents += [each.ref for each in submissions if each.ref]
                case Acted(acts):
                    requests += [each.key for each in acts if each.key]
                    documents += [each.doc for each in acts]
                case Inbound(_, _, batch):
                    self._want_items(batch, records, objects, documents, positions)
                case Delivered(_, number, reply):
                    self._want_returned(number, reply, records, objects, positions)
                case Fetched(doc, recipient) | NotFetched(doc, recipient):
                    records.append((doc, recipient))
                case DueLoaded(due):
                    documents += [each.record.doc for each in due if each.record.waits]
                case _:
                    pass
        return self.cache.lacks(
            Wanted(tuple(records), tuple(requests), tuple(objects), tuple(documents), tuple(positions))
        )

    def absorb(self, found: Found) -> None:
        """Takes in what the store answered to `wanted`."""
        self.cache.absorb(found)

    def handle(self, event: Event, now_ms: int, entropy: bytes) -> Effects:
        """Decides what follows from `event` at `now_ms` (ms since 1970 UTC); `entropy` is 32 fresh random bytes."""
        self._handled += 1
        turn = Turn(self._handled, self._me, self._epoch, self.book.version, now_ms, entropy)
        self._arms[type(event)](turn, event)
        turn.after_signing.append(lambda: self._send(turn))
        return turn.finish(self._seal)

    def committed(self, through: int) -> None:
        """The durable part of the first `through` handled events is on disk."""
        self.cache.committed(through)

    @property
    def handled(self) -> int:
        """How many events have been handled in this life."""
        return self._handled

    def delivery(self) -> list[dict[str, object]]:
        """The state of every destination, for operators."""
        return [
            {
                "peer": queue.peer, "fails": queue.fails, "why": queue.why, "down_since_ms": queue.down_since_ms,
                "next_try_ms": queue.next_try_ms, "window": int(queue.window), "flights": queue.flights,
                "in_memory": queue.waiting_items(), "epoch": queue.epoch,
            }
            for queue in self.outbox.queues.values()
        ]  # fmt: skip

    # --- arms ---

    def _started(self, turn: Turn, event: Started) -> None:
        self._epoch = turn.epoch = event.epoch
        self._since_ms = event.since_ms
        self._intake.restored_ms = event.epoch if event.since_ms else 0
        self.outbox.begin(int.from_bytes(turn.nonce()[:6], "big"))
        for saved in event.peers:
            self.outbox.restore(saved)
        for peer, lane in event.waiting:
            self.outbox.expect(peer, lane, postponed=True)
        if event.since_ms:
            self._greet_everybody(turn, event)
        self._scan(turn, turn.now_ms + CONTENT_WATCH_MS)

    def _greet_everybody(self, turn: Turn, event: Started) -> None:
        """Restored from a backup: whoever holds what this node forgot must hear of its new epoch."""
        for peer in dict.fromkeys((*(saved.peer for saved in event.peers), *self.book.parties)):
            if peer != self._me:
                self.outbox.greet(peer)
        turn.note("resync.begun", epoch=event.epoch, since_ms=event.since_ms)

    def _submitted(self, turn: Turn, event: Submitted) -> None:
        for submission in event.submissions:
            self._desk.submit(turn, submission)

    def _acted(self, turn: Turn, event: Acted) -> None:
        for act in event.acts:
            self._desk.act(turn, act)

    def _inbound(self, turn: Turn, event: Inbound) -> None:
        batch = event.batch
        self._meet(turn, event.peer, batch.epoch, batch.since_ms)
        self.outbox.probe(event.peer, turn.now_ms)
        results = [self._take_in(turn, event.peer, batch, item) for item in batch.items]

        def reply() -> None:
            done = tuple(
                self._with_receipt(item, batch.recipient, r) for item, r in zip(batch.items, results, strict=True)
            )
            turn.then.append(ReplyTo(event.ticket, self._reply(done)))

        turn.after_signing.append(reply)

    def _delivered(self, turn: Turn, event: Delivered) -> None:
        self._meet(turn, event.peer, event.reply.epoch, event.reply.since_ms)
        self._returns.delivered(turn, event)

    def _fetched(self, turn: Turn, event: Fetched) -> None:
        self._intake.fetching.discard((event.doc, event.recipient))
        loaded = self.cache.get((event.doc, event.recipient))
        if loaded is not None and loaded.record.waits == WAITS_CONTENT:
            self._intake.content_here(turn, loaded)

    def _not_fetched(self, turn: Turn, event: NotFetched) -> None:
        self._intake.fetching.discard((event.doc, event.recipient))
        loaded = self.cache.get((event.doc, event.recipient))
        if loaded is not None and loaded.record.waits == WAITS_CONTENT:
            self._intake.content_missing(turn, loaded, event.code, event.detail)
            due = self.cache.get(loaded.record.key)
            assert due is not None
            self._scan_by(due.record.due_ms)

    def _queue_loaded(self, turn: Turn, event: QueueLoaded) -> None:
        self.outbox.loaded(event.peer, event.lane, event.items)

    def _due_loaded(self, turn: Turn, event: DueLoaded) -> None:
        self._scanning = False
        until_ms = max(turn.now_ms, self._scan_until_ms)
        for each in event.records:
            loaded = self.cache.absorb_record(each)
            if 0 < loaded.record.due_ms <= until_ms:
                self._due(turn, loaded)
            elif loaded.record.due_ms:
                self._scan_by(max(loaded.record.due_ms, turn.now_ms + SCAN_PAUSE_MS))
        if event.more and event.records[-1].record.due_ms <= until_ms:
            self._scan(turn, turn.now_ms)

    def _directory_changed(self, turn: Turn, event: DirectoryChanged) -> None:
        self.book = event.book
        self._intake.renew(event.book)
        self._desk.book = event.book
        turn.directory = event.book.version
        for peer in self.outbox.queues:
            self.outbox.wake(peer)
        if not holds_documents(event.book, turn.now_ms):
            self._scan(turn, turn.now_ms + CONTENT_WATCH_MS)

    def _woke(self, turn: Turn, event: Woke) -> None:
        self._woken_at_ms = 0
        if self._scan_at_ms <= turn.now_ms:
            self._scan(turn, turn.now_ms)

    # --- items from peers ---

    def _want_items(
        self,
        batch: Batch,
        records: list[RecordKey],
        objects: list[bytes],
        documents: list[DocId],
        positions: list[Position],
    ) -> None:
        for item in batch.items:
            parsed = self._parse(item.kind, item.id, item.signed.body)
            if isinstance(parsed, Envelope):
                documents.append(DocId(item.id))
                documents += [parsed.ref] if parsed.ref else []
            elif isinstance(parsed, Statement):
                records.append((parsed.doc, parsed.recipient))
                objects.append(item.id)
                positions += self._intake.positions(parsed)
                documents += [parsed.doc] if parsed.code in _ENDS else []

    def _want_returned(
        self, number: int, reply: Reply, records: list[RecordKey], objects: list[bytes], positions: list[Position]
    ) -> None:
        flight = self.outbox.flights.get(number)
        if flight is not None:
            for queued, result in zip(flight.items, reply.results, strict=False):
                if queued.item.kind == wire.ENVELOPE:
                    key = DocId(queued.item.id), flight.peer
                    records.append(key)
                    for receipt in self._perhaps_known(key, result):
                        objects.append(receipt.id)
                        parsed = self._parse(wire.STATEMENT, receipt.id, receipt.body)
                        positions += self._intake.positions(parsed) if isinstance(parsed, Statement) else []
                elif result.code == "document.unknown":
                    said = statements.decode(queued.item.signed.body)
                    records.append((said.doc, said.recipient))

    def _perhaps_known(self, key: RecordKey, result: Result) -> list[Signed]:
        """The receipt, unless it must be new: the first word of a party that has said nothing here yet. That is
        nearly every receipt, and spares a question to the store in nearly every round."""
        if result.receipt is None:
            return []
        known = self.cache.get(key)
        return [] if known is not None and known.record.theirs_epoch == 0 else [result.receipt]

    def _parse(self, kind: str, object_id: bytes, body: bytes) -> Envelope | Statement | DocaxisError:
        """The object, or why it cannot be read; remembered between `wanted` and `handle`."""
        parsed = self._parsed.get((kind, object_id))
        if parsed is None:
            try:
                parsed = envelopes.decode(body) if kind == wire.ENVELOPE else statements.decode(body)
            except DocaxisError as error:
                parsed = error
            if len(self._parsed) >= _PARSED_MAX:
                self._parsed.clear()
            self._parsed[kind, object_id] = parsed
        return parsed

    def _take_in(self, turn: Turn, peer: PartyId, batch: Batch, item: Item) -> Result:
        parsed = self._parse(item.kind, item.id, item.signed.body)
        self._parsed.pop((item.kind, item.id), None)
        try:
            if isinstance(parsed, DocaxisError):
                raise TheirFault(parsed.code, parsed.detail)
            if isinstance(parsed, Envelope):
                return self._intake.envelope(turn, peer, batch.recipient, item, parsed)
            result = self._intake.statement(turn, peer, item, parsed)
            if result.outcome is Outcome.KEPT:
                self._taken(turn, parsed)
            return result
        except TheirFault as error:
            result = refused(error)
            if result.outcome is Outcome.REFUSED:
                turn.refuse(peer, error.code, f"{item.kind} {item.id.hex()[:16]}: {error.detail}")
            return result

    def _taken(self, turn: Turn, said: Statement) -> None:
        """The recipient's first word may come by itself (its answer was lost): the envelope need not go again."""
        if said.code in _TAKES and said.sender == self._me:
            turn.drop_from_queue(said.recipient, said.doc)
            self.outbox.withdraw(said.recipient, said.doc)

    def _with_receipt(self, item: Item, recipient: PartyId, result: Result) -> Result:
        if item.kind != wire.ENVELOPE or result.outcome is not Outcome.KEPT:
            return result
        loaded = self.cache.get((DocId(item.id), recipient))
        if loaded is None or loaded.record.outgoing:
            return result
        return result._replace(receipt=loaded.receipt)

    def _reply(self, results: tuple[Result, ...]) -> bytes:
        return wire.encode_reply(
            Reply(self._me, self._epoch, self._since_ms, self.book.version, self._policy.credit_items, 0, results)
        )

    def _meet(self, turn: Turn, peer: PartyId, epoch: int, since_ms: int) -> None:
        """A peer with a new epoch has lost its memory since a backup: it gets back what is kept here."""
        queue = self.outbox.queue(peer)
        if epoch <= queue.epoch:
            return
        lost_memory = queue.epoch > 0 or since_ms > 0
        if lost_memory:
            if 0 <= turn.now_ms - queue.resynced_ms < limits.RESYNC_PAUSE_MS:
                self.outbox.greet_at(peer, queue.resynced_ms + limits.RESYNC_PAUSE_MS)
                return  # not adopted, so that its next answer is met as this one would have been
            queue.resynced_ms = turn.now_ms
        queue.epoch = epoch
        turn.durable.append(queue.saved())
        if lost_memory:
            turn.durable.append(Resend(peer, LANE_BACKGROUND, max(0, since_ms - limits.RESYNC_MARGIN_MS)))
            self.outbox.expect(peer, LANE_BACKGROUND)
            turn.note("resync.for-peer", peer=peer, epoch=epoch, since_ms=since_ms)

    # --- what is due ---

    def _due(self, turn: Turn, loaded: Loaded) -> None:
        record = loaded.record
        if record.outgoing:
            if record.expires_ms > turn.now_ms:
                self._scan_by(record.expires_ms)
            elif record.standing.progress in (State.SENT, State.HELD) and not record.standing.agreed:
                self._expire(turn, loaded)
            else:
                self._save(turn, loaded._replace(record=record._replace(due_ms=0)))
                if record.receipt is not None:  # else it goes on asking for the first word: later ones rest on it
                    turn.drop_from_queue(record.recipient, record.doc)
                    self.outbox.withdraw(record.recipient, record.doc)
        elif record.waits and self._intake.waits_until_ms(record) <= turn.now_ms:
            self._give_up(turn, loaded)
        elif record.waits == WAITS_DIRECTORY:
            self._leave_quarantine(turn, loaded)
        elif record.waits == WAITS_CONTENT:
            self._fetch_again(turn, loaded)
        else:
            self._save(turn, loaded._replace(record=record._replace(due_ms=0)))

    def _expire(self, turn: Turn, loaded: Loaded) -> None:
        """Silence is never an outcome: the deadline passed, and the sender says so under its signature."""
        peer, doc = loaded.record.recipient, loaded.record.doc
        record, said = turn.state(loaded.record, Say(Code.EXPIRED, reason="envelope.expired"), self._control(peer))
        self._save(turn, loaded._replace(record=record._replace(due_ms=0)))
        turn.drop_from_queue(peer, doc)
        self.outbox.withdraw(peer, doc)
        turn.enqueue(peer, LANE_CONTROL, said)
        turn.note("document.expired", "warning", doc=doc.hex(), recipient=peer)

    def _give_up(self, turn: Turn, loaded: Loaded) -> None:
        """An announced document whose content never came by its deadline, or that waited for a directory till then."""
        repeat_first_word(turn, self.outbox, loaded)
        sender = loaded.record.sender
        reason = "content.missing" if loaded.record.waits == WAITS_CONTENT else "directory.too-old"
        record, said = turn.state(loaded.record, Say(Code.REFUSED, reason=reason), self._control(sender))
        turn.enqueue(sender, LANE_CONTROL, said)
        destroy(turn, self.cache, record)
        after = loaded._replace(record=record._replace(waits=WAITS_NOTHING, due_ms=0))
        self._save(turn, self._intake.answer_recall(turn, after))

    def _leave_quarantine(self, turn: Turn, loaded: Loaded) -> None:
        if holds_documents(self.book, turn.now_ms):
            self._watch(turn, loaded)
            return
        after = loaded._replace(record=loaded.record._replace(waits=WAITS_CONTENT))
        if envelopes.decode(loaded.envelope).files:
            self._fetch_again(turn, after)
        else:
            self._intake.content_here(turn, after)

    def _fetch_again(self, turn: Turn, loaded: Loaded) -> None:
        self._watch(turn, loaded)
        self._intake.fetch(turn, loaded.record, envelopes.decode(loaded.envelope))

    def _watch(self, turn: Turn, loaded: Loaded) -> None:
        due_ms = turn.now_ms + CONTENT_WATCH_MS
        self._save(turn, loaded._replace(record=loaded.record._replace(due_ms=due_ms)))
        self._scan_by(due_ms)

    def _control(self, peer: PartyId) -> Callable[[Signed], None]:
        return lambda signed: self.outbox.push(peer, LANE_CONTROL, Item(wire.STATEMENT, signed.id, signed, ()))

    def _save(self, turn: Turn, loaded: Loaded) -> None:
        self.cache.put(loaded, turn.number)
        turn.put(loaded)

    # --- what leaves ---

    def _scan(self, turn: Turn, until_ms: int) -> None:
        """Looks at everything that is due by `until_ms`, and ahead to what is due before the next regular scan."""
        if not self._scanning:
            self._scanning = True
            self._scan_until_ms = until_ms
            ahead_ms = max(until_ms, turn.now_ms + limits.DUE_SCAN_INTERVAL_MS)
            turn.then.append(LoadDue(ahead_ms, limits.DUE_SCAN_ITEMS_MAX))
        self._scan_at_ms = turn.now_ms + limits.DUE_SCAN_INTERVAL_MS

    def _scan_by(self, at_ms: int) -> None:
        self._scan_at_ms = min(self._scan_at_ms, at_ms)

    def _send(self, turn: Turn) -> None:
        flights, loads = self.outbox.pump(turn.now_ms, holds_documents(self.book, turn.now_ms))
        turn.then += loads
        for flight in flights:
            self._launch(turn, flight)
        # A clock that was set back must not put off what is due.
        self._scan_by(turn.now_ms + limits.DUE_SCAN_INTERVAL_MS)
        timer_ms = self.outbox.next_timer_ms()
        at_ms = min(self._scan_at_ms, timer_ms) if timer_ms is not None else self._scan_at_ms
        if at_ms != self._woken_at_ms:
            self._woken_at_ms = at_ms
            turn.then.append(WakeAt(at_ms))

    def _direct(self, peer: PartyId) -> Hop:
        hop = next_hop(self.book, self._me, peer)
        if hop.how is not How.DIRECT:
            raise TheirFault("party.no-route", f"{peer} has no endpoint of its own any more")
        return hop

    def _launch(self, turn: Turn, flight: Flight) -> None:
        items = tuple(queued.item for queued in flight.items)
        try:
            hop = self._direct(flight.peer)
        except TheirFault as error:
            self._returns.undelivered(turn, Undelivered(flight.peer, flight.number, error.code, error.detail, 0))
            return
        batch = Batch(self._me, flight.peer, self._epoch, self._since_ms, self.book.version, items)
        body = wire.encode_batch(batch)
        turn.then.append(Send(hop.party, flight.number, hop.endpoints, wire.batch_id(items), body))
