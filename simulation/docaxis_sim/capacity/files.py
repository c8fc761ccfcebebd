"""Files: a study on disk: the manifest that repeats it, its figures, tables and series, for other programs.

Only writes what a study holds. The page for people is `docaxis_sim.report`'s, raw rows are `raw_rows`'.
"""

import csv
import json
from math import isfinite
from pathlib import Path
from typing import Any, Final

import numpy as np

from docaxis_sim.capacity.metrics import about
from docaxis_sim.capacity.raw_rows import with_half_widths, write_series, write_table
from docaxis_sim.capacity.statistics import Interval
from docaxis_sim.capacity.study import Check, Difference, Replication, Study, Table, Variation

FORMAT: Final = 1
"""Of the manifest."""


def write(folder: Path, study: Study) -> None:
    """`manifest.json`, `metrics.csv`, `series.csv` and a CSV file for every table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(manifest(study), ensure_ascii=False, indent=1)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    _write_metrics(folder / "metrics.csv", study)
    write_series(folder / "series.csv", study.series)
    executors = {} if study.executors is None else {"executors": study.executors}
    for name, table in {**study.tables, **executors}.items():
        write_table(folder / f"{name}.csv", table)


def _write_metrics(path: Path, study: Study) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("metric", "unit", "mean", "half_width", "replications", "confidence"))
        for name, found in study.estimates.items():
            half_width = found.half_width if isfinite(found.half_width) else ""
            out.writerow((name, about(name).unit, found.mean, half_width, found.n, found.confidence))


def manifest(study: Study) -> dict[str, Any]:
    """Everything that repeats a study, and its figures; what is not finite is null."""
    scenario = study.scenario
    return {
        "format": FORMAT,
        "scenario": {
            "name": scenario.name,
            "question": scenario.question,
            "file": scenario.path.name,
            "digest": scenario.digest,
            "content": scenario.raw,
        },
        "seed": scenario.experiment.seed,
        "command": study.provenance.command,
        "versions": study.provenance.versions,
        "machine": study.provenance.machine,
        "calibration": study.provenance.calibration,
        "wall_seconds": round(study.wall_seconds, 3),
        "replications": [_replication(each) for each in study.replications],
        "metrics": {name: interval(found) for name, found in study.estimates.items()},
        "checks": [check(each) for each in study.checks],
        "expectations": [
            {**each.expectation._asdict(), "value": number(each.expectation.value), "held": each.held,
             "found": interval(each.found)}
            for each in study.verdicts
        ],
        "variations": [_variation(each) for each in study.variations],
        "notes": list(study.notes),
    }  # fmt: skip


def _variation(found: Variation) -> dict[str, Any]:
    metrics = {each.metric: difference(each) for each in found.differences}
    return {"field": found.field, "factor": found.factor, "metrics": metrics}


def difference(found: Difference) -> dict[str, Any]:
    """A figure in two answers, and what lies between."""
    return {
        "a": interval(found.a),
        "b": interval(found.b),
        "difference": interval(found.difference),
        "sure": found.sure,
    }


def _replication(found: Replication) -> dict[str, Any]:
    return {
        "number": found.number,
        "engine": found.engine,
        "births": found.births,
        "events": found.events,
        "engine_seconds": round(found.engine_seconds, 3),
        "seconds": round(found.seconds, 3),
    }


def interval(found: Interval) -> dict[str, Any]:
    """A figure with its uncertainty."""
    return {
        "mean": number(found.mean),
        "half_width": number(found.half_width),
        "n": found.n,
        "confidence": found.confidence,
    }


def check(found: Check) -> dict[str, Any]:
    """A check as JSON."""
    return {**found._asdict(), "measured": number(found.measured)}


def number(value: float) -> float | None:
    """A number that JSON has, or None."""
    return float(value) if isfinite(value) else None


def plain_table(table: Table) -> dict[str, Any]:
    """A table's columns as lists, half-widths among them."""
    return {name: _plain(column) for name, column in with_half_widths(table).items()}


def _plain(column: Any) -> list[Any]:
    if not isinstance(column, np.ndarray):
        return list(column)
    return [number(value) for value in column] if column.dtype.kind == "f" else column.tolist()
