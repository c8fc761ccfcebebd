"""Real processes switched off at any moment: nothing acknowledged is lost, nothing is doubled, no hand is needed.

Every test ends with an audit of both databases: counts of rows and of signatures that verify.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from docaxis.cli.connect import client_of
from docaxis.client import Client
from docaxis.client.files import Attachment
from docaxis.core.errors import DocaxisError, OurFault
from docaxis.core.lifecycle import Code, State
from docaxis.core.limits import INLINE_BYTES_MAX, KIB
from docaxis.runtime.perform import SEAMS
from docaxis.testing.audit import Findings
from docaxis.testing.ground import Agency, Ground, make_ground
from docaxis.testing.host import DieAt
from docaxis.testing.processes import HostProcess

PATIENCE_S = 60
SENDER, RECEIVER = "G22", "H49"
DOWN = frozenset({"node.unreachable", "node.stopping", "node.busy"})
LARGE_BYTES = INLINE_BYTES_MAX + 40 * KIB
TIMES = (2, 6)
STEPS = (Code.RECEIVED, Code.COMPLETED)

T = TypeVar("T")


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

    async def ask(self, code: str, act: Callable[[Client], Awaitable[T]], passing: frozenset[str] = DOWN) -> T:
        """What the node answers, asked again while it is down or says one of the `passing` codes."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    async with client_of(self.ground.nodes[code]) as client:
                        return await act(client)
                except DocaxisError as error:
                    if error.code not in passing:
                        raise
                    await asyncio.sleep(0.05)

    async def submit(self, number: int, size: int = 256) -> str:
        """Hands in one document, with the same key until the node has acknowledged it; its id."""
        data = (number.to_bytes(4, "big") * size)[:size]
        files = [Attachment(data, f"{number}.bin")]
        sent = await self.ask(SENDER, lambda client: client.send([RECEIVER], files=files, key=f"key-{number}"))
        async with self.news:
            self.acknowledged.add(sent.doc)
            self.news.notify_all()
        return sent.doc

    async def state(self, by: str, doc: str, code: Code) -> None:
        """One act of people, with the same key until there is an answer; what it is about may still be on its way."""
        on_its_way = DOWN | {"document.unknown", "lifecycle.not-allowed"}
        key = f"{code.value}-{doc}"
        await self.ask(by, lambda client: client.state(doc, code, text="lý do", key=key), on_its_way)

    async def reaches(self, doc: str, state: State) -> None:
        """Returns when the sender sees that state."""
        async with asyncio.timeout(PATIENCE_S), client_of(self.ground.nodes[SENDER]) as client:
            while (await client.document(doc)).transmissions[0].state is not state:  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.05)

    async def acknowledges(self, documents: int) -> None:
        """Returns when so many documents have been acknowledged."""
        async with asyncio.timeout(PATIENCE_S), self.news:
            await self.news.wait_for(lambda: len(self.acknowledged) >= documents)

    async def delivered(self) -> None:
        """Returns when the sender's outbox says that nothing is on its way any more."""
        async with asyncio.timeout(PATIENCE_S), client_of(self.ground.nodes[SENDER]) as client:
            for state in (State.SENT, State.HELD):
                while [row async for row in client.outbox(state)]:  # noqa: ASYNC110 - it happens in other processes
                    await asyncio.sleep(0.05)

    async def count(self) -> Findings:
        """Stops both, and counts from their databases."""
        await asyncio.gather(*(host.stop() for host in self.hosts.values()))
        return await self.ground.findings()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """Two running nodes; whatever still runs at the end is ended."""
    made = Pair(tmp_path)
    await asyncio.gather(*(host.start() for host in made.hosts.values()))
    yield made
    for host in made.hosts.values():
        await host.kill()


def assert_nothing_lost_or_doubled(
    pair: Pair, findings: Findings, documents: int, others: Mapping[str, int] | None = None
) -> None:
    """What the promises say, in numbers; all documents have arrived but those that went further, by state."""
    others = others or {}
    assert findings.documents == documents == len(pair.acknowledged)
    assert findings.by_state == {"arrived": documents - sum(others.values()), **others}
    assert (findings.lost, findings.duplicated, findings.false, findings.unproven) == (0, 0, 0, 0)
    assert findings.receipts_verified == findings.deliveries == documents


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


class Traffic:
    """Everything that two agencies do with each other, handed in while one of them dies: letters, one whose file is
    pulled in chunks at every death, one letter taken to its end, and one recalled and given back."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self.documents = 0
        self.advanced = ""
        self.recalled = ""

    async def letter(self, size: int = 256) -> str:
        """One more document."""
        self.documents += 1
        return await self._pair.submit(self.documents, size)

    async def begin(self) -> None:
        """What is acted on later has arrived."""
        self.advanced, self.recalled = await self.letter(), await self.letter()
        await self._pair.delivered()

    def around_death(self, n: int) -> list[Awaitable[object]]:
        """What is asked for around the nth death."""
        pair, step, back = self._pair, STEPS[n], (Code.RECALL, Code.AGREE)[n]
        return [
            self.letter(LARGE_BYTES),
            pair.state(RECEIVER, self.advanced, step),
            pair.state((SENDER, RECEIVER)[n], self.recalled, back),
        ]


@pytest.mark.parametrize("victim", [SENDER, RECEIVER])
@pytest.mark.parametrize("seam", SEAMS)
async def test_a_node_killed_between_any_two_effects_loses_and_doubles_nothing(
    pair: Pair, victim: str, seam: str
) -> None:
    """The process ends itself at the seam: soon after its start, when it resumes what was open, and in full work."""
    host, traffic = pair.hosts[victim], Traffic(pair)
    await traffic.begin()
    for n, times in enumerate(TIMES):
        await host.stop()
        host.die_at = f"{seam}:{times}"
        await host.launch()
        death = asyncio.create_task(host.died())
        asked = [asyncio.ensure_future(each) for each in traffic.around_death(n)]
        while not death.done():
            asked.append(asyncio.create_task(traffic.letter()))
            await asyncio.wait((death,), timeout=0.1)
        assert death.result() == -signal.SIGKILL
        host.die_at = ""
        await host.start()
        await asyncio.gather(*asked)
    await pair.delivered()
    await pair.reaches(traffic.advanced, State.COMPLETED)
    await pair.reaches(traffic.recalled, State.RECOVERED)
    others = {"completed": 1, "recovered": 1}
    assert_nothing_lost_or_doubled(pair, await pair.count(), traffic.documents, others)


@pytest.mark.parametrize("where", ["then", "then:0", "then:x", "lunch:1", "3"])
def test_a_seam_that_does_not_exist_is_no_place_to_die(where: str) -> None:
    """Else a test with a misspelt seam would wait for a death that never comes."""
    with pytest.raises(OurFault, match="then:3"):
        DieAt(where)


async def _hand_in(pair: Pair, documents: int, first: int = 0) -> None:
    await asyncio.gather(*(pair.submit(first + number) for number in range(documents)))
