"""What tests share to tell a story: real keys made from names, a directory, statements chained as a node would."""

from hashlib import sha256

from docaxis.core import envelope as envelopes
from docaxis.core import statement as statements
from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.envelope import Envelope, Priority
from docaxis.core.ids import DocId, PartyId, StatementId
from docaxis.core.lifecycle import RECALL_ANSWERS, Code
from docaxis.core.signed import Signed, sign_together
from docaxis.core.statement import Statement
from docaxis.seal.sign import NodeSeal

SENDER, FIRST, SECOND, HEIR, STRANGER = map(PartyId, ("G22", "H49", "H55", "H50", "T01"))
NAMES = {
    SENDER: ("Văn phòng Chính phủ", "Government Office"),
    FIRST: ("Tỉnh Quảng Ninh", "Quảng Ninh province"),
    SECOND: ("Tỉnh Sóc Trăng", "Sóc Trăng province"),
    HEIR: ("Tỉnh kế thừa", "Successor province"),
    STRANGER: ("Người lạ", "Stranger"),
}
START_MS = 1_795_312_800_000


def seal_of(party: str) -> NodeSeal:
    """A real Ed25519 key that depends on the party's name alone."""
    return NodeSeal(sha256(b"test key of " + party.encode()).digest())


def entry_of(party: PartyId, closed_for: tuple[PartyId, ...] = ()) -> Entry:
    """A directory entry with one key; with successors it is closed."""
    seal = seal_of(party)
    return Entry(
        id=party,
        name_vi=NAMES[party][0],
        name_en=NAMES[party][1],
        kind="province",
        parent=None,
        endpoints=(f"https://{party.lower()}.example",),
        via=(),
        keys=(SigningKey(seal.key_id, "ed25519", seal.public_key, 0, 0),),
        certificates=(),
        aliases=(),
        status=Status.CLOSED if closed_for else Status.OPEN,
        successors=closed_for,
        not_before_ms=0,
        expires_ms=0,
        seq=1,
    )


def book_of(*closed: tuple[PartyId, PartyId]) -> Book:
    """A directory of the parties above; `closed` names codes with their successor."""
    heirs = dict(closed)
    entries = {party: entry_of(party, (heirs[party],) if party in heirs else ()) for party in NAMES}
    return Book(entries.get, {}, 7, START_MS, {})


def an_envelope(**changes: object) -> Envelope:
    """A decision of the Government Office to two provinces."""
    plain = Envelope(
        sender=SENDER,
        to=(FIRST, SECOND),
        kind="new",
        ref=None,
        thread=None,
        created_ms=START_MS,
        expires_ms=START_MS + 86_400_000,
        priority=Priority.NORMAL,
        meta={"number": "17", "notation": "QĐ-TTg", "subject": "Trục liên thông văn bản quốc gia"},
        files=(envelopes.make_file("quyết định.pdf", "application/pdf", 5, 5, (sha256(b"bytes").digest(),)),),
        enc="none",
        dir=7,
        nonce=bytes(16),
        written_as={},
    )
    return plain._replace(**changes)  # type: ignore[arg-type]


def a_statement(**changes: object) -> Statement:
    """The arrival of a document."""
    plain = Statement(
        by=FIRST,
        doc=DocId(bytes(32)),
        sender=SENDER,
        recipient=FIRST,
        code=Code.ARRIVED,
        epoch=1,
        seq=1,
        prev=bytes(32),
        answers=None,
        at_ms=START_MS,
        reason="",
        text="",
        actor="",
        dir=7,
    )
    return plain._replace(**changes)  # type: ignore[arg-type]


class Story:
    """One document's life as its parties tell it: every statement chained and signed as a node would."""

    def __init__(self, envelope: Envelope | None = None) -> None:
        self.envelope = envelope or an_envelope()
        body = envelopes.encode(self.envelope)
        self.signed = sign_together(seal_of(self.envelope.sender), self.envelope.sender, [body], START_MS)[0]
        self.doc = envelopes.envelope_id(body)
        self.kept: list[Signed] = []
        self._last: dict[tuple[PartyId, PartyId], tuple[int, int, bytes]] = {}
        self._now_ms = START_MS

    def say(self, by: PartyId, code: Code, recipient: PartyId = FIRST, **changes: object) -> StatementId:
        """The author's next statement, kept; its id. `changes` overwrite fields; epoch starts a new log."""
        self._now_ms += 60_000
        epoch, seq, prev = self._last.get((by, recipient), (1, 0, self.doc))
        plain = a_statement(
            by=by, doc=self.doc, recipient=recipient, code=code, epoch=epoch, seq=seq + 1, prev=prev, at_ms=self._now_ms
        )
        if changes.get("epoch", epoch) != epoch:
            plain = plain._replace(seq=1)
        if code in RECALL_ANSWERS:
            plain = plain._replace(answers=StatementId(self.kept[-1].id))
        return self.keep(plain._replace(**changes))  # type: ignore[arg-type]

    def keep(self, said: Statement, signer: PartyId | None = None) -> StatementId:
        """Signs a statement as it is and keeps it."""
        signer = signer or said.by
        signed = sign_together(seal_of(signer), signer, [statements.encode(said)], self._now_ms)[0]
        self.kept.append(signed)
        self._last[said.by, said.recipient] = (said.epoch, said.seq, signed.id)
        return StatementId(signed.id)


def a_full_story() -> Story:
    """Every kind of statement: one recipient goes through all states, the other's copy is recalled."""
    story = Story()
    for code in (Code.HELD, Code.ARRIVED, Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED):
        story.say(FIRST, code)
    story.say(SECOND, Code.ARRIVED, SECOND)
    story.say(SENDER, Code.RECALL, SECOND, text="gửi nhầm nơi nhận")
    story.say(SECOND, Code.AGREE, SECOND)
    return story
