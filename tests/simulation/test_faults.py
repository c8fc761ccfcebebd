"""The command that runs worlds: what it prints, what it returns, and what it says of a world that broke a promise."""

import json
import os
import re
from pathlib import Path

import pytest

from docaxis_sim import checkers, fault_runs, faults


def test_the_help_teaches_by_example(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever finds a failing seed in the morning needs the command, not the manual."""
    with pytest.raises(SystemExit) as left:
        faults.main(["--help"])
    assert left.value.code == 0
    assert "docaxis simulate faults --seeds 0..9999" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("text", ["", "x", "5..1", "-1", "1..y"])
def test_seeds_that_are_no_range_are_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, without a traceback."""
    with pytest.raises(SystemExit) as left:
        faults.main([f"--seeds={text}"])
    assert left.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_good_worlds_end_with_zero_and_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each world, what ran them, and one for all."""
    assert faults.main(["--seeds", "11..12"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"seed 11: every promise held; \d+ documents, trace [0-9a-f]{16}$", lines[0])
    assert re.match(r"seeds 11\.\.12 on machines and checkers of code [0-9a-f]{16}, Python 3", lines[-3])
    assert lines[-2].startswith("2 worlds held every promise")
    assert re.match(r"\d+ of \d+ rare paths were taken", lines[-1])


def test_one_world_is_not_said_in_the_plural(capsys: pytest.CaptureFixture[str]) -> None:
    """1 world, seed 11."""
    assert faults.main(["--seeds", "11"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3].startswith("seed 11 on machines")
    assert lines[-2].startswith("1 world held every promise")


def test_a_world_can_show_every_line_of_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """One line per event and effect, from the first start on."""
    assert faults.main(["--seeds", "11", "--trace"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[2] == "start"
    assert len(lines) > 500


def test_programs_get_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, and the hash of each trace."""
    assert faults.main(["--seeds", "11", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["scenario"], said["seeds"], said["worlds"]) == ("", "11", 1)
    assert set(said["engine"]) == {"code", "python", "simpy"}
    assert said["left_out"] == []
    assert said["broken"] == []
    assert set(said["traces"]) == {"11"}


def test_as_many_processes_as_cores_run_but_none_for_a_few_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not say how many has a whole machine at work, and does not wait for processes that start."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert [fault_runs.usual_jobs(worlds) for worlds in (1, 7, 20, 1000)] == [1, 1, 5, 16]


def test_several_processes_say_the_same_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    """In the order of the seeds."""
    said = []
    for jobs in ("1", "2"):
        assert faults.main(["--seeds", "12..13", "--jobs", jobs]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def test_a_broken_promise_is_named_with_the_command_that_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the run ends with a failure, but not before the other seeds have run."""
    monkeypatch.setattr(checkers, "EVENTS_PER_MINUTE_MAX", 1)
    assert faults.main(["--seeds", "11..12", "--no-shrink"]) == 1
    out = capsys.readouterr().out
    assert out.count("calm: ") == 2
    assert "see it again: docaxis simulate faults --seeds 12 --trace" in out
    assert "Plan(parties=" in out
    assert faults.main(["--seeds", "12", "--no-shrink", "--json"]) == 1
    (broken,) = json.loads(capsys.readouterr().out)["broken"]
    assert broken["seed"] == 12
    assert broken["promise"] == "calm"
    assert broken["repeat"] == "docaxis simulate faults --seeds 12 --trace"


def test_the_first_world_of_each_broken_promise_is_made_small_and_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Under the folder that is named, in a file that the command runs; the second one is only named."""
    monkeypatch.setattr(checkers, "EVENTS_PER_MINUTE_MAX", 1)
    assert faults.main(["--seeds", "11..12", "--keep", str(tmp_path)]) == 1
    (file,) = tmp_path.iterdir()
    assert re.fullmatch(r"calm-11-[0-9a-f]{8}\.toml", file.name)
    out = capsys.readouterr().out
    assert f"see it again: docaxis simulate faults {file}" in out
    assert "see it again: docaxis simulate faults --seeds 12 --trace" in out
    assert faults.main([str(file), "--no-shrink"]) == 1


def test_a_set_that_never_takes_a_rare_path_has_failed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It has proved less than it says; a part of the set may miss what the whole set takes."""
    file = tmp_path / "kind.toml"
    text = 'name = "x"\nquestion = "y"\n[faults]\nseeds = "1..2"\nmust_happen = ["epoch changed"]\nbusy = "10 min"\n'
    file.write_text(text, encoding="utf-8")
    assert faults.main([str(file)]) == 1
    assert "never: epoch changed (a node restored from a backup began a new epoch)" in capsys.readouterr().out
    assert faults.main([str(file), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["never"] == ["epoch changed"]
    assert faults.main([str(file), "--seeds", "1"]) == 0
