"""Scales: where a value lies on an axis, which values are written along it, and how they are spelled.

Pure functions of numbers; nothing here draws.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TIMES_S = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_TIME_TICKS_S = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 60.0, 600.0, 3_600.0, 36_000.0, 86_400.0, 864_000.0)
_TIME_STEPS_S = (2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
_COUNTS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


class Axis(NamedTuple):
    """`kind` says how values are spelled: number, time (seconds), clock (seconds after midnight), share, bytes."""

    label: str
    kind: str = "number"
    log: bool = False
    low: float | None = None
    high: float | None = None


class Scale(NamedTuple):
    """From `low`…`high` to pixels `start`…`end`; logarithmic if `log`."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def at(self, value: float) -> float:
        """The pixel of a value; what lies outside is put on the edge."""
        value = min(max(value, self.low), self.high)
        if self.log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def scale(axis: Axis, values: Sequence[float], start: float, end: float) -> Scale:
    """The scale of an axis for what is to be shown on it; a log scale leaves out what is not positive."""
    shown = [value for value in values if math.isfinite(value) and (not axis.log or value > 0)]
    low = axis.low if axis.low is not None else min(shown, default=1.0 if axis.log else 0.0)
    high = axis.high if axis.high is not None else max(shown, default=low + 1)
    if axis.log:
        return Scale(low, max(high, low * 10), start, end, True)
    if axis.low is None and low > 0 and axis.kind != "clock":
        low = 0.0
    return Scale(low, high if high > low else low + 1, start, end, False)


def ticks(found: Scale, count: int = 6, kind: str = "number") -> list[float]:
    """Values to write along a scale: round ones, or the decades of a logarithmic one (of time: what clocks count
    in)."""
    if found.log and kind == "time":
        return [value for value in _TIME_TICKS_S if found.low <= value <= found.high]
    if found.log:
        first, last = math.ceil(math.log10(found.low) - 1e-9), math.floor(math.log10(found.high) + 1e-9)
        return [10.0**power for power in range(first, last + 1)]
    rough = (found.high - found.low) / count
    if kind == "time" and rough > 1:
        step = next((step for step in _TIME_STEPS_S if step >= rough * 0.999), 86_400.0 * math.ceil(rough / 86_400))
        return [step * n for n in range(math.ceil(found.low / step), math.floor(found.high / step + 1e-9) + 1)]
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(step * magnitude for step in _STEPS if step * magnitude >= rough * 0.999)
    first = math.ceil(found.low / step - 1e-9)
    return [step * n for n in range(first, math.floor(found.high / step + 1e-9) + 1)]


def clock_ticks(found: Scale) -> list[float]:
    """Whole hours, or several of them, along a scale of seconds after midnight."""
    hours = (found.high - found.low) / 3_600
    step = next((step for step in (0.25, 0.5, 1, 2, 3, 6, 12, 24) if hours / step <= 10), 24.0 * math.ceil(hours / 240))
    first = math.ceil(found.low / 3_600 / step)
    return [3_600 * step * n for n in range(first, math.floor(found.high / 3_600 / step) + 1)]


def spell(value: float, kind: str) -> str:
    """A value as people write it, with its unit; what is infinite is never, what there is not is –."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "never"
    if kind == "clock":
        day, minutes = divmod(round(value / 60), 24 * 60)
        return (f"day {day + 1} " if day else "") + f"{minutes // 60:02d}:{minutes % 60:02d}"
    if kind == "share":
        return f"{_short(value * 100)} %"
    if kind == "time":
        size, unit = next(((size, unit) for size, unit in _TIMES_S if abs(value) >= size), _TIMES_S[-1])
        return "0 s" if value == 0 else f"{_short(value / size)} {unit}"
    for size, prefix in _COUNTS:
        if abs(value) >= size:
            return f"{_short(value / size)} {prefix}" + ("B" if kind == "bytes" else "")
    return _short(value) + (" B" if kind == "bytes" else "")


def _short(value: float) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    shown = f"{value:.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
