"""Checkers: the promises of the design that a simulated world can break, one function each.

They share no code with the machine: no merge, no table of the lifecycle, no outbox, no decoder. Bytes are read by
`docaxis_sim.reading`; what a node hands to its store and its driver (records, changes, ids) is taken as the values that
they are. A checker that cannot fail is worthless: the tests plant bugs and see each of them found.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from docaxis.core.effects import AppendChange, Effects, PutObject, Send
from docaxis.core.ids import DocId, KeyId
from docaxis.core.record import Record
from docaxis_sim import reading
from docaxis_sim.reading import Header, Part, Said

if TYPE_CHECKING:
    from docaxis_sim.ledger import Ack, Ledger

Place = tuple[str, bytes, str, str, int, int]
"""Where a statement stands: author, document, sender, recipient, epoch, number."""
Transmission = tuple[int, str, str]
"""Number of an order, sender, recipient."""
ChunkOf = Callable[[str, bytes], bytes | None]
"""What a party has of a digest."""

RANKS: Final = {
    "SENT": 0,
    "HELD": 1,
    "EXPIRED": 2,
    "ARRIVED": 3,
    "REFUSED": 4,
    "RECEIVED": 5,
    "ASSIGNED": 6,
    "PROCESSING": 7,
    "COMPLETED": 8,
}
"""The order of progress, written down a second time on purpose."""
REACHED: Final = {"00": 1, "91": 2, "01": 3, "02": 4, "03": 5, "04": 6, "05": 7, "06": 8}
"""The rank that a code states."""
ONCE: Final = frozenset({"00", "01", "02", "91"})
"""Codes that a node may enter only once into the feed of one transmission."""
HOUR_MS: Final = 3_600_000
UNTIL_HEARD_MS: Final = 1_000
UNTIL_DELIVERED_MS: Final = 2 * HOUR_MS
EVENTS_PER_MINUTE_MAX: Final = 2_000
WAKES_PER_MINUTE_MAX: Final = 240
SECOND_MS: Final = 1_000
PATIENCE_MS_MAX: Final = 300 * SECOND_MS
UNTIL_PASSED_MS: Final = 900 * SECOND_MS
STALE_MS: Final = 30 * 24 * HOUR_MS


class Breach(AssertionError):
    """A promise was broken. `promise` is the checker's name. Made again from its arguments when it leaves SimPy."""

    def __init__(self, promise: str, detail: str) -> None:
        super().__init__(promise, detail)
        self.promise = promise
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.promise}: {self.detail}"


def require(holds: bool, promise: str, detail: str) -> None:
    """Raises `Breach` unless the promise holds."""
    if not holds:
        raise Breach(promise, detail)


# --- while the world runs ---------------------------------------------------------------------------------------------


def one_key_one_document(party: str, key: str, before: bytes, now: bytes) -> None:
    """Nothing happens twice: an idempotency key means one document for ever."""
    require(before == now, "one key, one document", f"{party} answered {key} with {before.hex()} and {now.hex()}")


def durable_before_spoken(party: str, object_id: bytes, kept: Mapping[bytes, PutObject]) -> None:
    """Nothing leaves a node before what it says is on disk."""
    require(object_id in kept, "durable before spoken", f"{party} sends {object_id.hex()[:16]}, which it has not kept")


def one_bad_item(
    ledger: "Ledger", sender: str, recipient: str, poison: DocId | None, from_ms: int, until_ms: int
) -> None:
    """One bad item harms only itself: what else was on its way arrived, though that one could not be read."""
    for ack in ledger.acks.values():
        if ack.sender != sender or recipient not in ack.to or ack.doc == poison:
            continue
        if from_ms <= ack.at_ms <= until_ms - UNTIL_PASSED_MS:
            arrived_ms = ledger.arrivals.get((ack.doc, recipient), until_ms + 1)
            detail = f"{ack.doc.hex()[:16]} of {sender} waits behind {poison.hex()[:16] if poison else 'nothing'}"
            require(arrived_ms <= until_ms, "one bad item", detail)


def goes_on(ledger: "Ledger", until_ms: int) -> None:
    """The directory survives its publisher: without it, and with nothing else wrong, documents go as they always do."""
    for ack in ledger.acks.values():
        for recipient in ack.to if ack.at_ms <= until_ms - UNTIL_PASSED_MS else ():
            detail = f"{ack.doc.hex()[:16]} of {ack.sender} waits for the publisher"
            require((ack.doc, recipient) in ledger.arrivals, "goes on", detail)


def one_result_per_item(party: str, items: int, results: int) -> None:
    """An answer says of each item what became of it."""
    require(items == results, "one result per item", f"{party} answers {items} items with {results} results")


def kept_is_kept(party: str, item: Part, kept: Mapping[bytes, PutObject]) -> None:
    """Who answers *kept* has it on disk; only the end of a document that never came may be heard and forgotten."""
    ended = item.kind == reading.STATEMENT and reading.statement(item.body).code.value == "91"
    require(item.id in kept or ended, "kept is kept", f"{party} says that {item.kind} {item.id.hex()[:16]} is kept")


def monotone(party: str, before: Record | None, after: Record) -> None:
    """What is known never moves back, and neither does anybody's place in a chain."""
    if before is None:
        return
    old, new = before.standing, after.standing
    holds = (
        RANKS[new.progress.name] >= RANKS[old.progress.name]
        and new.agreed >= old.agreed
        and set(new.recalls) >= set(old.recalls)
        and set(new.declined) >= set(old.declined)
        and (after.mine_epoch, after.mine_seq) >= (before.mine_epoch, before.mine_seq)
        and (after.theirs_epoch, after.theirs_seq) >= (before.theirs_epoch, before.theirs_seq)
    )
    require(holds, "monotone", f"{party} moved {before.doc.hex()[:16]} for {before.recipient} from {before} to {after}")


def chain(words: dict[Place, bytes], said: Said, object_id: bytes) -> None:
    """One statement per place, and each names the one before it; `words` remembers all that ever was durable."""
    line = (said.by, said.doc, said.sender, said.recipient)
    place = (*line, said.epoch, said.seq)
    before = words.setdefault(place, object_id)
    require(before == object_id, "chain", f"{said.by} stated number {said.seq} of epoch {said.epoch} twice: {said}")
    if said.seq > 1:
        expected = words.get((*line, said.epoch, said.seq - 1))
        require(said.prev == expected, "chain", f"{said} names {said.prev.hex()[:16]}, not the statement before it")
    elif said.prev != said.doc:
        earlier = [each for key, each in words.items() if key[:4] == line and key[4] < said.epoch]
        require(said.prev in earlier, "chain", f"{said} begins an epoch and names neither document nor statement")


def authority(party: str, kept: PutObject, key: KeyId, told_ms: int | None, now_ms: int) -> None:
    """Nothing of a revoked key takes effect, once a node has heard of the revocation."""
    fresh = told_ms is None or now_ms <= told_ms + UNTIL_HEARD_MS or kept.by == party
    require(fresh, "authority", f"{party} keeps {kept.kind} {kept.id.hex()[:16]} under revoked key {key.hex()}")


def deadline(party: str, said: Said, body: bytes | None) -> None:
    """A document expires only at its own deadline, by its sender's word."""
    if said.code.value != "91":
        return
    require(body is not None, "deadline", f"{party} lets a document expire that it does not hold")
    assert body is not None
    expires_ms = reading.envelope(body).expires_ms
    require(said.at_ms >= expires_ms, "deadline", f"{party} lets {said.doc.hex()[:16]} expire too early: {said}")


def once(party: str, line: AppendChange, count: int, forgotten: int) -> None:
    """Nothing happens twice: people are told once, and once more for each time that a backup made a party forget."""
    most = 1 + forgotten
    require(line.code.value not in ONCE or count <= most, "once", f"{party} tells {count} times: {line}")


def calm(party: str, events: int, wakes: int) -> None:
    """Progress: no busy loop, in any weather."""
    require(events <= EVENTS_PER_MINUTE_MAX, "calm", f"{party} handles {events} events in one minute")
    require(wakes <= WAKES_PER_MINUTE_MAX, "calm", f"{party} wakes {wakes} times in one minute")


class Silence(NamedTuple):
    """How often in a row a peer has failed, when last (by the clock of who tried), and whether it called since."""

    failures: int
    last_ms: int
    sign: bool = False


def patience(party: str, peer: str, silence: Silence, clock_ms: int) -> None:
    """Progress: a peer that fails is left alone for longer and longer; a sign of life allows one try, and no more."""
    least_ms = min(PATIENCE_MS_MAX, SECOND_MS << min(silence.failures - 1, 20)) // 2 if silence.failures else 0
    holds = silence.sign or clock_ms - silence.last_ms >= least_ms
    waited = f"{clock_ms - silence.last_ms} ms after failure {silence.failures} in a row"
    require(holds, "patience", f"{party} tries {peer} again {waited}")


def within_credit(party: str, peer: str, items: int, credit: int) -> None:
    """Bounded: nobody floods another; no request carries more than the peer has asked for."""
    require(items <= max(credit, 1), "within credit", f"{party} sends {items} items to {peer}, which takes {credit}")


def fresh_enough(party: str, age_ms: int, clock_ms: int, inbound: bool, effects: Effects) -> None:
    """A directory so old that it may be a lie is not acted on: no document leaves, and none that comes has arrived."""
    if age_ms < STALE_MS:
        return
    for kept in effects.durable if inbound else ():
        if isinstance(kept, PutObject) and kept.kind == reading.STATEMENT and kept.by == party:
            said = reading.statement(kept.body)
            holds = said.code.value != "01" or said.at_ms != clock_ms  # an older word of its own may be given back
            require(holds, "fresh enough", f"{party} takes a document with a directory {age_ms} ms old: {said}")
    for effect in effects.then:
        parts = reading.request(effect.body).parts if isinstance(effect, Send) else ()
        documents = [part for part in parts if part.kind == reading.ENVELOPE]
        require(not documents, "fresh enough", f"{party} sends a document with a directory {age_ms} ms old")


def for_its_recipients(
    party: str, peer: str, header: Header, carried: Iterable[bytes], heirs: Mapping[str, str]
) -> None:
    """Content is for its recipients alone: a document, or the content `carried` for it (digests), leaves for one of
    them, for the heir of a closed code, or back to its sender; and it is that document's content."""
    welcome = peer == header.sender or any(peer in (party_to, heirs.get(party_to)) for party_to in header.to)
    whose = f"a document of {header.sender} for {', '.join(header.to)}"
    require(welcome, "for its recipients", f"{party} gives {peer} {whose}")
    foreign = [digest.hex()[:16] for digest in carried if digest not in header.digests]
    require(not foreign, "for its recipients", f"{party} gives {peer} content {foreign}, which is none of {whose}")


def receipt_for_its_document(party: str, recipient: str, item: Part, receipt: bytes) -> None:
    """Checked by a stranger: the word that answers an envelope is about that envelope, at that recipient."""
    said = reading.statement(receipt)
    holds = item.kind == reading.ENVELOPE and (said.doc, said.recipient) == (item.id, recipient)
    require(holds, "receipt for its document", f"{party} answers {item.kind} {item.id.hex()[:16]} with {said}")


def bounded(party: str, sizes: Mapping[str, tuple[int, int]]) -> None:
    """Memory has limits with names: each size with the most it may be."""
    for name, (size, most) in sizes.items():
        require(size <= most, "bounded", f"{party}: {name} holds {size}, at most {most}")


# --- when it has healed -----------------------------------------------------------------------------------------------


def unsettled(ledger: "Ledger") -> list[str]:
    """What still has to come to its end: transmissions on which the two sides do not agree yet."""
    return [
        f"{ack.sender} → {recipient} {ack.doc.hex()[:16]}: {open_}"
        for ack in ledger.acks.values()
        for recipient in ack.to
        if (open_ := _still_open(ledger, ack, recipient))
    ]


def _still_open(ledger: "Ledger", ack: "Ack", recipient: str) -> str:
    ours = ledger.shelf(ack.sender).records.get((ack.doc, recipient))
    _, theirs = _incoming(ledger, ack, recipient)
    if ours is None:
        return "" if _forgiven(ledger, ack) else "the sender has no record of it"
    if ours.standing.progress.name in ("SENT", "HELD") and not ours.standing.agreed:
        return f"it is {ours.standing.progress.name} at its sender"
    if ack.sender in ledger.revoked_parties or recipient in ledger.revoked_parties:
        return ""
    if theirs is None:
        return "" if ours.standing.progress.name == "EXPIRED" else f"its recipient has no record, its sender {ours}"
    if ours.standing != theirs.standing:
        return f"its sender knows {ours.standing}, its recipient {theirs.standing}"
    return ""


def _incoming(ledger: "Ledger", ack: "Ack", recipient: str) -> tuple[str, Record | None]:
    """Who holds the other side, and its record: the recipient, or whoever succeeds its closed code."""
    for party in (recipient, *ledger.shelves):
        record = ledger.shelf(party).records.get((ack.doc, recipient))
        if record is not None and not record.outgoing:
            return party, record
    return recipient, None


def _forgiven(ledger: "Ledger", ack: "Ack") -> bool:
    """Only a sender that was restored may have forgotten a document, and only one that nobody else holds."""
    holders = [party for party, shelf in ledger.shelves.items() if ack.doc in shelf.objects]
    return ack.sender in ledger.restored_parties and not holders


def no_loss(ledger: "Ledger") -> None:
    """Nothing is lost: every acknowledged submission has an outcome, and its sender holds the evidence."""
    left = unsettled(ledger)
    require(not left, "no loss", f"{len(left)} unsettled: {left[:3]}")
    for ack in ledger.acks.values():
        for recipient in ack.to:
            _evidence(ledger, ack, recipient)


def _evidence(ledger: "Ledger", ack: "Ack", recipient: str) -> None:
    shelf = ledger.shelf(ack.sender)
    record = shelf.records.get((ack.doc, recipient))
    if record is None:
        return
    said = shelf.statements(ack.doc, recipient)
    joined_up(ack.sender, record, said)
    final = [s for s in said if s.by != ack.sender or s.code.value == "91"]
    require(bool(final), "no loss", f"{ack.sender} holds no evidence about {ack.doc.hex()[:16]} for {recipient}")


def joined_up(party: str, record: Record, said: list[Said]) -> None:
    """A record is what its statements say, whatever their order."""
    progress = max((REACHED.get(each.code.value, 0) for each in said), default=0)
    agreed = any(each.code.value == "15" for each in said)
    standing = record.standing
    holds = RANKS[standing.progress.name] == progress and standing.agreed == agreed
    require(holds, "joined up", f"{party} shows {standing}, its statements say {[each.code.value for each in said]}")


def unbroken(ledger: "Ledger") -> None:
    """Every statement can be checked by a stranger: no node lacks a link before one that it holds.

    What a party had not delivered when its key was revoked, or when a backup made it forget, nobody may have.
    """
    for party, shelf in ledger.shelves.items():
        for (doc, recipient), record in shelf.records.items():
            lost = ledger.revoked_parties.keys() | ledger.restored_parties.keys()
            if record.sender in lost or recipient in lost:
                continue
            for said in shelf.statements(doc, recipient):
                holds = said.prev == doc or said.prev in shelf.objects
                require(holds, "unbroken", f"{party} lacks the statement before {said}")


def alive(ledger: "Ledger", healed_ms: int) -> None:
    """Once all is healed, documents are delivered: none may come to its deadline long after, for want of trying."""
    for ack in ledger.acks.values():
        if ack.sender in ledger.restored_parties or ack.sender in ledger.revoked_parties:
            continue
        for recipient in ack.to:
            late = [each for each in ledger.shelf(ack.sender).statements(ack.doc, recipient) if _late(each, healed_ms)]
            excused = recipient in ledger.revoked_parties
            words = ", ".join(f"{each.by} said {each.code.value} {each.reason} at {each.at_ms} ms" for each in late)
            what = f"the letter of {ack.sender} to {recipient}"
            require(excused or not late, "alive", f"{what} could have been delivered after all was healed: {words}")


def _late(said: Said, healed_ms: int) -> bool:
    ended = said.code.value == "91" or said.reason == "content.missing"
    return ended and said.at_ms > healed_ms + UNTIL_DELIVERED_MS


def receipts_are_true(ledger: "Ledger", chunk: ChunkOf) -> None:
    """A receipt at the sender means that the recipient holds the document with all of its content.

    Content that both sides have forgotten in restores is gone.
    """
    for ack in ledger.acks.values():
        for recipient in ack.to:
            ours = ledger.shelf(ack.sender).records.get((ack.doc, recipient))
            if ours is not None and RANKS[ours.standing.progress.name] >= RANKS["ARRIVED"]:
                _holds_all(ledger, ack, recipient, chunk)


def _holds_all(ledger: "Ledger", ack: "Ack", recipient: str, chunk: ChunkOf) -> None:
    name = f"{ack.doc.hex()[:16]} from {ack.sender}"
    party, theirs = _incoming(ledger, ack, recipient)
    kept = ledger.shelf(party).objects.get(ack.doc)
    require(theirs is not None and kept is not None, "receipts are true", f"{recipient} does not hold {name}")
    assert theirs is not None
    assert kept is not None
    if theirs.standing.agreed or theirs.standing.progress.name == "REFUSED":
        return
    if ack.sender in ledger.restored_parties and party in ledger.restored_parties:
        return
    for digest in reading.envelope(kept.body).digests:
        held = chunk(party, digest)
        require(held is not None and sha256(held).digest() == digest, "receipts are true", f"{party} lacks {name}")


def nothing_queued(queued: Mapping[str, int]) -> None:
    """After healing, every queue is empty."""
    left = {party: count for party, count in queued.items() if count}
    require(not left, "nothing queued", f"objects still wait: {left}")


def isolated(
    alone: Mapping[Transmission, int], beside_faults: Mapping[Transmission, int], healthy: frozenset[str]
) -> None:
    """One bad peer harms only itself: between healthy parties, waits stay within twice the usual.

    Both map a transmission to the ms until its sender held the receipt; the median and the worst twentieth count.
    """
    usual = sorted(wait for key, wait in alone.items() if key[1] in healthy and key[2] in healthy)
    now = sorted(wait for key, wait in beside_faults.items() if key[1] in healthy and key[2] in healthy)
    require(len(now) == len(usual) > 0, "isolated", f"{len(now)} of {len(usual)} were delivered")
    for share in (2, 20):
        before, after = usual[-1 - len(usual) // share], now[-1 - len(now) // share]
        require(after <= 2 * before, "isolated", f"waits grew from {before} to {after} ms")
