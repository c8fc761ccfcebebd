"""Profiles: how documents spread over a day, and exact arrival times from them.

An intensity is piecewise linear and may be zero or jump. Who sends what is decided elsewhere.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.plan import DAY_NS, Float, Int64

Profile = tuple[tuple[int, float], ...]
"""Pairs of nanoseconds after midnight, never decreasing, and relative intensity; linear in between, zero outside. Two
pairs at one time are a jump."""

_DRAWN_AT_ONCE: Final = 1 << 16


class Intensity(NamedTuple):
    """Expected documents over time, a row per linear piece: the day it is in and where in that day it begins and how
    long it is (ns), the intensity at both ends (documents per ns), and how many are expected `before` it."""

    day_ns: Int64
    from_ns: Float
    length_ns: Float
    rate_from: Float
    rate_to: Float
    before: Float
    total: float


def intensity(profile: Profile, per_day: Sequence[float]) -> Intensity:
    """The profile on each of some days; on day d, `per_day[d]` documents are expected."""
    times, heights = (np.array(column, np.float64) for column in zip(*profile, strict=True))
    length = np.diff(times)
    mass = length * (heights[:-1] + heights[1:]) / 2
    used, area = mass > 0, mass.sum()
    expected = np.array(per_day, np.float64)
    days = np.flatnonzero(expected > 0) if area > 0 else np.zeros(0, np.int64)
    pieces = int(used.sum())
    share = np.repeat(expected[days], pieces) / (area or 1.0)
    before = np.concatenate([[0.0], np.cumsum(np.tile(mass[used], len(days)) * share)])
    return Intensity(
        day_ns=np.repeat(days.astype(np.int64) * DAY_NS, pieces),
        from_ns=np.tile(times[:-1][used], len(days)),
        length_ns=np.tile(length[used], len(days)),
        rate_from=np.tile(heights[:-1][used], len(days)) * share,
        rate_to=np.tile(heights[1:][used], len(days)) * share,
        before=before[:-1],
        total=float(before[-1]),
    )


def arrivals(chance: np.random.Generator, wanted: Intensity) -> Int64:
    """Times of a Poisson process with this intensity, in order.

    Exact: a process of rate one is drawn and sent through the inverse of the expected number (Çınlar 1975; Law,
    *Simulation Modeling and Analysis*, §8.6.2). The i-th document keeps its place when the load changes: it only comes
    earlier or later.
    """
    gaps: list[Float] = []
    reached = 0.0
    while reached < wanted.total:
        drawn = reached + np.cumsum(chance.standard_exponential(_DRAWN_AT_ONCE))
        reached = float(drawn[-1])
        gaps.append(drawn)
    expected = np.concatenate(gaps) if gaps else np.zeros(0)
    return _inverse(wanted, expected[: np.searchsorted(expected, wanted.total)])


def _inverse(wanted: Intensity, expected: Float) -> Int64:
    """When so many documents are expected to have come. Within a piece, the root of a quadratic in the form that is
    exact for a flat one too."""
    piece = np.searchsorted(wanted.before, expected, side="right") - 1
    left = expected - wanted.before[piece]
    low, length = wanted.rate_from[piece], wanted.length_ns[piece]
    slope = (wanted.rate_to[piece] - low) / length
    root = low + np.sqrt(np.maximum(low * low + 2 * slope * left, 0.0))
    into = np.divide(2 * left, root, out=np.zeros_like(left), where=root > 0)
    return wanted.day_ns[piece] + (wanted.from_ns[piece] + np.minimum(into, length)).astype(np.int64)
