"""Keeping the directory fresh: when to ask for a newer one, and who is told when one was accepted.

Whether a directory may be accepted is decided in `docaxis.directory` and `docaxis.core.trust`; where it is fetched from
is said by whoever composes the node. Here is only the rhythm. Nothing on the path of a document waits for this.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from docaxis.core import limits
from docaxis.core.addresses import Book
from docaxis.core.errors import DocaxisError
from docaxis.core.ids import PartyId
from docaxis.core.trust import ALLOWED, freshness
from docaxis.directory.revocations import Judged
from docaxis.runtime.clock import Clock
from docaxis.runtime.entropy import Entropy, spread
from docaxis.runtime.log import Log
from docaxis.runtime.metrics import Metrics

REFRESH_PAUSE_MS: Final = 10 * limits.SECOND_MS
"""The least time between two refreshes, so that a peer that boasts of versions cannot keep the node asking."""
STRANGER_PAUSE_MS: Final = limits.MINUTE_MS
"""The least age of the last refresh at which a stranger at the door is a reason for another."""
_JITTER_BYTES: Final = 4


class Directory(Protocol):
    """The signed directory of one node, as the runtime sees it."""

    @property
    def book(self) -> Book:
        """The snapshot in force."""
        ...

    async def refresh(self, now_ms: int) -> Book | None:
        """Asks the sources for a newer or fresher snapshot, or a revocation: the new book, or None where all is as it
        was. Raises `DocaxisError` where no source gave an answer that can be accepted."""
        ...

    async def gather(self) -> None:
        """Asks every source and a few peers what was revoked, whether or not one of them gave a directory: a
        revocation proves itself, so one honest source among many is enough. `book` is new where that taught us
        something. Raises `DocaxisError` where it could not be kept."""
        ...

    async def revoke(self, raw: bytes) -> Judged:
        """Honours a file of revocations that people handed in: `book` is new at once. Raises `DocaxisError`."""
        ...

    def file(self, name: str) -> bytes | None:
        """The repository file of that name, for others; or None."""
        ...

    def proofs(self, parties: Sequence[PartyId]) -> Sequence[bytes]:
        """What proves keys and names of these parties to a stranger who has only the root keys."""
        ...


class Refresher:
    """Refreshes at intervals, and early when somebody speaks of a newer version. `last_ms` is when a source last
    answered, `failure` what the last attempt failed with (empty: it did not)."""

    def __init__(
        self,
        directory: Directory,
        interval_ms: int,
        clock: Clock,
        entropy: Entropy,
        log: Log,
        metrics: Metrics,
        adopted: Callable[[Book], Awaitable[None]],
        pause_ms: int = REFRESH_PAUSE_MS,
    ) -> None:
        self._directory = directory
        self._interval_ms = interval_ms
        self._clock = clock
        self._entropy = entropy
        self._log = log
        self._metrics = metrics
        self._adopted = adopted
        self._pause_ms = pause_ms
        self._told = directory.book
        self._early = asyncio.Event()
        self._asked = asyncio.Event()
        self.last_ms = 0
        self.failure = ""

    def saw(self, version: int) -> None:
        """A peer uses this version; a higher one than ours is a reason to ask now."""
        if version > self._directory.book.version:
            self._early.set()

    def met_stranger(self) -> None:
        """Somebody whom the directory in hand does not know: perhaps a newer one does. Strangers cost nothing, so they
        are a reason only once in a while."""
        if self._clock.now_ms() - self.last_ms >= STRANGER_PAUSE_MS:
            self._early.set()

    async def first(self, wait_ms: int) -> None:
        """Returns when every source was asked once, whatever they answered, at the latest after `wait_ms`."""
        try:
            async with asyncio.timeout(wait_ms / 1000):
                await self._asked.wait()
        except TimeoutError:
            self._log.note("directory.slow", "warning", waited_ms=wait_ms)

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(self._pause_ms / 1000)
            wait_ms = spread(self._interval_ms, self._entropy.take(_JITTER_BYTES)) - self._pause_ms
            try:
                async with asyncio.timeout(max(0, wait_ms) / 1000):
                    await self._early.wait()
            except TimeoutError:
                pass

    async def once(self) -> None:
        """One refresh; a failure is noted, never raised: the directory in hand stays in force while it may. What was
        revoked is heard even where no source can give a directory."""
        self._early.clear()
        await self._renew()
        await self.tell()
        self._asked.set()
        try:
            await self._directory.gather()
        except DocaxisError as error:
            self._log.note("directory.not-kept", "error", code=error.code, detail=error.detail)
        await self.tell()

    async def tell(self) -> None:
        """Has the directory's book adopted, unless it was already; whoever changed the directory calls it."""
        book = self._directory.book
        if book is not self._told:
            self._told = book
            revoked = len(book.revoked)
            self._log.note("directory.accepted", version=book.version, verified_ms=book.verified_ms, revoked=revoked)
            await self._adopted(book)

    async def _renew(self) -> None:
        now_ms = self._clock.now_ms()
        try:
            await self._directory.refresh(now_ms)
        except DocaxisError as error:
            self.failure = f"{error.code}: {error.detail}"
            self._metrics.add(f"directory.failed.{error.code}")
            step = freshness(self._directory.book.verified_ms, now_ms)
            level = "warning" if ALLOWED[step].warns else "info"
            self._log.note(
                "directory.not-refreshed", level, code=error.code, detail=error.detail, age=step.name.lower()
            )
            return
        self.failure = ""
        self.last_ms = now_ms
        self._metrics.add("directory.refreshed")
