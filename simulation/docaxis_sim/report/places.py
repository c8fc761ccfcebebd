"""The map's part of the page: every node in its place, what it is loaded with, what failed, and the worst by number.

Chooses layers, steps of colour and words; drawing is `docaxis_sim.report.country`'s.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from docaxis_sim.capacity.spelling import NO_BOTTLENECK
from docaxis_sim.capacity.study import Study, Table
from docaxis_sim.report import svg
from docaxis_sim.report.country import Layer, Place, country, depths
from docaxis_sim.report.html import paragraph
from docaxis_sim.report.scales import spell
from docaxis_sim.report.tables import STATIONS, interval

SHARES: Final = (0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
WAITS_S: Final = (0.1, 0.3, 1.0, 10.0, 60.0, 600.0, 3600.0)
LAYERS: Final = (
    ("arrived_mean_s", "mean time until a document to it arrived", "time", WAITS_S),
    ("arrived_max_s", "longest time until a document to it arrived", "time", WAITS_S),
    ("wait_s", "mean wait at its stations", "time", WAITS_S),
    ("up", "up link, busiest hour", "share", SHARES),
    ("down", "down link, busiest hour", "share", SHARES),
    ("loop", "processor, busiest hour", "share", SHARES),
    ("disk", "disk, busiest hour", "share", SHARES),
)
AGENCIES: Final = frozenset({"hub", "central", "province"})


def section(study: Study) -> str:
    """The map with its choice of figure and its key; nothing without a table of nodes."""
    nodes = study.tables.get("nodes")
    if nodes is None or not len(nodes.columns["id"]):
        return ""
    columns = nodes.columns
    layers = [
        Layer(name, depths(_floats(columns[column]), steps), _key(kind, steps))
        for column, name, kind, steps in LAYERS
        if column in columns
    ]
    failed = [row for row, value in enumerate(_floats(columns.get("failed", ()))) if value]
    drawn = country(_places(nodes), layers, failed, _worst(study, nodes))
    choices = "".join(
        f'<option value="{number}">{svg.escape(layer.name)}</option>' for number, layer in enumerate(layers)
    )
    keys = "".join(_key_list(number, layer.legend) for number, layer in enumerate(layers))
    words = (
        f"{len(columns['id']):,} nodes. Red rings: failed or cut off at some time. Numbers: the worst bottlenecks, as "
        "in the table below. Colours: means over the replications. Wheel: zoom; drag: move; double click: everything."
    )
    side = (
        f'<label>show <select id="layer">{choices}</select></label>{keys}'
        + paragraph(words, "pale")
        + _regions(nodes)
        + _worst_list(study)
    )
    return f'<div class="country"><div>{drawn}</div><div>{side}</div></div>'


def _places(nodes: Table) -> list[Place]:
    columns = nodes.columns
    names = (columns["name"], columns["tier"], _floats(columns["lat"]), _floats(columns["lon"]))
    words = _words(nodes)
    return [Place(str(n), str(t), y, x, words[row]) for row, (n, t, y, x) in enumerate(zip(*names, strict=True))]


def _words(nodes: Table) -> list[str]:
    """What is read at an agency; nothing for the many below it."""
    columns = nodes.columns
    layers = [(name, kind, nodes.intervals(column)) for column, name, kind, _ in LAYERS if column in columns]
    found = []
    for row, tier in enumerate(columns["tier"]):
        if tier not in AGENCIES:
            found.append("")
            continue
        figures = [f"{name} {interval(values[row], kind)}" for name, kind, values in layers]
        found.append(f"{columns['name'][row]} ({columns['id'][row]})\n" + "\n".join(figures))
    return found


def _worst(study: Study, nodes: Table) -> list[int]:
    """Rows of the nodes that the table of bottlenecks names, in its order, each once."""
    found = study.tables.get("bottlenecks")
    if found is None:
        return []
    rows = {str(node): row for row, node in enumerate(nodes.columns["id"])}
    return list(dict.fromkeys(rows[str(node)] for node in found.columns["node"] if str(node) in rows))


def _worst_list(study: Study) -> str:
    """The numbers on the map in words."""
    found = study.tables.get("bottlenecks")
    if found is None:
        return ""
    texts = zip(*(found.columns[name] for name in ("node", "name", "station")), strict=True)
    figures = zip(found.intervals("busy"), found.intervals("wait_s"), strict=True)
    lines: dict[str, str] = {}
    for (node, name, station), (busy, wait) in zip(texts, figures, strict=True):
        used = f"{STATIONS.get(str(station), station)} {interval(busy, 'share')} busy in its busiest hour"
        lines.setdefault(str(node), f"{name}: {used}, mean wait {interval(wait, 'time')}")
    if not lines:
        return paragraph(NO_BOTTLENECK)
    items = "".join(f"<li>{svg.escape(line)}</li>" for line in lines.values())
    return f'<h3>Where documents wait longest</h3><ol class="worst-list">{items}</ol>'


def _key(kind: str, steps: Sequence[float]) -> list[str]:
    return [f"less than {spell(steps[0], kind)}", *(f"{spell(step, kind)} or more" for step in steps)]


def _key_list(number: int, words: Sequence[str]) -> str:
    rows = "".join(f'<li><i class="h{depth}"></i>{svg.escape(line)}</li>' for depth, line in enumerate(words))
    return f'<ul class="key" data-layer="{number}"{"" if number == 0 else " hidden"}>{rows}</ul>'


def _regions(nodes: Table) -> str:
    """How many nodes of each tier there are."""
    tiers = [str(tier) for tier in nodes.columns["tier"]]
    return paragraph(" · ".join(f"{tiers.count(tier):,} {tier}" for tier in dict.fromkeys(tiers)), "pale")


def _floats(values: Iterable[Any]) -> list[float]:
    return [float(value) for value in values]
