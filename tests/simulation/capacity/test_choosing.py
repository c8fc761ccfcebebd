"""Choosing: fair, distinct, and each row by its own numbers alone."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from docaxis_sim.capacity import choosing
from docaxis_sim.capacity.chance import generator


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), min_size=1, max_size=40))
def test_rows_get_different_members_that_exist(rows: list[tuple[int, int]]) -> None:
    """A document never goes twice to one recipient."""
    available = np.array([size for size, _ in rows])
    wanted = np.minimum(np.array([many for _, many in rows]), available)
    found = choosing.distinct(generator(1, 0, "a").random(int(wanted.sum())), wanted, available)
    for members, size in zip(np.split(found, np.cumsum(wanted)[:-1]), available, strict=True):
        assert len(set(members.tolist())) == len(members)
        assert ((members >= 0) & (members < size)).all()


def test_every_set_is_equally_likely() -> None:
    """Three of five, many times: ten sets, and none preferred."""
    many = 20_000
    found = choosing.distinct(generator(1, 0, "a").random(3 * many), np.full(many, 3), np.full(many, 5))
    counts = Counter(tuple(sorted(row)) for row in found.reshape(-1, 3).tolist())
    assert len(counts) == 10
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


def test_a_row_does_not_depend_on_the_rows_after_it() -> None:
    """More load leaves the choices of the first documents as they were."""
    wanted, available = np.tile([1, 4, 2, 7], 20_000), np.tile([9, 4, 30, 12], 20_000)
    uniform = generator(1, 0, "a").random(int(wanted.sum()))
    few = choosing.distinct(uniform[: int(wanted[:500].sum())], wanted[:500], available[:500])
    assert (choosing.distinct(uniform, wanted, available)[: len(few)] == few).all()


@pytest.mark.parametrize(("mean", "largest"), [(1.0, 40), (5.0, 40), (5.0, 6), (38.0, 40), (40.0, 40), (2.0, 1)])
def test_the_mean_is_what_was_asked_for_in_spite_of_the_cut(mean: float, largest: int) -> None:
    """A geometric law that is cut off has a smaller mean unless its parameter makes up for it."""
    drawn = choosing.geometric(generator(1, 0, "a").random(100_000), mean, largest)
    assert drawn.min() >= 1
    assert drawn.max() <= largest
    assert drawn.mean() == pytest.approx(min(mean, largest), rel=0.02)


def test_weights_are_kept_and_what_weighs_nothing_is_never_chosen() -> None:
    """A node without people sends nothing when senders go by people."""
    found = choosing.weighted(generator(1, 0, "a").random(100_000), np.array([0.0, 3.0, 0.0, 1.0, 0.0]))
    assert np.bincount(found, minlength=5) / len(found) == pytest.approx([0, 0.75, 0, 0.25, 0], abs=0.01)
