"""Graphs: a scenario's network for other tools: who is linked to whom under its routing, as networkx and GraphML.

Translation only; which failure hurts is `cutpoints`' matter, and reading somebody's graph `planners_graph`'s.
"""

from typing import Final, NamedTuple

import networkx as nx
import numpy as np

from docaxis_sim.capacity import routes
from docaxis_sim.capacity.model import TIERS, TopologySpec
from docaxis_sim.capacity.plan import MILLISECOND_NS, Int32
from docaxis_sim.capacity.stations import Lines
from docaxis_sim.capacity.topology import Topology, distance_km, latency_ns

PARENT: Final = "parent"
ROOTS: Final = "roots"
MAILBOX: Final = "mailbox"


class Links(NamedTuple):
    """Pairs of nodes with the kind of their link: `PARENT` (a unit and who is above it), `ROOTS` (two without a parent)
    or `MAILBOX` (a unit and whoever keeps its mail)."""

    a: Int32
    b: Int32
    kind: tuple[str, ...]


def links(topology: Topology, spec: TopologySpec) -> Links:
    """The links that routing uses, each once.

    Tiered: parents and all pairs of roots; hub: parents, and roots with the hub. Direct: mailboxes and their
    keepers; nodes that can be called all reach each other, which is not listed.
    """
    if spec.routing == "direct":
        keeper = routes.keepers(topology, spec)
        own = np.flatnonzero((keeper >= 0) & (keeper != np.arange(len(keeper)))).astype(np.int32)
        return Links(own, keeper[own], (MAILBOX,) * len(own))
    below = np.flatnonzero(topology.parent >= 0).astype(np.int32)
    table = routes.root_table(topology, spec)
    one, other = np.nonzero(np.triu(table.via == routes.STRAIGHT, 1))
    a = np.concatenate([below, table.roots[one]])
    b = np.concatenate([topology.parent[below], table.roots[other]])
    return Links(a, b, (PARENT,) * len(below) + (ROOTS,) * len(one))


def to_graph(topology: Topology, spec: TopologySpec, lines: Lines | None = None) -> "nx.Graph[str]":
    """The network as a graph of node ids.

    Nodes have `name`, `tier`, `parent` (left out at the top), `lat`, `lon`, `population` and, given `lines`,
    `up_mbit_s` and `down_mbit_s`; edges `kind`, `distance_km` and `latency_ms`. `planners_graph.read_units` reads it.
    """
    graph: nx.Graph[str] = nx.Graph(routing=spec.routing, layout=topology.layout)
    for number, own in enumerate(topology.ids):
        graph.add_node(own, **_attributes(topology, number, lines))
    found = links(topology, spec)
    km = distance_km(topology, found.a, found.b)
    latency_ms = latency_ns(topology, spec.latency, found.a, found.b) / MILLISECOND_NS
    ids = topology.ids
    for a, b, kind, far, late in zip(found.a, found.b, found.kind, km, latency_ms, strict=True):
        graph.add_edge(ids[a], ids[b], kind=kind, distance_km=round(float(far), 3), latency_ms=round(float(late), 6))
    return graph


def _attributes(topology: Topology, number: int, lines: Lines | None) -> dict[str, str | float]:
    found: dict[str, str | float] = {
        "name": topology.names[number],
        "tier": TIERS[topology.tier[number]],
        "lat": float(topology.lat[number]),
        "lon": float(topology.lon[number]),
        "population": float(topology.weight_population[number]),
    }
    if topology.parent[number] >= 0:
        found["parent"] = topology.ids[topology.parent[number]]
    if lines is not None:
        line = lines.of_node[number]
        found |= {"up_mbit_s": float(lines.up_bps[line]) / 1e6, "down_mbit_s": float(lines.down_bps[line]) / 1e6}
    return found


def graphml(graph: "nx.Graph[str]") -> str:
    """A graph as GraphML text."""
    return "\n".join(nx.generate_graphml(graph)) + "\n"
