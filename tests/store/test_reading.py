"""What every store shows to people: pages, documents, the feed, refusals; asked of every engine."""

from docaxis.core.effects import (
    LogRefusal,
)
from docaxis.core.lifecycle import Standing, State
from docaxis.store.base import REFUSALS_KEPT_MAX
from tests.store.engines import Engine
from tests.store.making import H49, H57, ME, NOW_MS, heads, make


async def test_pages_go_from_new_to_old_and_stay_in_place_while_rows_are_added(engine: Engine) -> None:
    """A clerk who turns the page sees each document once."""
    store = engine.store
    documents = [make(number, sender=ME if number % 2 else H57) for number in range(10)]
    for number, made in enumerate(documents):
        await store.commit(made.submitted(created_ms=NOW_MS + number // 4))
    seen: list[tuple[int, bytes, str]] = []
    while page := await store.documents(True, seen[-1] if seen else None, 2, None):
        assert all(body == next(made.body for made in documents if made.doc == record.doc) for record, body in page)
        seen += [(record.created_ms, record.doc, record.recipient) for record, _ in page]
        await store.commit(make(100 + len(seen)).submitted(created_ms=NOW_MS + 100))
    assert seen == sorted(seen, reverse=True)
    assert {doc for _, doc, _ in seen} == {made.doc for made in documents if made.outgoing}


async def test_pages_can_show_one_state(engine: Engine) -> None:
    """Recovered counts before whatever was known before the recall."""
    store = engine.store
    standings = [Standing(), Standing(State.COMPLETED), Standing(State.COMPLETED, (b"r" * 32,), (), agreed=True)]
    for number, standing in enumerate(standings):
        await store.commit(make(number).submitted(standing=standing))
    for number, state in enumerate((State.SENT, State.COMPLETED, State.RECOVERED)):
        assert [record.doc for record, _ in await store.documents(True, None, 9, state)] == [make(number).doc]
    assert (await store.totals()).outgoing == {State.SENT: 1, State.COMPLETED: 1, State.RECOVERED: 1}
    assert await store.documents(True, None, 9, State.REFUSED) == []


async def test_a_document_shows_its_envelope_first_and_then_what_was_said(engine: Engine) -> None:
    """In the order of keeping: the chain of each party reads from top to bottom."""
    made, store = make(1, H57, H49), engine.store
    said = [made.statement(number, recipient) for number, recipient in ((1, H49), (2, H57), (3, H49))]
    await store.commit([*heads(), said[0], *made.submitted()])
    await store.commit(said[1:])
    records, kept = await store.document(made.doc)
    assert [record.recipient for record in records] == [H49, H57]
    assert [each.signed.body for each in kept] == [made.body, *(each.body for each in said)]
    assert [(each.kind, each.recipient, each.by) for each in kept[1:3]] == [
        ("statement", H49, H49),
        ("statement", H57, H57),
    ]


async def test_a_document_is_found_by_the_first_bytes_of_its_id(engine: Engine) -> None:
    """People type the beginning of an id."""
    documents, store = sorted(make(number).doc for number in range(20)), engine.store
    for number in range(20):
        await store.commit([*make(number).submitted(), make(number).statement(1)])
    assert await store.starting(b"", 99) == documents
    assert await store.starting(b"", 3) == documents[:3]
    assert await store.starting(documents[7][:5], 9) == [documents[7]]
    assert await store.starting(documents[7], 9) == [documents[7]]
    assert await store.starting(b"\xff" * 32, 9) == []


async def test_the_feed_is_read_from_a_cursor_on(engine: Engine) -> None:
    """Software asks for what is new; a cursor means the same after a restart."""
    made, store = make(1), engine.store
    assert (await store.changes(0, 9), await store.last_change()) == ([], 0)
    await store.commit([made.change()._replace(at_ms=number) for number in range(5)])
    first = await store.changes(0, 3)
    assert [line.change.at_ms for line in first] == [0, 1, 2]
    assert first[0].change == made.change()._replace(at_ms=0)
    await engine.reopen(NOW_MS)
    await engine.store.commit([made.change()])
    rest = await engine.store.changes(first[-1].cursor, 9)
    assert [line.cursor for line in rest] == [4, 5, 6]
    assert await engine.store.last_change() == 6


async def test_refusals_are_remembered_newest_first_and_bounded(engine: Engine) -> None:
    """Whoever is refused may knock as often as he likes; he fills no disk with it."""
    store = engine.store
    for start in range(0, REFUSALS_KEPT_MAX + 500, 500):
        await store.commit([LogRefusal("H49", "party.unknown", "", start + number) for number in range(500)])
    newest = await store.refusals(2)
    assert [refusal.at_ms for refusal in newest] == [REFUSALS_KEPT_MAX + 499, REFUSALS_KEPT_MAX + 498]
    assert newest[0] == LogRefusal("H49", "party.unknown", "", REFUSALS_KEPT_MAX + 499)
    assert (await store.totals()).refusals == REFUSALS_KEPT_MAX
