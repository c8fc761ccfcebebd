"""Events: everything that can happen to a node, as plain values.

Drivers make them and hand them to `Machine.handle` one after the other; they decide nothing.
"""

from typing import NamedTuple

from docaxis.core.addresses import Book
from docaxis.core.effects import PutPeer
from docaxis.core.envelope import File
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code
from docaxis.core.record import Loaded
from docaxis.core.wire import Batch, Item, Reply


class Submission(NamedTuple):
    """What a clerk's software hands in. `to` are codes or aliases as written; chunks of `files` are durable already,
    except those in `inline` (one bytes object per chunk digest, all of them or none). `expires_ms` 0: the default."""

    ticket: int
    key: str
    digest: bytes
    to: tuple[str, ...]
    kind: str
    ref: DocId | None
    priority: int
    expires_ms: int
    meta: dict[str, str]
    files: tuple[File, ...]
    inline: tuple[bytes, ...]


class Submitted(NamedTuple):
    """Documents handed in together; they share one signature."""

    submissions: tuple[Submission, ...]


class Act(NamedTuple):
    """What people state about a document: `code` is one of `lifecycle.BY_PEOPLE`. `recipient` empty: the only one
    (for the sender of several, every one that may still be recalled)."""

    ticket: int
    key: str
    digest: bytes
    doc: DocId
    recipient: str
    code: Code
    text: str
    actor: str


class Acted(NamedTuple):
    """Acts made together; they share one signature."""

    acts: tuple[Act, ...]


class Inbound(NamedTuple):
    """A batch from `peer`, which TLS and the directory have authenticated."""

    ticket: int
    peer: PartyId
    batch: Batch


class Delivered(NamedTuple):
    """The peer answered a `Send`."""

    peer: PartyId
    flight: int
    reply: Reply


class Undelivered(NamedTuple):
    """A `Send` failed: `code` is of the registry (``peer.*``, ``party.*``), `wait_ms` what the peer asked for."""

    peer: PartyId
    flight: int
    code: str
    detail: str
    wait_ms: int


class Fetched(NamedTuple):
    """All chunks of a `Fetch` are verified and durable."""

    doc: DocId
    recipient: PartyId


class NotFetched(NamedTuple):
    """A `Fetch` failed; what was verified so far is kept."""

    doc: DocId
    recipient: PartyId
    code: str
    detail: str


class QueueLoaded(NamedTuple):
    """Answer to `LoadQueue`: each item with the count of its own failures; fewer than asked means no more."""

    peer: PartyId
    lane: int
    items: tuple[tuple[Item, int], ...]


class DueLoaded(NamedTuple):
    """Answer to `LoadDue`."""

    records: tuple[Loaded, ...]
    more: bool


class DirectoryChanged(NamedTuple):
    """A newer or fresher snapshot was accepted, or a revocation."""

    book: Book


class Woke(NamedTuple):
    """The time of the last `WakeAt` has come."""


class Started(NamedTuple):
    """First event of a life: what the store holds. `waiting` names each (peer, lane) with queued objects, `peers` the
    delivery state of each peer known. `since_ms` is not 0 where the store was restored from a backup of that time."""

    epoch: int
    since_ms: int
    peers: tuple[PutPeer, ...]
    waiting: tuple[tuple[PartyId, int], ...]


Event = (
    Submitted
    | Acted
    | Inbound
    | Delivered
    | Undelivered
    | Fetched
    | NotFetched
    | QueueLoaded
    | DueLoaded
    | DirectoryChanged
    | Woke
    | Started
)
