"""Intake of envelopes: what is kept, what is refused with which code, content, and the age of the directory."""

from hashlib import sha256
from typing import Any

import pytest

from docaxis.core import events as ev
from docaxis.core import limits, wire
from docaxis.core import statement as statements
from docaxis.core.addresses import SigningKey, Status
from docaxis.core.envelope import make_file
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.signed import Signed
from docaxis.core.wire import Item, Outcome
from docaxis.seal.sign import NodeSeal
from tests.core.circle import Circle, codes_of, doc_of, seal_of
from tests.core.handing import (
    DATA,
    DIGEST,
    G22,
    H49,
    H55,
    an_envelope,
    envelope_item,
    forged,
    hand_in,
    nothing_kept,
    signed_item,
)


@pytest.fixture
def circle() -> Circle:
    """The Government Office and two provinces."""
    return Circle("G22", "H49", "H55")


# --- envelopes that are taken ---


def test_an_envelope_is_answered_with_the_recipients_signed_word(circle: Circle) -> None:
    """An answer 200 means stored and signed for."""
    (result,) = hand_in(circle["H49"], envelope_item(circle, an_envelope(circle)))
    assert result.receipt is not None
    said = statements.decode(result.receipt.body)
    assert (result.outcome, said.by, said.code, said.seq) == (Outcome.KEPT, "H49", Code.ARRIVED, 1)


def test_a_repeated_envelope_gets_the_very_same_receipt(circle: Circle) -> None:
    """A second receipt would be a fork, and a second effect a lie."""
    item = envelope_item(circle, an_envelope(circle))
    (first,), (again,) = hand_in(circle["H49"], item), hand_in(circle["H49"], item)
    assert again == first
    circle["H49"].start()
    assert hand_in(circle["H49"], item) == (first,)
    assert codes_of(circle["H49"], DocId(item.id)) == ["01"]


def test_an_envelope_twice_in_one_batch_is_one_document(circle: Circle) -> None:
    """Both places get the same receipt."""
    item = envelope_item(circle, an_envelope(circle))
    first, second = hand_in(circle["H49"], item, item)
    assert first == second
    assert first.receipt is not None
    assert codes_of(circle["H49"], DocId(item.id)) == ["01"]


def test_a_repetition_after_the_work_is_done_moves_nothing_back(circle: Circle) -> None:
    """However late the wire delivers it."""
    item = envelope_item(circle, an_envelope(circle))
    hand_in(circle["H49"], item)
    circle["H49"].act(DocId(item.id), Code.COMPLETED)
    hand_in(circle["H49"], item)
    assert circle["H49"].state(DocId(item.id), "H49") is State.COMPLETED


def test_bytes_named_a_statement_do_not_make_a_known_envelope_new_again(circle: Circle) -> None:
    """A hostile sender could otherwise reset its document and make the recipient fork its own chain."""
    item = envelope_item(circle, an_envelope(circle))
    hand_in(circle["H49"], item)
    circle["H49"].act(DocId(item.id), Code.COMPLETED)
    circle["H49"].start()
    wrong, right = hand_in(circle["H49"], item._replace(kind=wire.STATEMENT), item)
    assert (wrong.outcome, right.outcome) == (Outcome.REFUSED, Outcome.KEPT)
    assert circle["H49"].state(DocId(item.id), "H49") is State.COMPLETED


def test_an_envelope_past_its_deadline_is_refused_under_signature(circle: Circle) -> None:
    """The sender gets evidence, not silence."""
    late = an_envelope(circle, created_ms=circle.now_ms - limits.DAY_MS, expires_ms=circle.now_ms)
    (result,) = hand_in(circle["H49"], envelope_item(circle, late))
    assert result.receipt is not None
    said = statements.decode(result.receipt.body)
    assert (said.code, said.reason) == (Code.REFUSED, "envelope.expired")


# --- envelopes that are refused ---


def under_another_root(item: Item) -> Item:
    """The same body with a path that leads elsewhere."""
    return item._replace(signed=item.signed._replace(path=(bytes(32),)))


def with_other_words(item: Item) -> Item:
    """Another body under the same head."""
    body = item.signed.body.replace(b"\xa1x", b"\xa1y")
    signed = Signed(body, item.signed.head, item.signed.place, item.signed.path)
    return Item(item.kind, signed.id, signed, ())


@pytest.mark.parametrize(
    ("change", "code"),
    [(forged, "seal.bad-signature"), (under_another_root, "seal.bad-path"), (with_other_words, "seal.bad-path")],
)
def test_what_was_not_signed_as_it_stands_is_refused(circle: Circle, change: Any, code: str) -> None:
    """Refused with its code, logged for the operator by caller and object, and nothing of it kept."""
    item = change(envelope_item(circle, an_envelope(circle)))
    (result,) = hand_in(circle["H49"], item)
    assert (result.outcome, result.code, result.receipt) == (Outcome.REFUSED, code, None)
    (row,) = circle["H49"].tables.refusals(9)
    assert (row.peer, row.code) == ("G22", code)
    assert row.detail.startswith(f"envelope {item.id.hex()[:16]}: ")
    assert nothing_kept(circle["H49"])


def test_a_key_that_the_directory_does_not_list_is_refused(circle: Circle) -> None:
    """Anybody can make a key."""
    (result,) = hand_in(circle["H49"], envelope_item(circle, an_envelope(circle), seal=seal_of("stranger")))
    assert result.code == "seal.key-unknown"
    assert nothing_kept(circle["H49"])


def test_an_unknown_party_is_refused(circle: Circle) -> None:
    """Whoever is not in the directory does not exist."""
    item = envelope_item(circle, an_envelope(circle, sender=PartyId("X1")), by="X1")
    assert hand_in(circle["H49"], item, peer="X1")[0].code in ("party.unknown", "party.mismatch")
    assert nothing_kept(circle["H49"])


def test_a_revoked_key_is_refused_at_once(circle: Circle) -> None:
    """Even heads that were verified before the revocation are looked at again."""
    made = [envelope_item(circle, an_envelope(circle, nonce=bytes([n]) * 16)) for n in range(2)]
    assert hand_in(circle["H49"], made[0])[0].outcome is Outcome.KEPT
    circle["H49"].do(ev.DirectoryChanged(circle.new_book(2, revoked={seal_of("G22").key_id: circle.now_ms})))
    assert hand_in(circle["H49"], made[1])[0].code == "party.revoked"


def test_an_envelope_for_somebody_else_is_refused(circle: Circle) -> None:
    """Neither a wrong address nor a recipient that this node does not speak for."""
    item = envelope_item(circle, an_envelope(circle, to=(H55,)))
    assert hand_in(circle["H49"], item)[0].code == "envelope.wrong-recipient"
    assert hand_in(circle["H49"], item, to="H55")[0].code == "envelope.wrong-recipient"
    assert nothing_kept(circle["H49"])


def test_a_third_party_cannot_hand_in_somebody_elses_envelope(circle: Circle) -> None:
    """A replay: the signature is genuine, the messenger is not."""
    doc = doc_of(circle["G22"].submit("H55"))
    kept = circle["H55"].tables.document(doc)[1][0].signed
    item = Item(wire.ENVELOPE, kept.id, kept, ())
    assert hand_in(circle["H49"], item, peer="H55")[0].code == "party.mismatch"
    genuine = envelope_item(circle, an_envelope(circle))
    assert hand_in(circle["H49"], genuine, peer="H55")[0].code == "party.mismatch"
    assert nothing_kept(circle["H49"])


def test_an_envelope_signed_by_another_than_its_sender_is_refused(circle: Circle) -> None:
    """H55 writes a letter in the name of G22, hands in a genuine signature of its own, and even owns up on the wire."""
    item = envelope_item(circle, an_envelope(circle), by="H55")
    assert hand_in(circle["H49"], item)[0].code == "party.mismatch"
    assert nothing_kept(circle["H49"])


def test_only_its_own_sender_may_replace_a_document(circle: Circle) -> None:
    """Else one agency could end the work on another's decision."""
    old = doc_of(circle["G22"].submit("H49"))
    item = envelope_item(circle, an_envelope(circle, sender=H55, kind="replace", ref=old, thread=old), by="H55")
    assert hand_in(circle["H49"], item, peer="H55")[0].code == "envelope.reference"
    assert circle["H49"].act(old, Code.RECEIVED).value is not None


def test_good_items_are_kept_beside_bad_ones(circle: Circle) -> None:
    """One bad item harms only itself."""
    good = envelope_item(circle, an_envelope(circle))
    bad = forged(envelope_item(circle, an_envelope(circle, nonce=b"1" * 16)))
    unreadable = signed_item(wire.ENVELOPE, b"\xc1", circle.now_ms)
    outcomes = [result.outcome for result in hand_in(circle["H49"], bad, good, unreadable)]
    assert outcomes == [Outcome.REFUSED, Outcome.KEPT, Outcome.REFUSED]


def test_inline_chunks_must_be_those_that_were_signed(circle: Circle) -> None:
    """A wire that mangles content is asked to try again."""
    file = make_file("a.pdf", "application/pdf", len(DATA), 1 << 20, (DIGEST,))
    item = envelope_item(circle, an_envelope(circle, files=(file,)), inline=(b"other",))
    assert hand_in(circle["H49"], item)[0][:2] == (Outcome.DEFERRED, "content.corrupt")
    assert nothing_kept(circle["H49"])


# --- content that is pulled ---


def test_pulled_content_is_announced_first_and_has_arrived_when_it_is_whole(circle: Circle) -> None:
    """Only complete content earns the receipt of arrival."""
    doc = doc_of(circle["G22"].submit("H49", data=DATA, inline=()))
    assert codes_of(circle["H49"], doc) == codes_of(circle["G22"], doc) == ["00", "01"]
    assert circle["H49"].files == {DIGEST}
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


def test_content_is_asked_for_again_until_it_comes(circle: Circle) -> None:
    """A sender that is off for a while loses nothing, nor does a recipient that restarts meanwhile."""
    circle.cut = {("H49", "G22")}
    doc = doc_of(circle["G22"].submit("H49", data=DATA, inline=()))
    circle.later(limits.HOUR_MS)
    assert circle["G22"].state(doc, "H49") is State.HELD
    circle["H49"].start()
    circle.later(limits.HOUR_MS)
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


def test_each_documents_content_is_asked_for_again_at_its_own_time(circle: Circle) -> None:
    """What is due for one does not put off what is due a moment later for another."""
    circle.cut = {("H49", "G22")}
    docs = []
    for number in range(4):
        docs.append(doc_of(circle["G22"].submit("H49", data=DATA + bytes([number]), inline=())))
        circle.later(200)
    circle.cut = set()
    circle.later(5 * limits.SECOND_MS)
    assert [circle["G22"].state(doc, "H49") for doc in docs] == [State.ARRIVED] * 4


def test_content_that_never_comes_ends_in_a_signed_refusal_at_the_deadline(circle: Circle) -> None:
    """Silence is never an outcome, and what came in part is destroyed."""
    host = circle["H49"]
    item = envelope_item(circle, an_envelope(circle, files=(make_file("a", "x/y", 9, 9, (DIGEST,)),)))
    circle.cut = {("H49", "G22")}
    hand_in(host, item)
    assert host.tables.claimed([DIGEST])
    circle.jump(limits.DAY_MS + limits.HOUR_MS)
    assert host.state(DocId(item.id), "H49") is State.REFUSED
    said = statements.decode(host.tables.document(DocId(item.id))[1][-1].signed.body)
    assert said.reason == "content.missing"
    assert not host.tables.claimed([DIGEST])


def test_a_recall_that_waits_when_content_never_comes_is_agreed_to(circle: Circle) -> None:
    """Nobody should be asked to give back what was never there."""
    circle.cut = {("H49", "G22")}
    expires_ms = circle.now_ms + limits.DAY_MS
    doc = doc_of(circle["G22"].submit("H49", data=DATA, inline=(), expires_ms=expires_ms))
    circle["G22"].act(doc, Code.RECALL, "x")
    circle.jump(2 * limits.DAY_MS)
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert circle["G22"].state(doc, "H49") is circle["H49"].state(doc, "H49") is State.RECOVERED


# --- directory ---


def test_documents_wait_in_quarantine_while_the_directory_is_too_old(circle: Circle) -> None:
    """Held, not lost; released when the directory is fresh again."""
    host = circle["H49"]
    circle.jump(limits.DIRECTORY_STALE_MS)
    with_content = an_envelope(circle, files=(make_file("a", "x/y", len(DATA), 1 << 20, (DIGEST,)),))
    items = [envelope_item(circle, an_envelope(circle)), envelope_item(circle, with_content, inline=(DATA,))]
    results = hand_in(host, *items)
    codes = [statements.decode(each.receipt.body).code for each in results if each.receipt]
    assert codes == [Code.HELD, Code.HELD]
    circle.later(limits.HOUR_MS)
    assert [host.state(DocId(item.id), "H49") for item in items] == [State.HELD, State.HELD]
    host.do(ev.DirectoryChanged(circle.new_book(2)))
    circle.settle()
    circle.later(limits.MINUTE_MS)
    assert [host.state(DocId(item.id), "H49") for item in items] == [State.ARRIVED, State.ARRIVED]


def test_what_stayed_in_quarantine_till_its_deadline_is_refused_and_says_why(circle: Circle) -> None:
    """The content was there; the directory was not."""
    circle.jump(limits.DIRECTORY_STALE_MS)
    item = envelope_item(circle, an_envelope(circle))
    hand_in(circle["H49"], item)
    circle.jump(2 * limits.DAY_MS)
    said = statements.decode(circle["H49"].tables.document(DocId(item.id))[1][-1].signed.body)
    assert (said.code, said.reason) == (Code.REFUSED, "directory.too-old")


def test_documents_are_held_by_the_sender_while_its_directory_is_too_old(circle: Circle) -> None:
    """Nobody knows any more whether the recipient's key still holds; words about old documents go on."""
    old = doc_of(circle["G22"].submit("H49"))
    circle.jump(limits.DIRECTORY_STALE_MS)
    doc = doc_of(circle["G22"].submit("H49"))
    circle["G22"].act(old, Code.RECALL, "x")
    circle.later(limits.HOUR_MS)
    assert circle["H49"].tables.document(doc) == ((), ())
    assert codes_of(circle["H49"], old) == ["01", "13"]
    book = circle.new_book(2)
    for host in circle.hosts.values():
        host.do(ev.DirectoryChanged(book))
    circle.settle()
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


def test_a_stale_directory_does_not_vouch_for_newer_keys(circle: Circle) -> None:
    """A key that became valid after the last fresh look may be a thief's."""
    fresh = NodeSeal(sha256(b"new key").digest())
    from_ms = circle.now_ms + limits.DAY_MS
    entry = circle.entries[G22]
    key = SigningKey(fresh.key_id, fresh.algorithm, fresh.public_key, from_ms, 0)
    circle.entries[G22] = entry._replace(keys=(*entry.keys, key))
    circle["H49"].do(ev.DirectoryChanged(circle.new_book(2)))
    circle.now_ms += 2 * limits.DAY_MS
    taken = envelope_item(circle, an_envelope(circle), seal=fresh)
    assert hand_in(circle["H49"], taken)[0].outcome is Outcome.KEPT
    circle.now_ms += limits.DIRECTORY_AGEING_MS
    late = envelope_item(circle, an_envelope(circle), seal=fresh)
    assert hand_in(circle["H49"], late)[0][:2] == (Outcome.DEFERRED, "directory.too-old")
    old_key = envelope_item(circle, an_envelope(circle))
    assert hand_in(circle["H49"], old_key)[0].outcome is Outcome.KEPT


def test_a_successor_takes_in_the_mail_of_the_code_it_follows(circle: Circle) -> None:
    """Mail queued before the code closed reaches the successor, which states for it under its own name."""
    circle.cut = {("G22", "H49")}
    doc = doc_of(circle["G22"].submit("H49"))
    circle.entries[H49] = circle.entries[H49]._replace(status=Status.CLOSED, successors=(H55,))
    book = circle.new_book(2)
    for host in circle.hosts.values():
        host.do(ev.DirectoryChanged(book))
    circle.later(limits.HOUR_MS)
    assert circle["H55"].act(doc, Code.RECEIVED).value is not None
    assert circle["G22"].state(doc, "H49") is State.RECEIVED
    words = [statements.decode(each.signed.body) for each in circle["G22"].tables.document(doc)[1][1:]]
    assert [(said.by, said.recipient) for said in words] == [(H55, H49), (H55, H49)]
    circle["G22"].act(doc, Code.RECALL, "x")
    assert circle["H55"].act(doc, Code.AGREE).value is not None
    assert circle["G22"].state(doc, "H49") is State.RECOVERED
