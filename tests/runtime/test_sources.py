"""The directory's files come from folders, from the web and from peers, whoever answers first with something sound."""

import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from docaxis.core.errors import DocaxisError, TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.limits import SECOND_MS
from docaxis.directory.repository import Repository
from docaxis.runtime.entropy import SystemEntropy
from docaxis.runtime.sources import NodeDirectory, PeerFetch
from tests.runtime.town import HOST, Town


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session that is closed at the end."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def mirror(town: Town) -> AsyncIterator[str]:
    """A plain web server over the published folder, as anybody could run one."""
    app = web.Application()
    app.router.add_static("/", town.ceremony.public)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    yield f"http://{HOST}:{runner.addresses[0][1]}"
    await runner.cleanup()


def directory(
    town: Town, session: aiohttp.ClientSession, *sources: str, from_peer: PeerFetch | None = None
) -> NodeDirectory:
    """The directory of H49, which knows nothing yet."""
    repository = Repository(town.place / "cache", town.ceremony.root)
    context = ssl.create_default_context()
    return NodeDirectory(repository, PartyId("H49"), sources, from_peer, lambda: session, context, SystemEntropy())


async def test_before_the_first_directory_nobody_is_known(town: Town, session: aiohttp.ClientSession) -> None:
    """An empty book is a book: the node runs, and delivers nothing yet."""
    book = directory(town, session).book
    assert (book.version, book.verified_ms, book.entry(PartyId("G22"))) == (0, 0, None)


async def test_the_second_source_serves_where_the_first_fails(
    town: Town, session: aiohttp.ClientSession, mirror: str
) -> None:
    """Mirrors come and go; what counts are signatures."""
    found = directory(town, session, "http://127.0.0.1:1/gone", f"{mirror}/nowhere", mirror)
    book = await found.refresh(town.now_ms)
    assert book is not None
    assert book.entry(PartyId("G22")) == town.entries["G22"]._replace(seq=book.entry(PartyId("G22")).seq)  # type: ignore[union-attr]
    assert found.file("timestamp.json") == (town.ceremony.public / "timestamp.json").read_bytes()
    assert found.file("../secret") is None


async def test_peers_are_asked_when_no_source_answers(town: Town, session: aiohttp.ClientSession) -> None:
    """The publisher may be gone for days: any node has the files, and none has to be trusted."""
    asked: list[Sequence[str]] = []

    async def from_peer(endpoints: Sequence[str], name: str, bytes_max: int) -> bytes:
        asked.append(endpoints)
        path = town.ceremony.public / name
        if not path.is_file():
            raise TheirFault("directory.not-found", name)
        return path.read_bytes()

    found = directory(town, session, town.ceremony.public.as_uri(), from_peer=from_peer)
    await found.refresh(town.now_ms)
    assert asked == []
    await found.gather()
    assert len(asked) == 1, "a peer that may know of a revocation, for one small file"
    asked.clear()
    again = NodeDirectory(
        found._repository, PartyId("H49"), [], from_peer, lambda: session, ssl.create_default_context(), SystemEntropy()
    )
    await again.refresh(town.now_ms + SECOND_MS)
    assert set(map(tuple, asked)) == {town.entries["G22"].endpoints}


async def test_without_any_source_the_answer_is_an_error(town: Town, session: aiohttp.ClientSession) -> None:
    """Nothing is believed for want of something better."""
    with pytest.raises(DocaxisError):
        await directory(town, session).refresh(town.now_ms)


async def test_an_endless_file_is_cut_off(town: Town, session: aiohttp.ClientSession) -> None:
    """A source may be anybody, and may send anything."""

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(bytes(65_536))
        except (ConnectionError, aiohttp.ClientError):
            return answer

    app = web.Application()
    app.router.add_get("/{name}", endless)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    with pytest.raises(TheirFault, match=r"codec\.too-long"):
        await directory(town, session, f"http://{HOST}:{runner.addresses[0][1]}").refresh(town.now_ms)
    await runner.cleanup()


async def test_proofs_are_made_of_the_files_in_hand(town: Town, session: aiohttp.ClientSession, tmp_path: Path) -> None:
    """Evidence needs no network either."""
    found = directory(town, session, town.ceremony.public.as_uri())
    await found.refresh(town.now_ms)
    (proof,) = found.proofs([PartyId("G22"), PartyId("H49")])
    assert len(proof) > 100
