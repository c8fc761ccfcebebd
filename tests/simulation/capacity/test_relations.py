"""Relations: every word means exactly the units it says, for every sender."""

import numpy as np
import pytest

from docaxis_sim.capacity import relations
from docaxis_sim.capacity.model import TIERS, TopologySpec
from docaxis_sim.capacity.topology import Topology, build

OLD = build(TopologySpec())
NEW = build(TopologySpec(layout="vn-2025"))


def recipients(topology: Topology, to: str, node: int) -> set[int]:
    """All that a node may send to, by picking each rank."""
    pools = relations.pools(topology, to, {})
    size = int(pools.sizes(np.array([node]))[0])
    return set(pools.pick(np.full(size, node), np.arange(size)).tolist())


def above(topology: Topology, node: int) -> list[int]:
    """The chain of parents, nearest first."""
    found: list[int] = []
    while (node := int(topology.parent[node])) >= 0:
        found.append(node)
    return found


def some(topology: Topology, tier: str) -> list[int]:
    """A few nodes of a tier."""
    return [
        int(node) for node in np.flatnonzero(topology.tier == TIERS.index(tier))[:: 1 + len(topology.ids) // 60][:4]
    ]


@pytest.mark.parametrize("topology", [OLD, NEW], ids=["2024", "2025"])
@pytest.mark.parametrize("tier", ["central", "province", "district", "commune"])
def test_words_of_place_mean_what_the_tree_says(topology: Topology, tier: str) -> None:
    """Said once more by walking the tree, node by node."""
    everybody = range(len(topology.ids))
    for node in some(topology, tier):
        parent = int(topology.parent[node])
        chain = [node, *above(topology, node)]
        assert recipients(topology, "parent", node) == {parent} - {-1}
        assert recipients(topology, "children", node) == {n for n in everybody if topology.parent[n] == node}
        assert recipients(topology, "siblings", node) == {n for n in everybody if topology.parent[n] == parent} - {node}
        assert recipients(topology, "descendants", node) == {n for n in everybody if node in above(topology, n)}
        for word in ("district", "province"):
            own = {n for n in chain if topology.tier[n] == TIERS.index(word)}
            assert recipients(topology, word, node) == own - {node}


def test_selected_units_never_include_the_sender() -> None:
    """Nobody sends to itself, whether some or all are meant."""
    province, commune = some(OLD, "province")[0], some(OLD, "commune")[0]
    provinces = set(np.flatnonzero(OLD.tier == TIERS.index("province")).tolist())
    for word in ("any", "each"):
        assert recipients(OLD, f"{word}:tier:province", province) == provinces - {province}
        assert recipients(OLD, f"{word}:tier:province", commune) == provinces


def test_the_hub_is_nobodys_sibling() -> None:
    """It carries documents and receives none."""
    with_hub = build(TopologySpec(layout="agencies", routing="hub"))
    agency = some(with_hub, "central")[0]
    assert recipients(with_hub, "siblings", agency) == set(range(95)) - {agency}


@pytest.mark.parametrize(
    ("text", "near"),
    [("child", "children"), ("each", "each:SELECTOR"), ("any:", "any:SELECTOR"), ("parent:x", "parent")],
)
def test_an_unknown_word_is_answered_with_known_ones(text: str, near: str) -> None:
    """A planner does not look it up."""
    with pytest.raises(relations.BadRelation, match=near):
        relations.parse(text)
