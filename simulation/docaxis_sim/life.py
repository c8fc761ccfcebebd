"""A life of a node: the real machine, driven exactly as the real driver does, until it crashes.

The order is the contract's: read what the machine wants, handle, commit (several batches may share one commit), and
only then release what was to be said. At every boundary in between the host may be struck down; what is not durable
then never existed. Nothing here decides anything about a document.
"""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

import simpy

from docaxis.core import limits, wire
from docaxis.core.effects import (
    Answer,
    Changed,
    Counted,
    Effects,
    Fetch,
    LoadDue,
    LoadQueue,
    Noted,
    Op,
    Reply,
    Send,
    Tell,
    Then,
    WakeAt,
)
from docaxis.core.events import (
    Acted,
    Delivered,
    DirectoryChanged,
    DueLoaded,
    Event,
    Fetched,
    NotFetched,
    QueueLoaded,
    Started,
    Submitted,
    Undelivered,
    Woke,
)
from docaxis.core.machine import Machine
from docaxis.core.wanted import Wanted
from docaxis.store import base
from docaxis_sim import checkers
from docaxis_sim.network import Refusal, party_at

if TYPE_CHECKING:
    from docaxis_sim.host import Host

BATCH_EVENTS_MAX: Final = 256
"""Events of one round, as in the real driver."""
ROUNDS_OPEN_MAX: Final = 2
"""Rounds handled whose commit has not returned, as in the real driver."""

Steps = Generator[simpy.Event, object, None]
Answered = Callable[[Answer | None], None]
"""Called once with the answer to a local request, or with None if the connection breaks."""

Replied = Callable[[bytes | Refusal | None], None]
"""Called once with the answer to a peer's request, or with None if the connection breaks."""


class Work(NamedTuple):
    """One batch of handled events: what must be durable, what may be said after, and how many events that makes."""

    ops: list[Op]
    later: list[Then | Tell]
    events: int


class Bell:
    """Something to wait for that may ring before anybody waits."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._event = env.event()

    def ring(self) -> None:
        """Wakes whoever waits, or the next one who will."""
        if not self._event.triggered:
            self._event.succeed()

    def heard(self) -> simpy.Event:
        """The next ring."""
        if self._event.processed:
            self._event = self._env.event()
        return self._event


class Life:
    """One life. It ends by `die`; whatever is still under way then comes to nothing."""

    def __init__(self, host: "Host", begun: base.Life) -> None:
        self._host = host
        self._ground = host.ground
        self._env = host.ground.env
        self._chance = host.chance
        self._timing = host.timing
        self.machine = Machine(host.party, host.seal, host.book, host.policy)
        self.alive = True
        self.inbox: deque[Event] = deque()
        self._work: deque[Work] = deque()
        self._news = Bell(self._env)
        self._labour = Bell(self._env)
        self._tickets = 0
        self._answers: dict[int, Answered] = {}
        self._replies: dict[int, tuple[bytes, Replied]] = {}
        self._open = 0
        self._wake = 0
        self._handled = 0
        self.push(Started(begun.epoch, begun.since_ms, begun.peers, begun.waiting))
        self._env.process(self._run())
        self._env.process(self._write())

    def die(self) -> None:
        """Memory is gone; every open connection breaks."""
        self.alive = False
        for answered in self._answers.values():
            answered(None)
        for _request, reply in self._replies.values():
            reply(None)

    def push(self, event: Event) -> None:
        """Something happened."""
        if self.alive:
            self.inbox.append(event)
            self._news.ring()

    def expect(self, answered: Answered) -> int:
        """A ticket for a local request."""
        self._tickets += 1
        self._answers[self._tickets] = answered
        return self._tickets

    def expect_reply(self, request: bytes, reply: Replied) -> int:
        """A ticket for a peer's request."""
        self._tickets += 1
        self._replies[self._tickets] = request, reply
        return self._tickets

    def sizes(self) -> dict[str, tuple[int, int]]:
        """What the life holds in memory, each with the most it may be."""
        outbox = self.machine.outbox
        lanes = [len(lane.items) for queue in outbox.queues.values() for lane in queue.lanes]
        return {
            "inbox": (len(self.inbox), limits.INBOX_EVENTS_MAX),
            "flights": (len(outbox.flights), self._host.policy.flights),
            "longest lane": (max(lanes, default=0), limits.LANE_MEMORY_ITEMS_MAX + limits.BATCH_ITEMS_MAX),
        }

    # --- the loop ---

    def _run(self) -> Steps:
        slept = False
        while self.alive:
            if not self.inbox or self._open >= ROUNDS_OPEN_MAX:
                slept = slept or not self.inbox
                yield self._news.heard()
                continue
            batch = _coalesced([self.inbox.popleft() for _ in range(min(len(self.inbox), BATCH_EVENTS_MAX))])
            wanted = self.machine.wanted(batch)
            if any(wanted):
                yield from self._read(wanted)
            if busy_ms := self._timing.round_ms(batch, slept):
                yield self._env.timeout(busy_ms)
            slept = False
            if self.alive:
                self._handle(batch)

    def _read(self, wanted: Wanted) -> Steps:
        """A store may answer as of the beginning or as of the end of the time that reading takes."""
        early = self._timing.reads_early()
        found = self._host.tables.find(wanted)
        yield self._env.timeout(self._timing.read_ms())
        if self.alive:
            self.machine.absorb(found if early else self._host.tables.find(wanted))

    def _handle(self, batch: Sequence[Event]) -> None:
        ops: list[Op] = []
        later: list[Then | Tell] = []
        for event in batch:
            self._ground.note(self._host.party, "event", _about(event))
            effects = self._decide(event)
            ops += effects.durable
            later += [*effects.then, *effects.tell]
            self._handled += 1
            self._ground.watch.handled(self._host.party, event, effects, self._host.now_ms())
        self._work.append(Work(ops, later, self._handled))
        self._open += 1
        self._labour.ring()

    def _decide(self, event: Event) -> Effects:
        """What the machine makes of an event; a machine that does not know what to do has broken a promise."""
        try:
            return self.machine.handle(event, self._host.now_ms(), self._chance.randbytes(32))
        except Exception as error:
            name = type(error).__name__
            raise checkers.Breach("never at a loss", f"{self._host.party}: {_about(event)}: {name}: {error}") from error

    def _write(self) -> Steps:
        while self.alive:
            if not self._work:
                yield self._labour.heard()
                continue
            together = [self._work.popleft() for _ in range(self._timing.together(len(self._work)))]
            ops = [op for work in together for op in work.ops]
            if ops:
                if self._struck("before commit"):
                    return
                yield self._env.timeout(self._timing.commit_ms())
                if self._is_over() or self._struck("in commit"):
                    return
                if self._host.disk_full:
                    self._host.commit_failed()
                    return
                self._host.commit(ops)
            self._release(together)

    def _release(self, together: Sequence[Work]) -> None:
        for work in together:
            self.machine.committed(work.events)
            self._open -= 1
            self._news.ring()
            for effect in work.later:
                if self._struck("after commit") or self._is_over():
                    return
                self._perform(effect)

    def _is_over(self) -> bool:
        """Whether the host has crashed meanwhile."""
        return not self.alive

    def _struck(self, boundary: str) -> bool:
        if self._ground.strikes(self._host.party, boundary):
            self._host.crash(boundary)
            return True
        return False

    # --- acts ---

    def _perform(self, effect: Then | Tell) -> None:
        self._ground.note(self._host.party, "effect", _about(effect))
        match effect:
            case Send():
                self._ground.watch.asked(self._host.party, party_at(effect.endpoints), effect.body)
                self._host.network.send(self._host.party, effect, self._landing(effect))
            case Reply():
                if (waiting := self._replies.pop(effect.ticket, None)) is not None:
                    request, reply = waiting
                    self._ground.watch.answered(self._host.party, request, effect.body)
                    reply(effect.body)
            case Answer():
                if (answered := self._answers.pop(effect.ticket, None)) is not None:
                    answered(effect)
            case Fetch():
                self._env.process(self._fetch(effect))
            case LoadQueue():
                self._env.process(self._load_queue(effect))
            case LoadDue():
                self._env.process(self._load_due(effect))
            case WakeAt():
                self._wake += 1
                self._env.process(self._wake_at(effect.at_ms, self._wake))
            case Changed() | Noted() | Counted():
                pass

    def _landing(self, effect: Send) -> Callable[[wire.Reply | None, str, int], None]:
        def landed(reply: wire.Reply | None, code: str, wait_ms: int) -> None:
            if reply is not None:
                self.push(Delivered(effect.peer, effect.flight, reply))
            else:
                self.push(Undelivered(effect.peer, effect.flight, code, "", wait_ms))

        return landed

    def _load_queue(self, effect: LoadQueue) -> Steps:
        """What is read may be old by the time the machine hears of it."""
        items = self._host.tables.queue(effect.peer, effect.lane, effect.now_ms, effect.limit)
        yield self._env.timeout(self._timing.read_ms())
        self.push(QueueLoaded(effect.peer, effect.lane, items))

    def _load_due(self, effect: LoadDue) -> Steps:
        records = self._host.tables.due(effect.before_ms, effect.limit)
        yield self._env.timeout(self._timing.read_ms())
        self.push(DueLoaded(records, len(records) >= effect.limit))

    def _wake_at(self, at_ms: int, number: int) -> Steps:
        yield self._env.timeout(max(0, at_ms - self._host.now_ms()))
        if number == self._wake:
            self.push(Woke())

    def _fetch(self, effect: Fetch) -> Steps:
        for digest, size in zip(effect.digests, effect.sizes, strict=True):
            if self._host.chunk(digest) is not None:
                continue
            call = self._host.network.fetch(self._host.party, effect.peer, effect.doc, digest)
            yield from call.run()
            if call.chunk is not None and (writing_ms := self._timing.blob_ms(digest)):
                yield self._env.timeout(writing_ms)
            if not self.alive:
                return
            if call.chunk is not None and (sha256(call.chunk).digest() != digest or len(call.chunk) != size):
                call.code = "content.corrupt"
            if call.chunk is None or call.code:
                self.push(NotFetched(effect.doc, effect.recipient, call.code, ""))
                return
            self._host.chunks[digest] = call.chunk
            if self._struck("between chunk and commit"):
                return
        self.push(Fetched(effect.doc, effect.recipient))


def _coalesced(events: Sequence[Event]) -> list[Event]:
    """Neighbouring submissions become one event, and neighbouring acts: each shares one signature."""
    batch: list[Event] = []
    for event in events:
        last = batch[-1] if batch else None
        if isinstance(event, Submitted) and isinstance(last, Submitted):
            batch[-1] = Submitted(last.submissions + event.submissions)
        elif isinstance(event, Acted) and isinstance(last, Acted):
            batch[-1] = Acted(last.acts + event.acts)
        else:
            batch.append(event)
    return batch


def _about(value: Event | Then | Tell) -> str:
    """The line of a trace about an event or an effect: its name, and a digest over all its fields."""
    name = type(value).__name__
    if isinstance(value, DirectoryChanged):
        return f"{name} {value.book.version} {value.book.verified_ms}"
    plain = " ".join(str(field) for field in value if isinstance(field, str | int))
    return f"{name} {plain[:60]} {sha256(repr(tuple(value)).encode()).hexdigest()[:8]}"
