"""Raw rows: one replication as files for other programs: every delivery, every station; CSV, and Parquet beside it.

Times are seconds after midnight of the first day; what did not happen is an empty field. Only writes.
"""

import csv
import gzip
import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np

from docaxis_sim.capacity.metrics import PRIORITIES
from docaxis_sim.capacity.plan import NEVER, SECOND_NS, Form, Int64, Run, arrived_ns, home_ns
from docaxis_sim.capacity.prepare import Prepared
from docaxis_sim.capacity.study import Series, Table
from docaxis_sim.capacity.visits import born_ns

BLOCK: Final = 50_000
"""Rows that are text at one time."""


def write(folder: Path, prepared: Prepared, run: Run) -> None:
    """`deliveries.csv.gz` of a run: a row per delivery."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = deliveries(prepared, run)
    with gzip.open(folder / "deliveries.csv.gz", "wt", encoding="utf-8", newline="", compresslevel=1) as file:
        _write_rows(file, columns)
    if importlib.util.find_spec("pyarrow"):
        _write_parquet(folder / "deliveries.parquet", columns)


def deliveries(prepared: Prepared, run: Run) -> dict[str, Sequence[Any] | np.ndarray[Any, Any]]:
    """The columns of a run."""
    plan = prepared.plan
    each, ids = plan.deliveries, np.array(plan.node_ids)
    row = np.arange(len(each.birth_ns))
    return {
        "delivery": row,
        "document": each.group,
        "traffic": each.traffic,
        "priority": np.array(PRIORITIES)[each.priority],
        "form": np.array([form.name.lower() for form in Form])[each.form],
        "sender": ids[each.path[0]],
        "recipient": ids[each.path[each.hops, row]],
        "hops": each.hops,
        "bytes": each.bytes,
        "sent_s": _seconds(born_ns(plan, run)),
        "arrived_s": _seconds(arrived_ns(plan, run)),
        "receipt_home_s": _seconds(home_ns(plan, run)),
        "tries": run.tries,
        "expired": run.expired.astype(np.int8),
    }


def _seconds(times: Int64) -> np.ndarray[Any, Any]:
    return np.where(times == NEVER, np.nan, times / SECOND_NS)


def write_table(path: Path, table: Table) -> None:
    """A table as CSV; behind a column of means, which were not the same in all replications, their half-widths."""
    with path.open("w", encoding="utf-8", newline="") as file:
        _write_rows(file, with_half_widths(table))


def with_half_widths(table: Table) -> dict[str, Any]:
    """The columns of a table with ``NAME_half_width`` behind each that has one."""
    found: dict[str, Any] = {}
    for name, column in table.columns.items():
        found[name] = column
        if name in table.half_widths:
            found[f"{name}_half_width"] = table.half_widths[name]
    return found


def write_series(path: Path, series: Mapping[str, Series]) -> None:
    """All series in long form: name, label, start of the bin, value; the least and the most of several replications."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("series", "label", "from_s", "value", "unit", "least", "most"))
        for name, each in series.items():
            low, high = (each.values if bound is None else bound for bound in (each.low, each.high))
            first, step = each.start_ns // SECOND_NS, each.step_ns // SECOND_NS
            moments = range(first, first + step * each.values.shape[1], step)
            for label, *rows in zip(each.labels, each.values, low, high, strict=True):
                texts = zip(moments, *(map(_text, row) for row in rows), strict=True)
                out.writerows((name, label, moment, value, each.unit, *ends) for moment, value, *ends in texts)


def _write_rows(file: TextIO, columns: Mapping[str, Any]) -> None:
    out = csv.writer(file)
    out.writerow(columns)
    rows = len(next(iter(columns.values()), ()))
    for start in range(0, rows, BLOCK):
        out.writerows(zip(*(_texts(column[start : start + BLOCK]) for column in columns.values()), strict=True))


def _texts(column: Any) -> Iterable[Any]:
    if not isinstance(column, np.ndarray):
        texts: Iterable[str] = column
        return texts
    return map(_text, column) if column.dtype.kind == "f" else iter(column.tolist())


def _text(value: float) -> str:
    """A number as short as it can be said to the nanosecond; empty where it is not one."""
    return "" if np.isnan(value) else f"{value:.9f}".rstrip("0").rstrip(".")


def _write_parquet(path: Path, columns: Mapping[str, Any]) -> None:
    import pyarrow  # noqa: PLC0415 - optional, and slow to load
    import pyarrow.parquet  # noqa: PLC0415

    pyarrow.parquet.write_table(pyarrow.table(dict(columns)), path)
