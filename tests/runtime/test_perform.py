"""The loop keeps its order: durable, then, tell, whatever the disk does in between.

The machine here is a script (an event leads to exactly one op, one act and one line, all named after it), because what
is tested is the order around it; the store is a list whose commits return when the test says so.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from docaxis.core import limits
from docaxis.core.effects import Answer, Counted, DropContent, Effects, Op, Tell, Then
from docaxis.core.errors import OurFault
from docaxis.core.events import DueLoaded, Event, Submission, Submitted, Woke
from docaxis.core.ids import DocId
from docaxis.core.wanted import Found, Wanted
from docaxis.runtime.clock import SettableClock
from docaxis.runtime.entropy import SystemEntropy
from docaxis.runtime.perform import ROUNDS_OPEN_MAX, Performer


def submitted(ticket: int) -> Submitted:
    """One document handed in."""
    return Submitted((Submission(ticket, "", b"", ("H49",), "new", None, 0, 0, {}, (), ()),))


def tickets(event: Event) -> list[int]:
    """What an event is known by in these tests."""
    return [each.ticket for each in event.submissions] if isinstance(event, Submitted) else [0]


class Script:
    """A machine that wants the obvious: keep the ticket, answer it, count it."""

    def __init__(self) -> None:
        self.handled: list[list[int]] = []
        self.through = 0
        self.absorbed = 0
        self.entropies: set[bytes] = set()

    def wanted(self, events: Sequence[Event]) -> Wanted:
        """Asks for a request by key whenever something was handed in."""
        return Wanted(requests=tuple(str(ticket) for event in events for ticket in tickets(event) if ticket))

    def absorb(self, found: Found) -> None:
        """Counts."""
        self.absorbed += 1

    def handle(self, event: Event, now_ms: int, entropy: bytes) -> Effects:
        """One op, one act and one line for each ticket; a timer keeps nothing."""
        named = tickets(event)
        self.handled.append(named)
        self.entropies.add(entropy)
        durable: list[Op] = [DropContent(DocId(bytes([ticket]))) for ticket in named if ticket]
        return Effects(durable, [Answer(ticket, {}) for ticket in named], [Counted(str(t)) for t in named])

    def committed(self, through: int) -> None:
        """Never fewer than before."""
        assert through > self.through
        self.through = through


class Disk:
    """A store whose commits return one by one, when `turn` is called."""

    def __init__(self, story: list[str]) -> None:
        self.story = story
        self.turns: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.begun = 0

    async def commit(self, ops: Sequence[Op]) -> None:
        """Writes down what was kept, once it may."""
        self.begun += 1
        failure = await self.turns.get()
        if failure is not None:
            raise failure
        self.story += [f"kept {op.doc[0]}" for op in ops if isinstance(op, DropContent)]

    async def find(self, wanted: Wanted) -> Found:
        """Nothing is known."""
        return Found({}, {}, frozenset(), {}, {})

    def turn(self, failure: Exception | None = None) -> None:
        """Lets one commit return, or fail."""
        self.turns.put_nowait(failure)


class Diary:
    """Hands that write down what they would do."""

    def __init__(self, story: list[str]) -> None:
        self.story = story

    def do(self, effect: Then) -> None:
        """One line."""
        assert isinstance(effect, Answer)
        self.story.append(f"answered {effect.ticket}")

    def tell(self, effects: Sequence[Tell]) -> None:
        """One line each."""
        self.story += [f"told {effect.name}" for effect in effects if isinstance(effect, Counted)]


class Bench:
    """A performer between a script and a disk, and the story of what happened."""

    def __init__(self) -> None:
        self.story: list[str] = []
        self.machine, self.disk = Script(), Disk(self.story)
        self.seams: list[str] = []
        self.performer = Performer(
            self.machine, self.disk, Diary(self.story), SettableClock(1_000), SystemEntropy(), probe=self
        )

    def reached(self, seam: str) -> None:
        """The bench is its own probe."""
        self.seams.append(seam)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """The loop, until the test is done with it."""
        task = asyncio.create_task(self.performer.run())
        yield task
        task.cancel()
        with suppress(asyncio.CancelledError, BaseExceptionGroup):
            await task

    async def quiet(self) -> None:
        """Lets every task do what it can do without the disk."""
        for _ in range(50):
            await asyncio.sleep(0)


@pytest.fixture
async def bench() -> Bench:
    """A fresh bench."""
    return Bench()


async def test_nothing_leaves_before_it_is_kept(bench: Bench) -> None:
    """Rule one of the house."""
    async with bench.running():
        bench.performer.push(submitted(1))
        await bench.quiet()
        assert bench.story == []
        bench.disk.turn()
        await bench.performer.settled()
    assert bench.story == ["kept 1", "answered 1", "told 1"]
    assert bench.seams == ["handled", "commit", "committed", "then", "tell"]


async def test_what_needs_no_keeping_waits_for_what_came_before(bench: Bench) -> None:
    """An effect may rest on anything the machine decided earlier, also on what is not on disk yet."""
    async with bench.running():
        bench.performer.push(submitted(1))
        await bench.quiet()
        bench.performer.push(Woke())
        await bench.quiet()
        assert bench.machine.handled == [[1], [0]]
        assert bench.story == []
        bench.disk.turn()
        await bench.performer.settled()
    assert bench.story == ["kept 1", "answered 1", "told 1", "answered 0", "told 0"]
    assert bench.machine.through == 2


async def test_rounds_are_released_in_order_and_grow_while_the_disk_is_busy(bench: Bench) -> None:
    """While commits are under way, what arrives becomes one round with one signature: natural batching."""
    async with bench.running():
        for ticket in range(1, ROUNDS_OPEN_MAX + 1):
            bench.performer.push(submitted(ticket))
            await bench.quiet()
        for ticket in (7, 8, 9):
            bench.performer.push(submitted(ticket))
        await bench.quiet()
        assert bench.disk.begun == 1
        assert bench.performer.waiting == 3
        for _ in range(ROUNDS_OPEN_MAX + 1):
            bench.disk.turn()
        await bench.performer.settled()
    assert bench.machine.handled == [[1], [2], [7, 8, 9]]
    assert [line for line in bench.story if line.startswith("kept")] == [f"kept {t}" for t in (1, 2, 7, 8, 9)]
    assert len(bench.machine.entropies) == 3
    assert bench.machine.absorbed == 3


async def test_only_neighbours_are_joined(bench: Bench) -> None:
    """The order in which things happened is never changed for a signature."""
    for event in (submitted(1), submitted(2), DueLoaded((), False), submitted(3)):
        bench.performer.push(event)
    async with bench.running():
        bench.disk.turn()
        await bench.performer.settled()
    assert bench.machine.handled == [[1, 2], [0], [3]]


async def test_a_failed_commit_ends_the_loop_and_nothing_of_it_or_after_it_leaves(bench: Bench) -> None:
    """What the machine believes is no longer true; only the store knows what is."""
    async with bench.running() as task:
        bench.performer.push(submitted(1))
        await bench.quiet()
        bench.performer.push(submitted(2))
        await bench.quiet()
        bench.disk.turn(OurFault("node.disk-full", "no room"))
        bench.disk.turn()  # a second commit would succeed, and must not even be tried: it rests on the first
        with pytest.raises(BaseExceptionGroup) as caught:
            await task
    assert caught.group_contains(OurFault, match="node.disk-full")
    assert bench.story == []
    assert bench.disk.begun == 1


async def test_a_full_inbox_says_so_but_takes_what_the_node_itself_reports(bench: Bench) -> None:
    """Backpressure is for those outside; a report of our own that were dropped would be a wait for ever."""
    for ticket in range(limits.INBOX_EVENTS_MAX):
        bench.performer.offer(submitted(ticket % 250 + 1))
    with pytest.raises(OurFault, match=r"node\.busy"):
        bench.performer.offer(submitted(1))
    bench.performer.push(Woke())
    assert bench.performer.waiting == limits.INBOX_EVENTS_MAX + 1
