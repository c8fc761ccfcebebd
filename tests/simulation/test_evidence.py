"""Evidence out of a hostile world: whatever was lost, doubled, restored or delayed, what each node exports holds."""

from collections.abc import Callable, Iterator

import pytest

from docaxis.core import evidence, limits, wire
from docaxis.core import statement as statements
from docaxis.core.addresses import Book
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.record import Record
from docaxis.core.signed import sign_together
from docaxis.core.statement import Statement
from docaxis.core.timeline import Timeline
from docaxis.core.wire import Outcome
from docaxis_sim.host import Host
from docaxis_sim.plan import Kind
from docaxis_sim.swarm import draw
from docaxis_sim.world import World

# Nodes that were restored, or whose key was revoked, once lacked the first word of a chain: an answer that was lost
# before content came by itself, an envelope offered again under a revoked key, words that a backup did not hold. Drawn
# worlds change with the drawing, so they are chosen by what happens in them. Left out: what a party had said and not
# delivered when its key was revoked; nobody believes it any more, and its later words hang in the air.
PLANS = {seed: draw(seed) for seed in range(60)}
SEEDS = [seed for seed, plan in PLANS.items() if any(fault.kind is Kind.RESTORE for fault in plan.faults)][:5]


def documents(host: Host) -> Iterator[DocId]:
    """Every document that a node has a record of."""
    for outgoing in (True, False):
        yield from {record.doc for record, _ in host.tables.documents(outgoing, None, 10_000, None)}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_node_can_prove_the_state_that_it_shows(seed: int) -> None:
    """After healing no link is missing at either side, and the states that follow are those in the nodes' own rows."""
    world = World(seed, PLANS[seed])
    world.run()
    book = Book(dict(world.authority.entries).get, {}, 1, 0, {})
    proved = 0
    for host in world.hosts.values():
        for doc in documents(host):
            timeline = exported(host, doc, book)
            assert timeline.holds
            assert {each.recipient.id: each.state for each in timeline.transmissions} == shown(host, doc)
            proved += 1
    assert proved


LIES: dict[str, Callable[[Statement, Record], Statement]] = {
    "a strange predecessor": lambda said, known: said._replace(seq=known.theirs_seq + 1),
    "a gap": lambda said, known: said._replace(seq=known.theirs_seq + 5),
    "a fork at the first place": lambda said, known: said._replace(seq=1),
    "a fork at the newest place": lambda said, known: said._replace(seq=known.theirs_seq),
    "an epoch out of nothing": lambda said, known: said._replace(epoch=known.theirs_epoch + 1, seq=1),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_party_that_lies_about_its_chains_takes_nobody_elses_proof_away(lie: str) -> None:
    """After a hostile life, one party signs nonsense about all that it ever got: of every other transmission its
    sender can still prove the state that it shows."""
    seed = SEEDS[0]
    world = World(seed, PLANS[seed])
    world.run()
    book = Book(dict(world.authority.entries).get, {}, 1, 0, {})
    lied, others = 0, 0
    for host, doc, liar in list(heard(world)):
        before = shown(host, doc)
        answer = tell(world, host, liar, LIES[lie](a_lie(host, doc, liar), record_of(host, doc, liar.party)))
        forked = "fork" in lie
        assert answer == ((Outcome.REFUSED, "statement.fork") if forked else (Outcome.KEPT, ""))
        assert not forked or shown(host, doc) == before
        states = shown(host, doc)
        for each in exported(host, doc, book).transmissions:
            if each.recipient.id == liar.party:
                assert each.state is None
                assert each.fault is not None
                assert f" of {liar.party} (" in each.fault.link
                lied += 1
            else:
                assert (each.state, each.fault) == (states[each.recipient.id], None)
                others += 1
    assert lied
    assert others


def exported(host: Host, doc: DocId, book: Book) -> Timeline:
    """The verdict on what a node exports about a document."""
    records, kept = host.tables.document(doc)
    envelope = next(each.signed for each in kept if each.kind == wire.ENVELOPE)
    told = [each.signed for each in kept if each.kind == wire.STATEMENT]
    to = [record.recipient for record in records]
    raw = evidence.build(host.seal, host.party, 1, host.ground.now_ms, envelope, told, to, ())
    return evidence.check(evidence.read(raw), host.seal, book)


def shown(host: Host, doc: DocId) -> dict[PartyId, State]:
    """The states in a node's own rows."""
    return {record.recipient: record.standing.state for record in host.tables.document(doc)[0]}


def record_of(host: Host, doc: DocId, recipient: PartyId) -> Record:
    """What a sender knows of a document at a recipient."""
    return next(each for each in host.tables.document(doc)[0] if each.recipient == recipient)


def heard(world: World) -> Iterator[tuple[Host, DocId, Host]]:
    """Sender, document and liar, for every document of which the sender has heard the liar's word."""
    liar = world.hosts[max(world.hosts)]
    for host in world.hosts.values():
        for record, _ in host.tables.documents(True, None, 10_000, None):
            if record.recipient == liar.party and record.theirs_seq:
                yield host, record.doc, liar


def a_lie(host: Host, doc: DocId, liar: Host) -> Statement:
    """Something that the liar never said before, following nothing that exists."""
    known = record_of(host, doc, liar.party)
    return Statement(
        by=liar.party, doc=doc, sender=host.party, recipient=liar.party, code=Code.COMPLETED, epoch=known.theirs_epoch,
        seq=1, prev=b"x" * 32, answers=None, at_ms=host.ground.now_ms, reason="", text="a lie", actor="", dir=1,
    )  # fmt: skip


def tell(world: World, host: Host, liar: Host, said: Statement) -> tuple[Outcome, str]:
    """Hands a statement in under the liar's own signature; what the sender's node answers."""
    (signed,) = sign_together(liar.seal, liar.party, [statements.encode(said)], world.ground.now_ms)
    world.ledger.said.add(signed.id)  # it is a lie, and its own all the same
    batch = wire.Batch(liar.party, host.party, 1, 0, 1, (wire.Item(wire.STATEMENT, signed.id, signed, ()),))
    answers: list[object] = []
    host.arrive(liar.party, wire.encode_batch(batch), answers.append)
    world.ground.env.run(until=world.ground.now_ms + limits.SECOND_MS)
    (answer,) = answers
    assert isinstance(answer, bytes), answer
    return wire.decode_reply(answer).results[0][:2]
