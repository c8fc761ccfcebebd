"""Intake of statements: whose word is believed, what it changes, and words that peers give back."""

from typing import Any

import pytest

from docaxis.core import events as ev
from docaxis.core import limits, wire
from docaxis.core.addresses import Status
from docaxis.core.envelope import make_file
from docaxis.core.ids import DocId, StatementId
from docaxis.core.intake import FORK
from docaxis.core.lifecycle import Code, State
from docaxis.core.wire import Batch, Item, Outcome
from tests.core.circle import Circle, codes_of, doc_of, seal_of
from tests.core.handing import (
    DATA,
    DIGEST,
    G22,
    H49,
    H55,
    a_statement,
    an_envelope,
    envelope_item,
    forged,
    hand_in,
    nothing_kept,
    statement_item,
)


@pytest.fixture
def circle() -> Circle:
    """The Government Office and two provinces."""
    return Circle("G22", "H49", "H55")


# --- statements ---


@pytest.fixture
def doc(circle: Circle) -> DocId:
    """A document that has arrived at both provinces."""
    return doc_of(circle["G22"].submit("H49", "H55"))


def test_a_late_statement_is_kept_in_history_and_moves_nothing_back(circle: Circle, doc: DocId) -> None:
    """Ranked states: merging in any order gives one result."""
    late = statement_item(circle, a_statement(circle, doc, code=Code.RECEIVED, seq=2))
    early = statement_item(circle, a_statement(circle, doc, code=Code.COMPLETED, seq=3))
    assert hand_in(circle["G22"], early, peer="H49")[0].outcome is Outcome.KEPT
    assert hand_in(circle["G22"], late, peer="H49")[0].outcome is Outcome.KEPT
    assert circle["G22"].state(doc, "H49") is State.COMPLETED
    assert codes_of(circle["G22"], doc)[-2:] == ["06", "03"]


def test_a_repeated_statement_changes_nothing(circle: Circle, doc: DocId) -> None:
    """Its answer was lost, and it came again."""
    item = statement_item(circle, a_statement(circle, doc))
    assert hand_in(circle["G22"], item, item, peer="H49") == hand_in(circle["G22"], item, item, peer="H49")
    assert codes_of(circle["G22"], doc).count("03") == 1


def test_a_fork_is_kept_as_evidence_and_refused(circle: Circle, doc: DocId) -> None:
    """Two statements for one place in a chain prove that their author is not honest, or not one."""
    one = statement_item(circle, a_statement(circle, doc, code=Code.RECEIVED))
    other = statement_item(circle, a_statement(circle, doc, code=Code.COMPLETED))
    hand_in(circle["G22"], one, peer="H49")
    assert hand_in(circle["G22"], other, peer="H49")[0][:2] == (Outcome.REFUSED, "statement.fork")
    assert circle["G22"].state(doc, "H49") is State.RECEIVED
    kept = {each.signed.id for each in circle["G22"].tables.document(doc)[1]}
    assert {one.id, other.id} <= kept
    assert [refusal.code for refusal in circle["G22"].tables.refusals(9)] == ["statement.fork"]


STORY = ((1, Code.ARRIVED), (2, Code.RECEIVED), (3, Code.ASSIGNED), (4, Code.PROCESSING))


@pytest.mark.parametrize("forgetful", [False, True], ids=["in memory", "after a restart"])
@pytest.mark.parametrize("fork_comes", range(5))
@pytest.mark.parametrize("seq", [1, 2, 3, 4])
def test_a_fork_at_any_place_moves_no_state_whichever_of_the_two_comes_second(
    circle: Circle, seq: int, fork_comes: int, forgetful: bool
) -> None:
    """The first of two words for one place counts; the second is kept, refused and told to the operator, also where
    newer words have come in between."""
    host = circle["G22"]
    circle.cut = {("G22", "H49")}
    doc = doc_of(host.submit("H49"))
    told = [statement_item(circle, a_statement(circle, doc, code=code, seq=n)) for n, code in STORY]
    told.insert(fork_comes, statement_item(circle, a_statement(circle, doc, code=Code.COMPLETED, seq=seq)))
    answers = {}
    for item in told:
        before = host.state(doc, "H49")
        if forgetful:
            host.start()
        answers[item.id] = hand_in(host, item, peer="H49")[0]
        if answers[item.id].outcome is Outcome.REFUSED:
            assert host.state(doc, "H49") is before
    second = told[max(fork_comes, seq)].id
    assert {each for each, answer in answers.items() if answer == FORK} == {second}
    assert {each.signed.id for each in host.tables.document(doc)[1]} >= answers.keys()
    assert [refusal.code for refusal in host.tables.refusals(9)] == ["statement.fork"]
    if forgetful:
        host.start()
    assert [hand_in(host, item, peer="H49")[0] for item in told] == list(answers.values()), "asked again, the same"
    assert len(host.tables.refusals(9)) == 1


def test_two_forks_in_one_request_are_told_apart(circle: Circle, doc: DocId) -> None:
    """What the first item makes known counts for the second, before anything of it is durable."""
    told = ((Code.ASSIGNED, 3), (Code.RECEIVED, 2), (Code.COMPLETED, 2))
    items = [statement_item(circle, a_statement(circle, doc, code=code, seq=seq)) for code, seq in told]
    assert [result.outcome for result in hand_in(circle["G22"], *items, peer="H49")] == [
        Outcome.KEPT, Outcome.KEPT, Outcome.REFUSED,
    ]  # fmt: skip
    assert circle["G22"].state(doc, "H49") is State.ASSIGNED


def test_a_fork_in_a_receipt_moves_no_state(circle: Circle) -> None:
    """A receipt is a statement like any other."""
    host = circle["G22"]
    circle.lose_replies = 1
    doc = doc_of(host.submit("H49"))
    refusal = statement_item(circle, a_statement(circle, doc, code=Code.REFUSED, seq=1, text="x"))
    hand_in(host, refusal, peer="H49")
    assert host.state(doc, "H49") is State.REFUSED
    receipt = circle["H49"].tables.document(doc)[1][-1].signed
    assert hand_in(host, Item(wire.STATEMENT, receipt.id, receipt, ()), peer="H49")[0] == FORK
    assert host.state(doc, "H49") is State.REFUSED


def test_a_fork_of_a_first_word_does_not_take_the_envelope_from_the_queue(circle: Circle) -> None:
    """Nothing follows from it, also not that the document has arrived."""
    host = circle["G22"]
    circle.cut = {("G22", "H49")}
    doc = doc_of(host.submit("H49"))
    for code in (Code.RECEIVED, Code.ARRIVED):
        hand_in(host, statement_item(circle, a_statement(circle, doc, code=code, seq=1)), peer="H49")
    assert [item.id for lane in range(5) for item, _ in host.tables.queue(H49, lane, 1 << 60, 9)] == [doc]


def test_own_words_that_were_never_said_here_are_a_fork(circle: Circle, doc: DocId) -> None:
    """Two nodes with one key, such as a copy that somebody started: the second word counts at neither."""
    host = circle["H49"]
    host.act(doc, Code.RECEIVED)
    other = statement_item(circle, a_statement(circle, doc, code=Code.COMPLETED))
    assert hand_in(host, other)[0] == FORK
    assert host.state(doc, "H49") is State.RECEIVED


@pytest.mark.parametrize(
    ("changes", "noted"),
    [
        ({"seq": 2}, True),
        ({"seq": 7}, True),
        ({"epoch": 1 << 50, "seq": 3}, True),
        ({"epoch": 1 << 50, "seq": 1}, False),
    ],
)
def test_a_word_that_does_not_follow_counts_and_is_noted(
    circle: Circle, doc: DocId, changes: dict[str, Any], noted: bool
) -> None:
    """Words may arrive in any order, and a gap may be filled yet; a lie about it spoils its author's evidence alone."""
    host = circle["G22"]
    item = statement_item(circle, a_statement(circle, doc, prev=b"x" * 32, **changes))
    assert hand_in(host, item, peer="H49")[0].outcome is Outcome.KEPT
    assert host.state(doc, "H49") is State.RECEIVED
    assert ("statement.unlinked" in [note.event for note in host.notes]) is noted


def test_words_that_arrive_in_turn_are_not_noted(circle: Circle, doc: DocId) -> None:
    """What is usual is no news."""
    circle["H49"].act(doc, Code.RECEIVED)
    circle["H49"].act(doc, Code.COMPLETED)
    assert "statement.unlinked" not in [note.event for note in circle["G22"].notes]


def test_a_fresh_word_costs_no_question_about_its_place(circle: Circle, doc: DocId) -> None:
    """Nearly every word is the newest of its author: nothing can stand there."""
    said = a_statement(circle, doc)
    event = ev.Inbound(1, H49, Batch(H49, G22, 1, 0, 1, (statement_item(circle, said),)))
    assert circle["G22"].machine.wanted([event]).positions == ()
    circle["G22"].start()
    assert circle["G22"].machine.wanted([event]).positions == (said.position,), "until its record is known"


def test_a_statement_about_an_unknown_document_may_come_again(circle: Circle) -> None:
    """It overtook its document."""
    item = statement_item(circle, a_statement(circle, DocId(bytes(32))))
    (result,) = hand_in(circle["G22"], item, peer="H49")
    assert result[:2] == (Outcome.DEFERRED, "document.unknown")
    assert result.wait_ms > 0
    assert nothing_kept(circle["G22"])


@pytest.mark.parametrize(
    ("changes", "how", "peer", "code"),
    [
        ({"by": H55}, {}, "H55", "statement.wrong-author"),
        ({"code": Code.RECALL}, {}, "H49", "statement.wrong-author"),
        ({}, {}, "H55", "party.mismatch"),
        ({}, {"by": "H55"}, "H49", "party.mismatch"),
        ({}, {"seal": seal_of("stranger")}, "H49", "seal.key-unknown"),
        ({"sender": H55}, {}, "H49", "codec.schema"),
    ],
)
def test_a_statement_that_its_author_did_not_make_is_refused(
    circle: Circle, doc: DocId, changes: dict[str, Any], how: dict[str, Any], peer: str, code: str
) -> None:
    """The wrong author, another's word, another's messenger, a key of nobody, another transmission."""
    before = circle["G22"].tables.totals()
    item = statement_item(circle, a_statement(circle, doc, **changes), **how)
    assert hand_in(circle["G22"], item, peer=peer)[0][:2] == (Outcome.REFUSED, code)
    after = circle["G22"].tables.totals()
    assert (after.statements, after.outgoing) == (before.statements, before.outgoing)
    assert after.refusals == before.refusals + 1


def test_a_forged_statement_is_refused(circle: Circle, doc: DocId) -> None:
    """Nobody can make a province say that it has completed its work."""
    item = forged(statement_item(circle, a_statement(circle, doc, code=Code.COMPLETED)))
    assert hand_in(circle["G22"], item, peer="H49")[0].code == "seal.bad-signature"
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


def test_the_senders_word_of_expiry_about_a_document_that_never_came_ends_there(circle: Circle) -> None:
    """There is nothing to keep, and nothing to come back for."""
    said = a_statement(circle, DocId(bytes(32)), by=G22, code=Code.EXPIRED, seq=1)
    assert hand_in(circle["H49"], statement_item(circle, said))[0].outcome is Outcome.KEPT
    assert nothing_kept(circle["H49"])


def test_a_recall_that_follows_the_senders_expiry_is_agreed_to_at_once(circle: Circle) -> None:
    """The document was announced, its content never came, the sender gave up and then took it back."""
    circle.cut = {("H49", "G22")}
    item = envelope_item(circle, an_envelope(circle, files=(make_file("a", "x/y", 9, 9, (DIGEST,)),)))
    hand_in(circle["H49"], item)
    doc = DocId(item.id)
    for seq, code in ((1, Code.RECALL), (2, Code.EXPIRED)):
        said = a_statement(circle, doc, by=G22, code=code, seq=seq, prev=doc)
        assert hand_in(circle["H49"], statement_item(circle, said))[0].outcome is Outcome.KEPT
    assert codes_of(circle["H49"], doc) == ["00", "13", "91", "15"]
    assert not circle["H49"].tables.claimed([DIGEST])


# --- a peer gives back what was forgotten ---


def test_own_words_given_back_are_merged_and_counted_once(circle: Circle, doc: DocId) -> None:
    """After a restore, the node learns from its peers what it said itself."""
    host, snapshot = circle["H49"], circle["H49"].tables.snapshot(circle.now_ms)
    host.act(doc, Code.COMPLETED)
    words = [each.signed for each in host.tables.document(doc)[1]]
    host.tables.restore(snapshot)
    host.start()
    items = [Item(wire.STATEMENT, word.id, word, ()) for word in words[1:]]
    assert {result.outcome for result in hand_in(host, *items)} == {Outcome.KEPT}
    assert host.state(doc, "H49") is State.COMPLETED
    assert codes_of(host, doc) == ["01", "06"]


def test_only_the_other_party_gives_back_own_words(circle: Circle, doc: DocId) -> None:
    """A third party has no business with them."""
    circle["H49"].act(doc, Code.COMPLETED)
    word = circle["H49"].tables.document(doc)[1][-1].signed
    item = Item(wire.STATEMENT, word.id, word, ())
    assert hand_in(circle["H49"], item, peer="H55")[0].code == "party.mismatch"


def test_an_own_envelope_given_back_is_a_record_again_and_is_offered_to_all_its_recipients(circle: Circle) -> None:
    """The sender's store is older than what it sent."""
    host, snapshot = circle["G22"], circle["G22"].tables.snapshot(circle.now_ms)
    made = doc_of(host.submit("H49", "H55"))
    kept = host.tables.document(made)[1][0].signed
    host.tables.restore(snapshot)
    host.start()
    item = Item(wire.ENVELOPE, kept.id, kept, ())
    assert hand_in(host, item, peer="H49")[0].outcome is Outcome.KEPT
    circle.settle()
    assert [host.state(made, to) for to in ("H49", "H55")] == [State.ARRIVED, State.ARRIVED]


def test_an_own_envelope_is_not_taken_back_from_a_stranger(circle: Circle) -> None:
    """Who is no recipient has no right to hold it."""
    made = doc_of(circle["G22"].submit("H49"))
    kept = circle["G22"].tables.document(made)[1][0].signed
    item = Item(wire.ENVELOPE, kept.id, kept, ())
    assert hand_in(circle["G22"], item, peer="H55")[0].code == "party.mismatch"


def test_agreeing_for_one_recipient_here_leaves_the_copy_of_another(circle: Circle) -> None:
    """A node may speak for a closed code besides its own; each transmission is its own."""
    envelope = an_envelope(circle, to=(H49, H55), files=(make_file("a", "x/y", len(DATA), 1 << 20, (DIGEST,)),))
    circle.entries[H49] = circle.entries[H49]._replace(status=Status.CLOSED, successors=(H55,))
    circle["H55"].do(ev.DirectoryChanged(circle.new_book(2)))
    item = envelope_item(circle, envelope, inline=(DATA,))
    host, made = circle["H55"], DocId(item.id)
    for recipient in (H49, H55):
        assert hand_in(host, item, to=recipient)[0].outcome is Outcome.KEPT
        recall = a_statement(circle, made, by=G22, recipient=recipient, code=Code.RECALL, seq=1, prev=made)
        hand_in(host, statement_item(circle, recall))
    assert host.act(made, Code.AGREE).code == "document.ambiguous"
    host.act(made, Code.AGREE, recipient="H49")
    assert host.tables.claimed([DIGEST])
    host.act(made, Code.AGREE, recipient="H55")
    assert not host.tables.claimed([DIGEST])


def test_a_decline_answers_the_recall_that_it_names(circle: Circle, doc: DocId) -> None:
    """Another recall waits for its own answer."""
    circle["G22"].act(doc, Code.RECALL, "x", recipient="H49")
    other = a_statement(circle, doc, code=Code.DECLINE, answers=StatementId(b"\x07" * 32))
    hand_in(circle["G22"], statement_item(circle, other), peer="H49")
    record = next(each for each in circle["G22"].tables.document(doc)[0] if each.recipient == H49)
    assert record.standing.waiting_recall is not None


def test_answers_say_the_receivers_epoch_directory_and_credit(circle: Circle) -> None:
    """What a peer needs to know before it sends the next request."""
    reply = circle["H49"].hand_in("G22", Batch(G22, H49, 1, 0, 1, ()))
    life = circle["H49"].tables.life(0)
    assert (reply.sender, reply.epoch, reply.since_ms, reply.dir) == (H49, life.epoch, 0, 1)
    assert (reply.credit, reply.results) == (limits.CREDIT_ITEMS_MAX, ())
