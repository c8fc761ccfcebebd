"""SVG as text: elements with escaped attributes, and numbers in as few characters as a screen needs.

Knows no chart. Everything that goes into a page goes through `escape` here, so that a scenario's words stay words.
"""

from collections.abc import Iterable
from html import escape as _escape
from typing import Final


def escape(text: object) -> str:
    """Text for use in an element or between double quotes."""
    return _escape(str(text), quote=True)


def number(value: float) -> str:
    """A coordinate: one digit after the point at most, and no trailing zeros."""
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def tag(name: str, *children: str, **attributes: object) -> str:
    """An element; ``class_`` and ``stroke_width`` become ``class`` and ``stroke-width``. Children are
    markup already."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{number(value) if isinstance(value, float) else escape(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{words}>{''.join(children)}</{name}>" if children else f"<{name}{words}/>"


def text(words: object, x: float, y: float, **attributes: object) -> str:
    """Words at a place."""
    return tag("text", escape(words), x=number(x), y=number(y), **attributes)


def title(words: object) -> str:
    """What a pointer that rests on the element reads."""
    return tag("title", escape(words))


TENTHS: Final = 10
"""Dots are placed in tenths, as whole numbers; whoever shows them makes them so much smaller."""

_STRIP: Final = 8.0
"""Dots are gone through in strips this wide, so that the next one is near."""


def dots(places: Iterable[tuple[float, float]]) -> str:
    """The path of many dots, in tenths: with a round line cap each is drawn as a disc. Each is given by its distance
    from the one before, in about eight bytes."""
    near = sorted(places, key=lambda place: (round(place[0] / _STRIP), place[1]))
    path, at = [], (0, 0)
    for x, y in near:
        to = round(x * TENTHS), round(y * TENTHS)
        right, down = to[0] - at[0], to[1] - at[1]
        path.append(f"m{right}{'' if down < 0 else ' '}{down}h0")
        at = to
    return "".join(path)


def polyline(places: Iterable[tuple[float, float]]) -> str:
    """The path through some places."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in places)
