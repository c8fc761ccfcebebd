"""Ratios: a difference between two answers as a multiple of the first, for the eye.

Nothing is estimated here: the interval is that of the difference, as a share of the first one's mean.
"""

from math import inf, isfinite, isinf, nan

from docaxis_sim.capacity.study import Difference
from docaxis_sim.report.plots import Ratio
from docaxis_sim.report.tables import metric


def ratio(each: Difference, name: str, alone: bool = False) -> Ratio:
    """A difference as a multiple of the first, where there is one; `name` stands before it, behind it both figures, or
    the second `alone`."""
    base, apart = each.a.mean, each.difference
    words = metric(each.metric, each.b)
    if not alone:
        words = f"{metric(each.metric, each.a)} → {words}"
    if not (isfinite(base) and base > 0 and isfinite(apart.mean)):
        same = apart.mean == 0 or (isinf(each.a.mean) and isinf(each.b.mean))
        return Ratio(name, 1.0 if same else nan, 1.0, 1.0, words, each.sure)
    low, high = (1 + end / base if isfinite(end) else inf for end in (apart.low, apart.high))
    return Ratio(name, 1 + apart.mean / base, low, high, words, each.sure)
