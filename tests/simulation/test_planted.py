"""Planted bugs: each is put into the real machine for one test, and some checker must find it within a few seeds.

A checker that has never failed has proved nothing. Most of these are bugs that somebody has shipped.
"""

from collections.abc import Callable, Sequence

import pytest

from docaxis.core import intake, limits, machine, outbox
from docaxis.core.addresses import Book, SigningKey
from docaxis.core.cache import Cache
from docaxis.core.effects import Dequeue
from docaxis.core.envelope import Envelope
from docaxis.core.events import Event, Undelivered
from docaxis.core.ids import DocId, KeyId, PartyId
from docaxis.core.intake import Intake
from docaxis.core.lifecycle import Code, Standing, State, merge
from docaxis.core.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from docaxis.core.machine import Machine
from docaxis.core.outbox import Flight, Outbox, Queued
from docaxis.core.policy import Policy
from docaxis.core.record import Loaded, Record
from docaxis.core.returns import Returns
from docaxis.core.trust import Freshness
from docaxis.core.turn import Say, Turn
from docaxis.core.wire import Item, Result
from docaxis_sim import faults
from docaxis_sim.life import Life
from docaxis_sim.plan import Fault, Kind, Plan, Weather
from docaxis_sim.swarm import OLD_MS, draw
from docaxis_sim.world import Broken

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


def poisoned(seed: int) -> Plan:
    """H49 cannot read one document of G22; nothing else goes wrong."""
    fault = Fault(Kind.POISON, 5 * MINUTE_MS, 110 * MINUTE_MS, "H49", "G22")
    return busy_hours(seed)._replace(faults=(fault,))


def one_way(seed: int) -> Plan:
    """H49 hears G22 no more, and G22 hears H49."""
    return busy_hours(seed)._replace(faults=(Fault(Kind.CUT, 10 * MINUTE_MS, 110 * MINUTE_MS, "G22", "H49"),))


def old_directories(seed: int) -> Plan:
    """The publisher has been away for a month, for one party or for all."""
    party = ("", "H49")[seed % 2]
    fault = Fault(Kind.NO_PUBLISHER, 10 * MINUTE_MS, 110 * MINUTE_MS, party, amount=OLD_MS)
    return busy_hours(seed)._replace(faults=(fault,))


def little_credit(seed: int) -> Plan:
    """A node that was off comes back to a queue, and takes two items at a time."""
    fault = Fault(Kind.OUTAGE, 5 * MINUTE_MS, 90 * MINUTE_MS, "H49")
    return busy_hours(seed)._replace(faults=(fault,), policy=Policy(credit_items=2))


def short_deadlines(seed: int) -> Plan:
    """A node is off for longer than anybody waits."""
    plan = busy_hours(seed)
    work = plan.work._replace(expires_ms_min=10 * MINUTE_MS, expires_ms_max=20 * MINUTE_MS)
    return plan._replace(work=work, faults=(Fault(Kind.OUTAGE, 5 * MINUTE_MS, HOUR_MS, "H49"),))


def second_thoughts(seed: int) -> Plan:
    """Everybody asks for everything back, over a slow network, while it is worked on."""
    plan = busy_hours(seed)
    work = plan.work._replace(recall=1000, office_ms=10 * SECOND_MS)
    return plan._replace(work=work, weather=Weather(latency_ms_max=5 * SECOND_MS))


def hasty_keys(seed: int) -> Plan:
    """H49 uses new keys a second after they are published, long before the others hear of them."""
    faults = tuple(
        Fault(Kind.ROTATE, minute * MINUTE_MS, minute * MINUTE_MS + SECOND_MS, "H49") for minute in range(5, 120, 15)
    )
    return busy_hours(seed)._replace(faults=faults, refresh_ms=HOUR_MS, crash=2)


def one_restore(seed: int) -> Plan:
    """One node falls back to a backup."""
    return busy_hours(seed)._replace(faults=(Fault(Kind.RESTORE, 30 * MINUTE_MS, 90 * MINUTE_MS, "H49"),))


def busy_hours(seed: int) -> Plan:
    """Two hours, three agencies, twenty documents; otherwise as drawn."""
    plan = draw(seed)
    work = plan.work._replace(documents=20, expires_ms_min=DAY_MS, expires_ms_max=2 * DAY_MS)
    return Plan(("G22", "H49", "H26"), 2 * HOUR_MS, work=work)


PLANTED = [
    (no_dedupe, draw, {"once", "chain", "monotone"}),
    (answer_before_commit, draw, {"durable before spoken", "kept is kept"}),
    (forgets_postponed_items_at_a_restart, hasty_keys, {"no loss", "alive", "nothing queued"}),
    (moves_states_back, draw, {"monotone", "no loss"}),
    (gives_up_after_a_few_failures, hasty_keys, {"no loss", "alive"}),
    (asks_for_content_once, draw, {"no loss", "alive"}),
    (believes_revoked_keys, draw, {"authority"}),
    (forgets_its_place_in_the_chain, draw, {"chain"}),
    (tries_without_end, draw, {"patience", "calm"}),
    (expires_too_early, draw, {"deadline"}),
    (tells_no_one_of_its_new_epoch, one_restore, {"no loss", "nothing queued"}),
    (loses_keys_of_requests, draw, {"one key, one document"}),
    (counts_on_unsigned_answers, draw, {"no loss", "alive"}),
    (forgets_failures_when_the_peer_calls, one_way, {"patience"}),
    (one_bad_item_stops_the_queue, poisoned, {"one bad item"}),
    (accepts_under_a_stale_directory, old_directories, {"fresh enough"}),
    (delivers_under_a_stale_directory, old_directories, {"fresh enough"}),
    (answers_with_the_receipt_of_another_document, draw, {"receipt for its document"}),
    (takes_the_next_step_for_the_answer_to_a_recall, second_thoughts, {"no loss", "joined up", "monotone"}),
    (ignores_the_epochs_of_others, one_restore, {"no loss", "nothing queued", "unbroken"}),
    (ignores_credit, little_credit, {"within credit"}),
    (expires_in_silence, short_deadlines, {"no loss"}),
]
SEEDS_MAX = 12


@pytest.mark.parametrize(("plant", "plan", "promises"), PLANTED, ids=[row[0].__name__ for row in PLANTED])
def test_a_planted_bug_is_found(
    monkeypatch: Patch, plant: Callable[[Patch], None], plan: Callable[[int], Plan], promises: set[str]
) -> None:
    """By the checker of the promise that it breaks, within a few worlds that the honest machine passes."""
    plant(monkeypatch)
    assert _first_breach(plan) in promises


@pytest.mark.parametrize("plan", dict.fromkeys(plan for _, plan, _ in PLANTED if plan is not draw))
def test_the_worlds_that_show_planted_bugs_are_passed_by_the_honest_machine(plan: Callable[[int], Plan]) -> None:
    """Else they would prove nothing."""
    faults.run(1, plan(1))


def _first_breach(plan: Callable[[int], Plan]) -> str:
    for seed in range(SEEDS_MAX):
        try:
            faults.run(seed, plan(seed))
        except Broken as broken:
            return broken.breach.promise
    return f"nothing, in {SEEDS_MAX} worlds"


def test_a_broken_promise_comes_with_all_that_is_needed_to_see_it_again(monkeypatch: Patch) -> None:
    """The seed, the plan and the last lines of the trace."""
    answer_before_commit(monkeypatch)
    with pytest.raises(Broken, match="seed 0") as caught:
        faults.run(0)
    assert caught.value.plan == draw(0)
    assert len(caught.value.last) == 20
