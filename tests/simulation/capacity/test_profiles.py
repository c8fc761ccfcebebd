"""Profiles: arrivals are a Poisson process with exactly the intensity that is drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from docaxis_sim.capacity.chance import generator
from docaxis_sim.capacity.plan import DAY_NS, HOUR_NS
from docaxis_sim.capacity.profiles import Profile, arrivals, intensity

JAGGED: Profile = (
    (1 * HOUR_NS, 0.0),
    (3 * HOUR_NS, 2.0),
    (3 * HOUR_NS, 0.5),
    (6 * HOUR_NS, 0.5),
    (8 * HOUR_NS, 0.0),
    (20 * HOUR_NS, 0.0),
    (22 * HOUR_NS, 1.0),
)


def share_before(profile: Profile, time_ns: np.ndarray) -> np.ndarray:
    """The part of a day's documents that comes before each time, by a fine sum instead of a formula."""
    ticks = np.linspace(0, DAY_NS, 500_001)
    at, height = (np.array(column, float) for column in zip(*profile, strict=True))
    fine = np.interp((ticks[1:] + ticks[:-1]) / 2, at, height, left=0.0, right=0.0)
    return np.asarray(np.interp(time_ns, ticks, np.concatenate([[0.0], np.cumsum(fine)]) / fine.sum()))


def test_arrivals_follow_the_profile_even_over_jumps_and_pauses() -> None:
    """Kolmogorov and Smirnov find no difference to the integral of the intensity."""
    times = arrivals(generator(1, 0, "arrivals"), intensity(JAGGED, [50_000]))
    assert stats.kstest(share_before(JAGGED, times), "uniform").pvalue > 0.01


def test_counts_scatter_like_poissons_law() -> None:
    """The mean and the variance of a Poisson process's counts are both what is expected."""
    counts = [len(arrivals(generator(1, number, "a"), intensity(JAGGED, [400]))) for number in range(400)]
    assert np.mean(counts) == pytest.approx(400, rel=0.02)
    assert np.var(counts) == pytest.approx(400, rel=0.25)


def test_nothing_comes_while_the_intensity_is_zero() -> None:
    """A rate of zero is legal and neither stops nor floods a day."""
    times = arrivals(generator(1, 0, "a"), intensity(JAGGED, [20_000])) / HOUR_NS
    assert not ((times > 8) & (times < 20)).any()
    assert times.min() >= 1
    assert times.max() <= 22


def test_every_day_has_its_own_number_and_a_day_may_have_none() -> None:
    """Mondays are heavier, and Sundays empty."""
    times = arrivals(generator(1, 0, "a"), intensity(JAGGED, [3000, 0, 1000]))
    per_day = np.bincount(times // DAY_NS, minlength=3)
    assert per_day[1] == 0
    assert per_day[0] == pytest.approx(3000, rel=0.1)
    assert per_day[2] == pytest.approx(1000, rel=0.15)


@pytest.mark.parametrize("profile", [((0, 0.0), (DAY_NS, 0.0)), JAGGED])
def test_no_traffic_is_no_arrivals(profile: Profile) -> None:
    """Neither a profile of nothing nor nothing to spread is a fault."""
    assert len(arrivals(generator(1, 0, "a"), intensity(profile, [0.0, 0.0]))) == 0


def test_more_load_brings_each_document_earlier_and_keeps_its_number() -> None:
    """With common random numbers, the i-th document of both loads is the same one."""
    low = arrivals(generator(1, 0, "a"), intensity(JAGGED, [1000]))
    high = arrivals(generator(1, 0, "a"), intensity(JAGGED, [1300]))
    assert len(high) > len(low)
    assert (high[: len(low)] <= low).all()


@given(
    st.lists(st.tuples(st.integers(0, DAY_NS), st.sampled_from([0.0, 0.2, 1.0, 7.0])), min_size=2, max_size=6),
    st.sampled_from([0.0, 3.0, 200.0]),
)
def test_times_are_in_order_and_inside_the_day(points: list[tuple[int, float]], expected: float) -> None:
    """Whatever the shape, steep, flat, or of no width at all."""
    times = arrivals(generator(1, 0, "a"), intensity(tuple(sorted(points)), [expected]))
    assert (np.diff(times) >= 0).all()
    assert ((times >= min(points)[0]) & (times <= max(points)[0])).all()
