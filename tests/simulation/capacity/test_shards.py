"""A sweep as files gives what one process gives, whoever runs what in which order, and runs nothing twice."""

import json
from pathlib import Path

import pytest

from docaxis_sim.capacity import edition, shards, sweep
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


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "its format is 2"),
        ({"axes": [1]}, "not a plan of these runs"),
        ({"points": [{"values": ["1"]}]}, "not a plan of these runs"),
        ({"points": []}, r"does not name that of 00001\.json"),
    ],
)
def test_nobody_works_off_a_plan_whose_answer_could_not_be_collected(
    change: dict[str, object], said: str, tmp_path: Path
) -> None:
    """Hours of running would end in the same words."""
    planned(tmp_path)
    plan = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    (tmp_path / "plan.json").write_text(json.dumps(plan | change), encoding="utf-8")
    for use in (shards.todo, shards.collected):
        with pytest.raises(shards.BadShards, match=said):
            use(tmp_path)


def test_results_of_another_edition_are_not_taken_for_this_one_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an edit of an engine, or with another numpy, every run has to be run again; and the reader is told why."""
    planned(tmp_path)
    assert worked(tmp_path, 1, 8) == 1
    monkeypatch.setattr(edition, "source", lambda: "edited")
    assert len(shards.todo(tmp_path)) == 8
    with pytest.raises(shards.BadShards, match=r"8 runs .* 1 results are of another edition of the simulator"):
        shards.collected(tmp_path)
    monkeypatch.undo()
    assert len(shards.todo(tmp_path)) == 7
    versions = edition.versions() | {"numpy": "0.1"}
    monkeypatch.setattr(edition, "versions", lambda: versions)
    assert len(shards.todo(tmp_path)) == 8


@pytest.mark.parametrize("name", ["scenario.toml", "calibration.json"])
def test_a_scenario_that_was_changed_in_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Its name says what it must hold."""
    planned(tmp_path)
    for folder in (tmp_path / "scenarios").iterdir():
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write("\n")
    with pytest.raises(shards.BadShards, match="not what was planned: its files have changed"):
        worked(tmp_path, 1, 8)


@pytest.mark.parametrize("digest", ["../../elsewhere", "/etc", "", "A" * 64])
def test_the_name_of_a_scenario_never_leads_out_of_the_folder(tmp_path: Path, digest: str) -> None:
    """A folder may come from anybody."""
    planned(tmp_path)
    for file in (tmp_path / "runs").iterdir():
        described = json.loads(file.read_text(encoding="utf-8")) | {"scenario": digest}
        file.write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(shards.BadShards, match="is not the digest of a scenario"):
        worked(tmp_path, 1, 8)


def test_two_machines_that_write_one_result_leave_each_other_s_half_alone(tmp_path: Path) -> None:
    """Both are right, so it does not matter who is last; but neither may move the other's file away."""
    planned(tmp_path)
    (tmp_path / "results").mkdir()
    halves = [tmp_path / "results" / f"{task.key}.part" for task in shards.tasks(tmp_path)]
    for half in halves:
        half.write_text("half", encoding="utf-8")
    assert worked(tmp_path, 1, 8) == 1
    assert [half.read_text(encoding="utf-8") for half in halves] == ["half"] * 8


def test_what_is_no_result_is_said_to_be_none(tmp_path: Path) -> None:
    """A disk that was full, an editor that was open."""
    planned(tmp_path)
    worked(tmp_path)
    file = next((tmp_path / "results").glob("*.json"))
    file.write_text('{"metrics": 1}', encoding="utf-8")
    with pytest.raises(shards.BadShards, match="not a result"):
        shards.collected(tmp_path)
    (tmp_path / "plan.json").write_text("{}", encoding="utf-8")
    file.unlink()
    with pytest.raises(shards.BadShards, match="not a plan of these runs"):
        worked(tmp_path)


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
