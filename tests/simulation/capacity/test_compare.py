"""Two scenarios on the same documents: pairs see what independent samples cannot."""

import pytest

from docaxis_sim.capacity import compare
from docaxis_sim.capacity.compare import Comparison
from docaxis_sim.capacity.runner import Job, Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.statistics import independent
from tests.simulation.capacity.measured import SMALL


def compared(a: dict[str, object], b: dict[str, object], replications: int = 2) -> Comparison:
    """The small scenario with two sets of changes."""
    count: dict[str, object] = {"experiment.replications": replications, "experiment.replications_max": replications}
    with Runner() as runner:
        return compare.run(load(SMALL, {**count, **a}), load(SMALL, {**count, **b}), runner)


def test_a_small_change_is_seen_with_half_the_replications_or_less() -> None:
    """A line 5 % faster: the paired interval is at least twice narrower than one from other arrivals."""
    a: dict[str, object] = {"load": 4, "nodes.province.uplink": "1 Mbit/s", "nodes.central.uplink": "1 Mbit/s"}
    b: dict[str, object] = {**a, "nodes.province.uplink": "1.05 Mbit/s", "nodes.central.uplink": "1.05 Mbit/s"}
    found = compared(a, b, replications=6)
    assert found.same_arrivals
    pairs = next(each for each in found.differences if each.metric == "latency.arrived.mean_s")
    assert pairs.sure
    assert pairs.difference.mean < 0
    with Runner() as runner:
        first = runner.carry([Job(load(SMALL, a), number, slim=True) for number in range(1, 7)])
        other = runner.carry([Job(load(SMALL, b), number, slim=True) for number in range(7, 13)])
    values = [[each.measures.metrics["latency.arrived.mean_s"] for each in some] for some in (first, other)]
    assert independent(values[0], values[1], 0.95).half_width >= 2 * pairs.difference.half_width


def test_other_arrivals_are_seen_and_not_paired() -> None:
    """Twice the load is not the same documents on another network."""
    found = compared({}, {"load": 2}, replications=3)
    assert not found.same_arrivals
    deliveries = next(each for each in found.differences if each.metric == "deliveries")
    assert deliveries.sure
    assert deliveries.difference.mean > 500


def test_both_run_with_the_first_ones_seed() -> None:
    """Whatever the second file says."""
    found = compared({"experiment.seed": 3}, {"experiment.seed": 4})
    assert found.same_arrivals
    assert all(each.difference.mean == 0 and not each.sure for each in found.differences)


def test_hub_direct_and_tiered_meet_the_same_documents() -> None:
    """Routing changes ways, not who writes to whom and when."""
    found = compared({}, {"topology.routing": "hub"})
    assert found.same_arrivals
    slower = next(each for each in found.differences if each.metric == "latency.arrived.p50_s")
    assert slower.difference.mean > 0


def test_one_replication_of_each_is_compared_without_an_interval() -> None:
    """A difference is shown, and nobody is sure of it."""
    found = compared({}, {"load": 2}, replications=1)
    assert not any(each.sure for each in found.differences)
    assert found.replications == 1


@pytest.mark.parametrize("which", [0, 1])
def test_failed_checks_of_either_are_in_the_comparison(which: int) -> None:
    """A difference between wrong runs is worth nothing."""
    found = compared({}, {})
    per_run = len(found.checks) // (2 * found.replications)
    assert found.checks[which * per_run].name == "conservation"
    assert all(check.held for check in found.checks)
