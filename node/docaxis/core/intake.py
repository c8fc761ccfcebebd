"""Intake: what the node does with each object that a peer hands it.

Checks in the order of their cost: who speaks, form, signature, then what is known. Answers say what is durable, never
that something was processed. It sends nothing and reads nothing: it changes records and adds to the turn.
"""

from collections import OrderedDict
from hashlib import sha256
from typing import Final

from docaxis.core import envelope as envelopes
from docaxis.core import limits, wire
from docaxis.core.addresses import Book
from docaxis.core.cache import Cache
from docaxis.core.effects import DropContent, Fetch, PutContent
from docaxis.core.envelope import Envelope
from docaxis.core.errors import DocaxisError, TheirFault
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import BY_SENDER, Code, Standing, State, merge
from docaxis.core.outbox import Outbox
from docaxis.core.ports import Seal
from docaxis.core.record import WAITS_CONTENT, WAITS_DIRECTORY, WAITS_NOTHING, Loaded, Record
from docaxis.core.routing import next_hop
from docaxis.core.schedule import LANE_CONTROL, content_delay_ms, lane_of
from docaxis.core.signed import Head, Signed, SignedHead, check_path, check_signature, decode_head
from docaxis.core.statement import Position, Statement
from docaxis.core.trust import ALLOWED, freshness
from docaxis.core.turn import Say, Turn
from docaxis.core.wire import Item, Outcome, Result

CONTENT_WATCH_MS: Final = 15 * limits.SECOND_MS
NEAR_DEADLINE_MS: Final = 1 * limits.HOUR_MS
"""So close to its deadline a document may have expired at its sender, which does not listen for an answer any more: the
first word then travels by itself, too. Clocks may differ by that much."""
UNKNOWN_WAIT_MS: Final = 5 * limits.SECOND_MS
_LATER: Final = frozenset({"document.unknown", "directory.too-old", "content.corrupt", "node.busy"})
"""Codes for which the peer should simply try again."""


def refused(error: DocaxisError) -> Result:
    """The result for an item that raised."""
    if error.code in _LATER:
        return Result(Outcome.DEFERRED, error.code, UNKNOWN_WAIT_MS, None)
    return Result(Outcome.REFUSED, error.code, 0, None)


_WITHOUT_COPY: Final = frozenset({State.REFUSED, State.EXPIRED})
KEPT: Final = Result(Outcome.KEPT, "", 0, None)
FORK: Final = Result(Outcome.REFUSED, "statement.fork", 0, None)


class Intake:
    """Takes in objects from peers. `fetching` holds the records whose content is being pulled; `restored_ms` is when a
    backup last replaced the store (0: never)."""

    def __init__(self, me: PartyId, seal: Seal, book: Book, cache: Cache, outbox: Outbox) -> None:
        self._me = me
        self._seal = seal
        self._cache = cache
        self._outbox = outbox
        self._heads: OrderedDict[SignedHead, Head] = OrderedDict()
        self.book = book
        self.fetching: set[tuple[DocId, PartyId]] = set()
        self.restored_ms = 0

    def renew(self, book: Book) -> None:
        """A new directory: keys verified under the old one must be looked up again."""
        self.book = book
        self._heads.clear()

    def speaks_for_me(self, party: PartyId) -> bool:
        """Whether this node answers for `party`: itself, or a closed code it succeeds."""
        return party == self._me or self.book.answers_for(self._me, party)

    def verified(self, signed: Signed, author: PartyId, now_ms: int) -> bytes:
        """The object's id, once its head is signed by `author` with a key of the directory and its path holds."""
        head = self._heads.get(signed.head)
        if head is None:
            head = decode_head(signed.head.raw)
            key = self.book.signing_key(head.signer, head.key, head.at_ms)
            if key.alg != head.alg:
                raise TheirFault("seal.algorithm", f"key {key.id.hex()} is for {key.alg}, not for {head.alg}")
            if (
                key.not_before_ms > self.book.verified_ms
                and not ALLOWED[freshness(self.book.verified_ms, now_ms)].new_keys
            ):
                raise TheirFault("directory.too-old", f"key {key.id.hex()} is newer than the last fresh directory")
            check_signature(self._seal, head, signed.head, key.public)
            self._heads[signed.head] = head
            if len(self._heads) > limits.HEADS_CACHED_MAX:
                self._heads.popitem(last=False)
        if head.signer != author:
            raise TheirFault("party.mismatch", f"signed by {head.signer}, but {author} is named as the author")
        return check_path(signed, head)

    # --- envelopes ---

    def envelope(self, turn: Turn, peer: PartyId, recipient: PartyId, item: Item, envelope: Envelope) -> Result:
        """An envelope from `peer` for `recipient`; raises `TheirFault` where nothing of it may be kept."""
        if self.speaks_for_me(envelope.sender):
            return self._own_envelope(turn, peer, item, envelope)
        if not self.book.answers_for(peer, envelope.sender):
            raise TheirFault("party.mismatch", f"{peer} handed in an envelope of {envelope.sender}")
        if recipient not in envelope.to or not self.speaks_for_me(recipient):
            raise TheirFault("envelope.wrong-recipient", f"{recipient} is not a recipient here")
        doc = DocId(item.id)
        known = self._cache.get((doc, recipient))
        if known is not None:
            # The very same bytes were verified when they came first; their key may have been revoked since.
            self._supersede(turn, recipient, doc, envelope, again=True)
            return Result(Outcome.KEPT, "", 0, known.receipt)
        self.verified(item.signed, envelope.sender, turn.now_ms)
        return self._new_envelope(turn, recipient, item, envelope)

    def _new_envelope(self, turn: Turn, recipient: PartyId, item: Item, envelope: Envelope) -> Result:
        doc = DocId(item.id)
        self._check_reference(envelope)
        waits, standing_code, reason = self._verdict(turn, item, envelope)
        turn.keep(wire.ENVELOPE, item.id, item.signed, Position(doc, "", envelope.sender, 0, 0))
        record = new_record(doc, recipient, envelope, outgoing=False, now_ms=turn.now_ms)._replace(waits=waits)
        if standing_code is not Code.REFUSED:
            self._claim_content(turn, doc, item, envelope)
            self._supersede(turn, recipient, doc, envelope)
        if waits:
            record = record._replace(due_ms=turn.now_ms + CONTENT_WATCH_MS)
        self.say_first(turn, Loaded(record, item.signed.body, None), Say(standing_code, reason=reason))
        if waits == WAITS_CONTENT:
            self.fetch(turn, record, envelope)
        said = self._cache.get((doc, recipient))
        if said is not None and envelope.expires_ms <= turn.now_ms + NEAR_DEADLINE_MS:
            repeat_first_word(turn, self._outbox, said)
        return KEPT

    def _verdict(self, turn: Turn, item: Item, envelope: Envelope) -> tuple[str, Code, str]:
        """What a new document waits for, the node's first word on it, and the reason of a refusal."""
        # An older one may have arrived here in time, and have been forgotten when a backup was restored.
        if envelope.expires_ms <= turn.now_ms and envelope.created_ms >= self.restored_ms:
            return WAITS_NOTHING, Code.REFUSED, "envelope.expired"
        digests = envelopes.chunk_digests(envelope.files)
        if item.inline and [sha256(chunk).digest() for chunk in item.inline] != digests:
            raise TheirFault("content.corrupt", "inline chunks differ from the digests that were signed")
        if not ALLOWED[freshness(self.book.verified_ms, turn.now_ms)].accepts:
            return WAITS_DIRECTORY, Code.HELD, ""
        if digests and not item.inline:
            return WAITS_CONTENT, Code.HELD, ""
        return WAITS_NOTHING, Code.ARRIVED, ""

    def say_first(self, turn: Turn, loaded: Loaded, say: Say) -> None:
        """The node's own word on an incoming document becomes its receipt: what the sender gets for the envelope."""
        key = loaded.record.key
        record, said = turn.state(loaded.record, say, lambda signed: self._cache.set_receipt(key, signed))
        after = loaded._replace(record=record._replace(receipt=said))
        self._cache.put(after, turn.number)
        turn.put(after)

    def _check_reference(self, envelope: Envelope) -> None:
        for known in self._cache.of_document(envelope.ref) if envelope.ref else ():
            if known.record.sender != envelope.sender:
                raise TheirFault("envelope.reference", "only its own sender may update or replace a document")

    def _claim_content(self, turn: Turn, doc: DocId, item: Item, envelope: Envelope) -> None:
        digests = envelopes.chunk_digests(envelope.files)
        chunks = item.inline or [None] * len(digests)
        turn.durable += [PutContent(doc, digest, chunk) for digest, chunk in zip(digests, chunks, strict=True)]

    def _supersede(self, turn: Turn, recipient: PartyId, doc: DocId, envelope: Envelope, again: bool = False) -> None:
        """A replacement ends the work on the old document; one that overtook it is handed in `again` for that."""
        if envelope.kind != "replace" or envelope.ref is None:
            return
        old = self._cache.get((envelope.ref, recipient))
        if old is not None and not (again and old.record.superseded_by):
            after = old._replace(record=old.record._replace(superseded_by=doc, updated_ms=turn.now_ms))
            self._cache.put(after, turn.number)
            turn.put(after)

    def waits_until_ms(self, record: Record) -> int:
        """Until when content is waited for: the deadline, and a day more for what came back after a restore."""
        forgotten = record.created_ms < self.restored_ms
        return max(record.expires_ms, record.updated_ms + limits.DAY_MS if forgotten else 0)

    def fetch(self, turn: Turn, record: Record, envelope: Envelope) -> None:
        """Asks for the content, unless that is under way."""
        if record.key in self.fetching:
            return
        sizes = {digest: size for file in envelope.files for digest, size in chunk_sizes(file)}
        try:
            hop = next_hop(self.book, self._me, record.sender)
        except TheirFault as error:
            turn.note("content.no-route", "warning", doc=record.doc.hex(), code=error.code)
            return
        self.fetching.add(record.key)
        turn.then.append(
            Fetch(record.doc, record.recipient, hop.party, hop.endpoints, tuple(sizes), tuple(sizes.values()))
        )

    def content_here(self, turn: Turn, loaded: Loaded) -> None:
        """All content is durable: the document has arrived, and its sender hears so."""
        repeat_first_word(turn, self._outbox, loaded)
        record = loaded.record._replace(waits=WAITS_NOTHING, due_ms=0)
        key, sender = record.key, record.sender

        def use(signed: Signed) -> None:
            self._cache.set_receipt(key, signed)
            self._outbox.push(sender, LANE_CONTROL, Item(wire.STATEMENT, signed.id, signed, ()))

        record, said = turn.state(record, Say(Code.ARRIVED), use)
        after = loaded._replace(record=record._replace(receipt=said))
        self._cache.put(after, turn.number)
        turn.put(after)
        turn.enqueue(sender, LANE_CONTROL, said)

    def content_missing(self, turn: Turn, loaded: Loaded, code: str, detail: str) -> None:
        """Content could not be pulled: again later, until the document's own deadline."""
        tries = loaded.record.tries + 1
        due_ms = turn.now_ms + content_delay_ms(self._me, loaded.record.doc, tries)
        after = loaded._replace(record=loaded.record._replace(tries=tries, due_ms=due_ms))
        self._cache.put(after, turn.number)
        turn.put(after)
        turn.note("content.missing", "warning", doc=after.record.doc.hex(), code=code, detail=detail, tries=tries)

    def _own_envelope(self, turn: Turn, peer: PartyId, item: Item, envelope: Envelope) -> Result:
        """A peer gives back what this node sent and has forgotten since its store was restored from a backup."""
        doc = DocId(self.verified(item.signed, envelope.sender, turn.now_ms))
        if not any(self.book.answers_for(peer, recipient) for recipient in envelope.to):
            raise TheirFault("party.mismatch", f"{peer} is not a recipient of that document")
        lost = [recipient for recipient in envelope.to if self._cache.get((doc, recipient)) is None]
        if lost:
            turn.keep(wire.ENVELOPE, item.id, item.signed, Position(doc, "", envelope.sender, 0, 0))
            digests = envelopes.chunk_digests(envelope.files)
            turn.durable += [PutContent(doc, digest, None) for digest in digests]
        for recipient in lost:
            loaded = Loaded(new_record(doc, recipient, envelope, True, turn.now_ms), item.signed.body, None)
            self._cache.put(loaded, turn.number)
            turn.put(loaded)
            turn.enqueue(recipient, lane_of(envelope.priority), item.id)
            self._outbox.expect(recipient, lane_of(envelope.priority))
        return KEPT

    # --- statements ---

    def statement(self, turn: Turn, peer: PartyId, item: Item, said: Statement) -> Result:
        """A statement handed in by `peer`; raises `TheirFault` where nothing of it may be kept."""
        author = said.sender if said.code in BY_SENDER else said.recipient
        if not self.book.answers_for(said.by, author):
            raise TheirFault("statement.wrong-author", f"{said.by} may not state {said.code.value} for {author}")
        mine = self.speaks_for_me(said.by)
        other = said.recipient if said.code in BY_SENDER else said.sender
        if not self.book.answers_for(peer, other if mine else said.by):
            raise TheirFault("party.mismatch", f"{peer} handed in a statement of {said.by}")
        if self._cache.has_object(item.id):
            # The very same words were verified when they came first; their key may have been revoked since.
            return KEPT if self._first(turn, item, said) else FORK
        self.verified(item.signed, said.by, turn.now_ms)
        loaded = self._cache.get((said.doc, said.recipient))
        if loaded is None:
            return self._about_unknown(said)
        if loaded.record.sender != said.sender:
            raise TheirFault("codec.schema", "the statement names another sender than the envelope")
        return self._own_word(turn, loaded, item, said) if mine else self._their_word(turn, loaded, item, said)

    def _about_unknown(self, said: Statement) -> Result:
        """Of an expired document that never came there is nothing to keep; any other document may still come."""
        if said.code is Code.EXPIRED and said.sender != self._me:
            return KEPT
        raise TheirFault("document.unknown", "the document has not come here yet")

    def _their_word(self, turn: Turn, loaded: Loaded, item: Item, said: Statement) -> Result:
        if not self._keep(turn, item, said):
            return FORK
        record = loaded.record
        before = record.standing
        _note_link(turn, record, said)
        record = record._replace(standing=merge(before, said.code, item.id, said.answers), updated_ms=turn.now_ms)
        if (said.epoch, said.seq) > (record.theirs_epoch, record.theirs_seq):
            record = record._replace(theirs_epoch=said.epoch, theirs_seq=said.seq, theirs_last=item.id)
        turn.changed(record, said.code, record.standing.state, said.by)
        self._follow(turn, loaded._replace(record=record), item, said)
        return KEPT

    def positions(self, said: Statement) -> list[Position]:
        """The position that must be looked up before a statement is handled: none where it claims to be newer than all
        that is known of that side, as nearly every one does; nothing can stand there."""
        loaded = self._cache.get((said.doc, said.recipient))
        if loaded is not None:
            record, mine = loaded.record, self.speaks_for_me(said.by)
            newest = (record.mine_epoch, record.mine_seq) if mine else (record.theirs_epoch, record.theirs_seq)
            if (said.epoch, said.seq) > newest:
                return []
        return [said.position]

    def _first(self, turn: Turn, item: Item, said: Statement) -> bool:
        """Whether no other statement stands where this one claims to."""
        return self._cache.put_position(said.position, item.id, turn.number) == item.id

    def _keep(self, turn: Turn, item: Item, said: Statement) -> bool:
        """Keeps a statement in any case; False where another one stands in its place. Then both are evidence that
        their author is not honest, or not one, and nothing follows from the second."""
        self._cache.put_object(item.id, turn.number)
        turn.keep(wire.STATEMENT, item.id, item.signed, said.position)
        if self._first(turn, item, said):
            return True
        where = f"two statements {said.seq} of {said.by} on {said.doc.hex()[:16]}"
        turn.refuse(said.by, "statement.fork", f"{item.kind} {item.id.hex()[:16]}: {where}")
        return False

    def _follow(self, turn: Turn, loaded: Loaded, item: Item, said: Statement) -> None:
        """What the other party's word means for this side, beyond the merged standing."""
        record = loaded.record
        if record.outgoing:
            # Any other word leaves the deadline in force: until the receipt is here, the envelope asks for it again.
            if said.code in (Code.ARRIVED, Code.REFUSED):
                record = record._replace(due_ms=0, receipt=item.id if said.code is Code.ARRIVED else record.receipt)
            if said.code is Code.ARRIVED and record.superseded_by:
                # The replacement may have overtaken it, and then found nothing to replace.
                self._tell_again(turn, record.recipient, lane_of(record.priority), record.superseded_by)
            recall = record.standing.waiting_recall
            if recall is not None and record.expires_ms <= turn.now_ms:
                # Offered in vain while the document was unknown there, and given up with it.
                self._tell_again(turn, record.recipient, LANE_CONTROL, recall)
        elif said.code is Code.EXPIRED and record.receipt and record.standing.progress >= State.ARRIVED:
            self._tell_again(turn, record.sender, LANE_CONTROL, record.receipt)
        elif said.code is Code.EXPIRED:
            record = record._replace(waits=WAITS_NOTHING, due_ms=0)
            destroy(turn, self._cache, record)
        after = self.answer_recall(turn, loaded._replace(record=record))
        self._cache.put(after, turn.number)
        turn.put(after)

    def _tell_again(self, turn: Turn, peer: PartyId, lane: int, object_id: bytes) -> None:
        turn.enqueue(peer, lane, object_id)
        self._outbox.expect(peer, lane)

    def answer_recall(self, turn: Turn, loaded: Loaded) -> Loaded:
        """Where a document was refused or never came whole there is nothing to give back: the node itself agrees."""
        record, recall = loaded.record, loaded.record.standing.waiting_recall
        if record.outgoing or recall is None or record.standing.progress not in (State.REFUSED, State.EXPIRED):
            return loaded
        sender = record.sender

        def use(signed: Signed) -> None:
            self._outbox.push(sender, LANE_CONTROL, Item(wire.STATEMENT, signed.id, signed, ()))

        record, answer = turn.state(record, Say(Code.AGREE, answers=recall), use)
        turn.enqueue(sender, LANE_CONTROL, answer)
        destroy(turn, self._cache, record)
        return loaded._replace(record=record._replace(due_ms=0, waits=WAITS_NOTHING))

    def _own_word(self, turn: Turn, loaded: Loaded, item: Item, said: Statement) -> Result:
        """A peer gives back what this node itself once said, before its store was restored from a backup."""
        if not self._keep(turn, item, said):
            return FORK
        record = loaded.record
        standing = merge(record.standing, said.code, item.id, said.answers)
        record = record._replace(standing=standing, updated_ms=turn.now_ms)
        if (said.epoch, said.seq) > (record.mine_epoch, record.mine_seq):
            record = record._replace(mine_epoch=said.epoch, mine_seq=said.seq, mine_last=item.id)
        if said.code is Code.ARRIVED and not record.outgoing:
            repeat_first_word(turn, self._outbox, loaded)
            loaded = loaded._replace(receipt=item.signed)
            record = record._replace(receipt=item.id)
        if standing.agreed and not record.outgoing:
            # It was given back: content that its sender serves no more is not waited for.
            record = record._replace(waits=WAITS_NOTHING, due_ms=0)
            destroy(turn, self._cache, record)
        elif loaded.record.standing.progress in _WITHOUT_COPY and standing.progress not in _WITHOUT_COPY:
            record = self._take_back(turn, record, envelopes.decode(loaded.envelope))
        after = loaded._replace(record=record)
        self._cache.put(after, turn.number)
        turn.put(after)
        if standing != loaded.record.standing:
            turn.changed(record, said.code, standing.state, said.by)
        return KEPT

    def _take_back(self, turn: Turn, record: Record, envelope: Envelope) -> Record:
        """A document was given up, and this node's own word says that it had arrived: its content is pulled again."""
        digests = envelopes.chunk_digests(envelope.files)
        if record.outgoing or not digests:
            return record
        turn.durable += [PutContent(record.doc, digest, None) for digest in digests]
        record = record._replace(waits=WAITS_CONTENT, due_ms=turn.now_ms + CONTENT_WATCH_MS)
        self.fetch(turn, record, envelope)
        return record


def _note_link(turn: Turn, record: Record, said: Statement) -> None:
    """Tells the operator of a word that does not follow what is known. It counts all the same, since words may arrive
    in any order; whether the gap is ever filled is for the evidence to show."""
    newest = (record.theirs_epoch, record.theirs_seq)
    if (said.epoch, said.seq) == (newest[0], newest[1] + 1):
        follows = said.prev == record.theirs_last
    else:
        follows = said.seq == 1 or (said.epoch, said.seq) <= newest
    if not follows:
        turn.note("statement.unlinked", by=said.by, doc=said.doc.hex(), seq=said.seq, prev=said.prev.hex())


def destroy(turn: Turn, cache: Cache, gone: Record) -> None:
    """This side's copy of a document goes, unless another recipient here still holds it."""
    others = [other.record for other in cache.of_document(gone.doc) if other.record.key != gone.key]
    if all(other.standing.agreed for other in others if not other.outgoing):
        turn.durable.append(DropContent(gone.doc))


def chunk_sizes(file: envelopes.File) -> list[tuple[bytes, int]]:
    """Each chunk's digest with its size in bytes."""
    last = file.size - file.chunk * (len(file.chunks) - 1)
    return [(digest, file.chunk if n < len(file.chunks) - 1 else last) for n, digest in enumerate(file.chunks)]


def repeat_first_word(turn: Turn, outbox: Outbox, loaded: Loaded) -> None:
    """Sends the word that answered the envelope once more, as an object, before another 01 or 02 is said.

    The answer may have been lost, and with the new word its sender stops asking: the first would be missing from the
    sender's evidence for ever.
    """
    sender, first, signed = loaded.record.sender, loaded.record.receipt, loaded.receipt
    if first is None:
        return
    turn.enqueue(sender, LANE_CONTROL, first)
    if signed is not None and signed.id == first:
        outbox.push(sender, LANE_CONTROL, Item(wire.STATEMENT, first, signed, ()))
    else:  # said in this very turn, and not signed yet
        outbox.expect(sender, LANE_CONTROL)


def new_record(doc: DocId, recipient: PartyId, envelope: Envelope, outgoing: bool, now_ms: int) -> Record:
    """A record in which nothing has been said yet."""
    return Record(
        doc=doc,
        recipient=recipient,
        sender=envelope.sender,
        outgoing=outgoing,
        priority=int(envelope.priority),
        created_ms=envelope.created_ms,
        expires_ms=envelope.expires_ms,
        standing=Standing(),
        mine_epoch=0,
        mine_seq=0,
        mine_last=doc,
        theirs_epoch=0,
        theirs_seq=0,
        theirs_last=doc,
        waits=WAITS_NOTHING,
        due_ms=envelope.expires_ms if outgoing else 0,
        tries=0,
        superseded_by=None,
        receipt=None,
        updated_ms=now_ms,
    )
