"""Evidence: an honest story becomes a timeline, and whatever is done to the file names the link that broke."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import codec, evidence, limits
from docaxis.core import statement as statements
from docaxis.core.errors import TheirFault
from docaxis.core.evidence import Broken
from docaxis.core.evidence_file import Evidence, Index, encode, encode_index, proofs_root
from docaxis.core.lifecycle import Code, State
from docaxis.core.signed import sign_together
from docaxis.core.timeline import render, render_broken
from docaxis.core.tree import leaf_hash
from docaxis.seal import sign
from tests.core.exported import PROOFS, book_without, broken, checked, exported, holds
from tests.core.story import (
    FIRST,
    SECOND,
    SENDER,
    START_MS,
    STRANGER,
    Story,
    a_full_story,
    a_statement,
    an_envelope,
    seal_of,
)


def reclosed(story: Story, **changes: Any) -> bytes:
    """An evidence file whose index is signed properly but says something else."""
    by = changes.get("by", SENDER)
    plain = evidence.read(exported(story))
    index = Index(
        story.doc, by, START_MS, 1, story.envelope.to, tuple(each.id for each in plain.statements), proofs_root(PROOFS)
    )
    body = encode_index(index._replace(**changes))
    return encode(plain._replace(closing=sign_together(seal_of(by), by, [body], START_MS)[0]))


FULL = exported(a_full_story())


def test_an_honest_story_becomes_a_timeline_with_a_state_per_recipient() -> None:
    """What a clerk needs: who said what when, and where the document stands now."""
    timeline = checked(FULL)
    states = {each.recipient.id: each.state for each in timeline.transmissions}
    assert states == {FIRST: State.COMPLETED, SECOND: State.RECOVERED}
    assert [row.code for row in timeline.transmissions[0].rows] == ["00", "01", "03", "04", "05", "06"]
    assert (timeline.others, timeline.exporter.id, timeline.sender.name_en) == (0, SENDER, "Government Office")


def test_the_timeline_reads_in_both_languages_side_by_side() -> None:
    """Clerk and auditor read one text; who wants one language asks for it."""
    both, english, vietnamese = (render(checked(FULL), language) for language in ("both", "en", "vi"))
    assert both.startswith("EVIDENCE HOLDS · HỒ SƠ HỢP LỆ\nDocument · Mã văn bản: ")
    assert "H49 Quảng Ninh province · Tỉnh Quảng Ninh: completed · hoàn thành\n" in both
    assert "  13 recall · yêu cầu lấy lại  G22  (key " in both
    assert "H49 Tỉnh Quảng Ninh: hoàn thành\n" in vietnamese
    assert "gửi nhầm nơi nhận" in vietnamese
    assert "H55 Sóc Trăng province: recovered\n" in english
    assert "2026-11-22" in english


def test_a_summary_stands_before_the_histories() -> None:
    """Ninety-four recipients must not bury the result; they are named where they are few."""
    timeline = checked(FULL)
    head, _, histories = render(timeline).partition("\n\n")
    assert head.endswith(
        "Recipients · Nơi nhận: 2\n     1  recovered · đã thu hồi: H55\n     1  completed · hoàn thành: H49"
    )
    assert histories.startswith("H49 ")
    crowd = timeline._replace(transmissions=(*timeline.transmissions, *timeline.transmissions[:1] * 93))
    assert "\n    94  completed · hoàn thành\n" in render(crowd)


def test_a_broken_link_is_named_in_both_languages() -> None:
    """The verdict, the link, what its code means, and what was found there."""
    fault = broken(reclosed(a_full_story(), statements=()))
    said = render_broken(fault.link, fault).splitlines()
    assert said[0] == "EVIDENCE DOES NOT HOLD · HỒ SƠ KHÔNG HỢP LỆ"
    assert said[1] == f"Broken link · Chỗ bị đứt: {fault.link}"
    assert said[2] == f"{fault.known.title_en} · {fault.known.title_vi} (evidence.broken)"
    assert said[3] == fault.problem


def test_the_words_of_a_party_cannot_pretend_to_be_lines_of_the_verdict() -> None:
    """A reason with line breaks and reading marks stays one indented line."""
    story = Story()
    story.say(FIRST, Code.ARRIVED)
    story.say(FIRST, Code.REFUSED, text="no\n2026-01-01  06 completed\u202e\tH49")
    assert "\n      no / 2026-01-01  06 completed  H49\n" in render(checked(exported(story)), "en")


def test_a_recipient_exports_its_own_transmission_and_nothing_else() -> None:
    """Each side can prove what concerns it; the rest is counted, not shown."""
    timeline = checked(exported(a_full_story(), FIRST, (FIRST,)))
    assert [each.recipient.id for each in timeline.transmissions] == [FIRST]
    assert timeline.others == 1
    assert broken(exported(a_full_story(), FIRST)).code == "statement.wrong-author"
    assert broken(exported(a_full_story(), STRANGER)).code == "statement.wrong-author"


def test_a_document_that_nobody_has_answered_yet_has_evidence_too() -> None:
    """The envelope alone proves that it was issued."""
    timeline = checked(exported(Story()))
    assert {each.state for each in timeline.transmissions} == {State.SENT}
    assert "no statement yet" in render(timeline, "en")


def test_removing_the_last_statement_is_noticed_by_the_closing_index() -> None:
    """No chain reaches beyond its end; the exporter's signature does."""
    plain = evidence.read(FULL)
    fault = broken(encode(plain._replace(statements=plain.statements[:-1])))
    assert fault.link == "the closing index"
    assert plain.statements[-1].id.hex() in fault.problem


@pytest.mark.parametrize("place", range(9))
def test_removing_any_statement_is_noticed(place: int) -> None:
    """First, last or between: nothing can be left out."""
    plain = evidence.read(FULL)
    kept = plain.statements[:place] + plain.statements[place + 1 :]
    fault = broken(encode(plain._replace(statements=kept)))
    assert (fault.link, fault.code) == ("the closing index", "evidence.broken")
    assert f"number {place + 1} ({plain.statements[place].id.hex()}) is missing" in fault.problem


@pytest.mark.parametrize("place", range(9))
def test_removing_a_statement_and_leaving_everything_else_names_it_too(place: int) -> None:
    """Whoever cuts a piece out seldom renumbers the heads: the better thing to say is what is missing."""
    value = codec.decode(FULL, len(FULL))
    del value["statements"][place]
    fault = broken(codec.encode(value))
    assert fault.link == "the closing index"
    assert f"number {place + 1} " in fault.problem


@pytest.mark.parametrize("place", range(8))
def test_exchanging_two_statements_and_leaving_everything_else_names_one(place: int) -> None:
    """It stands where the index has another one."""
    value = codec.decode(FULL, len(FULL))
    said = value["statements"]
    said[place], said[place + 1] = said[place + 1], said[place]
    fault = broken(codec.encode(value))
    assert fault.problem.startswith(f"it stands at place {place + 1}, not where")


def test_a_head_that_serves_nothing_is_noticed() -> None:
    """One file, one encoding: nothing can be hidden in it."""
    value = codec.decode(FULL, len(FULL))
    value["heads"].append([b"x", bytes(64)])
    fault = broken(codec.encode(value))
    assert (fault.link, fault.code) == ("the heads", "evidence.broken")


@given(st.permutations(range(9)))
def test_any_other_order_is_noticed(order: list[int]) -> None:
    """The index lists statements in their order."""
    plain = evidence.read(FULL)
    shuffled = encode(plain._replace(statements=tuple(plain.statements[place] for place in order)))
    if order == sorted(order):
        assert shuffled == FULL
    else:
        assert "place" in broken(shuffled).problem


@given(st.integers(0, 8), st.integers(0, 9))
def test_a_statement_twice_is_noticed(which: int, where: int) -> None:
    """Doubling could make a repeated act look like two."""
    plain = evidence.read(FULL)
    kept = (*plain.statements[:where], plain.statements[which], *plain.statements[where:])
    assert "twice" in broken(encode(plain._replace(statements=kept))).problem


def test_a_statement_about_another_document_is_noticed() -> None:
    """Splicing: genuine words, said about something else."""
    other = Story(an_envelope(nonce=b"another nonce!!!"))
    other.say(FIRST, Code.ARRIVED)
    plain = evidence.read(FULL)
    fault = broken(encode(plain._replace(statements=(*plain.statements, *other.kept))))
    assert (fault.code, fault.problem) == (
        "evidence.broken",
        "it is about another document, sender or recipient",
    )


def test_another_envelope_or_index_under_the_same_statements_is_noticed() -> None:
    """The envelope's id is in every statement and in the index."""
    other = Story(an_envelope(nonce=b"another nonce!!!"))
    plain = evidence.read(FULL)
    assert broken(encode(plain._replace(envelope=other.signed))).code == "evidence.broken"
    swapped = evidence.read(exported(other)).closing
    assert broken(encode(plain._replace(closing=swapped))).link == "the closing index"


def test_words_signed_by_somebody_else_are_noticed() -> None:
    """The signer of the head must be the author of the body."""
    story = Story()
    story.keep(a_statement(doc=story.doc, prev=story.doc), signer=SECOND)
    assert broken(exported(story)).code == "party.mismatch"


def test_an_unknown_key_is_named() -> None:
    """Without the directory's proof of the key a signature says nothing."""
    story = Story(an_envelope(sender=STRANGER))
    with pytest.raises(Broken) as caught:
        evidence.check(evidence.read(exported(story, STRANGER)), sign, book_without(STRANGER))
    assert (caught.value.link, caught.value.code) == ("the envelope", "seal.key-unknown")


def test_a_clock_far_off_is_noted() -> None:
    """Claimed and signed time are two facts; a large difference is shown."""
    story = Story()
    story.say(FIRST, Code.ARRIVED, at_ms=START_MS - 2 * limits.HOUR_MS)
    assert checked(exported(story)).transmissions[0].rows[0].notes == ("clock",)


@pytest.mark.parametrize(
    "changes",
    [
        {"doc": bytes(32)},
        {"by": STRANGER},
        {"to": (FIRST,)},
        {"to": (FIRST, SECOND, STRANGER)},
        {"to": (FIRST, SECOND, SECOND)},
        {"statements": ()},
        {"proofs": bytes(32)},
    ],
)
def test_an_index_that_says_something_else_is_noticed(changes: dict[str, Any]) -> None:
    """Even where the exporter signed it: the file must be what the index says."""
    assert checked(reclosed(a_full_story())).others == 0
    broken(reclosed(a_full_story(), **changes))


def test_an_index_that_lists_a_statement_twice_is_noticed() -> None:
    """A list that is longer than the file hides nothing."""
    story = a_full_story()
    ids = tuple(each.id for each in evidence.read(exported(story)).statements)
    assert "twice" in broken(reclosed(story, statements=(*ids, ids[0]))).problem


def test_other_proofs_than_those_indexed_are_noticed() -> None:
    """The proofs of keys are part of what was exported."""
    plain = evidence.read(FULL)
    assert broken(encode(plain._replace(proofs=plain.proofs[:1]))).link == "the proofs of keys"


@given(st.data())
def test_any_flipped_bit_is_noticed(data: st.DataObject) -> None:
    """Every byte of the file matters: it is read strictly, and everything in it is signed."""
    at = data.draw(st.integers(0, len(FULL) - 1))
    bit = data.draw(st.integers(0, 7))
    assert not holds(FULL[:at] + bytes([FULL[at] ^ 1 << bit]) + FULL[at + 1 :])


@given(st.integers(0, len(FULL) - 1))
def test_any_shorter_file_is_refused(length: int) -> None:
    """A download that stopped early is no evidence."""
    with pytest.raises(TheirFault, match=r"evidence\.malformed"):
        evidence.read(FULL[:length])


Change = Callable[[dict[str, Any], int], None]


def _drop(value: dict[str, Any], n: int) -> None:
    del value["statements"][n % len(value["statements"])]


def _double_head(value: dict[str, Any], n: int) -> None:
    value["heads"].append(value["heads"][n % len(value["heads"])])


def _swap_heads(value: dict[str, Any], n: int) -> None:
    one, other = value["statements"][n % 9], value["statements"][(n + 1) % 9]
    one[1], other[1] = other[1], one[1]


def _move_index(value: dict[str, Any], n: int) -> None:
    value["statements"][n % 9][2] += 1 + n


def _lengthen_path(value: dict[str, Any], n: int) -> None:
    value["statements"][n % 9][3].append(bytes(32))


def _swap_bodies(value: dict[str, Any], n: int) -> None:
    one, other = value["statements"][n % 9], value["statements"][(n + 1) % 9]
    one[0], other[0] = other[0], one[0]


def _other_signature(value: dict[str, Any], n: int) -> None:
    heads = value["heads"]
    heads[n % len(heads)][1] = heads[(n + 1) % len(heads)][1]


def _another_proof(value: dict[str, Any], n: int) -> None:
    value["proofs"].insert(n % 3, b"more")


@given(
    st.sampled_from(
        [_drop, _double_head, _swap_heads, _move_index, _lengthen_path, _swap_bodies, _other_signature, _another_proof]
    ),
    st.integers(0, 20),
)
def test_any_change_of_the_structure_is_noticed(change: Change, n: int) -> None:
    """Changes that keep the file readable are found by signatures, chains or the index."""
    value = codec.decode(FULL, len(FULL))
    change(value, n)
    assert not holds(codec.encode(value))


def test_objects_of_one_commit_share_one_head() -> None:
    """What was signed together is written once and verified once."""
    story = Story()
    first = a_statement(doc=story.doc, prev=story.doc)
    body = statements.encode(first)
    second = first._replace(code=Code.RECEIVED, seq=2, prev=leaf_hash(body))
    story.kept = sign_together(seal_of(FIRST), FIRST, [body, statements.encode(second)], START_MS)
    raw = exported(story)
    assert len(codec.decode(raw, len(raw))["heads"]) == 3
    assert checked(raw).transmissions[0].state is State.RECEIVED


def test_what_was_read_is_written_back_byte_for_byte() -> None:
    """One file, one encoding."""
    assert encode(evidence.read(FULL)) == FULL


def test_a_file_may_not_hold_more_statements_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded when written, so that nobody gets a file that no reader accepts."""
    monkeypatch.setattr(limits, "EVIDENCE_STATEMENTS_MAX", 8)
    with pytest.raises(TheirFault, match=r"codec\.too-long"):
        exported(a_full_story())


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.update(type="evidence/2"),
        lambda value: value.update(more=1),
        lambda value: value.update(statements={}),
        lambda value: value.update(envelope=[b"", 0, 0]),
        lambda value: value.update(proofs=["text"]),
        lambda value: value.update(heads=value["heads"][::-1]),
        lambda value: value["envelope"].__setitem__(1, 1),
    ],
)
def test_a_file_of_another_shape_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    """The shape is checked before anything is believed."""
    value = codec.decode(FULL, len(FULL))
    change(value)
    with pytest.raises(TheirFault):
        checked(codec.encode(value))


def test_evidence_is_a_plain_value() -> None:
    """Two readings of one file are equal."""
    assert isinstance(evidence.read(FULL), Evidence)
    assert evidence.read(FULL) == evidence.read(FULL)
