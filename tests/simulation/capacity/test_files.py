"""What is written of a study repeats it, and holds every figure."""

import csv
import gzip
import json
from functools import cache
from pathlib import Path

import numpy as np

from docaxis_sim.capacity import experiment, files, raw_rows
from docaxis_sim.capacity.plan import SECOND_NS, arrived_ns
from docaxis_sim.capacity.runner import Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.study import Study
from tests.simulation.capacity.measured import SMALL, carried


@cache
def study() -> Study:
    """Two replications of the small scenario."""
    with Runner() as runner:
        return experiment.run(load(SMALL), runner, command="docaxis simulate run small.toml")


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_manifest_repeats_the_study(tmp_path: Path) -> None:
    """Scenario, digest, seed, versions, command, calibration; and JSON that any program reads."""
    files.write(tmp_path, study())
    text = (tmp_path / "manifest.json").read_text(encoding="utf-8")
    found = json.loads(text, parse_constant=pytest_fail)
    assert found["scenario"]["digest"] == study().scenario.digest
    assert found["scenario"]["content"]["traffic"][0]["documents_per_day"] == 400
    assert found["seed"] == 7
    assert found["command"] == "docaxis simulate run small.toml"
    assert {"docaxis", "source", "commit"} <= set(found["versions"])
    assert found["calibration"]
    assert [each["number"] for each in found["replications"]] == [1, 2]
    assert all(len(each["births"]) == 64 for each in found["replications"])
    assert found["expectations"][0]["held"] is True


def pytest_fail(name: str) -> None:
    """JSON has neither NaN nor Infinity."""
    raise AssertionError(name)


def test_every_figure_and_every_table_is_a_file(tmp_path: Path) -> None:
    """With its interval; series in long form."""
    files.write(tmp_path, study())
    metrics = {row["metric"]: row for row in rows(tmp_path / "metrics.csv")}
    assert set(metrics) == set(study().estimates)
    p99 = study().estimates["latency.arrived.p99_s"]
    assert float(metrics["latency.arrived.p99_s"]["half_width"]) == p99.half_width
    for name, table in study().tables.items():
        assert len(rows(tmp_path / f"{name}.csv")) == len(next(iter(table.columns.values())))
    series = rows(tmp_path / "series.csv")
    offered = [row for row in series if (row["series"], row["label"]) == ("rates", "offered")]
    expected = study().series["rates"]
    assert np.allclose([float(row["value"]) for row in offered], expected.values[0], atol=1e-9)
    assert int(offered[0]["from_s"]) == expected.start_ns // SECOND_NS
    assert expected.high is not None
    assert np.allclose([float(row["most"]) for row in offered], expected.high[0], atol=1e-9)
    assert all(float(row["least"]) <= float(row["value"]) <= float(row["most"]) for row in offered)


def test_means_in_tables_have_their_half_widths_beside_them(tmp_path: Path) -> None:
    """Two programs must not draw two intervals around one figure; what never changes has none."""
    files.write(tmp_path, study())
    nodes, found = rows(tmp_path / "nodes.csv"), study().tables["nodes"]
    assert np.allclose([float(row["up_half_width"]) for row in nodes], found.half_widths["up"], atol=1e-9)
    assert "lat_half_width" not in nodes[0]


def test_raw_rows_hold_every_delivery(tmp_path: Path) -> None:
    """Who sent what to whom, when it arrived, how often it was tried."""
    _, prepared, run = carried()
    raw_rows.write(tmp_path, prepared, run)
    with gzip.open(tmp_path / "deliveries.csv.gz", "rt", encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    arrived = arrived_ns(prepared.plan, run) / SECOND_NS
    assert np.allclose([float(row["arrived_s"]) for row in found], arrived, atol=1e-9)
    assert {row["sender"] for row in found} <= set(prepared.plan.node_ids)
    assert {row["form"] for row in found} <= {"inline", "chunked"}


def test_what_did_not_happen_is_an_empty_field(tmp_path: Path) -> None:
    """Not -1, which somebody would average."""
    _, prepared, run = carried()
    left = {step: times * 0 - 1 for step, times in run.left_ns.items()}
    raw_rows.write(tmp_path, prepared, run._replace(left_ns=left))
    with gzip.open(tmp_path / "deliveries.csv.gz", "rt", encoding="utf-8", newline="") as file:
        assert next(csv.DictReader(file))["arrived_s"] == ""
