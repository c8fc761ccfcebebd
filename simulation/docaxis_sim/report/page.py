"""The page of a study: what was asked and answered first, then where it hurts, then everything that repeats it.

Takes a study's figures as they are and computes none; how a chart or a table is made is in the modules beside it.
"""

import shlex
from collections.abc import Callable, Sequence
from math import isfinite, log
from pathlib import Path
from typing import Final

from docaxis_sim.capacity import spelling
from docaxis_sim.capacity.plan import SECOND_NS
from docaxis_sim.capacity.spelling import NO_BOTTLENECK
from docaxis_sim.capacity.study import Series, Study, Table
from docaxis_sim.report import charts, parts, svg
from docaxis_sim.report.charts import Line, Span
from docaxis_sim.report.html import Cell, Column, Section, page, paragraph, save, table
from docaxis_sim.report.places import section as map_section
from docaxis_sim.report.plots import Ratio, forest, heading, times
from docaxis_sim.report.ratios import ratio
from docaxis_sim.report.scales import Axis, spell
from docaxis_sim.report.tables import STATIONS, busiest, latencies, made_of, metric, shown

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
ROWS_HEAT_MAX: Final = 100


def write(folder: Path, study: Study) -> Path:
    """Writes ``index.html`` into `folder` (made if missing) and returns its path."""
    return save(folder, render(study))


def render(study: Study) -> str:
    """The whole page as text."""
    scenario = study.scenario
    makers: Sequence[tuple[str, str, Callable[[Study], str]]] = (
        ("answer", "Goals", lambda found: parts.goals(found.verdicts)),
        ("places", "Map", map_section),
        ("time", "Through the day", _through_the_day),
        ("latency", "How long it took", _latency),
        ("bottlenecks", "Bottlenecks", _bottlenecks),
        ("failures", "Failures", _failures),
        ("sensitivity", "What it hangs on", _sensitivity),
        ("executors", "Three executors", _executors),
        ("figures", "All figures", _figures),
        ("checks", "Checks", lambda found: parts.checks(found.checks)),
        ("repeat", "Repeat it", _repeat),
    )
    made = [Section(name, heading, body) for name, heading, make in makers if (body := make(study))]
    subtitle = " · ".join(part for part in (scenario.name_vi, scenario.path.name) if part)
    intro = paragraph(scenario.question) + _cards(study) + paragraph(_how(study), "pale") + parts.notes(study.notes)
    return page(scenario.name, subtitle, intro, made)


def _cards(study: Study) -> str:
    return parts.cards((metric(name, study.estimates[name]), words) for name, words in CARDS if name in study.estimates)


def _how(study: Study) -> str:
    """What every figure is of."""
    scenario = study.scenario
    days = "1 day" if scenario.days == 1 else f"{scenario.days} days"
    return f"{days} of the whole network. {made_of(len(study.replications), scenario.experiment.confidence)}"


def _through_the_day(study: Study) -> str:
    spans = _spans(study.tables.get("failures"))
    drawn = [
        f"<h3>{svg.escape(heading)}</h3>" + _series(study.series[name], heading, axis, spans)
        for name, heading, axis in CHARTS
        if name in study.series
    ]
    queues = study.series.get("queue_by_province")
    if queues is not None:
        drawn.append("<h3>Agency by agency</h3>" + _heat(queues))
    return "".join(drawn)


def _series(series: Series, heading: str, axis: Axis, spans: Sequence[Span]) -> str:
    lines = series_lines(series)[:CURVES_MAX]
    drawn = charts.chart(lines, Axis("time of day", "clock"), axis, spans, heading)
    return drawn + paragraph(f"{series.about} {spread_of(series)}", "pale")


def series_lines(series: Series) -> list[Line]:
    """A curve for each row, with its band where there are several replications."""
    x = [start_s + series.step_ns / SECOND_NS / 2 for start_s in _starts_s(series)]
    none: Sequence[Sequence[float]] = [()] * len(series.labels)
    low, high = (none if bound is None else bound.tolist() for bound in (series.low, series.high))
    return [
        Line(STATIONS.get(label, label), x, row.tolist(), least, most)
        for label, row, least, most in zip(series.labels, series.values, low, high, strict=True)
    ]


def spread_of(series: Series) -> str:
    """What the curves are of, and what the bands around them."""
    if series.replications == 1:
        return "Of one replication alone."
    return f"Lines: means of {series.replications} replications; bands: from the least to the most of them."


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
    peaks = series.values.max(axis=1, initial=0.0)
    order = sorted((row for row in range(len(peaks)) if peaks[row] >= NOTHING_THERE), key=lambda row: -peaks[row])
    rows = order[:ROWS_HEAT_MAX]
    most = max(float(peaks.max(initial=0.0)), 1.0)

    def shade(value: float) -> int:
        """Logarithmic: a tenth of the most is half the depth."""
        depth = round((charts.SHADES - 1) * _log_part(value, most))
        return 0 if value < NOTHING_THERE else max(1, min(charts.SHADES - 1, depth))

    names = [series.labels[row] for row in rows]
    drawn = charts.heat_map(names, starts, [series.values[row].tolist() for row in rows], "number", shade)
    left = f"{len(rows)} of {len(peaks)}, the highest peaks first; " if len(rows) < len(peaks) else ""
    quiet = "at the others there was hardly ever anything. " if len(rows) == len(order) < len(peaks) else ""
    how = "Of one replication alone." if series.replications == 1 else f"Means of {series.replications} replications."
    words = f"{series.about} {left}{quiet}{how} A pointer that rests on a row reads its peak."
    return drawn + paragraph(words, "pale")


NOTHING_THERE: Final = 0.5
"""Of a mean number of visits."""


def _log_part(value: float, most: float) -> float:
    return log(1 + 99 * value / most) / log(100)


def _latency(study: Study) -> str:
    curves = study.tables.get("ecdf")
    drawn = ""
    if curves is not None:
        words = "" if curves.replications == 1 else " Bands: the interval of the time within which each share arrived."
        how = made_of(curves.replications, curves.confidence)
        drawn = distribution(curve_lines(curves, "name"), "distribution of latencies")
        drawn += paragraph(f"{curves.about} {how}{words}", "pale")
    return drawn + latencies(study)


def distribution(lines: Sequence[Line], label: str) -> str:
    """Shares that had arrived after so long."""
    across = Axis("from submission to arrived · đã đến", "time", log=True)
    return charts.chart(lines, across, Axis("", "share", low=0.0, high=1.0), label=label)


def curve_lines(long: Table, name: str) -> list[Line]:
    """One curve per name of a table in long form, in the order in which the names appear."""
    columns = long.columns
    curves: dict[str, list[tuple[float, ...]]] = {}
    for label, x, y in zip(columns[name], long.intervals("latency_s"), columns["share"], strict=True):
        apart = x.half_width if isfinite(x.half_width) else 0.0
        curves.setdefault(str(label), []).append((x.mean, float(y), x.mean - apart, x.mean + apart))
    lines = []
    for label, places in curves.items():
        across, up, left, right = (list(values) for values in zip(*places, strict=True))
        band = (left, right) if long.replications > 1 else ((), ())
        lines.append(Line(label, across, up, left=band[0], right=band[1]))
    return lines[:CURVES_MAX]


def _bottlenecks(study: Study) -> str:
    found = study.tables.get("bottlenecks")
    body = "" if found is None else shown("bottlenecks", found)
    if found is not None and not found.columns["node"]:
        body = paragraph(NO_BOTTLENECK)
    stations = study.tables.get("stations")
    return body + ("<h3>All stations</h3>" + shown("stations", stations) if stations is not None else "")


def _failures(study: Study) -> str:
    found = study.tables.get("failures")
    return shown("failures", found) if found is not None and len(found.columns["name"]) else ""


def _sensitivity(study: Study) -> str:
    """Each figure with what it becomes where an input is half or twice as much."""
    rows: list[Ratio] = []
    still = []
    for name in dict.fromkeys(each.metric for found in study.variations for each in found.differences):
        moved = [(found, each) for found in study.variations for each in found.differences if each.metric == name]
        if not any(each.difference.mean for _, each in moved):
            still.append(name)
            continue
        rows.append(heading(name, metric(name, study.estimates[name])))
        rows += [ratio(each, f"{found.field.replace('_', ' ')} {times(found.factor)}", alone=True)
                 for found, each in moved]  # fmt: skip
    words = (
        "Each figure as a multiple of what it is in this answer, where every time that was measured on nodes, or every "
        "volume, is half or twice as much; the same days, in pairs. Filled: sure to differ. What hardly moves does not "
        "hang on it."
    )
    if still:
        words += f" Nothing of this moved: {', '.join(still)}."
    return forest(rows, "what the answer hangs on") + paragraph(words, "pale") if rows else ""


def _executors(study: Study) -> str:
    if study.executors is None:
        return ""
    drawn = distribution(curve_lines(study.executors, "executor"), "the same documents through each executor")
    return drawn + paragraph(f"{study.executors.about} From replication {study.replications[0].number}.")


def _figures(study: Study) -> str:
    rows = [
        (name, Cell(svg.escape(metric(name, found)), found.mean), found.n)
        for name, found in sorted(study.estimates.items())
    ]
    columns = [Column("figure"), Column("mean ± half-width", "number"), Column("replications", "number")]
    confidence = next((found.confidence for found in study.estimates.values()), 0.95)
    words = f"Half-widths are of {spelling.percent(confidence)} Student intervals over independent replications."
    nodes = study.tables.get("nodes")
    body = parts.folded("every figure with its interval", table(columns, rows, "figures-table", search=True))
    if nodes is not None:
        body += parts.folded("the hundred busiest nodes", shown("nodes", busiest(nodes, NODES_SHOWN), search=True))
    return paragraph(words, "pale") + body


def _repeat(study: Study) -> str:
    made, scenario = study.provenance, study.scenario
    command = made.command or shlex.join(["docaxis", "simulate", "run", str(scenario.path)])
    engine_seconds = sum(each.engine_seconds for each in study.replications)
    took = f"{spell(study.wall_seconds, 'time')}, of which {spell(engine_seconds, 'time')} in the engine"
    facts = [*parts.runs(scenario, study.replications), ("took", took)]
    return parts.repeat(facts, made._replace(command=command), {"": scenario})
