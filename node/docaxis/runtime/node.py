"""The node: its parts started and stopped together, and the face it shows to the floors above and to peers.

Requests are passed on as events (`lives`, `perform`), content and directory have rooms of their own. It decides nothing
about documents: what it refuses by itself is only what a stopping, full or failed node cannot take.
"""

import asyncio
import traceback
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from docaxis import __version__
from docaxis.core import evidence_file, limits, wire
from docaxis.core.addresses import Book
from docaxis.core.effects import LogRefusal
from docaxis.core.envelope import File
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.events import Act, Acted, DirectoryChanged, Inbound, Submission, Submitted
from docaxis.core.ids import DocId, PartyId
from docaxis.core.policy import Policy
from docaxis.core.ports import Seal
from docaxis.core.wire import Batch
from docaxis.runtime.clock import Clock
from docaxis.runtime.content import Content
from docaxis.runtime.disk import Disk
from docaxis.runtime.entropy import Entropy
from docaxis.runtime.folder import take_backup
from docaxis.runtime.hands import Courier, Front
from docaxis.runtime.listed import Listing, Papers, listing
from docaxis.runtime.lives import Lives, Needs
from docaxis.runtime.log import Log
from docaxis.runtime.owner import check_owner
from docaxis.runtime.perform import Probe
from docaxis.runtime.refresh import Directory, Refresher
from docaxis.runtime.status import directory_status, identity_status, peers_status, resident_bytes, totals_status
from docaxis.store.base import Change, Life, Store

SETTLE_MS_MAX: Final = 10 * limits.SECOND_MS
"""How long a stop waits for what is under way."""
FIRST_DIRECTORY_MS_MAX: Final = 10 * limits.SECOND_MS
"""How long a node that has never seen a directory waits for one before it serves nobody in particular."""
UPKEEP_INTERVAL_MS: Final = limits.HOUR_MS
DISK_INTERVAL_MS: Final = 10 * limits.SECOND_MS
REFUSALS_WAITING_MAX: Final = 256


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
    policy: Policy = Policy()
    refresh_interval_ms: int = limits.HOUR_MS
    folder: Path = Path()
    certificate: bytes = b""


class Node:
    """A running node. It keeps `docaxis.api.service.NodeService` and `docaxis.transport.base.PeerService`."""

    def __init__(self, parts: Parts, probe: Probe | None = None) -> None:
        self._parts = parts
        self._front = parts.front
        self._stopping = False
        self._stopped = False
        self._full = False
        self._started_ms = 0
        self._started_ticks_ms = 0.0
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
        self._lives = Lives(self._needs(), probe)

    def _needs(self) -> Needs:
        parts = self._parts
        return Needs(
            parts.me,
            parts.seal,
            parts.policy,
            parts.store,
            parts.courier,
            parts.content,
            parts.clock,
            parts.entropy,
            parts.front,
            lambda: self.book,
            self._refresher.saw,
        )

    # --- life ---

    async def start(self) -> None:
        """Opens the store, resumes what is to be done and listens to peers; raises `DocaxisError` where it cannot."""
        parts = self._parts
        self._started_ms, self._started_ticks_ms = parts.clock.now_ms(), parts.clock.ticks_ms()
        life = await parts.store.open(self._started_ms)
        try:
            await check_owner(parts.store, parts.me, self.book)
            await parts.gate.adopt(parts.directory.book)
            self._warn_if_unlisted()
            self._main = asyncio.create_task(self._run(life), name=f"node {parts.me}")
            if self.book.version == 0:
                await self._refresher.first(FIRST_DIRECTORY_MS_MAX)
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
        if self._main is not None and not self._main.done():
            await self._settle(self._main)
        if self._main is not None:
            self._main.cancel()
            await asyncio.wait((self._main,))
            self._main.cancelled() or self._main.exception()  # was logged when it happened; whoever waits gets it too
        await self._parts.store.close()
        self._front.log.count_now()
        self._front.log.note("node.stopped")

    async def _settle(self, main: asyncio.Task[None]) -> None:
        settled = asyncio.create_task(self._lives.settle())
        await asyncio.wait((settled, main), timeout=SETTLE_MS_MAX / 1000, return_when=asyncio.FIRST_COMPLETED)
        settled.cancel()

    async def _run(self, life: Life) -> None:
        """All tasks of the node; a mistake in any of them ends them all, and the node visibly."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._lives.run(life))
                group.create_task(self._refresher.run())
                group.create_task(self._upkeep())
                group.create_task(self._watch_disk())
                group.create_task(self._keep_refusals())
        except BaseExceptionGroup as error:
            self._front.log.note("node.failed", "error", trace="".join(traceback.format_exception(error, limit=-8)))
            raise
        finally:
            self._lives.end(OurFault("node.stopping", "the node has stopped"))

    async def _adopt(self, book: Book) -> None:
        await self._parts.gate.adopt(book)
        self._warn_if_unlisted()
        self._lives.report(DirectoryChanged(book))

    def _listing(self) -> Listing:
        parts = self._parts
        papers = Papers(parts.me, parts.seal.key_id, parts.certificate)
        return listing(papers, self.book, parts.clock.now_ms())

    def _warn_if_unlisted(self) -> None:
        """Peers refuse whom the directory does not list: the operator should hear it here first, at each directory."""
        found = self._listing()
        if found.code and self.book.version:
            self._front.log.note("identity.not-listed", "error", code=found.code, detail=found.detail)

    async def _upkeep(self) -> None:
        """Once an hour: chunks that nobody claims go, and some others are looked at again."""
        while True:
            await asyncio.sleep(UPKEEP_INTERVAL_MS / 1000)
            try:
                swept = await self._parts.content.sweep(self._parts.clock.now_ms())
                damaged = await self._parts.content.scrub()
            except OurFault as error:
                self._front.log.note("content.upkeep-failed", "warning", code=error.code, detail=error.detail)
            else:
                self._front.log.note("content.upkeep", "error" if damaged else "info", swept=swept, damaged=damaged)

    async def _watch_disk(self) -> None:
        """A full disk is told when it is full, not when somebody happens to send something."""
        while True:
            with suppress(OSError):  # a folder that is not there any more is noticed where something is kept
                self._has_room()
            await asyncio.sleep(DISK_INTERVAL_MS / 1000)

    def _has_room(self) -> bool:
        """Whether anything new is taken as far as the disk is concerned; a change is noted."""
        disk = self._parts.disk
        full = not disk.has_room()
        if full != self._full:
            self._full = full
            level = "error" if full else "info"
            event = "node.disk-full" if full else "node.disk-has-room"
            self._front.log.note(event, level, free_bytes=disk.free_bytes(), reserve_bytes=disk.reserve_bytes)
        return not full

    def _require_room(self) -> None:
        if not self._has_room():
            self._parts.disk.require_room()

    def _state(self) -> str:
        """``serving``, or the code with which something new is turned away."""
        if self._stopping:
            return "node.stopping"
        state = self._lives.state
        return "node.disk-full" if state == "serving" and not self._has_room() else state

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
    def disk(self) -> Disk:
        """The disk that the node's folder is on."""
        return self._parts.disk

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
        self._require_room()
        self._require_open()
        ticket, answer = self._front.local.draw()
        sent = await self._lives.ask(Submitted((submission._replace(ticket=ticket),)), answer)
        self._front.submitted(sent)
        return sent

    async def act(self, act: Act) -> Mapping[str, object]:
        """Hands in one statement of people; returns the machine's answer once it is durable."""
        self._require_open()
        ticket, answer = self._front.local.draw()
        return await self._lives.ask(Acted((act._replace(ticket=ticket),)), answer)

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

    async def evidence(self, doc: DocId, recipients: Sequence[str] = ()) -> bytes:
        """The evidence file of a document, about these recipients, or all of them where none is named; raises
        `TheirFault` ``document.unknown``, also for somebody who is no recipient, and ``codec.too-long``."""
        records, kept = await self._parts.store.document(doc)
        envelope = next((each.signed for each in kept if each.kind == wire.ENVELOPE), None)
        if not records or envelope is None:
            raise TheirFault("document.unknown", f"no document {doc.hex()} here")
        if strange := set(recipients).difference(record.recipient for record in records):
            raise TheirFault("document.unknown", f"here, {doc.hex()} has no recipient {', '.join(sorted(strange))}")
        to = [record.recipient for record in records if not recipients or record.recipient in recipients]
        told = [each for each in kept if each.kind == wire.STATEMENT and each.recipient in to]
        parties = dict.fromkeys([*(each.by for each in told), records[0].sender, self.me])
        return evidence_file.build(
            self._parts.seal,
            self.me,
            self._lives.epoch,
            self._parts.clock.now_ms(),
            envelope,
            [each.signed for each in told],
            to,
            self._parts.directory.proofs(list(dict.fromkeys([*parties, *to]))),
        )

    async def status(self) -> Mapping[str, object]:
        """How the node is."""
        parts = self._parts
        now_ms = parts.clock.now_ms()
        return {
            "id": self.me,
            "version": __version__,
            "state": self._state(),
            "now_ms": now_ms,
            "started_ms": self._started_ms,
            "uptime_ms": int(parts.clock.ticks_ms() - self._started_ticks_ms),
            "epoch": self._lives.epoch,
            "lives": self._lives.count,
            "identity": identity_status(parts.seal.key_id, self._listing()),
            "directory": directory_status(self.book, now_ms, self._refresher.last_ms, self._refresher.failure),
            "peers": peers_status(self._lives.delivery(), await parts.store.lines(), now_ms),
            "waiting_events": self._lives.waiting,
            "totals": totals_status(await parts.store.totals()),
            "disk": {"free_bytes": parts.disk.free_bytes(), "reserve_bytes": parts.disk.reserve_bytes},
            "rss_bytes": resident_bytes(),
            "counters": self.metrics(),
        }

    async def revoke(self, raw: bytes) -> Mapping[str, object]:
        """Honours a file of revocations at once: for peers' connections, for signatures, and for whoever asks us.

        Raises `TheirFault` with the first word's fault where not one of them holds.
        """
        try:
            judged = await self._parts.directory.revoke(raw)
        finally:
            await self._refresher.tell()
        honoured = [(word.revocation.party, word.revocation.key.hex()) for word in judged.good]
        if honoured:
            self._front.log.note("directory.revoked", "warning", keys=" ".join(f"{who}:{key}" for who, key in honoured))
        elif judged.faults and not judged.known:
            raise judged.faults[0]
        return {
            "honoured": [{"party": party, "key": key} for party, key in honoured],
            "known": judged.known,
            "passed_over": [{"code": fault.code, "detail": fault.detail} for fault in judged.faults],
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
            self._require_room()
        self._refresher.saw(batch.dir)
        self._require_open()
        ticket, answer = self._front.peers.draw()
        return await self._lives.ask(Inbound(ticket, peer, batch), answer)

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
            "epoch": self._lives.epoch,
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
        if code == "party.unknown":
            self._refresher.met_stranger()
        self._front.log.note("peer.refused", "warning", peer=peer, code=code, detail=detail)
        self._refusals.append(LogRefusal(peer, code, detail, self._parts.clock.now_ms()))
        self._refused.set()

    # --- both ---

    def _require_open(self) -> None:
        if self._stopping:
            raise OurFault("node.stopping", "the node is stopping")
        self._lives.require()
