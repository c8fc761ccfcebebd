"""Compare: two scenarios on the same arrivals, and the difference of every figure with its interval.

Both run with the first one's seed, so that replication k of one and replication k of the other are a pair: a seed that
both have makes them dependent even where they did not meet the same arrivals, and only the differences of pairs are
independent of each other then. Whether they met the same arrivals is seen from what was born. Nothing here prints.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite, isinf
from typing import Any, Final, NamedTuple

from docaxis_sim.capacity import combine, spelling
from docaxis_sim.capacity.metrics import about
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.runner import Job, Progress, Runner
from docaxis_sim.capacity.statistics import Interval, all_one_way, estimate, paired
from docaxis_sim.capacity.study import Check, Difference, Replication, Series, Table

SHARED: Final = ("seed", "replications", "confidence")
"""What the first scenario decides for both."""


class Side(NamedTuple):
    """One of the two by itself: its replications, and, where they were wanted, its tables and series together."""

    replications: tuple[Replication, ...]
    tables: dict[str, Table]
    series: dict[str, Series]


class Comparison(NamedTuple):
    """Two scenarios side by side. `same_arrivals`: in every replication both were given the same documents at the same
    moments, which makes intervals narrow. `sides`: a and b each by itself. `unused`: the words of `SHARED` of which
    the second scenario says something else, which is not used."""

    a: Scenario
    b: Scenario
    replications: int
    same_arrivals: bool
    births: tuple[tuple[str, str], ...]
    differences: tuple[Difference, ...]
    checks: tuple[Check, ...]
    sides: tuple[Side, Side]
    unused: tuple[str, ...] = ()


def run(
    a: Scenario,
    b: Scenario,
    runner: Runner,
    engine: str = "",
    done: Callable[[Replication], None] | None = None,
    progress: Progress | None = None,
    slim: bool = True,
) -> Comparison:
    """Both, replication by replication, with the first one's seed; `slim`: without their tables and series. Raises what
    the runner raises."""
    unused = tuple(word for word in SHARED if getattr(a.experiment, word) != getattr(b.experiment, word))
    b = b._replace(experiment=b.experiment._replace(seed=a.experiment.seed))
    count = a.experiment.replications
    jobs = [Job(each, number, engine, slim) for number in range(1, count + 1) for each in (a, b)]
    found = runner.carry(jobs, done, progress)
    return comparison(a, b, found[::2], found[1::2])._replace(unused=unused)


def change(each: Difference) -> str:
    """The difference as people read it; in words where there is no number on one side."""
    if isfinite(each.difference.mean):
        return spelling.figure(each.difference, about(each.metric).unit)
    a, b = isinf(each.a.mean), isinf(each.b.mean)
    return spelling.NOTHING if a == b else "becomes never" if b else "was never"


def csv_text(found: Comparison) -> str:
    """Every figure of both, and what lies between, a line each; a half-width that nobody knows is empty."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    sides = ("a", "b", "difference")
    ends = [word for side in sides for word in (side, f"{side}_half_width")]
    out.writerow(["metric", "unit", *ends, "replications", "sure"])
    for each in found.differences:
        figures = [word for side in (each.a, each.b, each.difference) for word in _written(side)]
        out.writerow([each.metric, about(each.metric).unit, *figures, found.replications, int(each.sure)])
    return text.getvalue()


def _written(found: Interval) -> tuple[str, str]:
    return repr(found.mean), repr(found.half_width) if isfinite(found.half_width) else ""


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
    differences = tuple(difference(name, of_a, of_b, confidence) for name in names)
    checks = tuple(check for each in of_a + of_b for check in each.measures.checks)
    sides = (_side(of_a, confidence), _side(of_b, confidence))
    return Comparison(a, b, len(of_a), same, births, differences, checks, sides)


def _side(found: Sequence[Replication], confidence: float) -> Side:
    measures = [each.measures for each in found]
    tables = combine.tables([each.tables for each in measures], confidence)
    return Side(tuple(found), tables, combine.series([each.series for each in measures]))


def differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What two scenarios as they were read say differently: each field, and what it is in one and in the other; empty
    where one says nothing of it."""
    one, other = dict(_said(a, "")), dict(_said(b, ""))
    fields = list(dict.fromkeys([*one, *other]))
    return [(field, one.get(field, ""), other.get(field, "")) for field in fields if one.get(field) != other.get(field)]


def _said(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Every field below an address with its value as text; elements of a list by their names, if they have any."""
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _said(inside, f"{at}.{key}".lstrip("."))
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) and "name" in each for each in value):
        for each in value:
            yield from _said(each, f"{at}.{each['name']}")
    else:
        yield at, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def difference(name: str, of_a: Sequence[Replication], of_b: Sequence[Replication], confidence: float) -> Difference:
    """A figure in replications of both, pair by pair."""
    a, b = ([each.measures.metrics[name] for each in some] for some in (of_a, of_b))
    between = paired(a, b, confidence)
    sure = between.low > 0 or between.high < 0 if isfinite(between.mean) else all_one_way(a, b, confidence)
    return Difference(name, estimate(a, confidence), estimate(b, confidence), between, sure)
