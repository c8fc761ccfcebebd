"""Cut points: what the dominator tree says is what routes say when the thing is gone."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from docaxis_sim.capacity import cutpoints, routes
from docaxis_sim.capacity.country import Unit
from docaxis_sim.capacity.model import TIERS, Site, TopologySpec
from docaxis_sim.capacity.routes import NoRoute
from docaxis_sim.capacity.topology import Topology, assemble, build, select
from tests.simulation.capacity.forests import forests
from tests.simulation.capacity.networks import MEGABIT, network

ENDPOINTS = st.lists(st.sampled_from(TIERS), unique=True).map(tuple)


def cut_off(topology: Topology, spec: TopologySpec, *sites: Site) -> dict[tuple[str, str], int]:
    """Failures, by what fails, with how many they cut off."""
    return {(cut.kind, cut.id): cut.cut_off for cut in cutpoints.cuts(network(spec, sites=sites), topology)}


def on_the_way(topology: Topology, spec: TopologySpec) -> Counter[str]:
    """How many routes from the origin to nodes of the lowest tier lead over each node between their ends."""
    start, over = cutpoints.origin_of(topology), Counter[str]()
    for node in np.flatnonzero(topology.tier == topology.tier.max()):
        if node != start:
            try:
                _, path = routes.paths(topology, spec, np.array([start], np.int32), np.array([node], np.int32))
            except NoRoute as refusal:
                assume("more than" not in str(refusal))
            else:
                over.update(topology.ids[each] for each in path[1:, 0] if each not in (-1, node))
    return over


@given(forests(), ENDPOINTS)
def test_a_node_cuts_off_those_whose_direct_route_leads_over_it(topology: Topology, endpoints: tuple[str, ...]) -> None:
    """Keepers of mailboxes, and nobody else."""
    spec = TopologySpec(endpoints=endpoints)
    nodes = {own: count for (kind, own), count in cut_off(topology, spec).items() if kind == "node"}
    assert nodes == dict(on_the_way(topology, spec))


@given(forests(most=16, hub=True), st.sampled_from(["tiered", "hub"]))
def test_a_node_cuts_off_those_whose_route_through_the_tiers_leads_over_it(topology: Topology, routing: str) -> None:
    """Who is above them, who is above the origin, and the hub."""
    spec = TopologySpec(routing=routing)
    nodes = {own: count for (kind, own), count in cut_off(topology, spec).items() if kind == "node"}
    assert nodes == dict(on_the_way(topology, spec))


@pytest.mark.parametrize("routing", ["tiered", "hub"])
def test_a_link_between_roots_matters_only_where_no_detour_is_left(routing: str) -> None:
    """Never among 95 that are all linked; always on the way to a hub."""
    spec = TopologySpec(layout="vn-2025", routing=routing)
    topology = build(spec)
    links = {own: count for (kind, own), count in cut_off(topology, spec).items() if kind == "root link"}
    provinces = {
        f"{topology.ids[each]} – HUB": len(select(topology, f"province:{topology.ids[each]} - tier:province"))
        for each in select(topology, "tier:province")
    }
    assert links == ({} if routing == "tiered" else provinces | {"G22 – HUB": 3_321})


def test_a_province_that_is_cut_off_takes_its_communes_with_it_whatever_the_routing() -> None:
    """Also where each of them has a node of its own, and no single node would do it."""
    for routing in routes.ROUTINGS:
        spec = TopologySpec(layout="vn-2025", routing=routing)
        topology = build(spec)
        found = cut_off(topology, spec)
        communes = len(select(topology, "province:H56 - tier:province"))
        assert found["province", "H56"] == communes
        assert found.get(("node", "H56"), 0) == (0 if routing == "direct" else communes)


def test_a_site_with_the_origin_in_it_cuts_off_everybody_outside() -> None:
    """Those inside still reach each other."""
    spec = TopologySpec(layout="agencies")
    topology = build(spec)
    site = Site("centre", "tier:central + agency:H26", MEGABIT, MEGABIT)
    assert cut_off(topology, spec, site)["site", "centre"] == 62


def test_a_site_of_keepers_takes_all_their_mailboxes_with_it() -> None:
    """A national data centre that houses every province's node."""
    spec = TopologySpec(layout="vn-2025", endpoints=("central", "province"))
    site = Site("national", "tier:province", MEGABIT, MEGABIT)
    report = cutpoints.graph_report(network(spec, sites=(site,)), cuts_max=3)
    assert report.cuts[0][:4] == ("site", "national", "national", 3_321)
    first, second = report.cuts[1:]
    assert first[:2] == ("node", "H29")
    assert first.cut_off == 168 >= second.cut_off
    assert first.same == ("province H29",)
    assert report.cuts[0].same == ()
    assert (report.routing, report.origin, report.counted, report.counted_total) == ("direct", "G22", "commune", 3_321)
    assert report.nodes == {"central": 32, "province": 34, "commune": 3_321}
    assert report.links == {"mailbox": 3_321}
    assert report.unreachable == ()
    assert report.graphml.count("<node ") == 3_387


def test_failures_that_cut_off_the_same_nodes_share_a_line_and_others_do_not() -> None:
    """None is lost by folding, and two that happen to be as bad are two."""
    spec = TopologySpec(layout="vn-2025", endpoints=("central", "province"))
    topology = build(spec)
    alone, folded = cutpoints.cuts(network(spec), topology), cutpoints.folded(network(spec), topology)
    named = [f"{cut.kind} {cut.id}" for cut in alone]
    assert sorted(named) == sorted(each for cut in folded for each in (f"{cut.kind} {cut.id}", *cut.same))
    assert len(folded) == 34 < len(alone) == 68


def test_mailboxes_that_nobody_keeps_are_named_and_not_counted_as_cut_off() -> None:
    """A scenario's mistake, which no failure caused."""
    units = [
        Unit("G1", "", "central", "", 21, 105, 0),
        Unit("H1", "", "province", "", 21, 106, 2),
        Unit("H1.1", "", "commune", "H1", 21, 106, 1),
        Unit("H2", "", "province", "", 20, 106, 1),
        Unit("H2.1", "", "commune", "H2", 20, 106, 1),
    ]
    topology = assemble(units, "test")
    spec = TopologySpec(endpoints=("central",))
    assert cutpoints.unreachable(topology, spec) == ("H1", "H1.1", "H2", "H2.1")
    assert cut_off(topology, spec) == {}
