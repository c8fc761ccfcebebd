"""What tests hand in to a host of the circle: envelopes and statements, genuine or not, and what is answered."""

from hashlib import sha256
from typing import Any

from docaxis.core import envelope as envelopes
from docaxis.core import limits, wire
from docaxis.core import statement as statements
from docaxis.core.envelope import Envelope, Priority
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code
from docaxis.core.signed import SignedHead, sign_together
from docaxis.core.statement import Statement
from docaxis.core.wire import Batch, Item, Result
from docaxis.seal.sign import NodeSeal
from tests.core.circle import Circle, Host, seal_of

G22, H49, H55 = PartyId("G22"), PartyId("H49"), PartyId("H55")
DATA = b"noi dung" * 20
DIGEST = sha256(DATA).digest()


def an_envelope(circle: Circle, **changes: Any) -> Envelope:
    """An envelope from G22 to H49."""
    made = Envelope(
        G22, (H49,), "new", None, None, circle.now_ms, circle.now_ms + limits.DAY_MS, Priority.NORMAL,
        {"subject": "x"}, (), envelopes.CLEAR, 1, bytes(16), {},
    )  # fmt: skip
    return made._replace(**changes)


def signed_item(
    kind: str, body: bytes, at_ms: int, by: str = "G22", seal: NodeSeal | None = None, inline: tuple[bytes, ...] = ()
) -> Item:
    """An object signed by a party, with its own key unless another is given."""
    (signed,) = sign_together(seal or seal_of(by), PartyId(by), [body], at_ms)
    return Item(kind, signed.id, signed, inline)


def envelope_item(circle: Circle, envelope: Envelope, **how: Any) -> Item:
    """The envelope as it travels."""
    return signed_item(wire.ENVELOPE, envelopes.encode(envelope), circle.now_ms, **how)


def a_statement(circle: Circle, doc: DocId, **changes: Any) -> Statement:
    """H49 says that it has received a document of G22."""
    made = Statement(
        H49, doc, G22, H49, Code.RECEIVED, circle["H49"].tables.life(0).epoch, 2, bytes(32), None, circle.now_ms,
        "", "", "", 1,
    )  # fmt: skip
    return made._replace(**changes)


def statement_item(circle: Circle, said: Statement, **how: Any) -> Item:
    """The statement as it travels, signed by its author unless told otherwise."""
    return signed_item(wire.STATEMENT, statements.encode(said), circle.now_ms, **({"by": said.by} | how))


def hand_in(host: Host, *items: Item, peer: str = "G22", to: str = "") -> tuple[Result, ...]:
    """What the host answers to these items."""
    batch = Batch(PartyId(peer), PartyId(to or host.code), 1, 0, 1, items)
    results = host.hand_in(peer, batch).results
    host.circle.settle()
    return results


def nothing_kept(host: Host) -> bool:
    """Whether the host's store is as empty as in the beginning."""
    totals = host.tables.totals()
    return (totals.envelopes, totals.statements, totals.queued, totals.incoming) == (0, 0, 0, {})


def forged(item: Item) -> Item:
    """The same with a signature that does not hold."""
    head = SignedHead(item.signed.head.raw, bytes(64))
    return item._replace(signed=item.signed._replace(head=head))
