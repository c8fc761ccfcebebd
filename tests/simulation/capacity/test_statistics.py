"""Intervals are as wide as the field's textbooks say, and warm-ups are found where they end."""

from math import inf, isinf, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from docaxis_sim.capacity import statistics as ours


@given(st.sampled_from(ours.CONFIDENCES), st.integers(1, 400))
def test_quantiles_of_student_are_those_of_another_library(confidence: float, degrees: int) -> None:
    """A closed form of our own needs a second opinion."""
    assert ours.student_t(confidence, degrees) == pytest.approx(stats.t.ppf(0.5 + confidence / 2, degrees), rel=1e-10)


@pytest.mark.parametrize(("confidence", "degrees"), [(0.0, 3), (1.0, 3), (0.95, 0)])
def test_what_has_no_quantile_is_refused(confidence: float, degrees: int) -> None:
    """Certainty needs infinitely many values, and one value has no spread."""
    with pytest.raises(ValueError, match="confidence"):
        ours.student_t(confidence, degrees)


def test_an_interval_is_that_of_another_library() -> None:
    """The whole estimate, not only its factor."""
    values = [3.0, 4.5, 2.2, 5.1, 3.3]
    found = ours.estimate(values, 0.95)
    expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    """The promise of a 95 % interval, over 400 experiments of five replications."""
    chance = np.random.default_rng(5)
    intervals = [ours.estimate(chance.normal(7, 2, 5).tolist(), 0.95) for _ in range(400)]
    assert 0.92 <= np.mean([each.low <= 7 <= each.high for each in intervals]) <= 0.98


def test_one_value_says_nothing_about_how_sure_it_is() -> None:
    """No figure without its interval: of one replication it is endless."""
    found = ours.estimate([4.0], 0.95)
    assert found.mean == 4
    assert isinf(found.half_width)
    assert found.low == -inf
    assert isinf(found.relative)


def test_what_never_happens_in_one_replication_is_never_known() -> None:
    """A percentile that is infinite once must not be averaged away."""
    assert ours.estimate([1.0, inf], 0.95).mean == inf
    assert isnan(ours.estimate([1.0, float("nan")], 0.95).mean)
    assert isnan(ours.estimate([], 0.95).mean)


def test_equal_values_have_an_interval_of_no_width() -> None:
    """Counts that are the same in every replication are exact, also when they are 0."""
    assert ours.estimate([0.0, 0.0, 0.0], 0.95).relative == 0
    assert ours.precise_enough([2.0, 2.0], 0.95, 0.01)
    assert not ours.precise_enough([1.0, 3.0], 0.95, 0.5)


def test_pairs_see_a_difference_that_independent_samples_do_not() -> None:
    """Common random numbers: what both share drops out."""
    chance = np.random.default_rng(2)
    luck = chance.normal(100, 20, 10)
    before, after = luck + chance.normal(0, 1, 10), luck + 5 + chance.normal(0, 1, 10)
    assert ours.paired(before.tolist(), after.tolist(), 0.95).low > 0
    assert ours.independent(before.tolist(), after.tolist(), 0.95).low < 0


def test_the_interval_of_independent_samples_is_welchs() -> None:
    """Unequal spreads; degrees of freedom rounded down make it a little wider, never narrower."""
    before, after = [1.0, 2.0, 3.0, 4.0], [10.0, 30.0, 20.0, 60.0, 5.0]
    found = ours.independent(before, after, 0.9)
    expected = stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.9)
    assert found.mean == pytest.approx(np.mean(after) - np.mean(before))
    assert found.low <= expected.low
    assert found.high >= expected.high
    assert found.half_width < 1.2 * (expected.high - expected.low) / 2


def test_samples_without_spread_differ_for_sure() -> None:
    """Two constants."""
    assert ours.independent([1.0, 1.0], [3.0, 3.0], 0.95) == ours.Interval(2.0, 0.0, 2, 0.95)


def test_what_is_infinite_in_an_independent_sample_leaves_nothing_known() -> None:
    """Not an error: a percentile may be infinite in one replication of many."""
    found = ours.independent([1.0, 2.0, inf], [3.0, 4.0], 0.95)
    assert isnan(found.mean)
    assert isinf(found.half_width)


def test_pairs_hold_the_truth_also_where_what_they_share_pulls_apart() -> None:
    """One seed on both sides makes samples dependent, here against each other: pairs know it, Welch's does not."""
    chance = np.random.default_rng(8)
    held = {ours.paired: 0, ours.independent: 0}
    for _ in range(400):
        luck = chance.normal(0, 2, 6)
        before, after = (luck + chance.normal(10, 0.5, 6)).tolist(), (-luck + chance.normal(10, 0.5, 6)).tolist()
        for interval in held:
            found = interval(before, after, 0.95)
            held[interval] += found.low <= 0 <= found.high
    assert 0.92 <= held[ours.paired] / 400 <= 0.98
    assert held[ours.independent] / 400 < 0.9


@pytest.mark.parametrize(("before", "after", "sure"), [
    ([1.0] * 6, [inf] * 6, True),
    ([inf] * 6, [1.0] * 6, True),
    ([1.0] * 5, [inf] * 5, False),
    ([1.0] * 6, [inf] * 5 + [0.5], False),
    ([inf] * 6, [inf] * 6, False),
])  # fmt: skip
def test_a_sign_needs_six_pairs_that_agree(before: list[float], after: list[float], sure: bool) -> None:
    """Five of five is luck in one of sixteen cases, more often than one in twenty."""
    assert ours.all_one_way(before, after, 0.95) is sure


def test_mser_5_cuts_where_a_transient_ends() -> None:
    """White, Cobb and Spratt's rule on a series that starts far away and settles."""
    chance = np.random.default_rng(3)
    series = 50 * np.exp(-np.arange(4000) / 60) + chance.normal(10, 1, 4000)
    cut = ours.mser_5(series)
    assert cut.reached
    assert 150 <= cut.cut <= 600
    assert cut.cut % ours.BATCH == 0


def test_mser_5_leaves_a_steady_series_almost_whole() -> None:
    """Nothing is thrown away without a reason."""
    assert ours.mser_5(np.random.default_rng(4).normal(10, 1, 5000)).cut < 1000


def test_mser_5_does_not_call_a_growing_queue_steady() -> None:
    """A cut in the second half means that the run is too short, or that there is no steady state at all."""
    assert ours.mser_5(np.arange(5000.0) ** 2) == ours.WarmUp(0, False)
    assert ours.mser_5(np.arange(9.0)) == ours.WarmUp(0, False)


def test_batch_means_of_independent_values_are_believable() -> None:
    """One long run, cut into parts that know nothing of each other."""
    found = ours.batch_means(np.random.default_rng(6).normal(5, 1, (20, 1000)).mean(axis=1), 0.95)
    assert found.believable
    assert found.interval.n == 20
    assert found.interval.low < 5 < found.interval.high


def test_batch_means_of_a_slow_process_are_not() -> None:
    """Batches shorter than the memory of the queue look alike, and their interval would be far too narrow."""
    slow = np.cumsum(np.random.default_rng(7).normal(0, 1, 2000))
    found = ours.batch_means(slow.reshape(20, 100).mean(axis=1), 0.95)
    assert not found.believable
    assert found.lag_1 > 0.5
    assert not ours.batch_means(slow[:2], 0.95).believable
