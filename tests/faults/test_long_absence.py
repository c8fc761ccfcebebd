"""Real nodes through absences of days and weeks: a receiver that was off, and a directory whose publisher is gone.

The nodes' clock is moved on, everything else is as in an agency; the simulation plays the same on a simulated clock.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from docaxis.client import Client
from docaxis.client.files import Attachment
from docaxis.core.envelope import Priority
from docaxis.core.lifecycle import State
from docaxis.core.limits import DAY_MS, HOUR_MS, KIB
from docaxis.runtime.clock import SystemClock
from docaxis.testing import LocalAxis

PATIENCE_S = 30
LARGE = bytes(range(256)) * (300 * KIB // 256)


class Days:
    """An axis whose days are as long as the test wants them."""

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.axis = LocalAxis(["G22", "H49"], folder=folder, clock=self.clock)

    @property
    def office(self) -> Client:
        """The sender."""
        return self.axis["G22"].client

    def pass_by(self, by_ms: int) -> None:
        """So much time passes for every node at once."""
        self.clock.offset_ms += by_ms

    def publish(self) -> None:
        """The directory's publisher does its daily work."""
        self.axis.ground.ceremony.publish(self.clock.now_ms())

    async def refresh(self, *codes: str) -> None:
        """These nodes ask for a newer directory, as they do once an hour."""
        for code in codes:
            service = self.axis[code].service
            assert service is not None
            await service.node._refresher.once()

    async def letter(self, data: bytes = b"noi dung", priority: Priority = Priority.NORMAL) -> str:
        """One document from G22 to H49."""
        return (await self.office.send(["H49"], files=[Attachment(data, "a.pdf")], priority=priority)).doc

    async def reached(self, doc: str, state: State) -> None:
        """Returns when the sender sees that state."""
        async with asyncio.timeout(PATIENCE_S):
            async for change in self.office.changes(0):
                if change.doc == doc and change.state is state:
                    return

    async def directory(self, code: str) -> tuple[str, str]:
        """How fresh a node calls its directory, and what its last refresh failed with."""
        told = (await self.axis[code].client.status())["directory"]
        return told["freshness"], told["failure"].partition(":")[0]


@pytest.fixture
async def days(tmp_path: Path) -> AsyncIterator[Days]:
    """A running axis of G22 and H49."""
    made = Days(tmp_path / "axis")
    async with made.axis:
        yield made


async def clean(days: Days, transmissions: int) -> None:
    """Stops both nodes; the audit finds every document with its content and its receipt."""
    for node in days.axis.nodes.values():
        await node.stop()
    found = await days.axis.ground.findings()
    assert (found.transmissions, found.receipts_verified, found.deliveries) == (transmissions,) * 3
    assert (found.lost, found.duplicated, found.false, found.unproven) == (0, 0, 0, 0)


async def test_a_receiver_that_was_off_for_thirty_days_gets_everything_when_it_is_back(days: Days) -> None:
    """Retry is bounded by each document's own deadline, never by a count; the directory in its folder is a month old
    and is renewed by itself."""
    await days.axis["H49"].stop()
    sent = [await days.letter(), await days.letter(LARGE)]
    for _ in range(30):
        days.pass_by(DAY_MS)
        days.publish()
    await days.refresh("G22")
    sent.append(await days.letter(priority=Priority.EXPRESS))
    assert {row.doc async for row in days.office.outbox(State.SENT)} == set(sent)
    await days.axis["H49"].start()
    for doc in sent:
        await days.reached(doc, State.ARRIVED)
    assert await days.directory("H49") == ("fresh", "")
    await clean(days, len(sent))


async def test_delivery_goes_on_while_the_publisher_is_gone_and_the_status_says_how_long(days: Days) -> None:
    """A week without it is a warning in steps, not an outage."""
    assert await days.directory("G22") == ("fresh", "")
    for passed_ms, step in ((25 * HOUR_MS, "ageing"), (6 * DAY_MS, "stale"), (22 * DAY_MS, "stale")):
        days.pass_by(passed_ms)
        await days.refresh("G22", "H49")
        for code in ("G22", "H49"):
            assert await days.directory(code) == (step, "directory.expired")
        for data in (b"noi dung", LARGE + step.encode()):
            await days.reached(await days.letter(data), State.ARRIVED)
    assert "event=directory.not-refreshed" in days.axis["G22"].log.getvalue()
    await clean(days, 6)


async def test_after_a_month_without_the_publisher_documents_are_held_and_go_when_it_is_back(days: Days) -> None:
    """A directory that old may be a lie: what is handed in waits, durable, and nothing is lost."""
    days.pass_by(31 * DAY_MS)
    await days.refresh("G22", "H49")
    assert await days.directory("G22") == ("expired", "directory.expired")
    sent = [await days.letter(), await days.letter(LARGE)]
    assert await in_the_air(days) == 0
    days.publish()
    await days.refresh("H49")
    assert await in_the_air(days) == 0, "the receiver's fresh directory does not make the sender's fresh"
    assert {row.doc async for row in days.office.outbox(State.SENT)} == set(sent)
    await days.refresh("G22")
    for doc in sent:
        await days.reached(doc, State.ARRIVED)
    assert await days.directory("G22") == ("fresh", "")
    await clean(days, len(sent))


async def test_a_receiver_with_a_directory_a_month_old_keeps_what_comes_in_quarantine(days: Days) -> None:
    """It cannot know whether the sender's key still counts: it says *held*, and *arrived* once it knows."""
    days.pass_by(31 * DAY_MS)
    days.publish()
    await days.refresh("G22")
    doc = await days.letter()
    await days.reached(doc, State.HELD)
    inbox = [row.doc async for row in days.axis["H49"].client.inbox(State.ARRIVED)]
    assert inbox == []
    await days.refresh("H49")
    await days.reached(doc, State.ARRIVED)
    await clean(days, 1)


async def in_the_air(days: Days) -> int:
    """Requests of the sender that are under way, once it has decided about everything that it knows."""
    service = days.axis["G22"].service
    assert service is not None
    lives = service.node._lives
    assert lives._performer is not None
    await lives._performer.settled()
    return sum(int(str(queue["flights"])) for queue in lives.delivery())
