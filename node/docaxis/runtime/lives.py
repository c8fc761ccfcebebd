"""Lives: one machine after the other, each built from what is on disk, for as long as it is the store that fails.

A *life* is one machine between a start and a failure of the store. When a commit fails, everybody who waits is told,
the machine is thrown away and a new one is built: recovery is the same road as starting. Any other error is a mistake
of ours and goes through, so that the node ends visibly. Requests enter here; what they mean is none of this room's
business.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from docaxis.core.addresses import Book
from docaxis.core.errors import OurFault
from docaxis.core.events import Event, Started
from docaxis.core.ids import PartyId
from docaxis.core.limits import SECOND_MS
from docaxis.core.machine import Machine
from docaxis.core.policy import Policy
from docaxis.core.ports import Seal
from docaxis.runtime.clock import Clock
from docaxis.runtime.entropy import Entropy
from docaxis.runtime.hands import Courier, Front, NodeHands, Puller
from docaxis.runtime.perform import Performer, Probe
from docaxis.store.base import Life, Store

REBIRTH_DELAY_MS_MIN: Final = 250
REBIRTH_DELAY_MS_MAX: Final = 10 * SECOND_MS
"""How long a node waits before it builds a new machine after a failure of the store; doubled each time in a row."""
_STORE_FAULTS: Final = frozenset({"node.disk-full", "node.store"})

T = TypeVar("T")


class Needs(NamedTuple):
    """What every life is given anew; `book` and `saw_directory` reach the directory as it is then."""

    me: PartyId
    seal: Seal
    policy: Policy
    store: Store
    courier: Courier
    puller: Puller
    clock: Clock
    entropy: Entropy
    front: Front
    book: Callable[[], Book]
    saw_directory: Callable[[int], None]


class Lives:
    """The machine of the moment, or the reason why there is none."""

    def __init__(self, needs: Needs, probe: Probe | None) -> None:
        self._needs = needs
        self._probe = probe
        self._performer: Performer | None = None
        self._hands: NodeHands | None = None
        self._machine: Machine | None = None
        self._closed = OurFault("node.busy", "the node is starting")
        self.epoch = 0
        self.count = 0

    # --- requests ---

    @property
    def state(self) -> str:
        """``serving``, or the code with which requests are turned away."""
        return "serving" if self._performer is not None else self._closed.code

    @property
    def waiting(self) -> int:
        """Events that the machine has not handled yet."""
        return 0 if self._performer is None else self._performer.waiting

    def delivery(self) -> list[dict[str, object]]:
        """How delivery to each peer stands."""
        return [] if self._machine is None else self._machine.delivery()

    def require(self) -> Performer:
        """The loop that takes requests; raises `OurFault` where there is none at the moment."""
        if self._performer is None:
            raise OurFault(self._closed.code, self._closed.detail)
        return self._performer

    async def ask(self, event: Event, answer: "asyncio.Future[T]") -> T:
        """Puts a request into the inbox and waits for its answer; raises `OurFault` where it cannot be taken."""
        try:
            self.require().offer(event)
        except OurFault:
            answer.cancel()
            raise
        return await answer

    def report(self, event: Event) -> None:
        """What the node has to say by itself; without a machine nobody needs to know, as the next one starts anew."""
        if self._performer is not None:
            self._performer.push(event)

    # --- living ---

    async def settle(self) -> None:
        """Starts nothing new, and returns when what was begun is kept and answered."""
        if self._hands is not None:
            self._hands.rest()
        if self._performer is not None:
            await self._performer.settled()

    def end(self, why: OurFault) -> None:
        """Turns everybody away, from now on and whoever waits."""
        self._performer = None
        self._closed = why
        self._needs.front.turn_away(why)

    async def run(self, life: Life) -> None:
        """Lives until cancelled; raises what is not the store's fault."""
        clock = self._needs.clock
        delay_ms = REBIRTH_DELAY_MS_MIN
        while True:
            born_ms = clock.ticks_ms()
            failure = await self._live(life)
            if clock.ticks_ms() - born_ms > REBIRTH_DELAY_MS_MAX:
                delay_ms = REBIRTH_DELAY_MS_MIN
            life, delay_ms = await self._reborn(failure, delay_ms)

    async def _reborn(self, failure: OurFault, delay_ms: int) -> tuple[Life, int]:
        """Asks the store what is true, however long that takes; the new life, and the delay for the next time."""
        front = self._needs.front
        while True:
            self.end(failure)
            front.metrics.add("node.lives-ended")
            front.log.note("node.store-failed", "error", code=failure.code, detail=failure.detail, again_ms=delay_ms)
            await asyncio.sleep(delay_ms / 1000)
            delay_ms = min(2 * delay_ms, REBIRTH_DELAY_MS_MAX)
            try:
                return await self._what_is_kept(failure), delay_ms
            except OurFault as error:
                failure = error

    async def _what_is_kept(self, failure: OurFault) -> Life:
        """A full disk harms no reader, so the store stays open; after any other failure it is opened anew."""
        store = self._needs.store
        if failure.code == "node.disk-full":
            await store.commit(())  # commits return in order: whatever was begun has ended after this
            return await store.life()
        await store.close()
        return await store.open(self._needs.clock.now_ms())

    async def _live(self, life: Life) -> OurFault:
        """One life: returns what the store failed with, when it does."""
        try:
            async with asyncio.TaskGroup() as group:
                performer = self._born(life, group)
                try:
                    await performer.run()
                finally:
                    self._performer = None
                    assert self._hands is not None
                    self._hands.rest()
        except BaseExceptionGroup as errors:
            failure = store_failure(errors)
            if failure is None:
                raise
            return failure
        raise AssertionError("a loop ends only by an error")

    def _born(self, life: Life, group: asyncio.TaskGroup) -> Performer:
        needs = self._needs
        self.count += 1
        self.epoch = life.epoch
        self._machine = Machine(needs.me, needs.seal, needs.book(), needs.policy)
        self._hands = NodeHands(
            needs.front,
            needs.store,
            needs.courier,
            needs.puller,
            needs.clock,
            group.create_task,
            self.report,
            needs.saw_directory,
        )
        performer = Performer(self._machine, needs.store, self._hands, needs.clock, needs.entropy, self._probe)
        performer.push(Started(*life))
        self._performer = performer
        return performer


def store_failure(errors: BaseExceptionGroup[BaseException]) -> OurFault | None:
    """The store's error, where nothing else is in the group; None where a mistake of ours is."""
    first: OurFault | None = None
    for error in errors.exceptions:
        inner = store_failure(error) if isinstance(error, BaseExceptionGroup) else error
        if not isinstance(inner, OurFault) or inner.code not in _STORE_FAULTS:
            return None
        first = first or inner
    return first
