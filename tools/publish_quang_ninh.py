"""Write the graph of Quảng Ninh's 628 units: the 185 that the country's tables know, and 443 departments and offices.

`.venv/bin/python -m tools.publish_quang_ninh` writes it; a test says when that was forgotten. The departments are made
up to reach the published number; what is sent among them is the scenario's matter.
"""

from pathlib import Path
from typing import Final

import networkx as nx

from docaxis_sim.capacity.graphs import graphml, to_graph
from docaxis_sim.capacity.model import TIERS, TopologySpec
from docaxis_sim.capacity.topology import build, select

ROOT: Final = Path(__file__).resolve().parent.parent
GRAPH: Final = ROOT / "scenarios" / "data" / "quang-ninh" / "units.graphml"
DEPARTMENTS: Final = {"province": ("district", 40), "district": ("commune", 31)}
"""Below each unit of a tier: which tier its departments rank with, and how many there are."""


def units() -> "nx.Graph[str]":
    """The 628 units as a planner's graph; a department lies where the unit above it does and serves nobody itself."""
    spec = TopologySpec(layout="vn-2024")
    topology = build(spec)
    country = to_graph(topology, spec).nodes
    graph: nx.Graph[str] = nx.Graph()
    for number in select(topology, "province:H49"):
        above = topology.ids[number]
        graph.add_node(above, **country[above])
        rank, count = DEPARTMENTS.get(TIERS[topology.tier[number]], ("", 0))
        for place in range(1, count + 1):
            name = f"{topology.names[number]}: đơn vị {place}"
            graph.add_node(f"{above}.P{place:02}", **country[above] | _department(above, rank, name))
    return graph


def _department(above: str, rank: str, name: str) -> dict[str, str | float]:
    return {"name": name, "tier": rank, "parent": above, "population": 0.0}


if __name__ == "__main__":
    GRAPH.parent.mkdir(exist_ok=True)
    GRAPH.write_text(graphml(units()), encoding="utf-8")
    print(f"written: {GRAPH.relative_to(ROOT)}")
