"""Tables of a study as tables of a page: which columns are shown, under which heading, spelled how, and how sure.

One list per table; a table without a list is shown whole, as its columns' names suggest. Nothing here computes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from docaxis_sim.capacity import spelling
from docaxis_sim.capacity.latency import endings
from docaxis_sim.capacity.metrics import about
from docaxis_sim.capacity.statistics import Interval
from docaxis_sim.capacity.study import NO_LATENCY, Study, Table
from docaxis_sim.report import charts, svg
from docaxis_sim.report.html import Cell, Column, paragraph, table
from docaxis_sim.report.scales import spell

UNITS: Final[Mapping[str, str]] = {"time": "s", "share": "share", "bar": "share", "bytes": "bytes"}
"""What the kinds of columns are called in the table of metrics."""


class Shown(NamedTuple):
    """A column that is shown: its name in the study, its heading, and its kind as in `scales.spell`, or ``bar`` for a
    busy share with a bar, or ``station`` for a kind of station."""

    name: str
    heading: str
    kind: str


STATIONS: Final = {"up": "line out", "down": "line in", "loop": "processor", "disk": "disk"}
SHOWN: Final[dict[str, tuple[Shown, ...]]] = {
    "bottlenecks": (
        Shown("node", "node", "text"),
        Shown("name", "name", "text"),
        Shown("station", "station", "station"),
        Shown("busy", "busy in its busiest hour", "bar"),
        Shown("wait_s", "mean wait", "time"),
        Shown("waiting_s", "all waits together", "time"),
        Shown("waiting_share", "of all waiting", "share"),
        Shown("documents_delayed", "documents held up", "number"),
    ),
    "stations": (
        Shown("tier", "tier", "text"),
        Shown("station", "station", "station"),
        Shown("count", "how many", "number"),
        Shown("mean", "busy, mean", "share"),
        Shown("p95", "95 of 100 below", "share"),
        Shown("max", "busiest", "bar"),
    ),
    "failures": (
        Shown("name", "failure", "text"),
        Shown("from_s", "from", "clock"),
        Shown("until_s", "until", "clock"),
        Shown("nodes", "nodes", "number"),
        Shown("documents_waited", "documents that waited", "number"),
        Shown("drain_s", "back to normal after", "time"),
    ),
    "nodes": (
        Shown("id", "node", "text"),
        Shown("name", "name", "text"),
        Shown("tier", "tier", "text"),
        Shown("documents", "documents", "number"),
        Shown("up", "line out", "bar"),
        Shown("down", "line in", "bar"),
        Shown("loop", "processor", "bar"),
        Shown("disk", "disk", "bar"),
        Shown("wait_s", "mean wait", "time"),
        Shown("stored_bytes", "stored", "bytes"),
    ),
}


def shown(name: str, found: Table, search: bool = False) -> str:
    """A table of the study by its name, and a caption that says what its figures are of; `search` adds a filter."""
    wanted = SHOWN.get(name) or tuple(
        Shown(each, each.replace("_", " "), _guess(each, found)) for each in found.columns
    )
    wanted = tuple(each for each in wanted if each.name in found.columns)
    columns = [Column(each.heading, _HEADED.get(each.kind, each.kind)) for each in wanted]
    cells = [_cells(each, found) for each in wanted]
    drawn = table(columns, list(zip(*cells, strict=True)), f"{name}-table", search)
    return drawn + paragraph(f"{found.about} {made_of(found.replications, found.confidence)}", "pale")


_HEADED: Final[Mapping[str, str]] = {"bar": "markup", "station": "text"}


def made_of(replications: int, confidence: float) -> str:
    """How figures came about, and what stands behind ±."""
    if replications == 1:
        return "Of one replication alone: nothing says how far another day would be from it."
    return f"Means of {replications} replications; ± is half of a {spelling.percent(confidence)} interval."


def latencies(study: Study) -> str:
    """How long documents took, by group, each figure with its interval; or that there were none."""
    counts = study.tables.get("latency")
    many = {} if counts is None else dict(zip(counts.columns["name"], counts.intervals("count"), strict=True))
    rows = []
    for name, ending in endings(study.scenario):
        figures = [study.estimates.get(f"latency.arrived.{each}{ending}_s") for each, _ in _STATISTICS]
        if any(figures):
            rows.append((name, _figure(many.get(name), ""), *(_figure(each, "s") for each in figures)))
    headings = [Column("documents"), Column("deliveries", "number"), *(Column(each, "time") for _, each in _STATISTICS)]
    first = study.estimates.get("latency.arrived.p50_s")
    words = "From submission to arrived, by recipient's tier, urgency and class of traffic."
    how = made_of(first.n, first.confidence) if first else ""
    if not rows:
        return paragraph(NO_LATENCY)
    return table(headings, rows, "latency-table") + paragraph(f"{words} {how}", "pale")


_STATISTICS: Final = (
    ("p50", "half within"), ("p95", "95 of 100"), ("p99", "99 of 100"), ("max", "slowest"), ("mean", "mean"),
)  # fmt: skip


def _figure(found: Interval | None, unit: str) -> Cell:
    if found is None:
        return Cell(spelling.NOTHING, float("nan"))
    return Cell(svg.escape(spelling.figure(found, unit)), found.mean)


def busiest(nodes: Table, most: int) -> Table:
    """The rows of the nodes with the busiest stations."""
    kinds = [each for each in STATIONS if each in nodes.columns]
    busy = [max(values) for values in zip(*(_numbers(nodes.columns[kind]) for kind in kinds), strict=True)]
    order = sorted(range(len(busy)), key=lambda row: -busy[row])[:most]
    kept: dict[str, Any] = {name: tuple(values[row] for row in order) for name, values in nodes.columns.items()}
    half_widths: dict[str, Any] = {name: [values[row] for row in order] for name, values in nodes.half_widths.items()}
    return nodes._replace(columns=kept, half_widths=half_widths)


def interval(found: Interval, kind: str) -> str:
    """A mean with its half-width, ±? where one replication cannot tell; moments without."""
    return spell(found.mean, kind) if kind == "clock" else spelling.figure(found, UNITS.get(kind, ""))


def metric(name: str, found: Interval) -> str:
    """A figure by its name, with its half-width and its unit."""
    return spelling.figure(found, about(name).unit)


def kind_of(name: str) -> str:
    """How a metric or a column is spelled, read from the unit that its name ends with."""
    if name.endswith("_s") and not name.endswith("_per_s"):
        return "time"
    if "bytes" in name:
        return "bytes"
    return "share" if name.startswith("utilisation") or name.endswith("share") else "number"


def _guess(name: str, found: Table) -> str:
    first = next(iter(found.columns[name]), "")
    return "text" if isinstance(first, str) else kind_of(name)


def _cells(wanted: Shown, found: Table) -> Sequence[object]:
    column = found.columns[wanted.name]
    if wanted.kind == "station":
        return [STATIONS.get(str(value), str(value)) for value in column]
    if wanted.kind == "text":
        return [str(value) for value in column]
    return [_number(each, wanted.kind) for each in found.intervals(wanted.name)]


def _number(found: Interval, kind: str) -> Cell:
    """Of one replication alone the value stands by itself; the caption says so."""
    words = interval(found if found.n > 1 else found._replace(half_width=0.0), kind)
    return Cell(charts.bar(found.mean, words) if kind == "bar" else svg.escape(words), found.mean)


def _numbers(values: Iterable[Any]) -> list[float]:
    return [float(value) for value in values]
