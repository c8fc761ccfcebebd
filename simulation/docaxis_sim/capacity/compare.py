"""Compare: two scenarios on the same arrivals, and the difference of every figure with its interval.

Both run with the first one's seed, so that replication k of one and replication k of the other are a pair: a seed that
both have makes them dependent even where they did not meet the same arrivals, and only the differences of pairs are
independent of each other then. Whether they met the same arrivals is seen from what was born. Nothing here prints.
"""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Final, NamedTuple

from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.runner import Job, Runner
from docaxis_sim.capacity.statistics import Interval, all_one_way, estimate, paired
from docaxis_sim.capacity.study import Check, Replication

SHARED: Final = ("seed", "replications", "confidence")
"""What the first scenario decides for both."""


class Difference(NamedTuple):
    """A figure in both scenarios, and ``b − a`` with its interval. `sure`: this figure's interval leaves out 0; where a
    figure is infinite on one side, the sign test decides."""

    metric: str
    a: Interval
    b: Interval
    difference: Interval
    sure: bool


class Comparison(NamedTuple):
    """Two scenarios side by side. `same_arrivals`: in every replication both were given the same documents at the same
    moments, which makes intervals narrow. `unused`: the words of `SHARED` of which the second scenario says something
    else, which is not used."""

    a: Scenario
    b: Scenario
    replications: int
    same_arrivals: bool
    births: tuple[tuple[str, str], ...]
    differences: tuple[Difference, ...]
    checks: tuple[Check, ...]
    unused: tuple[str, ...] = ()


def run(
    a: Scenario,
    b: Scenario,
    runner: Runner,
    engine: str = "",
    done: Callable[[Replication], None] | None = None,
) -> Comparison:
    """Both, replication by replication, with the first one's seed; raises what the runner raises."""
    unused = tuple(word for word in SHARED if getattr(a.experiment, word) != getattr(b.experiment, word))
    b = b._replace(experiment=b.experiment._replace(seed=a.experiment.seed))
    count = a.experiment.replications
    jobs = [Job(each, number, engine, True) for number in range(1, count + 1) for each in (a, b)]
    found = runner.carry(jobs, done)
    return comparison(a, b, found[::2], found[1::2])._replace(unused=unused)


def sure_by_luck(differences: Sequence[Difference]) -> float:
    """How many of these figures would be called sure, on average, if nothing differed but by luck: every interval for
    itself fails to hold the truth so often."""
    return sum(1 - each.difference.confidence for each in differences if 0 < each.difference.half_width < float("inf"))


def comparison(a: Scenario, b: Scenario, of_a: list[Replication], of_b: list[Replication]) -> Comparison:
    """What the replications of both say."""
    births = tuple((one.births, other.births) for one, other in zip(of_a, of_b, strict=True))
    same = all(one == other for one, other in births)
    names = [name for name in of_a[0].measures.metrics if all(name in each.measures.metrics for each in of_a + of_b)]
    confidence = a.experiment.confidence
    differences = tuple(
        _difference(
            name,
            [each.measures.metrics[name] for each in of_a],
            [each.measures.metrics[name] for each in of_b],
            confidence,
        )
        for name in names
    )
    checks = tuple(check for each in of_a + of_b for check in each.measures.checks)
    return Comparison(a, b, len(of_a), same, births, differences, checks)


def _difference(name: str, a: list[float], b: list[float], confidence: float) -> Difference:
    between = paired(a, b, confidence)
    sure = between.low > 0 or between.high < 0 if isfinite(between.mean) else all_one_way(a, b, confidence)
    return Difference(name, estimate(a, confidence), estimate(b, confidence), between, sure)
