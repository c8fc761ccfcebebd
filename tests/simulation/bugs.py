"""Bugs of delivery, to be planted: each breaks the real machine in one way. Most are bugs that somebody has shipped."""

from collections.abc import Callable, Sequence

import pytest

from docaxis.core import intake, limits, machine, outbox
from docaxis.core.addresses import Book, SigningKey
from docaxis.core.cache import Cache
from docaxis.core.effects import Dequeue, LoadQueue
from docaxis.core.envelope import Envelope
from docaxis.core.events import Event, Undelivered
from docaxis.core.ids import DocId, KeyId, PartyId
from docaxis.core.intake import Intake
from docaxis.core.lifecycle import Code, Standing, State, merge
from docaxis.core.machine import Machine
from docaxis.core.outbox import Flight, Outbox, Queued
from docaxis.core.record import Loaded, Record
from docaxis.core.returns import Returns
from docaxis.core.trust import Freshness
from docaxis.core.turn import Say, Turn
from docaxis.core.wire import Item, Result
from docaxis_sim.life import Life

Patch = pytest.MonkeyPatch


def no_dedupe(patch: Patch) -> None:
    """Every copy of an envelope is a new document."""

    def envelope(self: Intake, now: Turn, peer: PartyId, recipient: PartyId, item: Item, read: Envelope) -> Result:
        return self._new_envelope(now, recipient, item, read)

    patch.setattr(Intake, "envelope", envelope)


def answer_before_commit(patch: Patch) -> None:
    """What is to be said leaves while the disk is still busy."""
    handle = Life._handle

    def hasty(self: Life, batch: Sequence[Event]) -> None:
        handle(self, batch)
        for effect in self._work[-1].later:
            self._perform(effect)
        self._work[-1] = self._work[-1]._replace(later=[])

    patch.setattr(Life, "_handle", hasty)


def forgets_postponed_items_at_a_restart(patch: Patch) -> None:
    """The times at which postponed items were due live in memory only."""
    expect = Outbox.expect
    patch.setattr(Outbox, "expect", lambda self, peer, lane, postponed=False: expect(self, peer, lane))


def moves_states_back(patch: Patch) -> None:
    """The last word heard wins."""
    reaches = {
        Code.ARRIVED: State.ARRIVED,
        Code.RECEIVED: State.RECEIVED,
        Code.ASSIGNED: State.ASSIGNED,
        Code.PROCESSING: State.PROCESSING,
        Code.COMPLETED: State.COMPLETED,
    }

    def last(standing: Standing, code: Code, said: bytes, answers: bytes | None) -> Standing:
        if code in reaches:
            return standing._replace(progress=reaches[code])
        return merge(standing, code, said, answers)

    patch.setattr(intake, "merge", last)


def gives_up_after_a_few_failures(patch: Patch) -> None:
    """Retry bounded by a count instead of the document's deadline."""
    postpone = Returns._postpone

    def give_up(self: Returns, now: Turn, peer: PartyId, queued: Queued, code: str, wait_ms: int) -> None:
        if queued.fails < 2:
            postpone(self, now, peer, queued, code, wait_ms)
        else:
            now.durable.append(Dequeue(peer, queued.item.id))
            self._outbox.settle(peer, queued.item.id)

    patch.setattr(Returns, "_postpone", give_up)


def asks_for_content_once(patch: Patch) -> None:
    """A failed pull sets no time for the next one."""

    def once(self: Intake, now: Turn, loaded: Loaded, code: str, detail: str) -> None:
        after = loaded._replace(record=loaded.record._replace(due_ms=0))
        self._cache.put(after, now.number)
        now.put(after)

    patch.setattr(Intake, "content_missing", once)


def believes_revoked_keys(patch: Patch) -> None:
    """A revocation is published, read, and not looked at."""
    signing_key = Book.signing_key

    def trusting(self: Book, party: PartyId, key: KeyId, *rest: int) -> SigningKey:
        revoked, self.revoked = self.revoked, {}
        try:
            return signing_key(self, party, key, *rest)
        finally:
            self.revoked = revoked

    patch.setattr(Book, "signing_key", trusting)


def forgets_its_place_in_the_chain(patch: Patch) -> None:
    """Two statements claim one place."""
    state = Turn.state

    def stuck(self: Turn, record: Record, say: Say, use: Callable[..., None]) -> tuple[Record, bytes]:
        after, said = state(self, record, say, use)
        return after._replace(mine_seq=record.mine_seq, mine_last=record.mine_last), said

    patch.setattr(Turn, "state", stuck)


def tries_without_end(patch: Patch) -> None:
    """No delay between attempts."""
    patch.setattr(outbox, "peer_delay_ms", lambda *_: 100)


def expires_too_early(patch: Patch) -> None:
    """A deadline read in seconds instead of milliseconds, or a clock that is trusted too much."""
    due = Machine._due

    def early(self: Machine, now: Turn, loaded: Loaded) -> None:
        if loaded.record.outgoing and loaded.record.standing.progress is State.SENT:
            self._expire(now, loaded)
        else:
            due(self, now, loaded)

    new_record = intake.new_record

    def impatient(doc: DocId, recipient: PartyId, read: Envelope, outgoing: bool, now_ms: int) -> Record:
        return new_record(doc, recipient, read, outgoing, now_ms)._replace(due_ms=now_ms + 1 if outgoing else 0)

    patch.setattr(Machine, "_due", early)
    patch.setattr("docaxis.core.desk.new_record", impatient)


def tells_no_one_of_its_new_epoch(patch: Patch) -> None:
    """A node restored from a backup goes on as if nothing had happened."""
    patch.setattr(Machine, "_greet_everybody", lambda *_: None)
    patch.setattr(Machine, "_meet", lambda *_: None)


def loses_keys_of_requests(patch: Patch) -> None:
    """An idempotency key is forgotten at once: whoever asks again sends again."""
    patch.setattr(Cache, "request", lambda *_: None)


def counts_on_unsigned_answers(patch: Patch) -> None:
    """A 200 is taken for a receipt."""

    def believe(self: Returns, now: Turn, peer: PartyId, item: Item, result: Result) -> bool:
        return True

    patch.setattr(Returns, "_accept", believe)


def forgets_failures_when_the_peer_calls(patch: Patch) -> None:
    """Backoff begins anew with every request that comes in from the failing peer."""

    def probe(self: Outbox, peer: PartyId, now_ms: int) -> None:
        queue = self.queues.get(peer)
        if queue is not None:
            queue.fails, queue.next_try_ms, queue.down_since_ms = 0, 0, 0
            self.wake(peer)

    patch.setattr(Outbox, "probe", probe)


def one_bad_item_stops_the_queue(patch: Patch) -> None:
    """A request that cannot be read is offered again as it was."""

    def unreadable(self: Returns, now: Turn, flight: Flight, event: Undelivered) -> None:
        self._fail(now, flight, event.code, event.detail, event.wait_ms)

    patch.setattr(Returns, "_unreadable", unreadable)
    patch.setattr(Returns, "_suspect", lambda *_: None)


def accepts_under_a_stale_directory(patch: Patch) -> None:
    """However old the directory, what comes is taken."""
    patch.setattr(intake, "freshness", lambda *_: Freshness.FRESH)


def delivers_under_a_stale_directory(patch: Patch) -> None:
    """However old the directory, documents leave."""
    patch.setattr(machine, "holds_documents", lambda *_: False)


def answers_with_the_receipt_of_another_document(patch: Patch) -> None:
    """One receipt for all: the last one that was made."""
    with_receipt = Machine._with_receipt
    last: list[Result] = []

    def wrong(self: Machine, item: Item, recipient: PartyId, result: Result) -> Result:
        honest = with_receipt(self, item, recipient, result)
        if honest.receipt is None:
            return honest
        last.append(honest)
        return last[-2:][0]

    patch.setattr(Machine, "_with_receipt", wrong)


def takes_the_next_step_for_the_answer_to_a_recall(patch: Patch) -> None:
    """A recall and the recipient's next step cross, and the sender believes itself declined."""

    def hasty(standing: Standing, code: Code, said: bytes, answers: bytes | None) -> Standing:
        recall = standing.waiting_recall
        if recall is not None and code in (Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED):
            standing = standing._replace(declined=(*standing.declined, recall))
        return merge(standing, code, said, answers)

    patch.setattr(intake, "merge", hasty)


def ignores_the_epochs_of_others(patch: Patch) -> None:
    """A peer that has lost its memory is taken for the one that it was."""
    patch.setattr(Machine, "_meet", lambda *_: None)


def ignores_credit(patch: Patch) -> None:
    """Requests are as large as this node likes."""
    succeeded = Outbox.succeeded

    def greedy(self: Outbox, peer: PartyId, credit: int, wait_ms: int, now_ms: int) -> bool:
        return succeeded(self, peer, limits.CREDIT_ITEMS_MAX, wait_ms, now_ms)

    patch.setattr(Outbox, "succeeded", greedy)


def expires_in_silence(patch: Patch) -> None:
    """At the deadline the document leaves the queue, and nobody says so."""

    def silent(self: Machine, now: Turn, loaded: Loaded) -> None:
        record = loaded.record._replace(due_ms=0)
        self._save(now, loaded._replace(record=record))
        now.drop_from_queue(record.recipient, record.doc)
        self.outbox.withdraw(record.recipient, record.doc)

    patch.setattr(Machine, "_expire", silent)


def fills_the_queue_of_another(patch: Patch) -> None:
    """What one peer is to get goes to the first one that was ever written to, too."""
    push = Outbox.push

    def careless(self: Outbox, peer: PartyId, lane: int, item: Item) -> None:
        push(self, peer, lane, item)
        push(self, next(iter(self.queues)), lane, item)

    patch.setattr(Outbox, "push", careless)


def asks_one_peer_after_the_other(patch: Patch) -> None:
    """One request in the air for all peers together: whoever does not answer keeps everybody waiting."""
    pump = Outbox.pump

    def narrow(self: Outbox, now_ms: int, hold_documents: bool) -> tuple[list[Flight], list[LoadQueue]]:
        self._flights_max = 1
        return pump(self, now_ms, hold_documents)

    patch.setattr(Outbox, "pump", narrow)
