"""Real processes switched off at any moment: nothing acknowledged is lost, nothing is doubled, no hand is needed.

Every test ends with an audit of both databases: counts of rows and of signatures that verify.
"""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from docaxis.cli.connect import client_of
from docaxis.client.files import Attachment
from docaxis.core.errors import DocaxisError
from docaxis.core.ids import PartyId
from docaxis.core.lifecycle import State
from docaxis.testing.audit import Findings, audit
from docaxis.testing.ground import Agency, Ground, make_ground
from docaxis.testing.processes import HostProcess

PATIENCE_S = 60
SENDER, RECEIVER = "G22", "H49"


class Pair:
    """A sender and a receiver, each in a process of its own, that can be switched off and on."""

    def __init__(self, folder: Path) -> None:
        self.ground: Ground = make_ground(
            folder, {code: Agency(code, code, code, "test") for code in (SENDER, RECEIVER)}
        )
        self.hosts = {
            code: HostProcess([self.ground.nodes[code]], folder / f"{code}.log") for code in (SENDER, RECEIVER)
        }
        self.acknowledged: set[str] = set()
        self.news = asyncio.Condition()

    async def submit(self, number: int) -> None:
        """Hands in one document, with the same key until the node has acknowledged it."""
        data = number.to_bytes(4, "big") * 64
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    async with client_of(self.ground.nodes[SENDER]) as client:
                        sent = await client.send(
                            [RECEIVER], files=[Attachment(data, f"{number}.bin")], key=f"key-{number}"
                        )
                except DocaxisError as error:
                    if error.code not in ("node.unreachable", "node.stopping", "node.busy"):
                        raise
                    await asyncio.sleep(0.05)
                else:
                    async with self.news:
                        self.acknowledged.add(sent.doc)
                        self.news.notify_all()
                    return

    async def acknowledges(self, documents: int) -> None:
        """Returns when so many documents have been acknowledged."""
        async with asyncio.timeout(PATIENCE_S), self.news:
            await self.news.wait_for(lambda: len(self.acknowledged) >= documents)

    async def delivered(self) -> None:
        """Returns when the sender's outbox says that nothing is on its way any more."""
        async with asyncio.timeout(PATIENCE_S), client_of(self.ground.nodes[SENDER]) as client:
            while [row async for row in client.outbox(State.SENT)]:  # noqa: ASYNC110 - it happens in other processes
                await asyncio.sleep(0.1)

    async def count(self) -> Findings:
        """Stops both, and counts from their databases."""
        for host in self.hosts.values():
            await host.stop()
        async with AsyncExitStack() as stack:
            stores = {
                PartyId(code): await stack.enter_async_context(self.ground.store(code)) for code in (SENDER, RECEIVER)
            }
            return await audit(stores, self.ground.book())


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """Two running nodes; whatever still runs at the end is ended."""
    made = Pair(tmp_path)
    for host in made.hosts.values():
        await host.start()
    yield made
    for host in made.hosts.values():
        await host.kill()


def assert_nothing_lost_or_doubled(pair: Pair, findings: Findings, documents: int) -> None:
    """What the promises say, in numbers."""
    assert findings.documents == documents == len(pair.acknowledged)
    assert findings.by_state == {"arrived": documents}
    assert (findings.lost, findings.duplicated, findings.false) == (0, 0, 0)
    assert findings.receipts_verified == documents


@pytest.mark.parametrize("victim", [SENDER, RECEIVER])
async def test_a_node_killed_again_and_again_loses_and_doubles_nothing(pair: Pair, victim: str) -> None:
    """SIGKILL in the middle of work, as soon as a few more of the documents handed in were acknowledged."""
    waves, wave = 5, 12
    for number in range(waves):
        handing_in = asyncio.create_task(_hand_in(pair, wave, number * wave))
        await pair.acknowledges(number * wave + 2 * number)
        await pair.hosts[victim].kill()
        await pair.hosts[victim].start()
        await handing_in
    documents = waves * wave
    await pair.delivered()
    assert_nothing_lost_or_doubled(pair, await pair.count(), documents)


@pytest.mark.parametrize("victim", [SENDER, RECEIVER])
async def test_a_node_killed_between_any_two_effects_loses_and_doubles_nothing(pair: Pair, victim: str) -> None:
    """The process ends itself at a seam: handled, committing, committed, between two acts, before it tells."""
    host = pair.hosts[victim]
    documents = 0
    for seam in (4, 7, 10, 13, 17):
        await host.stop()
        host.die_at = seam
        await host.launch()
        death = asyncio.create_task(host.died())
        handed_in = []
        while not death.done():
            handed_in.append(asyncio.create_task(pair.submit(documents)))
            documents += 1
            await asyncio.wait((death, handed_in[-1]), timeout=1, return_when=asyncio.FIRST_COMPLETED)
        assert death.result() == -signal.SIGKILL
        host.die_at = 0
        await host.start()
        await asyncio.gather(*handed_in)
    await pair.delivered()
    assert_nothing_lost_or_doubled(pair, await pair.count(), documents)


async def _hand_in(pair: Pair, documents: int, first: int = 0) -> None:
    await asyncio.gather(*(pair.submit(first + number) for number in range(documents)))
