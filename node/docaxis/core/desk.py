"""The desk: what people and their software ask of this node, to submit a document or to state something about one.

Turns requests into envelopes, statements and records. What a step may follow is the lifecycle's table; how things
travel is the outbox's business. Every request is answered after what it caused is durable.
"""

from collections.abc import Callable
from typing import NamedTuple

from docaxis.core import codec, limits, wire
from docaxis.core import envelope as envelopes
from docaxis.core.addresses import Book
from docaxis.core.cache import Cache
from docaxis.core.effects import Answer, PutContent, PutRequest
from docaxis.core.envelope import Envelope, Priority
from docaxis.core.errors import DocaxisError, TheirFault
from docaxis.core.events import Act, Submission
from docaxis.core.ids import DocId, PartyId
from docaxis.core.intake import destroy, new_record, repeat_first_word
from docaxis.core.lifecycle import BY_PEOPLE, NEEDS_REASON, RECALL_ANSWERS, Code, State, require
from docaxis.core.outbox import Outbox
from docaxis.core.policy import Policy
from docaxis.core.record import WAITS_NOTHING, Loaded
from docaxis.core.routing import How, next_hop
from docaxis.core.schedule import LANE_CONTROL, lane_of
from docaxis.core.signed import Signed
from docaxis.core.statement import ACTOR_CHARS_MAX, Position
from docaxis.core.trust import ALLOWED, freshness
from docaxis.core.turn import Say, Turn
from docaxis.core.wire import Item

Value = dict[str, object]


class Addressed(NamedTuple):
    """Recipients as ids, and the codes that were written for those found through an alias or a closed code."""

    to: tuple[PartyId, ...]
    written_as: dict[str, str]


class Desk:
    """Serves local requests."""

    def __init__(self, me: PartyId, book: Book, cache: Cache, outbox: Outbox, policy: Policy) -> None:
        self._me = me
        self._cache = cache
        self._outbox = outbox
        self._policy = policy
        self.book = book

    # --- submissions ---

    def submit(self, turn: Turn, submission: Submission) -> None:
        """One document handed in; answers its ticket whatever happens."""
        self._serve(turn, submission.ticket, submission.key, submission.digest, lambda: self._submit(turn, submission))

    def _submit(self, turn: Turn, submission: Submission) -> Value:
        addressed = self._address(submission.to)
        envelope = self._envelope(turn, submission, addressed)
        body = envelopes.encode(envelope)
        if len(body) > limits.ENVELOPE_BYTES_MAX:
            raise TheirFault(
                "codec.too-long", f"the envelope has {len(body)} bytes, at most {limits.ENVELOPE_BYTES_MAX}"
            )
        claims = _claims(envelope, submission)
        lane = lane_of(submission.priority)
        recipients, inline = addressed.to, _travelling(submission.inline)

        def use(signed: Signed) -> None:
            item = Item(wire.ENVELOPE, doc, signed, inline)
            for recipient in recipients:
                self._outbox.push(recipient, lane, item)

        position = Position(envelopes.envelope_id(body), "", self._me, 0, 0)
        doc = DocId(turn.draft(wire.ENVELOPE, body, position, use))
        turn.durable += [PutContent(doc, digest, chunk) for digest, chunk in claims]
        for recipient in recipients:
            loaded = Loaded(new_record(doc, recipient, envelope, True, turn.now_ms), body, None)
            self._cache.put(loaded, turn.number)
            turn.put(loaded)
            turn.enqueue(recipient, lane, doc)
        self._supersede(turn, doc, envelope)
        return {
            "doc": doc.hex(),
            "to": list(recipients),
            "written_as": dict(addressed.written_as),
            "created_ms": envelope.created_ms,
            "expires_ms": envelope.expires_ms,
        }

    def _address(self, written: tuple[str, ...]) -> Addressed:
        if not 0 < len(written) <= limits.RECIPIENTS_MAX:
            raise codec.wrong("to", f"1 to {limits.RECIPIENTS_MAX} recipients")
        found: dict[PartyId, str] = {}
        for text in written:
            party = self.book.resolve(text)
            if party == self._me:
                raise TheirFault("envelope.to-self", f"{text} is this node itself")
            self._require_direct(party)
            found.setdefault(party, text)
        return Addressed(tuple(found), {party: text for party, text in found.items() if party != text})

    def _require_direct(self, party: PartyId) -> None:
        """Units without an endpoint of their own are reached through mailboxes, which this version does not keep."""
        hop = next_hop(self.book, self._me, party)
        if hop.how is not How.DIRECT:
            raise TheirFault("party.no-route", f"{party} has no endpoint of its own; mailboxes are not kept yet")

    def _envelope(self, turn: Turn, submission: Submission, addressed: Addressed) -> Envelope:
        thread = self._thread(submission)
        expires_ms = submission.expires_ms or turn.now_ms + self._policy.expires_default_ms
        if expires_ms <= turn.now_ms:
            raise TheirFault("envelope.expired", "the deadline for delivery has passed already")
        envelope = Envelope(
            sender=self._me,
            to=addressed.to,
            kind=submission.kind,
            ref=submission.ref,
            thread=thread,
            created_ms=turn.now_ms,
            expires_ms=expires_ms,
            priority=Priority(codec.integer(submission.priority, "priority", 0, max(Priority))),
            meta=envelopes.check_meta(submission.meta),
            files=tuple(envelopes.check_file(file) for file in submission.files),
            enc=envelopes.CLEAR,
            dir=self.book.version,
            nonce=turn.nonce(),
            written_as=addressed.written_as,
        )
        envelopes.check(envelope)
        return envelope

    def _thread(self, submission: Submission) -> DocId | None:
        """The first document of the thread that an update or a replacement belongs to."""
        if submission.ref is None:
            return None
        known = self._cache.of_document(submission.ref)
        if not known:
            raise TheirFault("envelope.reference", f"no document {submission.ref.hex()[:16]} here")
        if not known[0].record.outgoing:
            raise TheirFault("envelope.reference", "only its own sender may update or replace a document")
        return envelopes.decode(known[0].envelope).thread or submission.ref

    def _supersede(self, turn: Turn, doc: DocId, envelope: Envelope) -> None:
        if envelope.kind != "replace" or envelope.ref is None:
            return
        for old in self._cache.of_document(envelope.ref):
            if old.record.recipient in envelope.to:
                self._keep(turn, old._replace(record=old.record._replace(superseded_by=doc, updated_ms=turn.now_ms)))

    # --- acts ---

    def act(self, turn: Turn, act: Act) -> None:
        """One statement that people make; answers its ticket whatever happens."""
        self._serve(turn, act.ticket, act.key, act.digest, lambda: self._act(turn, act))

    def _act(self, turn: Turn, act: Act) -> Value:
        if act.code not in BY_PEOPLE:
            raise TheirFault(
                "statement.wrong-author", f"{act.code.value} {act.code.name.lower()} is the node's own word"
            )
        if act.code in NEEDS_REASON and not act.text.strip():
            raise TheirFault("lifecycle.reason-needed", f"{act.code.name.lower()} needs a reason in words")
        codec.text(act.text, "text", limits.REASON_CHARS_MAX)
        codec.text(act.actor, "actor", ACTOR_CHARS_MAX)
        chosen = self._choose(act)
        said = [self._state(turn, loaded, act) for loaded in chosen]
        states = [{"recipient": str(loaded.record.recipient), "statement": each.hex()} for loaded, each in said]
        return {"doc": act.doc.hex(), "code": str(act.code.value), "statements": states}

    def _choose(self, act: Act) -> list[Loaded]:
        """The records that the act is about; raises what keeps it from them."""
        known = self._cache.of_document(act.doc)
        if act.recipient:
            known = [loaded for loaded in known if loaded.record.recipient == act.recipient]
        if not known:
            whom = f" for {act.recipient}" if act.recipient else ""
            raise TheirFault("document.unknown", f"no document {act.doc.hex()[:16]} here{whom}")
        by_sender = act.code is Code.RECALL
        mine = [loaded for loaded in known if loaded.record.outgoing == by_sender]
        if not mine:
            whose = "its sender may recall it" if by_sender else "its recipient may state that"
            raise TheirFault("statement.wrong-author", f"only {whose}")
        if not by_sender and len(mine) > 1:
            raise TheirFault("document.ambiguous", ", ".join(loaded.record.recipient for loaded in mine))
        return self._possible(mine, act)

    @staticmethod
    def _possible(mine: list[Loaded], act: Act) -> list[Loaded]:
        possible, first = [], None
        for loaded in mine:
            try:
                require(loaded.record.standing, act.code, act.code is Code.RECALL)
                possible.append(loaded)
            except TheirFault as error:
                first = first or error
        if not possible and first is not None:
            raise first
        record = mine[0].record
        if record.superseded_by and not record.outgoing and act.code not in RECALL_ANSWERS:
            raise TheirFault("document.replaced", f"by {record.superseded_by.hex()}")
        return possible

    def _state(self, turn: Turn, loaded: Loaded, act: Act) -> tuple[Loaded, bytes]:
        peer = loaded.record.recipient if loaded.record.outgoing else loaded.record.sender
        lane = self._lane(loaded, act.code)
        answers = loaded.record.standing.waiting_recall if act.code in RECALL_ANSWERS else None

        def use(signed: Signed) -> None:
            self._outbox.push(peer, lane, Item(wire.STATEMENT, signed.id, signed, ()))

        if act.code is Code.REFUSED:
            repeat_first_word(turn, self._outbox, loaded)
        record, said = turn.state(loaded.record, Say(act.code, answers, "", act.text, act.actor), use)
        if act.code in (Code.AGREE, Code.REFUSED):
            record = record._replace(waits=WAITS_NOTHING, due_ms=0)
        if act.code is Code.AGREE:
            # Decision 28/2018, Art. 9.2; Decree 30/2020, Appendix VI: the recipient's copy is destroyed.
            destroy(turn, self._cache, record)
        after = self._keep(turn, loaded._replace(record=record))
        turn.enqueue(peer, lane, said)
        return after, said

    def _lane(self, loaded: Loaded, code: Code) -> int:
        """A recall follows its document: as long as that waits for its turn, the recall waits behind it."""
        record = loaded.record
        if code is Code.RECALL and record.standing.progress is State.SENT:
            return lane_of(record.priority)
        return LANE_CONTROL

    # --- both ---

    def _serve(self, turn: Turn, ticket: int, key: str, digest: bytes, work: Callable[[], Value]) -> None:
        """Answers a repeated key as before; `work` raises before it changes anything, or not at all."""
        known = self._cache.request(key) if key else None
        if known is not None:
            turn.then.append(_repeated(ticket, known, digest))
            return
        try:
            value = work()
        except DocaxisError as error:
            turn.then.append(Answer(ticket, None, error.code, error.detail))
            return
        if key:
            request = PutRequest(key, digest, codec.encode(value), turn.now_ms)
            self._cache.put_request(request, turn.number)
            turn.durable.append(request)
        turn.then.append(Answer(ticket, value))

    def _keep(self, turn: Turn, loaded: Loaded) -> Loaded:
        self._cache.put(loaded, turn.number)
        turn.put(loaded)
        return loaded


def _claims(envelope: Envelope, submission: Submission) -> list[tuple[bytes, bytes | None]]:
    """Each chunk that the document names, with its bytes where they were handed in with it."""
    digests = envelopes.chunk_digests(envelope.files)
    if submission.inline and len(submission.inline) != len(digests):
        raise codec.wrong("inline", "one chunk for each digest, or none at all")
    return list(zip(digests, submission.inline or (None,) * len(digests), strict=True))


def _travelling(inline: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The chunks that travel with the envelope: all, or none where a peer would not read so many or so much."""
    small = len(inline) <= limits.FILES_MAX and sum(map(len, inline)) <= limits.INLINE_BYTES_MAX
    return inline if small else ()


def holds_documents(book: Book, now_ms: int) -> bool:
    """Whether the directory is so old that documents wait (graded freshness, DESIGN §4)."""
    return not ALLOWED[freshness(book.verified_ms, now_ms)].delivers


def _repeated(ticket: int, known: PutRequest, digest: bytes) -> Answer:
    if known.digest != digest:
        return Answer(ticket, None, "request.key-reused", f"key {known.key!r} was used for another request")
    return Answer(ticket, codec.decode(known.answer, limits.ANSWER_BYTES_MAX))
