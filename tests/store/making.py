"""Small true documents for the tests of stores: envelopes that decode, statements, records, and the ops to keep them.

Heads are any bytes here: a store never looks into them.
"""

from hashlib import sha256
from typing import Any, NamedTuple

from docaxis.core import envelope as envelopes
from docaxis.core.effects import AppendChange, Enqueue, Op, PutContent, PutHead, PutObject, PutRecord
from docaxis.core.envelope import Envelope, Priority
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, Standing, State
from docaxis.core.limits import DAY_MS
from docaxis.core.record import Record
from docaxis.core.statement import Position
from docaxis.core.tree import leaf_hash

ME = PartyId("G22")
H49 = PartyId("H49")
H57 = PartyId("H57")
NOW_MS = 1_790_000_000_000


class Made(NamedTuple):
    """A document as a store may come to hold it."""

    doc: DocId
    body: bytes
    sender: PartyId
    to: tuple[PartyId, ...]
    chunks: tuple[bytes, ...]

    @property
    def outgoing(self) -> bool:
        """Whether it is ours."""
        return self.sender == ME

    def digests(self) -> list[bytes]:
        """Digests of its chunks."""
        return [sha256(chunk).digest() for chunk in self.chunks]

    def envelope(self, kept_ms: int = NOW_MS, head: bytes | None = None) -> PutObject:
        """Its envelope."""
        named = head or put_head(1).head
        return PutObject(self.doc, "envelope", self.doc, "", self.sender, named, 0, b"", self.body, kept_ms)

    def statement(
        self, number: int, recipient: PartyId | None = None, kept_ms: int = NOW_MS, seq: int = 0
    ) -> PutObject:
        """Some statement about it; its place in its author's chain is its number unless `seq` says otherwise."""
        recipient = recipient or self.to[0]
        body = b"statement %d of " % number + self.doc + recipient.encode()
        path = sha256(body).digest() * 2
        return PutObject(
            leaf_hash(body), "statement", self.doc, recipient, recipient, put_head(2).head, 1, path, body, kept_ms,
            1, seq or number,
        )  # fmt: skip

    def position(self, seq: int, recipient: PartyId | None = None) -> Position:
        """A place in the chain of a recipient."""
        recipient = recipient or self.to[0]
        return Position(self.doc, recipient, recipient, 1, seq)

    def record(self, recipient: PartyId | None = None, **changes: Any) -> Record:
        """What is known of it at a recipient."""
        fresh = Record(
            doc=self.doc,
            recipient=recipient or self.to[0],
            sender=self.sender,
            outgoing=self.outgoing,
            priority=0,
            created_ms=NOW_MS,
            expires_ms=NOW_MS + DAY_MS,
            standing=Standing(),
            mine_epoch=0,
            mine_seq=0,
            mine_last=self.doc,
            theirs_epoch=0,
            theirs_seq=0,
            theirs_last=self.doc,
            waits="",
            due_ms=0,
            tries=0,
            superseded_by=None,
            receipt=None,
            updated_ms=NOW_MS,
        )
        return fresh._replace(**changes)

    def claims(self) -> list[Op]:
        """Its chunks, inline."""
        return [PutContent(self.doc, sha256(chunk).digest(), chunk) for chunk in self.chunks]

    def submitted(self, **changes: Any) -> list[Op]:
        """Everything that its sender keeps when it is handed in."""
        return [
            *heads(),
            self.envelope(),
            *(PutRecord(self.record(recipient, **changes)) for recipient in self.to),
            *self.claims(),
            *(Enqueue(recipient, 2, self.doc) for recipient in self.to),
        ]

    def change(self, code: Code = Code.ARRIVED, state: State = State.ARRIVED) -> AppendChange:
        """A line of the feed."""
        return AppendChange(self.doc, self.to[0], self.outgoing, code, state, self.to[0], NOW_MS)


def make(number: int, *to: PartyId, sender: PartyId = ME, chunks: tuple[bytes, ...] = ()) -> Made:
    """The document with this number; the same arguments give the same one."""
    files = tuple(
        envelopes.make_file(f"{place}.pdf", "application/pdf", len(chunk), len(chunk), (sha256(chunk).digest(),))
        for place, chunk in enumerate(chunks)
    )
    body = envelopes.encode(
        Envelope(
            sender=sender,
            to=to or (H49,),
            kind="new",
            ref=None,
            thread=None,
            created_ms=NOW_MS,
            expires_ms=NOW_MS + DAY_MS,
            priority=Priority.NORMAL,
            meta={"subject": f"Document {number}"},
            files=files,
            enc=envelopes.CLEAR,
            dir=1,
            nonce=number.to_bytes(16, "big"),
            written_as={},
        )
    )
    return Made(envelopes.envelope_id(body), body, sender, to or (H49,), chunks)


def put_head(number: int) -> PutHead:
    """The signed head with this number."""
    raw = b"head %d" % number
    return PutHead(sha256(raw).digest(), raw, b"signature %d" % number)


def heads() -> list[PutHead]:
    """The heads under which everything made here is signed."""
    return [put_head(1), put_head(2)]
