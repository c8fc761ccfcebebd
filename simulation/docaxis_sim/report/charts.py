"""Charts: lines over time, distributions, heat maps and bars, as inline SVG that needs no script.

Colours are classes of the page's style sheet. Nothing here knows what is measured: values come with their names, axes
and spelling.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from math import isfinite
from typing import Final, NamedTuple

from docaxis_sim.report import scales, svg
from docaxis_sim.report.scales import Axis, Scale

WIDTH: Final = 760.0
HEIGHT: Final = 280.0
LEFT: Final = 64.0
BOTTOM: Final = 40.0
TOP: Final = 10.0
RIGHT: Final = 14.0
LETTER: Final = 6.2
"""About how wide a letter is."""

POINTS_MAX: Final = 400
SHADES: Final = 8
"""Steps of colour in heat maps and on the map: classes h0 (nothing) to h7 (most)."""


class Line(NamedTuple):
    """One curve: places along both axes, in order. A band around it is bounded by `low` and `high` where they are
    given, or by `left` and `right`, where what is not known lies along the other axis."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    left: Sequence[float] = ()
    right: Sequence[float] = ()
    colour: int = -1


class Span(NamedTuple):
    """A stretch of the horizontal axis with a name, such as an outage."""

    name: str
    start: float
    end: float


def chart(lines: Sequence[Line], x_axis: Axis, y_axis: Axis, spans: Sequence[Span] = (), label: str = "") -> str:
    """Curves in one frame with a legend below; `label` is read out to those who do not see it."""
    across = scales.scale(
        x_axis, [value for line in lines for part in (line.x, line.right) for value in part], LEFT, WIDTH - RIGHT
    )
    values = [value for line in lines for part in (line.y, line.high) for value in part]
    up = scales.scale(y_axis, values, HEIGHT - BOTTOM, TOP)
    body = [*_spans(spans, across), _grid(across, up, x_axis, y_axis)]
    coloured = [line if line.colour >= 0 else line._replace(colour=place) for place, line in enumerate(lines)]
    body += [_band(line, across, up) for line in coloured]
    body += [_curve(line, across, up) for line in coloured]
    frame = svg.tag("svg", *body, viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}", class_="chart", role="img", aria_label=label)
    return frame + legend([(line.name, line.colour) for line in coloured])


def thin(x: Sequence[float], y: Sequence[float], lowest: bool = False) -> list[tuple[float, float]]:
    """At most `POINTS_MAX` places of a curve, its peaks among them: of each stretch the highest, or the lowest."""
    places = list(zip(x, y, strict=True))
    if len(places) <= POINTS_MAX:
        return places
    size = -(-len(places) // POINTS_MAX)
    choose = min if lowest else max
    return [choose(places[at : at + size], key=lambda place: place[1]) for at in range(0, len(places), size)]


def _curve(line: Line, across: Scale, up: Scale) -> str:
    path = svg.polyline((across.at(x), up.at(y)) for x, y in thin(line.x, line.y)) if len(line.x) else ""
    return svg.tag("path", svg.title(line.name), d=path, class_=f"line c{line.colour % 8}")


def _band(line: Line, across: Scale, up: Scale) -> str:
    if len(line.low):
        there, back = thin(line.x, line.high), thin(line.x, line.low, lowest=True)
    elif len(line.left):
        there, back = thin(line.right, line.y), thin(line.left, line.y)
    else:
        return ""
    places = [(across.at(x), up.at(y)) for x, y in (*there, *reversed(back)) if isfinite(x) and isfinite(y)]
    return svg.tag("path", d=svg.polyline(places) + "Z", class_=f"band c{line.colour % 8}") if places else ""


def _spans(spans: Sequence[Span], across: Scale) -> list[str]:
    return [
        svg.tag(
            "rect",
            svg.title(span.name),
            x=across.at(span.start),
            y=TOP,
            width=max(1.0, across.at(span.end) - across.at(span.start)),
            height=HEIGHT - BOTTOM - TOP,
            class_="span",
        )
        for span in spans
    ]


def _grid(across: Scale, up: Scale, x_axis: Axis, y_axis: Axis) -> str:
    floor = up.start
    parts = [rules(across, up, y_axis)]
    for value in scales.clock_ticks(across) if x_axis.kind == "clock" else scales.ticks(across, 8, x_axis.kind):
        x = across.at(value)
        parts.append(svg.tag("line", x1=x, x2=x, y1=up.end, y2=floor, class_="grid"))
        words = scales.spell(value, x_axis.kind)
        half = LETTER * len(words) / 2
        middle = min(max(x, half), WIDTH - half)  # the last one stays inside
        parts.append(svg.text(words, middle, floor + 15, text_anchor="middle"))
    middle = (across.start + across.end) / 2
    parts.append(svg.text(x_axis.label, middle, HEIGHT - 6, text_anchor="middle", class_="axis"))
    return "".join(parts)


def rules(across: Scale, up: Scale, y_axis: Axis) -> str:
    """Lines across at round values of the upright axis, with what they stand for."""
    parts = []
    for value in scales.ticks(up, 5, y_axis.kind):
        y = up.at(value)
        parts.append(svg.tag("line", x1=across.start, x2=across.end, y1=y, y2=y, class_="grid"))
        parts.append(svg.text(scales.spell(value, y_axis.kind), across.start - 6, y + 4, text_anchor="end"))
    parts.append(svg.text(y_axis.label, across.start + 4, up.end + 10, class_="axis"))
    return "".join(parts)


def legend(names: Sequence[tuple[str, int]]) -> str:
    """What the colours stand for."""
    words = [f'<span><i class="c{colour % 8}"></i>{svg.escape(name)}</span>' for name, colour in names if name]
    return f'<p class="legend">{"".join(words)}</p>'


CELLS_WIDTH: Final = 780.0
CELL_HEIGHT: Final = 13.0
NAMES_WIDTH: Final = 200.0
LETTERS_MAX: Final = 32


def heat_map(
    names: Sequence[str],
    columns: Sequence[float],
    rows: Sequence[Sequence[float]],
    kind: str,
    shade: Callable[[float], int],
) -> str:
    """One strip per name, one cell per column (seconds after midnight), coloured by `shade`; cells of depth 0 are left
    out. A pointer that rests on a strip reads its peak. Neighbours of one depth are one line."""
    ends = [*columns[:1], *columns[-1:]] or [0.0]
    across = scales.scale(Axis("", "clock"), ends, NAMES_WIDTH, NAMES_WIDTH + CELLS_WIDTH)
    strips = [
        svg.text(_short(name), NAMES_WIDTH - 6, at * CELL_HEIGHT + 10, text_anchor="end")
        + _strip(name, columns, row, kind, at, shade)
        for at, (name, row) in enumerate(zip(names, rows, strict=True))
    ]
    bottom, wide = len(names) * CELL_HEIGHT, NAMES_WIDTH + CELLS_WIDTH + 24
    hours = []
    for moment in scales.clock_ticks(across):
        x = across.at(moment)
        hours.append(svg.tag("line", x1=x, x2=x, y1=0, y2=bottom, class_="grid"))
        words = scales.spell(moment, "clock")
        middle = min(x, wide - LETTER * len(words) / 2)
        hours.append(svg.text(words, middle, bottom + 13, text_anchor="middle"))
    view = f"0 0 {svg.number(wide)} {svg.number(bottom + 18)}"
    return svg.tag("svg", *hours, *strips, viewBox=view, class_="heat", role="img")


def _short(name: str) -> str:
    return name if len(name) <= LETTERS_MAX else name[: LETTERS_MAX - 1].rstrip() + "…"


def _strip(
    name: str, columns: Sequence[float], row: Sequence[float], kind: str, at: int, shade: Callable[[float], int]
) -> str:
    y = svg.number(at * CELL_HEIGHT + CELL_HEIGHT / 2)
    paths: dict[int, list[str]] = {}
    place, cell = 0, CELLS_WIDTH / max(1, len(row))
    for depth, alike in groupby(map(shade, row)):
        cells = len(list(alike))
        x, wide = NAMES_WIDTH + place * cell, cells * cell
        paths.setdefault(depth, []).append(f"M{svg.number(x)} {y}h{svg.number(wide)}")
        place += cells
    drawn = [svg.tag("path", d="".join(paths[depth]), class_=f"cell d{depth}") for depth in sorted(set(paths) - {0})]
    peak = max(range(len(row)), key=lambda place: row[place], default=0)
    words = (
        f"{name}: at most {scales.spell(row[peak], kind)}, at {scales.spell(columns[peak], 'clock')}"
        if len(row)
        else name
    )
    return svg.tag("g", svg.title(words), *drawn)


def bar(part: float, words: str) -> str:
    """A bar inside a table's cell: `part` from 0 to 1, and what is written beside it."""
    wide = 100 * min(max(part, 0.0), 1.0)
    depth = min(SHADES - 1, 1 + int(part * (SHADES - 1)))
    return f'<div class="bar"><b class="h{depth}" style="width:{wide:.0f}%"></b><span>{svg.escape(words)}</span></div>'
