"""A turn: the handling of one event, from its first decision to the one signature over all it has to say.

Collects effects; makes statements and envelopes into objects of one tree. It holds the state of one event only.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from docaxis.core import limits, wire
from docaxis.core import signed as signing
from docaxis.core import statement as statements
from docaxis.core.effects import (
    AppendChange,
    Changed,
    Counted,
    Dequeue,
    Effects,
    Enqueue,
    LogRefusal,
    Noted,
    Op,
    PutHead,
    PutObject,
    PutRecord,
    Tell,
    Then,
)
from docaxis.core.ids import PartyId, StatementId
from docaxis.core.lifecycle import Code, State, merge
from docaxis.core.ports import Seal
from docaxis.core.record import Loaded, Record
from docaxis.core.signed import Signed
from docaxis.core.statement import Position, Statement
from docaxis.core.tree import leaf_hash

REFUSALS_KEPT_PER_TURN_MAX: Final = 8
"""Of what one event brings: whoever sends a batch of nonsense may not wash out what is kept of others' refusals."""


class Say(NamedTuple):
    """What this node states: a code, the recall it answers, and words for people."""

    code: Code
    answers: bytes | None = None
    reason: str = ""
    text: str = ""
    actor: str = ""


class _Draft(NamedTuple):
    body: bytes
    id: bytes
    kind: str
    position: Position
    use: Callable[[Signed], None]


class Turn:
    """Working state of one event. `number` is the event's; `entropy` is 32 bytes that nobody can guess."""

    def __init__(self, number: int, me: PartyId, epoch: int, directory: int, now_ms: int, entropy: bytes) -> None:
        self.number = number
        self.me = me
        self.epoch = epoch
        self.directory = directory
        self.now_ms = now_ms
        self.durable: list[Op] = []
        self.then: list[Then] = []
        self.tell: list[Tell] = []
        self.after_signing: list[Callable[[], None]] = []
        self._entropy = entropy
        self._nonces = 0
        self._refused = 0
        self._drafts: list[_Draft] = []
        self._heads: set[bytes] = set()

    def nonce(self) -> bytes:
        """16 bytes, different each time."""
        self._nonces += 1
        return sha256(self._entropy + self._nonces.to_bytes(4, "big")).digest()[:16]

    def draft(self, kind: str, body: bytes, position: Position, use: Callable[[Signed], None]) -> bytes:
        """Something of ours to be signed at the end of the turn, kept, and then used; its id."""
        object_id = leaf_hash(body)
        self._drafts.append(_Draft(body, object_id, kind, position, use))
        return object_id

    def keep(self, kind: str, object_id: bytes, signed: Signed, position: Position) -> None:
        """Keeps a signed object of anybody, and its head once."""
        head_id = sha256(signed.head.raw + signed.head.signature).digest()
        if head_id not in self._heads:
            self._heads.add(head_id)
            self.durable.append(PutHead(head_id, signed.head.raw, signed.head.signature))
        doc, recipient, by, epoch, seq = position
        path, kept_ms = b"".join(signed.path), self.now_ms
        self.durable.append(
            PutObject(
                object_id, kind, doc, recipient, by, head_id, signed.place, path, signed.body, kept_ms, epoch, seq
            )
        )

    def state(self, record: Record, say: Say, use: Callable[[Signed], None]) -> tuple[Record, StatementId]:
        """This node's next word about a record: the record after it, and the statement's id."""
        fresh_epoch = record.mine_epoch != self.epoch
        statement = Statement(
            by=self.me,
            doc=record.doc,
            sender=record.sender,
            recipient=record.recipient,
            code=say.code,
            epoch=self.epoch,
            seq=1 if fresh_epoch else record.mine_seq + 1,
            prev=record.mine_last,
            answers=None if say.answers is None else StatementId(say.answers),
            at_ms=self.now_ms,
            reason=say.reason,
            text=say.text,
            actor=say.actor,
            dir=self.directory,
        )
        said = self.draft(wire.STATEMENT, statements.encode(statement), statement.position, use)
        standing = merge(record.standing, say.code, said, say.answers)
        self.changed(record, say.code, standing.state, self.me)
        after = record._replace(
            standing=standing, mine_epoch=self.epoch, mine_seq=statement.seq, mine_last=said, updated_ms=self.now_ms
        )
        return after, StatementId(said)

    def changed(self, record: Record, code: Code, state: State, by: PartyId) -> None:
        """One line for the feed, and a call to whoever waits for it."""
        change = AppendChange(record.doc, record.recipient, record.outgoing, code, state, by, self.now_ms)
        self.durable.append(change)
        self.tell.append(Changed(record.doc, record.recipient, state))

    def put(self, loaded: Loaded) -> None:
        """The record, durable."""
        self.durable.append(PutRecord(loaded.record))

    def enqueue(self, peer: PartyId, lane: int, object_id: bytes) -> None:
        """The object must reach the peer."""
        self.durable.append(Enqueue(peer, lane, object_id))

    def drop_from_queue(self, peer: PartyId, object_id: bytes) -> None:
        """The object need not reach the peer any more."""
        self.durable.append(Dequeue(peer, object_id))

    def refuse(self, peer: str, code: str, detail: str) -> None:
        """Something from outside was refused: counted, told, and the first few of an event kept for the operator."""
        self._refused += 1
        if self._refused <= REFUSALS_KEPT_PER_TURN_MAX:
            self.durable.append(LogRefusal(peer, code, detail[:300], self.now_ms))
        self.tell.append(Counted("refused"))
        self.note("refused", "warning", peer=peer, code=code, detail=detail[:300])

    def note(self, event: str, level: str = "info", **fields: object) -> None:
        """One line for the log."""
        self.tell.append(Noted(event, level, fields))

    def _signed(self, seal: Seal, bodies: list[bytes]) -> Iterator[Signed]:
        """All bodies signed, with one signature for as many as a tree holds."""
        for start in range(0, len(bodies), limits.TREE_LEAVES_MAX):
            yield from signing.sign_together(seal, self.me, bodies[start : start + limits.TREE_LEAVES_MAX], self.now_ms)

    def finish(self, seal: Seal) -> Effects:
        """Signs everything together, puts the objects before the rows that name them, and gives the effects.

        The turn forgets what it was to do then: those acts know the turn, and two that know each other are freed only
        by the interpreter's collector, which would stop the node for it.
        """
        if self._drafts:
            rows, self.durable = self.durable, []
            bodies = [draft.body for draft in self._drafts]
            for draft, signed in zip(self._drafts, self._signed(seal, bodies), strict=True):
                self.keep(draft.kind, draft.id, signed, draft.position)
                draft.use(signed)
            self.durable += rows
        for act in self.after_signing:
            act()
        self.after_signing.clear()
        self._drafts.clear()
        return Effects(self.durable, self.then, self.tell)
