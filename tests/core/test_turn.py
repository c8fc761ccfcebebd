"""A turn: everything one event has to say, under one signature."""

from hashlib import sha256

import pytest

from docaxis.core import limits, wire
from docaxis.core.effects import AppendChange, Counted, Enqueue, LogRefusal, PutHead, PutObject, PutRecord
from docaxis.core.ids import DocId, PartyId
from docaxis.core.intake import new_record
from docaxis.core.lifecycle import Code, State
from docaxis.core.record import Loaded
from docaxis.core.signed import Signed, check_path, check_signature, decode_head
from docaxis.core.statement import Position, decode
from docaxis.core.turn import REFUSALS_KEPT_PER_TURN_MAX, Say, Turn
from tests.core.story import FIRST, START_MS, an_envelope, seal_of

DOC = DocId(bytes(32))
POSITION = Position(DOC, "H49", FIRST, 1, 1)
RECORD = new_record(DOC, FIRST, an_envelope(), outgoing=False, now_ms=START_MS)
SEAL = seal_of(FIRST)


def a_turn(epoch: int = 1) -> Turn:
    """A turn of the first recipient."""
    return Turn(1, FIRST, epoch, 7, START_MS, bytes(32))


def test_what_is_said_together_shares_one_signature_and_each_word_is_provable_alone() -> None:
    """The signature costs almost nothing per document, and every leaf convinces a stranger."""
    turn, used = a_turn(), list[Signed]()
    for number in range(5):
        turn.draft(wire.STATEMENT, bytes([number]), POSITION, used.append)
    effects = turn.finish(SEAL)
    assert sum(isinstance(op, PutHead) for op in effects.durable) == 1
    for signed in used:
        head = decode_head(signed.head.raw)
        check_signature(SEAL, head, signed.head, SEAL.public_key)
        assert check_path(signed, head) == signed.id


def test_objects_come_before_the_rows_that_name_them() -> None:
    """A store keeps each row's object before it or with it."""
    turn = a_turn()
    record, said = turn.state(RECORD, Say(Code.ARRIVED), lambda _: None)
    turn.put(Loaded(record, b"", None))
    turn.enqueue(PartyId("G22"), 0, said)
    kinds = [type(op) for op in turn.finish(SEAL).durable]
    assert kinds == [PutHead, PutObject, AppendChange, PutRecord, Enqueue]


def test_words_about_a_record_form_a_chain() -> None:
    """Whoever holds the last one can tell whether one is missing."""
    turn = a_turn()
    first, arrived = turn.state(RECORD, Say(Code.ARRIVED), lambda _: None)
    second, _ = turn.state(first, Say(Code.RECEIVED, actor="Nguyễn Văn A"), lambda _: None)
    said = [decode(op.body) for op in turn.finish(SEAL).durable if isinstance(op, PutObject)]
    assert [(each.seq, each.prev) for each in said] == [(1, DOC), (2, arrived)]
    assert (second.standing.state, second.mine_seq) == (State.RECEIVED, 2)


def test_a_new_epoch_begins_a_new_count_and_goes_on_from_the_last_word_known() -> None:
    """A restored node does not know how far it had counted."""
    known = RECORD._replace(mine_epoch=1, mine_seq=9, mine_last=b"\x01" * 32)
    turn = a_turn(epoch=2)
    turn.state(known, Say(Code.COMPLETED), lambda _: None)
    (said,) = (decode(op.body) for op in turn.finish(SEAL).durable if isinstance(op, PutObject))
    assert (said.epoch, said.seq, said.prev) == (2, 1, b"\x01" * 32)


def test_a_head_is_kept_once_however_many_objects_came_under_it() -> None:
    """A batch of two hundred statements has one head."""
    maker, made = a_turn(), list[Signed]()
    maker.draft(wire.STATEMENT, b"a", POSITION, made.append)
    maker.draft(wire.STATEMENT, b"b", POSITION, made.append)
    maker.finish(SEAL)
    turn = a_turn()
    for signed in made:
        turn.keep(wire.STATEMENT, signed.id, signed, POSITION)
    assert [type(op) for op in turn.finish(SEAL).durable] == [PutHead, PutObject, PutObject]


def test_nonces_differ_within_a_turn_and_between_turns() -> None:
    """Two documents with the same words must have different ids."""
    turn, other = a_turn(), Turn(2, FIRST, 1, 7, START_MS, sha256(b"other").digest())
    assert len({turn.nonce(), turn.nonce(), other.nonce()}) == 3


def test_a_refusal_is_kept_counted_and_told_with_bounded_words() -> None:
    """What outsiders write must not fill the log."""
    turn = a_turn()
    turn.refuse("H55", "codec.malformed", "x" * 10_000)
    effects = turn.finish(SEAL)
    assert effects.durable == [LogRefusal("H55", "codec.malformed", "x" * 300, START_MS)]
    assert len(effects.tell) == 2


def test_more_words_than_a_tree_holds_share_several_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recalls of many documents to very many recipients may come in one event."""
    monkeypatch.setattr(limits, "TREE_LEAVES_MAX", 4)
    turn, used = a_turn(), list[Signed]()
    for number in range(9):
        turn.draft(wire.STATEMENT, bytes([number]), POSITION, used.append)
    turn.finish(SEAL)
    assert [signed.body for signed in used] == [bytes([number]) for number in range(9)]
    assert len({signed.head for signed in used}) == 3


def test_of_a_batch_full_of_nonsense_a_few_refusals_are_kept_and_all_are_counted() -> None:
    """What is kept is bounded: one peer may not wash out what the operator would see of others."""
    turn = a_turn()
    for number in range(256):
        turn.refuse("G22", "seal.bad-signature", str(number))
    effects = turn.finish(SEAL)
    assert sum(isinstance(op, LogRefusal) for op in effects.durable) == REFUSALS_KEPT_PER_TURN_MAX
    assert sum(isinstance(each, Counted) for each in effects.tell) == 256
