"""Combine: tables and series of several replications as one: means, and what is not known of them.

Only adds up and divides; what a table means is said where it is made.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Final

import numpy as np

from docaxis_sim.capacity import bottlenecks
from docaxis_sim.capacity.plan import HOUR_NS, Float
from docaxis_sim.capacity.statistics import student_t
from docaxis_sim.capacity.study import Series, Table

RANKED: Final = {"bottlenecks": "waiting_s", "busiest": "busy"}
"""Tables that are lists of the worst, and what they are ranked by."""

SUMMED: Final = ("losses",)
"""Tables in which a row that a replication does not have stands for nothing, not for something unknown."""


def tables(found: Sequence[Mapping[str, Table]], confidence: float) -> dict[str, Table]:
    """Each table with its numbers' means over all replications, and the half-widths of their intervals."""
    return {name: _one(name, [each[name] for each in found], confidence) for name in found[0]}


def _one(name: str, same: Sequence[Table], confidence: float) -> Table:
    if len(same) == 1 and name not in RANKED:
        return same[0]
    found = _together(name, same, confidence)._replace(replications=len(same), confidence=confidence)
    return bottlenecks.ranked(found, RANKED[name]) if name in RANKED else found


def _together(name: str, same: Sequence[Table], confidence: float) -> Table:
    if name in RANKED:
        return _keyed(same, 0.0, confidence)
    texts = _texts(same[0])
    if all(_texts(each) == texts for each in same):
        return _means(same, confidence)
    return _keyed(same, 0.0 if name in SUMMED else float("nan"), confidence)


def _texts(table: Table) -> dict[str, tuple[str, ...]]:
    return {name: column for name, column in table.columns.items() if isinstance(column, tuple)}


def _means(same: Sequence[Table], confidence: float) -> Table:
    columns: dict[str, Any] = dict(same[0].columns)
    half_widths: dict[str, Float] = {}
    for name, column in columns.items():
        if isinstance(column, np.ndarray):
            values = np.array([each.columns[name] for each in same], np.float64)
            mean = _mean_of(values)
            columns[name] = mean if not _whole(column, mean) else mean.astype(np.int64)
            _note(half_widths, name, values, mean, confidence)
    return Table(columns, same[0].about, half_widths)


def _whole(column: np.ndarray[Any, Any], mean: np.ndarray[Any, Any]) -> bool:
    return column.dtype.kind == "i" and bool((mean == np.rint(mean)).all())


def _keyed(same: Sequence[Table], absent: float, confidence: float) -> Table:
    """Rows by what their texts say. Where a replication lacks a row the mean counts `absent`, or with NaN nothing."""
    keys = list(dict.fromkeys(key for table in same for key in _keys(table)))
    place = {key: number for number, key in enumerate(keys)}
    columns: dict[str, Any] = {name: tuple(key[number] for key in keys) for number, name in enumerate(_texts(same[0]))}
    half_widths: dict[str, Float] = {}
    for name, column in same[0].columns.items():
        if isinstance(column, np.ndarray):
            values = np.full((len(same), len(keys)), absent)
            for number, table in enumerate(same):
                values[number, [place[key] for key in _keys(table)]] = table.columns[name]
            columns[name] = _mean_of(values)
            _note(half_widths, name, values, columns[name], confidence)
    return Table({name: columns[name] for name in same[0].columns}, same[0].about, half_widths)


def _mean_of(values: Float) -> Float:
    """Column by column over replications; what is NaN in one does not count, what is NaN in all stays so."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: Float = np.divide(total, count, out=np.full(values.shape[1], np.nan), where=count > 0)
    return mean


def _note(half_widths: dict[str, Float], name: str, values: Float, mean: Float, confidence: float) -> None:
    """Keeps the half-widths of a column whose values were not the same in all replications."""
    found = _half_widths(values, mean, confidence)
    if found.any():
        half_widths[name] = found


def _half_widths(values: Float, mean: Float, confidence: float) -> Float:
    """Of Student's interval around each column's mean, as `statistics.estimate`; infinite where fewer than two values
    are known or one is not finite."""
    if len(values) < 2:
        return np.full(len(mean), inf)
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    finite = np.isfinite(mean)
    apart = np.where(known & finite, values - np.where(finite, mean, 0.0), 0.0)
    squares = (apart**2).sum(axis=0)
    factors = [inf, inf, *(student_t(confidence, number - 1) for number in range(2, len(values) + 1))]
    some = np.maximum(count, 2)
    found: Float = np.array(factors)[some] * np.sqrt(squares / (some - 1) / some)
    found[(count < 2) | ~finite] = inf
    return found


def _keys(table: Table) -> list[tuple[object, ...]]:
    """What the texts of each row say, and the how manieth row it is of which they say so: a curve has many."""
    seen: Counter[tuple[str, ...]] = Counter()
    keys: list[tuple[object, ...]] = []
    for texts in zip(*_texts(table).values(), strict=True):
        keys.append((*texts, seen[texts]))
        seen[texts] += 1
    return keys


def series(found: Sequence[Mapping[str, Series]]) -> dict[str, Series]:
    """Each series with its means; a replication that ended earlier had nothing under way from then on. Of replications
    whose bins are not equally wide, the first alone is shown."""
    means = {name: _mean([each[name] for each in found]) for name in found[0]}
    busy = np.flatnonzero(means["rates"].values.any(axis=0)) if means else np.zeros(0, np.int64)
    start_ns = int(busy[0]) * means["rates"].step_ns // HOUR_NS * HOUR_NS if len(busy) else 0
    return {name: _from(each, start_ns) for name, each in means.items()}


def _from(each: Series, start_ns: int) -> Series:
    """Without what lies before the hour of the first submission."""
    first = start_ns // each.step_ns
    low, high = (None if bound is None else bound[:, first:] for bound in (each.low, each.high))
    return each._replace(values=each.values[:, first:], low=low, high=high, start_ns=start_ns)


def _mean(same: Sequence[Series]) -> Series:
    alike = all((each.step_ns, each.labels) == (same[0].step_ns, same[0].labels) for each in same)
    if len(same) == 1 or not alike:
        return same[0]
    bins = max(each.values.shape[1] for each in same)
    every = np.zeros((len(same), len(same[0].labels), bins))
    for place, each in enumerate(same):
        every[place, :, : each.values.shape[1]] = each.values
    return same[0]._replace(
        values=every.mean(axis=0), low=every.min(axis=0), high=every.max(axis=0), replications=len(same)
    )
