"""Sweep: fields of a scenario varied over a grid, every point with the same replications, and what came of each.

Every point meets the same chance as every other (common random numbers), so that neighbours differ by the field and
not by luck. Nothing here prints.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

from docaxis_sim.capacity.experiment import estimates_of, look_up, replications, verdict
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.runner import Job, Progress, Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.statistics import Interval
from docaxis_sim.capacity.study import Replication, Verdict
from docaxis_sim.capacity.units import DURATION, RATE, SIZE, share

POINTS_MAX: Final = 10_000
"""More points than anybody reads are a slip of the pen."""

_RANGE: Final = re.compile(
    r"\s*([-+0-9.eE]+)\s*(\S*)\s*\.\.\s*([-+0-9.eE]+)\s*(\S*)\s*:\s*(x?)\s*([-+0-9.eE]+)\s*(\S*)\s*"
)


class BadRange(ValueError):
    """Values to vary over that cannot be meant; says how they are written."""


class Axis(NamedTuple):
    """A field and the values that it takes, as text."""

    field: str
    values: tuple[str, ...]


class Outcome(NamedTuple):
    """One point of the grid: what the fields were, and what came of it."""

    values: tuple[str, ...]
    scenario: Scenario
    replications: tuple[Replication, ...]
    estimates: dict[str, Interval]
    verdicts: tuple[Verdict, ...]


def axis(text: str) -> Axis:
    """Reads ``load=1,2,4``, ``load=1..10:1``, ``nodes.commune.uplink=1 Mbit/s..8 Mbit/s:1 Mbit/s`` or, each the double
    of the one before, ``load=1..64:x2``; raises `BadRange`."""
    field, equals, values = text.partition("=")
    if not equals or not field.strip() or not values.strip():
        raise BadRange(f"{text!r}: write FIELD=A,B,C or FIELD=FIRST..LAST:STEP, such as load=1,2,4 or load=1..10:1")
    found = _RANGE.fullmatch(values)
    listed = tuple(value.strip() for value in values.split(",")) if not found else tuple(_ranged(text, found))
    if not all(listed):
        raise BadRange(f"{text!r}: a value is missing between two commas")
    return Axis(field.strip(), listed)


def _ranged(text: str, found: re.Match[str]) -> Iterator[str]:
    first, unit, last, unit_last, times, step, unit_step = found.groups()
    units = {each for each in (unit, unit_last, unit_step) if each}
    if len(units) > 1:
        raise BadRange(f"{text!r}: one unit for the first, the last and the step, found {', '.join(sorted(units))}")
    try:
        value, end, by = Fraction(first), Fraction(last), Fraction(step)
    except ValueError as error:
        raise BadRange(f"{text!r}: a range goes from a number to a number: {error}") from error
    if value > end or by <= (1 if times else 0) or (times and value <= 0):
        raise BadRange(f"{text!r}: a range goes upwards, by a step above 0 or a factor (x2) above 1")
    name = f" {units.pop()}" if units else ""
    for _ in range(POINTS_MAX):
        if value > end:
            return
        yield f"{float(value):.15g}{name}"
        value = value * by if times else value + by
    raise BadRange(f"{text!r}: more than {POINTS_MAX:,} values")


def amounts(values: Sequence[str]) -> list[float] | None:
    """What some values are as numbers, in one unit, so that they have places along an axis; None for words."""
    for read in (RATE.read, SIZE.read, DURATION.read, share, float):
        try:
            return [float(read(value)) for value in values]
        except ValueError:
            continue
    return None


def points(axes: Sequence[Axis]) -> list[tuple[str, ...]]:
    """Every combination, the last field running fastest; raises `BadRange`."""
    fields = [each.field for each in axes]
    if len(set(fields)) < len(fields):
        raise BadRange(f"a field is varied twice: {', '.join(sorted({f for f in fields if fields.count(f) > 1}))}")
    grid = list(product(*(each.values for each in axes)))
    if len(grid) > POINTS_MAX:
        raise BadRange(f"{len(grid):,} points; at most {POINTS_MAX:,}")
    return grid


def scenarios(path: Path | str, axes: Sequence[Axis], overrides: Mapping[str, object]) -> list[Scenario]:
    """The scenario at every point, each of them checked; raises `BadScenario` and `BadRange`."""
    fields = [each.field for each in axes]
    return [load(path, {**overrides, **dict(zip(fields, values, strict=True))}) for values in points(axes)]


def run(
    axes: Sequence[Axis],
    grid: Sequence[Scenario],
    runner: Runner,
    engine: str = "",
    done: Callable[[Replication], None] | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """All points, as many replications side by side as the runner takes; raises what the runner raises."""
    for scenario in grid:
        look_up([each.metric for each in scenario.expect], scenario)
    if any(scenario.experiment.precise_metric for scenario in grid):
        found = [replications(scenario, runner, engine, done, progress, slim=True) for scenario in grid]
    else:
        jobs = [Job(each, number, engine, True) for each in grid for number in _numbers(each)]
        ended = iter(runner.carry(jobs, done, progress))
        found = [[next(ended) for _ in _numbers(each)] for each in grid]
    return [outcome(*each) for each in zip(points(axes), grid, found, strict=True)]


def _numbers(scenario: Scenario) -> range:
    return range(1, 1 + scenario.experiment.replications)


def outcome(values: tuple[str, ...], scenario: Scenario, found: Sequence[Replication]) -> Outcome:
    """What the replications of one point say together."""
    estimates = estimates_of(found, scenario.experiment.confidence)
    verdicts = tuple(verdict(each, estimates) for each in scenario.expect)
    return Outcome(values, scenario, tuple(found), estimates, verdicts)
