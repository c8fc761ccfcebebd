"""Quantities as planners write them; a wrong one is refused with what would be right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis_sim.capacity.plan import DAY_NS, HOUR_NS, MILLISECOND_NS, MINUTE_NS
from docaxis_sim.capacity.units import DURATION, RATE, SIZE, BadValue, Unit, clock, moment, share


@pytest.mark.parametrize(
    ("unit", "text", "worth"),
    [
        (RATE, "20 Mbit/s", 20_000_000),
        (RATE, "512kbit/s", 512_000),
        (SIZE, "640 kB", 640_000),
        (SIZE, "2 GB", 2_000_000_000),
        (SIZE, "64 KiB", 65_536),
        (DURATION, "0.3 ms", 300_000),
        (DURATION, "60 days", 60 * DAY_NS),
        (DURATION, "1.5 h", 90 * MINUTE_NS),
    ],
)
def test_a_quantity_is_read_exactly(unit: Unit, text: str, worth: int) -> None:
    """Decimal fractions are what people write; binary rounding on the way would make two ways to say one thing."""
    assert unit.read(text) == worth


@pytest.mark.parametrize(
    ("unit", "value", "hint"),
    [
        (RATE, 20, "no unit"),
        (RATE, "20", "not a rate"),
        (RATE, "20 mbit/s", "did you mean Mbit/s?"),
        (RATE, "20 MB", "not a unit of a rate"),
        (SIZE, "10 Mb", "did you mean MB?"),
        (DURATION, "5 minutes", "did you mean min?"),
        (SIZE, True, "not a size"),
        (SIZE, "1,5 GB", "not a size"),
    ],
)
def test_a_wrong_quantity_says_what_is_wanted(unit: Unit, value: object, hint: str) -> None:
    """A planner's bit is another one's byte: what could be either is not guessed."""
    with pytest.raises(BadValue) as refused:
        unit.read(value)
    assert hint in str(refused.value)


@given(st.sampled_from([RATE, SIZE, DURATION]), st.integers(0, 10**15))
def test_what_is_written_is_read_as_the_same(unit: Unit, number: int) -> None:
    """Reports and messages write quantities; whoever copies one into a file gets the same."""
    assert unit.read(unit.write(number)) == number


@given(st.integers(0, 24 * 60))
def test_a_time_of_day_is_counted_from_midnight(minutes: int) -> None:
    """Also midnight at the end of the day, 24:00."""
    assert clock(f"{minutes // 60:02}:{minutes % 60:02}") == minutes * MINUTE_NS


def test_a_moment_is_on_the_first_day_or_on_another() -> None:
    """Failures last over days."""
    assert moment("07:30") == 7 * HOUR_NS + 30 * MINUTE_NS
    assert moment("day 3 00:00:01") == 2 * DAY_NS + 1_000 * MILLISECOND_NS


@pytest.mark.parametrize("text", ["25:00", "8", "24:01", "day 0 08:00", "tomorrow", 8])
def test_what_is_no_moment_is_refused(text: object) -> None:
    """Day 0 would be the day before the simulation."""
    with pytest.raises(BadValue, match="write it such as"):
        moment(text)


def test_a_share_is_a_number_or_per_cent() -> None:
    """Both are how people say it."""
    assert share("5 %") == share(0.05) == 0.05
    for wrong in (1.5, "150 %", -0.1, True, "some"):
        with pytest.raises(BadValue, match="not a share"):
            share(wrong)
