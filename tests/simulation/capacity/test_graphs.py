"""Graphs for other tools: GraphML that says everything and can be read back as a topology."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from docaxis_sim.capacity import graphs
from docaxis_sim.capacity.model import NodeClass, Site, TopologySpec
from docaxis_sim.capacity.planners_graph import BadGraph, read_units
from docaxis_sim.capacity.stations import lines
from docaxis_sim.capacity.topology import BadSelector, Topology, assemble, build, select
from tests.simulation.capacity.forests import forests
from tests.simulation.capacity.networks import MEGABIT, network

HEAD = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="t" for="node" attr.name="tier" attr.type="string"/>
<key id="p" for="node" attr.name="parent" attr.type="string"/>
<key id="x" for="node" attr.name="lat" attr.type="double"/>
<key id="y" for="node" attr.name="lon" attr.type="double"/>
<graph edgedefault="undirected">
"""


def node(own: str, tier: str = "province", parent: str = "", lat: str = "21.0", lon: str = "105.8") -> str:
    """One node of a GraphML file; empty values are left out."""
    given = {"t": tier, "p": parent, "x": lat, "y": lon}
    data = "".join(f'<data key="{key}">{value}</data>' for key, value in given.items() if value)
    return f'<node id="{own}">{data}</node>\n'


def write(folder: Path, *nodes: str) -> Path:
    """A GraphML file of these nodes."""
    path = folder / "own.graphml"
    path.write_text(HEAD + "".join(nodes) + "</graph></graphml>", encoding="utf-8")
    return path


def by_id(topology: Topology) -> dict[str, tuple[object, ...]]:
    """Everything that a topology says of each node, without numbers."""
    above = [topology.ids[parent] if parent >= 0 else "" for parent in topology.parent]
    inside = [topology.ids[province] if province >= 0 else "" for province in topology.province]
    columns = (topology.names, topology.tier, above, inside, topology.lat, topology.lon, topology.weight_population)
    return {own: said for own, *said in zip(topology.ids, *columns, strict=True)}  # type: ignore[misc]


def test_the_country_survives_being_written_and_read_back(tmp_path: Path) -> None:
    """A planner may take the country, change it in a graph editor, and simulate that."""
    spec = TopologySpec(layout="vn-2025", routing="tiered")
    country = build(spec)
    path = tmp_path / "country.graphml"
    path.write_text(graphs.graphml(graphs.to_graph(country, spec)), encoding="utf-8")
    again = build(TopologySpec(graph=str(path)))
    assert by_id(again) == by_id(country)
    assert again.layout == "graph:country.graphml"
    assert len(select(again, "province:quang ninh")) == len(select(country, "province:H49"))
    assert len(select(again, "region:mekong")) == len(select(country, "region:mekong"))


@given(forests())
def test_any_forest_survives_it(topology: Topology) -> None:
    """Whatever the tiers and the depth."""
    text = graphs.graphml(graphs.to_graph(topology, TopologySpec()))
    graph = nx.parse_graphml(text)
    assert set(graph.nodes) == set(topology.ids)
    assert {own: said.get("parent", "") for own, said in graph.nodes(data=True)} == {
        own: said[2] for own, said in by_id(topology).items()
    }


def test_links_are_those_of_the_routing() -> None:
    """Tiered: parents and all pairs of the 95; hub: parents and a star; direct: mailboxes alone."""
    kinds = {}
    for routing in ("tiered", "hub", "direct"):
        spec = TopologySpec(routing=routing, endpoints=("central", "province", "district"))
        found = graphs.links(build(spec), spec).kind
        kinds[routing] = {kind: found.count(kind) for kind in (graphs.PARENT, graphs.ROOTS, graphs.MAILBOX)}
    below, roots = 696 + 10_035, 95
    assert kinds == {
        "tiered": {"parent": below, "roots": roots * (roots - 1) // 2, "mailbox": 0},
        "hub": {"parent": below, "roots": roots, "mailbox": 0},
        "direct": {"parent": 0, "roots": 0, "mailbox": 10_035},
    }


def test_nodes_carry_their_place_and_their_lines_and_edges_their_latency() -> None:
    """What a map or a network tool needs; a member of a site has the site's line."""
    spec = TopologySpec(layout="agencies", routing="tiered")
    nodes = {tier: NodeClass(10 * MEGABIT, 20 * MEGABIT) for tier in ("central", "province")}
    scenario = network(spec, nodes, (Site("s", "agency:H49", 5 * MEGABIT, 6 * MEGABIT),))
    topology = build(spec)
    graph = graphs.to_graph(topology, spec, lines(scenario, topology))
    assert graph.nodes["H49"] == {
        "name": "Quảng Ninh",
        "tier": "province",
        "lat": 20.951,
        "lon": 107.075,
        "population": 1_320_324.0,
        "up_mbit_s": 5.0,
        "down_mbit_s": 6.0,
    }
    assert graph.nodes["H26"]["up_mbit_s"] == 10.0
    edge = graph.edges["H26", "H29"]
    assert edge["latency_ms"] == pytest.approx(2 + edge["distance_km"] / 100, abs=1e-4)


def test_a_graph_is_read_again_after_it_was_changed(tmp_path: Path) -> None:
    """A planner edits and repeats, in one session of a notebook too."""
    path = write(tmp_path, node("H1"))
    assert build(TopologySpec(graph=str(path))).ids == ("H1",)
    write(tmp_path, node("H1"), node("H1.2", "commune", "H1"))
    assert build(TopologySpec(graph=str(path))).ids == ("H1", "H1.2")


def test_hub_routing_adds_a_hub_to_a_graph_that_has_none(tmp_path: Path) -> None:
    """One that has its own keeps it."""
    path = write(tmp_path, node("H1"), node("H2"))
    assert build(TopologySpec(graph=str(path), routing="hub")).ids == ("H1", "H2", "HUB")
    path = write(tmp_path, node("H1"), node("X", "hub"), node("H2"))
    assert build(TopologySpec(graph=str(path), routing="hub")).ids == ("X", "H1", "H2")


def test_all_mistakes_of_a_graph_are_told_at_once(tmp_path: Path) -> None:
    """Each with its node and what would be right."""
    path = write(
        tmp_path,
        node("h1"),
        node("H2", tier="city"),
        node("H3", parent="H9"),
        node("H4", tier="commune"),
        node("H5", tier="district", parent="H4"),
        node("H6", lat="", lon="300"),
    )
    with pytest.raises(BadGraph) as caught:
        read_units(path)
    assert str(caught.value).splitlines() == [
        "own.graphml:",
        "node h1: its id is not a code: capital letters and digits, groups parted by points",
        "node H2: attribute tier is 'city'; it must be one of hub, central, province, district, commune",
        "node H3: attribute parent is 'H9', which is no node",
        "node H4: attribute parent is missing; a commune needs one",
        "node H5: its parent H4 is of the tier commune, which is not above district",
        "node H6: attribute lat is None; it must be a number from -90 to 90",
        "node H6: attribute lon is 300.0; it must be a number from -180 to 180",
    ]


@pytest.mark.parametrize("text", ["", "not xml", "<graphml/>", HEAD + "</graph></graphml>", '<a b="&c;"/>'])
def test_a_file_that_is_no_graph_is_refused(tmp_path: Path, text: str) -> None:
    """Also an empty one, and one that is not there."""
    path = tmp_path / "own.graphml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadGraph, match=r"own\.graphml"):
        read_units(path)
    with pytest.raises(BadGraph, match=r"gone\.graphml: not a readable"):
        build(TopologySpec(graph=str(tmp_path / "gone.graphml")))


def test_a_graph_s_own_nodes_are_what_selectors_mean(tmp_path: Path) -> None:
    """The country's names mean nothing where its provinces are not."""
    topology = assemble(read_units(write(tmp_path, node("H49"), node("Z", "central"))), "test")
    assert select(topology, "province:H49").tolist() == [topology.ids.index("H49")]
    assert np.array_equal(select(topology, "region:red-river"), select(topology, "agency:H49"))
    with pytest.raises(BadSelector, match="no province"):
        select(topology, "province:22")
