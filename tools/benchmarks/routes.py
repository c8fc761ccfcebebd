"""Routes of a whole country: how many a second, beside networkx on the same pairs, and how long a re-route takes.

Pairs are drawn evenly from all nodes of the layout, so that nearly all cross between provinces. The rate is that of one
process on one core, processor time; networkx searches each pair from both ends, without weights, in the graph that
`docaxis simulate graph` writes. The lengths of the pairs that both routed are compared, and must be equal.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import Any, Final

import networkx as nx
import numpy as np

from docaxis_sim.capacity import graphs, routes
from docaxis_sim.capacity.country import LAYOUTS
from docaxis_sim.capacity.model import TopologySpec
from docaxis_sim.capacity.plan import Int32
from docaxis_sim.capacity.topology import Topology, build

ROUNDS: Final = 5
FAILURES: Final = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The settings of this benchmark."""
    parser.add_argument("--layout", choices=LAYOUTS, default="vn-2024", help="the country (default vn-2024)")
    parser.add_argument(
        "--pairs", type=int, default=2_000_000, metavar="N", help="routes per round (default 2 million)"
    )
    parser.add_argument("--searched", type=int, default=2_000, metavar="N", help="pairs for networkx (default 2,000)")


def pairs(topology: Topology, count: int) -> tuple[Int32, Int32]:
    """So many pairs of different nodes, the same ones in every run."""
    chance = np.random.Generator(np.random.Philox(1))
    nodes = len(topology.ids)
    source = chance.integers(0, nodes, count, dtype=np.int32)
    return source, (source + chance.integers(1, nodes, count, dtype=np.int32)) % nodes


def vectorised(topology: Topology, spec: TopologySpec, source: Int32, target: Int32) -> dict[str, Any]:
    """Rates of several rounds."""
    rates = []
    for _ in range(ROUNDS):
        started = time.process_time()
        hops, _ = routes.paths(topology, spec, source, target)
        rates.append(len(source) / (time.process_time() - started))
    return {"routes_per_s": round(median(rates)), "slowest_round_per_s": round(min(rates)), "hops_mean": hops.mean()}


def searched(topology: Topology, spec: TopologySpec, source: Int32, target: Int32) -> dict[str, Any]:
    """What networkx needs for the same, and whether its ways are as long as ours."""
    graph = graphs.to_graph(topology, spec)
    hops, _ = routes.paths(topology, spec, source, target)
    ends = [(topology.ids[a], topology.ids[b]) for a, b in zip(source.tolist(), target.tolist(), strict=True)]
    started = time.process_time()
    lengths = [len(nx.bidirectional_shortest_path(graph, a, b)) - 1 for a, b in ends]
    per_s = len(ends) / (time.process_time() - started)
    return {"networkx_per_s": round(per_s), "same_length": f"{int((hops == lengths).sum())} of {len(ends)}"}


def rerouted_ms(topology: Topology, spec: TopologySpec) -> dict[str, float]:
    """From the news that one link between roots is down to the table that goes round it."""
    roots, taken = np.flatnonzero(topology.parent < 0).tolist(), []
    for number in range(FAILURES):
        failed = (roots[number], roots[-1 - number])
        started = time.perf_counter()
        routes.root_table(topology, spec, [failed])
        taken.append((time.perf_counter() - started) * 1000)
    return {"reroute_ms": round(median(taken), 2), "reroute_slowest_ms": round(max(taken), 2)}


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measures every routing of the layout."""
    rows = []
    for routing in routes.ROUTINGS:
        spec = TopologySpec(layout=args.layout, routing=routing)
        topology = build(spec)
        source, target = pairs(topology, args.pairs)
        row: dict[str, Any] = {"routing": routing, **vectorised(topology, spec, source, target)}
        if routing != "direct":  # every pair is linked there: nothing to search, and no roots to go round
            row |= searched(topology, spec, source[: args.searched], target[: args.searched])
            row |= rerouted_ms(topology, spec)
        rows.append(row)
    return {"layout": args.layout, "nodes": len(build(TopologySpec(layout=args.layout)).ids), "routings": rows}
