"""Relay and sharing: everybody gets everything, each from whom it should, and nobody before it can be had."""

import numpy as np
import pytest

from docaxis.core import limits
from docaxis_sim.capacity.model import Size, StatusStep, TopologySpec, Traffic
from docaxis_sim.capacity.plan import HOUR_NS, Deliveries, Form
from docaxis_sim.capacity.topology import Topology, build, latency_ns, select
from docaxis_sim.capacity.traffic import BadTraffic, deliveries
from tests.simulation.capacity.drawing import scenario

DECISION = Traffic(
    "decision", "agency:G22", "each:all", at_ns=8 * HOUR_NS, fanout="relay", size=Size("fixed", 5_000_000)
)
ANNEXES = Traffic(
    "annexes",
    "agency:G22",
    "each:tier:province",
    at_ns=9 * HOUR_NS,
    sharing="shared",
    size=Size("fixed", 70 * 4 * limits.MIB + 1, max_bytes=10**10),
    statuses=(StatusStep("done", 1.0, HOUR_NS),),
)


def drawn(traffic: Traffic) -> tuple[Deliveries, Topology]:
    """The deliveries of a scenario of one traffic."""
    topology = build(TopologySpec())
    return deliveries(scenario(traffic), topology, 0), topology


def last(found: Deliveries) -> np.ndarray:
    """Each delivery's recipient."""
    return found.path[found.hops, np.arange(len(found.hops))]


def test_a_relayed_decision_reaches_every_unit_once_from_the_unit_above_it() -> None:
    """The tree of deliveries is the tree of units."""
    found, topology = drawn(DECISION)
    sender = topology.ids.index("G22")
    assert sorted(last(found).tolist()) == [n for n in range(len(topology.ids)) if n != sender]
    child = found.parent >= 0
    assert (found.path[0, child] == topology.parent[last(found)[child]]).all()
    assert (last(found)[found.parent[child]] == found.path[0, child]).all()
    assert (found.path[0, ~child] == sender).all()
    assert (~child).sum() == 94


def test_a_unit_that_is_not_addressed_hands_nothing_on() -> None:
    """Districts left out, communes get it from their province; provinces left out, districts from the sender."""
    found, topology = drawn(DECISION._replace(to="each:tier:province + tier:commune"))
    child = found.parent >= 0
    assert (found.path[0, child] == topology.province[last(found)[child]]).all()
    found, topology = drawn(DECISION._replace(to="each:tier:district + tier:commune"))
    assert (found.parent < 0).sum() == len(select(topology, "tier:district"))


def test_what_is_below_the_sender_comes_from_the_sender() -> None:
    """A province that tells everybody is itself nobody's recipient."""
    found, topology = drawn(DECISION._replace(sender="agency:H49"))
    district = np.flatnonzero(topology.parent == topology.ids.index("H49"))
    assert (found.parent[np.isin(last(found), district)] == -1).all()


def test_who_hands_on_submits_once_and_parents_come_first() -> None:
    """One full submission for each unit that hands on; engines may rely on the order of rows."""
    found, _ = drawn(DECISION)
    sources = np.unique(found.path[0])
    assert found.first.sum() == len(sources)
    assert (np.bincount(found.path[0][found.first])[sources] == 1).all()
    assert (found.parent < np.arange(len(found.parent))).all()
    assert (np.diff((found.parent >= 0).astype(int)) >= 0).all()


def test_every_recipient_of_shared_content_gets_every_part_once() -> None:
    """All of the content, no part twice, the odd byte included."""
    found, _ = drawn(ANNEXES)
    parts = found.form == Form.CHUNK
    assert parts.sum() == 71 * 63
    content = found.bytes - 512 * -(-found.bytes // (limits.MIB + 512))
    per_recipient = np.bincount(last(found)[parts], weights=content[parts])
    assert set(per_recipient[per_recipient > 0].tolist()) == {float(ANNEXES.size.median_bytes)}


def test_the_sender_of_shared_content_sends_each_part_once() -> None:
    """That is what sharing is for."""
    found, topology = drawn(ANNEXES)
    parts = found.form == Form.CHUNK
    assert (found.path[0, parts] == topology.ids.index("G22")).sum() == 71


def test_parts_come_after_what_they_need() -> None:
    """A part is asked for by who has the announcement, and passed on by who has it."""
    found, topology = drawn(ANNEXES)
    parts = np.flatnonzero(found.form == Form.CHUNK)
    from_sender = found.path[0, parts] == topology.ids.index("G22")
    gifts, passed = parts[from_sender], parts[~from_sender]
    assert (found.form[found.parent[gifts]] == Form.INLINE).all()
    assert (last(found)[found.parent[gifts]] == last(found)[gifts]).all()
    assert (last(found)[found.parent[passed]] == found.path[0, passed]).all()
    assert (found.bytes[found.parent[passed]] == found.bytes[passed]).all()
    one_way = latency_ns(topology, TopologySpec().latency, found.path[0, passed], last(found)[passed])
    assert (found.birth_ns[passed] == 2 * one_way).all()


def test_parts_state_nothing_and_announcements_carry_nothing() -> None:
    """Receipts and statuses are about documents."""
    found, _ = drawn(ANNEXES)
    assert (found.status_delay_ns[0, found.form == Form.CHUNK] < 0).all()
    assert (found.status_delay_ns[0, found.form == Form.INLINE] >= 0).all()
    assert found.bytes[found.form == Form.INLINE].max() < 64 * limits.KIB


@pytest.mark.parametrize("change", [{"size": Size("fixed", 1000)}, {"to": "any:tier:province"}])
def test_what_gains_nothing_by_sharing_is_sent_plainly(change: dict[str, object]) -> None:
    """Small content, or one recipient."""
    found, _ = drawn(ANNEXES._replace(**change))  # type: ignore[arg-type]
    assert (found.form != Form.CHUNK).all()


def test_relaying_and_sharing_at_once_is_refused() -> None:
    """Two ways to spare the sender that would have to know of each other."""
    with pytest.raises(BadTraffic, match="choose one"):
        drawn(ANNEXES._replace(fanout="relay"))
