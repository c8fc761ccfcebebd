"""Combine: tables and series of several replications as one: means, row by row and bin by bin.

Only adds up and divides; what a table means is said where it is made.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from docaxis_sim.capacity import bottlenecks
from docaxis_sim.capacity.plan import HOUR_NS, Float
from docaxis_sim.capacity.study import Series, Table

RANKED: Final = {"bottlenecks": "waiting_s", "busiest": "busy"}
"""Tables that are lists of the worst, and what they are ranked by."""

SUMMED: Final = ("losses",)
"""Tables in which a row that a replication does not have stands for nothing, not for something unknown."""


def tables(found: Sequence[Mapping[str, Table]]) -> dict[str, Table]:
    """Each table with its numbers' means over all replications."""
    return {name: _one(name, [each[name] for each in found]) for name in found[0]}


def _one(name: str, same: Sequence[Table]) -> Table:
    if name in RANKED:
        return bottlenecks.ranked(_keyed(same, absent=0.0), RANKED[name])
    texts = _texts(same[0])
    if all(_texts(each) == texts for each in same):
        return _means(same)
    return _keyed(same, absent=0.0 if name in SUMMED else float("nan"))


def _texts(table: Table) -> dict[str, tuple[str, ...]]:
    return {name: column for name, column in table.columns.items() if isinstance(column, tuple)}


def _means(same: Sequence[Table]) -> Table:
    columns: dict[str, Any] = dict(same[0].columns)
    for name, column in columns.items():
        if isinstance(column, np.ndarray) and len(same) > 1:
            mean = _mean_of(np.array([each.columns[name] for each in same], np.float64))
            columns[name] = mean if not _whole(column, mean) else mean.astype(np.int64)
    return Table(columns, same[0].about)


def _whole(column: np.ndarray[Any, Any], mean: np.ndarray[Any, Any]) -> bool:
    return column.dtype.kind == "i" and bool((mean == np.rint(mean)).all())


def _keyed(same: Sequence[Table], absent: float) -> Table:
    """Rows by what their texts say. Where a replication lacks a row the mean counts `absent`, or with NaN nothing."""
    keys = list(dict.fromkeys(key for table in same for key in _keys(table)))
    place = {key: number for number, key in enumerate(keys)}
    columns: dict[str, Any] = {name: tuple(key[number] for key in keys) for number, name in enumerate(_texts(same[0]))}
    for name, column in same[0].columns.items():
        if isinstance(column, np.ndarray):
            values = np.full((len(same), len(keys)), absent)
            for number, table in enumerate(same):
                values[number, [place[key] for key in _keys(table)]] = table.columns[name]
            columns[name] = _mean_of(values)
    return Table({name: columns[name] for name in same[0].columns}, same[0].about)


def _mean_of(values: Float) -> Float:
    """Column by column over replications; what is NaN in one does not count, what is NaN in all stays so."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: Float = np.divide(total, count, out=np.full(values.shape[1], np.nan), where=count > 0)
    return mean


def _keys(table: Table) -> list[tuple[str, ...]]:
    return list(zip(*_texts(table).values(), strict=True))


def series(found: Sequence[Mapping[str, Series]]) -> dict[str, Series]:
    """Each series with its means; a replication that ended earlier had nothing under way from then on. Of replications
    whose bins are not equally wide, the first alone is shown."""
    means = {name: _mean([each[name] for each in found]) for name in found[0]}
    busy = np.flatnonzero(means["rates"].values.any(axis=0)) if means else np.zeros(0, np.int64)
    start_ns = int(busy[0]) * means["rates"].step_ns // HOUR_NS * HOUR_NS if len(busy) else 0
    return {name: _from(each, start_ns) for name, each in means.items()}


def _from(each: Series, start_ns: int) -> Series:
    """Without what lies before the hour of the first submission."""
    return each._replace(values=each.values[:, start_ns // each.step_ns :], start_ns=start_ns)


def _mean(same: Sequence[Series]) -> Series:
    alike = [each for each in same if (each.step_ns, each.labels) == (same[0].step_ns, same[0].labels)]
    if len(alike) < len(same):
        return same[0]
    bins = max(each.values.shape[1] for each in alike)
    total = np.zeros((len(same[0].labels), bins))
    for each in alike:
        total[:, : each.values.shape[1]] += each.values
    return same[0]._replace(values=total / len(alike))
