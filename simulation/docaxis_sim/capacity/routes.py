"""Routes: which nodes a document passes from its sender to its recipient, for millions of pairs at once.

The rule of direct routing is `docaxis.core.routing.next_hop`, said in arrays; a property test holds the two together.
Nothing here knows times or loads: a route depends on who is above whom, on who can be called, and on failed root links.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.model import TIERS, TopologySpec
from docaxis_sim.capacity.plan import HOPS_MAX, Bool, Float, Int8, Int32
from docaxis_sim.capacity.topology import Topology, distance_km

ROUTINGS: Final = ("direct", "tiered", "hub")
BLOCK: Final = 1 << 15
"""Pairs that are routed together: their columns stay in the processor's cache."""
STRAIGHT: Final = -1
"""In a root table: the two are linked."""
SEVERED: Final = -2
"""In a root table: no way at all."""


class NoRoute(ValueError):
    """Some pair has no route, or only one that is longer than `HOPS_MAX`; names the first."""


class RootTable(NamedTuple):
    """How roots (nodes without a parent) reach each other: `roots` their numbers, `place` each node's place among
    them (-1: not a root), `via` ``(roots, roots)`` the root between two of them, `STRAIGHT` or `SEVERED`."""

    roots: Int32
    place: Int32
    via: Int32


class _Trees(NamedTuple):
    """`above[d, n]`: the ancestor of node n that is d below its root (n itself at its own `depth`), -1 further down."""

    depth: Int8
    above: Int32


def paths(
    topology: Topology, spec: TopologySpec, source: Int32, target: Int32, table: RootTable | None = None
) -> tuple[Int8, Int32]:
    """Hops ``(n,)`` and paths ``(HOPS_MAX + 1, n)``, -1 beyond, from each `source` to the `target` beside it.

    `table` (of `root_table`) is how roots reach each other where routing is tiered or hub; left out, no link has
    failed. Raises `NoRoute` where there is none, or none within `HOPS_MAX`, and for a document to its own sender.
    """
    source, target = np.asarray(source, np.int32), np.asarray(target, np.int32)
    if (source == target).any():
        raise NoRoute(f"{topology.ids[source[source == target][0]]} cannot send to itself")
    trees = _trees(topology)
    if spec.routing == "direct":
        return _direct(topology, trees, _keepers(topology, spec, trees), source, target)
    known = table if table is not None else root_table(topology, spec)
    hops, path = np.empty(len(source), np.int8), np.empty((HOPS_MAX + 1, len(source)), np.int32)
    for start in range(0, len(source), BLOCK):
        block = slice(start, start + BLOCK)
        _tiered(topology, trees, known, source[block], target[block], hops[block], path[:, block])
    return hops, path


def root_table(topology: Topology, spec: TopologySpec, failed: Sequence[tuple[int, int]] = ()) -> RootTable:
    """How roots reach each other when the links between the `failed` pairs of roots are down, both ways.

    With tiered routing all roots are linked, and a failed link is replaced by the shortest way (in km) over one
    other root; with hub routing every way leads over the hub, and a root that loses it is severed.
    """
    roots = np.flatnonzero(topology.parent < 0).astype(np.int32)
    index = np.full(len(topology.parent), -1, np.int32)
    index[roots] = np.arange(len(roots), dtype=np.int32)
    length = distance_km(topology, roots[:, None], roots[None, :])
    middles = np.arange(len(roots), dtype=np.int32)
    if spec.routing == "hub":
        middles = index[_hub(topology)][None]
        length[np.ix_(*2 * [np.setdiff1d(np.arange(len(roots)), middles)])] = np.inf
    for a, b in failed:
        length[index[a], index[b]] = length[index[b], index[a]] = np.inf
    np.fill_diagonal(length, 0.0)
    return RootTable(roots, index, _detours(roots, length, middles))


def _detours(roots: Int32, length: Float, middles: Int32) -> Int32:
    via = np.full(length.shape, STRAIGHT, np.int32)
    for a in np.flatnonzero(np.isinf(length).any(axis=1)):
        cut = np.flatnonzero(np.isinf(length[a]))
        over = length[a, middles][:, None] + length[np.ix_(middles, cut)]
        best = over.argmin(axis=0)
        reached = np.isfinite(over[best, np.arange(len(cut))])
        via[a, cut] = np.where(reached, roots[middles[best]], SEVERED)
    return via


def _hub(topology: Topology) -> int:
    hubs = np.flatnonzero((topology.tier == TIERS.index("hub")) & (topology.parent < 0))
    if len(hubs) != 1:
        raise NoRoute(f"hub routing needs one node of the tier hub without a parent; there are {len(hubs)}")
    return int(hubs[0])


def _trees(topology: Topology) -> _Trees:
    own = np.arange(len(topology.parent), dtype=np.int32)
    chain = [own]
    while (chain[-1] >= 0).any():
        chain.append(np.where(chain[-1] >= 0, topology.parent[chain[-1]], np.int32(-1)))
    climbed = np.stack(chain[:-1])
    depth = ((climbed >= 0).sum(axis=0) - 1).astype(np.int8)
    above = np.full_like(climbed, -1)
    for steps, row in enumerate(climbed):
        there = row >= 0
        above[depth[there] - steps, own[there]] = row[there]
    return _Trees(depth, above)


def keepers(topology: Topology, spec: TopologySpec, me: int = -1) -> Int32:
    """For each node the one that is called to reach it: itself, or its nearest ancestor that can be; -1: nobody. As
    node `me` sees it, which keeps what is for units below it itself."""
    return _keepers(topology, spec, _trees(topology), me)


def _keepers(topology: Topology, spec: TopologySpec, trees: _Trees, me: int = -1) -> Int32:
    can_be_called = np.isin(topology.tier, [TIERS.index(tier) for tier in spec.endpoints])
    if me >= 0:
        can_be_called[me] = True
    found = np.full(len(topology.parent), -1, np.int32)
    for row in trees.above:
        there = row >= 0
        found[there] = np.where(can_be_called[row[there]], row[there], found[there])
    return found


def _direct(topology: Topology, trees: _Trees, keepers_: Int32, source: Int32, target: Int32) -> tuple[Int8, Int32]:
    """One hop to who can be called; to a mailbox two: its keeper, and the unit that fetches from it. A sender that is
    an ancestor below the keeper keeps the mail itself, as `next_hop` has it."""
    keeper = keepers_[target]
    depth = trees.depth[source]
    is_above = (depth < trees.depth[target]) & (trees.above[depth, target] == source)
    keeps = is_above & ((keeper < 0) | (depth >= trees.depth[keeper]))
    lost = (keeper < 0) & ~keeps
    if lost.any():
        raise NoRoute(f"nobody can be called to reach {topology.ids[target[lost][0]]}: none above it has an endpoint")
    one = keeps | (keeper == target) | (keeper == source)
    path = np.full((HOPS_MAX + 1, len(source)), -1, np.int32)
    path[0] = source
    path[1] = np.where(one, target, keeper)
    path[2] = np.where(one, np.int32(-1), target)
    return np.where(one, np.int8(1), np.int8(2)), path


def _tiered(
    topology: Topology, trees: _Trees, table: RootTable, source: Int32, target: Int32, hops: Int8, path: Int32
) -> None:
    """Fills `hops` and `path`: up to the lowest common ancestor or the root, over to the other root, and down."""
    down_from, up_from = trees.depth[target], trees.depth[source]
    shared = np.zeros(len(source), np.int8)
    for row in trees.above:
        mine = row[source]
        shared += (mine == row[target]) & (mine >= 0)
    apart = shared == 0
    common = np.maximum(shared - 1, 0).astype(np.int8)
    via = np.full(len(source), STRAIGHT, np.int32)
    roots = table.place[trees.above[0]]
    via[apart] = table.via[roots[source[apart]], roots[target[apart]]]
    _refuse(topology, via == SEVERED, source, target, "is severed from")
    up = up_from - common
    across = up + np.where(apart, np.where(via >= 0, np.int8(2), np.int8(1)), np.int8(0))
    wanted = across + (down_from - common)
    _refuse(topology, wanted > HOPS_MAX, source, target, f"needs more than {HOPS_MAX} hops to")
    hops[:] = wanted
    for position in range(HOPS_MAX + 1):
        rising = trees.above[np.maximum(up_from - position, 0), source]
        falling = trees.above[np.clip(common + position - across, 0, len(trees.above) - 1), target]
        row = np.where(position <= up, rising, np.where(position >= across, falling, via))
        path[position] = np.where(position <= wanted, row, np.int32(-1))


def _refuse(topology: Topology, which: Bool, source: Int32, target: Int32, what: str) -> None:
    if which.any():
        first = int(np.flatnonzero(which)[0])
        raise NoRoute(f"{topology.ids[source[first]]} {what} {topology.ids[target[first]]} ({int(which.sum())} pairs)")
