"""Routes: direct ones are the core's own decisions, tiered ones the shortest there are."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.addresses import Book, Entry, Status
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.routing import How, next_hop
from docaxis_sim.capacity import graphs, routes
from docaxis_sim.capacity.country import Unit
from docaxis_sim.capacity.model import TIERS, TopologySpec
from docaxis_sim.capacity.plan import HOPS_MAX, Int32
from docaxis_sim.capacity.routes import NoRoute
from docaxis_sim.capacity.topology import Topology, assemble, build
from tests.simulation.capacity.forests import forests

ENDPOINTS = st.lists(st.sampled_from(TIERS), unique=True).map(tuple)


def book_of(topology: Topology, endpoints: tuple[str, ...]) -> Book:
    """The directory that says of the topology's nodes what the scenario says."""
    entries = {}
    for number, own in enumerate(topology.ids):
        above = PartyId(topology.ids[topology.parent[number]]) if topology.parent[number] >= 0 else None
        called = (f"https://{own.lower()}.example",) if TIERS[topology.tier[number]] in endpoints else ()
        party = PartyId(own)
        entries[party] = Entry(
            party, own, own, "unit", above, called, (), (), (), (), Status.OPEN, (), 0, 0, 1
        )  # fmt: skip
    return Book(entries.get, {}, 1, 0, {})


def expected(book: Book, source: str, target: str) -> list[str]:
    """The way that the core's rule leads: to whoever is called, and from a mailbox to its unit."""
    found = next_hop(book, PartyId(source), PartyId(target))
    return [source, target] if found.how in (How.LOCAL, How.DIRECT) else [source, found.party, target]


def numbers(*values: int) -> Int32:
    """Node numbers as a column."""
    return np.array(values, np.int32)


def way(topology: Topology, path: Int32, which: int = 0) -> list[str]:
    """A path as ids."""
    return [topology.ids[each] for each in path[:, which] if each >= 0]


@given(forests(), ENDPOINTS, st.data())
def test_every_direct_hop_is_the_one_that_the_core_decides(
    topology: Topology, endpoints: tuple[str, ...], data: st.DataObject
) -> None:
    """The rule is said twice, once in arrays for speed; the core's word counts."""
    source, target = data.draw(
        st.permutations(range(len(topology.ids))).map(lambda each: (each[0], each[1])), label="pair"
    )
    spec = TopologySpec(endpoints=endpoints)
    book = book_of(topology, endpoints)
    try:
        wanted = expected(book, topology.ids[source], topology.ids[target])
    except TheirFault:
        with pytest.raises(NoRoute, match="nobody can be called"):
            routes.paths(topology, spec, numbers(source), numbers(target))
        return
    hops, path = routes.paths(topology, spec, numbers(source), numbers(target))
    assert way(topology, path) == wanted
    assert hops.tolist() == [len(wanted) - 1]


@pytest.mark.parametrize("endpoints", [TIERS, ("central", "province"), ("central", "province", "district")])
def test_direct_routes_of_the_country_are_the_core_s(endpoints: tuple[str, ...]) -> None:
    """The real shape too, with the settings that scenarios use."""
    spec = TopologySpec(endpoints=endpoints)
    topology = build(spec)
    chance = np.random.default_rng(7)
    source, target = chance.choice(len(topology.ids), (2, 400)).astype(np.int32)
    source, target = source[source != target], target[source != target]
    _, path = routes.paths(topology, spec, source, target)
    book = book_of(topology, endpoints)
    for which, (a, b) in enumerate(zip(source, target, strict=True)):
        assert way(topology, path, which) == expected(book, topology.ids[a], topology.ids[b])


def check_lengths(topology: Topology, spec: TopologySpec, source: Int32, target: Int32) -> None:
    """Every path is a way through the graph, from end to end, and no other is shorter."""
    graph = graphs.to_graph(topology, spec)
    hops, path = routes.paths(topology, spec, source, target)
    for which, (a, b) in enumerate(zip(source, target, strict=True)):
        taken = way(topology, path, which)
        assert (taken[0], taken[-1]) == (topology.ids[a], topology.ids[b])
        assert nx.is_path(graph, taken)
        assert len(taken) - 1 == hops[which] == nx.shortest_path_length(graph, taken[0], taken[-1])


@given(forests(), st.data())
def test_no_way_through_the_tiers_is_shorter_than_the_tiered_route(topology: Topology, data: st.DataObject) -> None:
    """In any forest whose roots all meet."""
    pair = data.draw(st.permutations(range(len(topology.ids))), label="pair")
    spec = TopologySpec(routing="tiered")
    try:
        check_lengths(topology, spec, numbers(pair[0]), numbers(pair[1]))
    except NoRoute:
        length = nx.shortest_path_length(graphs.to_graph(topology, spec), *(topology.ids[each] for each in pair[:2]))
        assert length > HOPS_MAX


@pytest.mark.parametrize("routing", ["tiered", "hub"])
@pytest.mark.parametrize("layout", ["vn-2024", "vn-2025"])
def test_tiered_and_hub_routes_of_the_country_are_shortest_paths(layout: str, routing: str) -> None:
    """As networkx finds them."""
    spec = TopologySpec(layout=layout, routing=routing)
    topology = build(spec)
    source, target = np.random.default_rng(8).choice(len(topology.ids), (2, 300)).astype(np.int32)
    check_lengths(topology, spec, source[source != target], target[source != target])


def test_long_columns_are_routed_in_blocks_without_a_seam() -> None:
    """Blocks are for speed; nobody may notice them."""
    spec = TopologySpec(routing="tiered")
    topology = build(spec)
    source = (np.arange(2 * routes.BLOCK + 7) % 10_000).astype(np.int32)
    target = source + np.int32(500)
    hops, path = routes.paths(topology, spec, source, target)
    few = np.flatnonzero(np.arange(len(source)) % routes.BLOCK < 3)
    alone = routes.paths(topology, spec, source[few], target[few])
    assert np.array_equal(hops[few], alone[0])
    assert np.array_equal(path[:, few], alone[1])


def test_a_failed_link_between_roots_is_detoured_over_the_nearest_other_root() -> None:
    """Also the way back, and nobody else's way."""
    spec = TopologySpec(layout="agencies", routing="tiered")
    topology = build(spec)
    a, b, c = (topology.ids.index(each) for each in ("H12", "H29", "H49"))
    table = routes.root_table(topology, spec, [(a, b)])
    hops, path = routes.paths(topology, spec, numbers(a, b, a), numbers(b, a, c), table)
    graph = graphs.to_graph(topology, spec)
    graph.remove_edge("H12", "H29")
    best = nx.shortest_path_length(graph, "H12", "H29", weight="distance_km")
    for which in (0, 1):
        taken = way(topology, path, which)
        assert len(taken) - 1 == 2
        assert nx.path_weight(graph, taken, "distance_km") == pytest.approx(best)
    assert hops.tolist() == [2, 2, 1]


def test_a_root_without_any_link_is_severed_and_named() -> None:
    """Better no route than a wrong one."""
    spec = TopologySpec(routing="hub")
    topology = build(spec)
    commune, hub, other = (topology.ids.index(each) for each in ("H49.193.06652", "HUB", "G22"))
    table = routes.root_table(topology, spec, [(topology.ids.index("H49"), hub)])
    with pytest.raises(NoRoute, match=r"H49\.193\.06652 is severed from G22"):
        routes.paths(topology, spec, numbers(commune), numbers(other), table)


def test_a_detour_that_gets_too_long_is_refused() -> None:
    """A delivery has room for so many hops; what does not fit is not cut short."""
    spec = TopologySpec(routing="hub")
    topology = build(spec)
    one, other = (topology.ids.index(each) for each in ("H49.193.06652", "H12.973.32248"))
    hops, _ = routes.paths(topology, spec, numbers(one), numbers(other))
    assert hops.tolist() == [HOPS_MAX]
    below = [Unit(f"L{n}", "", tier, f"L{n - 1}" if n else "", 0, 0, 0) for n, tier in enumerate(TIERS[1:])]
    beside = [each._replace(id=each.id.replace("L", "R"), parent=each.parent.replace("L", "R")) for each in below]
    deep = assemble([*below, *beside], "two chains of four")
    with pytest.raises(NoRoute, match=r"L3 needs more than 6 hops to R3"):
        routes.paths(deep, TopologySpec(routing="tiered"), numbers(3), numbers(7))


def test_nobody_sends_to_itself_and_hub_routing_needs_a_hub() -> None:
    """Both are mistakes of whoever asks, and said so."""
    topology = build(TopologySpec(layout="agencies"))
    with pytest.raises(NoRoute, match="A00 cannot send to itself"):
        routes.paths(topology, TopologySpec(), numbers(0), numbers(0))
    with pytest.raises(NoRoute, match="needs one node of the tier hub"):
        routes.root_table(topology, TopologySpec(routing="hub"))
