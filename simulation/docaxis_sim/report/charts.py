"""Charts: lines over time, distributions, heat maps and bars, as inline SVG that needs no script.

Colours are classes of the page's style sheet. Nothing here knows what is measured: values come with their names, axes
and spelling.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from docaxis_sim.report import scales, svg
from docaxis_sim.report.scales import Axis, Scale

WIDTH: Final = 760.0
HEIGHT: Final = 280.0
LEFT: Final = 64.0
BOTTOM: Final = 40.0
TOP: Final = 10.0
RIGHT: Final = 14.0
POINTS_MAX: Final = 400
SHADES: Final = 8
"""Steps of colour in heat maps and on the map: classes h0 (nothing) to h7 (most)."""


class Line(NamedTuple):
    """One curve: places along both axes, in order; `low` and `high` bound a band around it where they are given."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    dashed: bool = False


class Span(NamedTuple):
    """A stretch of the horizontal axis with a name, such as an outage."""

    name: str
    start: float
    end: float


def chart(lines: Sequence[Line], x_axis: Axis, y_axis: Axis, spans: Sequence[Span] = (), label: str = "") -> str:
    """Curves in one frame with a legend below; `label` is read out to those who do not see it."""
    across = scales.scale(x_axis, [value for line in lines for value in line.x], LEFT, WIDTH - RIGHT)
    values = [value for line in lines for part in (line.y, line.high) for value in part]
    up = scales.scale(y_axis, values, HEIGHT - BOTTOM, TOP)
    body = [*_spans(spans, across), _grid(across, up, x_axis, y_axis)]
    for place, line in enumerate(lines):
        body += [_band(line, across, up, place), _curve(line, across, up, place)]
    frame = svg.tag("svg", *body, viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}", class_="chart", role="img", aria_label=label)
    return frame + _legend([line.name for line in lines])


def thin(line: Line) -> list[tuple[float, float]]:
    """At most `POINTS_MAX` places of a curve, its peaks among them: of each stretch the highest."""
    places = list(zip(line.x, line.y, strict=True))
    if len(places) <= POINTS_MAX:
        return places
    size = -(-len(places) // POINTS_MAX)
    return [max(places[at : at + size], key=lambda place: place[1]) for at in range(0, len(places), size)]


def _curve(line: Line, across: Scale, up: Scale, place: int) -> str:
    path = svg.polyline((across.at(x), up.at(y)) for x, y in thin(line)) if len(line.x) else ""
    return svg.tag(
        "path", svg.title(line.name), d=path, class_=f"line c{place % 8}" + (" dashed" if line.dashed else "")
    )


def _band(line: Line, across: Scale, up: Scale, place: int) -> str:
    if not len(line.low):
        return ""
    there = [(across.at(x), up.at(y)) for x, y in zip(line.x, line.high, strict=True)]
    back = [(across.at(x), up.at(y)) for x, y in zip(line.x, line.low, strict=True)]
    return svg.tag("path", d=svg.polyline([*there, *reversed(back)]) + "Z", class_=f"band c{place % 8}")


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
    right, floor = across.end, up.start
    parts = []
    for value in scales.clock_ticks(across) if x_axis.kind == "clock" else scales.ticks(across, 8, x_axis.kind):
        x = across.at(value)
        parts.append(svg.tag("line", x1=x, x2=x, y1=up.end, y2=floor, class_="grid"))
        parts.append(svg.text(scales.spell(value, x_axis.kind), x, floor + 15, text_anchor="middle"))
    for value in scales.ticks(up, 5, y_axis.kind):
        y = up.at(value)
        parts.append(svg.tag("line", x1=across.start, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(svg.text(scales.spell(value, y_axis.kind), across.start - 6, y + 4, text_anchor="end"))
    parts.append(svg.text(x_axis.label, (across.start + right) / 2, HEIGHT - 6, text_anchor="middle", class_="axis"))
    parts.append(svg.text(y_axis.label, across.start + 4, up.end + 10, class_="axis"))
    return "".join(parts)


def _legend(names: Sequence[str]) -> str:
    words = [f'<span><i class="c{place % 8}"></i>{svg.escape(name)}</span>' for place, name in enumerate(names) if name]
    return f'<p class="legend">{"".join(words)}</p>'


CELL_WIDTH: Final = 8.0
CELL_HEIGHT: Final = 11.0
NAMES_WIDTH: Final = 150.0


def heat_map(
    names: Sequence[str],
    columns: Sequence[float],
    rows: Sequence[Sequence[float]],
    kind: str,
    shade: Callable[[float], int],
) -> str:
    """One strip per name, one cell per column (seconds after midnight), coloured by `shade`; cells of depth 0 are left
    out. A pointer that rests on a strip reads its peak. Cells of one strip and one depth are one path."""
    strips = [
        svg.text(name, NAMES_WIDTH - 6, at * CELL_HEIGHT + 9, text_anchor="end")
        + _strip(name, columns, row, kind, at, shade)
        for at, (name, row) in enumerate(zip(names, rows, strict=True))
    ]
    bottom = len(names) * CELL_HEIGHT
    step = max(1, len(columns) // 12)
    hours = [
        svg.text(scales.spell(columns[place], "clock"), NAMES_WIDTH + place * CELL_WIDTH, bottom + 12)
        for place in range(0, len(columns), step)
    ]
    width = NAMES_WIDTH + len(columns) * CELL_WIDTH + 20
    view = f"0 0 {svg.number(width)} {svg.number(bottom + 18)}"
    return svg.tag("svg", *strips, *hours, viewBox=view, class_="heat", role="img")


def _strip(
    name: str, columns: Sequence[float], row: Sequence[float], kind: str, at: int, shade: Callable[[float], int]
) -> str:
    depths = [shade(value) for value in row]
    y = at * CELL_HEIGHT + CELL_HEIGHT / 2
    paths = [
        svg.tag("path", d="".join(
            f"M{svg.number(NAMES_WIDTH + place * CELL_WIDTH)} {svg.number(y)}h{svg.number(CELL_WIDTH)}"
            for place, found in enumerate(depths) if found == depth
        ), class_=f"cell d{depth}")
        for depth in sorted(set(depths) - {0})
    ]  # fmt: skip
    peak = max(range(len(row)), key=lambda place: row[place], default=0)
    words = (
        f"{name}: at most {scales.spell(row[peak], kind)}, at {scales.spell(columns[peak], 'clock')}"
        if len(row)
        else name
    )
    return svg.tag("g", svg.title(words), *paths)


def bar(part: float, words: str) -> str:
    """A bar inside a table's cell: `part` from 0 to 1, and what is written beside it."""
    wide = 100 * min(max(part, 0.0), 1.0)
    depth = min(SHADES - 1, 1 + int(part * (SHADES - 1)))
    return f'<div class="bar"><b class="h{depth}" style="width:{wide:.0f}%"></b><span>{svg.escape(words)}</span></div>'
