"""Compare: two scenarios on the same arrivals, and the difference of every figure with its interval.

Both run with the first one's seed and numbers of replications. Whether they met the same arrivals is not assumed but
seen from what was born in each. Nothing here prints.
"""

from collections.abc import Callable
from typing import NamedTuple

from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.runner import Job, Runner
from docaxis_sim.capacity.statistics import Interval, estimate, independent, paired
from docaxis_sim.capacity.study import Check, Replication


class Difference(NamedTuple):
    """A figure in both scenarios, and ``b − a`` with its interval. `sure`: the interval excludes no difference."""

    metric: str
    a: Interval
    b: Interval
    difference: Interval
    sure: bool


class Comparison(NamedTuple):
    """Two scenarios side by side. `same_arrivals`: in every replication both were given the same documents at the same
    moments, so that differences are paired; else they are of independent samples, and wider."""

    a: Scenario
    b: Scenario
    replications: int
    same_arrivals: bool
    births: tuple[tuple[str, str], ...]
    differences: tuple[Difference, ...]
    checks: tuple[Check, ...]


def run(
    a: Scenario,
    b: Scenario,
    runner: Runner,
    engine: str = "",
    done: Callable[[Replication], None] | None = None,
) -> Comparison:
    """Both, replication by replication, with the first one's seed; raises what the runner raises."""
    b = b._replace(experiment=b.experiment._replace(seed=a.experiment.seed))
    count = a.experiment.replications
    jobs = [Job(each, number, engine, True) for number in range(1, count + 1) for each in (a, b)]
    found = runner.carry(jobs, done)
    return comparison(a, b, found[::2], found[1::2])


def comparison(a: Scenario, b: Scenario, of_a: list[Replication], of_b: list[Replication]) -> Comparison:
    """What the replications of both say."""
    births = tuple((one.births, other.births) for one, other in zip(of_a, of_b, strict=True))
    same = all(one == other for one, other in births)
    names = [name for name in of_a[0].measures.metrics if all(name in each.measures.metrics for each in of_a + of_b)]
    confidence = a.experiment.confidence
    differences = tuple(
        _difference(name, [r.measures.metrics[name] for r in of_a], [r.measures.metrics[name] for r in of_b],
                    confidence, same)
        for name in names
    )  # fmt: skip
    checks = tuple(check for each in of_a + of_b for check in each.measures.checks)
    return Comparison(a, b, len(of_a), same, births, differences, checks)


def _difference(name: str, a: list[float], b: list[float], confidence: float, same: bool) -> Difference:
    one, other = estimate(a, confidence), estimate(b, confidence)
    between = paired(a, b, confidence) if same or len(a) < 2 else independent(a, b, confidence)
    return Difference(name, one, other, between, between.low > 0 or between.high < 0)
