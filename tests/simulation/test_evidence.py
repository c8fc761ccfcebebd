"""Evidence out of a hostile world: whatever was lost, doubled, restored or delayed, what each node exports holds."""

from collections.abc import Iterator

import pytest

from docaxis.core import evidence, wire
from docaxis.core.addresses import Book
from docaxis.core.ids import DocId
from docaxis_sim.host import Host
from docaxis_sim.plan import Kind, draw
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
            records, kept = host.tables.document(doc)
            envelope = next(each.signed for each in kept if each.kind == wire.ENVELOPE)
            told = [each.signed for each in kept if each.kind == wire.STATEMENT]
            to = [record.recipient for record in records]
            raw = evidence.build(host.seal, host.party, 1, world.ground.now_ms, envelope, told, to, ())
            timeline = evidence.check(evidence.read(raw), host.seal, book)
            states = {each.recipient.id: each.state for each in timeline.transmissions}
            assert states == {record.recipient: record.standing.state for record in records}
            proved += 1
    assert proved
