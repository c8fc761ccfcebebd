"""Relations: whom a sender may send to, for each of the words that a scenario may use.

From a word and a topology to one list in which every sender's possible recipients lie side by side; who of them gets a
document is chosen elsewhere.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.model import TIERS
from docaxis_sim.capacity.plan import Int32, Int64
from docaxis_sim.capacity.topology import Topology, select

RELATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "parent": "the unit directly above the sender",
        "children": "units directly below the sender, chosen at random",
        "descendants": "units anywhere below the sender, chosen at random",
        "siblings": "other units below the same parent (agencies without one: other agencies), chosen at random",
        "district": "the district that the sender lies in",
        "province": "the province that the sender lies in",
        "any:SELECTOR": "some of the selected units, chosen at random; never the sender",
        "each:SELECTOR": "every one of the selected units but the sender",
    }
)
"""The words for `docaxis_sim.capacity.model.Traffic.to`, each with what it means."""


class BadRelation(ValueError):
    """A word that is no relation; says which are near."""


class Pools(NamedTuple):
    """Possible recipients of each node: ``members[start : start + available]`` without the one at
    `start + hole`, which is the node itself (-1: it is not among them). `everyone`: all of them get each document."""

    members: Int32
    start: Int64
    available: Int64
    hole: Int64
    everyone: bool

    def sizes(self, nodes: Int64) -> Int64:
        """How many may get a document of each of some nodes."""
        return self.available[nodes] - (self.hole[nodes] >= 0)

    def pick(self, nodes: Int64, ranks: Int64) -> Int32:
        """The `ranks[i]`-th possible recipient of `nodes[i]`."""
        hole = self.hole[nodes]
        picked: Int32 = self.members[self.start[nodes] + ranks + ((hole >= 0) & (ranks >= hole))]
        return picked


def parse(text: str) -> tuple[str, str]:
    """A relation's word and its selector (empty where it has none); raises `BadRelation`. Selectors are not looked
    at."""
    word, colon, selector = text.strip().partition(":")
    if f"{word}:SELECTOR" in RELATIONS and selector.strip():
        return word, selector.strip()
    if word in RELATIONS and not colon:
        return word, ""
    near = get_close_matches(text, [known.partition(":")[0] for known in RELATIONS], n=1)
    known = f"did you mean {near[0]!r}?" if near and near[0] != word else f"there are {', '.join(RELATIONS)}"
    raise BadRelation(f"no relation {text!r}; {known}")


def pools(topology: Topology, text: str, sites: Mapping[str, str]) -> Pools:
    """The possible recipients of every node; raises `BadRelation` and `docaxis_sim.capacity.topology.BadSelector`."""
    word, selector = parse(text)
    if selector:
        return _selected(topology, select(topology, selector, sites), everyone=word == "each")
    return _OF_PLACE[word](topology)


def _selected(topology: Topology, members: Int32, *, everyone: bool) -> Pools:
    nodes = len(topology.ids)
    hole = np.full(nodes, -1, np.int64)
    hole[members] = np.arange(len(members))
    return Pools(members, np.zeros(nodes, np.int64), np.full(nodes, len(members), np.int64), hole, everyone)


def _one(target: Int32) -> Pools:
    """Each node has one possible recipient, or none (-1, or itself)."""
    exists = (target >= 0) & (target != np.arange(len(target)))
    nobody = np.full(len(target), -1, np.int64)
    return Pools(target, np.arange(len(target)), exists.astype(np.int64), nobody, everyone=False)


def _parent(topology: Topology) -> Pools:
    return _one(topology.parent)


def _province(topology: Topology) -> Pools:
    return _one(topology.province)


def _district(topology: Topology) -> Pools:
    """The nearest node of the district tier, itself included, climbing all at once."""
    wanted = TIERS.index("district")
    found = np.arange(len(topology.ids), dtype=np.int32)
    for _ in TIERS:
        found = np.where((found >= 0) & (topology.tier[found] != wanted), topology.parent[found], found)
    return _one(np.where((found >= 0) & (topology.tier[found] == wanted), found, np.int32(-1)))


def _by_parent(topology: Topology) -> tuple[Int32, Int32]:
    """All nodes but the hub, sorted by their parent, and those parents."""
    units = np.flatnonzero(topology.tier != TIERS.index("hub")).astype(np.int32)
    order = units[np.argsort(topology.parent[units], kind="stable")]
    return order, topology.parent[order]


def _children(topology: Topology) -> Pools:
    order, above = _by_parent(topology)
    nodes = np.arange(len(topology.ids))
    start, end = (np.searchsorted(above, nodes, side=side).astype(np.int64) for side in ("left", "right"))
    return Pools(order, start, end - start, np.full(len(nodes), -1, np.int64), everyone=False)


def _siblings(topology: Topology) -> Pools:
    order, above = _by_parent(topology)
    start, end = (np.searchsorted(above, topology.parent, side=side).astype(np.int64) for side in ("left", "right"))
    hole = np.full(len(topology.ids), -1, np.int64)
    hole[order] = np.arange(len(order)) - start[order]
    return Pools(order, start, np.where(hole >= 0, end - start, 0), hole, everyone=False)


def _descendants(topology: Topology) -> Pools:
    """In the order of a walk down the tree, what lies below a node follows it without a gap."""
    order, above = _by_parent(topology)
    below: dict[int, list[int]] = {}
    for node, parent in zip(order.tolist(), above.tolist(), strict=True):
        below.setdefault(parent, []).append(node)
    members: list[int] = []
    start, end = (np.zeros(len(topology.ids), np.int64) for _ in range(2))
    waiting = [(node, False) for node in reversed(below.get(-1, []))]
    while waiting:
        node, is_done = waiting.pop()
        if is_done:
            end[node] = len(members)
            continue
        members.append(node)
        start[node] = len(members)
        waiting.append((node, True))
        waiting += [(child, False) for child in reversed(below.get(node, []))]
    return Pools(np.array(members, np.int32), start, end - start, np.full(len(end), -1, np.int64), everyone=False)


_OF_PLACE: Final[Mapping[str, Callable[[Topology], Pools]]] = MappingProxyType(
    {
        "parent": _parent,
        "children": _children,
        "descendants": _descendants,
        "siblings": _siblings,
        "district": _district,
        "province": _province,
    }
)
