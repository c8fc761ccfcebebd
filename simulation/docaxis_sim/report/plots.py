"""Plots: figures with their intervals against a value that was varied, and differences beside each other.

As `charts`: inline SVG that needs no script, colours as classes, and nothing known of what is measured. A figure that
is infinite stands at the upper edge, as a triangle.
"""

from collections.abc import Sequence
from math import exp, isfinite, isinf, log, nan
from typing import Final, NamedTuple

from docaxis_sim.report import scales, svg
from docaxis_sim.report.charts import LETTER, legend, rules
from docaxis_sim.report.scales import Axis, Scale

WIDTH: Final = 560.0
HEIGHT: Final = 260.0
LEFT: Final = 64.0
RIGHT: Final = 20.0
TOP: Final = 22.0
BOTTOM: Final = 46.0


class Tick(NamedTuple):
    """A place along an axis, and what is written there."""

    at: float
    words: str


class Point(NamedTuple):
    """A figure at a place: its mean, the ends of its interval, and what a pointer that rests on it reads. `kind`: one
    of the style sheet's words for how it is filled, or empty."""

    x: float
    y: float
    low: float
    high: float
    words: str
    kind: str = ""


class Curve(NamedTuple):
    """Points with a name; joined by a line where they are a course, not where each stands for itself."""

    name: str
    points: Sequence[Point]
    joined: bool = True


class Across(NamedTuple):
    """The level axis: what it is called, every place that is named, and whether equal factors are equally far apart."""

    label: str
    ticks: Sequence[Tick]
    log: bool = False


def points(curves: Sequence[Curve], across: Across, upright: Axis, guides: Sequence[Tick] = (), label: str = "") -> str:
    """Curves of figures with whiskers from the low to the high end of each; `guides`: lines across, such as goals."""
    level = _level(across)
    values = _values(curves, guides)
    upright = upright._replace(log=upright.log or _far_apart(values))
    up = scales.scale(upright, values, HEIGHT - BOTTOM, TOP)
    body = [rules(level, up, upright), *_feet(level, across), *(_guide(each, level, up) for each in guides)]
    for place, curve in enumerate(curves):
        body += [_course(curve, level, up, place), *(_point(each, level, up, place) for each in curve.points)]
    frame = svg.tag("svg", *body, viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}", class_="plot", role="img", aria_label=label)
    return frame + (legend([(curve.name, place) for place, curve in enumerate(curves)]) if len(curves) > 1 else "")


def _level(across: Across) -> Scale:
    """A little room at both ends, so that whiskers do not stand on the frame."""
    places = [tick.at for tick in across.ticks]
    low, high = min(places), max(places)
    if across.log:
        room = (high / low) ** 0.04 if high > low else 2.0
        return Scale(low / room, high * room, LEFT, WIDTH - RIGHT, True)
    room = (high - low) * 0.04 or 1.0
    return Scale(low - room, high + room, LEFT, WIDTH - RIGHT, False)


def _values(curves: Sequence[Curve], guides: Sequence[Tick]) -> list[float]:
    """Everything that must fit; an interval that is many times as high as its figure may leave the frame."""
    found = [each.at for each in guides]
    for point in (point for curve in curves for point in curve.points):
        found += [point.y, min(point.high, 3 * point.y) if isfinite(point.high) else point.y]
    return [*found, 1.06 * max((value for value in found if isfinite(value)), default=1.0)]


FAR: Final = 40.0
"""Figures of which one is so many times another are shown on a logarithmic scale."""


def _far_apart(values: Sequence[float]) -> bool:
    known = [value for value in values if isfinite(value)]
    return bool(known) and min(known) > 0 and max(known) > FAR * min(known)


def _feet(level: Scale, across: Across) -> list[str]:
    """The names below the axis; of many, as many as can be read."""
    parts, free = [], 0.0
    for tick in across.ticks:
        x, wide = level.at(tick.at), LETTER * len(tick.words)
        parts.append(svg.tag("line", x1=x, x2=x, y1=HEIGHT - BOTTOM, y2=HEIGHT - BOTTOM + 4, class_="grid"))
        if x - wide / 2 >= free:
            parts.append(svg.text(tick.words, x, HEIGHT - BOTTOM + 16, text_anchor="middle"))
            free = x + wide / 2 + LETTER
    middle = (level.start + level.end) / 2
    return [*parts, svg.text(across.label, middle, HEIGHT - 8, text_anchor="middle", class_="axis")]


def _guide(guide: Tick, level: Scale, up: Scale) -> str:
    y = up.at(guide.at)
    line = svg.tag("line", x1=level.start, x2=level.end, y1=y, y2=y, class_="guide")
    return line + svg.text(guide.words, level.end, y - 5, text_anchor="end", class_="guide-words")


def _course(curve: Curve, level: Scale, up: Scale, place: int) -> str:
    known = [(level.at(each.x), up.at(each.y)) for each in curve.points if isfinite(each.y)]
    return svg.tag("path", d=svg.polyline(known), class_=f"line c{place % 8}") if curve.joined and known else ""


def _point(point: Point, level: Scale, up: Scale, place: int) -> str:
    x, kind = level.at(point.x), point.kind or f"c{place % 8}"
    if isinf(point.y):
        return _never(x, up.end, kind, point.words)
    if not isfinite(point.y):
        return ""
    y = up.at(point.y)
    whisker = _whisker(x, up.at(point.low), up.at(point.high), kind) if isfinite(point.high) else ""
    return svg.tag("g", svg.title(point.words), whisker, svg.tag("circle", cx=x, cy=y, r=4.5, class_=f"mark {kind}"))


def _whisker(x: float, low: float, high: float, kind: str) -> str:
    path = f"M{svg.number(x)} {svg.number(low)}V{svg.number(high)}"
    ends = "".join(f"M{svg.number(x - 4)} {svg.number(y)}h8" for y in (low, high))
    return svg.tag("path", d=path + ends, class_=f"whisker {kind}")


def _never(x: float, top: float, kind: str, words: str) -> str:
    shape = f"M{svg.number(x - 5)} {svg.number(top + 7)}h10l-5 -9Z"
    return svg.tag("path", svg.title(words), d=shape, class_=f"mark {kind}")


class Ratio(NamedTuple):
    """A figure of one answer as a multiple of that of another, with the ends of its interval (not finite: not to be
    said as a multiple), what stands beside it, and whether it is `sure` not to be the same; or a heading."""

    name: str
    mean: float
    low: float
    high: float
    words: str
    sure: bool
    is_heading: bool = False


def heading(name: str, words: str) -> Ratio:
    """A line that names what the lines below it are about."""
    return Ratio(name, nan, nan, nan, words, sure=True, is_heading=True)


NAMES: Final = 250.0
WORDS: Final = 250.0
FOREST: Final = 980.0
ROW: Final = 24.0
_STEPS: Final = (
    0.001, 0.01, 0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0, 1.01, 1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 5.0, 10.0,
    100.0, 1000.0,
)  # fmt: skip


def forest(rows: Sequence[Ratio], label: str = "") -> str:
    """One line per figure: its multiple with its interval, on a scale where half and double are equally far from the
    same."""
    level = _ratios(rows)
    bottom = ROW * len(rows) + 6
    body = _ratio_ticks(level, bottom)
    for place, row in enumerate(rows):
        body.append(_row(row, level, ROW * (place + 0.5) + 4))
    view = f"0 0 {FOREST:.0f} {svg.number(bottom + 24)}"
    return svg.tag("svg", *body, viewBox=view, class_="forest", role="img", aria_label=label)


def _ratios(rows: Sequence[Ratio]) -> Scale:
    """Wide enough for every mean; a whisker may be cut at a factor of two beyond them."""
    means = [row.mean for row in rows if isfinite(row.mean) and row.mean > 0]
    far = max((abs(log(mean)) for mean in means), default=0.0)
    ends = [abs(log(end)) for row in rows for end in (row.low, row.high) if isfinite(end) and end > 0]
    wide = exp(min(max([far, *ends, log(1.02)]), far + log(2))) * 1.02
    return Scale(1 / wide, wide, NAMES + 12, FOREST - WORDS - 12, True)


def _ratio_ticks(level: Scale, bottom: float) -> list[str]:
    """The same in the middle, and to both sides what has room."""
    parts, taken = [], [level.at(1.0)]
    wanted = sorted((step for step in _STEPS if level.low < step < level.high), key=lambda step: -abs(log(step)))
    for step in [1.0, *wanted]:
        x = level.at(step)
        if step != 1.0 and min(abs(x - each) for each in taken) < 52:
            continue
        taken.append(x)
        parts.append(svg.tag("line", x1=x, x2=x, y1=0, y2=bottom, class_="same" if step == 1.0 else "grid"))
        parts.append(svg.text(times(step), x, bottom + 16, text_anchor="middle"))
    return parts


def times(ratio: float) -> str:
    """A multiple as people say it."""
    if ratio == 1:
        return "the same"
    if 0.5 < ratio < 2:
        return f"{100 * (ratio - 1):+.0f} %".replace("-", "−")
    return f"× {ratio:g}" if ratio > 1 else f"÷ {1 / ratio:g}"


def _row(row: Ratio, level: Scale, y: float) -> str:
    kind = "group" if row.is_heading else "axis"
    name = svg.text(row.name, NAMES, y + 4, text_anchor="end", class_=kind)
    words = svg.text(row.words, FOREST - WORDS, y + 4, **({"class_": kind} if row.is_heading else {}))
    if not isfinite(row.mean):
        return name + words
    kind = "sure" if row.sure else "unsure"
    ends = [level.at(max(end, level.low)) for end in (row.low, row.high)] if isfinite(row.high) else []
    whisker = ""
    if ends:
        path = f"M{svg.number(ends[0])} {svg.number(y)}H{svg.number(ends[1])}"
        whisker = svg.tag("path", d=path, class_=f"whisker {kind}")
    x = level.at(max(row.mean, level.low))
    return name + words + whisker + svg.tag("circle", cx=x, cy=y, r=4.5, class_=f"mark {kind}")
