"""Performing: event → machine → durable, then, tell; in that order, whatever happens in between.

The loop is dull on purpose. It asks the machine what it wants to know, reads that, lets the machine handle what waits,
commits, and releases what the machine wants done only when that commit and all before it have returned. It decides
nothing about documents, and how an effect is carried out is the business of its `Hands`.

A failed commit ends `Performer.run` with the store's error: what the machine then believes is no longer true, so a new
one has to be built from the store. Nothing that was not durable has left.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, Final, NamedTuple, Protocol

from docaxis.core import limits
from docaxis.core.effects import Effects, Op, Tell, Then
from docaxis.core.errors import OurFault
from docaxis.core.events import Acted, Event, Inbound, Submitted
from docaxis.core.wanted import Found, Wanted
from docaxis.runtime.clock import Clock
from docaxis.runtime.entropy import Entropy

ENTROPY_BYTES: Final = 32
ROUND_ITEMS_MAX: Final = 256
"""Documents, statements and other events that are handled together and share a commit."""
SEAMS: Final = ("handled", "commit", "committed", "then", "tell")
"""Where a probe is told that the loop is: a round is handled, its commit begins, has returned; before each act, and
before people are told."""
ROUNDS_OPEN_MAX: Final = 2
"""Rounds that were handled and are not yet kept: one being written, one ready behind it. What arrives meanwhile is the
next round, so that batches grow by themselves when there is much to do and nobody waits when there is little.

Only one commit is ever under way: a later one rests on what the machine believed of the earlier one, and must not be
kept if that one fails."""


class Decider(Protocol):
    """The machine, as the loop sees it."""

    def wanted(self, events: Sequence[Event]) -> Wanted:
        """What must be loaded before these events are handled."""
        ...

    def absorb(self, found: Found) -> None:
        """Takes in what of it exists."""
        ...

    def handle(self, event: Event, now_ms: int, entropy: bytes) -> Effects:
        """Decides."""
        ...

    def committed(self, through: int) -> None:
        """The durable parts of so many handled events, counted from the first, are on disk."""
        ...


class Keeper(Protocol):
    """The part of a store that the loop needs; see `docaxis.store.base.Store`."""

    def commit(self, ops: Sequence[Op]) -> Coroutine[Any, Any, None]:
        """All or nothing, durable on return."""
        ...

    async def find(self, wanted: Wanted) -> Found:
        """What exists."""
        ...


class Hands(Protocol):
    """Whoever carries out what may be done once its cause is durable. Neither method waits for anything."""

    def do(self, effect: Then) -> None:
        """Starts one act."""
        ...

    def tell(self, effects: Sequence[Tell]) -> None:
        """Tells people and counters."""
        ...


class Probe(Protocol):
    """Watches the seams between effects, so that a test can end the process at any of them."""

    def reached(self, seam: str) -> None:
        """The loop is at `seam`, one of `SEAMS`."""
        ...


class Blind:
    """The probe of everyday life: it watches nothing."""

    def reached(self, seam: str) -> None:
        """Nothing."""


class _Round(NamedTuple):
    """What a few events led to: what is to be kept, and what waits for that. `through` counts handled events."""

    ops: list[Op]
    through: int
    then: list[Then]
    tell: list[Tell]


class Performer:
    """One machine's loop, for one life of that machine."""

    def __init__(
        self, machine: Decider, store: Keeper, hands: Hands, clock: Clock, entropy: Entropy, probe: Probe | None = None
    ) -> None:
        self._machine = machine
        self._store = store
        self._hands = hands
        self._clock = clock
        self._entropy = entropy
        self._probe = probe or Blind()
        self._inbox: deque[Event] = deque()
        self._news = asyncio.Event()
        self._open: asyncio.Queue[_Round] = asyncio.Queue()
        self._room = asyncio.Semaphore(ROUNDS_OPEN_MAX)
        self._handled = 0
        self._pending = 0
        self._still = asyncio.Event()
        self._still.set()

    @property
    def waiting(self) -> int:
        """Events in the inbox."""
        return len(self._inbox)

    def offer(self, event: Event) -> None:
        """Puts what comes from outside into the inbox; raises `OurFault` ``node.busy`` where that is full."""
        if len(self._inbox) >= limits.INBOX_EVENTS_MAX:
            raise OurFault("node.busy", f"{len(self._inbox)} events are waiting")
        self.push(event)

    def push(self, event: Event) -> None:
        """Puts in what the node itself has to report; there is always room, as the machine bounds what it asks for."""
        self._inbox.append(event)
        self._pending += 1
        self._still.clear()
        self._news.set()

    async def settled(self) -> None:
        """Returns when nothing waits, nothing is being kept and everything was released."""
        await self._still.wait()

    async def run(self) -> None:
        """Runs until cancelled, or until a commit fails; a group with that error is raised then."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_in_order(group))
            while True:
                await self._room.acquire()
                await self._news.wait()
                taken, events = self._take()
                await self._handle(taken, events)

    def _take(self) -> tuple[int, list[Event]]:
        """What waits, up to a round's measure: how many were taken from the inbox, and as what they are handled."""
        events: list[Event] = []
        taken = items = 0
        while self._inbox and items < ROUND_ITEMS_MAX:
            event = self._inbox.popleft()
            taken += 1
            items += _items(event)
            _join(events, event)
        if not self._inbox:
            self._news.clear()
        return taken, events

    async def _handle(self, taken: int, events: list[Event]) -> None:
        wanted = self._machine.wanted(events)
        if any(wanted):
            self._machine.absorb(await self._store.find(wanted))
        now_ms = self._clock.now_ms()
        ops: list[Op] = []
        then: list[Then] = []
        tell: list[Tell] = []
        for event in events:
            effects = self._machine.handle(event, now_ms, self._entropy.take(ENTROPY_BYTES))
            ops += effects.durable
            then += effects.then
            tell += effects.tell
        self._handled += len(events)
        self._pending += 1 - taken
        self._probe.reached("handled")
        self._open.put_nowait(_Round(ops, self._handled, then, tell))

    async def _keep_in_order(self, group: asyncio.TaskGroup) -> None:
        """Commits round after round; the next commit is on its way before what the last one allows is released."""
        following: _Round | None = None
        commit: asyncio.Task[None] | None = None
        while True:
            if following is None:
                following = await self._open.get()
                commit = self._commit(group, following)
            current = following
            if commit is not None:
                await commit
                self._probe.reached("committed")
            self._room.release()
            following = None if self._open.empty() else self._open.get_nowait()
            commit = None if following is None else self._commit(group, following)
            self._release(current)

    def _commit(self, group: asyncio.TaskGroup, each: _Round) -> asyncio.Task[None] | None:
        if not each.ops:
            return None
        self._probe.reached("commit")
        return group.create_task(self._store.commit(each.ops))

    def _release(self, done: _Round) -> None:
        self._machine.committed(done.through)
        for effect in done.then:
            self._probe.reached("then")
            self._hands.do(effect)
        self._probe.reached("tell")
        self._hands.tell(done.tell)
        self._pending -= 1
        if not self._pending:
            self._still.set()


def _items(event: Event) -> int:
    """How much of a round's measure an event takes."""
    return max(1, len(event.batch.items)) if isinstance(event, Inbound) else 1


def _join(events: list[Event], event: Event) -> None:
    """Appends an event; neighbours that are signed together become one."""
    last = events[-1] if events else None
    if isinstance(event, Submitted) and isinstance(last, Submitted):
        events[-1] = Submitted(last.submissions + event.submissions)
    elif isinstance(event, Acted) and isinstance(last, Acted):
        events[-1] = Acted(last.acts + event.acts)
    else:
        events.append(event)
