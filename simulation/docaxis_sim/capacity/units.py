"""Units: quantities as planners write them, such as "20 Mbit/s", "640 kB", "40 ms", "08:00", to whole numbers and back.

Nothing here knows which field wants which quantity. A bare number is refused: a planner's bit is another one's byte.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from docaxis_sim.capacity.mistakes import nearest
from docaxis_sim.capacity.plan import DAY_NS, HOUR_NS, MILLISECOND_NS, MINUTE_NS, SECOND_NS

_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
_QUANTITY: Final = re.compile(rf"(-?{_NUMBER})\s*([^\s\d.]\S*)")
_PERCENT: Final = re.compile(rf"({_NUMBER})\s*%")
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?")
_MOMENT: Final = re.compile(rf"(?:day ([1-9][0-9]{{0,3}}) )?({_CLOCK.pattern})")


class BadValue(ValueError):
    """A value that cannot be meant; the text says what is wanted."""


class Unit(NamedTuple):
    """A kind of quantity: what it is called, its units by their worth, and how one is written."""

    name: str
    worth: Mapping[str, int]
    example: str

    def pattern(self, sign: str = "") -> str:
        """A regular expression of exactly what is accepted, after an optional `sign`, for the JSON Schema."""
        return rf"^{sign}{_NUMBER}\s*({'|'.join(self.worth)})$"

    def read(self, value: object) -> int:
        """The quantity in its smallest unit, rounded to a whole number; raises `BadValue`."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise BadValue(f'{value} has no unit; write {self.name} such as "{self.example}"')
        found = _QUANTITY.fullmatch(value.strip()) if isinstance(value, str) else None
        if not found:
            raise BadValue(f'{shown(value)} is not {self.name}; write it such as "{self.example}"')
        number, unit = found.groups()
        if unit not in self.worth:
            hint = nearest(unit, self.worth) or f"the units are {', '.join(self.worth)}"
            raise BadValue(f"{shown(value)}: {unit} is not a unit of {self.name}; {hint}")
        return round(Fraction(number) * self.worth[unit])

    def write(self, number: int) -> str:
        """The shortest way to write a whole number of the smallest unit exactly."""
        ways = [(f"{number / worth:.15f}".rstrip("0").rstrip("."), unit) for unit, worth in self.worth.items()]
        exact = [f"{text} {unit}" for text, unit in ways if Fraction(text) * self.worth[unit] == number]
        return min(exact, key=len, default=f"{number} {next(iter(self.worth))}")


RATE: Final = Unit(
    "a rate", {"bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9, "Tbit/s": 10**12}, "20 Mbit/s"
)
SIZE: Final = Unit(
    "a size",
    {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30},
    "640 kB",
)
DURATION: Final = Unit(
    "a duration",
    {
        "ns": 1,
        "us": 10**3,
        "µs": 10**3,
        "ms": MILLISECOND_NS,
        "s": SECOND_NS,
        "min": MINUTE_NS,
        "h": HOUR_NS,
        "day": DAY_NS,
        "days": DAY_NS,
        "weeks": 7 * DAY_NS,
    },
    "40 ms",
)

SHARE_PATTERN: Final = f"^{_PERCENT.pattern}$"
CLOCK_PATTERN: Final = f"^{_CLOCK.pattern}$"
MOMENT_PATTERN: Final = f"^{_MOMENT.pattern}$"


def share(value: object) -> float:
    """A share as a number from 0 to 1, or as "10 %"; raises `BadValue`."""
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    number = float(Fraction(found[1]) / 100) if found else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise BadValue(f'{shown(value)} is not a share; write it such as 0.1 or "10 %"')
    return float(number)


def clock(value: object) -> int:
    """A time of day such as "08:00" (up to "24:00") as nanoseconds after midnight; raises `BadValue`."""
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    nanoseconds = _of_day(found) if found else DAY_NS + 1
    if nanoseconds > DAY_NS:
        raise BadValue(f'{shown(value)} is not a time of day; write it such as "08:00"')
    return nanoseconds


def moment(value: object) -> int:
    """A time of day, on the first day or on another as in "day 2 07:30", as nanoseconds after the first midnight."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise BadValue(f'{shown(value)} is not a moment; write it such as "08:00" (on the first day) or "day 2 08:00"')
    return (int(found[1] or 1) - 1) * DAY_NS + clock(found[2])


def shown(value: object) -> str:
    """A value as it stands in the file, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _of_day(found: re.Match[str]) -> int:
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * HOUR_NS + minutes * MINUTE_NS + seconds * SECOND_NS
