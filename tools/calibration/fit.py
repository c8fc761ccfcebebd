"""Fit: costs from what processes used and what they did meanwhile; non-negative least squares, and nothing below it.

Pure: rows come in, costs and their spread come out. What is measured how, `tools.calibration.measure` says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import nnls


class Row(NamedTuple):
    """What one process used in one load (`cpu_ns`, all its threads), and how often it did each thing by name."""

    name: str
    cpu_ns: int
    did: Mapping[str, float]


class Fit(NamedTuple):
    """`ns` per thing. `low_ns` and `high_ns`: the 5th and 95th percentile over `samples` draws of rows (bootstrap).
    `error`: the median of what rows differ from the fit, relative. `rows`: each row with measured and fitted ms."""

    ns: dict[str, float]
    low_ns: dict[str, float]
    high_ns: dict[str, float]
    error: float
    samples: int
    rows: tuple[tuple[str, float, float], ...]


def fit(rows: Sequence[Row], samples: int = 200, seed: int = 1) -> Fit:
    """What each thing costs such that every row is met as well as can be, relative to what it used.

    Raises ValueError where there are fewer rows than things, or a thing that never happened.
    """
    names = sorted({name for row in rows for name in row.did})
    did = np.array([[row.did.get(name, 0.0) for name in names] for row in rows], dtype=float)
    used = np.array([row.cpu_ns for row in rows], dtype=float)
    if len(rows) < len(names) or not (did.sum(axis=0) > 0).all():
        raise ValueError(f"{len(rows)} rows cannot tell {len(names)} costs apart, or something never happened")
    best = _solve(did, used)
    generator = np.random.default_rng(seed)
    drawn = [_solve(did[pick], used[pick]) for pick in generator.integers(0, len(rows), (samples, len(rows)))]
    low, high = np.percentile(np.array(drawn), [5, 95], axis=0)
    fitted = did @ best
    return Fit(
        _named(names, best),
        _named(names, low),
        _named(names, high),
        float(np.median(np.abs(fitted - used) / used)),
        samples,
        tuple((row.name, row.cpu_ns / 1e6, guess / 1e6) for row, guess in zip(rows, fitted.tolist(), strict=True)),
    )


def _solve(did: "np.ndarray[Any, Any]", used: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Each row counts alike, however long it took: all are divided by what they used."""
    found: np.ndarray[Any, Any] = nnls(did / used[:, None], np.ones(len(used)))[0]
    return found


def _named(names: Sequence[str], values: "np.ndarray[Any, Any]") -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))
