"""Returns: what became of what was sent, item by item; signatures are believed, status codes are not."""

import pytest

from docaxis.core import effects as fx
from docaxis.core import events as ev
from docaxis.core import limits, wire
from docaxis.core import statement as statements
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.signed import sign_together
from docaxis.core.statement import Statement
from docaxis.core.wire import Outcome, Reply, Result
from tests.core.circle import Circle, Host, codes_of, doc_of, seal_of

G22, H49, H55 = PartyId("G22"), PartyId("H49"), PartyId("H55")
KEPT = Result(Outcome.KEPT, "", 0, None)


@pytest.fixture
def circle() -> Circle:
    """The Government Office and two provinces."""
    return Circle("G22", "H49", "H55")


def last_send(host: Host) -> tuple[fx.Send, wire.Batch]:
    """The last request that left, and what it carried."""
    return host.sent[-1], wire.decode_batch(host.sent[-1].body)


def posted(circle: Circle, *to: str) -> tuple[DocId, fx.Send, wire.Batch]:
    """A document whose request is in the air and will be answered by the test alone."""
    made = circle["G22"].submission(*(to or ("H49",)))
    circle["G22"].do(ev.Submitted((made,)))
    circle.wire.clear()
    return doc_of(circle["G22"].answers[made.ticket]), *last_send(circle["G22"])


def answer(circle: Circle, send: fx.Send, *results: Result) -> None:
    """The peer's answer, as the test wants it."""
    reply = Reply(send.peer, circle[send.peer].tables.life(0).epoch, 0, 1, 100, 0, results)
    decoded = wire.decode_reply(wire.encode_reply(reply))
    circle["G22"].do(ev.Delivered(send.peer, send.flight, decoded))


def receipt(circle: Circle, doc: DocId, by: str = "H49", to: str = "H49", code: Code = Code.ARRIVED) -> Result:
    """A genuine word on a document, made by the test."""
    said = Statement(
        PartyId(by), doc, G22, PartyId(to), code, circle[by].tables.life(0).epoch, 1, doc, None, circle.now_ms,
        "", "", "", 1,
    )  # fmt: skip
    return Result(Outcome.KEPT, "", 0, sign_together(seal_of(by), said.by, [statements.encode(said)], said.at_ms)[0])


def queued(circle: Circle) -> int:
    """Entries in the sender's queues."""
    return circle["G22"].tables.totals().queued


def noted(circle: Circle, event: str) -> list[fx.Noted]:
    """Lines of the sender's log."""
    return [note for note in circle["G22"].notes if note.event == event]


def test_an_envelope_leaves_the_queue_when_its_recipients_signed_word_is_here(circle: Circle) -> None:
    """The receipt is kept: the sender holds the evidence."""
    doc, send, _ = posted(circle)
    answer(circle, send, receipt(circle, doc))
    assert queued(circle) == 0
    assert circle["G22"].state(doc, "H49") is State.ARRIVED
    assert circle["G22"].tables.totals().statements == 1


def test_a_lost_answer_makes_the_same_envelope_go_again_and_brings_the_same_receipt(circle: Circle) -> None:
    """At least once on the wire, exactly once in effect."""
    circle.lose_replies = 3
    doc = doc_of(circle["G22"].submit("H49"))
    assert circle["G22"].state(doc, "H49") is State.SENT
    circle.later(limits.MINUTE_MS)
    assert circle["G22"].state(doc, "H49") is State.ARRIVED
    assert len(circle["G22"].sent) == 4
    assert codes_of(circle["H49"], doc) == codes_of(circle["G22"], doc) == ["01"]


def test_a_receipt_about_another_document_is_not_believed(circle: Circle) -> None:
    """The envelope stays in the queue, and the lie is logged."""
    doc, send, _ = posted(circle)
    other = doc_of(circle["G22"].submit("H49"))
    answer(circle, send, receipt(circle, other))
    assert circle["G22"].state(doc, "H49") is State.SENT
    assert queued(circle) == 1
    assert [refusal.code for refusal in circle["G22"].tables.refusals(9)] == ["party.mismatch"]


@pytest.mark.parametrize(
    ("by", "to", "code", "refused"),
    [
        ("H55", "H49", Code.ARRIVED, "statement.wrong-author"),
        ("H55", "H55", Code.ARRIVED, "party.mismatch"),
        ("G22", "H49", Code.EXPIRED, "party.mismatch"),
    ],
)
def test_a_receipt_by_somebody_else_is_not_believed(circle: Circle, by: str, to: str, code: Code, refused: str) -> None:
    """Neither a third party's word, nor one on another transmission, nor our own."""
    doc, send, _ = posted(circle)
    answer(circle, send, receipt(circle, doc, by, to, code))
    assert (circle["G22"].state(doc, "H49"), queued(circle)) == (State.SENT, 1)
    assert [refusal.code for refusal in circle["G22"].tables.refusals(9)] == [refused]


def test_an_answer_without_a_receipt_does_not_end_an_envelope(circle: Circle) -> None:
    """Somebody else's gateway may say 200 to everything."""
    doc, send, _ = posted(circle)
    answer(circle, send, KEPT)
    assert (circle["G22"].state(doc, "H49"), queued(circle)) == (State.SENT, 1)
    circle.later(limits.MINUTE_MS)
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


def test_an_answer_with_another_number_of_results_is_none(circle: Circle) -> None:
    """Nobody knows which result belongs to which item."""
    doc, send, _ = posted(circle)
    answer(circle, send, receipt(circle, doc), KEPT)
    assert (circle["G22"].state(doc, "H49"), queued(circle)) == (State.SENT, 1)
    assert circle["G22"].machine.outbox.queue(H49).fails == 1


def test_an_answer_that_nobody_waits_for_changes_nothing(circle: Circle) -> None:
    """It answers a request of an earlier life of this node."""
    doc, send, _ = posted(circle)
    circle["G22"].start()
    answer(circle, send, receipt(circle, doc))
    assert circle["G22"].state(doc, "H49") is State.SENT
    circle.settle()
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


def test_an_item_that_its_peer_will_not_take_is_set_aside_and_others_go_on(circle: Circle) -> None:
    """One poisoned item must not close a queue; after some failures it is looked at once an hour, until its end."""
    doc, send, _ = posted(circle)
    answer(circle, send, Result(Outcome.REFUSED, "codec.schema", 0, None))
    assert circle["G22"].state(doc_of(circle["G22"].submit("H49")), "H49") is State.ARRIVED
    for _ in range(limits.ITEM_FAILS_MAX):
        circle["G22"].sent.clear()
        while not circle["G22"].sent:
            circle.now_ms += limits.MINUTE_MS
            circle["G22"].do(ev.Woke())
            for _, _, what in [each for each in circle.wire if not isinstance(each[2], fx.Send)]:
                circle["G22"].do(what)  # type: ignore[arg-type]
            circle.wire.clear()
        answer(circle, last_send(circle["G22"])[0], Result(Outcome.REFUSED, "codec.schema", 0, None))
    assert len(noted(circle, "item.parked")) == 1
    circle.later(limits.PARKED_RETRY_DELAY_MS + limits.MINUTE_MS)
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


def test_a_parked_item_is_not_forgotten_by_a_restart(circle: Circle) -> None:
    """Timers come from what is durable."""
    doc, send, _ = posted(circle)
    answer(circle, send, Result(Outcome.DEFERRED, "node.busy", limits.HOUR_MS, None))
    circle["G22"].start()
    circle.later(2 * limits.HOUR_MS)
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


def test_items_deferred_for_different_times_all_come_back(circle: Circle) -> None:
    """The earlier one must not take the later one's timer along."""
    first, send, _ = posted(circle)
    answer(circle, send, Result(Outcome.DEFERRED, "node.busy", limits.MINUTE_MS, None))
    second, send, _ = posted(circle)
    answer(circle, send, Result(Outcome.DEFERRED, "node.busy", 10 * limits.MINUTE_MS, None))
    circle.later(limits.HOUR_MS)
    assert [circle["G22"].state(doc, "H49") for doc in (first, second)] == [State.ARRIVED, State.ARRIVED]


def test_a_statement_that_is_refused_for_good_is_not_offered_again(circle: Circle) -> None:
    """It is evidence of a disagreement, which people must settle."""
    doc = doc_of(circle["G22"].submit("H49"))
    circle["G22"].do(ev.Acted((ev.Act(99, "", b"", doc, "H49", Code.RECALL, "x", ""),)))
    circle.wire.clear()
    answer(circle, last_send(circle["G22"])[0], Result(Outcome.REFUSED, "statement.fork", 0, None))
    assert queued(circle) == 0
    assert noted(circle, "statement.refused")[0].level == "error"


@pytest.mark.parametrize("code", ["document.unknown", "seal.key-unknown", "directory.too-old", "node.busy"])
def test_a_statement_that_time_may_make_acceptable_is_offered_again(circle: Circle, code: str) -> None:
    """Their directory may lag behind ours, or our document behind our statement."""
    doc = doc_of(circle["G22"].submit("H49"))
    circle["G22"].do(ev.Acted((ev.Act(99, "", b"", doc, "H49", Code.RECALL, "x", ""),)))
    circle.wire.clear()
    answer(circle, last_send(circle["G22"])[0], Result(Outcome.REFUSED, code, 0, None))
    assert queued(circle) == 1
    circle.later(limits.MINUTE_MS)
    assert codes_of(circle["H49"], doc) == ["01", "13"]


def test_an_envelope_withdrawn_while_it_was_in_the_air_still_brings_its_receipt(circle: Circle) -> None:
    """The sender gave up a moment too early; the recipient's word is what counts."""
    made = circle["G22"].submission("H49", expires_ms=circle.now_ms + limits.MINUTE_MS)
    circle["G22"].do(ev.Submitted((made,)))
    doc, (send, _) = doc_of(circle["G22"].answers[made.ticket]), last_send(circle["G22"])
    circle.wire.clear()
    arrived = receipt(circle, doc)
    circle.cut = {("G22", "H49")}
    circle.jump(limits.HOUR_MS)
    assert circle["G22"].state(doc, "H49") is State.EXPIRED
    answer(circle, send, arrived)
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


@pytest.mark.parametrize(
    "code", ["peer.unreachable", "peer.timeout", "party.revoked", "party.unknown", "node.disk-full"]
)
def test_whatever_keeps_a_request_from_its_peer_loses_nothing(circle: Circle, code: str) -> None:
    """The peer is left alone for a while; the document waits, over restarts too."""
    doc, send, _ = posted(circle)
    circle["G22"].do(ev.Undelivered(H49, send.flight, code, "x", 0))
    assert circle["G22"].machine.outbox.queue(H49).fails == 1
    circle["G22"].start()
    assert circle["G22"].machine.outbox.queue(H49).fails == 1
    circle.later(limits.MINUTE_MS)
    assert circle["G22"].state(doc, "H49") is State.ARRIVED
    assert len(noted(circle, "peer.back")) == 1


def test_an_unreadable_batch_shrinks_until_the_item_is_found_and_set_aside(circle: Circle) -> None:
    """One poison item among thirty; twenty-nine arrive."""
    made = tuple(circle["G22"].submission("H49", meta={"subject": str(n)}) for n in range(30))
    circle.cut = {("G22", "H49")}
    circle["G22"].do(ev.Submitted(made))
    circle.settle()
    circle.cut = set()
    docs = [doc_of(circle["G22"].answers[each.ticket]) for each in made]
    poison = docs[17]
    host, sizes = circle["G22"], list[int]()
    circle.now_ms += limits.MINUTE_MS
    host.do(ev.Woke())
    for _ in range(100):
        if not circle.wire:
            break
        _, _, what = circle.wire.popleft()
        if not isinstance(what, fx.Send):
            host.do(what)  # type: ignore[arg-type]
            continue
        items = wire.decode_batch(what.body).items
        sizes.append(len(items))
        if poison in [item.id for item in items]:
            host.do(ev.Undelivered(H49, what.flight, "codec.schema", "", 0))
        else:
            host.do(ev.Delivered(H49, what.flight, circle["H49"].hand_in("G22", wire.decode_batch(what.body))))
    assert 1 in sizes
    assert [host.state(doc, "H49") for doc in docs if doc != poison] == [State.ARRIVED] * 29
    assert host.state(poison, "H49") is State.SENT
    circle.later(limits.HOUR_MS)
    assert host.state(poison, "H49") is State.ARRIVED


def test_an_item_at_which_the_peer_stumbles_every_time_does_not_hold_up_the_others(circle: Circle) -> None:
    """A peer that answers 500 because of one document would else get nothing from us until that document's deadline."""
    sender = circle["G22"]
    circle.cut.add((G22, H49))
    poison = doc_of(sender.submit("H49", priority=4))
    others = [doc_of(sender.submit("H49")) for _ in range(8)]
    circle.cut.clear()
    circle.stumbles = poison
    circle.later(2 * limits.HOUR_MS)
    assert [sender.state(doc, "H49") for doc in others] == [State.ARRIVED] * len(others)
    assert sender.state(poison, "H49") is State.SENT
    circle.stumbles = None
    circle.later(4 * limits.HOUR_MS)
    assert sender.state(poison, "H49") is State.ARRIVED
