"""Effects: everything a node can want, as plain values in three groups.

A driver performs a handled event's effects in this order: `durable` (one transaction, fsync) → `then` → `tell`.
Nothing in `then` or `tell` may happen before `durable` is on disk, nor before the durable part of any event
handled earlier. Effects decide nothing; the machine has decided.
"""

from typing import NamedTuple

from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.record import Record

# --- durable: rows. Each is a plain tuple, so that a store can hand it to its engine unchanged. -------------------


class PutHead(NamedTuple):
    """Keep a signed head; `head` is the SHA-256 of `raw`. Keeping one twice is one."""

    head: bytes
    raw: bytes
    signature: bytes


class PutObject(NamedTuple):
    """Keep a signed object for ever: `kind` is ``envelope`` or ``statement``.

    `place` and `path` (hashes joined) lead to its head.
    `doc` is the document it is about and `recipient` the transmission (empty for an envelope, which serves all).
    `epoch` and `seq`: a statement's position in the chain of its author `by`.
    """

    id: bytes
    kind: str
    doc: DocId
    recipient: str
    by: PartyId
    head: bytes
    place: int
    path: bytes
    body: bytes
    kept_ms: int
    epoch: int = 0
    seq: int = 0


class PutRecord(NamedTuple):
    """Insert or overwrite the record of its key."""

    record: Record


class PutContent(NamedTuple):
    """The document names this chunk; `inline` holds its bytes where they travel with the envelope (else a file)."""

    doc: DocId
    digest: bytes
    inline: bytes | None


class DropContent(NamedTuple):
    """Forget the document's claim on its chunks; chunks that no document names are destroyed."""

    doc: DocId


class Enqueue(NamedTuple):
    """One object must reach one peer. The store assigns ever-growing sequence numbers; twice the same is once."""

    peer: PartyId
    lane: int
    object: bytes


class Dequeue(NamedTuple):
    """The object has reached the peer, or never will and evidence of that is kept."""

    peer: PartyId
    object: bytes


class Postpone(NamedTuple):
    """Not before `not_before_ms`; `fails` counts this item's own failures."""

    peer: PartyId
    object: bytes
    not_before_ms: int
    fails: int


class PutPeer(NamedTuple):
    """Delivery state of a peer: consecutive failures, since when, next attempt, and the peer's log epoch."""

    peer: PartyId
    fails: int
    down_since_ms: int
    next_try_ms: int
    epoch: int


class PutRequest(NamedTuple):
    """What an idempotency key was answered: `digest` is the SHA-256 of the request, `answer` canonical bytes."""

    key: str
    digest: bytes
    answer: bytes
    at_ms: int


class AppendChange(NamedTuple):
    """One line in the feed that people's software reads; the store assigns the cursor."""

    doc: DocId
    recipient: PartyId
    outgoing: bool
    code: Code
    state: State
    by: PartyId
    at_ms: int


class LogRefusal(NamedTuple):
    """Something from outside was refused; bounded, the oldest rows go first."""

    peer: str
    code: str
    detail: str
    at_ms: int


class Resend(NamedTuple):
    """Queue for `peer` again, in `lane`, every object exchanged with it and kept at or after `since_ms`:
    envelopes and statements of both parties, so that a peer restored from a backup gets back what it forgot."""

    peer: PartyId
    lane: int
    since_ms: int


Op = (
    PutHead
    | PutObject
    | PutRecord
    | PutContent
    | DropContent
    | Enqueue
    | Dequeue
    | Postpone
    | PutPeer
    | PutRequest
    | AppendChange
    | LogRefusal
    | Resend
)

# --- then: acts that need what is durable -------------------------------------------------------------------------


class Send(NamedTuple):
    """PUT `body` to one of `endpoints`; report `events.Delivered` or `events.Undelivered` with the same `flight`."""

    peer: PartyId
    flight: int
    endpoints: tuple[str, ...]
    batch: bytes
    body: bytes


class Reply(NamedTuple):
    """Answer the peer's request `ticket` with these bytes."""

    ticket: int
    body: bytes


class Answer(NamedTuple):
    """Answer the local request `ticket`: `value` on success, else the error's code and detail."""

    ticket: int
    value: dict[str, object] | None
    code: str = ""
    detail: str = ""


class Fetch(NamedTuple):
    """Pull these chunks of a document from `peer`; keep each once it is verified; report `events.Fetched` or
    `events.NotFetched`."""

    doc: DocId
    recipient: PartyId
    peer: PartyId
    endpoints: tuple[str, ...]
    digests: tuple[bytes, ...]
    sizes: tuple[int, ...]


class LoadQueue(NamedTuple):
    """Read queued objects for `peer` in `lane`, oldest first, due by `now_ms`; report `events.QueueLoaded`."""

    peer: PartyId
    lane: int
    now_ms: int
    limit: int


class LoadDue(NamedTuple):
    """Read records with ``0 < due_ms <= before_ms``, earliest first; report `events.DueLoaded`."""

    before_ms: int
    limit: int


class WakeAt(NamedTuple):
    """Report `events.Woke` at this time; the latest wish replaces any earlier one."""

    at_ms: int


Then = Send | Reply | Answer | Fetch | LoadQueue | LoadDue | WakeAt

# --- tell: for people and metrics ---------------------------------------------------------------------------------


class Changed(NamedTuple):
    """The feed has grown; wake whoever waits for changes."""

    doc: DocId
    recipient: PartyId
    state: State


class Noted(NamedTuple):
    """One line for the log: a stable event name, and ids and numbers (never secrets)."""

    event: str
    level: str
    fields: dict[str, object]


class Counted(NamedTuple):
    """Add to a counter."""

    name: str
    amount: int = 1


Tell = Changed | Noted | Counted


class Effects(NamedTuple):
    """What one event leads to."""

    durable: list[Op]
    then: list[Then]
    tell: list[Tell]
