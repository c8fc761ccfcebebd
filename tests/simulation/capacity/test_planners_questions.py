"""The shipped scenarios ask what they say they ask, in numbers that stand in their comments."""

from pathlib import Path

import numpy as np
import pytest

from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.plan import DAY_NS
from docaxis_sim.capacity.prepare import Prepared, prepare
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.shipped import shipped

LIGHT = {"load": 0.02}


def of_traffic(scenario: Scenario, prepared: Prepared, name: str) -> int:
    """How many deliveries one traffic makes."""
    number = [each.name for each in scenario.traffic].index(name)
    return int((prepared.plan.deliveries.traffic == number).sum())


@pytest.mark.parametrize("path", sorted(shipped().glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_makes_a_plan(path: Path) -> None:
    """What the checks let through can be drawn: every traffic has senders and recipients, every failure nodes."""
    scenario = load(path, LIGHT)
    plan = prepare(scenario, 0).plan
    assert set(np.unique(plan.deliveries.traffic)) == set(range(len(scenario.traffic)))
    assert all(len(outage.inside) for outage in plan.outages)


def test_a_decision_reaches_everybody_either_way() -> None:
    """10,825 recipients; handed on by each tier, nobody sends more than it has units below it."""
    for name, relayed in (("pm-decision", False), ("pm-decision-relay", True)):
        scenario = load(name, LIGHT)
        prepared = prepare(scenario, 0)
        assert of_traffic(scenario, prepared, "decision") == 10_825
        assert bool((prepared.plan.deliveries.parent >= 0).any()) == relayed


def test_comparisons_are_about_the_same_arrivals() -> None:
    """Common random numbers: what differs is the structure."""
    plans = [prepare(load(f"routing-{way}", LIGHT), 0).plan for way in ("direct", "tiered", "hub")]
    for other in plans[1:]:
        assert np.array_equal(plans[0].deliveries.birth_ns, other.deliveries.birth_ns)
        assert np.array_equal(plans[0].deliveries.bytes, other.deliveries.bytes)
    assert [int(plan.deliveries.hops.max()) for plan in plans] == [1, 5, 6]


def test_the_volumes_are_those_of_the_comments() -> None:
    """What is published is reproduced: 6,500 documents a working day in Quảng Ninh, and 474,000 in all provinces at the
    same rate per inhabitant."""
    quang_ninh = load("quang-ninh")
    assert sum(each.documents_per_day for each in quang_ninh.traffic) == 6_500
    scenario = load("normal-working-day")
    prepared = prepare(scenario, 0)
    inside = sum(of_traffic(scenario, prepared, name) for name in ("down", "up", "across"))
    assert inside == pytest.approx(474_000, rel=0.02)
    assert of_traffic(scenario, prepared, "axis") == pytest.approx(20_000, rel=0.03)
    assert sum(each.documents_per_day for each in load("national-day-2m").traffic) == 2_000_000


def test_a_province_is_cut_off_for_a_day() -> None:
    """From eight to eight, all of it, and nobody is switched off."""
    outage = prepare(load("province-cut", LIGHT), 0).plan.outages[0]
    assert outage.until_ns - outage.from_ns == DAY_NS
    assert len(outage.inside) == 205
    assert not outage.dark
