"""Tables of a study as tables of a page: which columns are shown, under which heading, spelled how.

One list per table; a table without a list is shown whole, as its columns' names suggest. Nothing here computes.
"""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any, Final, NamedTuple

from docaxis_sim.capacity.statistics import Interval
from docaxis_sim.capacity.study import Table
from docaxis_sim.report import charts
from docaxis_sim.report.html import Column, table
from docaxis_sim.report.scales import spell


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
    "latency": (
        Shown("name", "documents", "text"),
        Shown("count", "deliveries", "number"),
        Shown("p50_s", "half within", "time"),
        Shown("p95_s", "95 of 100", "time"),
        Shown("p99_s", "99 of 100", "time"),
        Shown("max_s", "slowest", "time"),
        Shown("mean_s", "mean", "time"),
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
    """A table of the study by its name; `search` adds a filter."""
    wanted = SHOWN.get(name) or tuple(
        Shown(each, each.replace("_", " "), _guess(each, found)) for each in found.columns
    )
    wanted = tuple(each for each in wanted if each.name in found.columns)
    columns = [Column(each.heading, "markup" if each.kind == "bar" else each.kind) for each in wanted]
    cells = [_cells(each.kind, found.columns[each.name]) for each in wanted]
    return table(
        [column._replace(kind="text") if column.kind == "station" else column for column in columns],
        list(zip(*cells, strict=True)),
        f"{name}-table",
        search,
    )


def busiest(nodes: Table, most: int) -> Table:
    """The rows of the nodes with the busiest stations."""
    kinds = [each for each in STATIONS if each in nodes.columns]
    busy = [max(values) for values in zip(*(_numbers(nodes.columns[kind]) for kind in kinds), strict=True)]
    order = sorted(range(len(busy)), key=lambda row: -busy[row])[:most]
    kept: dict[str, Any] = {name: tuple(values[row] for row in order) for name, values in nodes.columns.items()}
    return Table(kept, nodes.about)


def interval(found: Interval, kind: str) -> str:
    """A mean with its half-width; ± ? where one replication cannot tell."""
    if not isfinite(found.mean):
        return spell(found.mean, kind)
    width = spell(found.half_width, kind) if isfinite(found.half_width) else "?"
    return f"{spell(found.mean, kind)} ± {width}"


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


def _cells(kind: str, values: Iterable[Any]) -> Sequence[object]:
    if kind == "bar":
        return [charts.bar(float(value), spell(float(value), "share")) for value in values]
    if kind == "station":
        return [STATIONS.get(str(value), str(value)) for value in values]
    return [value if isinstance(value, str) else float(value) for value in values]


def _numbers(values: Iterable[Any]) -> list[float]:
    return [float(value) for value in values]
