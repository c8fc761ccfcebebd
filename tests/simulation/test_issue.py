"""What a node takes for the directory: what its officers signed, no older than what it has, and no lie of a mirror."""

from itertools import islice

import pytest

from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.limits import HOUR_MS, MINUTE_MS
from docaxis_sim.issue import STAMP_MS, Subscriber
from docaxis_sim.mirror import Mirror
from docaxis_sim.plan import Fault, Kind, Plan
from docaxis_sim.world import World


@pytest.fixture
def world() -> World:
    """Three agencies, and a directory that has changed once."""
    made = World(1, Plan(("G22", "H49", "H26")))
    made.authority.sign_anew("H26")
    return made


def taken(world: World) -> Subscriber:
    """A node that has the directory as it is."""
    subscriber = Subscriber()
    subscriber.take(world.authority.issue(), world.ground.now_ms)
    return subscriber


def test_what_officers_signed_is_taken_and_dated_by_the_nodes_own_clock(world: World) -> None:
    """Entries, revoked keys and the version."""
    key = world.authority.entries[PartyId("H49")].keys[0].id
    world.authority.revoke("H49", key)
    book, refused = Subscriber().take(world.authority.issue(), world.ground.now_ms + HOUR_MS)
    assert (book.version, book.verified_ms, book.parties) == (3, world.ground.now_ms + HOUR_MS, ("G22", "H49", "H26"))
    assert book.revoked == {key: world.ground.now_ms}
    assert {party: book.entry(party) for party in book.parties} == world.authority.entries
    assert refused == ()


def test_every_lie_of_a_mirror_is_refused_by_its_name(world: World) -> None:
    """Rollback, freeze, changed numbers, another's entry; and of a true issue another's revocation is left out."""
    subscriber = taken(world)
    mirror = Mirror(world.ground, world.authority, "H49", "H26")
    *lies, true = islice(iter(mirror, None), 5)
    codes = []
    for lie in lies:
        with pytest.raises(TheirFault) as caught:
            subscriber.take(lie, world.ground.now_ms)
        codes.append(caught.value.code)
    assert codes == ["directory.rollback", "directory.expired", "directory.threshold", "directory.threshold"]
    book, refused = subscriber.take(true, world.ground.now_ms)
    assert [fault.code for fault in refused] == ["directory.threshold"]
    assert book.revoked == {}
    assert book.version == 2


def test_a_stamp_is_good_for_a_day(world: World) -> None:
    """Not a moment longer: who shows it again and again hides what came since."""
    issue = world.authority.issue()
    Subscriber().take(issue, world.ground.now_ms + STAMP_MS - 1)
    with pytest.raises(TheirFault, match="stamp is of"):
        Subscriber().take(issue, world.ground.now_ms + STAMP_MS)


def test_a_node_behind_a_lying_mirror_goes_on_and_hears_of_nothing_false() -> None:
    """Letters arrive at once, while it lies for an hour, and nobody's key is taken for revoked."""
    fault = Fault(Kind.BAD_MIRROR, 5 * MINUTE_MS, 65 * MINUTE_MS, "G22", "H49")
    plan = Plan(("G22", "H49", "H26"), 2 * HOUR_MS, refresh_ms=MINUTE_MS, faults=(fault,))
    plan = plan._replace(work=plan.work._replace(documents=0, office_ms=0))
    world = World(1, plan)
    order = world.workload.order(30 * MINUTE_MS, "H26", "G22")
    happened = world.run().happened
    assert order.doc is not None
    assert world.ledger.arrivals[order.doc, "G22"] - world.workload.asked_ms[order.number] < MINUTE_MS
    names = ("older", "frozen", "forged")
    assert all(happened[f"{name} directory refused"] > 5 for name in names)
    assert happened["foreign revocation refused"] > 5
