"""Statistics: how sure a figure is; intervals from replications, pairs and batches, and the removal of a warm-up.

Numbers in, numbers out: nothing here knows what was simulated, and nothing draws. An interval around a percentile is
made from the percentiles of independent replications, never from one run's documents, which queue behind each other
and are not independent.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import cos, inf, isfinite, nan, pi, sin, sqrt, tan
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.plan import Float

CONFIDENCES: Final = (0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
"""What the command line offers; the arithmetic takes any between 0 and 1."""

BATCH: Final = 5
"""Observations per batch in MSER-5."""

NORMAL_95: Final = 1.6449
"""Below it lie 95 % of a standard normal distribution."""


class Interval(NamedTuple):
    """A mean of `n` independent values and the half-width around it that holds the truth with `confidence`.

    `half_width` is infinite where nothing can be said: one value alone, or values that are not finite.
    """

    mean: float
    half_width: float
    n: int
    confidence: float

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half_width if isfinite(self.half_width) else -inf

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half_width

    @property
    def relative(self) -> float:
        """Half-width as a share of the mean; 0 for an exact 0."""
        return 0.0 if self.half_width == 0 else self.half_width / abs(self.mean) if self.mean else inf


@lru_cache(maxsize=1024)
def student_t(confidence: float, degrees: int) -> float:
    """The factor t with which ``mean ± t·s/√n`` holds with `confidence`, for n − 1 = `degrees` ≥ 1.

    Student's distribution has a closed form for whole degrees of freedom (Abramowitz & Stegun 26.7.3 and 26.7.4);
    its inverse is found by halving, to the last bit that matters.
    """
    if not 0 < confidence < 1 or degrees < 1:
        raise ValueError("a confidence lies between 0 and 1, and an interval needs two values")
    low, high = 0.0, pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < confidence else (low, middle)
    return tan((low + high) / 2) * sqrt(degrees)


def _within(theta: float, degrees: int) -> float:
    """P(|T| < t) for ``theta = atan(t / √degrees)``."""
    if degrees == 1:
        return 2 * theta / pi
    odd = degrees % 2
    term = cos(theta) if odd else 1.0
    total = term
    for k in range(3 if odd else 2, degrees - 1, 2):
        term *= cos(theta) ** 2 * (k - 1) / k
        total += term
    return 2 / pi * (theta + sin(theta) * total) if odd else sin(theta) * total


def estimate(values: Sequence[float], confidence: float) -> Interval:
    """Student's interval around the mean of independent `values`, one per replication."""
    count = len(values)
    if not count:
        return Interval(nan, inf, 0, confidence)
    if not all(map(isfinite, values)):
        return Interval(inf if inf in values else nan, inf, count, confidence)
    mean = float(np.mean(values))
    if count == 1:
        return Interval(mean, inf, 1, confidence)
    spread = float(np.std(values, ddof=1))
    return Interval(mean, student_t(confidence, count - 1) * spread / sqrt(count), count, confidence)


def paired(before: Sequence[float], after: Sequence[float], confidence: float) -> Interval:
    """The mean of ``after − before``. It holds whenever the pairs are independent of each other, whatever the two of a
    pair share, and is narrow where they share much (common random numbers; Law 2015, §10.2.1)."""
    return estimate([b - a for a, b in zip(before, after, strict=True)], confidence)


def all_one_way(before: Sequence[float], after: Sequence[float], confidence: float) -> bool:
    """Whether all pairs that differ do so in one direction, and are too many for that to be luck: the sign test, which
    also judges what is infinite on one side. At 95 % it takes six pairs."""
    rises = [b > a for a, b in zip(before, after, strict=True) if a != b]
    return len(set(rises)) == 1 and 2 * 0.5 ** len(rises) <= 1 - confidence


def independent(before: Sequence[float], after: Sequence[float], confidence: float) -> Interval:
    """The mean of ``after − before`` of two samples that share nothing, neither arrivals nor a seed (Welch's interval,
    degrees rounded down). Nothing is known where a value is not finite."""
    if not all(map(isfinite, (*before, *after))):
        return Interval(nan, inf, min(len(before), len(after)), confidence)
    a, b = np.var(before, ddof=1) / len(before), np.var(after, ddof=1) / len(after)
    mean = float(np.mean(after) - np.mean(before))
    count = min(len(before), len(after))
    if a + b == 0:
        return Interval(mean, 0.0, count, confidence)
    degrees = int((a + b) ** 2 / (a**2 / (len(before) - 1) + b**2 / (len(after) - 1)))
    return Interval(mean, student_t(confidence, max(1, degrees)) * sqrt(float(a + b)), count, confidence)


def precise_enough(values: Sequence[float], confidence: float, precision: float) -> bool:
    """Whether the half-width is at most `precision` of the mean, so that sequential stopping may stop."""
    return estimate(values, confidence).relative <= precision


class WarmUp(NamedTuple):
    """How many of the first observations to leave out; `reached` is false where the series never settled."""

    cut: int
    reached: bool


def mser_5(values: Float) -> WarmUp:
    """MSER-5: the truncation with the smallest standard error over batches of five (White, Cobb & Spratt 2000; rules
    of use as White & Robinson 2010). A cut in the second half says that the run is too short to be called steady."""
    batches = len(values) // BATCH
    if batches < 4:
        return WarmUp(0, False)
    means = values[: batches * BATCH].reshape(batches, BATCH).mean(axis=1)
    means = means - means.mean()  # sums of squares of small numbers keep their digits
    left = np.arange(batches, 0, -1)
    total = np.cumsum(means[::-1])[::-1]
    squares = np.cumsum((means**2)[::-1])[::-1]
    error = (squares - total**2 / left) / left.astype(np.float64) ** 2
    cut = int(np.argmin(error[: batches - 3]))
    if cut > batches // 2:
        return WarmUp(0, False)
    return WarmUp(cut * BATCH, True)


class BatchMeans(NamedTuple):
    """An interval from one long run. `lag_1` is the correlation of neighbouring batches, the only one that is looked
    at; `believable` says that it is no greater than that of independent ones would be in 95 of 100 cases (von Neumann's
    test)."""

    interval: Interval
    lag_1: float
    believable: bool


def batch_means(means: Float, confidence: float) -> BatchMeans:
    """The interval around a figure of one long run, from its values in successive equal parts (10–30 are usual, Law
    2015, §9.5.3)."""
    found = estimate(means.tolist(), confidence)
    if len(means) < 3 or not isfinite(found.mean):
        return BatchMeans(found, nan, False)
    around = means - means.mean()
    spread = float(around @ around)
    lag_1 = float(around[1:] @ around[:-1]) / spread if spread else 0.0
    return BatchMeans(found, lag_1, lag_1 <= NORMAL_95 / sqrt(len(means)))
