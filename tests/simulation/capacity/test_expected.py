"""How many deliveries are expected is about how many are drawn, and more than memory holds is refused."""

import pytest

from docaxis_sim.capacity import expected
from docaxis_sim.capacity.model import Traffic
from docaxis_sim.capacity.topology import build
from docaxis_sim.capacity.traffic import deliveries
from tests.simulation.capacity.drawing import scenario
from tests.simulation.capacity.test_traffic import DAILY, REPORTS

CAMPAIGN = REPORTS._replace(
    name="campaign", sender="agency:H49", to="each:tier:commune", documents_per_day=0.0, at_ns=0, submissions=3
)


@pytest.mark.parametrize("traffic", [DAILY, REPORTS, CAMPAIGN, DAILY._replace(scale=0.5)], ids=lambda each: each.name)
def test_as_many_are_expected_as_are_drawn(traffic: Traffic) -> None:
    """To within a tenth: the bound is a bound of what comes."""
    asked = scenario(traffic, load=2.0)
    topology = build(asked.topology)
    there = len(deliveries(asked, topology, 1).hops)
    assert sum(expected.deliveries(asked, topology).values()) == pytest.approx(there, rel=0.1)


def test_what_fits_is_not_refused_and_what_does_not_is() -> None:
    """By the memory that there is; the traffic that sends most is named."""
    asked = scenario(DAILY, REPORTS)
    topology = build(asked.topology)
    wanted = int(sum(expected.deliveries(asked, topology).values()) * expected.ROW_BYTES)
    assert expected.too_large(asked, topology, wanted + 1) == ""
    assert "'daily'" in expected.too_large(asked, topology, wanted // 2)
    assert expected.memory() > 0
