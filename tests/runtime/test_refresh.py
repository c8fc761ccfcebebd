"""The directory is kept fresh in the background: at intervals, early when there is news, and never at any price."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from io import StringIO

import pytest

from docaxis.core.addresses import Book
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.limits import DAY_MS
from docaxis.directory.revocations import Judged
from docaxis.runtime.clock import SettableClock
from docaxis.runtime.entropy import SystemEntropy
from docaxis.runtime.log import Log
from docaxis.runtime.metrics import Metrics
from docaxis.runtime.refresh import STRANGER_PAUSE_MS, Refresher
from tests.runtime.town import eventually


def edition(version: int, verified_ms: int) -> Book:
    """A book with nothing in it but its number."""
    return Book(lambda _: None, {}, version, verified_ms, {})


class Shelf:
    """A directory that finds what the test has laid there: a book, nothing, or an error."""

    def __init__(self) -> None:
        self.book = edition(1, 0)
        self.next: list[Book | TheirFault] = []
        self.heard: list[Book | OurFault] = []
        self.asked = 0

    async def refresh(self, now_ms: int) -> Book | None:
        """The next thing on the shelf."""
        self.asked += 1
        found = self.next.pop(0) if self.next else None
        if isinstance(found, TheirFault):
            raise found
        self.book = found or self.book
        return found

    async def gather(self) -> None:
        """What was revoked since, if the test says so."""
        found = self.heard.pop(0) if self.heard else self.book
        if isinstance(found, OurFault):
            raise found
        self.book = found

    async def revoke(self, raw: bytes) -> Judged:
        """Not asked here."""
        return Judged((), 0, ())

    def file(self, name: str) -> bytes | None:
        """Not asked here."""
        return None

    def proofs(self, parties: Sequence[PartyId]) -> Sequence[bytes]:
        """Not asked here."""
        return []


class Desk:
    """A refresher, its shelf, and what it told."""

    def __init__(self, interval_ms: int = DAY_MS) -> None:
        self.shelf = Shelf()
        self.clock = SettableClock(10 * DAY_MS)
        self.text = StringIO()
        self.adopted: list[int] = []
        log = Log(self.text, "debug", "logfmt", self.clock.now_ms, {})
        self.refresher = Refresher(
            self.shelf, interval_ms, self.clock, SystemEntropy(), log, Metrics(), self.adopt, pause_ms=0
        )

    async def adopt(self, book: Book) -> None:
        """Told of a new book."""
        self.adopted.append(book.version)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """In the background, as in a node."""
        task = asyncio.create_task(self.refresher.run())
        await self.refresher.first(5_000)
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def asked(self, times: int) -> None:
        """Waits until the shelf was asked so often."""

        async def enough() -> bool:
            return self.shelf.asked >= times

        await eventually(enough)


@pytest.fixture
async def desk() -> Desk:
    """A fresh desk."""
    return Desk()


async def test_a_newer_book_is_told_once_and_the_same_one_never(desk: Desk) -> None:
    """Whoever adopts a book rebuilds what rests on it."""
    desk.shelf.next = [edition(2, 5)]
    async with desk.running():
        assert desk.adopted == [2]
        desk.refresher.saw(3)
        await desk.asked(2)
    assert desk.adopted == [2]


async def test_a_peer_with_a_newer_version_is_a_reason_to_ask_now(desk: Desk) -> None:
    """News of a revocation must not wait for the interval; boasting of an old version moves nobody."""
    async with desk.running():
        desk.refresher.saw(1)
        await asyncio.sleep(0.02)
        assert desk.shelf.asked == 1
        desk.refresher.saw(2)
        await desk.asked(2)


async def test_strangers_are_a_reason_only_once_in_a_while(desk: Desk) -> None:
    """A newcomer should not wait an hour; and a crowd at the door must not keep the node asking."""
    async with desk.running():
        desk.refresher.met_stranger()
        await asyncio.sleep(0.02)
        assert desk.shelf.asked == 1
        desk.clock.advance(STRANGER_PAUSE_MS)
        desk.refresher.met_stranger()
        await desk.asked(2)


async def test_a_failure_is_noted_and_the_node_goes_on_with_what_it_has(desk: Desk) -> None:
    """The directory survives its publisher; the older it grows, the louder it is said."""
    desk.shelf.next = [TheirFault("peer.unreachable", "nobody there")]
    async with desk.running():
        assert desk.refresher.failure == "peer.unreachable: nobody there"
        assert desk.refresher.last_ms == 0
    assert "level=warning event=directory.not-refreshed" in desk.text.getvalue()
    assert desk.shelf.book.version == 1


async def test_a_revocation_is_adopted_though_no_source_gave_a_directory(desk: Desk) -> None:
    """The publisher may be gone, or hide it; one honest peer is enough."""
    desk.shelf.next = [TheirFault("peer.unreachable", "nobody there")]
    desk.shelf.heard = [edition(9, 0)]
    async with desk.running():

        async def told() -> bool:
            return desk.adopted == [9]

        await eventually(told)


async def test_a_disk_that_fails_ends_no_refreshing(desk: Desk) -> None:
    """What could not be kept still counts, and is kept another time."""
    desk.shelf.heard = [OurFault("node.disk-full", "no room")]
    async with desk.running():
        desk.refresher.saw(2)
        await desk.asked(2)
    assert "event=directory.not-kept" in desk.text.getvalue()


async def test_the_interval_brings_the_next_one_by_itself() -> None:
    """Nobody has to ask."""
    desk = Desk(interval_ms=1)
    async with desk.running():
        await desk.asked(3)
