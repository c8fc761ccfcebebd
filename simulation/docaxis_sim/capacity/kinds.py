"""Kinds: the sorts of single values that fields of a scenario have: words, numbers, shares, quantities, goals, lists.

How each is read and described; which field is of which kind stands in `fields`.
"""

import re
from itertools import pairwise
from typing import Any, Final

from docaxis_sim.capacity.metrics import is_share
from docaxis_sim.capacity.mistakes import nearest
from docaxis_sim.capacity.model import Expectation
from docaxis_sim.capacity.plan import SECOND_NS
from docaxis_sim.capacity.shapes import Leaf, Sink
from docaxis_sim.capacity.source import Node
from docaxis_sim.capacity.units import (
    CLOCK_PATTERN,
    DURATION,
    MOMENT_PATTERN,
    SHARE_PATTERN,
    SIZE,
    BadValue,
    Unit,
    clock,
    moment,
    share,
    shown,
)

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_METRIC: Final = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
_GOAL: Final = re.compile(rf"\s*({_METRIC})\s*(<=|>=|==|<|>)\s*(\S.*?)\s*")
_LIMIT: Final = re.compile(r"\s*(<=|>=|==|<|>)\s*(\S.*?)\s*")


def words(*allowed: str) -> Leaf:
    """One of some words."""

    def convert(value: object) -> str:
        if value in allowed and isinstance(value, str):
            return value
        hint = nearest(value, allowed, '"') if isinstance(value, str) else ""
        choice = ", ".join(f'"{word}"' for word in allowed)
        raise BadValue(f"{shown(value)} is not one of {choice}" + (f"; {hint}" if hint else ""))

    return Leaf("one of the words " + ", ".join(allowed), convert, allowed[0], {"enum": list(allowed)})


def number(least: float = 0.0, most: float = 1e12, kind: str = "a number") -> Leaf:
    """A number without unit: a count, a factor, a share."""

    def convert(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise BadValue(f"{shown(value)} is not {kind} from {least:g} to {most:g}")
        return float(value)

    return Leaf(kind, convert, least, {"type": "number", "minimum": least, "maximum": most})


def whole(least: int, most: int) -> Leaf:
    """A whole number."""

    def convert(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadValue(f"{shown(value)} is not a whole number from {least} to {most}")
        return value

    return Leaf("a whole number", convert, least, {"type": "integer", "minimum": least, "maximum": most})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadValue(f"{shown(value)} is not a text; put it in quotes")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadValue(f"{shown(value)} is neither true nor false")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BadValue(f"{shown(value)} is not a name: letters a to z, digits, - and _, at most 64")
    return value


def quantity(unit: Unit, least: int = 0) -> Leaf:
    """A quantity with its unit, at least so much of its smallest unit; below 0 only where that is allowed."""

    def convert(value: object) -> int:
        found = unit.read(value)
        if found < least:
            raise BadValue(f"{shown(value)} is too little; at least {unit.write(least)}")
        return found

    pattern = unit.pattern("-?" if least < 0 else "")
    return Leaf(unit.name, convert, unit.example, {"type": "string", "pattern": pattern})


def listed(leaf: Leaf, most: int = 1000) -> Leaf:
    """A list of such values, as a tuple."""

    def convert(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise BadValue(f"{shown(value)} is not a list of at most {most}")
        return tuple(leaf.convert(each) for each in value)

    return Leaf(f"a list, each {leaf.kind}", convert, [], {"type": "array", "items": leaf.schema(), "maxItems": most})


TEXT: Final = Leaf("a text", _text, "", {"type": "string"})
SELECTOR: Final = Leaf("a selector", _text, "all", {"type": "string", "minLength": 1})
RELATION: Final = Leaf("a relation", _text, "any:all", {"type": "string", "minLength": 1})
NAME: Final = Leaf("a name", _name, "name", {"type": "string", "pattern": f"^{_NAME.pattern}$"})
FLAG: Final = Leaf("true or false", _flag, False, {"type": "boolean"})
SHARE: Final = Leaf(
    "a share",
    share,
    0.0,
    {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": SHARE_PATTERN}]},
)
CLOCK: Final = Leaf("a time of day", clock, "08:00", {"type": "string", "pattern": CLOCK_PATTERN})
MOMENT: Final = Leaf("a moment", moment, "08:00", {"type": "string", "pattern": MOMENT_PATTERN})


def _points(value: object) -> tuple[tuple[int, float], ...]:
    pairs = value if isinstance(value, list) else []
    if len(pairs) < 2 or any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
        raise BadValue('is not a profile; write pairs of a time and an intensity, such as [["08:00", 0], ["10:00", 1]]')
    points = tuple((clock(time), _INTENSITY.convert(height)) for time, height in pairs)
    if any(first[0] > second[0] for first, second in pairwise(points)):
        raise BadValue("its times must not go back")
    if not any(height for _, height in points) or points[0][0] == points[-1][0]:
        raise BadValue("nothing ever happens in it: it needs a span of time and an intensity above 0")
    return points


_INTENSITY: Final = number(0.0, 1e6, "an intensity")
PROFILE: Final = Leaf(
    "a profile",
    _points,
    [["00:00", 1], ["24:00", 1]],
    {
        "type": "array",
        "minItems": 2,
        "items": {
            "type": "array",
            "prefixItems": [CLOCK.schema(), _INTENSITY.schema()],
            "minItems": 2,
            "items": False,
        },
    },
)


def _warm_up(value: object) -> tuple[str, int]:
    if value in ("none", "mser-5") and isinstance(value, str):
        return value, 0
    try:
        return "time", DURATION.read(value)
    except BadValue as error:
        raise BadValue(f'{shown(value)} is not "none", "mser-5" or a duration such as "30 min"') from error


WARM_UP: Final = Leaf(
    '"none", "mser-5" or a duration',
    _warm_up,
    "none",
    {"anyOf": [{"enum": ["none", "mser-5"]}, {"type": "string", "pattern": DURATION.pattern()}]},
)


def goal(text: str) -> Expectation:
    """A goal such as ``latency.arrived.p99.express_s <= 60 s``; raises `BadValue`."""
    found = _GOAL.fullmatch(text)
    if not found:
        raise BadValue(f'{shown(text)} is not a goal; write it such as "latency.arrived.p99.express_s <= 60 s"')
    return Expectation(found[1], found[2], limit(found[1], found[3]))


def limit(metric: str, text: str) -> float:
    """The value of a goal in the metric's own unit, which its name ends with; raises `BadValue`."""
    for ending, unit, worth in _METRIC_UNITS:
        if ending.search(metric):
            return unit.read(_number_or_text(text)) / worth
    plain = _number_or_text(text.removesuffix("%").strip())
    if isinstance(plain, str):
        raise BadValue(f"{shown(text)}: {metric} is a plain number")
    if text.endswith("%"):
        return plain / 100
    if plain > 1 and is_share(metric):
        raise BadValue(f"{metric} is a share: {plain:g} is {plain * 100:,.10g} %; write {plain:g} % if that is meant")
    return plain


_METRIC_UNITS: Final = (
    (re.compile(r"(?<!_per)_s$"), DURATION, SECOND_NS),
    (re.compile(r"_bytes(_per_day)?$"), SIZE, 1),
)


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


class Goals:
    """Goals by metric, in quotes because of its dots; each a sign and a value, such as ``"<= 60 s"``."""

    kind = "goals"

    def read(self, node: Node, sink: Sink) -> tuple[Expectation, ...]:
        """As `docaxis_sim.capacity.shapes.Shape`."""
        if not isinstance(node.value, dict):
            sink.note(node, "is not a table of goals")
            return ()
        goals: list[Expectation] = []
        for metric, each in node.value.items():
            try:
                goals.append(self._goal(metric, each.plain))
            except BadValue as error:
                sink.note(each, str(error))
        return tuple(goals)

    def _goal(self, metric: str, stated: object) -> Expectation:
        if isinstance(stated, dict):
            raise BadValue('a metric has dots: put it in quotes, such as "latency.arrived.p99_s" = "<= 60 s"')
        found = _LIMIT.fullmatch(stated) if isinstance(stated, str) else None
        if not found:
            raise BadValue(f'{shown(stated)} is not a goal; write a sign and a value, such as "<= 60 s"')
        return Expectation(metric, found[1], limit(metric, found[2]))

    def schema(self) -> dict[str, Any]:
        """As `docaxis_sim.capacity.shapes.Shape`."""
        stated = {"type": "string", "pattern": f"^{_LIMIT.pattern}$"}
        return {"type": "object", "description": self.__doc__, "additionalProperties": stated}

    def default(self) -> tuple[Expectation, ...]:
        """As `docaxis_sim.capacity.shapes.Shape`."""
        return ()
