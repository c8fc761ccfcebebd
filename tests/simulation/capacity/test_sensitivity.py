"""How far an answer hangs on what was measured and assumed: the same days, in pairs."""

from functools import cache

import pytest

from docaxis_sim.capacity import experiment, files, sensitivity
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.capacity.runner import Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.study import Difference, Study
from docaxis_sim.capacity.traffic import BadTraffic
from tests.simulation.capacity.measured import SMALL


@cache
def varied() -> Study:
    """The small scenario, its own service times a little longer than measured."""
    own: dict[str, object] = {"service_times": 1.5, "experiment.replications": 3, "experiment.replications_max": 3}
    with Runner() as runner:
        found = experiment.run(load(SMALL, own), runner)
        return sensitivity.looked_at(found, lambda field, value: load(SMALL, own | {field: value}), runner)


def seen(field: str, factor: float, metric: str) -> Difference:
    """One figure where one field is multiplied."""
    found = next(each for each in varied().variations if (each.field, each.factor) == (field, factor))
    return next(each for each in found.differences if each.metric == metric)


def test_the_processors_are_twice_as_busy_with_twice_the_service_times() -> None:
    """Of the scenario's own value, not of the calibration; beside the very same documents."""
    double, half = (seen("service_times", factor, "utilisation.loop.max") for factor in (2.0, 0.5))
    assert 1.9 < double.b.mean / double.a.mean < 2.1
    assert 0.45 < half.b.mean / half.a.mean < 0.55
    assert double.sure
    assert double.a == varied().estimates["utilisation.loop.max"]
    assert seen("service_times", 2.0, "carried_share").difference.mean == 0


def test_variations_that_cannot_be_run_are_refused_before_any_is() -> None:
    """Twice the load above the most that a scenario may have, and above what memory holds."""
    scenario = load(SMALL, {"load": 600_000})
    with pytest.raises(BadScenario, match="load"):
        sensitivity.varied(scenario, lambda field, value: load(SMALL, {"load": 600_000, field: value}))
    many = scenario._replace(traffic=tuple(each._replace(documents_per_day=1e9) for each in scenario.traffic))
    with pytest.raises(BadTraffic, match="too large a load"):
        sensitivity.varied(many, lambda field, value: many)


def test_goals_and_headlines_are_looked_at() -> None:
    """What the scenario wants to know is among them; and all of it is in the manifest."""
    names = {each.metric for each in varied().variations[0].differences}
    assert {each.expectation.metric for each in varied().verdicts} <= names
    assert [(each.field, each.factor) for each in varied().variations] == list(sensitivity.VARIED)
    stated = files.manifest(varied())["variations"]
    assert stated[1]["metrics"]["utilisation.loop.max"]["sure"] is True
