"""Chains in evidence: each party's words are judged by themselves; a lie spoils only what its author is party to."""

from typing import Any

import pytest

from docaxis.core import evidence
from docaxis.core.evidence import Broken
from docaxis.core.lifecycle import Code, State
from docaxis.core.timeline import render
from docaxis.seal import sign
from tests.core.exported import beside, book_without, broken, checked, exported, faulty
from tests.core.story import FIRST, HEIR, SECOND, SENDER, Story, a_full_story


def test_a_gap_in_a_chain_names_the_follower_and_its_missing_predecessor() -> None:
    """The exact broken link, in words that say which statement is gone; the other recipient's history stands."""
    story = a_full_story()
    gone = story.kept.pop(3)
    timeline = checked(exported(story))
    first, second = timeline.transmissions
    assert not timeline.holds
    assert (second.state, second.fault) == (State.RECOVERED, None)
    assert first.state is None
    assert first.fault is not None
    assert first.fault.link.startswith("statement 5 of H49 (05 processing, epoch 1, 2026-11-22")
    assert first.fault.problem == f"its predecessor, statement 4 ({gone.id.hex()}), is missing"
    assert [row.code for row in first.rows] == ["00", "01", "03", "05", "06"], "what was signed is shown all the same"


LIES: dict[str, tuple[tuple[Code, dict[str, Any]], str]] = {
    "a gap": ((Code.RECEIVED, {"seq": 7, "prev": b"x" * 32}), "evidence.broken"),
    "a strange predecessor": ((Code.RECEIVED, {"prev": b"x" * 32}), "evidence.broken"),
    "a fork": ((Code.RECEIVED, {"seq": 1}), "statement.fork"),
    "a recall that nobody made": ((Code.AGREE, {"answers": b"r" * 32}), "evidence.broken"),
    "an epoch out of nothing": ((Code.RECEIVED, {"epoch": 9, "seq": 1, "prev": b"x" * 32}), "evidence.broken"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_recipient_that_lies_about_its_chain_spoils_only_its_own_transmission(lie: str) -> None:
    """Signed and kept like any other word, it must not take the proof of ninety-three others away from the sender."""
    (code, changes), expected = LIES[lie]
    story = beside()
    story.say(FIRST, Code.ARRIVED)
    story.say(FIRST, code, **changes)
    fault = faulty(exported(story))
    assert fault.code == expected
    assert fault.link.startswith("statement ")
    assert " of H49 (" in fault.link
    assert broken(exported(story, FIRST, (FIRST,))).code == expected, "its own export is worth nothing"
    assert checked(exported(story, SENDER, (SECOND,))).holds, "and the others can be shown without it"


def test_a_sender_that_lies_spoils_its_own_export_and_only_the_transmission_in_a_recipients() -> None:
    """Whoever exports must stand by its own words; the other side's lie is shown as one."""
    story = beside()
    story.say(FIRST, Code.ARRIVED)
    story.say(SENDER, Code.RECALL, seq=3, prev=b"x" * 32, text="nhầm")
    assert broken(exported(story)).link.startswith("statement 3 of G22 (13 recall to H49")
    timeline = checked(exported(story, FIRST, (FIRST,)))
    assert not timeline.holds
    assert timeline.transmissions[0].fault is not None


def test_a_word_of_the_exporter_is_judged_though_its_transmission_is_spoilt_already() -> None:
    """The other side's lie is no cover for its own."""
    story = beside()
    story.say(FIRST, Code.ARRIVED, prev=b"x" * 32)
    story.say(SENDER, Code.RECALL, seq=3, prev=b"x" * 32, text="nhầm")
    assert broken(exported(story)).link.startswith("statement 3 of G22")


def test_a_key_that_its_agency_ended_afterwards_spoils_only_that_agencys_words() -> None:
    """An agency writes its own entry: it could date the end of a key before what it signed."""
    story = beside()
    story.say(FIRST, Code.ARRIVED)
    plain, keys = evidence.read(exported(story)), book_without(FIRST)
    timeline = evidence.check(plain, sign, keys)
    first, second = timeline.transmissions
    assert first.fault is not None
    assert first.fault.code == "seal.key-unknown"
    assert first.rows[0].notes == ("unproved",)
    assert (second.state, second.fault) == (State.ARRIVED, None)
    with pytest.raises(Broken, match=r"seal\.key-unknown"):
        evidence.check(evidence.read(exported(story, FIRST, (FIRST,))), sign, keys)


def test_the_verdict_says_for_whom_evidence_holds_and_for_whom_it_does_not() -> None:
    """First of all, in both languages, with the exact broken link where that recipient's history stands."""
    story = beside()
    story.say(FIRST, Code.ARRIVED)
    story.say(FIRST, Code.RECEIVED, seq=7, prev=b"x" * 32)
    both = render(checked(exported(story)))
    assert both.startswith(
        "EVIDENCE DOES NOT HOLD FOR · HỒ SƠ KHÔNG HỢP LỆ ĐỐI VỚI 1/2: H49\n"
        "EVIDENCE HOLDS FOR · HỒ SƠ HỢP LỆ ĐỐI VỚI 1/2: H55\n"
    )
    assert "\n     1  does not hold · không hợp lệ: H49\n" in both
    history = both.partition("\n\nH49 ")[2].splitlines()
    assert history[0].endswith(": does not hold · không hợp lệ")
    assert history[1].startswith("  Broken link · Chỗ bị đứt: statement 7 of H49 (03 received")
    assert "its predecessor, statement 6 (7878" in history[3]
    english = render(checked(exported(story)), "en")
    assert english.startswith("EVIDENCE DOES NOT HOLD FOR 1/2: H49\nEVIDENCE HOLDS FOR 1/2: H55\n")


def test_a_fork_names_both_statements() -> None:
    """Two different words at one place of the chain, both signed: the author contradicts itself."""
    story = beside()
    arrived = story.say(FIRST, Code.ARRIVED)
    story.say(FIRST, Code.RECEIVED)
    story.say(FIRST, Code.REFUSED, seq=2, prev=arrived, text="không thuộc thẩm quyền")
    fault = faulty(exported(story))
    assert fault.code == "statement.fork"
    assert "02 refused" in fault.link
    assert "03 received" in fault.problem


def test_a_statement_that_follows_a_strange_one_is_noticed() -> None:
    """`prev` must be the id of the statement before it."""
    story = beside()
    story.say(FIRST, Code.ARRIVED)
    story.say(FIRST, Code.RECEIVED, prev=bytes(32))
    assert "which is not statement 1 of H49" in faulty(exported(story)).problem


def test_a_first_statement_that_names_an_unknown_predecessor_is_noticed() -> None:
    """A log begins at the document, or at something its author said before."""
    story = beside()
    story.say(FIRST, Code.ARRIVED, prev=b"x" * 32)
    assert "is missing" in faulty(exported(story)).problem


def test_an_impossible_step_of_one_author_is_noticed() -> None:
    """Received after its own refusal: the table has no such step."""
    story = beside()
    story.say(FIRST, Code.ARRIVED)
    story.say(FIRST, Code.REFUSED, text="sai nơi nhận")
    story.say(FIRST, Code.RECEIVED)
    fault = faulty(exported(story))
    assert fault.code == "lifecycle.not-allowed"
    assert fault.link.startswith("statement 3 of H49 (03 received")


def test_an_answer_to_a_recall_that_is_not_there_is_noticed() -> None:
    """Agreement needs a request."""
    story = beside()
    story.say(FIRST, Code.ARRIVED)
    story.say(FIRST, Code.AGREE, answers=b"r" * 32)
    assert "recall that it answers" in faulty(exported(story)).problem


def test_late_and_repeated_codes_are_kept_and_noted() -> None:
    """A forward jump is possible; what comes after it moves nothing back."""
    story = Story()
    for code in (Code.ARRIVED, Code.PROCESSING, Code.RECEIVED, Code.PROCESSING):
        story.say(FIRST, code)
    history = checked(exported(story)).transmissions[0]
    assert history.state is State.PROCESSING
    assert [row.notes for row in history.rows] == [(), (), ("late",), ("late",)]
    assert "late or repeated" in render(checked(exported(story)), "en")


def test_a_log_that_began_anew_after_a_restore_is_allowed_and_noted() -> None:
    """The node forgot its last word, went on from the one before, and said something else."""
    story = Story()
    arrived = story.say(FIRST, Code.ARRIVED)
    story.say(FIRST, Code.REFUSED, text="nhầm")
    story.say(FIRST, Code.RECEIVED, epoch=2, prev=arrived)
    history = checked(exported(story)).transmissions[0]
    assert history.rows[2].notes == ("epoch",)
    assert history.state is State.RECEIVED


def test_a_restored_log_may_begin_at_the_document_again() -> None:
    """The backup knew nothing of this document."""
    story = Story()
    story.say(FIRST, Code.ARRIVED)
    story.say(FIRST, Code.ARRIVED, epoch=4, prev=story.doc)
    assert checked(exported(story)).transmissions[0].rows[1].notes == ("epoch",)


def test_a_restored_node_goes_on_from_words_that_its_peers_gave_back() -> None:
    """Its new log knows only 00, but it was told that it had stated 03 before: 04 is possible."""
    story = Story()
    for code in (Code.ARRIVED, Code.RECEIVED):
        story.say(FIRST, code)
    story.say(FIRST, Code.HELD, epoch=2, prev=story.doc)
    story.say(FIRST, Code.ASSIGNED)
    assert checked(exported(story)).transmissions[0].state is State.ASSIGNED


def test_the_successor_of_a_closed_code_speaks_for_it_and_nobody_else_does() -> None:
    """Mail to a closed code reaches its successor, and the evidence says so."""
    story = beside()
    story.say(FIRST, Code.ARRIVED)
    story.say(HEIR, Code.RECEIVED)
    raw = exported(story)
    assert checked(raw, (FIRST, HEIR)).transmissions[0].rows[1].notes == ("successor",)
    assert faulty(raw).code == "statement.wrong-author"


def test_only_the_sender_recalls() -> None:
    """Each code belongs to one side."""
    story = beside()
    story.say(FIRST, Code.RECALL, text="x")
    assert faulty(exported(story)).code == "statement.wrong-author"
