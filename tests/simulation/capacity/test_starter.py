"""The starter runs as it is, and names every field with what really holds when it is not stated."""

import re
import tomllib
from pathlib import Path

import pytest

from docaxis_sim.capacity import scenario
from docaxis_sim.capacity.starter import new, text, written


def test_a_new_scenario_is_right_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever begins, begins with something that runs; nothing is ever overwritten."""
    assert new("mine", tmp_path) == 0
    assert scenario.load(tmp_path / "mine.toml").name == "mine"
    assert new("mine.toml", tmp_path) == 2
    assert "is there already" in capsys.readouterr().err
    assert new("my own", tmp_path) == 2
    assert "not a name" in capsys.readouterr().err
    assert new("mine", tmp_path / "nowhere") == 2


def test_a_name_is_no_way_out_of_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written is written where it was asked for."""
    (tmp_path / "here").mkdir()
    for name in ("../evil", "../evil.toml", "here/evil", str(tmp_path / "evil")):
        assert new(name, tmp_path / "here") == 2
        assert "not a name" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*")] == ["here"]


def test_the_starter_names_every_field(tmp_path: Path) -> None:
    """It is the list that people look things up in; worlds with faults have a page of their own."""
    new("mine", tmp_path)
    shown = text("mine")
    for address in scenario.addresses(scenario.load(tmp_path / "mine.toml")):
        if not address.startswith("faults."):
            key = address.rpartition(".")[2]
            assert re.search(rf"\b{key} = ", shown), address


def test_taking_a_mark_away_changes_nothing(tmp_path: Path) -> None:
    """What stands behind a # is the default itself; where there is none, an example that is right."""
    new("mine", tmp_path)
    path = tmp_path / "mine.toml"
    before = scenario.load(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    examples = ("extends = ", "at = ", "replications_max = ", "statuses = ")
    for number, line in enumerate(lines):
        key = line.removeprefix("# ")
        header = [each for each in lines[: number + 1] if re.match(r"(# )?\[", each)][-1:]
        stated = not header or not header[0].startswith("#")
        if line.startswith("# ") and re.match(r"[a-z_]+ = ", key) and stated and not key.startswith(examples):
            changed = tmp_path / "changed.toml"
            changed.write_text("\n".join([*lines[:number], key, *lines[number + 1 :]]), encoding="utf-8")
            after = scenario.load(changed)
            assert after._replace(path=before.path, raw=before.raw, digest=before.digest) == before, key


@pytest.mark.parametrize("value", [True, 2, 1.5, 'a "b" \\ é', ["x", [1]], {"a.b": {"c": []}}])
def test_what_is_written_is_toml(value: object) -> None:
    """The starter is read by tomllib, not by eye."""
    assert tomllib.loads(f"value = {written(value)}")["value"] == value
