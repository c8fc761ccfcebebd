"""Spelling: figures as people read them: in the unit that fits, with what they are not sure of, one word for never.

Numbers to words. Whatever shows a figure, in a terminal or on a page, takes its words from here, so that no two of them
say the same thing differently.
"""

from collections.abc import Mapping
from math import ceil, floor, isfinite, isinf, isnan, log10
from typing import Final

from docaxis_sim.capacity.statistics import Interval

NEVER: Final = "never"
"""What is infinite."""

NOTHING: Final = "–"
"""What there is not."""

NO_BOTTLENECK: Final = "Nowhere do visits wait 10 ms on average."
"""What stands in place of an empty list of bottlenecks."""

_STEPS: Final = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_SIZES: Final = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
_OTHERS: Final[Mapping[str, str]] = {"": "", "1/s": " /s"}


_LEAST_SHARE: Final = 1e-4
"""Of smaller shares nobody wants to know how small they are."""

_SHARE_DIGITS: Final = 3
"""After the point, of a percentage: enough for what is missing from 100."""


_SLIP: Final = 1e-9
"""What binary numbers miss decimal ones by is no reason to round up."""


def percent(share: float) -> str:
    """A share that was chosen, such as a confidence, with all its digits."""
    return f"{share * 100:.10g} %"


def figure(found: Interval, unit: str) -> str:
    """A mean with its half-width, in one unit and with the same digits after the point: ``12.3 s ± 0.4``."""
    return uncertain(found.mean, found.half_width, unit)


def uncertain(mean: float, half_width: float, unit: str) -> str:
    """The same of two numbers; where the second is not finite, nobody knows: ``12.3 s ±?``."""
    if isnan(mean):
        return NOTHING
    if isinf(mean):
        return NEVER
    if not isfinite(half_width):
        return f"{plain(mean, unit)} ±?"
    if not half_width:
        return plain(mean, unit)
    if unit == "share" and max(abs(mean), half_width) < _LEAST_SHARE:
        return plain(mean, unit)
    size = max(abs(mean), half_width)  # a difference near 0 is written in the unit of what is not known of it
    divisor, name = _scale(size, unit)
    mean, half_width, size = mean / divisor, half_width / divisor, size / divisor
    digits = max(min(_digits(size, 3), _digits(half_width, 2)), _digits(half_width, 1))
    digits = min(digits, _digits(size, 4))
    if unit == "share":
        digits = min(digits, _SHARE_DIGITS)
    if unit == "":
        digits = min(1, _digits(half_width, 1))
    half_width = ceil(half_width * 10**digits - _SLIP) / 10**digits  # never narrower than it is
    return f"{round(mean, digits) + 0.0:,.{digits}f}{name} ± {half_width:,.{digits}f}"


def plain(value: float, unit: str) -> str:
    """A number alone."""
    if not isfinite(value):
        return NOTHING if isnan(value) else NEVER
    if unit == "share" and 0 < abs(value) < _LEAST_SHARE:
        return "< 0.01 %" if value > 0 else "> -0.01 %"
    divisor, name = _scale(value, unit)
    return f"{count(value / divisor)}{name}"


def count(value: float) -> str:
    """Three digits that count, and every digit of a large whole number."""
    if not isfinite(value):
        return NOTHING if isnan(value) else NEVER
    if value == round(value) and abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _digits(value: float, wanted: int) -> int:
    """How many digits after the point show so many that count."""
    return max(0, wanted - 1 - floor(log10(abs(value)))) if value else 0


def _scale(value: float, unit: str) -> tuple[float, str]:
    """What a unit is divided by to be written, and its name behind the number."""
    if unit == "share":
        return 0.01, " %"
    steps = {"s": _STEPS, "bytes": _SIZES}.get(unit)
    if steps is None:
        return 1.0, _OTHERS.get(unit, f" {unit}")
    if not value:
        return 1.0, " s" if unit == "s" else " B"
    divisor, name = next((step for step in steps if abs(value) >= step[0]), steps[-1])
    return divisor, f" {name}"
