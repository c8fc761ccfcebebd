"""A part of a plan is a plan: the same documents, nodes and times, and nothing of what was left out."""

import numpy as np
import pytest

from docaxis_sim.capacity import reference
from docaxis_sim.capacity.excerpt import excerpt, pressed, with_a_cut, with_lines_for
from docaxis_sim.capacity.plan import HOUR_NS, Plan
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.shipped import shipped


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A tenth of a normal working day."""
    return prepare(load(shipped() / "normal-working-day.toml", {"load": 0.1}), 0).plan


def test_an_excerpt_holds_the_documents_of_a_few_nodes_as_they_were(plan: Plan) -> None:
    """Who, when, how much: found again in the whole plan, row by row."""
    small = excerpt(plan, 8, 200)
    assert len(small.node_ids) == 8
    assert 0 < len(small.deliveries.hops) <= 200
    assert set(rows_of(small)) <= set(rows_of(plan))


def rows_of(plan: Plan) -> list[tuple[int, int, int, str, str]]:
    """Every delivery: when, how much, how far, from whom, to whom."""
    columns = plan.deliveries
    ends = [[plan.node_ids[node] for node in columns.path[end]] for end in (0, 1)]
    return list(
        zip(columns.birth_ns.tolist(), columns.bytes.tolist(), columns.latency_ns[0].tolist(), *ends, strict=True)
    )


def test_the_nodes_of_an_excerpt_keep_their_links_and_costs(plan: Plan) -> None:
    """Else it would answer another question."""
    small = excerpt(plan, 8, 50)
    nodes = [plan.node_ids.index(each) for each in small.node_ids]
    assert (small.stations.cost_ns == plan.stations.cost_ns[:, nodes]).all()
    here = small.stations.up_ns_per_kib[small.stations.up_of]
    assert (here == plan.stations.up_ns_per_kib[plan.stations.up_of[nodes]]).all()


def test_every_document_of_an_excerpt_pays_for_its_first_recipient(plan: Plan) -> None:
    """Also where that recipient was left out."""
    small = excerpt(plan, 8, 200).deliveries
    assert sorted(small.group[small.first].tolist()) == sorted(set(small.group.tolist()))


def test_an_engine_carries_an_excerpt_to_its_end(plan: Plan) -> None:
    """It is complete."""
    small = excerpt(plan, 8, 100)
    assert (reference.carry(small).left_ns[4] > 0).all()


def test_a_plan_without_direct_documents_has_an_empty_excerpt(plan: Plan) -> None:
    """And that is no mistake."""
    far = plan._replace(deliveries=plan.deliveries._replace(hops=np.full_like(plan.deliveries.hops, 2)))
    assert len(excerpt(far, 8, 100).deliveries.hops) == 0


def test_a_pressed_excerpt_keeps_its_busiest_loop_busy(plan: Plan) -> None:
    """Births alone move; rounds that are shared and pauses between them make it a little less than was asked for."""
    small = excerpt(plan, 8, 200)
    dense = pressed(small, 0.6)
    run = reference.carry(dense)
    lasts_ns = int(dense.deliveries.birth_ns.max())
    assert 0.4 < run.loop_busy_ns.max() / lasts_ns < 0.75
    assert lasts_ns < np.ptp(small.deliveries.birth_ns)
    assert (np.diff(dense.deliveries.birth_ns) >= 0).all()


def test_nothing_is_spread_out_and_an_empty_excerpt_stays_empty(plan: Plan) -> None:
    """Pressing is all that it does."""
    small = pressed(excerpt(plan, 8, 50), 1e12)
    assert np.ptp(small.deliveries.birth_ns) == 0
    assert np.ptp(pressed(small, 0.01).deliveries.birth_ns) == 0
    empty = excerpt(plan, 8, 0)
    assert pressed(empty, 0.6) is empty


def test_lines_are_made_faster_until_they_have_no_more_to_do_than_the_busiest_loop(plan: Plan) -> None:
    """And never slower."""
    small = excerpt(plan, 8, 200)
    quick, faster = with_lines_for(small)
    assert faster > 1
    assert (quick.stations.up_ns_per_kib < small.stations.up_ns_per_kib).all()
    again, more = with_lines_for(quick)
    assert more == pytest.approx(1, abs=0.01)
    assert (again.stations.up_ns_per_kib <= quick.stations.up_ns_per_kib).all()
    assert with_lines_for(excerpt(plan, 8, 0))[1] == 1


def test_a_node_is_cut_off_for_the_middle_third_of_an_hour(plan: Plan) -> None:
    """The one that exchanges most, so that something is held up."""
    small = excerpt(plan, 8, 100)
    cut = with_a_cut(small)
    (outage,) = cut.outages
    rows = cut.deliveries
    assert (rows.birth_ns.min(), rows.birth_ns.max()) == (0, HOUR_NS)
    assert (outage.from_ns, outage.until_ns, outage.dark) == (HOUR_NS // 3, 2 * HOUR_NS // 3, False)
    exchanged = np.bincount(rows.path[:2].ravel())
    assert exchanged[outage.inside].tolist() == [exchanged.max()]
    assert with_a_cut(excerpt(plan, 8, 0)).outages == ()
