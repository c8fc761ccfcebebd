"""A sweep as files gives what one process gives, whoever runs what in which order, and runs nothing twice."""

import json
from pathlib import Path

import pytest

from docaxis_sim.capacity import shards, sweep
from docaxis_sim.capacity.runner import Runner
from docaxis_sim.capacity.study import Replication
from tests.simulation.capacity.measured import SMALL

AXES = [sweep.axis("load=1,2"), sweep.axis("nodes.province.uplink=1 Mbit/s,9 Mbit/s")]


def planned(folder: Path) -> int:
    """A plan of four points."""
    return shards.plan(folder, AXES, sweep.scenarios(SMALL, AXES, {}))


def worked(folder: Path, part: int = 1, of: int = 1, workers: int = 1) -> int:
    """Works off a share; how many runs that were."""
    ended: list[Replication] = []
    with Runner(workers) as runner:
        shards.work(folder, shards.todo(folder, part, of), runner, ended.append)
    return len(ended)


def test_shards_and_one_process_give_the_same_bytes(tmp_path: Path) -> None:
    """Three shares, the last first, one of them with two workers; then everything from the merged files."""
    folder = tmp_path / "shards"
    assert planned(folder) == 8
    assert [worked(folder, 3, 3, workers=2), worked(folder, 1, 3), worked(folder, 2, 3)] == [2, 3, 3]
    with Runner() as runner:
        expected = sweep.run(AXES, sweep.scenarios(SMALL, AXES, {}), runner)
    axes, found = shards.collected(folder)
    assert axes == AXES
    assert shards.csv_text(axes, found) == shards.csv_text(AXES, expected)
    assert json.dumps(shards.as_json(axes, found)) == json.dumps(shards.as_json(AXES, expected))


def test_what_has_been_run_is_not_run_again_and_what_is_missing_is_named(tmp_path: Path) -> None:
    """Results are found by the hash of what they depend on."""
    planned(tmp_path)
    assert worked(tmp_path, 1, 2) == 4
    with pytest.raises(shards.BadShards, match=r"4 runs of .* have no result yet, the first is 00002\.json"):
        shards.collected(tmp_path)
    assert worked(tmp_path) == 4
    assert worked(tmp_path) == 0


def test_a_folder_can_be_carried_to_another_machine(tmp_path: Path) -> None:
    """It needs nothing outside itself."""
    planned(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    assert worked(tmp_path / "there", 1, 8) == 1


def test_folders_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    """Twice planned, not planned, broken, or planned with a number of replications that nobody knows yet."""
    with pytest.raises(shards.BadShards, match=r"plan\.json"):
        shards.tasks(tmp_path)
    planned(tmp_path)
    with pytest.raises(shards.BadShards, match="has a plan already"):
        planned(tmp_path)
    (tmp_path / "runs" / "00001.json").write_text("{}", encoding="utf-8")
    with pytest.raises(shards.BadShards, match="not the description of a run"):
        shards.tasks(tmp_path)
    (tmp_path / "plan.json").write_text("[]", encoding="utf-8")
    with pytest.raises(shards.BadShards, match="not a JSON object"):
        shards.tasks(tmp_path)
    precise = {"experiment.precise_metric": "arrived", "experiment.precision": "10 %"}
    with pytest.raises(shards.BadShards, match="state their number"):
        shards.plan(tmp_path / "other", AXES, sweep.scenarios(SMALL, AXES, precise))


def test_what_never_happened_survives_being_written(tmp_path: Path) -> None:
    """JSON has no infinity; a percentile has."""
    planned(tmp_path)
    worked(tmp_path, 1, 8)
    file = next((tmp_path / "results").glob("*.json"))
    value = json.loads(file.read_text(encoding="utf-8"))
    value["metrics"]["latency.arrived.p99_s"] = "inf"
    found = shards.from_json(value)
    assert found.measures.metrics["latency.arrived.p99_s"] == float("inf")
    assert shards.to_json(found) == value
