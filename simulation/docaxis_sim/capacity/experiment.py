"""Experiment: replications of a scenario until enough is known, and what they say together: a study.

Which replications count is decided in their order, never in the order in which they happen to end, so that a study is
the same however many ran side by side. Nothing here prints.
"""

import platform
from collections.abc import Callable, Sequence
from math import isfinite, isnan, nan, sqrt
from pathlib import Path
from typing import Final

import numpy as np

from docaxis_sim import side_by_side as executors
from docaxis_sim.capacity import cautions, combine, costs, edition
from docaxis_sim.capacity.metrics import unknown
from docaxis_sim.capacity.mistakes import BadScenario, Mistake, file_name
from docaxis_sim.capacity.model import Expectation, Experiment, Scenario
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.runner import Job, Progress, Runner
from docaxis_sim.capacity.statistics import BatchMeans, Interval, batch_means, estimate, precise_enough, student_t
from docaxis_sim.capacity.study import Check, Provenance, Replication, Study, Verdict
from docaxis_sim.stopwatch import Stopwatch

BATCHED: Final = ("mean", "p50", "p95", "p99")
"""Latencies whose intervals one long run can give."""

BEYOND: Final = 10
"""Documents that must lie beyond a percentile in each batch. With fewer, a batch's percentile is little but its slowest
document, and the batches say nothing of how sure the whole run's is (Law 2015, §9.5.3)."""

_SHARES: Final = {"p50": 50, "p95": 95, "p99": 99}

FIRST: Final = 1
"""Number of the first replication."""

LOOKED_AT: Final = 5
"""Replications before anybody looks whether they suffice. Two or three are alike by luck often enough that who stops at
the first narrow interval is wrong far more often than the interval says."""

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
    """After how many of the first replications no more are wanted: their figure is precise enough, or is not finite in
    one of them, which no further ones can mend. 0 where it takes more than these."""
    wanted = scenario.experiment
    if not wanted.precise_metric:
        return len(found)
    values = _precise_values(found, wanted)
    for count in range(_first_look(wanted), len(found) + 1):
        known = values[:count]
        if not all(map(isfinite, known)) or precise_enough(known, wanted.confidence, wanted.precision):
            return count
    return 0


def _first_look(wanted: Experiment) -> int:
    return max(wanted.replications, min(LOOKED_AT, wanted.replications_max))


def _precise_values(found: Sequence[Replication], wanted: Experiment) -> list[float]:
    """The figure that is to be precise in each replication; NaN in one that does not have it."""
    return [each.measures.metrics.get(wanted.precise_metric, nan) for each in found]


def study(scenario: Scenario, found: Sequence[Replication], made: Provenance, wall_seconds: float) -> Study:
    """What replications say together."""
    estimates = estimates_of(found, scenario.experiment.confidence)
    measures = [each.measures for each in found]
    return Study(
        scenario=scenario,
        replications=tuple(found),
        estimates=estimates,
        tables=combine.tables([each.tables for each in measures], scenario.experiment.confidence),
        series=combine.series([each.series for each in measures]),
        checks=worst([each.checks for each in measures]),
        verdicts=tuple(verdict(each, estimates) for each in scenario.expect),
        executors=None,
        provenance=made,
        notes=notes(scenario, found),
        wall_seconds=wall_seconds,
    )


def in_batches(found: Study) -> Study:
    """A study of one long run with intervals of its latencies from batch means. Each is around the figure of the whole
    run, and so wide that it holds the interval around the mean of the batches. Where neighbouring batches are alike, or
    too short for a percentile, it would be too narrow; that figure stays without one."""
    confidence = found.scenario.experiment.confidence
    estimates, notes = dict(found.estimates), list(found.notes)
    columns = found.tables["batches"].columns
    size = int(min(np.asarray(columns["documents"], np.int64), default=0))
    for statistic in BATCHED:
        name = f"latency.arrived.{statistic}_s"
        if name not in estimates:
            continue
        seen = batch_means(np.asarray(columns[f"{statistic}_s"], np.float64), confidence)
        short = _too_short(statistic, size) or _not_believed(seen)
        notes.append(f"{name}: {short or _believed(seen)}.")
        if not short:
            estimates[name] = _around(estimates[name].mean, seen.interval)
    verdicts = tuple(verdict(each.expectation, estimates) for each in found.verdicts)
    return found._replace(estimates=estimates, notes=tuple(notes), verdicts=verdicts)


def _around(whole: float, seen: Interval) -> Interval:
    """An interval around the figure of the whole run that holds the one that its batches gave."""
    return seen._replace(mean=whole, half_width=seen.half_width + abs(seen.mean - whole))


def _too_short(statistic: str, size: int) -> str:
    """What is to be said where batches of `size` documents are too short for a percentile; empty where they are not."""
    least = -(-BEYOND * 100 // (100 - _SHARES[statistic])) if statistic in _SHARES else 1
    if not size:
        return "no interval (±?), the run has too few documents to be parted into batches"
    if size < least:
        return f"no interval (±?), of the whole run; it takes {least:,} documents in each batch, and there are {size:,}"
    return ""


def _not_believed(seen: BatchMeans) -> str:
    if seen.believable:
        return ""
    count = seen.interval.n
    return f"no interval (±?), {count} batches of one run are too short, or it is not steady (lag-1 {seen.lag_1:.2f})"


def _believed(seen: BatchMeans) -> str:
    text = f"of the whole run; its interval from {seen.interval.n} batches, taken as independent"
    return f"{text} (lag-1 {seen.lag_1:.2f}); their own mean is {seen.interval.mean:.4g} s"


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
    if len(found) == 2:
        wide = student_t(wanted.confidence, 1) / sqrt(2) / (student_t(wanted.confidence, 4) / sqrt(5))
        said.append(f"Two replications: for want of a third their intervals are {wide:.1f} times as wide as of five.")
    if wanted.precise_metric:
        said += _about_precision(_precise_values(found, wanted), wanted)
    if wanted.warm_up == "mser-5":
        said.append("MSER-5 left out each replication's warm-up from its latencies; where none is found, nothing.")
    if any(not isfinite(value) for each in found for value in each.measures.metrics.values()):
        said.append(
            "A figure shown as never is infinite: a percentile where less than its share had arrived in time, a mean, "
            "the slowest or a recovery where anything had not."
        )
    said += cautions.notes(scenario)
    return tuple(said)


def _about_precision(values: list[float], wanted: Experiment) -> list[str]:
    """What is to be said where the figure that was to be precise is not."""
    name, missing = wanted.precise_metric, sum(map(isnan, values))
    if missing:
        return [f"{name} does not occur in {missing} of {len(values)} replications: nothing says how precise it is."]
    if not all(map(isfinite, values)):
        return [f"{name} is never in one replication or more: it has no precision."]
    if precise_enough(values, wanted.confidence, wanted.precision):
        return []
    allowed = "the most that were allowed (replications_max, or --replications)"
    return [f"{name} is not known to within {wanted.precision:.1%} after {len(values)} replications, {allowed}."]


def provenance(scenario: Scenario, command: str) -> Provenance:
    """What repeats a study."""
    calibration = costs.read(scenario.calibration).provenance
    return Provenance(edition.provenance(), command, dict(calibration), f"{platform.system()} {platform.machine()}")
