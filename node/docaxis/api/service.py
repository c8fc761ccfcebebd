"""What the local API needs of a running node, as one protocol; `docaxis.runtime.node.Node` keeps it.

Promises only. The API reads the store through `store`, and changes anything only through `submit`, `act`,
`keep_chunk`, `revoke` and `backup`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from docaxis.core.addresses import Book
from docaxis.core.envelope import File
from docaxis.core.events import Act, Submission
from docaxis.core.ids import DocId, PartyId
from docaxis.store.base import Change, Store


class NodeService(Protocol):
    """A running node, as its local API sees it. Every method raises `DocaxisError` with a code of the registry and
    nothing else; a node that is stopping answers ``node.stopping``, one at a limit ``node.busy``."""

    @property
    def me(self) -> PartyId:
        """The party whose node this is."""
        ...

    @property
    def book(self) -> Book:
        """The directory snapshot in use; a new object whenever a newer one was accepted."""
        ...

    @property
    def store(self) -> Store:
        """For reading only: `documents`, `document`, `starting`, `changes`, `last_change`, `refusals`, `totals`."""
        ...

    async def submit(self, submission: Submission) -> Mapping[str, object]:
        """Hands in one document and returns the machine's answer once it is durable.

        `submission.ticket` is 0 and replaced by the node. Chunks that are not in `inline` were kept with `keep_chunk`.
        """
        ...

    async def act(self, act: Act) -> Mapping[str, object]:
        """Hands in one statement of people and returns the machine's answer once it is durable; `ticket` as above."""
        ...

    async def keep_chunk(self, digest: bytes, data: bytes) -> None:
        """Keeps a chunk, durable on return, for a document that will name it; keeping one twice is one.

        Raises `TheirFault` ``content.corrupt`` unless `digest` is the SHA-256 of `data`, `OurFault` ``node.disk-full``.
        """
        ...

    async def chunk_sizes(self, digests: Sequence[bytes]) -> Mapping[bytes, int]:
        """The size in bytes of those of these chunks that are kept here; what is not kept is absent."""
        ...

    def open_file(self, file: File) -> AsyncIterator[bytes]:
        """The file's bytes, chunk by chunk, each checked against its digest.

        Raises, on the first step, `TheirFault` ``content.missing`` where a chunk has not come yet or was destroyed.
        """
        ...

    async def wait_changes(self, after: int, limit: int, wait_ms: int) -> list[Change]:
        """Lines of the feed above `after`, at once where there are any, else as soon as the feed grows, at the latest
        after `wait_ms` (then empty). Ends early, empty, when the node stops."""
        ...

    async def evidence(self, doc: DocId, recipients: Sequence[str] = ()) -> bytes:
        """The evidence file of a document (see ``node/docs/spec/evidence.md``), about these recipients, or all of them
        where none is named; raises ``document.unknown``, and ``codec.too-long`` for more than a file may hold."""
        ...

    async def status(self) -> Mapping[str, object]:
        """How the node is, for people: plain values, times as ``*_ms``."""
        ...

    def metrics(self) -> Mapping[str, int]:
        """Counters since the node started."""
        ...

    async def revoke(self, raw: bytes) -> Mapping[str, object]:
        """Honours a file of revocations (see ``node/docs/spec/directory.md``) at once, and says what it taught.

        Raises `TheirFault` ``codec.*``, ``directory.threshold`` or ``directory.wrong-path`` where nothing in it holds,
        ``directory.not-found`` while no directory says who may revoke; `OurFault` where it could not be kept."""
        ...

    async def backup(self, target: str) -> Mapping[str, object]:
        """Writes a consistent copy of the database and of the content into the new folder `target` while the node
        runs, and says what it wrote. Raises `OurFault` ``node.exists`` or ``node.disk-full``."""
        ...
