"""Evidence out of a hostile world: whatever was lost, doubled, restored or delayed, what each node exports holds."""

from collections.abc import Iterator

import pytest

from docaxis.core import evidence, wire
from docaxis.core.addresses import Book
from docaxis.core.ids import DocId
from docaxis_sim.host import Host
from docaxis_sim.plan import draw
from docaxis_sim.world import World

# Each of these once left a node without the first word of a chain: an answer that was lost before content came by
# itself (1), an envelope offered again under a key revoked meanwhile (16), words of a restored node (25, 27, 37).
SEEDS = (1, 16, 25, 27, 37)


def documents(host: Host) -> Iterator[DocId]:
    """Every document that a node has a record of."""
    for outgoing in (True, False):
        yield from {record.doc for record, _ in host.tables.documents(outgoing, None, 10_000, None)}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_node_can_prove_the_state_that_it_shows(seed: int) -> None:
    """After healing no link is missing at either side, and the states that follow are those in the nodes' own rows."""
    world = World(seed, draw(seed))
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
