"""Real nodes, whole: they exchange documents over HTTPS, survive their disks, and stop when they are told."""

import asyncio
from hashlib import sha256

import pytest

from docaxis.core import limits
from docaxis.core.envelope import make_file
from docaxis.core.errors import DocaxisError, OurFault, TheirFault
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.statement import decode
from tests.runtime.town import Town, act, eventually, submission, until


async def test_a_document_goes_out_and_every_state_comes_home_signed(town: Town) -> None:
    """The main job, in one breath."""
    async with town.running("G22") as office, town.running("H49") as province:
        answer = await office.node.submit(submission(["H49"], inline=[b"van ban"]))
        doc = DocId(bytes.fromhex(str(answer["doc"])))
        await until(office, doc, State.ARRIVED)
        for code in (Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED):
            await province.node.act(act(doc, code))
        await until(office, doc, State.COMPLETED)
        _, kept = await office.node.store.document(doc)
        said = [decode(each.signed.body) for each in kept if each.kind == "statement"]
        assert [each.code for each in said] == ["01", "03", "04", "05", "06"]
        assert {each.by for each in said} == {"H49"}
        assert office.node.metrics()["sends.delivered"] >= 1


async def test_content_too_large_to_travel_along_is_pulled_and_read_back(town: Town) -> None:
    """Bodies never block documents: chunks are fetched beside them, and *arrived* is said when all are here."""
    data = [bytes([i]) * limits.CHUNK_BYTES for i in range(3)] + [b"tail"]
    digests = tuple(sha256(each).digest() for each in data)
    file = make_file("lon.bin", "application/octet-stream", sum(map(len, data)), limits.CHUNK_BYTES, digests)
    async with town.running("G22") as office, town.running("H49") as province:
        for digest, each in zip(digests, data, strict=True):
            await office.node.keep_chunk(digest, each)
        answer = await office.node.submit(submission(["H49"], files=(file,)))
        doc = DocId(bytes.fromhex(str(answer["doc"])))
        await until(office, doc, State.ARRIVED)
        received = [piece async for piece in province.node.open_file(file)]
        assert b"".join(received) == b"".join(data)


async def test_a_node_that_was_away_gets_everything_once_when_it_returns(town: Town) -> None:
    """Patience by policy, and at most one effect: the queue is on disk, not in memory."""
    async with town.running("G22") as office:
        answers = [await office.node.submit(submission(["H49"], key=str(i))) for i in range(20)]
    docs = [DocId(bytes.fromhex(str(answer["doc"]))) for answer in answers]
    async with town.running("G22") as office, town.running("H49") as province:
        for doc in docs:
            await until(office, doc, State.ARRIVED)
        totals = await province.node.store.totals()
        assert totals.incoming == {State.ARRIVED: 20}
        again = await office.node.submit(submission(["H49"], key="3"))
        assert again == answers[3]


async def test_what_the_machine_refuses_reaches_whoever_asked(town: Town) -> None:
    """An error of the core is an answer like any other, with its own code."""
    async with town.running("G22") as office:
        with pytest.raises(TheirFault) as caught:
            await office.node.submit(submission(["Z99"]))
        assert caught.value.code == "party.unknown"
        with pytest.raises(TheirFault, match=r"content\.corrupt"):
            await office.node.keep_chunk(b"x" * 32, b"data")


async def test_a_stopping_node_takes_nothing_and_lets_go_of_whoever_waits(town: Town) -> None:
    """A graceful stop leaves nobody hanging."""
    async with town.running("G22") as office:
        waiting = asyncio.create_task(office.node.wait_changes(0, 10, 60_000))
        await asyncio.sleep(0)
        office.node.refuse_new()
        assert await waiting == []
        with pytest.raises(OurFault, match=r"node\.stopping"):
            await office.node.submit(submission(["H49"]))


async def test_strangers_to_a_document_learn_nothing_of_its_content(town: Town) -> None:
    """Content is for its recipients alone, and only as long as the document is not taken back."""
    data = b"x" * (limits.INLINE_BYTES_MAX + 1)
    digest = sha256(data).digest()
    file = make_file("a.bin", "application/octet-stream", len(data), limits.CHUNK_BYTES, (digest,))
    async with town.running("G22") as office:
        await office.node.keep_chunk(digest, data)
        answer = await office.node.submit(submission(["H49"], files=(file,)))
        doc = DocId(bytes.fromhex(str(answer["doc"])))
        assert await office.node.chunk(PartyId("H49"), doc, digest)
        for peer, asked in (("H54", digest), ("H49", b"y" * 32)):
            with pytest.raises(DocaxisError):
                await office.node.chunk(PartyId(peer), doc, asked)


async def test_the_status_says_what_an_operator_wants_to_know(town: Town) -> None:
    """How the node is, without a look into files."""
    async with town.running("G22") as office:
        await office.node.submit(submission(["H49"]))

        async def peer_is_down() -> bool:
            status = await office.node.status()
            peers = status["peers"]
            assert isinstance(peers, list)
            return any(peer["peer"] == "H49" and peer["fails"] for peer in peers)

        await eventually(peer_is_down)
        status = await office.node.status()
        assert status["state"] == "serving"
        assert status["directory"]["freshness"] == "fresh"  # type: ignore[index]
        assert status["totals"]["queued"] == 1  # type: ignore[index]
        [peer] = [each for each in status["peers"] if each["peer"] == "H49"]  # type: ignore[attr-defined]
        assert (peer["queued"], peer["lanes"]) == (1, {"normal": 1})
        assert int(str(status["rss_bytes"])) > 0
