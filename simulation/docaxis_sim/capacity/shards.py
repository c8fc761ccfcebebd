"""Shards: a sweep as files: numbered runs that any machine works off, and their results, merged into one answer.

A folder needs nothing but itself and an installed simulator. A result is found by the hash of everything that it
depends on: the scenario with its files, the replication, the engine, and the simulator's source and libraries
(`edition`). What has been run is not run again; who ran it, and in which order, changes nothing.
"""

import csv
import hashlib
import io
import json
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Final, NamedTuple

from docaxis_sim.capacity import edition, portable
from docaxis_sim.capacity.files import check as check_json
from docaxis_sim.capacity.files import interval, number
from docaxis_sim.capacity.metrics import about
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.runner import Job, Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.study import Check, Measures, Replication
from docaxis_sim.capacity.sweep import Axis, Outcome, outcome, points

PLAN: Final = "plan.json"
FORMAT: Final = 1
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class BadShards(ValueError):
    """A folder that cannot be worked off or collected; says what is missing."""


class Task(NamedTuple):
    """One run of a folder. `key`: the name of its result."""

    file: Path
    scenario: str
    replication: int
    engine: str
    key: str


def plan(folder: Path, axes: Sequence[Axis], grid: Sequence[Scenario], engine: str = "") -> int:
    """Writes the plan, each scenario once, and a file per run; returns how many runs. Raises `BadShards` where a
    folder already has a plan or the scenarios decide on the way how many replications they need."""
    if (folder / PLAN).exists():
        raise BadShards(f"{folder} has a plan already; --work or --collect it, or take a new folder")
    if any(each.experiment.precise_metric for each in grid):
        raise BadShards("replications until a figure is precise enough cannot be planned; state their number")
    parcels = [portable.pack(each) for each in grid]
    for parcel in parcels:
        portable.write(parcel, folder / "scenarios" / parcel.digest)
    runs = [(p.digest, n) for p, s in zip(parcels, grid, strict=True) for n in range(1, 1 + s.experiment.replications)]
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    for place, (digest, replication) in enumerate(runs, 1):
        described = {"scenario": digest, "replication": replication, "engine": engine}
        _write(folder / "runs" / f"{place:05}.json", described)
    _write(
        folder / PLAN,
        {
            "format": FORMAT,
            "axes": [{"field": axis.field, "values": axis.values} for axis in axes],
            "points": [
                {"values": values, "scenario": p.digest} for values, p in zip(points(axes), parcels, strict=True)
            ],
        },
    )
    return len(runs)


def tasks(folder: Path) -> list[Task]:
    """Every run of a folder; raises `BadShards`."""
    _, grid = _planned(folder)
    found, known = [_task(file) for file in sorted((folder / "runs").glob("*.json"))], {digest for _, digest in grid}
    for task in found:
        if task.scenario not in known:
            raise BadShards(f"{folder / PLAN}: not a plan of these runs: it does not name that of {task.file.name}")
    return found


def _planned(folder: Path) -> tuple[list[Axis], list[tuple[tuple[str, ...], str]]]:
    """The fields of a plan, and each point's values and scenario; raises `BadShards`."""
    described = _read(folder / PLAN)
    try:
        if described["format"] != FORMAT:
            raise BadShards(f"{folder / PLAN}: its format is {described['format']}; this simulator reads {FORMAT}")
        axes = [Axis(str(axis["field"]), tuple(axis["values"])) for axis in described["axes"]]
        return axes, [(tuple(point["values"]), str(point["scenario"])) for point in described["points"]]
    except (KeyError, TypeError) as error:
        raise BadShards(f"{folder / PLAN}: not a plan of these runs") from error


def _task(file: Path) -> Task:
    described = _read(file)
    try:
        parts = str(described["scenario"]), int(described["replication"]), str(described["engine"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadShards(f"{file}: not the description of a run") from error
    if not _DIGEST.fullmatch(parts[0]):
        raise BadShards(f"{file}: {parts[0]!r} is not the digest of a scenario")
    key = hashlib.sha256("\0".join([edition.digest(), *map(str, parts)]).encode()).hexdigest()[:32]
    return Task(file, *parts, key)


def todo(folder: Path, part: int = 1, of: int = 1) -> list[Task]:
    """The runs of one share that have no result yet."""
    share = tasks(folder)[part - 1 :: of]
    return [task for task in share if not _result(folder, task).exists()]


def _result(folder: Path, task: Task) -> Path:
    return folder / "results" / f"{task.key}.json"


def work(folder: Path, todo: Sequence[Task], runner: Runner, done: Callable[[Replication], None] | None = None) -> None:
    """Carries runs out and keeps each result as soon as it is there; raises what the runner raises."""
    (folder / "results").mkdir(exist_ok=True)
    step = max(1, runner.workers)
    for start in range(0, len(todo), step):
        some = todo[start : start + step]
        jobs = [Job(_scenario(folder, task.scenario), task.replication, task.engine, True) for task in some]
        for task, found in zip(some, runner.carry(jobs, done), strict=True):
            _write(_result(folder, task), to_json(found))


def _scenario(folder: Path, digest: str) -> Scenario:
    """The scenario that was planned under this digest, and no other; raises `BadShards`."""
    place = folder / "scenarios" / digest
    try:
        parcel = portable.read(place)
    except (OSError, ValueError) as error:
        raise BadShards(f"{place}: {error}") from error
    if parcel.digest != digest:
        raise BadShards(f"{place}: not what was planned: its files have changed")
    return load(place / portable.SCENARIO)


def collected(folder: Path) -> tuple[list[Axis], list[Outcome]]:
    """All results, merged; raises `BadShards` while some are missing."""
    missing = todo(folder)
    if missing:
        first = f"{len(missing)} runs of {folder} have no result yet, the first is {missing[0].file.name}"
        raise BadShards(first + _of_others(folder))
    found: dict[str, list[Replication]] = {}
    for task in tasks(folder):
        found.setdefault(task.scenario, []).append(_replication(_result(folder, task)))
    axes, grid = _planned(folder)
    if not grid or any(digest not in found for _, digest in grid):
        raise BadShards(f"{folder / PLAN}: not a plan of these runs")
    return axes, [outcome(values, _scenario(folder, digest), found[digest]) for values, digest in grid]


def _of_others(folder: Path) -> str:
    """A word about results that cannot be used together with this machine's."""
    keys = {task.key for task in tasks(folder)}
    others = sum(file.stem not in keys for file in (folder / "results").glob("*.json"))
    return f"; {others} results are of another edition of the simulator or of its libraries" if others else ""


def _replication(file: Path) -> Replication:
    try:
        return from_json(_read(file))
    except (KeyError, TypeError, AttributeError) as error:
        raise BadShards(f"{file}: not a result") from error


def to_json(found: Replication) -> dict[str, Any]:
    """A replication's figures and checks, but not how long they took: two machines write the same bytes."""
    return {
        "number": found.number,
        "engine": found.engine,
        "births": found.births,
        "events": found.events,
        "metrics": {name: value if isfinite(value) else str(value) for name, value in found.measures.metrics.items()},
        "checks": [each._asdict() for each in found.measures.checks],
    }


def from_json(value: Mapping[str, Any]) -> Replication:
    """The way back; times are 0."""
    metrics = {name: float(figure) for name, figure in value["metrics"].items()}
    measures = Measures(metrics, {}, {}, tuple(Check(**each) for each in value["checks"]))
    return Replication(value["number"], value["engine"], measures, value["births"], value["events"], 0.0, 0.0)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    """All of a file or nothing: another machine may be looking, or be writing the same."""
    part = path.with_name(f"{path.stem}.{platform.node()}.{os.getpid()}.part")
    part.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadShards(f"{path}: {error}") from error
    if not isinstance(found, dict):
        raise BadShards(f"{path}: not a JSON object")
    return found


def csv_text(axes: Sequence[Axis], found: Sequence[Outcome]) -> str:
    """Every figure of every point, in long form."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow([*(axis.field for axis in axes), "metric", "unit", "mean", "half_width", "replications"])
    for each in found:
        for name, figure in each.estimates.items():
            half_width = repr(figure.half_width) if isfinite(figure.half_width) else ""
            out.writerow([*each.values, name, about(name).unit, repr(figure.mean), half_width, figure.n])
    return text.getvalue()


def as_json(axes: Sequence[Axis], found: Sequence[Outcome]) -> dict[str, Any]:
    """The whole sweep; what is not finite is null."""
    return {
        "fields": [axis.field for axis in axes],
        "points": [
            {
                "values": each.values,
                "metrics": {name: interval(figure) for name, figure in each.estimates.items()},
                "expectations": [
                    {**v.expectation._asdict(), "value": number(v.expectation.value), "held": v.held}
                    for v in each.verdicts
                ],
                "checks_failed": [check_json(c) for r in each.replications for c in r.measures.checks if not c.held],
            }
            for each in found
        ],
    }
