"""Networks: scenarios that say where nodes are and how they are linked, and nothing of documents."""

from pathlib import Path

from docaxis_sim.capacity.model import TIERS, Experiment, NodeClass, Override, Scenario, Site, TopologySpec

MEGABIT: int = 1_000_000


def network(
    spec: TopologySpec,
    nodes: dict[str, NodeClass] | None = None,
    sites: tuple[Site, ...] = (),
    overrides: tuple[Override, ...] = (),
) -> Scenario:
    """A scenario without traffic; every tier has 100 Mbit/s unless `nodes` says otherwise."""
    return Scenario(
        path=Path("network.toml"),
        name="network",
        name_vi="",
        question="",
        topology=spec,
        nodes=nodes if nodes is not None else {tier: NodeClass(100 * MEGABIT, 100 * MEGABIT) for tier in TIERS},
        sites=sites,
        overrides=overrides,
        calibration=Path("costs.json"),
        link_sharing="fifo",
        traffic=(),
        failures=(),
        experiment=Experiment(),
        expect=(),
        load=1.0,
        days=1,
        day_factors=(1.0,),
        until_done=True,
        profiles={},
        engine="auto",
        faults={},
        raw={},
        digest="",
    )
