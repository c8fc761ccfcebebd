"""Compare: what was measured beside what was predicted, and whether that is within the goals.

Arithmetic on times; nothing is carried here, neither by nodes nor by engines.
"""

import statistics
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from tools.calibration.load import SECOND_NS, Load

THROUGHPUT_GOAL: Final = 0.05
LATENCY_GOAL: Final = 0.25
JUDGED_SHARES: Final = (0.3, 0.6)


class Figures(NamedTuple):
    """Of one load, measured or predicted: documents at home per second, and mean and percentiles from the planned
    moment of submission until arrived and until home, ms. `last_s`: when the last was home."""

    per_s: float
    arrived_mean_ms: float
    arrived_p50_ms: float
    arrived_p99_ms: float
    home_p50_ms: float
    home_p99_ms: float
    last_s: float
    missing: int


def figures(load: Load, arrived_ns: Sequence[int], home_ns: Sequence[int], window_s: float) -> Figures:
    """Figures of a load. `window_s`: documents at home by then are counted for the rate; 0 means until the last."""
    born = [birth.at_ns for birth in load.births for _ in birth.to]
    arrived = [there - at for there, at in zip(arrived_ns, born, strict=True) if there >= 0]
    home = [there - at for there, at in zip(home_ns, born, strict=True) if there >= 0]
    last_s = max(home_ns, default=0) / SECOND_NS
    seconds = window_s or last_s
    done = sum(0 <= there <= seconds * SECOND_NS for there in home_ns)
    return Figures(
        done / seconds if seconds else 0.0,
        statistics.fmean(arrived) / 1e6 if arrived else 0.0,
        percentile(arrived, 50) / 1e6,
        percentile(arrived, 99) / 1e6,
        percentile(home, 50) / 1e6,
        percentile(home, 99) / 1e6,
        last_s,
        sum(there < 0 for there in home_ns),
    )


def drain_s(load: Load, home_ns: Sequence[int], off: Sequence[tuple[int, int, int]]) -> float:
    """How long after a node was back the last document was home that was born for it while it was off; 0 if none."""
    keys = [(birth.at_ns, to) for birth in load.births for to in birth.to]
    found = [
        (home - until_ns) / SECOND_NS
        for node, from_ns, until_ns in off
        for (at_ns, to), home in zip(keys, home_ns, strict=True)
        if to == node and from_ns <= at_ns < until_ns and home >= 0
    ]
    return max(found, default=0.0)


def percentile(values: Sequence[float], q: int) -> float:
    """The q-th percentile, interpolated; 0 of nothing."""
    if len(values) < 2:
        return float(values[0]) if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[q - 1]


def middle(found: Sequence[Figures]) -> Figures:
    """The median of each figure over repeats."""
    return Figures(*(statistics.median(values) for values in zip(*found, strict=True)))


def ratios(predicted: Figures, measured: Figures) -> dict[str, float]:
    """Predicted over measured, by figure."""
    pairs = zip(Figures._fields, predicted, measured, strict=True)
    return {name: round(guess / found, 3) for name, guess, found in pairs if found and name != "missing"}


def verdict(found: dict[str, float]) -> dict[str, bool]:
    """Whether each ratio is within its goal."""
    return {
        name: abs(ratio - 1) <= (THROUGHPUT_GOAL if name == "per_s" else LATENCY_GOAL)
        for name, ratio in found.items()
        if name != "last_s"
    }


def row(name: str, measured: Figures, predicted: Figures, crowded: Figures) -> dict[str, Any]:
    """One load in a table: what was measured, what a planner is told, and what the table of a shared host makes of
    it."""
    shown = {"measured": measured, "predicted": predicted, "crowded": crowded}
    ratio, beside = ratios(predicted, measured), ratios(crowded, measured)
    return {
        "load": name,
        **{each: {key: round(value, 3) for key, value in found._asdict().items()} for each, found in shown.items()},
        "ratio": ratio,
        "within": verdict(ratio),
        "ratio_crowded": beside,
        "within_crowded": verdict(beside),
    }
