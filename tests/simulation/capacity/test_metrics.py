"""Every figure has a name, a unit and a sentence, and the page says the same."""

from pathlib import Path

import pytest

from docaxis_sim.capacity import measure, metrics
from docaxis_sim.capacity.experiment import look_up
from docaxis_sim.capacity.mistakes import BadScenario
from tests.simulation.capacity.measured import busy

PAGE = Path(__file__).parents[3] / "simulation" / "docs" / "metrics.md"


def test_the_page_is_made_from_the_list() -> None:
    """Written by hand it would soon say something else."""
    assert PAGE.read_text(encoding="utf-8") == metrics.page()


def test_every_figure_of_a_run_is_in_the_list() -> None:
    """Nothing is measured that nobody explains, and nothing is explained that a plain run does not have."""
    scenario, prepared, run = busy()
    found = measure.measure(prepared, run, scenario).metrics
    assert set(found) <= set(metrics.names(scenario))
    explained = {metrics.about(name).name for name in found}
    missing = {metric.name for metric in metrics.METRICS} - explained
    assert missing == {"recovery.{failure}_s"}


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("latency.arrived.p99_s", "latency.arrived.{statistic}_s"),
        ("latency.arrived.p99.express_s", "latency.arrived.{statistic}.{priority}_s"),
        ("latency.arrived.p95.tier.commune_s", "latency.arrived.{statistic}.tier.{tier}_s"),
        ("latency.arrived.max.traffic.pm-decision_s", "latency.arrived.{statistic}.traffic.{traffic}_s"),
        ("recovery.storm_s", "recovery.{failure}_s"),
    ],
)
def test_a_name_is_found_in_the_list(name: str, entry: str) -> None:
    """With the words of its places."""
    assert metrics.about(name).name == entry


def test_a_name_that_means_nothing_is_refused_with_the_nearest() -> None:
    """In a goal, before anything runs."""
    scenario, _, _ = busy()
    assert metrics.unknown("expired", scenario) == ""
    with pytest.raises(BadScenario, match=r"did you mean latency\.arrived\.p99_s"):
        look_up(["expired", "latency.arived.p99_s"], scenario)
    with pytest.raises(KeyError):
        metrics.about("latency.arrived.p98_s")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("utilisation.loop.max.tier.hub", "there is no node of tier hub"),
        ("latency.arrived.p99.tier.commune_s", "there is no node of tier commune"),
        ("latency.arrived.p99.timed_express_s", "no document has the priority timed_express"),
    ],
)
def test_a_figure_that_a_scenario_cannot_have_is_refused_with_the_reason(name: str, reason: str) -> None:
    """It is in the list, but nothing would ever be measured."""
    scenario, _, _ = busy()
    assert name not in metrics.names(scenario)
    with pytest.raises(BadScenario, match=reason):
        look_up([name], scenario)


def test_names_from_a_scenario_become_parts_of_names() -> None:
    """Letters of any language but ours are replaced, so that a goal can be typed."""
    assert metrics.slug("Công văn hỏa tốc (1)") == "C-ng-v-n-h-a-t-c-1"
