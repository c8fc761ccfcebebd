"""The page of a study: what was asked and answered first, then where it hurts, then everything that repeats it.

Takes a study's figures as they are and computes none; how a chart or a table is made is in the modules beside it.
"""

import json
import shlex
from collections.abc import Callable, Sequence
from math import log
from pathlib import Path
from typing import Final

from docaxis_sim.capacity.model import Expectation
from docaxis_sim.capacity.plan import SECOND_NS
from docaxis_sim.capacity.statistics import Interval
from docaxis_sim.capacity.study import Check, Series, Study, Table
from docaxis_sim.report import charts, svg
from docaxis_sim.report.charts import Line, Span
from docaxis_sim.report.html import Column, Section, page, paragraph, table
from docaxis_sim.report.places import section as map_section
from docaxis_sim.report.scales import Axis, spell
from docaxis_sim.report.tables import busiest, interval, kind_of, shown

CARDS: Final = (
    ("offered_per_s.busiest_hour", "offered per second, busiest hour"),
    ("carried_per_s.busiest_hour", "carried per second, busiest hour"),
    ("latency.arrived.p50_s", "half have arrived after · đã đến"),
    ("latency.arrived.p99_s", "99 of 100 after"),
    ("expired", "expired · quá hạn"),
    ("lost", "lost · thất lạc"),
)
CHARTS: Final = (
    ("rates", "Documents per second", Axis("", "number")),
    ("under_way", "Documents under way", Axis("", "number")),
    ("age_oldest_s", "Age of the oldest document under way", Axis("", "time")),
    ("utilisation", "Busiest station of each kind", Axis("", "share", low=0.0)),
)
CURVES_MAX: Final = 8
NODES_SHOWN: Final = 100
ROWS_HEAT_MAX: Final = 63


def write(folder: Path, study: Study) -> Path:
    """Writes ``index.html`` into `folder` (made if missing) and returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_text(render(study), encoding="utf-8")
    return path


def render(study: Study) -> str:
    """The whole page as text."""
    scenario = study.scenario
    makers: Sequence[tuple[str, str, Callable[[Study], str]]] = (
        ("answer", "Goals", _goals),
        ("places", "Map", map_section),
        ("time", "Through the day", _through_the_day),
        ("latency", "How long it took", _latency),
        ("bottlenecks", "Bottlenecks", _bottlenecks),
        ("failures", "Failures", _failures),
        ("executors", "Three executors", _executors),
        ("figures", "All figures", _figures),
        ("checks", "Checks", _checks),
        ("repeat", "Repeat it", _repeat),
    )
    made = [Section(name, heading, body) for name, heading, make in makers if (body := make(study))]
    subtitle = " · ".join(part for part in (scenario.name_vi, scenario.path.name) if part)
    return page(scenario.name, subtitle, paragraph(scenario.question) + _cards(study), made)


def _cards(study: Study) -> str:
    cards = [
        f"<div>{_card(study.estimates[name], kind_of(name))}<span>{svg.escape(words)}</span></div>"
        for name, words in CARDS
        if name in study.estimates
    ]
    return f'<div class="cards">{"".join(cards)}</div>'


def _card(found: Interval, kind: str) -> str:
    mean, _, width = interval(found, kind).partition(" ± ")
    return f"<b>{svg.escape(mean)}</b>" + (f"<i>± {svg.escape(width)}</i><br>" if width else "")


def _goals(study: Study) -> str:
    if not study.verdicts:
        return ""
    rows = [
        (
            _verdict(verdict.held),
            _goal(verdict.expectation),
            interval(verdict.found, kind_of(verdict.expectation.metric)),
        )
        for verdict in study.verdicts
    ]
    columns = [Column("", "markup"), Column("goal · mục tiêu"), Column("found")]
    return table(columns, rows) + paragraph(
        "A goal is held only if the unfavourable end of the interval meets it.", "pale"
    )


def _verdict(held: bool) -> str:
    return '<b class="held">✓ held</b>' if held else '<b class="broken">✗ not held</b>'


def _goal(expectation: Expectation) -> str:
    return f"{expectation.metric} {expectation.sign} {spell(expectation.value, kind_of(expectation.metric))}"


def _through_the_day(study: Study) -> str:
    spans = _spans(study.tables.get("failures"))
    parts = [
        f"<h3>{svg.escape(heading)}</h3>" + _series(study.series[name], heading, axis, spans)
        for name, heading, axis in CHARTS
        if name in study.series
    ]
    queues = study.series.get("queue_by_province")
    if queues is not None:
        parts.append("<h3>Documents under way, province by province</h3>" + _heat(queues))
    return "".join(parts)


def _series(series: Series, heading: str, axis: Axis, spans: Sequence[Span]) -> str:
    x = [start_s + series.step_ns / SECOND_NS / 2 for start_s in _starts_s(series)]
    lines = [Line(label, x, row.tolist()) for label, row in zip(series.labels, series.values, strict=True)][:CURVES_MAX]
    return charts.chart(lines, Axis("time of day", "clock"), axis, spans, heading) + paragraph(series.about, "pale")


def _starts_s(series: Series) -> list[float]:
    """When each of its bins begins, in seconds after the first midnight."""
    return [(series.start_ns + place * series.step_ns) / SECOND_NS for place in range(series.values.shape[1])]


def _spans(failures: Table | None) -> list[Span]:
    if failures is None:
        return []
    columns = failures.columns
    return [
        Span(str(name), float(start), float(end))
        for name, start, end in zip(columns["name"], columns["from_s"], columns["until_s"], strict=True)
    ]


def _heat(series: Series) -> str:
    starts = _starts_s(series)
    order = sorted(range(len(series.labels)), key=lambda row: -float(series.values[row].max(initial=0.0)))
    rows = order[:ROWS_HEAT_MAX]
    most = max(float(series.values.max(initial=0.0)), 1.0)

    def shade(value: float) -> int:
        """Logarithmic: a tenth of the most is half the depth."""
        return 0 if value < 0.5 else max(1, min(charts.SHADES - 1, round((charts.SHADES - 1) * _log_part(value, most))))

    names = [series.labels[row] for row in rows]
    return charts.heat_map(names, starts, [series.values[row].tolist() for row in rows], "number", shade)


def _log_part(value: float, most: float) -> float:
    return log(1 + 99 * value / most) / log(100)


def _latency(study: Study) -> str:
    parts = []
    curves = study.tables.get("ecdf")
    if curves is not None:
        lines = _long_lines(curves, "name")
        parts.append(
            charts.chart(
                lines, Axis("from submission to arrived · đã đến", "time", log=True), Axis("", "share", low=0.0,
                high=1.0), label="distribution of latencies",
            )
            + paragraph(curves.about, "pale")
        )  # fmt: skip
    if "latency" in study.tables:
        parts.append(shown("latency", study.tables["latency"]))
    return "".join(parts)


def _long_lines(long: Table, name: str) -> list[Line]:
    """One curve per name of a table in long form, in the order in which the names appear."""
    columns = long.columns
    points: dict[str, tuple[list[float], list[float]]] = {}
    for label, x, y in zip(columns[name], columns["latency_s"], columns["share"], strict=True):
        xs, ys = points.setdefault(str(label), ([], []))
        xs.append(float(x))
        ys.append(float(y))
    return [Line(label, xs, ys) for label, (xs, ys) in points.items()][:CURVES_MAX]


def _bottlenecks(study: Study) -> str:
    found = study.tables.get("bottlenecks")
    body = shown("bottlenecks", found) + paragraph(found.about, "pale") if found is not None else ""
    stations = study.tables.get("stations")
    return body + ("<h3>All stations</h3>" + shown("stations", stations) if stations is not None else "")


def _failures(study: Study) -> str:
    found = study.tables.get("failures")
    return shown("failures", found) if found is not None and len(found.columns["name"]) else ""


def _executors(study: Study) -> str:
    if study.executors is None:
        return ""
    lines = _long_lines(study.executors, "executor")
    drawn = charts.chart(
        lines, Axis("from submission to arrived", "time", log=True), Axis("", "share", low=0.0, high=1.0),
        label="the same documents through each executor",
    )  # fmt: skip
    return drawn + paragraph(study.executors.about)


def _figures(study: Study) -> str:
    rows = [(name, interval(found, kind_of(name)), found.n) for name, found in sorted(study.estimates.items())]
    columns = [Column("figure"), Column("mean ± half-width"), Column("replications", "number")]
    confidence = next((found.confidence for found in study.estimates.values()), 0.95)
    words = f"Half-widths are of {confidence:.0%} Student intervals over independent replications."
    nodes = study.tables.get("nodes")
    body = _folded("every figure with its interval", table(columns, rows, "figures-table", search=True))
    if nodes is not None:
        body += _folded("the hundred busiest nodes", shown("nodes", busiest(nodes, NODES_SHOWN), search=True))
    return paragraph(words, "pale") + body


def _folded(words: str, body: str) -> str:
    return f"<details><summary>{svg.escape(words)}</summary>{body}</details>"


def _checks(study: Study) -> str:
    rows = [(_verdict(check.held), check.name, _checked(check), check.detail) for check in study.checks]
    columns = [Column("", "markup"), Column("check"), Column("measured / allowed"), Column("what")]
    return table(columns, rows) + "".join(paragraph(note) for note in study.notes) if rows else ""


def _checked(check: Check) -> str:
    return f"{check.measured:.3g} / {check.allowed:.3g}"


def _repeat(study: Study) -> str:
    made = study.provenance
    engines = sorted({each.engine for each in study.replications})
    seeds = f"seed {study.scenario.experiment.seed}, replications {[each.number for each in study.replications]}"
    facts = [
        ("command", made.command or shlex.join(["docaxis", "simulate", "run", str(study.scenario.path)])),
        ("random numbers", seeds),
        ("scenario", f"SHA-256 {study.scenario.digest}"),
        ("arrivals", ", ".join(sorted({each.births[:16] for each in study.replications}))),
        ("engine", ", ".join(engines)),
        ("versions", ", ".join(f"{name} {version}" for name, version in made.versions.items())),
        ("machine", made.machine),
        ("took", f"{spell(study.wall_seconds, 'time')}, of which {_engine_time(study)} in the engine"),
    ]
    rows = table([Column("what"), Column("value")], facts)
    raw = json.dumps(study.scenario.raw, indent=1, ensure_ascii=False, default=str)
    calibration = json.dumps(made.calibration, indent=1, ensure_ascii=False, default=str)
    return (
        rows
        + _folded("the scenario as it was read", f"<pre>{svg.escape(raw)}</pre>")
        + _folded("where the service times come from", f"<pre>{svg.escape(calibration)}</pre>")
    )


def _engine_time(study: Study) -> str:
    return spell(sum(each.engine_seconds for each in study.replications), "time")
