"""Evidence: the verdict on everything signed about one document, a timeline or the exact broken link.

What one party can bring about by itself (a chain that contradicts itself, a key or a code that its agency's entry does
not bear out) spoils only the transmission concerned; whatever else is wrong spoils the file, and so does any fault of
the exporter's own words.

Checks only; the file's format is `docaxis.core.evidence_file`, whose functions are offered here too. Where keys come
from is the directory's business: whoever checks hands in what the file's proofs prove against the root keys.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, ParamSpec, Protocol, TypeVar

from docaxis.core import envelope as envelopes
from docaxis.core import limits
from docaxis.core import signed as signing
from docaxis.core import statement as statements
from docaxis.core.addresses import Entry, SigningKey
from docaxis.core.chain import Broken, Told, check_transmission
from docaxis.core.envelope import Envelope
from docaxis.core.errors import TheirFault
from docaxis.core.evidence_file import Evidence, Index, build, decode_index, proofs_root, read
from docaxis.core.ids import DocId, KeyId, PartyId
from docaxis.core.lifecycle import BY_SENDER
from docaxis.core.ports import Verifier
from docaxis.core.signed import Head, Signed, SignedHead
from docaxis.core.timeline import Fault, Party, Row, Timeline, Transmission

__all__ = ["Broken", "Evidence", "Index", "Keys", "build", "check", "read"]

P = ParamSpec("P")
T = TypeVar("T")

_INDEX_LINK: Final = "the closing index"
_ENVELOPE_LINK: Final = "the envelope"
_KEY_FAULTS: Final = frozenset({"party.unknown", "party.revoked", "seal.key-unknown", "seal.algorithm"})
"""What the proofs may say against a key. An agency writes its own entry, also after it has stated something: were it to
end a key before a signature, only its own words may suffer."""


class Keys(Protocol):
    """What proofs prove; `docaxis.core.addresses.Book` is one."""

    def signing_key(self, party: PartyId, key: KeyId, at_ms: int) -> SigningKey:
        """The key that `party` may have signed with at `at_ms`; raises `TheirFault`."""
        ...

    def entry(self, party: PartyId) -> Entry | None:
        """What the directory says of the party, or None."""
        ...

    def answers_for(self, speaker: PartyId, addressed: PartyId) -> bool:
        """Whether `speaker` is `addressed`, or a successor of its closed code."""
        ...


def check(evidence: Evidence, verifier: Verifier, keys: Keys) -> Timeline:
    """The document's history, every signature and every link looked at: the broken link of a transmission is told in
    it. Raises `Broken` with the first broken link of the file as a whole."""
    return _Check(evidence, verifier, keys).timeline()


class _Proved(NamedTuple):
    """A statement with the head over it, whose signature holds unless `fault` says what it lacks."""

    told: Told
    head: Head
    fault: Broken | None


class _Check:
    """One examination; heads that many objects share are verified once."""

    def __init__(self, evidence: Evidence, verifier: Verifier, keys: Keys) -> None:
        self._evidence = evidence
        self._verifier = verifier
        self._keys = keys
        self._heads: dict[SignedHead, tuple[Head, TheirFault | None]] = {}

    def timeline(self) -> Timeline:
        """The whole examination, outside in: envelope, statements, closing index; then each transmission."""
        evidence = self._evidence
        envelope = _blaming(_ENVELOPE_LINK, envelopes.decode, evidence.envelope.body)
        head = self._surely(_ENVELOPE_LINK, evidence.envelope, envelope.sender)
        doc = envelopes.envelope_id(evidence.envelope.body)
        index = _blaming(_INDEX_LINK, decode_index, evidence.closing.body)
        proved = list(self._statements(doc, envelope))
        self._closing(doc, envelope, index, [each.told for each in proved])
        transmissions = tuple(self._transmissions(doc, index, proved))
        return Timeline(
            doc=doc,
            sender=self._party(envelope.sender),
            created_ms=envelope.created_ms,
            expires_ms=envelope.expires_ms,
            key=head.key,
            meta=envelope.meta,
            files=tuple((file.name, file.size) for file in envelope.files),
            transmissions=transmissions,
            others=len(envelope.to) - len(index.to),
            exporter=self._party(index.by),
            exported_ms=index.at_ms,
        )

    def _surely(self, link: str, signed: Signed, author: PartyId) -> Head:
        """The head over an object of `author`, once path, signature and key hold."""
        head, fault = self._prove(link, signed, author)
        if fault is not None:
            raise fault
        return head

    def _prove(self, link: str, signed: Signed, author: PartyId) -> tuple[Head, Broken | None]:
        """The head over an object of `author`, and what the proofs say against its key; raises `Broken` for anything
        else."""
        head, fault = self._heads.get(signed.head) or _blaming(link, self._verified, signed.head)
        self._heads[signed.head] = head, fault
        _blaming(link, signing.check_path, signed, head)
        if head.signer != author:
            raise Broken(link, "party.mismatch", f"it speaks for {author}, and {head.signer} signed it")
        return head, None if fault is None else Broken(link, fault.code, fault.detail)

    def _verified(self, signed: SignedHead) -> tuple[Head, TheirFault | None]:
        head = signing.decode_head(signed.raw)
        try:
            key = self._keys.signing_key(head.signer, head.key, head.at_ms)
            if key.alg != head.alg:
                raise TheirFault("seal.algorithm", f"{head.signer} has key {head.key.hex()} for {key.alg} only")
            signing.check_signature(self._verifier, head, signed, key.public)
        except TheirFault as fault:
            if fault.code not in _KEY_FAULTS:
                raise
            return head, fault
        return head, None

    def _statements(self, doc: DocId, envelope: Envelope) -> Iterator[_Proved]:
        seen: set[bytes] = set()
        for place, signed in enumerate(self._evidence.statements, 1):
            said = _blaming(f"statement at place {place}", statements.decode, signed.body)
            told = Told(signed.id, said)
            if told.id in seen:
                raise Broken(told.link, "evidence.broken", "it stands in the file twice")
            seen.add(told.id)
            head, fault = self._prove(told.link, signed, said.by)
            if said.doc != doc or said.sender != envelope.sender or said.recipient not in envelope.to:
                raise Broken(told.link, "evidence.broken", "it is about another document, sender or recipient")
            yield _Proved(told, head, fault or self._wrong_author(told))

    def _wrong_author(self, told: Told) -> Broken | None:
        """Only the party whose a code is may state it, or its successor; who that is, its agency's entry says."""
        said = told.statement
        concerned = said.sender if said.code in BY_SENDER else said.recipient
        if self._keys.answers_for(said.by, concerned):
            return None
        return Broken(told.link, "statement.wrong-author", f"only {concerned} or its successor may state this")

    def _transmissions(self, doc: DocId, index: Index, proved: Sequence[_Proved]) -> Iterator[Transmission]:
        """Each recipient covered, its chains checked; a fault of the exporter's own words is raised."""
        about: dict[PartyId, list[_Proved]] = {recipient: [] for recipient in index.to}
        for each in proved:
            about[each.told.statement.recipient].append(each)
        for recipient, history in about.items():
            verdict = check_transmission(doc, [each.told for each in history])
            faults = [(each.told.statement.by, each.fault) for each in history if each.fault is not None]
            faults += verdict.faults.items()
            for author, fault in faults:
                if author == index.by:
                    raise fault
            rows = tuple(self._row(each, verdict.notes[each.told.id]) for each in history)
            if faults:
                fault = faults[0][1]
                yield Transmission(self._party(recipient), None, rows, Fault(fault.link, fault.code, fault.problem))
            else:
                yield Transmission(self._party(recipient), verdict.standing.state, rows)

    def _row(self, proved: _Proved, notes: Sequence[str]) -> Row:
        said, head = proved.told.statement, proved.head
        more = ["unproved"] * (proved.fault is not None and proved.fault.code in _KEY_FAULTS)
        more += ["successor"] * (said.by not in (said.sender, said.recipient))
        more += ["clock"] * (abs(said.at_ms - head.at_ms) > limits.CLOCK_NOTED_MS)
        return Row(
            at_ms=said.at_ms,
            signed_ms=head.at_ms,
            recipient=said.recipient,
            by=self._party(said.by),
            code=said.code,
            epoch=said.epoch,
            seq=said.seq,
            reason=said.reason,
            text=said.text,
            actor=said.actor,
            key=head.key,
            id=proved.told.id,
            notes=(*notes, *more),
        )

    def _closing(self, doc: DocId, envelope: Envelope, index: Index, told: Sequence[Told]) -> None:
        """The index is the exporter's, of this document, and lists exactly what the file holds, in order."""
        self._surely(_INDEX_LINK, self._evidence.closing, index.by)
        if index.doc != doc:
            raise Broken(_INDEX_LINK, "evidence.broken", f"it closes the evidence of document {index.doc.hex()}")
        if len(set(index.to)) != len(index.to) or not set(index.to) <= set(envelope.to):
            raise Broken(_INDEX_LINK, "evidence.broken", "it covers a party that is no recipient, or one twice")
        if not self._may_export(envelope, index):
            raise Broken(_INDEX_LINK, "statement.wrong-author", f"{index.by} is not party to all that it covers")
        for each in told:
            if each.statement.recipient not in index.to:
                raise Broken(each.link, "evidence.broken", f"{_INDEX_LINK} does not cover {each.statement.recipient}")
        _compare(index.statements, told)
        if index.proofs != proofs_root(self._evidence.proofs):
            raise Broken("the proofs of keys", "evidence.broken", f"{_INDEX_LINK} was signed over other ones")
        if not self._evidence.heads_in_order:
            raise Broken("the heads", "evidence.broken", "one serves nothing, or they are not in order of first use")

    def _may_export(self, envelope: Envelope, index: Index) -> bool:
        """The sender may export all; a recipient its own transmission."""
        answers_for = self._keys.answers_for
        return answers_for(index.by, envelope.sender) or all(answers_for(index.by, each) for each in index.to)

    def _party(self, party: PartyId) -> Party:
        entry = self._keys.entry(party)
        return Party(party, entry.name_vi, entry.name_en) if entry else Party(party, "", "")


def _compare(listed: Sequence[bytes], told: Sequence[Told]) -> None:
    """Names the first difference between the index and the file."""
    held = {each.id for each in told}
    for place, wanted in enumerate(listed, 1):
        if wanted not in held:
            detail = f"it lists {len(listed)} statements; number {place} ({wanted.hex()}) is missing"
            raise Broken(_INDEX_LINK, "evidence.broken", detail)
    known = set(listed)
    for place, each in enumerate(told):
        if each.id not in known:
            raise Broken(each.link, "evidence.broken", f"{_INDEX_LINK} does not list it")
        if place >= len(listed) or listed[place] != each.id:
            raise Broken(
                each.link, "evidence.broken", f"it stands at place {place + 1}, not where {_INDEX_LINK} has it"
            )
    if len(listed) != len(told):
        raise Broken(_INDEX_LINK, "evidence.broken", "it lists a statement twice")


def _blaming(link: str, act: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """What `act` gives; a refusal becomes a broken link."""
    try:
        return act(*arguments, **options)
    except TheirFault as error:
        raise Broken(link, error.code, error.detail) from None
