"""Prepare: a scenario becomes one complete plan, and says in plain words when it cannot."""

import json
from pathlib import Path

import pytest

from docaxis_sim.capacity.costs import BadCalibration, Costs
from docaxis_sim.capacity.model import TIERS, Failure, NodeClass, Scenario, Site, TopologySpec, Traffic
from docaxis_sim.capacity.plan import DAY_NS, HOUR_NS
from docaxis_sim.capacity.prepare import prepare
from tests.simulation.capacity.drawing import scenario


@pytest.fixture
def whole(tmp_path: Path) -> Scenario:
    """A small day with a failure and a site, and a calibration file of its own."""
    path = tmp_path / "costs.json"
    names = [name for name in Costs._fields if name not in ("provenance", "commit_extra_ns")]
    costs = {name: 1000 * number for number, name in enumerate(names)}
    path.write_text(json.dumps({"costs": costs, "provenance": {"machine": "made up"}}), encoding="utf-8")
    return scenario(
        Traffic("daily", "all", "any:all", documents_per_day=100),
        topology=TopologySpec(layout="agencies"),
        nodes={tier: NodeClass(10**7, 10**7) for tier in TIERS},
        sites=(Site("centre", "tier:central", 10**9, 10**9),),
        failures=(Failure("cut", "site:centre + agency:H49", 8 * HOUR_NS, 9 * HOUR_NS, dark=True),),
        calibration=path,
        digest="abc",
    )


def test_equal_arguments_make_equal_plans(whole: Scenario) -> None:
    """A report's digest and replication are enough to repeat it."""
    one, two = prepare(whole, 3), prepare(whole, 3)
    assert (one.digest, one.replication) == ("abc", 3)
    assert (one.plan.deliveries.birth_ns == two.plan.deliveries.birth_ns).all()
    assert (one.plan.stations.up_ns_per_kib == two.plan.stations.up_ns_per_kib).all()
    assert one.plan.node_ids == one.topology.ids


def test_failures_become_outages_of_the_nodes_they_mean(whole: Scenario) -> None:
    """Sites are known by name here too."""
    (outage,) = prepare(whole, 0).plan.outages
    assert [*outage.inside] == [*range(32), prepare(whole, 0).topology.ids.index("H49")]
    assert (outage.name, outage.from_ns, outage.until_ns, outage.dark) == ("cut", 8 * HOUR_NS, 9 * HOUR_NS, True)


def test_a_run_ends_with_its_last_day_or_when_all_is_done(whole: Scenario) -> None:
    """Both are asked for: what is left in the evening, and how long the rest takes."""
    assert prepare(whole, 0).plan.end_ns == 0
    two_days = whole._replace(until_done=False, days=2, day_factors=(1.0, 1.0))
    assert prepare(two_days, 0).plan.end_ns == 2 * DAY_NS


def test_a_calibration_that_is_missing_is_named(whole: Scenario) -> None:
    """Every refusal is a `ValueError` whose text can be shown."""
    with pytest.raises(BadCalibration, match=r"lost\.json"):
        prepare(whole._replace(calibration=Path("lost.json")), 0)


def test_twice_the_service_times_are_twice_all_that_was_measured_and_nothing_else(whole: Scenario) -> None:
    """Processors, disks and stalls; not lines, not who writes to whom."""
    once, twice = prepare(whole, 1).plan, prepare(whole._replace(service_times=2.0), 1).plan
    for name in ("cost_ns", "round_ns", "wake_ns", "blob_ns", "blob_ns_per_kib", "content_ns_per_kib", "commit_ns"):
        assert (getattr(twice.stations, name) == 2 * getattr(once.stations, name)).all(), name
    assert (twice.stations.up_ns_per_kib == once.stations.up_ns_per_kib).all()
    assert (twice.deliveries.birth_ns == once.deliveries.birth_ns).all()
    assert {step: extra.sum() for step, extra in twice.deliveries.extra_ns.items()} == {
        step: pytest.approx(2 * extra.sum(), rel=1e-6) for step, extra in once.deliveries.extra_ns.items()
    }
