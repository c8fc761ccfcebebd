"""Repository: a node's own copy of the directory, verified, kept, refreshed and served to others.

Fetching is handed in, time is handed in, and verification runs in a thread, so that a node may go on. What was verified
last stays in force whatever a source says: a refusal changes nothing but the age, which `docaxis.core.trust` judges.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from docaxis.core.addresses import Book, Entry
from docaxis.core.errors import DocaxisError, TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.limits import HOUR_MS
from docaxis.core.trust import REVOCATIONS_BYTES_MAX, decode_revocations
from docaxis.directory import layout
from docaxis.directory.cache import Cache
from docaxis.directory.files import Fetch
from docaxis.directory.proof import Proof, prove
from docaxis.directory.renewal import Accepted, Answers, File, Pass, drive, renewal, step
from docaxis.directory.revocations import NOTHING_REVOKED, Judged, Revoked
from docaxis.directory.shards import Index
from docaxis.directory.state import EMPTY, State, read_state, write_state

CACHE_NAME: Final = "cache"
FETCHES_AT_ONCE_MAX: Final = 16
VERIFIED_KEPT_INTERVAL_MS: Final = 1 * HOUR_MS

_STATE: Final = "state"


class Repository:
    """The directory of one node. `book` is what the node looks things up in; None until one was verified."""

    def __init__(self, folder: Path, root: bytes) -> None:
        """`folder` holds the cache; `root` is the trusted root file. Call `open` instead to use what is cached."""
        self.book: Book | None = None
        self._root = root
        self._cache = Cache(folder / CACHE_NAME)
        self._accepted: Accepted | None = None
        self._state = EMPTY
        self._revoked = NOTHING_REVOKED
        self._heard: Fetch | None = None
        self._kept: Mapping[str, bytes] = {}
        self._busy = asyncio.Lock()
        self._keeping = asyncio.Lock()

    @classmethod
    def open(cls, folder: Path, root: bytes, now_ms: int) -> "Repository":
        """Verifies what the cache in `folder` holds, as of the time when it was last verified, and starts from there.

        A cache that does not hold together is left unused, except for the numbers in it, which stay a floor. Raises
        `OurFault` ``node.store`` where the disk fails. Blocks for some milliseconds per hundred agencies.
        """
        repository = cls(folder, root)
        repository._kept = files = repository._cache.load()
        repository._state = state = read_state(files.get(_STATE))
        repository._revoked = Revoked(state.revoked, {})
        if state.verified_ms:
            verified_ms = min(state.verified_ms, now_ms)
            steps = renewal(root, None, state.floor, state.verified_ms)
            try:
                accepted = drive(steps, lambda file: files.get(file.name))
            except TheirFault:
                return repository
            repository._adopt(accepted, verified_ms)
            with suppress(TheirFault):
                repository._honour(repository._judged(files.get(layout.REVOCATIONS, b"")))
        return repository

    async def refresh(self, sources: Fetch | Sequence[Fetch], now_ms: int) -> Book:
        """Asks the sources in order, takes the first that holds together, and returns the new book.

        Raises the last source's `DocaxisError` where none does (``directory.rollback``, ``.expired``, ``.threshold``,
        ``.mismatch``, ``.wrong-path``, ``.malformed``, ``codec.*``, ``peer.*``): the book in force stays, and ages.
        Raises `OurFault` ``node.disk-full`` or ``node.store`` where the new state is in force but could not be kept.
        """
        fault: DocaxisError = TheirFault("directory.not-found", "no source of the directory is configured")
        async with self._busy:
            for fetch in [sources] if callable(sources) else sources:
                try:
                    steps = renewal(self._root, self._accepted, self._state.floor, now_ms)
                    accepted = await self._converse(steps, fetch)
                except DocaxisError as error:
                    fault = error
                    continue
                officers = self._accepted and self._accepted.authorities
                self._adopt(accepted, now_ms)
                if officers != accepted.authorities:
                    obsolete = await asyncio.to_thread(self._revoked.obsolete, accepted)
                    self._revoked = self._revoked.without(obsolete)
                self._heard = fetch
                await self._hear(fetch)
                await self._keep()
                assert self.book is not None
                return self.book
        raise fault

    async def _converse(self, steps: Pass, fetch: Fetch) -> Accepted:
        """Answers a pass from the network, each step's files at once, and lets it think in a thread."""
        known = self._accepted.files if self._accepted else {}
        answers: Answers | None = None
        while True:
            wanted, accepted = await asyncio.to_thread(step, steps, answers)
            if accepted is not None:
                return accepted
            answers = await _fetch_all(fetch, wanted, known)

    def _adopt(self, accepted: Accepted, verified_ms: int) -> None:
        self._accepted = accepted
        self._state = self._state._replace(floor=accepted.versions, verified_ms=verified_ms)
        self._make_book()

    def _make_book(self) -> None:
        accepted = self._accepted
        if accepted is not None:
            entries, version = accepted.entries, accepted.versions.snapshot
            self.book = Book(
                entries.entry, entries.aliases, version, self._state.verified_ms, self._revoked.times, entries.nodes
            )

    # --- revocations: they count from whatever source, for each proves itself -------------------------------------

    async def revoke(self, raw: bytes) -> Judged:
        """Honours a file of revocations from anywhere, at once, and keeps it.

        Raises `TheirFault` ``codec.*``, or ``directory.not-found`` while no directory says who may revoke; `OurFault`
        ``node.disk-full`` or ``node.store`` where it is honoured but could not be kept.
        """
        judged = await asyncio.to_thread(self._judged, raw)
        if self._honour(judged):
            await self._keep()
        return judged

    async def gather(self, sources: Sequence[Fetch], patience_s: float) -> None:
        """Asks every source for revocations that are not known here, all at once, and honours what proves itself.

        A source that answers with nothing, with nonsense or not within `patience_s` harms nobody, nor does it delay
        the others. The one that gave the directory last is not asked again. Raises as `revoke` where it cannot keep.
        """
        if self._accepted is None:
            return
        before = self._revoked
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await asyncio.gather(*(self._hear(fetch) for fetch in sources if fetch is not self._heard))
        self._heard = None
        if self._revoked is not before:
            await self._keep()

    async def _hear(self, fetch: Fetch) -> None:
        """A source's revocations; one that fails after it gave a whole directory has still given one."""
        with suppress(DocaxisError):
            raw = await _required(fetch, layout.REVOCATIONS, REVOCATIONS_BYTES_MAX)
            self._honour(await asyncio.to_thread(self._judged, raw))

    def _judged(self, raw: bytes) -> Judged:
        accepted = self._accepted
        if accepted is None:
            raise TheirFault("directory.not-found", "no directory has been verified yet, so nobody may revoke")
        return self._revoked.judge(decode_revocations(raw), accepted)

    def _honour(self, judged: Judged) -> bool:
        """Whether it taught us something."""
        if judged.good:
            before, self._revoked = self._revoked, self._revoked.with_words(judged.good)
            if self._revoked.times != before.times:
                self._make_book()
        return bool(judged.good)

    # --- what is kept ---------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Appends what is new to the cache."""
        async with self._keeping:
            accepted = self._accepted
            assert accepted is not None
            self._state = self._state._replace(revoked=self._revoked.times)
            await asyncio.to_thread(self._append, accepted.files, self._state, self._revoked)

    def _append(self, verified: Mapping[str, bytes], state: State, revoked: Revoked) -> None:
        files = {**verified, layout.REVOCATIONS: revoked.file()}
        added = {name: raw for name, raw in files.items() if self._kept.get(name) != raw}
        kept_state = read_state(self._kept.get(_STATE))
        aged = state.verified_ms - kept_state.verified_ms
        if not added and state.revoked == kept_state.revoked and 0 <= aged < VERIFIED_KEPT_INTERVAL_MS:
            return
        files[_STATE] = added[_STATE] = write_state(state)
        self._cache.keep(added, files.keys(), files)
        self._kept = files

    # --- what others ask ----------------------------------------------------------------------------------------

    def serve(self, name: str) -> bytes | None:
        """A file of the repository as any node serves it, or None. Names are looked up, never opened as paths."""
        if name == layout.REVOCATIONS:
            return self._revoked.file()
        return self._accepted.files.get(name) if self._accepted else None

    def nodes(self) -> Iterator[Entry]:
        """The entries that have an endpoint of their own: whom a node may meet in TLS."""
        book = self.book
        if book is None:
            return
        for party in book.parties:
            if (entry := book.entry(party)) is not None:
                yield entry

    @property
    def entries(self) -> Index:
        """All entries; empty until a directory was verified."""
        return self._accepted.entries if self._accepted else Index(())

    def expiring(self, before_ms: int) -> list[str]:
        """Codes of agencies whose officers meant to sign anew before `before_ms`: a reminder, nothing stops."""
        roles = self._accepted.roles.values() if self._accepted else ()
        return [role.name for role in roles if role.expires_ms < before_ms]

    def prove(self, parties: Iterable[PartyId]) -> Proof:
        """What a stranger needs to check the keys of these parties; raises `TheirFault` ``party.unknown``."""
        if self._accepted is None:
            raise TheirFault("party.unknown", "no directory has been verified yet")
        return prove(self._accepted, parties)


async def _fetch_all(fetch: Fetch, wanted: Sequence[File], known: Mapping[str, bytes]) -> list[bytes | None]:
    """Files in the order asked for, several at once; what is known under a name that never changes is not fetched."""
    places = asyncio.Semaphore(FETCHES_AT_ONCE_MAX)

    async def one(file: File) -> bytes | None:
        if file.name != layout.TIMESTAMP and file.name in known:
            return known[file.name]
        async with places:
            return await (_optional if file.optional else _required)(fetch, file.name, file.bytes_max)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(file)) for file in wanted]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def _required(fetch: Fetch, name: str, bytes_max: int) -> bytes:
    raw = await fetch(name, bytes_max)
    if len(raw) > bytes_max:
        raise TheirFault("codec.too-long", f"{name} has {len(raw)} bytes, at most {bytes_max}")
    return raw


async def _optional(fetch: Fetch, name: str, bytes_max: int) -> bytes | None:
    try:
        return await _required(fetch, name, bytes_max)
    except TheirFault as error:
        if error.code == "directory.not-found":
            return None
        raise
