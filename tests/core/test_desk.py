"""The desk: what people submit and state, and what keeps them from it."""

from hashlib import sha256
from typing import Any

import pytest

from docaxis.core import effects as fx
from docaxis.core import events as ev
from docaxis.core import limits
from docaxis.core.addresses import Status
from docaxis.core.envelope import decode, make_file
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from tests.core.circle import Circle, codes_of, doc_of


@pytest.fixture
def circle() -> Circle:
    """The Government Office and two provinces."""
    return Circle("G22", "H49", "H55")


def queued(circle: Circle, code: str = "G22") -> int:
    """Entries in the queues of a host."""
    return circle[code].tables.totals().queued


# --- submissions ---


def test_a_submission_is_answered_with_its_id_and_its_recipients(circle: Circle) -> None:
    """What a clerk's software needs to follow the document."""
    answer = circle["G22"].submit("H49", "H55", data=b"x" * 100)
    assert answer.value is not None
    assert answer.value["to"] == ["H49", "H55"]
    assert answer.value["created_ms"] == circle.now_ms
    assert answer.value["expires_ms"] == circle.now_ms + limits.EXPIRES_DEFAULT_MS


def test_a_repeated_key_gets_the_same_answer_and_no_second_document(circle: Circle) -> None:
    """The software's request was repeated because its answer was lost."""
    first = circle["G22"].submit("H49", key="k1")
    again = circle["G22"].submit("H49", key="k1")
    assert again.value == first.value
    assert circle["H49"].tables.totals().envelopes == 1


def test_a_repeated_key_in_the_same_group_commit_makes_one_document(circle: Circle) -> None:
    """Both requests may wait in the same round."""
    twins = [circle["G22"].submission("H49", key="k1") for _ in range(2)]
    circle["G22"].do(ev.Submitted(tuple(twins)))
    values = [circle["G22"].answers[each.ticket].value for each in twins]
    assert values[0] == values[1] is not None
    assert circle["G22"].tables.totals().envelopes == 1


def test_a_repeated_key_after_a_restart_gets_the_same_answer(circle: Circle) -> None:
    """Keys are kept, not remembered."""
    first = circle["G22"].submit("H49", key="k1")
    circle["G22"].start()
    assert circle["G22"].submit("H49", key="k1").value == first.value


def test_a_key_used_for_another_request_is_refused(circle: Circle) -> None:
    """Answering with the old document would lose the new one."""
    circle["G22"].submit("H49", key="k1")
    assert circle["G22"].submit("H55", key="k1").code == "request.key-reused"


def test_a_key_whose_request_was_refused_may_be_used_again(circle: Circle) -> None:
    """Nothing was done under it."""
    assert circle["G22"].submit("H99", key="k1").code == "party.unknown"
    assert circle["G22"].submit("H49", key="k1").value is not None


@pytest.mark.parametrize(
    ("to", "fields", "code"),
    [
        ((), {}, "codec.schema"),
        (("H99",), {}, "party.unknown"),
        (("h 49",), {}, "id.malformed"),
        (("G22",), {}, "envelope.to-self"),
        (("H49",), {"priority": 9}, "codec.schema"),
        (("H49",), {"meta": {"secrecy": "tối mật"}}, "envelope.secret"),
        (("H49",), {"expires_ms": 1}, "envelope.expired"),
        (("H49",), {"kind": "update", "ref": DocId(bytes(32))}, "envelope.reference"),
        (("H49",), {"kind": "update"}, "codec.schema"),
        (("H49",), {"inline": (b"a", b"b")}, "codec.schema"),
    ],
)
def test_a_wrong_submission_is_refused_with_its_code_and_leaves_nothing(
    circle: Circle, to: tuple[str, ...], fields: dict[str, Any], code: str
) -> None:
    """Nothing of it is kept, queued or sent."""
    before = circle.exchanged
    assert circle["G22"].submit(*to, **fields).code == code
    totals = circle["G22"].tables.totals()
    assert (totals.envelopes, totals.queued, totals.outgoing) == (0, 0, {})
    assert circle.exchanged == before


def test_one_wrong_submission_does_not_spoil_those_beside_it(circle: Circle) -> None:
    """They share a signature and nothing else."""
    good, bad = circle["G22"].submission("H49"), circle["G22"].submission("H99")
    circle["G22"].do(ev.Submitted((bad, good)))
    assert circle["G22"].answers[bad.ticket].code == "party.unknown"
    assert circle["G22"].answers[good.ticket].value is not None


def test_a_party_without_an_endpoint_cannot_be_sent_to_yet(circle: Circle) -> None:
    """Mailboxes belong to a later version; silence would be a lie."""
    circle.entries[PartyId("H55")] = circle.entries[PartyId("H55")]._replace(endpoints=())
    circle["G22"].do(ev.DirectoryChanged(circle.new_book(2)))
    assert circle["G22"].submit("H55").code == "party.no-route"


def test_an_alias_leads_to_the_party_and_the_envelope_says_what_was_written(circle: Circle) -> None:
    """Old codes of thirteen characters are still on letterheads."""
    circle["G22"].do(ev.DirectoryChanged(circle.new_book(2, aliases={"000.00.00.H49": PartyId("H49")})))
    answer = circle["G22"].submit("000.00.00.H49")
    assert answer.value is not None
    assert answer.value["to"] == ["H49"]
    body = circle["H49"].tables.document(doc_of(answer))[1][0].signed.body
    assert decode(body).written_as == {"H49": "000.00.00.H49"}


def test_a_closed_code_leads_to_its_successor(circle: Circle) -> None:
    """July 2025: 63 provinces became 34."""
    entry = circle.entries[PartyId("H49")]
    circle.entries[PartyId("H49")] = entry._replace(status=Status.CLOSED, successors=(PartyId("H55"),))
    circle["G22"].do(ev.DirectoryChanged(circle.new_book(2)))
    answer = circle["G22"].submit("H49", "H55")
    assert answer.value is not None
    assert (answer.value["to"], answer.value["written_as"]) == (["H55"], {"H55": "H49"})
    assert circle["G22"].state(doc_of(answer), "H55") is State.ARRIVED


def test_a_closed_code_without_successor_is_refused(circle: Circle) -> None:
    """The sender must learn it at once."""
    circle.entries[PartyId("H49")] = circle.entries[PartyId("H49")]._replace(status=Status.CLOSED)
    circle["G22"].do(ev.DirectoryChanged(circle.new_book(2)))
    assert circle["G22"].submit("H49").code == "party.closed"


def test_more_inline_chunks_than_a_peer_reads_are_pulled_instead(circle: Circle) -> None:
    """A batch that nobody can read would be sent until the deadline."""
    chunks = tuple(bytes([number]) for number in range(limits.FILES_MAX + 1))
    digests = tuple(sha256(chunk).digest() for chunk in chunks)
    file = make_file("a", "text/plain", len(chunks), 1, digests)
    answer = circle["G22"].submit("H49", files=(file,), inline=chunks)
    assert codes_of(circle["H49"], doc_of(answer)) == ["00", "01"]


# --- states ---


def test_a_document_goes_through_its_six_states_and_both_ends_agree(circle: Circle) -> None:
    """Arrived, received, assigned, processing, completed; and recovered after a recall."""
    doc = doc_of(circle["G22"].submit("H49"))
    for code in (Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED):
        assert circle["H49"].act(doc, code).value is not None
    assert circle["G22"].state(doc, "H49") is circle["H49"].state(doc, "H49") is State.COMPLETED
    circle["G22"].act(doc, Code.RECALL, "số liệu sai")
    circle["H49"].act(doc, Code.AGREE)
    assert circle["G22"].state(doc, "H49") is circle["H49"].state(doc, "H49") is State.RECOVERED
    assert codes_of(circle["G22"], doc) == codes_of(circle["H49"], doc) == ["01", "03", "04", "05", "06", "13", "15"]


def test_states_may_be_skipped_but_not_taken_back(circle: Circle) -> None:
    """Small offices go straight to completed."""
    doc = doc_of(circle["G22"].submit("H49"))
    circle["H49"].act(doc, Code.COMPLETED)
    assert circle["H49"].act(doc, Code.RECEIVED).code == "lifecycle.not-allowed"
    assert circle["G22"].state(doc, "H49") is State.COMPLETED


def test_a_refusal_needs_a_reason_and_ends_the_document(circle: Circle) -> None:
    """The sender must be able to correct what was wrong."""
    doc = doc_of(circle["G22"].submit("H49"))
    assert circle["H49"].act(doc, Code.REFUSED, "  ").code == "lifecycle.reason-needed"
    circle["H49"].act(doc, Code.REFUSED, "không thuộc thẩm quyền")
    assert circle["G22"].state(doc, "H49") is State.REFUSED
    assert circle["H49"].act(doc, Code.RECEIVED).code == "lifecycle.not-allowed"
    assert circle["G22"].act(doc, Code.RECALL, "x").code == "lifecycle.not-allowed"


@pytest.mark.parametrize("code", [Code.HELD, Code.ARRIVED, Code.EXPIRED])
def test_the_nodes_own_words_cannot_be_put_into_its_mouth(circle: Circle, code: Code) -> None:
    """Receipts say what is durable, not what somebody wishes."""
    doc = doc_of(circle["G22"].submit("H49"))
    assert circle["H49"].act(doc, code, "x").code == "statement.wrong-author"


def test_only_the_sender_recalls_and_only_the_recipient_states(circle: Circle) -> None:
    """Each side speaks for itself."""
    doc = doc_of(circle["G22"].submit("H49"))
    assert circle["H49"].act(doc, Code.RECALL, "x").code == "statement.wrong-author"
    assert circle["G22"].act(doc, Code.RECEIVED).code == "statement.wrong-author"
    assert circle["H55"].act(doc, Code.RECEIVED).code == "document.unknown"
    assert circle["G22"].act(doc, Code.RECALL, "x", recipient="H55").code == "document.unknown"


def test_an_act_with_a_key_is_done_once(circle: Circle) -> None:
    """A repeated click makes no second statement."""
    doc = doc_of(circle["G22"].submit("H49"))
    first = circle["H49"].act(doc, Code.RECEIVED, key="k")
    assert circle["H49"].act(doc, Code.RECEIVED, key="k").value == first.value
    assert codes_of(circle["G22"], doc) == ["01", "03"]


def test_two_acts_in_one_group_commit_build_on_each_other(circle: Circle) -> None:
    """The second sees what the first did, and the chain has no gap."""
    doc = doc_of(circle["G22"].submit("H49"))
    acts = [ev.Act(90 + n, "", b"", doc, "", code, "", "") for n, code in enumerate((Code.ASSIGNED, Code.ASSIGNED))]
    circle["H49"].do(ev.Acted(tuple(acts)))
    assert circle["H49"].answers[90].value is not None
    assert circle["H49"].answers[91].code == "lifecycle.not-allowed"


# --- recall ---


def test_a_declined_recall_leaves_the_document_where_it_was(circle: Circle) -> None:
    """The recipient has acted on it already."""
    doc = doc_of(circle["G22"].submit("H49"))
    circle["H49"].act(doc, Code.RECEIVED)
    circle["G22"].act(doc, Code.RECALL, "x")
    assert circle["H49"].act(doc, Code.COMPLETED).code == "lifecycle.not-allowed"
    circle["H49"].act(doc, Code.DECLINE, "đã xử lý")
    assert circle["G22"].state(doc, "H49") is State.RECEIVED
    assert circle["H49"].act(doc, Code.COMPLETED).value is not None


def test_a_recall_without_a_name_is_for_everybody_who_may_still_be_asked(circle: Circle) -> None:
    """Those who refused the document have nothing to give back."""
    doc = doc_of(circle["G22"].submit("H49", "H55"))
    circle["H55"].act(doc, Code.REFUSED, "x")
    answer = circle["G22"].act(doc, Code.RECALL, "x")
    assert answer.value is not None
    assert [each["recipient"] for each in answer.value["statements"]] == ["H49"]  # type: ignore[attr-defined]
    assert circle["H49"].act(doc, Code.AGREE).value is not None


def test_a_recall_that_crosses_completion_is_answered_by_people(circle: Circle) -> None:
    """Both words are true, whichever comes first."""
    doc = doc_of(circle["G22"].submit("H49"))
    circle.cut = {("G22", "H49"), ("H49", "G22")}
    circle["G22"].act(doc, Code.RECALL, "x")
    circle["H49"].act(doc, Code.COMPLETED)
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert circle["G22"].state(doc, "H49") is circle["H49"].state(doc, "H49") is State.COMPLETED
    circle["H49"].act(doc, Code.AGREE)
    assert circle["G22"].state(doc, "H49") is State.RECOVERED


def test_a_recall_that_crosses_a_refusal_is_agreed_to_at_once(circle: Circle) -> None:
    """There is no copy to give back; nobody must click for that."""
    doc = doc_of(circle["G22"].submit("H49", data=b"x" * 100))
    circle.cut = {("G22", "H49"), ("H49", "G22")}
    circle["G22"].act(doc, Code.RECALL, "x")
    circle["H49"].act(doc, Code.REFUSED, "y")
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert circle["G22"].state(doc, "H49") is circle["H49"].state(doc, "H49") is State.RECOVERED
    assert not circle["H49"].tables.claimed([sha256(b"x" * 100).digest()])


def test_a_recall_follows_a_document_that_has_not_left_yet(circle: Circle) -> None:
    """It must not arrive before what it recalls."""
    circle.cut = {("G22", "H49")}
    doc = doc_of(circle["G22"].submit("H49"))
    circle["G22"].act(doc, Code.RECALL, "x")
    circle.cut = set()
    circle.later(limits.MINUTE_MS)
    assert codes_of(circle["H49"], doc) == ["01", "13"]
    assert queued(circle) == 0


def test_agreeing_destroys_the_recipients_content_and_keeps_the_trace(circle: Circle) -> None:
    """Decree 30/2020, Appendix VI: the document goes, the metadata of the recall stays."""
    data = b"x" * 100
    digest = sha256(data).digest()
    doc = doc_of(circle["G22"].submit("H49", data=data))
    circle["G22"].act(doc, Code.RECALL, "x")
    assert circle["H49"].tables.claimed([digest])
    circle["H49"].act(doc, Code.AGREE)
    assert not circle["H49"].tables.claimed([digest])
    assert circle["G22"].tables.claimed([digest])
    assert len(circle["H49"].tables.document(doc)[1]) == 4


# --- update and replace ---


def test_an_update_carries_the_thread_on_and_leaves_the_old_document_workable(circle: Circle) -> None:
    """It adds to the first; it does not end it."""
    first = doc_of(circle["G22"].submit("H49"))
    second = doc_of(circle["G22"].submit("H49", kind="update", ref=first))
    third = doc_of(circle["G22"].submit("H49", kind="update", ref=second))
    assert circle["H49"].act(first, Code.RECEIVED).value is not None
    for doc in (second, third):
        assert decode(circle["H49"].tables.document(doc)[1][0].signed.body).thread == first


def test_a_replaced_document_takes_no_further_step_at_the_recipient(circle: Circle) -> None:
    """Work belongs on the newer one."""
    old = doc_of(circle["G22"].submit("H49", "H55"))
    new = doc_of(circle["G22"].submit("H49", kind="replace", ref=old))
    refused = circle["H49"].act(old, Code.RECEIVED)
    assert (refused.code, new.hex() in refused.detail) == ("document.replaced", True)
    assert circle["H49"].act(new, Code.RECEIVED).value is not None
    assert circle["H55"].act(old, Code.RECEIVED).value is not None


def test_a_replaced_document_can_still_be_recalled(circle: Circle) -> None:
    """Its copy is still there."""
    old = doc_of(circle["G22"].submit("H49"))
    circle["G22"].submit("H49", kind="replace", ref=old)
    assert circle["G22"].act(old, Code.RECALL, "x").value is not None
    assert circle["H49"].act(old, Code.AGREE).value is not None


def test_a_replacement_that_overtakes_its_document_still_ends_it(circle: Circle) -> None:
    """An express replacement of an ordinary letter travels in a faster lane."""
    circle.cut = {("G22", "H49")}
    old = doc_of(circle["G22"].submit("H49"))
    new = doc_of(circle["G22"].submit("H49", kind="replace", ref=old, priority=3))
    circle.cut = set()
    circle.later(limits.MINUTE_MS)
    assert [line.change.doc for line in circle["H49"].tables.changes(0, 2)] == [new, old]
    assert circle["H49"].act(old, Code.RECEIVED).code == "document.replaced"
    assert queued(circle) == 0


def test_only_its_sender_may_replace_a_document(circle: Circle) -> None:
    """A recipient replies with a document of its own."""
    old = doc_of(circle["G22"].submit("H49"))
    assert circle["H49"].submit("G22", kind="replace", ref=old).code == "envelope.reference"


def test_answers_say_which_statement_was_made(circle: Circle) -> None:
    """Software keeps the id as its proof."""
    doc = doc_of(circle["G22"].submit("H49"))
    answer = circle["H49"].act(doc, Code.RECEIVED)
    assert isinstance(answer, fx.Answer)
    kept = [each.signed.id.hex() for each in circle["G22"].tables.document(doc)[1]]
    assert answer.value is not None
    assert answer.value["statements"][0]["statement"] in kept  # type: ignore[index]
