"""The evidence file: everything signed about one document in one canonical object, closed by a signed index.

Format only: making and reading. Whether what was read holds is said by `docaxis.core.evidence`. Proofs of keys are
opaque bytes here, made and opened by the directory. Specification: ``node/docs/spec/evidence.md``.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from docaxis.core import codec, limits
from docaxis.core import envelope as envelopes
from docaxis.core import signed as signing
from docaxis.core import statement as statements
from docaxis.core.errors import TheirFault
from docaxis.core.ids import HASH_BYTES, DocId, PartyId, party_id
from docaxis.core.ports import Seal
from docaxis.core.signed import Signed, SignedHead
from docaxis.core.tree import leaf_hash, root_of

_FIELDS: Final = frozenset({"type", "heads", "envelope", "statements", "proofs", "index"})
_INDEX_FIELDS: Final = frozenset({"type", "doc", "by", "at", "epoch", "to", "statements", "proofs"})


class Evidence(NamedTuple):
    """A file as read: signed objects in the file's order, and the directory's proofs of keys and names, opaque here.
    `heads_in_order` says whether its heads stood there as they must; that is judged last, because where a statement was
    taken out or moved, that is the better thing to say."""

    envelope: Signed
    statements: tuple[Signed, ...]
    proofs: tuple[bytes, ...]
    closing: Signed
    heads_in_order: bool = True


class Index(NamedTuple):
    """The exporter's signed word about what the file holds: transmissions covered, statements in order, and the root
    over the proofs. `at_ms` is when it was exported, `epoch` that of the exporter's log."""

    doc: DocId
    by: PartyId
    at_ms: int
    epoch: int
    to: tuple[PartyId, ...]
    statements: tuple[bytes, ...]
    proofs: bytes


def build(
    seal: Seal,
    exporter: PartyId,
    epoch: int,
    at_ms: int,
    envelope: Signed,
    kept: Sequence[Signed],
    to: Sequence[PartyId],
    proofs: Sequence[bytes],
) -> bytes:
    """The evidence file about the transmissions to `to`, closed with an index that `exporter` signs.

    `kept` are the document's statements in the order in which they were kept; those about others are left out.
    Raises `TheirFault` ``codec.*`` for statements that cannot be read and for more than a file may hold.
    """
    told = [(statements.decode(each.body).recipient, each) for each in kept]
    chosen = [each for recipient in to for about, each in told if about == recipient]
    if len(chosen) > limits.EVIDENCE_STATEMENTS_MAX:
        raise TheirFault("codec.too-long", f"{len(chosen)} statements, at most {limits.EVIDENCE_STATEMENTS_MAX}")
    ids = tuple(each.id for each in chosen)
    doc = envelopes.envelope_id(envelope.body)
    index = encode_index(Index(doc, exporter, at_ms, epoch, tuple(to), ids, proofs_root(proofs)))
    closing = signing.sign_together(seal, exporter, [index], at_ms)[0]
    return encode(Evidence(envelope, tuple(chosen), tuple(proofs), closing))


def encode(evidence: Evidence) -> bytes:
    """Canonical bytes of an evidence file; a head that several objects share is written once."""
    numbers: dict[SignedHead, int] = {}

    def leaf(each: Signed) -> list[Any]:
        return [each.body, numbers.setdefault(each.head, len(numbers)), each.place, each.path]

    value: dict[str, Any] = {
        "type": "evidence/1",
        "envelope": leaf(evidence.envelope),
        "statements": [leaf(each) for each in evidence.statements],
        "index": leaf(evidence.closing),
        "proofs": evidence.proofs,
    }
    return codec.encode({**value, "heads": [[head.raw, head.signature] for head in numbers]})


def encode_index(index: Index) -> bytes:
    """Canonical bytes of a closing index."""
    return codec.encode(
        {
            "type": "evidence-index/1",
            "doc": index.doc,
            "by": index.by,
            "at": index.at_ms,
            "epoch": index.epoch,
            "to": index.to,
            "statements": index.statements,
            "proofs": index.proofs,
        }
    )


def proofs_root(proofs: Sequence[bytes]) -> bytes:
    """RFC 9162 root over the proofs as leaves; zeros for none."""
    return root_of([leaf_hash(proof) for proof in proofs]) if proofs else bytes(HASH_BYTES)


def read(raw: bytes) -> Evidence:
    """Reads an evidence file without believing it; raises `TheirFault` ``evidence.malformed``."""
    try:
        return _read(raw)
    except TheirFault as error:
        raise TheirFault("evidence.malformed", f"{error.code}: {error.detail}") from None


def _read(raw: bytes) -> Evidence:
    value = codec.decode(raw, limits.EVIDENCE_BYTES_MAX, limits.EVIDENCE_ITEMS_MAX)
    value = codec.fields(value, _FIELDS, "evidence")
    if value["type"] != "evidence/1":
        raise codec.wrong("evidence.type", "evidence/1")
    most = limits.EVIDENCE_STATEMENTS_MAX
    heads = codec.array(value["heads"], "evidence.heads", most + 2, signing.read_signed_head)
    if len(set(heads)) != len(heads):
        raise codec.wrong("evidence.heads", "each head once")
    leaves = _Leaves(heads)
    return Evidence(
        envelope=leaves.read(value["envelope"]),
        statements=codec.array(value["statements"], "evidence.statements", most, leaves.read),
        closing=leaves.read(value["index"]),
        proofs=codec.array(value["proofs"], "evidence.proofs", limits.EVIDENCE_PROOFS_MAX, _read_proof),
        heads_in_order=leaves.in_order(),
    )


class _Leaves:
    """Reads leaves, and remembers in which order their heads were first used."""

    def __init__(self, heads: tuple[SignedHead, ...]) -> None:
        self._heads = heads
        self._used: dict[int, None] = {}

    def in_order(self) -> bool:
        """Whether heads are numbered in the order of their first use, and none is unused."""
        return list(self._used) == list(range(len(self._heads)))

    def read(self, value: Any) -> Signed:
        if type(value) is not list or len(value) != 4 or type(value[0]) is not bytes:
            raise codec.wrong("leaf", "an array of body, head, index and path")
        number = codec.integer(value[1], "leaf.head", 0, len(self._heads) - 1)
        self._used[number] = None
        return Signed(value[0], self._heads[number], *signing.read_place(value[2], value[3]))


def _read_proof(value: Any) -> bytes:
    if type(value) is not bytes:
        raise codec.wrong("proof", "bytes")
    return value


def decode_index(raw: bytes) -> Index:
    """Reads a closing index; raises `TheirFault` ``codec.*`` or ``id.malformed``."""
    value = codec.decode(raw, limits.EVIDENCE_BYTES_MAX, limits.EVIDENCE_ITEMS_MAX)
    value = codec.fields(value, _INDEX_FIELDS, "index")
    if value["type"] != "evidence-index/1":
        raise codec.wrong("index.type", "evidence-index/1")
    return Index(
        doc=DocId(codec.blob(value["doc"], "index.doc", HASH_BYTES)),
        by=party_id(value["by"]),
        at_ms=codec.integer(value["at"], "index.at"),
        epoch=codec.integer(value["epoch"], "index.epoch", 1),
        to=codec.array(value["to"], "index.to", limits.RECIPIENTS_MAX, party_id, 1),
        statements=codec.array(
            value["statements"],
            "index.statements",
            limits.EVIDENCE_STATEMENTS_MAX,
            lambda each: codec.blob(each, "statement id", HASH_BYTES),
        ),
        proofs=codec.blob(value["proofs"], "index.proofs", HASH_BYTES),
    )
