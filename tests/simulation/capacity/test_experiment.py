"""What replications say together: intervals, verdicts, and when there are enough of them."""

from collections.abc import Sequence
from math import inf, isinf

import numpy as np
import pytest

from docaxis_sim.capacity import experiment
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.capacity.model import Expectation, Scenario
from docaxis_sim.capacity.plan import Float, Int64
from docaxis_sim.capacity.runner import Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.statistics import Interval, estimate
from docaxis_sim.capacity.study import Check, Measures, Replication, Table
from tests.simulation.capacity.measured import SMALL

ALL = ("p50", "p95", "p99")


def replication(number: int, **metrics: float) -> Replication:
    """One with nothing but figures."""
    return Replication(number, "reference", Measures(metrics, {}, {}, ()), "", 0, 0.0, 0.0)


def test_a_study_holds_everything_that_was_found() -> None:
    """Estimates with intervals, tables, series, checks, verdicts, and what repeats it."""
    scenario = load(SMALL, {"experiment.replications": 3, "experiment.replications_max": 3})
    with Runner() as runner:
        found = experiment.run(scenario, runner, command="docaxis simulate run small.toml")
    p99 = found.estimates["latency.arrived.p99_s"]
    assert p99.n == 3
    assert p99.half_width > 0
    assert found.estimates["expired"] == Interval(0.0, 0.0, 3, 0.95)
    assert {"latency", "ecdf", "nodes", "bottlenecks", "stations", "losses"} <= set(found.tables)
    assert {"rates", "under_way", "utilisation"} <= set(found.series)
    assert all(check.held for check in found.checks)
    assert [each.held for each in found.verdicts] == [True]
    assert {"docaxis", "numpy", "simpy", "python"} <= set(found.provenance.versions)
    assert found.notes == ()


def test_one_replication_says_that_it_cannot_say_how_sure_it_is() -> None:
    """In the study's notes; its expectation is judged by the value alone."""
    scenario = load(SMALL, {"experiment.replications": 1, "experiment.replications_max": 1})
    with Runner() as runner:
        found = experiment.run(scenario, runner)
    assert isinf(found.estimates["latency.arrived.p99_s"].half_width)
    assert "±?" in found.notes[0]
    assert found.verdicts[0].held


def test_one_long_run_gives_intervals_by_batches_where_they_can_be_believed() -> None:
    """And says for each why, or why not."""
    scenario = load(SMALL, {"load": 3, "experiment.replications": 1, "experiment.replications_max": 1})
    with Runner() as runner:
        found = experiment.in_batches(experiment.run(scenario, runner))
    for statistic in experiment.BATCHED:
        name = f"latency.arrived.{statistic}_s"
        note = next(note for note in found.notes if note.startswith(name))
        assert ("taken as independent" in note) == (found.estimates[name].n == 20)
        batches = found.tables["batches"].columns[f"{statistic}_s"]
        if found.estimates[name].n == 20:
            seen = estimate(np.asarray(batches, float).tolist(), 0.95)
            assert found.estimates[name].mean == found.replications[0].measures.metrics[name]
            assert found.estimates[name].low <= seen.low <= seen.high <= found.estimates[name].high
    assert any(found.estimates[f"latency.arrived.{each}_s"].n == 20 for each in experiment.BATCHED)


@pytest.mark.parametrize(("documents", "believed"), [(2, ()), (20, ("p50",)), (200, ("p50", "p95")), (1000, ALL)])
def test_a_percentile_has_an_interval_only_where_ten_documents_of_each_batch_lie_beyond_it(
    documents: int, believed: Sequence[str]
) -> None:
    """The p99 of two documents is the slower one: twenty of these say nothing of the p99 of forty."""
    scenario = load(SMALL, {"experiment.replications": 1, "experiment.replications_max": 1})
    values = np.tile([1.0, 3.0], 10)
    columns: dict[str, tuple[str, ...] | Float | Int64] = {"documents": np.full(20, documents, np.int64)}
    columns |= {f"{each}_s": values for each in experiment.BATCHED}
    names = {each: f"latency.arrived.{each}_s" for each in ALL}
    measures = Measures(dict.fromkeys(names.values(), 9.0), {"batches": Table(columns, "")}, {}, ())
    one = Replication(1, "reference", measures, "", 0, 0.0, 0.0)
    found = experiment.in_batches(experiment.study(scenario, [one], experiment.provenance(scenario, ""), 0.0))
    for statistic, name in names.items():
        assert found.estimates[name].mean == 9.0
        assert isinf(found.estimates[name].half_width) == (statistic not in believed)
        note = next(note for note in found.notes if note.startswith(name))
        assert ("±?" in note) == (statistic not in believed)


def test_replications_are_added_until_the_figure_is_precise() -> None:
    """In their order, so that two workers stop where one does."""
    wanted = {"experiment.replications": 2, "experiment.replications_max": 20, "experiment.precision": 0.06}
    scenario = load(SMALL, {**wanted, "experiment.precise_metric": "deliveries"})
    with Runner() as runner:
        found = experiment.replications(scenario, runner, slim=True)
    values = [each.measures.metrics["deliveries"] for each in found]
    assert experiment.LOOKED_AT <= len(found) < 20
    assert estimate(values, 0.95).relative <= 0.06
    assert len(found) == experiment.LOOKED_AT or estimate(values[:-1], 0.95).relative > 0.06


def test_what_more_workers_ran_too_many_does_not_count() -> None:
    """Replications beyond the first that suffice are thrown away."""
    scenario = load(SMALL)
    wanted = scenario.experiment._replace(
        replications=2, replications_max=9, precise_metric="arrived", precision=0.1, confidence=0.9
    )
    precise = scenario._replace(experiment=wanted)
    found = having(100.0, 160.0, 131.0, 129.0, 130.0, 130.0, 131.0, 130.0, 500.0)
    count = experiment.sufficient(found, precise)
    assert count == experiment.sufficient(found[:count], precise) < 9
    assert count > experiment.LOOKED_AT
    assert experiment.sufficient(found[: count - 1], precise) == 0


def having(*values: float) -> list[Replication]:
    """Replications with these values of one figure."""
    return [replication(number, arrived=value) for number, value in enumerate(values, 1)]


def precise_to(precision: float, most: int = 500) -> Scenario:
    """A scenario that wants the same figure so precise."""
    scenario = load(SMALL)
    wanted = scenario.experiment._replace(
        replications=2, replications_max=most, precise_metric="arrived", precision=precision
    )
    return scenario._replace(experiment=wanted)


def test_two_that_are_alike_by_luck_do_not_end_an_experiment() -> None:
    """Nobody looks before the fifth, unless fewer are allowed at all."""
    alike = having(100.0, 100.0, 100.0, 100.1, 160.0)
    assert experiment.sufficient(alike[:4], precise_to(0.01)) == 0
    assert experiment.sufficient(alike, precise_to(0.01)) == 0
    assert experiment.sufficient(alike[:3], precise_to(0.01, most=3)) == 3


@pytest.mark.parametrize("values", [(), (5.0, 5.0, inf, 5.0, 5.0)])
def test_what_does_not_occur_or_is_infinite_is_never_precise(values: Sequence[float]) -> None:
    """Nothing is not 0 ± 0. More replications would not help, so that none are run; the study says why."""
    found = having(*values) or [replication(number) for number in range(1, 6)]
    scenario = precise_to(0.01)
    assert experiment.sufficient(found, scenario) == 5
    said = "is never in one" if values else "arrived does not occur in 5 of 5 replications"
    assert any(said in note for note in experiment.notes(scenario, found))


def test_the_interval_at_which_an_experiment_stops_holds_the_truth_nearly_as_often_as_it_says() -> None:
    """Stopping at the first narrow interval costs something; measured over 1,000 experiments: 93 in 100, not 95."""
    chance = np.random.default_rng(11)
    scenario, held = precise_to(0.1), 0
    for _ in range(1_000):
        values = chance.normal(7, 2, 100).tolist()
        count = experiment.sufficient(having(*values), scenario)
        found = estimate(values[:count], 0.95)
        held += found.low <= 7 <= found.high
    assert 0.92 <= held / 1_000 <= 0.96


def test_two_replications_say_how_wide_they_are() -> None:
    """Twelve standard errors are no wonder of the network, but the want of a third."""
    assert "7.2 times as wide as of five" in experiment.notes(load(SMALL), having(1.0, 2.0))[0]


def test_a_goal_on_a_mean_is_not_met_by_what_never_arrived() -> None:
    """The day ends before most has arrived; those few were quick."""
    overrides = {"until_done": False, "nodes.province.uplink": "10 bit/s", "nodes.central.uplink": "10 bit/s"}
    scenario = load(SMALL, {**overrides, "experiment.replications": 1, "experiment.replications_max": 1})
    scenario = scenario._replace(expect=(Expectation("latency.arrived.mean_s", "<=", 86_400.0),))
    with Runner() as runner:
        found = experiment.run(scenario, runner)
    assert found.verdicts[0].found.mean == inf
    assert not found.verdicts[0].held


def test_a_study_that_never_gets_precise_says_so() -> None:
    """The most replications that the scenario allows were not enough."""
    overrides = {"experiment.replications_max": 3, "experiment.precise_metric": "latency.arrived.max_s"}
    scenario = load(SMALL, {**overrides, "experiment.precision": 0.001})
    with Runner() as runner:
        found = experiment.run(scenario, runner)
    assert len(found.replications) == 3
    assert any("not known to within 0.1%" in note for note in found.notes)


@pytest.mark.parametrize(
    ("sign", "value", "held"),
    [("<=", 11, True), ("<=", 10, False), ("<", 11, False), (">=", 9, True), (">", 9, False), ("==", 10, False)],
)
def test_a_goal_holds_when_the_whole_interval_meets_it(sign: str, value: float, held: bool) -> None:
    """Ten, give or take one: the unfavourable end decides."""
    estimates = {"arrived": Interval(10.0, 1.0, 5, 0.95)}
    assert experiment.verdict(Expectation("arrived", sign, value), estimates).held is held


def test_an_exact_figure_equals_its_goal_and_a_missing_one_meets_none() -> None:
    """No loss in any replication is no loss; a figure that nobody has is not a good one."""
    assert experiment.verdict(Expectation("lost", "==", 0), {"lost": Interval(0.0, 0.0, 5, 0.95)}).held
    assert not experiment.verdict(Expectation("lost", "<=", 1), {}).held
    assert not experiment.verdict(Expectation("p", "<=", 60), {"p": Interval(inf, inf, 3, 0.95)}).held


def test_what_more_replications_may_tell_is_undecided_and_what_they_cannot_is_not() -> None:
    """A mean over what never arrived stays infinite, however many days are added."""
    goal = Expectation("latency.arrived.p99_s", "<=", 3.0)
    found = {
        values: experiment.verdict(goal, {goal.metric: estimate(values, 0.95)})
        for values in ((2.0, 3.5), (2.0, inf), (4.0,))
    }
    assert [each.standing for each in found.values()] == ["undecided", "not held", "not held"]


def test_the_worst_replication_speaks_for_a_check() -> None:
    """One in which it failed, else the one that was nearest to it."""
    good, near, bad = (Check("law", held, off, 0.005, "") for held, off in ((True, 0.0), (True, 0.004), (False, 0.001)))
    assert experiment.worst([(good,), (near,)]) == (near,)
    assert experiment.worst([(good,), (near,), (bad,)]) == (bad,)


def test_a_goal_on_a_figure_that_there_is_not_is_refused_before_anything_runs() -> None:
    """With the nearest one that there is."""
    scenario = load(SMALL)._replace(expect=(Expectation("latency.arrived.p99_ms", "<=", 1.0),))
    with Runner() as runner, pytest.raises(BadScenario, match="there is no metric"):
        experiment.run(scenario, runner)
