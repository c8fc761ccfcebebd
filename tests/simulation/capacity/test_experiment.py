"""What replications say together: intervals, verdicts, and when there are enough of them."""

from math import inf, isinf

import pytest

from docaxis_sim.capacity import experiment
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.capacity.model import Expectation
from docaxis_sim.capacity.runner import Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.statistics import Interval, estimate
from docaxis_sim.capacity.study import Check, Measures, Replication
from tests.simulation.capacity.measured import SMALL


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
    assert any(found.estimates[f"latency.arrived.{each}_s"].n == 20 for each in experiment.BATCHED)


def test_replications_are_added_until_the_figure_is_precise() -> None:
    """In their order, so that two workers stop where one does."""
    wanted = {"experiment.replications": 2, "experiment.replications_max": 9, "experiment.precision": 0.2}
    scenario = load(SMALL, {**wanted, "experiment.precise_metric": "deliveries"})
    with Runner() as runner:
        found = experiment.replications(scenario, runner, slim=True)
    count = len(found)
    assert 2 < count <= 9
    values = [each.measures.metrics["deliveries"] for each in found]
    assert estimate(values, 0.95).relative <= 0.2
    assert estimate(values[:-1], 0.95).relative > 0.2


def test_what_more_workers_ran_too_many_does_not_count() -> None:
    """Replications beyond the first that suffice are thrown away."""
    scenario = load(SMALL)
    wanted = scenario.experiment._replace(
        replications=2, replications_max=9, precise_metric="arrived", precision=0.1, confidence=0.9
    )
    precise = scenario._replace(experiment=wanted)
    values = [100.0, 160.0, 131.0, 129.0, 130.0, 130.0, 500.0]
    found = [replication(number, arrived=value) for number, value in enumerate(values, 1)]
    count = experiment.sufficient(found, precise)
    assert count == experiment.sufficient(found[:count], precise) < 7
    assert experiment.sufficient(found[: count - 1], precise) == 0


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
