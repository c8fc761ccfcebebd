"""The page of a comparison: what differs, how sure that is, both beside each other, and what repeats it.

Takes a comparison's figures as they are and computes none but what the eye needs: a difference as a share of the first.
"""

from collections.abc import Sequence
from typing import Final

from docaxis_sim.capacity import compare, spelling
from docaxis_sim.capacity.compare import Comparison
from docaxis_sim.capacity.study import Difference, Provenance, Series, Table
from docaxis_sim.report import charts, parts, plots, svg
from docaxis_sim.report.charts import Line
from docaxis_sim.report.html import Cell, Column, Section, page, paragraph, table
from docaxis_sim.report.page import CHARTS, curve_lines, distribution, series_lines, spread_of
from docaxis_sim.report.ratios import ratio
from docaxis_sim.report.scales import Axis
from docaxis_sim.report.tables import STATIONS, metric

GROUPS_MAX: Final = 6
"""Distributions that are drawn, each with both in it."""

FIELDS_MAX: Final = 12
"""More that two files say differently than these is folded away."""


def render(found: Comparison, figures: Sequence[str], made: Provenance) -> str:
    """The whole page as text: `figures` are those that a planner looks at first."""
    shown = [each for each in found.differences if each.metric in figures]
    bodies = (
        ("inputs", "What was put in differently", _inputs(found)),
        ("differences", "What differs", _forest(found, shown)),
        ("beside", "Beside each other", _beside(found, shown)),
        ("latency", "How long it took", _latency(found)),
        ("time", "Through the day", _through_the_day(found)),
        ("all", "All figures", parts.folded("every figure with its interval", _all(found))),
        ("checks", "Checks", parts.checks(parts.worst(found.checks))),
        ("repeat", "Repeat it", _repeat(found, made)),
    )
    title = found.a.name if found.a.name == found.b.name else f"{found.a.name} · {found.b.name}"
    names = f"A: {found.a.name} ({found.a.path.name}). B: {found.b.name} ({found.b.path.name})."
    intro = paragraph(found.a.question) + paragraph(names) + paragraph(_arrivals(found), "pale")
    return page(title, "comparison · so sánh", intro, [Section(*each) for each in bodies if each[2]])


def _arrivals(found: Comparison) -> str:
    count = "1 replication" if found.replications == 1 else f"{found.replications} replications"
    same = (
        f"Both were given the same documents at the same moments, in all of {count}."
        if found.same_arrivals
        else f"What the two were given differs, too, in some of {count}: intervals are wide."
    )
    unused = f" What B says of its own about {', '.join(found.unused)} is not used." if found.unused else ""
    return f"{same} ± is half of a {spelling.percent(found.a.experiment.confidence)} interval.{unused}"


def _forest(found: Comparison, shown: Sequence[Difference]) -> str:
    rows = [ratio(each, each.metric) for each in sorted(shown, key=lambda each: each.weight, reverse=True)]
    luck = compare.sure_by_luck(shown)
    words = (
        "B as a multiple of A, what differs most surely first; the line is the interval of the difference, taken as a "
        "share of A's mean. Filled: sure, the interval leaves out no difference (or a figure is never on one side too "
        "often for luck). Hollow: a difference that may be luck."
    )
    if luck:
        words += f" Of these {len(shown)} figures about {luck:.1f} would be called sure by luck alone."
    return plots.forest(rows, "differences") + paragraph(words, "pale") if rows else ""


def _beside(found: Comparison, shown: Sequence[Difference]) -> str:
    return _table(shown, "beside") if shown else ""


def _table(differences: Sequence[Difference], name: str) -> str:
    columns = [Column("figure"), Column("what it is"), Column("A", "number"), Column("B", "number"),
               Column("B − A", "number"), Column("sure")]  # fmt: skip
    rows = [
        [each.metric, parts.meaning(each.metric), *(Cell(svg.escape(metric(each.metric, side)), side.mean)
         for side in (each.a, each.b)), Cell(svg.escape(compare.change(each)), each.difference.mean),
         "yes" if each.sure else "no"]
        for each in differences
    ]  # fmt: skip
    return table(columns, rows, f"{name}-table", search=name == "all")


def _all(found: Comparison) -> str:
    words = "differences.csv, beside this page, has them with all their digits."
    return _table(found.differences, "all") + paragraph(words, "pale")


def _inputs(found: Comparison) -> str:
    rows = [
        (field, *(said or "not stated" for said in both))
        for field, *both in compare.differing(found.a.raw, found.b.raw)
    ]
    if not rows:
        return paragraph("Nothing: both say the same.")
    drawn = table([Column("field"), Column("A"), Column("B")], rows, "inputs-table")
    return drawn if len(rows) <= FIELDS_MAX else parts.folded(f"{len(rows)} fields", drawn)


def _latency(found: Comparison) -> str:
    """The distributions of the groups that both have."""
    a, b = ({line.name: line for line in _curves(side.tables)} for side in found.sides)
    drawn = [
        f"<h3>{svg.escape(name)}</h3>" + distribution(_both(a[name], b[name]), name)
        for name in [name for name in a if name in b][:GROUPS_MAX]
    ]
    words = "Share of what was submitted that had arrived within so long; bands: intervals of that time."
    return parts.pairs(drawn) + paragraph(words, "pale") if drawn else ""


def _curves(tables: dict[str, Table]) -> list[Line]:
    return curve_lines(tables["ecdf"], "name") if "ecdf" in tables else []


def _both(a: Line, b: Line) -> list[Line]:
    return [a._replace(name="A", colour=0), b._replace(name="B", colour=1)]


def _through_the_day(found: Comparison) -> str:
    a, b = (side.series for side in found.sides)
    drawn = []
    for name, heading, axis in CHARTS:
        if name in a and name in b:
            drawn += [_pair(heading, axis, one, other) for one, other in _rows(a[name], b[name])]
    words = spread_of(a["rates"]) if "rates" in a else ""
    return parts.pairs(drawn) + paragraph(words, "pale") if drawn else ""


def _rows(a: Series, b: Series) -> list[tuple[Line, Line]]:
    """The curves that both have, in pairs."""
    of_b = {line.name: line for line in series_lines(b)}
    return [(line, of_b[line.name]) for line in series_lines(a) if line.name in of_b]


def _pair(heading: str, axis: Axis, one: Line, other: Line) -> str:
    name = heading if one.name in ("oldest", "all") else f"{heading}: {STATIONS.get(one.name, one.name)}"
    drawn = charts.chart(_both(one, other), Axis("time of day", "clock"), axis, label=name)
    return f"<h3>{svg.escape(name)}</h3>{drawn}"


def _repeat(found: Comparison, made: Provenance) -> str:
    runs = [one for side in found.sides for one in side.replications]
    return parts.repeat(parts.runs(found.a, runs), made, {"A": found.a, "B": found.b})
