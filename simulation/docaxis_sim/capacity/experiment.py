"""Experiment: replications of a scenario until enough is known, and what they say together: a study.

Which replications count is decided in their order, never in the order in which they happen to end, so that a study is
the same however many ran side by side. Nothing here prints.
"""

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from typing import Final

import numpy as np

from docaxis_sim import side_by_side as executors
from docaxis_sim.capacity import combine, costs
from docaxis_sim.capacity.metrics import unknown
from docaxis_sim.capacity.mistakes import BadScenario, Mistake, file_name
from docaxis_sim.capacity.model import Expectation, Scenario
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.runner import Job, Progress, Runner
from docaxis_sim.capacity.statistics import Interval, batch_means, estimate, precise_enough
from docaxis_sim.capacity.study import Check, Provenance, Replication, Study, Verdict
from docaxis_sim.stopwatch import Stopwatch

PACKAGES: Final = ("docaxis", "simpy", "networkx", "numpy", "numba")
"""Whose versions a study names."""

BATCHED: Final = ("mean", "p50", "p95", "p99")
"""Latencies whose intervals one long run can give."""

FIRST: Final = 1
"""Number of the first replication."""

_MEETS: Final[dict[str, Callable[[Interval, float], bool]]] = {
    "<=": lambda found, value: found.high <= value,
    "<": lambda found, value: found.high < value,
    ">=": lambda found, value: found.low >= value,
    ">": lambda found, value: found.low > value,
    "==": lambda found, value: found.low == found.high == value,
}


def run(
    scenario: Scenario,
    runner: Runner,
    engine: str = "",
    command: str = "",
    done: Callable[[Replication], None] | None = None,
    progress: Progress | None = None,
    rows_to: Path | None = None,
) -> Study:
    """The whole experiment that a scenario asks for. `rows_to`: where the first replication's raw rows go.

    Raises what `Runner.carry` raises, and `BadScenario` where a goal names a figure that there is not."""
    watch = Stopwatch()
    look_up([each.metric for each in scenario.expect], scenario)
    found = replications(scenario, runner, engine, done, progress, rows_to)
    return study(scenario, found, provenance(scenario, command), watch.seconds)


def side_by_side(found: Study) -> Study:
    """The study with its executors compared on an excerpt of the first replication."""
    return found._replace(executors=executors.side_by_side(prepare(found.scenario, FIRST).plan))


def look_up(names: Sequence[str], scenario: Scenario) -> None:
    """Raises `BadScenario` where a scenario cannot have one of these figures."""
    wrong = [(name, text) for name in names if (text := unknown(name, scenario))]
    if wrong:
        raise BadScenario(Mistake(file_name(scenario.path), 0, name, text) for name, text in wrong)


def replications(
    scenario: Scenario,
    runner: Runner,
    engine: str = "",
    done: Callable[[Replication], None] | None = None,
    progress: Progress | None = None,
    rows_to: Path | None = None,
    slim: bool = False,
) -> list[Replication]:
    """As many as the experiment states, and more, up to its most, until its figure is precise enough."""
    wanted = scenario.experiment

    def jobs(numbers: range) -> list[Job]:
        rows = {FIRST: rows_to}
        return [Job(scenario, number, engine, slim, rows.get(number)) for number in numbers]

    found = runner.carry(jobs(range(FIRST, FIRST + wanted.replications)), done, progress)
    while (count := sufficient(found, scenario)) == 0 and len(found) < wanted.replications_max:
        more = min(max(1, runner.workers), wanted.replications_max - len(found))
        found += runner.carry(jobs(range(FIRST + len(found), FIRST + len(found) + more)), done, progress)
    return found[:count] if count else found


def sufficient(found: Sequence[Replication], scenario: Scenario) -> int:
    """How many of the first replications suffice; 0 where none of these do."""
    wanted = scenario.experiment
    if not wanted.precise_metric:
        return len(found)
    values = [each.measures.metrics.get(wanted.precise_metric, 0.0) for each in found]
    for count in range(max(2, wanted.replications), len(found) + 1):
        if precise_enough(values[:count], wanted.confidence, wanted.precision):
            return count
    return 0


def study(scenario: Scenario, found: Sequence[Replication], made: Provenance, wall_seconds: float) -> Study:
    """What replications say together."""
    estimates = estimates_of(found, scenario.experiment.confidence)
    measures = [each.measures for each in found]
    return Study(
        scenario=scenario,
        replications=tuple(found),
        estimates=estimates,
        tables=combine.tables([each.tables for each in measures]),
        series=combine.series([each.series for each in measures]),
        checks=worst([each.checks for each in measures]),
        verdicts=tuple(verdict(each, estimates) for each in scenario.expect),
        executors=None,
        provenance=made,
        notes=notes(scenario, found),
        wall_seconds=wall_seconds,
    )


def in_batches(found: Study) -> Study:
    """A study of one long run with intervals of its latencies from batch means. Where neighbouring batches are alike,
    the interval would be too narrow and is not given."""
    confidence = found.scenario.experiment.confidence
    estimates, notes = dict(found.estimates), list(found.notes)
    for statistic in BATCHED:
        name = f"latency.arrived.{statistic}_s"
        seen = batch_means(np.asarray(found.tables["batches"].columns[f"{statistic}_s"], np.float64), confidence)
        if seen.believable and name in estimates:
            estimates[name] = estimates[name]._replace(half_width=seen.interval.half_width, n=seen.interval.n)
        notes.append(
            f"{name}: {seen.interval.n} batches of one run, correlation of neighbours {seen.lag_1:.2f}: "
            f"{'taken as independent' if seen.believable else 'no interval, the run is too short or not steady'}."
        )
    verdicts = tuple(verdict(each.expectation, estimates) for each in found.verdicts)
    return found._replace(estimates=estimates, notes=tuple(notes), verdicts=verdicts)


def estimates_of(found: Sequence[Replication], confidence: float) -> dict[str, Interval]:
    """Every figure that all replications have, with its interval."""
    values = [each.measures.metrics for each in found]
    names = [name for name in values[0] if all(name in each for each in values)]
    return {name: estimate([each[name] for each in values], confidence) for name in names}


def verdict(goal: Expectation, estimates: dict[str, Interval]) -> Verdict:
    """Whether a goal held: the unfavourable end of the interval meets it. Of one replication, its value decides."""
    nothing = Interval(float("nan"), float("inf"), 0, 0.0)
    found = estimates.get(goal.metric, nothing)
    judged = found._replace(half_width=0.0) if found.n == 1 else found
    return Verdict(goal, found, _MEETS[goal.sign](judged, goal.value))


def worst(found: Sequence[tuple[Check, ...]]) -> tuple[Check, ...]:
    """Of each check, the replication in which it came out worst."""
    return tuple(max(same, key=lambda each: (not each.held, each.measured)) for same in zip(*found, strict=True))


def notes(scenario: Scenario, found: Sequence[Replication]) -> tuple[str, ...]:
    """What a reader must know before believing a figure."""
    said = []
    wanted = scenario.experiment
    if len(found) == 1:
        said.append("One replication: no interval can be given (±?); add --replications 5 or more.")
    if wanted.precise_metric and not sufficient(found, scenario):
        said.append(
            f"{wanted.precise_metric} is not known to within {wanted.precision:.1%} after {len(found)} replications, "
            f"the most that the scenario allows."
        )
    if wanted.warm_up == "mser-5":
        said.append("MSER-5 left out each replication's warm-up from its latencies; where none is found, nothing.")
    if any(not isfinite(value) for each in found for value in each.measures.metrics.values()):
        said.append("A percentile shown as never: that share of what was submitted had not arrived in time.")
    return tuple(said)


def provenance(scenario: Scenario, command: str) -> Provenance:
    """What repeats a study."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    calibration = costs.read(scenario.calibration).provenance
    return Provenance(versions, command, dict(calibration), f"{platform.system()} {platform.machine()}")
