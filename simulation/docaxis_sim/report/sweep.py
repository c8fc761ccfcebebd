"""The page of a sweep: how each figure goes with what was varied, every figure with its interval, and what repeats it.

Takes a sweep's outcomes as they are and computes none.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from docaxis_sim.capacity import spelling
from docaxis_sim.capacity.model import Expectation
from docaxis_sim.capacity.statistics import Interval
from docaxis_sim.capacity.study import Check, Provenance
from docaxis_sim.capacity.sweep import Axis, Outcome, amounts
from docaxis_sim.report import parts, plots, scales, svg
from docaxis_sim.report.html import Cell, Column, Section, page, paragraph, table
from docaxis_sim.report.plots import Across, Curve, Point, Tick
from docaxis_sim.report.tables import kind_of, made_of, metric

CURVES_MAX: Final = 8
POINTS_WIDE: Final = 12
"""More points than these do not fit beside each other; the CSV has them all."""

EVENLY: Final = 1.5
"""Numbers whose largest step is less than so many times the smallest are equally far apart; others, by their ratios."""


def render(axes: Sequence[Axis], found: Sequence[Outcome], figures: Sequence[str], made: Provenance) -> str:
    """The whole page as text: `figures` are those that are drawn."""
    first = found[0].scenario
    drawn = [name for name in figures if any(name in each.estimates for each in found)]
    bodies = (
        ("goals", "Goals", _goals(axes, found)),
        ("figures", "How it goes", _plots(axes, found, drawn)),
        ("points", "Every point", _points(axes, found, drawn)),
        ("all", "All figures", _all(axes, found)),
        ("checks", "Checks", parts.checks(parts.worst(_every_check(found)))),
        ("repeat", "Repeat it", _repeat(axes, found, made)),
    )
    varied = " × ".join(f"{axis.field}: {', '.join(axis.values)}" for axis in axes)
    how = (
        f"{len(found)} points; every one met the same chance, so that neighbours differ by what was varied and not by "
        f"luck. {made_of(len(found[0].replications), first.experiment.confidence)}"
    )
    intro = paragraph(first.question) + paragraph(f"Varied: {varied}.") + paragraph(how, "pale")
    subtitle = " · ".join(part for part in (first.name_vi, first.path.name, "sweep") if part)
    return page(first.name, subtitle, intro, [Section(*each) for each in bodies if each[2]])


def called(axes: Sequence[Axis], values: Sequence[str]) -> str:
    """A point by its values."""
    return ", ".join(f"{axis.field} = {value}" for axis, value in zip(axes, values, strict=True))


def _goals(axes: Sequence[Axis], found: Sequence[Outcome]) -> str:
    """Each goal of the scenario, and at which points it held."""
    wanted = [each.expectation for each in found[0].verdicts]
    rows = []
    for place, goal in enumerate(wanted):
        words: dict[str, list[str]] = {word: [] for word in _STANDINGS}
        for each in found:
            words[each.verdicts[place].standing].append(" · ".join(each.values))
        rows.append((parts.goal(goal), *(_where(words[word], len(found)) for word in _STANDINGS)))
    columns = [Column("goal · mục tiêu"), *(Column(f"{word} at") for word in _STANDINGS)]
    name = paragraph(f"Points by their values of {' · '.join(axis.field for axis in axes)}.", "pale")
    return table(columns, rows, "goals-table") + name if rows else ""


_STANDINGS: Final = ("held", "undecided", "not held", "not known")


def _where(points: Sequence[str], all_points: int) -> str:
    if len(points) == all_points > 1:
        return f"all {all_points} points"
    return "; ".join(points) or spelling.NOTHING


def _plots(axes: Sequence[Axis], found: Sequence[Outcome], figures: Sequence[str]) -> str:
    along = max(range(len(axes)), key=lambda place: (amounts(axes[place].values) is not None, len(axes[place].values)))
    goals = [each.expectation for each in found[0].verdicts]
    drawn = [_plot(axes, along, found, name, goals) for name in figures]
    curves = len({_others(each, along) for each in found})
    words = "Whiskers: intervals. A triangle at the upper edge: never. Dashed: a goal of the scenario."
    if curves > CURVES_MAX:
        words += f" {CURVES_MAX} of {curves} curves are drawn; the table has all points."
    return parts.pairs(drawn) + paragraph(words, "pale")


def _others(each: Outcome, along: int) -> tuple[str, ...]:
    return each.values[:along] + each.values[along + 1 :]


def _plot(axes: Sequence[Axis], along: int, found: Sequence[Outcome], name: str, goals: Sequence[Expectation]) -> str:
    """One figure against the values of one field; a curve for each choice of the other fields' values."""
    across = _across(axes[along])
    places = dict(zip(axes[along].values, (tick.at for tick in across.ticks), strict=True))
    curves: dict[tuple[str, ...], list[Point]] = {}
    for each in found:
        if name in each.estimates:
            point = _point(places[each.values[along]], each.estimates[name], name, called(axes, each.values))
            curves.setdefault(_others(each, along), []).append(point)
    drawn = [Curve(", ".join(others), points) for others, points in list(curves.items())[:CURVES_MAX]]
    guides = [Tick(goal.value, f"goal {parts.wanted(goal)}")
              for goal in goals if goal.metric == name]  # fmt: skip
    upright = scales.Axis("", kind_of(name))
    chart = plots.points(drawn, across, upright, guides, name)
    caption = f"<b>{svg.escape(name)}</b><br>{svg.escape(parts.meaning(name))}"
    return f"<figure><figcaption>{caption}</figcaption>{chart}</figure>"


def _across(axis: Axis) -> Across:
    """Numbers by their size, or by their ratios where they are far apart; words side by side."""
    numbers = amounts(axis.values)
    if numbers is None:
        return Across(axis.field, [Tick(float(place), value) for place, value in enumerate(axis.values)])
    steps = [abs(b - a) for a, b in pairwise(numbers)]
    ratios = min(numbers) > 0 and len(steps) > 1 and max(steps) > EVENLY * min(steps)
    return Across(axis.field, [Tick(at, words) for at, words in zip(numbers, axis.values, strict=True)], ratios)


def _point(x: float, found: Interval, name: str, at: str) -> Point:
    return Point(x, found.mean, found.low, found.high, f"{at}: {metric(name, found)}")


def _points(axes: Sequence[Axis], found: Sequence[Outcome], figures: Sequence[str]) -> str:
    goals = bool(found[0].verdicts)
    columns = [Column(axis.field, "number" if amounts(axis.values) else "text") for axis in axes]
    columns += [Column(name, "number") for name in figures] + [Column("goals", "markup")] * goals
    rows = [[*_values(axes, each), *(figure(each.estimates.get(name), name) for name in figures),
             *[_held(each)] * goals] for each in found]  # fmt: skip
    return table(columns, rows, "points-table", search=len(found) > POINTS_WIDE)


def _values(axes: Sequence[Axis], each: Outcome) -> list[object]:
    """What a point's fields are, to be sorted by their size."""
    cells: list[object] = []
    for axis, value in zip(axes, each.values, strict=True):
        numbers = amounts(axis.values)
        cells.append(value if numbers is None else Cell(svg.escape(value), numbers[axis.values.index(value)]))
    return cells


def _held(each: Outcome) -> str:
    standings = {verdict.standing for verdict in each.verdicts}
    return parts.standing(next(word for word in ("not held", "not known", "undecided", "held") if word in standings))


def figure(found: Interval | None, name: str) -> Cell:
    """A figure in a table."""
    if found is None:
        return Cell(spelling.NOTHING, float("nan"))
    return Cell(svg.escape(metric(name, found)), found.mean)


def _all(axes: Sequence[Axis], found: Sequence[Outcome]) -> str:
    """Every figure of every point, as long as they fit beside each other."""
    if len(found) > POINTS_WIDE:
        return paragraph("points.csv, beside this page, has every figure of every point with its interval.")
    names = sorted({name for each in found for name in each.estimates})
    columns = [Column("figure"), *(Column(", ".join(each.values), "number") for each in found)]
    rows = [[name, *(figure(each.estimates.get(name), name) for each in found)] for name in names]
    heads = paragraph(f"Columns: {', '.join(axis.field for axis in axes)}.", "pale")
    return parts.folded(
        "every figure of every point with its interval", heads + table(columns, rows, "all", search=True)
    )


def _every_check(found: Sequence[Outcome]) -> list[Check]:
    return [check for each in found for one in each.replications for check in one.measures.checks]


def _repeat(axes: Sequence[Axis], found: Sequence[Outcome], made: Provenance) -> str:
    runs = [one for each in found for one in each.replications]
    digests = [(f"scenario at {', '.join(each.values)}", f"SHA-256 {each.scenario.digest}") for each in found]
    facts = [*parts.runs(found[0].scenario, runs), *digests[: 2 * POINTS_WIDE]]
    return parts.repeat(facts, made, {called(axes, found[0].values): found[0].scenario})
