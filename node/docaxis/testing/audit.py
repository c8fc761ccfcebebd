"""The audit: what a set of nodes really did, counted from their own databases and from signatures that verify.

Reads stores of nodes that have stopped; believes nothing that a driver intended or a node reported, and of a row only
what a signature says too. It changes nothing.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from hashlib import sha256
from typing import Final, NamedTuple

from docaxis.core import envelope as envelopes
from docaxis.core import statement as statements
from docaxis.core.addresses import Book
from docaxis.core.effects import AppendChange
from docaxis.core.envelope import Envelope
from docaxis.core.errors import TheirFault
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import BY_SENDER, Code, Standing, State, merge
from docaxis.core.record import Record
from docaxis.core.signed import HEAD_CONTEXT, Signed, SignedHead, check_path, decode_head
from docaxis.core.statement import Statement
from docaxis.seal.sign import verify
from docaxis.store.base import REFUSALS_KEPT_MAX, Kept, Store
from docaxis.store.blobs import Blobs

PAGE: Final = 500

Key = tuple[DocId, PartyId]


class Kit(NamedTuple):
    """What one node has on its disk: its open database, and its chunks that are files."""

    store: Store
    blobs: Blobs


class Findings(NamedTuple):
    """Counts over all nodes. `transmissions`: every pair of document and recipient that any envelope, record or line
    of a feed speaks of; `deliveries`: those whose recipient announced the document and holds it; `receipts_verified`:
    those for which the sender holds the recipient's word on *arrived*, verified; `statements_verified`: all kept words
    that verify; `by_state`: transmissions by the state that the sender's verified words prove; `lost`: transmissions
    without a proven outcome, or whose recipient does not hold what it said it had; `duplicated`: arrivals beyond the
    first; `false`: kept objects whose signature does not hold, or that are not what their row says; `unproven`: records
    that claim another standing than the words kept beside them prove."""

    documents: int
    transmissions: int
    deliveries: int
    receipts_verified: int
    statements_verified: int
    by_state: dict[str, int]
    lost: int
    duplicated: int
    false: int
    unproven: int
    refusals: dict[str, int]


class Attempt(NamedTuple):
    """One attack that was played: `peer` is whom the victim took for the caller, `code` what it must be refused with,
    and `item` the word by which the refusal's detail names this very attempt."""

    kind: str
    peer: str
    code: str
    item: str


class Repeat(NamedTuple):
    """A genuine envelope that was handed in again by its own sender, and the ids of the receipts that answered
    (None: an answer without one)."""

    doc: DocId
    recipient: PartyId
    receipts: tuple[bytes | None, ...]


class Auditor:
    """Verifies objects against one directory; a head that many objects share is verified once."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._heads: dict[SignedHead, PartyId | None] = {}

    def author(self, signed: Signed) -> PartyId | None:
        """Who signed the object, or None where signature or path do not hold."""
        if signed.head not in self._heads:
            self._heads[signed.head] = self._signer(signed.head)
        signer = self._heads[signed.head]
        try:
            check_path(signed, decode_head(signed.head.raw))
        except TheirFault:
            return None
        return signer

    def envelope(self, doc: DocId, kept: Kept) -> Envelope | None:
        """The envelope, if its sender signed it and it is the document that its row says."""
        with suppress(TheirFault):
            envelope = envelopes.decode(kept.signed.body)
            if self.author(kept.signed) == kept.by == envelope.sender and kept.signed.id == doc:
                return envelope
        return None

    def statement(self, doc: DocId, kept: Kept) -> Statement | None:
        """The statement, if a party that may state it signed it, on the transmission that its row says."""
        with suppress(TheirFault):
            said = statements.decode(kept.signed.body)
            speaks_for = said.sender if said.code in BY_SENDER else said.recipient
            holds = self.author(kept.signed) == kept.by == said.by and self._book.answers_for(said.by, speaks_for)
            if holds and (said.doc, said.recipient) == (doc, kept.recipient):
                return said
        return None

    def _signer(self, signed: SignedHead) -> PartyId | None:
        try:
            head = decode_head(signed.raw)
            key = self._book.signing_key(head.signer, head.key, head.at_ms)
        except TheirFault:
            return None
        holds = verify(head.alg, key.public, HEAD_CONTEXT + signed.raw, signed.signature)
        return head.signer if holds and key.alg == head.alg else None


class _Side:
    """What one node has: rows as they are, and of objects those that verify."""

    def __init__(self) -> None:
        self.sent: dict[Key, Record] = {}
        self.received: dict[Key, Record] = {}
        self.told: dict[Key, dict[bytes, Statement]] = {}
        self.envelopes: dict[DocId, Envelope] = {}
        self.whole: set[DocId] = set()
        self.arrivals: Counter[Key] = Counter()
        self.announced: set[Key] = set()
        self.false = 0

    def standing(self, key: Key) -> Standing:
        """What the words kept here prove of a transmission."""
        words = self.told.get(key, {}).items()
        return reduce(lambda known, word: merge(known, word[1].code, word[0], word[1].answers), words, Standing())

    def has(self, key: Key, code: Code) -> bool:
        """Whether such a word on a transmission is kept here."""
        return any(said.code is code for said in self.told.get(key, {}).values())

    def holds(self, key: Key) -> bool:
        """Whether an incoming document is here, with all its content unless that was given back."""
        there = key in self.received and key[0] in self.envelopes
        return there and (key[0] in self.whole or self.standing(key).agreed)

    def arrived(self, key: Key) -> int:
        """How often an incoming document has arrived: for people, or by this node's word."""
        words = self.told.get(key, {}).values() if key in self.received else ()
        return max(self.arrivals[key], sum(said.code is Code.ARRIVED for said in words))

    def transmissions(self) -> set[Key]:
        """Every transmission that anything here speaks of."""
        addressed = {(doc, to) for doc, envelope in self.envelopes.items() for to in envelope.to}
        return addressed | self.sent.keys() | self.received.keys() | self.announced

    def unproven(self) -> int:
        """Records that claim what the words beside them do not prove."""
        records = (*self.sent.items(), *self.received.items())
        return sum(record.standing != self.standing(key) for key, record in records)


async def audit(kits: Mapping[PartyId, Kit], book: Book) -> Findings:
    """Counts over what all nodes have on their disks, by the id of their party."""
    auditor = Auditor(book)
    sides = {party: await _read(kit, auditor) for party, kit in kits.items()}
    refusals: Counter[str] = Counter()
    for kit in kits.values():
        refusals.update(refusal.code for refusal in await kit.store.refusals(REFUSALS_KEPT_MAX))
    keys = {key for side in sides.values() for key in side.transmissions()}
    senders = {key: side for side in sides.values() for key in side.sent}
    receivers = {key: sides.get(_home(book, key[1])) for key in keys}
    arrived = {key: side.arrived(key) if (side := receivers[key]) else 0 for key in keys}
    states = Counter(side.standing(key).state.name.lower() for key, side in senders.items())
    return Findings(
        documents=len({doc for doc, _ in keys}),
        transmissions=len(keys),
        deliveries=sum(arrived[key] > 0 and _holds(receivers[key], key) for key in keys),
        receipts_verified=sum(side.has(key, Code.ARRIVED) for key, side in senders.items()),
        statements_verified=sum(len(words) for side in sides.values() for words in side.told.values()),
        by_state=dict(sorted(states.items())),
        lost=sum(not _accounted(key, senders.get(key), receivers[key]) for key in keys),
        duplicated=sum(max(0, times - 1) for times in arrived.values()),
        false=sum(side.false for side in sides.values()),
        unproven=sum(side.unproven() for side in sides.values()),
        refusals=dict(sorted(refusals.items())),
    )


async def refused(victim: Store, attempts: Sequence[Attempt]) -> list[str]:
    """The kinds of those attempts that the victim's database shows as refused: by caller, code and item."""
    rows = await victim.refusals(REFUSALS_KEPT_MAX)
    return [
        attempt.kind
        for attempt in attempts
        if any((row.peer, row.code) == (attempt.peer, attempt.code) and attempt.item in row.detail for row in rows)
    ]


async def without_effect(recipient: Store, repeat: Repeat) -> bool:
    """Whether a repeated envelope was answered with the one receipt there is, and nothing was kept or told twice."""
    records, kept = await recipient.document(repeat.doc)
    arrived = [each.signed.id for each in kept if each.kind == "statement" and _code(each) is Code.ARRIVED]
    envelopes_kept = sum(each.kind == "envelope" for each in kept)
    announced = (await _arrivals(recipient))[repeat.doc, repeat.recipient]
    once = (len(records), envelopes_kept, announced, len(arrived)) == (1, 1, 1, 1)
    return once and bool(repeat.receipts) and set(repeat.receipts) == set(arrived)


def _code(kept: Kept) -> Code | None:
    with suppress(TheirFault):
        return statements.decode(kept.signed.body).code
    return None


def _home(book: Book, party: PartyId) -> PartyId:
    """Whose node answers for the party; the party itself where the directory leads nowhere."""
    with suppress(TheirFault):
        return book.resolve(party)
    return party


def _holds(side: _Side | None, key: Key) -> bool:
    return side is not None and side.holds(key)


def _accounted(key: Key, sender: _Side | None, receiver: _Side | None) -> bool:
    """Whether the sender holds verified evidence of an outcome, and the recipient the document it says it has."""
    if sender is None or key[0] not in sender.envelopes:
        return False
    if sender.has(key, Code.ARRIVED):
        return _holds(receiver, key)
    return sender.standing(key).progress in (State.EXPIRED, State.REFUSED)


async def _read(kit: Kit, auditor: Auditor) -> _Side:
    side = _Side()
    side.sent = {record.key: record async for record in _records(kit.store, outgoing=True)}
    side.received = {record.key: record async for record in _records(kit.store, outgoing=False)}
    side.arrivals = await _arrivals(kit.store)
    side.announced = {(line.doc, line.recipient) async for line in _feed(kit.store)}
    for doc in dict.fromkeys(key[0] for key in (*side.sent, *side.received, *side.announced)):
        for kept in (await kit.store.document(doc))[1]:
            _take(side, auditor, doc, kept)
        if doc in side.envelopes and await _is_whole(kit, side.envelopes[doc]):
            side.whole.add(doc)
    return side


def _take(side: _Side, auditor: Auditor, doc: DocId, kept: Kept) -> None:
    """One kept object: into the side it belongs to if it holds, else counted."""
    if kept.kind == "envelope" and (envelope := auditor.envelope(doc, kept)) is not None:
        side.envelopes[doc] = envelope
    elif kept.kind == "statement" and (said := auditor.statement(doc, kept)) is not None:
        side.told.setdefault((doc, said.recipient), {})[kept.signed.id] = said
    else:
        side.false += 1


async def _is_whole(kit: Kit, envelope: Envelope) -> bool:
    """Whether every chunk is on this node's disk, with the bytes that were signed."""
    for digest in envelopes.chunk_digests(envelope.files):
        found = await kit.store.content(digest) or await kit.blobs.read(digest)
        if found is None or sha256(found).digest() != digest:
            return False
    return True


async def _records(store: Store, outgoing: bool) -> AsyncIterator[Record]:
    before: tuple[int, bytes, str] | None = None
    while page := await store.documents(outgoing, before, PAGE, None):
        for record, _ in page:
            yield record
        last = page[-1][0]
        before = (last.created_ms, last.doc, last.recipient)


async def _feed(store: Store) -> AsyncIterator[AppendChange]:
    after = 0
    while lines := await store.changes(after, PAGE):
        for line in lines:
            yield line.change
        after = lines[-1].cursor


async def _arrivals(store: Store) -> Counter[Key]:
    """How often each incoming document was announced as arrived to people here."""
    lines = [line async for line in _feed(store) if line.code is Code.ARRIVED and not line.outgoing]
    return Counter((line.doc, line.recipient) for line in lines)
