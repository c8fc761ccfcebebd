"""Two scenarios on the same documents: pairs see what independent samples cannot."""

from math import inf, isfinite

import pytest

from docaxis_sim.capacity import compare
from docaxis_sim.capacity.compare import Comparison
from docaxis_sim.capacity.runner import Job, Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.statistics import independent
from docaxis_sim.capacity.study import Difference, Measures, Replication
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


def judged(name: str, a: list[float], b: list[float]) -> Difference:
    """What is said about a figure with these values in the replications of either; the arrivals differ."""
    scenario = load(SMALL)
    of_a, of_b = (
        [Replication(n, "reference", Measures({name: value}, {}, {}, ()), f"{side} {n}", 0, 0.0, 0.0)
         for n, value in enumerate(values, 1)]
        for side, values in (("a", a), ("b", b))
    )  # fmt: skip
    found = compare.comparison(scenario, scenario, of_a, of_b)
    assert not found.same_arrivals
    return found.differences[0]


def test_what_is_never_in_one_of_two_worlds_with_other_arrivals_is_compared() -> None:
    """An infinite percentile is no number to subtract; five such pairs may be luck, six are not."""
    assert not judged("latency.arrived.p99_s", [1.0, 2.0], [inf, inf]).sure
    assert judged("latency.arrived.p99_s", [1.0] * 6, [inf] * 6).sure
    assert judged("latency.arrived.p99_s", [inf] * 6, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).sure
    assert not judged("latency.arrived.p99_s", [inf] * 6, [inf] * 6).sure


def test_an_overloaded_network_is_compared_with_one_that_has_other_arrivals() -> None:
    """Lines on which nearly nothing arrives before the day ends: never on both sides, and no error."""
    thin: dict[str, object] = {
        "until_done": False,
        "nodes.province.uplink": "10 bit/s",
        "nodes.central.uplink": "10 bit/s",
    }
    found = compared(thin, {**thin, "load": 0.9}, replications=3)
    assert not found.same_arrivals
    slowest = next(each for each in found.differences if each.metric == "latency.arrived.max_s")
    assert slowest.a.mean == slowest.b.mean == inf
    assert not isfinite(slowest.difference.mean)
    assert not slowest.sure


def test_differences_are_of_pairs_whatever_the_arrivals() -> None:
    """Both run with one seed, so that nothing else is independent: here the spread is all in what pairs share."""
    found = judged("latency.arrived.mean_s", [1.0, 5.0, 9.0, 2.0], [2.0, 6.1, 9.9, 3.0])
    assert found.sure
    assert found.difference.half_width < 0.2


def test_what_luck_alone_would_call_sure_is_counted() -> None:
    """Every interval for itself is wrong in one of twenty cases; figures that are exact in both are not."""
    found = compared({}, {"load": 2}, replications=3)
    wide = [each for each in found.differences if 0 < each.difference.half_width < inf]
    assert 20 < len(wide) < len(found.differences)
    assert compare.sure_by_luck(found.differences) == pytest.approx(0.05 * len(wide))


def test_what_the_second_says_otherwise_about_both_is_named() -> None:
    """It is not used; nobody is to think that it was."""
    assert compared({}, {"experiment.confidence": 0.9, "experiment.seed": 4}).unused == ("seed", "confidence")


def test_other_arrivals_are_seen() -> None:
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


def test_what_two_scenarios_say_differently_is_named_by_field() -> None:
    """Elements of lists by their names; what only one says has nothing on the other side."""
    a = {"load": 1, "traffic": [{"name": "letters", "to": "any:all"}], "nodes": {"commune": {"uplink": "4 Mbit/s"}}}
    b = {"load": 1, "traffic": [{"name": "letters", "to": "parent"}], "topology": {"routing": "hub"}}
    assert compare.differing(a, b) == [
        ("traffic.letters.to", "any:all", "parent"),
        ("nodes.commune.uplink", "4 Mbit/s", ""),
        ("topology.routing", "", "hub"),
    ]


def test_scenarios_that_say_the_same_differ_in_nothing() -> None:
    """And two names are a difference."""
    assert compare.differing({"name": "a"}, {"name": "b"}) == [("name", "a", "b")]
    assert compare.differing({"name": "a"}, {"name": "a"}) == []


def test_both_sides_keep_their_tables_where_they_are_wanted() -> None:
    """For a page that shows them beside each other; otherwise they are left out."""
    few: dict[str, object] = {"experiment.replications": 2}
    with Runner() as runner:
        found = compare.run(load(SMALL, few), load(SMALL, few | {"load": 2}), runner, slim=False)
    assert all({"rates", "under_way"} <= set(side.series) and "ecdf" in side.tables for side in found.sides)
    assert compared({}, {}).sides[0].tables == {}
