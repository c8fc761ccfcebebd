"""The audit: what a set of nodes really did, counted from their own databases and from signatures that verify.

Reads stores of nodes that have stopped; believes nothing that a driver intended or a node reported. It changes nothing.
"""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Final, NamedTuple

from docaxis.core import statement as statements
from docaxis.core.addresses import Book
from docaxis.core.errors import TheirFault
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.record import Record
from docaxis.core.signed import HEAD_CONTEXT, Signed, SignedHead, check_path, decode_head
from docaxis.seal.sign import verify
from docaxis.store.base import Kept, Store

PAGE: Final = 500


class Findings(NamedTuple):
    """Counts over all nodes. `deliveries`: transmissions whose recipient holds the document; `receipts_verified`:
    recipients' words on *arrived* that the sender holds and that verify; `statements_verified`: all words that do;
    `lost`: transmissions without a verified outcome, or not held by a recipient that said it had them; `duplicated`:
    transmissions that arrived more than once; `false`: objects whose signature does not hold."""

    documents: int
    transmissions: int
    deliveries: int
    receipts_verified: int
    statements_verified: int
    by_state: dict[str, int]
    lost: int
    duplicated: int
    false: int
    refusals: dict[str, int]


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

    def _signer(self, signed: SignedHead) -> PartyId | None:
        try:
            head = decode_head(signed.raw)
            key = self._book.signing_key(head.signer, head.key, head.at_ms)
        except TheirFault:
            return None
        holds = verify(head.alg, key.public, HEAD_CONTEXT + signed.raw, signed.signature)
        return head.signer if holds and key.alg == head.alg else None


class _Side(NamedTuple):
    """What one node's database says."""

    sent: dict[tuple[DocId, PartyId], Record]
    received: dict[tuple[DocId, PartyId], Record]
    arrivals: Counter[tuple[DocId, PartyId]]
    proven: set[tuple[DocId, PartyId, Code]]
    statements: int
    receipts: int
    false: int


async def audit(stores: Mapping[PartyId, Store], book: Book) -> Findings:
    """Counts over the open `stores` of all nodes, by the id of their party."""
    auditor = Auditor(book)
    sides = {party: await _read(store, auditor) for party, store in stores.items()}
    refusals: Counter[str] = Counter()
    for store in stores.values():
        refusals.update(refusal.code for refusal in await store.refusals(PAGE))
    sent = {key: (side, record) for side in sides.values() for key, record in side.sent.items()}
    lost = sum(not _accounted(key, side, record, sides, book) for key, (side, record) in sent.items())
    states = Counter(record.standing.state.name.lower() for _, record in sent.values())
    arrivals = sum((side.arrivals for side in sides.values()), Counter[tuple[DocId, PartyId]]())
    return Findings(
        documents=len({doc for doc, _ in sent}),
        transmissions=len(sent),
        deliveries=len([key for key in sent if key in arrivals]),
        receipts_verified=sum(side.receipts for side in sides.values()),
        statements_verified=sum(side.statements for side in sides.values()),
        by_state=dict(sorted(states.items())),
        lost=lost,
        duplicated=sum(times - 1 for times in arrivals.values()),
        false=sum(side.false for side in sides.values()),
        refusals=dict(sorted(refusals.items())),
    )


def _accounted(
    key: tuple[DocId, PartyId], side: _Side, record: Record, sides: Mapping[PartyId, _Side], book: Book
) -> bool:
    """Whether the sender holds verified evidence of an outcome, and the recipient the document it says it has."""
    state = record.standing.state
    if state is State.EXPIRED:
        return (*key, Code.EXPIRED) in side.proven
    if state is State.REFUSED and (*key, Code.ARRIVED) not in side.proven:
        return (*key, Code.REFUSED) in side.proven
    holder = sides.get(book.resolve(key[1]))
    return (*key, Code.ARRIVED) in side.proven and holder is not None and key in holder.received


async def _read(store: Store, auditor: Auditor) -> _Side:
    sent = {record.key: record async for record in _records(store, outgoing=True)}
    received = {record.key: record async for record in _records(store, outgoing=False)}
    proven: set[tuple[DocId, PartyId, Code]] = set()
    statements_held = receipts = false = 0
    for doc in {key[0] for key in (*sent, *received)}:
        for kept in (await store.document(doc))[1]:
            code = _proven(kept, auditor)
            if code is None:
                false += 1
            elif isinstance(code, Code):
                proven.add((doc, PartyId(kept.recipient), code))
                statements_held += 1
                receipts += code is Code.ARRIVED and (doc, PartyId(kept.recipient)) in sent
    arrivals = await _arrivals(store)
    return _Side(sent, received, arrivals, proven, statements_held, receipts, false)


def _proven(kept: Kept, auditor: Auditor) -> Code | str | None:
    """The code of a statement that holds, ``envelope`` for an envelope that does, else None."""
    if auditor.author(kept.signed) != kept.by:
        return None
    if kept.kind != "statement":
        return kept.kind
    said = statements.decode(kept.signed.body)
    return said.code if said.by == kept.by else None


async def _records(store: Store, outgoing: bool) -> AsyncIterator[Record]:
    before: tuple[int, bytes, str] | None = None
    while page := await store.documents(outgoing, before, PAGE, None):
        for record, _ in page:
            yield record
        last = page[-1][0]
        before = (last.created_ms, last.doc, last.recipient)


async def _arrivals(store: Store) -> Counter[tuple[DocId, PartyId]]:
    """How often each incoming document was announced as arrived to people here."""
    found: Counter[tuple[DocId, PartyId]] = Counter()
    after = 0
    while lines := await store.changes(after, PAGE):
        for line in lines:
            change = line.change
            if change.code is Code.ARRIVED and not change.outgoing:
                found[change.doc, change.recipient] += 1
        after = lines[-1].cursor
    return found
