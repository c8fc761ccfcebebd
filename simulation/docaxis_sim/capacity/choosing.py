"""Choosing: who of many, as columns: one of a weighted list, some number, some distinct members.

Pure arithmetic on uniform numbers, so that the i-th document's choice depends on the i-th numbers alone. What is chosen
from, and why, is decided elsewhere.
"""

import numpy as np

from docaxis_sim.capacity.plan import Float, Int64

_ROWS_AT_ONCE = 1 << 15


def weighted(uniform: Float, weights: Float) -> Int64:
    """An index for each uniform number, with probability in proportion to the weights (some positive)."""
    edges = np.cumsum(weights, dtype=np.float64)
    return np.asarray(np.searchsorted(edges, uniform * edges[-1], side="right"), np.int64)


def geometric(uniform: Float, mean: float, largest: int) -> Int64:
    """Numbers from 1 to `largest`, geometric and cut off there, whose mean is `mean` with the cut."""
    if mean <= 1 or largest <= 1:
        return np.ones(len(uniform), np.int64)
    if mean >= largest:
        return np.full(len(uniform), largest, np.int64)
    stays = _success(mean, largest)
    drawn = np.ceil(np.log1p(-uniform) / np.log1p(-stays))
    return np.asarray(np.clip(drawn, 1, largest), np.int64)


def _success(mean: float, largest: int) -> float:
    """The geometric law's parameter p: the mean with the cut is (1 - (1-p)^largest) / p, which falls as p grows."""
    low, high = 1e-12, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if -np.expm1(largest * np.log1p(-middle)) / middle > mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def distinct(uniform: Float, wanted: Int64, available: Int64) -> Int64:
    """For each row i, `wanted[i]` different numbers below `available[i]`, every set equally likely.

    `uniform` has a number for each member of each row, row after row, and so has the result. Floyd's algorithm
    (Bentley and Floyd, CACM 30(9), 1987), for many rows at once.
    """
    if not len(wanted) or wanted.max() <= 1:
        return _below(uniform, available[wanted > 0])
    chosen = np.empty(len(uniform), np.int64)
    ends = np.cumsum(wanted)
    for first in range(0, len(wanted), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        begin, end = int(ends[first] - wanted[first]), int(ends[rows][-1])
        chosen[begin:end] = _distinct_rows(uniform[begin:end], wanted[rows], available[rows])
    return chosen


def _distinct_rows(uniform: Float, wanted: Int64, available: Int64) -> Int64:
    """As `distinct`, for a few rows: column by column, those rows that still want one."""
    order = np.argsort(-wanted, kind="stable")
    many, size = wanted[order], available[order]
    offset = (np.cumsum(wanted) - wanted)[order]
    table = np.full((int(many[0]), len(order)), -1, np.int64)
    chosen = np.empty(len(uniform), np.int64)
    for column in range(len(table)):
        active = int(np.searchsorted(-many, -column))
        top = size[:active] - many[:active] + column
        drawn = _below(uniform[offset[:active] + column], top + 1)
        taken = (table[:column, :active] == drawn).any(axis=0)
        table[column, :active] = np.where(taken, top, drawn)
        chosen[offset[:active] + column] = table[column, :active]
    return chosen


def _below(uniform: Float, limit: Int64) -> Int64:
    return np.minimum((uniform * limit).astype(np.int64), limit - 1)
