"""Planted bugs: switches for tests only, each of which breaks the real machine in one way, and the worlds that show it.

Most of these are bugs that somebody has shipped. `PLANTED` names for each the scenario, the first seed whose world
shows it, and the promises of which one is then broken. Drawn worlds change when the drawing or the protocol does:
``python tests/simulation/planted.py`` looks for the first seeds again, from 0 to 199, and prints them.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

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
from docaxis.core.signed import Signed, decode_head
from docaxis.core.trust import Freshness, decode_revocation
from docaxis.core.turn import Say, Turn
from docaxis.core.wire import Item, Result
from docaxis_sim import fault_file, faults, issue
from docaxis_sim.life import Life
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


def looks_at_no_signature(patch: Patch) -> None:
    """A head that names a listed key is good."""
    patch.setattr(intake, "check_signature", lambda *_: None)


def looks_at_no_path(patch: Patch) -> None:
    """What comes with somebody's signed head is his."""
    patch.setattr(intake, "check_path", lambda signed, _head: signed.id)


def does_not_ask_who_signed(patch: Patch) -> None:
    """A good signature is good for everybody's words."""
    verified = Intake.verified

    def anybody(self: Intake, signed: Signed, author: PartyId, now_ms: int) -> bytes:
        return verified(self, signed, decode_head(signed.head.raw).signer, now_ms)

    patch.setattr(Intake, "verified", anybody)


def lets_everybody_speak_for_everybody(patch: Patch) -> None:
    """Whoever signs may state what is another's to state."""
    patch.setattr(Intake, "speaks_for_me", lambda self, party: party == self._me)
    patch.setattr(Book, "answers_for", lambda *_: True)


def goes_back_to_an_older_directory(patch: Patch) -> None:
    """The last directory that came is the one that counts."""
    patch.setattr(issue, "check_replaces", lambda *_: None)


def takes_a_frozen_directory_for_fresh(patch: Patch) -> None:
    """A stamp is good for ever."""
    patch.setattr(issue, "STAMP_MS", limits.DIRECTORY_STALE_MS)


def believes_entries_whoever_signed_them(patch: Patch) -> None:
    """A directory is what a mirror says."""
    patch.setattr(issue, "is_signed", lambda *_: True)


def believes_revocations_whoever_signed_them(patch: Patch) -> None:
    """Any officer may silence any agency."""
    patch.setattr(issue, "check_revocation", lambda said, *_: decode_revocation(said.body))


class Planted(NamedTuple):
    """A bug, the promises of which it breaks one, and where: a scenario under ``scenarios/faults``, and the first of
    its seeds that shows it."""

    plant: Callable[[Patch], None]
    promises: frozenset[str]
    seed: int
    scenario: str = "swarm"


def _row(plant: Callable[[Patch], None], promises: str, seed: int, scenario: str = "swarm") -> Planted:
    return Planted(plant, frozenset(promises.split(" | ")), seed, scenario)


NAMED: Final = (
    _row(no_dedupe, "once | chain | monotone", 0),
    _row(answer_before_commit, "durable before spoken | kept is kept", 0),
    _row(forgets_postponed_items_at_a_restart, "no loss | alive | nothing queued", 1),
    _row(forgets_failures_when_the_peer_calls, "patience", 0),
    _row(one_bad_item_stops_the_queue, "one bad item", 0, "one-bad-item"),
    _row(accepts_under_a_stale_directory, "fresh enough", 12),
    _row(moves_states_back, "monotone | no loss", 0),
    _row(answers_with_the_receipt_of_another_document, "receipt for its document", 0),
    _row(takes_the_next_step_for_the_answer_to_a_recall, "no loss | joined up | monotone", 2),
    _row(ignores_the_epochs_of_others, "no loss | nothing queued | unbroken", 0),
    _row(ignores_credit, "within credit", 0),
    _row(expires_in_silence, "no loss", 2),
)
"""The twelve that any simulator of such a protocol must find."""
PLANTED: Final = (
    *NAMED,
    _row(gives_up_after_a_few_failures, "no loss | alive", 1),
    _row(asks_for_content_once, "no loss | alive", 1),
    _row(believes_revoked_keys, "authority", 2),
    _row(forgets_its_place_in_the_chain, "chain", 0),
    _row(tries_without_end, "patience | calm", 0),
    _row(expires_too_early, "deadline", 0),
    _row(tells_no_one_of_its_new_epoch, "no loss | nothing queued", 0),
    _row(loses_keys_of_requests, "one key, one document", 0),
    _row(counts_on_unsigned_answers, "no loss | alive", 0),
    _row(delivers_under_a_stale_directory, "fresh enough", 12),
    _row(fills_the_queue_of_another, "for its recipients", 0),
    _row(asks_one_peer_after_the_other, "isolated", 0, "bad-peers"),
    _row(looks_at_no_signature, "provable", 2),
    _row(looks_at_no_path, "provable", 2),
    _row(does_not_ask_who_signed, "provable", 24),
    _row(lets_everybody_speak_for_everybody, "authentic | provable", 24),
    _row(goes_back_to_an_older_directory, "never back", 2),
    _row(takes_a_frozen_directory_for_fresh, "not frozen", 2),
    _row(believes_entries_whoever_signed_them, "truly listed", 2),
    _row(believes_revocations_whoever_signed_them, "truly revoked", 2),
)
SEEDS: Final = range(200)
FOLDER: Final = Path(__file__).resolve().parents[2] / "scenarios" / "faults"


def breach(scenario: str, seed: int) -> str:
    """The promise that the world of a seed breaks now, or nothing."""
    try:
        faults.run(seed, fault_file.plan(fault_file.read(FOLDER / f"{scenario}.toml"), seed))
    except Broken as broken:
        return broken.breach.promise
    return ""


def first(bug: Planted, seeds: Iterable[int]) -> tuple[int, str]:
    """The first of these seeds whose world breaks a promise under a bug, and that promise; -1 and nothing if none."""
    with Patch.context() as patch:
        bug.plant(patch)
        return next(((seed, found) for seed in seeds if (found := breach(bug.scenario, seed))), (-1, ""))


def main() -> int:
    """Looks for each bug in the worlds from seed 0 on, as if nothing were known, and says where it was found."""
    missed = 0
    for bug in PLANTED:
        seed, promise = first(bug, SEEDS)
        honest = seed < 0 or not breach(bug.scenario, seed)
        found = promise in bug.promises and honest
        missed += not found
        said = f"seed {seed}: {promise}" if seed >= 0 else f"nothing in {len(SEEDS)} worlds"
        sys.stdout.write(f"{bug.plant.__name__}: {bug.scenario}, {said}{'' if found else ' (NOT AS IT SHOULD BE)'}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
