"""Hands: how each effect is carried out once its cause is durable.

One small act per kind of effect, each starting work in the node's task group or settling a ticket; whatever comes of it
returns to the machine as an event. No act here decides, waits or raises what the world can cause.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol, assert_never

from docaxis.core.effects import (
    Answer,
    Changed,
    Counted,
    Fetch,
    LoadDue,
    LoadQueue,
    Noted,
    Reply,
    Send,
    Tell,
    Then,
    WakeAt,
)
from docaxis.core.errors import REGISTRY, DocaxisError, OurFault, TheirFault
from docaxis.core.events import Delivered, DueLoaded, Event, Fetched, NotFetched, QueueLoaded, Undelivered, Woke
from docaxis.runtime.clock import Clock
from docaxis.runtime.log import Log
from docaxis.runtime.metrics import Metrics
from docaxis.runtime.tickets import Tickets
from docaxis.runtime.waiting import Alarm, News
from docaxis.store.base import Store

LINES_OF_ROUND_MAX: Final = 8
"""Changes of documents in one round that are logged one by one; more of them are counted in one line."""

Spawn = Callable[[Coroutine[Any, Any, None]], object]
"""Starts a task in the node's group: if it fails, the node's life ends visibly."""


class Courier(Protocol):
    """The way to other nodes."""

    async def send(self, wish: Send) -> Delivered | Undelivered:
        """Puts a batch to its peer; every failure comes back as a value."""
        ...


class Puller(Protocol):
    """Whoever brings a document's content here."""

    async def pull(self, wish: Fetch) -> None:
        """Returns when every chunk is verified and durable; raises `DocaxisError` otherwise, keeping what came."""
        ...


class Front:
    """What the outside shares with the machine's hands: open requests, news of the feed, the log and the counters."""

    def __init__(self, log: Log, metrics: Metrics) -> None:
        self.local: Tickets[dict[str, object]] = Tickets()
        self.peers: Tickets[bytes] = Tickets()
        self.news = News()
        self.log = log
        self._submitted: list[Noted] = []
        self.metrics = metrics

    def turn_away(self, error: DocaxisError) -> None:
        """Answers everybody who waits with the same error."""
        self.local.fail_all(error)
        self.peers.fail_all(error)

    def submitted(self, answer: Mapping[str, object]) -> None:
        """Logs a document that was handed in; those of one moment together, one by one where they are few."""
        if not self.log.hears("info"):
            return
        if not self._submitted:
            asyncio.get_running_loop().call_soon(self._tell_submitted)
        to = answer["to"]
        recipients = len(to) if isinstance(to, Sequence) else 0
        self._submitted.append(Noted("document.submitted", "info", {"doc": answer["doc"], "recipients": recipients}))

    def _tell_submitted(self) -> None:
        lines, self._submitted = self._submitted, []
        if len(lines) > LINES_OF_ROUND_MAX:
            lines = [Noted("documents.submitted", "info", {"documents": len(lines)})]
        self.log.notes(lines)


def fault(code: str, detail: str) -> DocaxisError:
    """An error of the registry by its code: what is wrong with a node is ours, everything else is theirs."""
    assert code in REGISTRY, code
    ours = code.startswith(("node.", "store."))
    return OurFault(code, detail) if ours else TheirFault(code, detail)


class NodeHands:
    """The hands of one life of a node's machine; `report` takes events back to it."""

    def __init__(
        self,
        front: Front,
        store: Store,
        courier: Courier,
        puller: Puller,
        clock: Clock,
        spawn: Spawn,
        report: Callable[[Event], None],
        saw_directory: Callable[[int], None],
    ) -> None:
        self._front = front
        self._store = store
        self._courier = courier
        self._puller = puller
        self._spawn = spawn
        self._report = report
        self._saw_directory = saw_directory
        self._alarm = Alarm(clock, lambda: report(Woke()))
        self._resting = False

    def rest(self) -> None:
        """From now on only answers are given; what else is wanted will be wanted again after the next start."""
        self._resting = True
        self._alarm.cancel()

    def do(self, effect: Then) -> None:
        """Starts one act."""
        match effect:
            case Answer():
                self._answer(effect)
            case Reply(ticket, body):
                self._front.peers.settle(ticket, body)
            case _ if self._resting:
                return
            case Send():
                self._spawn(self._send(effect))
            case Fetch():
                self._spawn(self._fetch(effect))
            case LoadQueue():
                self._spawn(self._load_queue(effect))
            case LoadDue():
                self._spawn(self._load_due(effect))
            case WakeAt(at_ms):
                self._alarm.set(at_ms)
            case _:
                assert_never(effect)

    def tell(self, effects: Sequence[Tell]) -> None:
        """Counts, logs, and wakes whoever waits for changes, each once for all of `effects`."""
        noted: list[Noted] = []
        changed: list[Changed] = []
        for effect in effects:
            if type(effect) is Counted:
                self._front.metrics.add(effect.name, effect.amount)
            elif type(effect) is Noted:
                noted.append(effect)
            else:
                assert type(effect) is Changed
                changed.append(effect)
        if changed and self._front.log.hears("info"):
            noted += movements(changed)
        if noted:
            self._front.log.notes(noted)
        if changed:
            self._front.news.announce()

    def _answer(self, effect: Answer) -> None:
        if effect.value is None:
            self._front.local.fail(effect.ticket, fault(effect.code, effect.detail))
        else:
            self._front.local.settle(effect.ticket, effect.value)

    async def _send(self, wish: Send) -> None:
        outcome = await self._courier.send(wish)
        if isinstance(outcome, Delivered):
            self._saw_directory(outcome.reply.dir)
        self._front.metrics.add(f"sends.{'delivered' if isinstance(outcome, Delivered) else outcome.code}")
        self._report(outcome)

    async def _fetch(self, wish: Fetch) -> None:
        try:
            await self._puller.pull(wish)
        except DocaxisError as error:
            self._front.metrics.add(f"fetches.{error.code}")
            self._report(NotFetched(wish.doc, wish.recipient, error.code, error.detail))
        else:
            self._front.metrics.add("fetches.done")
            self._report(Fetched(wish.doc, wish.recipient))

    async def _load_queue(self, wish: LoadQueue) -> None:
        items = await self._store.queue(wish.peer, wish.lane, wish.now_ms, wish.limit)
        self._report(QueueLoaded(wish.peer, wish.lane, items))

    async def _load_due(self, wish: LoadDue) -> None:
        records = await self._store.due(wish.before_ms, wish.limit)
        self._report(DueLoaded(records, len(records) >= wish.limit))


def movements(changed: Sequence[Changed]) -> list[Noted]:
    """What documents did, as lines for the log: one for each, or where there are many one with counts by state."""
    if len(changed) <= LINES_OF_ROUND_MAX:
        return [
            Noted(
                "document.changed",
                "info",
                {"doc": each.doc, "recipient": each.recipient, "state": each.state.name.lower()},
            )
            for each in changed
        ]
    counts = Counter(each.state.name.lower() for each in changed)
    return [Noted("documents.changed", "info", {"changes": len(changed), **counts})]
