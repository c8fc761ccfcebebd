"""Cut points: the single failures after which most communes cannot be reached from the Government Office any more.

Reachability only: no load, no time. A failure is one node, one link between roots, one site's line, or a province cut
off from the rest of the country. Nodes and links fall out of one dominator tree (Cooper, Harvey and Kennedy 2001, in
networkx): what a vertex dominates, seen from the origin, is what its failure cuts off.
"""

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Final, NamedTuple

import networkx as nx
import numpy as np

from docaxis_sim.capacity import graphs, routes
from docaxis_sim.capacity.model import TIERS, Scenario, TopologySpec
from docaxis_sim.capacity.plan import Bool, Int32
from docaxis_sim.capacity.stations import lines
from docaxis_sim.capacity.topology import Topology, build, select

ORIGIN: Final = "G22"
_NETWORK: Final = "network"
_WITHIN: Final = "within"


class Cut(NamedTuple):
    """One failure: its `kind` (node, root link, site, province), what fails (`id`, `name`), how many nodes of the
    counted tier it cuts off (the failed node itself left out), and how many people they serve. `same`: other failures,
    each of which cuts off the very same nodes."""

    kind: str
    id: str
    name: str
    cut_off: int
    population: int
    same: tuple[str, ...] = ()


_Found = tuple[tuple[str, str, str], Bool]
"""Kind, id and name of what fails, and which nodes it cuts off."""


class GraphReport(NamedTuple):
    """The network of a scenario and where it breaks: `graphml` text, `nodes` by tier, `links` by kind, `origin` (id),
    `counted` (the tier whose nodes are counted), `counted_total`, `unreachable` (ids that nobody reaches even with
    everything up) and `cuts`, the worst first, each set of nodes once."""

    graphml: str
    nodes: dict[str, int]
    links: dict[str, int]
    routing: str
    origin: str
    counted: str
    counted_total: int
    unreachable: tuple[str, ...]
    cuts: tuple[Cut, ...]


def graph_report(scenario: Scenario, cuts_max: int = 30) -> GraphReport:
    """What `docaxis simulate graph` shows; raises what `build`, `lines` and `cuts` raise."""
    spec = scenario.topology
    topology = build(spec)
    graph = graphs.to_graph(topology, spec, lines(scenario, topology))
    counted = int(topology.tier.max())
    tiers, total = np.unique(topology.tier, return_counts=True)
    return GraphReport(
        graphml=graphs.graphml(graph),
        nodes={TIERS[tier]: int(count) for tier, count in zip(tiers, total, strict=True)},
        links=dict(Counter(kind for _, _, kind in graph.edges(data="kind"))),
        routing=spec.routing,
        origin=topology.ids[origin_of(topology)],
        counted=TIERS[counted],
        counted_total=int((topology.tier == counted).sum()),
        unreachable=unreachable(topology, spec),
        cuts=folded(scenario, topology)[:cuts_max],
    )


def origin_of(topology: Topology) -> int:
    """The Government Office, or in a graph without it the first node that has no parent."""
    return topology.ids.index(ORIGIN) if ORIGIN in topology.ids else int(np.flatnonzero(topology.parent < 0)[0])


def cuts(scenario: Scenario, topology: Topology) -> tuple[Cut, ...]:
    """All single failures that cut off somebody else, the worst first; the origin's own failure is not among them."""
    start = origin_of(topology)
    graph = _network(topology, scenario.topology, start)
    return tuple(cut for cut, _ in _ranked(scenario, topology, graph, start))


def folded(scenario: Scenario, topology: Topology) -> tuple[Cut, ...]:
    """The same, those that cut off the very same nodes as one: a province's node, and the province, where its communes
    keep their mail there."""
    start = origin_of(topology)
    alike: dict[bytes, list[Cut]] = {}
    for cut, lost in _ranked(scenario, topology, _network(topology, scenario.topology, start), start):
        alike.setdefault(np.packbits(lost).tobytes(), []).append(cut)
    return tuple(
        first._replace(same=tuple(f"{each.kind} {each.id}" for each in rest)) for first, *rest in alike.values()
    )


def _ranked(scenario: Scenario, topology: Topology, graph: "nx.Graph[Hashable]", start: int) -> list[tuple[Cut, Bool]]:
    """Every failure that cuts off somebody, with whom, the worst first."""
    counted = _counted(topology) & _reached(topology, graph, start)
    found = [*_vertices(topology, graph, start, counted), *_groups(scenario, topology, graph, start, counted)]
    some = [(_cut(topology, named, lost), lost) for named, lost in found if lost.any()]
    return sorted(some, key=lambda each: (-each[0].cut_off, each[0].kind, each[0].id))


def _cut(topology: Topology, named: tuple[str, str, str], lost: Bool) -> Cut:
    return Cut(*named, int(lost.sum()), round(float(topology.weight_population[lost].sum())))


def unreachable(topology: Topology, spec: TopologySpec) -> tuple[str, ...]:
    """Whom the origin cannot reach although everything works: mailboxes that nobody keeps."""
    start = origin_of(topology)
    reached = _reached(topology, _network(topology, spec, start), start)
    return tuple(topology.ids[number] for number in np.flatnonzero(~reached))


def _network(topology: Topology, spec: TopologySpec, start: int) -> "nx.Graph[Hashable]":
    """Node numbers, linked as routing links them. A link between roots is a vertex of its own (a pair of numbers),
    so that it can fail like a node; nodes that are called under direct routing meet in one vertex, the network."""
    graph: nx.Graph[Hashable] = nx.Graph()
    graph.add_nodes_from(range(len(topology.ids)))
    if spec.routing == "direct":
        keeper = routes.keepers(topology, spec, start)
        own = np.arange(len(keeper))
        graph.add_edges_from((node, _NETWORK) for node in own[keeper == own].tolist())
        kept = own[(keeper >= 0) & (keeper != own)]
        graph.add_edges_from(zip(kept.tolist(), keeper[kept].tolist(), strict=True))
        return graph
    for a, b, kind in zip(*graphs.links(topology, spec), strict=True):
        pair = (int(a), int(b))
        nx.add_path(graph, [pair[0], pair, pair[1]] if kind == graphs.ROOTS else pair)
    return graph


def _reached(topology: Topology, graph: "nx.Graph[Hashable]", start: int) -> Bool:
    """The nodes that are in one piece with `start`."""
    found = np.zeros(len(topology.ids), np.bool_)
    found[[vertex for vertex in nx.node_connected_component(graph, start) if isinstance(vertex, int)]] = True
    return found


def _counted(topology: Topology) -> Bool:
    """The nodes of the lowest tier that there is: communes, in a country that has them."""
    lowest: Bool = topology.tier == topology.tier.max()
    return lowest


def _vertices(topology: Topology, graph: "nx.Graph[Hashable]", start: int, counted: Bool) -> Iterator[_Found]:
    """Failures of one node or one link between roots."""
    above = nx.immediate_dominators(graph.to_directed(as_view=True), start)
    lost: dict[Hashable, list[int]] = {}
    for node in np.flatnonzero(counted).tolist():
        vertex = above.get(node)  # the origin has nothing above it
        while vertex not in (start, None):
            lost.setdefault(vertex, []).append(node)
            vertex = above[vertex]
    for vertex, nodes in lost.items():
        if vertex != _NETWORK:
            kind = "root link" if isinstance(vertex, tuple) else "node"
            gone = np.zeros(len(counted), np.bool_)
            gone[nodes] = True
            yield (kind, *_called(topology, vertex)), gone


def _called(topology: Topology, vertex: Hashable) -> tuple[str, str]:
    numbers = vertex if isinstance(vertex, tuple) else (vertex,)
    return " – ".join(topology.ids[each] for each in numbers), " – ".join(topology.names[each] for each in numbers)


def _groups(
    scenario: Scenario, topology: Topology, graph: "nx.Graph[Hashable]", start: int, counted: Bool
) -> Iterator[_Found]:
    """Failures that part several nodes from all others: a site's line, a province's."""
    for kind, own, name, inside in _parts(scenario, topology):
        yield (kind, own, name), counted & ~_reached_without(topology, graph, start, inside)


def _parts(scenario: Scenario, topology: Topology) -> Iterator[tuple[str, str, str, Int32]]:
    members = {site.name: site.members for site in scenario.sites}
    for site in scenario.sites:
        yield "site", site.name, site.name, select(topology, site.members, members)
    for province in np.flatnonzero(topology.tier == TIERS.index("province")):
        inside = np.flatnonzero(topology.province == province).astype(np.int32)
        yield "province", topology.ids[province], topology.names[province], inside


def _reached_without(topology: Topology, graph: "nx.Graph[Hashable]", start: int, inside: Int32) -> Bool:
    """Who is reached while every link between `inside` and the rest is away; puts them back."""
    crossing = list(nx.edge_boundary(graph, set(inside.tolist())))
    graph.remove_edges_from(crossing)
    # those who met in the network still call each other inside
    graph.add_edges_from((one, _WITHIN) for one, other in crossing if other == _NETWORK)
    reached = _reached(topology, graph, start)
    graph.remove_nodes_from([_WITHIN])
    graph.add_edges_from(crossing)
    return reached
