"""SQLite against the model in memory: whatever is written, in whatever order and grouping, both answer the same."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from docaxis.core.effects import (
    Dequeue,
    DropContent,
    Enqueue,
    LogRefusal,
    Op,
    Postpone,
    PutContent,
    PutPeer,
    PutRecord,
    PutRequest,
    Resend,
)
from docaxis.core.errors import OurFault
from docaxis.core.lifecycle import Standing, State
from docaxis.core.wanted import Wanted
from docaxis.store.base import Store
from tests.store.engines import Engine, MemoryEngine, SqliteEngine
from tests.store.making import H49, H57, ME, heads, make, put_head

# A small world, so that ops meet each other: a handful of documents, peers, times and chunks.
DOCUMENTS = (
    make(1, H49, H57, chunks=(b"one", b"two")),
    make(2, H57, chunks=(b"two",)),
    make(3, ME, sender=H49),
    make(4, ME, sender=H57, chunks=(b"three",)),
)
PEERS = (H49, H57)
DIGESTS = tuple(sorted({digest for made in DOCUMENTS for digest in made.digests()}))
STATEMENTS = tuple(
    made.statement(number, recipient, kept_ms, seq)
    for made in DOCUMENTS
    for recipient in made.to
    for number, kept_ms, seq in ((1, 5, 1), (2, 15, 2), (3, 15, 1))
)
OBJECTS = (*(made.envelope(10 * number) for number, made in enumerate(DOCUMENTS)), *STATEMENTS)
IDS = tuple(each.id for each in OBJECTS)
TIMES = st.sampled_from((0, 5, 10, 15))

documents = st.sampled_from(DOCUMENTS)
peers = st.sampled_from(PEERS)
ids = st.sampled_from(IDS)
hashes = st.sampled_from((b"a" * 32, b"b" * 32))
standings = st.builds(
    Standing,
    st.sampled_from(State),
    st.lists(hashes, max_size=2).map(tuple),
    st.lists(hashes, max_size=1).map(tuple),
    st.booleans(),
)
records = documents.flatmap(
    lambda made: st.builds(
        lambda recipient, **changes: PutRecord(made.record(recipient, **changes)),
        st.sampled_from(made.to),
        standing=standings,
        due_ms=TIMES,
        tries=st.integers(0, 3),
        waits=st.sampled_from(("", "content")),
        receipt=st.none() | ids,
        superseded_by=st.none() | st.just(DOCUMENTS[0].doc),
    )
)
claims = documents.flatmap(
    lambda made: st.sampled_from((*made.chunks, b"file")).map(
        lambda chunk: (
            PutContent(made.doc, put_head(9).head, None)
            if chunk == b"file"
            else PutContent(made.doc, made.digests()[made.chunks.index(chunk)], chunk)
        )
    )
)
requests = st.sampled_from("xyz").flatmap(
    lambda key: st.sampled_from((b"first", b"second")).map(lambda answer: PutRequest(key, b"d" * 32, answer, 1))
)
ops: st.SearchStrategy[Op] = st.one_of(
    st.sampled_from((*heads(), *OBJECTS)),
    records,
    claims,
    documents.map(lambda made: DropContent(made.doc)),
    st.builds(Enqueue, peers, st.integers(0, 2), ids),
    st.builds(Dequeue, peers, ids),
    st.builds(Postpone, peers, ids, TIMES, st.integers(0, 9)),
    st.builds(PutPeer, peers, st.integers(0, 9), TIMES, TIMES, TIMES),
    requests,
    documents.map(lambda made: made.change()),
    st.builds(LogRefusal, peers, st.just("party.unknown"), st.text(max_size=5), TIMES),
    st.builds(Resend, peers, st.integers(0, 2), TIMES),
)
MEMORY_DISK = Path("/dev/shm")
"""This test is about answers, not about durability: it need not wait for a disk where it can do without."""

commits = st.lists(ops, max_size=12)
EVERYTHING: list[Op] = [*heads(), *OBJECTS, *(op for made in DOCUMENTS for op in made.claims())]


class Restart(NamedTuple):
    """The process ends, and another starts."""

    now_ms: int


class Restore(NamedTuple):
    """A backup is taken and becomes the store."""

    now_ms: int


steps = st.one_of(
    st.lists(commits, min_size=1, max_size=3),
    st.just([EVERYTHING]),
    st.builds(Restart, TIMES),
    st.builds(Restore, TIMES),
)


async def fate(store: Store, some: Sequence[Op]) -> str | None:
    """How a commit ends: the code of its error, or None."""
    try:
        await store.commit(some)
    except OurFault as fault:
        return fault.code
    return None


async def everything(store: Store) -> list[Any]:
    """Every question that can be asked in this small world, with its answer."""
    keys = tuple((made.doc, recipient) for made in DOCUMENTS for recipient in (ME, *PEERS))
    docs = tuple(made.doc for made in DOCUMENTS)
    positions = tuple(made.position(seq, recipient) for made in DOCUMENTS for recipient in PEERS for seq in range(4))
    answers: list[Any] = [await store.find(Wanted(keys, ("x", "y", "z"), IDS, docs, positions))]
    answers += [await store.queue(peer, lane, now, 9) for peer in PEERS for lane in range(3) for now in (0, 10)]
    answers += [await store.lines()]
    answers += [await store.due(before, 3) for before in (4, 12, 20)]
    answers += [
        await store.documents(outgoing, None, 9, state) for outgoing in (False, True) for state in (None, *State)
    ]
    answers += [await store.document(doc) for doc in docs]
    answers += [await store.starting(doc[:1], 9) for doc in docs]
    answers += [await store.changes(0, 99), await store.last_change(), await store.refusals(99), await store.totals()]
    answers += [await store.content(digest) for digest in DIGESTS]
    answers += [await store.claimed((*DIGESTS, put_head(9).head))]
    return answers


async def take(step: Any, engine: Engine, folder: Path, number: int) -> Any:
    """One step of one engine, and what can be seen of it."""
    if isinstance(step, Restart):
        return await engine.reopen(step.now_ms)
    if isinstance(step, Restore):
        target = str(folder / f"backup-{number}")
        await engine.store.backup(target, step.now_ms)
        return await engine.restore(target, step.now_ms + 1)
    return await asyncio.gather(*(fate(engine.store, some) for some in step))


async def compare(plan: list[Any], folder: Path) -> None:
    """Runs a plan on both and compares after each step."""
    model, real = MemoryEngine(), SqliteEngine(folder)
    assert await model.store.open(7) == await real.store.open(7)
    try:
        for number, step in enumerate(plan):
            assert await take(step, model, folder, number) == await take(step, real, folder, number)
            assert await everything(model.store) == await everything(real.store)
    finally:
        await real.store.close()


@settings(max_examples=40)
@given(st.lists(steps, max_size=8))
def test_sqlite_answers_as_the_model_does(plan: list[Any]) -> None:
    """Grouping, reordering by table and rows that name each other by number are nobody's business but the engine's."""
    with TemporaryDirectory(dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None) as folder:
        asyncio.run(compare(plan, Path(folder)))
