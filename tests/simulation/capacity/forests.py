"""Forests: small topologies of any shape, for properties that must hold whatever a country looks like."""

from hypothesis import strategies as st

from docaxis_sim.capacity.country import Unit
from docaxis_sim.capacity.model import TIERS
from docaxis_sim.capacity.topology import Topology, assemble


@st.composite
def forests(draw: st.DrawFn, least: int = 2, most: int = 24, hub: bool = False) -> Topology:
    """Topologies with any number of nodes without a parent, every node below one of a higher tier; with `hub` one more
    node, of the tier hub."""
    units: list[Unit] = []
    for number in range(draw(st.integers(least, most))):
        parent = draw(st.one_of(st.none(), st.sampled_from(units) if units else st.none()))
        above = TIERS.index(parent.tier) if parent is not None else 0
        if parent is None or above == len(TIERS) - 1:
            tier, over = draw(st.sampled_from(TIERS[1:])), ""
        else:
            tier, over = TIERS[draw(st.integers(above + 1, len(TIERS) - 1))], parent.id
        lat, lon = draw(st.floats(8, 23)), draw(st.floats(102, 110))
        units.append(Unit(f"N{number}", f"Node {number}", tier, over, lat, lon, float(number)))
    if hub:
        units.append(Unit("HUB", "Hub", "hub", "", 21.0, 105.8, 0.0))
    return assemble(units, "test")
