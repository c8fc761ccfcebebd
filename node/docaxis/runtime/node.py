"""The node: one machine, one loop, one clock, one source of chance; and the face it shows to the floors above.

It starts and stops what belongs together, and passes requests on as events. It decides nothing about documents: what
it refuses by itself is only what a stopping, full or failed node cannot take.

A *life* is one machine between a start and a failure of the store. When a commit fails, everybody who waits is told,
the machine is thrown away, and a new one is built from what is on disk: recovery is the same road as starting.
"""

import asyncio
import traceback
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from docaxis import __version__
from docaxis.core import evidence_file, limits, wire
from docaxis.core.addresses import Book
from docaxis.core.effects import LogRefusal
from docaxis.core.envelope import File
from docaxis.core.errors import DocaxisError, OurFault, TheirFault
from docaxis.core.events import Act, Acted, DirectoryChanged, Event, Inbound, Started, Submission, Submitted
from docaxis.core.ids import DocId, PartyId
from docaxis.core.machine import Machine
from docaxis.core.policy import Policy
from docaxis.core.ports import Seal
from docaxis.core.wire import Batch
from docaxis.runtime.clock import Clock
from docaxis.runtime.content import Content
from docaxis.runtime.disk import Disk
from docaxis.runtime.entropy import Entropy
from docaxis.runtime.folder import take_backup
from docaxis.runtime.hands import Courier, Front, NodeHands
from docaxis.runtime.log import Log
from docaxis.runtime.perform import Performer, Probe
from docaxis.runtime.refresh import Directory, Refresher
from docaxis.runtime.status import directory_status, resident_bytes, totals_status
from docaxis.store.base import Change, Life, Store

REBIRTH_DELAY_MS_MIN: Final = 250
REBIRTH_DELAY_MS_MAX: Final = 10 * limits.SECOND_MS
"""How long a node waits before it builds a new machine after a failure of the store; doubled each time in a row."""
SETTLE_MS_MAX: Final = 10 * limits.SECOND_MS
"""How long a stop waits for what is under way."""
SWEEP_INTERVAL_MS: Final = limits.HOUR_MS
REFUSALS_WAITING_MAX: Final = 256
T = TypeVar("T")
_STORE_FAULTS: Final = frozenset({"node.disk-full", "node.store"})


class Gate(Protocol):
    """The peers' way in, and what proves who they are."""

    async def open(self, node: "Node") -> None:
        """Listens; requests go to the node from now on."""
        ...

    async def close(self) -> None:
        """Takes no new requests, and returns when those under way are answered."""
        ...

    async def adopt(self, book: Book) -> None:
        """From now on this directory says who is who."""
        ...


class Parts(NamedTuple):
    """What a node is made of; whoever composes it builds these and hands them over, already configured."""

    me: PartyId
    seal: Seal
    store: Store
    content: Content
    courier: Courier
    gate: Gate
    directory: Directory
    disk: Disk
    clock: Clock
    entropy: Entropy
    front: Front
    folder: Path
    policy: Policy = Policy()
    refresh_interval_ms: int = limits.HOUR_MS


class Node:
    """A running node. It keeps `docaxis.api.service.NodeService` and `docaxis.transport.base.PeerService`."""

    def __init__(self, parts: Parts, probe: Probe | None = None) -> None:
        self._parts = parts
        self._probe = probe
        self._front = parts.front
        self._performer: Performer | None = None
        self._machine: Machine | None = None
        self._hands: NodeHands | None = None
        self._closed: DocaxisError = OurFault("node.busy", "the node is starting")
        self._stopping = False
        self._stopped = False
        self._epoch = 0
        self._started_ms = 0
        self._started_ticks_ms = 0.0
        self._lives = 0
        self._main: asyncio.Task[None] | None = None
        self._refusals: deque[LogRefusal] = deque(maxlen=REFUSALS_WAITING_MAX)
        self._refused = asyncio.Event()
        self._refresher = Refresher(
            parts.directory,
            parts.refresh_interval_ms,
            parts.clock,
            parts.entropy,
            self._front.log,
            self._front.metrics,
            self._adopt,
        )

    # --- life ---

    async def start(self) -> None:
        """Opens the store, resumes what is to be done and listens to peers; raises `DocaxisError` where it cannot."""
        parts = self._parts
        self._started_ms, self._started_ticks_ms = parts.clock.now_ms(), parts.clock.ticks_ms()
        life = await parts.store.open(self._started_ms)
        try:
            await parts.gate.adopt(parts.directory.book)
            self._main = asyncio.create_task(self._run(life), name=f"node {parts.me}")
            await parts.gate.open(self)
        except BaseException:
            await self.stop()
            raise
        self._front.log.note("node.started", epoch=life.epoch, directory=self.book.version, version=__version__)

    async def wait(self) -> None:
        """Returns when the node was stopped; raises what it died of, if it did."""
        assert self._main is not None, "start it first"
        try:
            await asyncio.shield(self._main)
        except asyncio.CancelledError:
            if not self._main.cancelled():
                raise

    def refuse_new(self) -> None:
        """The first step of a stop: nothing new is taken, and whoever waits for changes is let go."""
        self._stopping = True
        self._front.news.announce()

    async def stop(self) -> None:
        """Takes nothing new, finishes what is under way, closes the store. Stopping twice is once."""
        if self._stopped:
            return
        self._stopped = True
        self.refuse_new()
        await self._parts.gate.close()
        if self._hands is not None:
            self._hands.rest()
        if self._performer is not None and self._main is not None and not self._main.done():
            settled = asyncio.create_task(self._performer.settled())
            await asyncio.wait((settled, self._main), timeout=SETTLE_MS_MAX / 1000, return_when=asyncio.FIRST_COMPLETED)
            settled.cancel()
        if self._main is not None:
            self._main.cancel()
            await asyncio.wait((self._main,))
            self._main.cancelled() or self._main.exception()  # was logged when it happened; whoever waits gets it too
        await self._parts.store.close()
        self._front.log.note("node.stopped")

    async def _run(self, life: Life) -> None:
        """All tasks of the node; a mistake in any of them ends them all, and the node visibly."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._live_on(life))
                group.create_task(self._refresher.run())
                group.create_task(self._sweep())
                group.create_task(self._keep_refusals())
        except BaseExceptionGroup as error:
            self._front.log.note("node.failed", "error", trace="".join(traceback.format_exception(error, limit=-8)))
            raise
        finally:
            self._performer = None
            self._closed = OurFault("node.stopping", "the node has stopped")
            self._front.turn_away(self._closed)

    async def _live_on(self, life: Life) -> None:
        """One life after the other, as long as it is the store that ends them."""
        delay_ms = REBIRTH_DELAY_MS_MIN
        while True:
            born_ms = self._parts.clock.ticks_ms()
            failure = await self._live(life)
            if self._parts.clock.ticks_ms() - born_ms > REBIRTH_DELAY_MS_MAX:
                delay_ms = REBIRTH_DELAY_MS_MIN
            while True:
                self._mourn(failure, delay_ms)
                await asyncio.sleep(delay_ms / 1000)
                delay_ms = min(2 * delay_ms, REBIRTH_DELAY_MS_MAX)
                try:
                    await self._parts.store.close()
                    life = await self._parts.store.open(self._parts.clock.now_ms())
                    break
                except OurFault as error:
                    failure = error

    def _mourn(self, failure: OurFault, delay_ms: int) -> None:
        self._performer = None
        self._closed = failure
        self._front.metrics.add("node.lives-ended")
        self._front.log.note("node.store-failed", "error", code=failure.code, detail=failure.detail, again_ms=delay_ms)
        self._front.turn_away(failure)

    async def _live(self, life: Life) -> OurFault:
        """One life: returns what the store failed with, when it does."""
        parts = self._parts
        self._lives += 1
        self._epoch = life.epoch
        self._machine = Machine(parts.me, parts.seal, self.book, parts.policy)
        try:
            async with asyncio.TaskGroup() as group:
                hands = self._hands = NodeHands(
                    self._front,
                    parts.store,
                    parts.courier,
                    parts.content,
                    parts.clock,
                    group.create_task,
                    self._report,
                    self._refresher.saw,
                )
                performer = Performer(self._machine, parts.store, hands, parts.clock, parts.entropy, self._probe)
                performer.push(Started(*life))
                self._performer = performer
                try:
                    await performer.run()
                finally:
                    hands.rest()
        except BaseExceptionGroup as errors:
            failure = store_failure(errors)
            if failure is None:
                raise
            return failure
        raise AssertionError("a loop ends only by an error")

    async def _adopt(self, book: Book) -> None:
        await self._parts.gate.adopt(book)
        if self._performer is not None:
            self._performer.push(DirectoryChanged(book))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_MS / 1000)
            try:
                destroyed = await self._parts.content.sweep(self._parts.clock.now_ms())
            except OurFault as error:
                self._front.log.note("content.not-swept", "warning", code=error.code, detail=error.detail)
            else:
                self._front.log.note("content.swept", chunks=destroyed)

    async def _keep_refusals(self) -> None:
        """Refusals at the gate are kept together, beside the machine, which never hears of them."""
        while True:
            await self._refused.wait()
            self._refused.clear()
            rows = list(self._refusals)
            self._refusals.clear()
            try:
                await self._parts.store.commit(rows)
            except OurFault as error:
                self._front.log.note("refusals.not-kept", "warning", code=error.code, rows=len(rows))

    @property
    def log(self) -> Log:
        """The node's log."""
        return self._front.log

    # --- the local face: `docaxis.api.service.NodeService` ---

    @property
    def me(self) -> PartyId:
        """The party whose node this is."""
        return self._parts.me

    @property
    def book(self) -> Book:
        """The directory snapshot in force."""
        return self._parts.directory.book

    @property
    def store(self) -> Store:
        """For reading only."""
        return self._parts.store

    async def submit(self, submission: Submission) -> Mapping[str, object]:
        """Hands in one document; returns the machine's answer once it is durable."""
        self._parts.disk.require_room()
        performer = self._require_open()
        ticket, answer = self._front.local.draw()
        return await _asked(performer, Submitted((submission._replace(ticket=ticket),)), answer)

    async def act(self, act: Act) -> Mapping[str, object]:
        """Hands in one statement of people; returns the machine's answer once it is durable."""
        performer = self._require_open()
        ticket, answer = self._front.local.draw()
        return await _asked(performer, Acted((act._replace(ticket=ticket),)), answer)

    async def keep_chunk(self, digest: bytes, data: bytes) -> None:
        """Keeps a chunk for a document that will name it; durable on return."""
        self._require_open()
        await self._parts.content.keep(digest, data)

    async def chunk_sizes(self, digests: Sequence[bytes]) -> Mapping[bytes, int]:
        """The sizes of those of these chunks that are kept here."""
        return await self._parts.content.sizes(digests)

    def open_file(self, file: File) -> AsyncIterator[bytes]:
        """The file's bytes, chunk by chunk, each checked."""
        return self._parts.content.open(file)

    async def wait_changes(self, after: int, limit: int, wait_ms: int) -> list[Change]:
        """Lines of the feed above `after`, as soon as there are any, at the latest after `wait_ms`."""
        deadline_ms = self._parts.clock.ticks_ms() + wait_ms
        while True:
            news = self._front.news.subscribe()
            found = await self._parts.store.changes(after, limit)
            left_ms = deadline_ms - self._parts.clock.ticks_ms()
            if found or left_ms <= 0 or self._stopping:
                return found
            try:
                async with asyncio.timeout(left_ms / 1000):
                    await news.wait()
            except TimeoutError:
                return []

    async def evidence(self, doc: DocId) -> bytes:
        """The evidence file of a document; raises `TheirFault` ``document.unknown``."""
        records, kept = await self._parts.store.document(doc)
        envelope = next((each.signed for each in kept if each.kind == wire.ENVELOPE), None)
        if not records or envelope is None:
            raise TheirFault("document.unknown", f"no document {doc.hex()} here")
        told = [each for each in kept if each.kind == wire.STATEMENT]
        parties = dict.fromkeys([*(each.by for each in kept), *(r.sender for r in records), self.me])
        return evidence_file.build(
            self._parts.seal,
            self.me,
            self._epoch,
            self._parts.clock.now_ms(),
            envelope,
            [each.signed for each in told],
            [record.recipient for record in records],
            self._parts.directory.proofs([*parties, *(r.recipient for r in records if r.recipient not in parties)]),
        )

    async def status(self) -> Mapping[str, object]:
        """How the node is."""
        parts = self._parts
        now_ms = parts.clock.now_ms()
        closed = self._stopping or self._performer is None
        return {
            "id": self.me,
            "version": __version__,
            "state": self._closed.code if closed else "serving",
            "now_ms": now_ms,
            "started_ms": self._started_ms,
            "uptime_ms": int(parts.clock.ticks_ms() - self._started_ticks_ms),
            "epoch": self._epoch,
            "lives": self._lives,
            "directory": directory_status(self.book, now_ms, self._refresher.last_ms, self._refresher.failure),
            "peers": self._machine.delivery() if self._machine is not None else [],
            "waiting_events": self._performer.waiting if self._performer is not None else 0,
            "totals": totals_status(await parts.store.totals()),
            "disk": {"free_bytes": parts.disk.free_bytes(), "reserve_bytes": parts.disk.reserve_bytes},
            "rss_bytes": resident_bytes(),
            "counters": self.metrics(),
        }

    def metrics(self) -> Mapping[str, int]:
        """Counters since the node started."""
        return self._front.metrics.counts()

    async def backup(self, target: str) -> Mapping[str, object]:
        """Writes a consistent copy of everything but private keys into the new folder `target`."""
        now_ms = self._parts.clock.now_ms()
        copied = await asyncio.to_thread(take_backup, self._parts.folder, Path(target), now_ms)
        self._front.log.note("node.backed-up", **copied._asdict())
        return copied._asdict()

    # --- the peers' face: `docaxis.transport.base.PeerService` ---

    async def inbound(self, peer: PartyId, batch: Batch) -> bytes:
        """Takes in a batch; the answer's bytes, once everything they say is durable."""
        if any(item.kind == wire.ENVELOPE for item in batch.items):
            self._parts.disk.require_room()
        self._refresher.saw(batch.dir)
        performer = self._require_open()
        ticket, answer = self._front.peers.draw()
        return await _asked(performer, Inbound(ticket, peer, batch), answer)

    async def chunk(self, peer: PartyId, doc: DocId, digest: bytes) -> bytes | Path:
        """A chunk of a document that `peer` is a recipient of."""
        return await self._parts.content.serve(self.book, peer, doc, digest)

    def directory_file(self, name: str) -> bytes | None:
        """A file of the directory's repository."""
        return self._parts.directory.file(name)

    def hello(self) -> dict[str, Any]:
        """What the node says of itself to anybody."""
        return {
            "id": self.me,
            "epoch": self._epoch,
            "time_ms": self._parts.clock.now_ms(),
            "directory_version": self.book.version,
            "software": f"docaxis {__version__}",
            "limits": {
                "batch_items": limits.BATCH_ITEMS_MAX,
                "batch_bytes": limits.BATCH_BYTES_MAX,
                "content_bytes": limits.CONTENT_BYTES_MAX,
                "credit_items": self._parts.policy.credit_items,
            },
        }

    def refused(self, peer: str, code: str, detail: str) -> None:
        """Something was refused before it became an event."""
        self._front.metrics.add(f"refused.{code}")
        self._front.log.note("peer.refused", "warning", peer=peer, code=code, detail=detail)
        self._refusals.append(LogRefusal(peer, code, detail, self._parts.clock.now_ms()))
        self._refused.set()

    # --- both ---

    def _require_open(self) -> Performer:
        if self._stopping:
            raise OurFault("node.stopping", "the node is stopping")
        if self._performer is None:
            raise OurFault(self._closed.code, self._closed.detail)
        return self._performer

    def _report(self, event: Event) -> None:
        """What the hands bring back; of a life that has ended, nobody wants to know."""
        if self._performer is not None:
            self._performer.push(event)


async def _asked(performer: Performer, event: Event, answer: "asyncio.Future[T]") -> T:
    """Puts a request into the inbox and waits for its answer; raises `OurFault` ``node.busy`` where it has no room."""
    try:
        performer.offer(event)
    except OurFault:
        answer.cancel()
        raise
    return await answer


def store_failure(errors: BaseExceptionGroup[BaseException]) -> OurFault | None:
    """The store's error, where nothing else is in the group; None where a mistake of ours is."""
    first: OurFault | None = None
    for error in errors.exceptions:
        inner = store_failure(error) if isinstance(error, BaseExceptionGroup) else error
        if not isinstance(inner, OurFault) or inner.code not in _STORE_FAULTS:
            return None
        first = first or inner
    return first
