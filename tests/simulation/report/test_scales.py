"""Axes: round values, spelled as people write them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis_sim.report.scales import Axis, Scale, clock_ticks, scale, spell, ticks

finite = st.floats(-1e12, 1e12, allow_nan=False)


@given(finite, finite)
def test_ticks_lie_on_the_scale_and_are_few(one: float, other: float) -> None:
    """An axis that is crowded, or points outside its frame, is not read."""
    low, high = sorted((one, other))
    if high - low < max(abs(low), abs(high), 1e-9) * 1e-6:
        return
    found = ticks(Scale(low, high, 0, 100, False))
    slack = (high - low) * 1e-6
    assert all(low - slack <= value <= high + slack for value in found)
    assert 2 <= len(found) <= 14


@given(st.floats(1e-6, 1e6), st.floats(10, 1e6))
def test_a_logarithmic_axis_shows_decades(low: float, times: float) -> None:
    """Nothing between them, so that distances can be compared."""
    found = ticks(Scale(low, low * times, 0, 100, True))
    assert found
    assert all(later == pytest.approx(10 * earlier) for earlier, later in pairwise(found))


@given(finite, finite, finite)
def test_no_value_is_drawn_outside_the_frame(low: float, width: float, value: float) -> None:
    """Not even one that the axis does not cover."""
    found = Scale(low, low + abs(width) + 1, 10, 90, False)
    assert 10 <= found.at(value) <= 90


def test_an_axis_of_amounts_begins_at_nothing() -> None:
    """A cut axis makes small differences look large."""
    assert scale(Axis("documents"), [900, 1000], 0, 100).low == 0


@pytest.mark.parametrize("hours", [0.3, 3, 8, 24, 24 * 30])
def test_the_clock_is_marked_about_ten_times(hours: float) -> None:
    """From minutes to a month."""
    assert 1 <= len(clock_ticks(Scale(0, hours * 3600, 0, 100, False))) <= 11


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (0.0, "time", "0 s"),
        (0.00432, "time", "4.32 ms"),
        (75.0, "time", "1.25 min"),
        (8.5 * 3600, "clock", "08:30"),
        (26 * 3600, "clock", "day 2 02:00"),
        (0.251, "share", "25.1 %"),
        (2_000_000, "number", "2 M"),
        (1_536_000, "bytes", "1.54 MB"),
        (float("nan"), "number", "–"),
        (float("inf"), "time", "never"),
    ],
)
def test_values_are_spelled_with_their_units(value: float, kind: str, words: str) -> None:
    """Three digits say what a planner can use."""
    assert spell(value, kind) == words


@pytest.mark.parametrize(("high_s", "last"), [(2_100, "30 min"), (50, "50 s"), (7_000, "1.5 h"), (0.9, "800 ms")])
def test_times_are_marked_in_what_clocks_count_in(high_s: float, last: str) -> None:
    """Nobody counts in sixths of a quarter of an hour."""
    assert spell(ticks(Scale(0, high_s, 0, 100, False), 5, "time")[-1], "time") == last
