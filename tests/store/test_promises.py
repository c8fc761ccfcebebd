"""What every store promises, asked of every engine; the promises in prose are in `docaxis.store.base`."""

import asyncio
from pathlib import Path

import pytest

from docaxis.core.effects import (
    Dequeue,
    DropContent,
    Enqueue,
    Op,
    Postpone,
    PutContent,
    PutHead,
    PutPeer,
    PutRecord,
    PutRequest,
    Resend,
)
from docaxis.core.errors import OurFault
from docaxis.core.ids import PartyId
from docaxis.core.lifecycle import Standing, State
from docaxis.core.limits import INLINE_BYTES_MAX
from docaxis.core.record import Loaded
from docaxis.core.signed import SignedHead
from docaxis.core.wanted import Wanted
from docaxis.core.wire import Item
from docaxis.store.base import Line, Store, Totals
from tests.store.engines import ENGINES, Engine, make_engine
from tests.store.making import H49, H57, ME, NOW_MS, Made, heads, make, put_head

NOTHING = Totals({}, {}, 0, 0, 0, 0)


async def queued(store: Store, peer: PartyId = H49, lane: int = 2, now_ms: int = NOW_MS) -> list[bytes]:
    """Ids in the queue, in order."""
    return [item.id for item, _ in await store.queue(peer, lane, now_ms, 100)]


async def loaded(store: Store, made: Made, recipient: PartyId = H49) -> Loaded | None:
    """The record of a document, if there is one."""
    return (await store.find(Wanted(records=((made.doc, recipient),)))).records.get((made.doc, recipient))


# --- atomic, durable, idempotent, whole, in order -------------------------------------------------------------------


async def test_a_commit_that_fails_leaves_nothing_behind(engine: Engine) -> None:
    """Half a commit would be a receipt without its document, or a document without its place in the queue."""
    made, store = make(1), engine.store
    with pytest.raises(OurFault) as failed:
        await store.commit([*made.submitted(), Enqueue(H49, 2, b"\0" * 32)])
    assert failed.value.code == "node.store"
    assert await store.totals() == NOTHING
    assert await store.document(made.doc) == ((), ())
    assert not await queued(store)


async def test_what_was_committed_is_there_after_a_restart(engine: Engine) -> None:
    """The whole point of a store."""
    made = make(1, chunks=(b"content",))
    await engine.store.commit(made.submitted())
    before = await engine.store.document(made.doc), await engine.store.totals()
    life = await engine.reopen(NOW_MS + 5)
    assert (await engine.store.document(made.doc), await engine.store.totals()) == before
    assert life.waiting == ((H49, 2),)
    assert await queued(engine.store) == [made.doc]


@pytest.mark.parametrize("again", ["one by one", "all at once"])
async def test_keeping_the_same_twice_is_keeping_it_once(engine: Engine, again: str) -> None:
    """A machine that starts again from its store may say what it has said before."""
    made, store = make(1, H49, H57, chunks=(b"content",)), engine.store
    ops = [*made.submitted(), made.statement(1), PutRequest("key", b"d" * 32, b"answer", NOW_MS)]
    await store.commit(ops)
    before = await store.totals(), await store.document(made.doc), await store.queue(H49, 2, NOW_MS, 9)
    for some in [[op] for op in ops] if again == "one by one" else [ops]:
        await store.commit(some)
    assert (await store.totals(), await store.document(made.doc), await store.queue(H49, 2, NOW_MS, 9)) == before


async def test_what_exists_stays_as_it_was(engine: Engine) -> None:
    """The first head, object, claim, answer and place in a queue are the ones that others may have seen."""
    made, store = make(1, chunks=(b"content",)), engine.store
    request = PutRequest("key", b"d" * 32, b"first", NOW_MS)
    await store.commit([*made.submitted(), request])
    other = PutHead(put_head(1).head, b"other", b"other")
    await store.commit(
        [
            other,
            put_head(3),
            made.envelope(NOW_MS + 1, put_head(3).head),
            PutContent(made.doc, made.digests()[0], None),
            request._replace(answer=b"second"),
            Enqueue(H49, 4, made.doc),
        ]
    )
    _, (kept,) = await store.document(made.doc)
    assert (kept.kept_ms, kept.signed.head) == (NOW_MS, SignedHead(b"head 1", b"signature 1"))
    assert await store.content(made.digests()[0]) == b"content"
    assert (await store.find(Wanted(requests=("key",)))).requests == {"key": request}
    assert (await queued(store), await queued(store, lane=4)) == ([made.doc], [])


async def test_a_record_is_overwritten_by_the_last_one_of_a_commit(engine: Engine) -> None:
    """The loop puts the durable parts of many events into one commit."""
    made, store = make(1), engine.store
    last = made.record(standing=Standing(State.ASSIGNED, (b"r" * 32, b"s" * 32), (b"r" * 32,)), due_ms=9)
    await store.commit([*made.submitted(), PutRecord(made.record(due_ms=7)), PutRecord(last)])
    assert await loaded(store, made) == Loaded(last, made.body, None)
    assert (await store.due(NOW_MS, 9)) == (Loaded(last, made.body, None),)


@pytest.mark.parametrize(
    "ops",
    [
        [make(1).envelope()],
        [*heads(), make(1).statement(1)],
        [PutRecord(make(1).record())],
        [PutContent(make(1).doc, b"d" * 32, b"bytes")],
        [Enqueue(H49, 0, make(1).doc)],
    ],
    ids=["object", "statement", "record", "claim", "entry"],
)
async def test_nothing_is_kept_that_names_what_is_not_kept(engine: Engine, ops: list[Op]) -> None:
    """A row that points nowhere would be found by a clerk, years later."""
    with pytest.raises(OurFault) as failed:
        await engine.store.commit(ops)
    assert failed.value.code == "node.store"
    assert await engine.store.totals() == NOTHING


async def test_within_a_commit_a_row_may_come_before_what_it_names(engine: Engine) -> None:
    """A turn signs last what it has decided first; and some ops make the store write what it has gathered so far."""
    made, store = make(1, chunks=(b"content",)), engine.store
    ops = made.submitted()
    drop, resend = DropContent(make(2).doc), Resend(H57, 0, 0)
    await store.commit([PutRecord(made.record()), drop, Enqueue(H49, 2, made.doc), resend, *reversed(ops)])
    assert await queued(store) == [made.doc]
    assert await store.content(made.digests()[0]) == b"content"


async def test_commits_that_wait_together_do_not_fail_together(engine: Engine) -> None:
    """One writer serves everybody; nobody suffers for a neighbour."""
    good = [make(number) for number in range(20)]
    commits = [engine.store.commit(made.submitted()) for made in good]
    commits.insert(10, engine.store.commit([*make(99).submitted(), PutRecord(make(98).record())]))
    fates = await asyncio.gather(*commits, return_exceptions=True)
    assert [type(fate) for fate in fates] == [*[type(None)] * 10, OurFault, *[type(None)] * 10]
    assert await queued(engine.store) == [made.doc for made in good]
    assert await engine.store.document(make(99).doc) == ((), ())


async def test_commits_are_seen_in_the_order_in_which_they_were_called(engine: Engine) -> None:
    """A reader who sees an effect sees its cause."""
    made, store = make(1), engine.store
    await store.commit(made.submitted())
    commits = [
        store.commit([PutRecord(made.record(tries=number)), made.change()._replace(at_ms=number)])
        for number in range(50)
    ]
    running = asyncio.gather(*commits)
    while not running.done():
        await asyncio.sleep(0)
        lines = await store.changes(0, 100)
        found = await loaded(store, made)
        assert found is not None
        assert found.record.tries >= len(lines) - 1
        assert [line.change.at_ms for line in lines] == list(range(len(lines)))
    await running
    assert await store.last_change() == 50


async def test_who_stops_waiting_for_a_commit_does_not_stop_it(engine: Engine) -> None:
    """A cancelled task must not take the writer with it."""
    made, store = make(1), engine.store
    waiting = asyncio.create_task(store.commit(made.submitted()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await store.commit([])
    assert await queued(store) == [made.doc]


# --- the queue ------------------------------------------------------------------------------------------------------


async def test_a_queue_gives_the_oldest_first_lane_by_lane(engine: Engine) -> None:
    """Order inside a lane is the order of queueing, whatever was taken out between."""
    documents, store = [make(number) for number in range(6)], engine.store
    for made in documents:
        await store.commit(made.submitted())
    await store.commit([Dequeue(H49, documents[1].doc), Dequeue(H49, documents[4].doc), Dequeue(H57, documents[0].doc)])
    await store.commit([Enqueue(H49, 2, documents[1].doc), Enqueue(H49, 0, documents[4].doc)])
    assert await queued(store) == [documents[number].doc for number in (0, 2, 3, 5, 1)]
    assert await queued(store, lane=0) == [documents[4].doc]
    assert [item.id for item, _ in await store.queue(H49, 2, NOW_MS, 2)] == [documents[0].doc, documents[2].doc]
    assert await queued(store, H57) == []


async def test_what_waits_is_counted_by_peer_and_lane_with_the_time_of_the_first(engine: Engine) -> None:
    """How much, for whom, and since when: in one answer, however long the queues are."""
    documents, store = [make(number, H49, H57) for number in range(3)], engine.store
    assert await store.lines() == ()
    for age_ms, made in zip((30, 20, 10), documents, strict=True):
        envelope = made.envelope(kept_ms=NOW_MS - age_ms)
        await store.commit([envelope if op == made.envelope() else op for op in made.submitted()])
    await store.commit([Dequeue(H57, documents[0].doc), Postpone(H57, documents[1].doc, NOW_MS + 10, 3)])
    await store.commit([Enqueue(H57, 0, documents[0].doc)])
    assert await store.lines() == (
        Line(H49, 2, 3, NOW_MS - 30),
        Line(H57, 0, 1, NOW_MS - 30),
        Line(H57, 2, 2, NOW_MS - 20),
    )
    await store.commit([Dequeue(H49, made.doc) for made in documents])
    assert [line.peer for line in await store.lines()] == [H57, H57]


async def test_a_postponed_entry_waits_without_losing_its_place(engine: Engine) -> None:
    """One item that fails must not hold up the others, nor end up behind what came later."""
    first, second, store = make(1), make(2), engine.store
    await store.commit([*first.submitted(), *second.submitted()])
    await store.commit([Postpone(H49, first.doc, NOW_MS + 10, 3), Postpone(H57, first.doc, NOW_MS, 1)])
    assert await queued(store) == [second.doc]
    entries = await store.queue(H49, 2, NOW_MS + 10, 9)
    assert [(item.id, fails) for item, fails in entries] == [(first.doc, 3), (second.doc, 0)]


async def test_ops_on_one_entry_take_effect_in_their_order(engine: Engine) -> None:
    """Many events share a commit; what one puts into a queue, the next may take out, and a third put back."""
    made, other, store = make(1), make(2), engine.store
    await store.commit(made.submitted())
    await store.commit([Dequeue(H49, made.doc), *other.submitted(), Enqueue(H49, 2, made.doc)])
    assert await queued(store) == [other.doc, made.doc]
    await store.commit([Enqueue(H57, 1, made.doc), Postpone(H57, made.doc, 5, 5), Dequeue(H57, made.doc)])
    assert await queued(store, H57, 1) == []


async def test_an_item_carries_its_chunks_when_all_of_them_are_inline(engine: Engine) -> None:
    """In the order of the envelope, whatever the order of keeping; a document with a file is fetched chunk by chunk."""
    inline, mixed, store = make(1, chunks=(b"one", b"two")), make(2, chunks=(b"one", b"three")), engine.store
    ops = inline.submitted()
    ops[3:6] = [ops[3], ops[5], ops[4]]
    await store.commit([*ops, *mixed.submitted()])
    items = [item for item, _ in await store.queue(H49, 2, NOW_MS, 9)]
    assert [item.inline for item in items] == [(b"one", b"two"), (b"one", b"three")]
    assert items[0] == Item("envelope", inline.doc, items[0].signed, (b"one", b"two"))
    assert items[0].signed.id == inline.doc

    large = make(3, chunks=(b"x" * INLINE_BYTES_MAX, b"y"))
    as_file = make(4, chunks=(b"a", b"b"))
    claims: list[Op] = [PutContent(as_file.doc, as_file.digests()[0], b"a"), PutContent(as_file.doc, b"f" * 32, None)]
    plain = [op for op in as_file.submitted() if type(op) is not PutContent]
    await store.commit([*large.submitted(), *plain, *claims])
    assert [item.inline for item, _ in (await store.queue(H49, 2, NOW_MS, 9))[2:]] == [(), ()]


# --- what the machine reads -----------------------------------------------------------------------------------------


async def test_find_gives_what_exists_and_nothing_else(engine: Engine) -> None:
    """The machine takes absence for an answer."""
    known, unknown, store = make(1, H49, H57), make(2), engine.store
    receipt = known.statement(1)
    await store.commit([*known.submitted(), receipt, PutRequest("key", b"d" * 32, b"answer", 5)])
    await store.commit([PutRecord(known.record(receipt=receipt.id))])
    found = await store.find(
        Wanted(
            records=((known.doc, H49), (unknown.doc, H49), (known.doc, ME)),
            requests=("key", "nokey"),
            objects=(known.doc, receipt.id, unknown.doc),
            documents=(known.doc, unknown.doc),
        )
    )
    assert set(found.records) == {(known.doc, H49)}
    assert set(found.requests) == {"key"}
    assert found.objects == {known.doc, receipt.id}
    assert list(found.documents) == [known.doc]
    assert [each.record.recipient for each in found.documents[known.doc]] == [H49, H57]
    signed = found.records[known.doc, H49].receipt
    assert signed is not None
    assert (signed.body, signed.head, signed.place) == (receipt.body, SignedHead(b"head 2", b"signature 2"), 1)
    assert b"".join(signed.path) == receipt.path


async def test_find_names_the_statement_that_was_kept_first_at_a_place_of_a_chain(engine: Engine) -> None:
    """So a word that comes out of turn is known to contradict another one, years later and after any restart."""
    made, store = make(1, H49, H57), engine.store
    first, fork, second, of_another = (
        made.statement(1), made.statement(9, seq=1), made.statement(2), made.statement(1, H57)
    )  # fmt: skip
    await store.commit([*made.submitted(), first])
    await store.commit([of_another, second, fork])
    asked = [made.position(seq, recipient) for recipient in (H49, H57) for seq in (1, 2, 3)]
    asked += [asked[0]._replace(by=H57), asked[0]._replace(epoch=2), make(2).position(1)]
    found = await store.find(Wanted(positions=tuple(asked)))
    assert found.positions == {asked[0]: first.id, asked[1]: second.id, asked[3]: of_another.id}


async def test_find_takes_many_keys_at_once(engine: Engine) -> None:
    """A batch has up to 256 items, and a fan-out has a record for every recipient."""
    documents, store = [make(number) for number in range(600)], engine.store
    for start in range(0, 600, 200):
        await store.commit([op for made in documents[start : start + 200] for op in made.submitted()])
    keys = tuple((made.doc, H49) for made in documents)
    ids = tuple(made.doc for made in documents)
    positions = tuple(made.position(1) for made in documents)
    wanted = Wanted(keys, tuple(map(bytes.hex, ids)), ids, ids, positions)
    found = await store.find(wanted)
    assert not found.positions
    assert set(found.records) == set(keys)
    assert found.objects == set(found.documents) == set(ids)


async def test_a_receipt_that_is_named_but_not_kept_is_absent(engine: Engine) -> None:
    """After a restore a record may know more than the objects do."""
    made, store = make(1), engine.store
    await store.commit([*made.submitted(receipt=b"r" * 32)])
    found = await loaded(store, made)
    assert found is not None
    assert (found.record.receipt, found.receipt) == (b"r" * 32, None)


async def test_due_records_come_earliest_first_and_zero_means_never(engine: Engine) -> None:
    """The machine wakes for what is due, and for nothing else."""
    store = engine.store
    documents = [make(number) for number in range(5)]
    times = (30, 10, 0, 20, 40)
    for made, due_ms in zip(documents, times, strict=True):
        await store.commit(made.submitted(due_ms=due_ms))
    assert [each.record.due_ms for each in await store.due(30, 9)] == [10, 20, 30]
    assert [each.record.due_ms for each in await store.due(30, 2)] == [10, 20]
    await store.commit([PutRecord(documents[1].record(due_ms=0))])
    assert [each.envelope for each in await store.due(30, 9)] == [documents[3].body, documents[0].body]


async def test_a_life_knows_its_peers_and_what_waits_for_them(engine: Engine) -> None:
    """Timers come from the durable state and are rebuilt at the start."""
    made = make(1, H57, H49)
    down = PutPeer(H57, 4, NOW_MS, NOW_MS + 60_000, 17)
    await engine.store.commit([*made.submitted(), down._replace(fails=1), down, PutPeer(H49, 0, 0, 0, 3)])
    await engine.store.commit([Dequeue(H49, made.doc)])
    life = await engine.reopen(NOW_MS)
    assert life.peers == (PutPeer(H49, 0, 0, 0, 3), down)
    assert life.waiting == ((H57, 2),)
    assert await engine.store.life() == life


# --- content --------------------------------------------------------------------------------------------------------


async def test_dropping_content_destroys_what_no_other_document_names(engine: Engine) -> None:
    """A recovered document's content is gone; the same file in another letter is not."""
    first, second, store = make(1, chunks=(b"own", b"shared")), make(2, chunks=(b"shared",)), engine.store
    await store.commit([*first.submitted(), *second.submitted(), PutContent(first.doc, b"f" * 32, None)])
    own, shared = first.digests()
    assert await store.claimed([own, shared, b"f" * 32, b"g" * 32]) == {own, shared, b"f" * 32}
    assert await store.content(b"f" * 32) is None
    await store.commit([DropContent(first.doc)])
    assert (await store.content(own), await store.content(shared)) == (None, b"shared")
    assert await store.claimed([own, shared, b"f" * 32]) == {shared}
    await store.commit([DropContent(second.doc), *second.claims(), DropContent(second.doc)])
    assert await store.claimed([own, shared]) == frozenset()
    assert [item.inline for item, _ in await store.queue(H49, 2, NOW_MS, 9)] == [(), ()]


# --- losing everything, and what peers give back --------------------------------------------------------------------


async def test_an_epoch_lasts_until_a_backup_is_restored(engine: Engine, tmp_path: Path) -> None:
    """Peers take a new epoch for "this node has forgotten something": it must be new then, and only then."""
    target = str(tmp_path / "backup")
    assert (await engine.reopen(NOW_MS + 5))[:2] == (NOW_MS, 0)
    await engine.store.commit(make(1).submitted())
    await engine.store.backup(target, NOW_MS + 10)
    await engine.store.commit(make(2).submitted())
    assert (await engine.reopen(NOW_MS + 20))[:2] == (NOW_MS, 0)

    assert (await engine.restore(target, NOW_MS + 30))[:2] == (NOW_MS + 30, NOW_MS + 10)
    assert await queued(engine.store) == [make(1).doc]
    assert (await engine.reopen(NOW_MS + 40))[:2] == (NOW_MS + 30, NOW_MS + 10)

    again = str(tmp_path / "again")
    await engine.store.backup(again, NOW_MS + 50)
    assert (await engine.restore(again, NOW_MS - 99))[:2] == (NOW_MS + 31, NOW_MS + 50)


@pytest.mark.parametrize("name", ENGINES)
async def test_the_first_epoch_is_at_least_one(name: str, tmp_path: Path) -> None:
    """An epoch counts from 1 on the wire, even where a clock says 1970."""
    store = make_engine(name, tmp_path).store
    assert (await store.open(-5))[:2] == (1, 0)
    await store.close()


async def test_resending_queues_all_that_was_exchanged_since_then(engine: Engine) -> None:
    """A peer that was restored from a backup gets back what it forgot: from both sides, and of its own only."""
    store = engine.store
    ours, theirs, other = make(1, H49, H57), make(2, ME, sender=H49), make(3, ME, sender=H57)
    old = make(4)
    ops: list[Op] = [*heads(), old.envelope(NOW_MS - 1), PutRecord(old.record())]
    for made in (ours, theirs, other):
        ops += [made.statement(number, recipient, NOW_MS + number) for number, recipient in enumerate(made.to)]
        ops += [made.envelope(NOW_MS + 5), *(PutRecord(made.record(recipient)) for recipient in made.to)]
    late = old.statement(9, H49, NOW_MS)
    await store.commit([*ops, late, Enqueue(H49, 2, theirs.statement(0, ME).id)])
    await store.commit([Resend(H49, 0, NOW_MS)])
    assert await queued(store, H49, 0) == [
        ours.doc,
        theirs.doc,
        ours.statement(0, H49).id,
        late.id,
    ]
    assert await queued(store, H49, 2) == [theirs.statement(0, ME).id]
    await store.commit([Resend(H49, 1, NOW_MS), Resend(H49, 1, NOW_MS + 99)])
    assert await queued(store, H49, 1) == []


async def test_a_resend_sees_the_objects_of_its_own_commit(engine: Engine) -> None:
    """What is decided in one turn with it must not be forgotten again."""
    made, store = make(1), engine.store
    await store.commit([PutRecord(made.record()), Resend(H49, 0, NOW_MS), *heads(), made.envelope(), made.statement(1)])
    assert await queued(store, H49, 0) == [made.doc, made.statement(1).id]


async def test_a_backup_never_overwrites(engine: Engine, tmp_path: Path) -> None:
    """The last good backup is worth more than the next one."""
    await engine.store.backup(str(tmp_path / "backup"), NOW_MS)
    with pytest.raises(OurFault) as failed:
        await engine.store.backup(str(tmp_path / "backup"), NOW_MS)
    assert failed.value.code == "node.exists"
