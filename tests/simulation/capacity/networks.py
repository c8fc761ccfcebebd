"""Networks: scenarios that say where nodes are and how they are linked, and nothing of documents."""

from docaxis_sim.capacity.model import TIERS, NodeClass, Override, Scenario, Site, TopologySpec
from tests.simulation.capacity.drawing import scenario

MEGABIT: int = 1_000_000


def network(
    spec: TopologySpec,
    nodes: dict[str, NodeClass] | None = None,
    sites: tuple[Site, ...] = (),
    overrides: tuple[Override, ...] = (),
) -> Scenario:
    """A scenario without traffic; every tier has 100 Mbit/s unless `nodes` says otherwise."""
    tiers = {tier: NodeClass(100 * MEGABIT, 100 * MEGABIT) for tier in TIERS}
    return scenario(topology=spec, nodes=tiers if nodes is None else nodes, sites=sites, overrides=overrides)
