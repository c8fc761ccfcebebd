"""The environment's maker: when it does nothing, when it starts afresh, and what it says when it cannot."""

import json
from pathlib import Path

import pytest

from tools import bootstrap

PYPROJECT = """
[build-system]
requires = ["hatchling"]
[project]
name = "toy"
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small tree with two locks, which the module takes for its own."""
    (tmp_path / "tools" / "locks").mkdir(parents=True)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    for room in bootstrap.ROOMS:
        (tmp_path / "tools" / "locks" / f"{room}.txt").write_text(
            f"{room}==1 \\\n    --hash=sha256:00\n", encoding="utf-8"
        )
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "ENVIRONMENT", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "docaxis-stamp.json")
    monkeypatch.setattr(bootstrap, "GUARD", tmp_path / ".venv.lock")
    monkeypatch.setattr(bootstrap, "works", lambda: True)
    return tmp_path


def test_an_environment_made_for_this_lock_is_left_alone(tree: Path) -> None:
    """Every launch but the first costs next to nothing."""
    bootstrap.write_stamp(bootstrap.wanted("node"))
    assert bootstrap.is_ready("node")
    assert not bootstrap.is_ready("dev")


def test_the_checks_environment_serves_a_node_too(tree: Path) -> None:
    """What holds everything is not made smaller by a demo."""
    bootstrap.write_stamp(bootstrap.wanted("dev"))
    assert bootstrap.is_ready("node")
    assert bootstrap.is_ready("dev")


@pytest.mark.parametrize("changed", ["tools/locks/node.txt", "pyproject.toml"])
def test_a_changed_lock_or_project_is_noticed(tree: Path, changed: str) -> None:
    """An environment that is out of date is as bad as none."""
    bootstrap.write_stamp(bootstrap.wanted("node"))
    path = tree / changed
    path.write_text(path.read_text(encoding="utf-8").replace("toy", "toys").replace("==1", "==2"), encoding="utf-8")
    assert not bootstrap.is_ready("node")


def test_a_changed_setting_of_a_tool_is_no_reason_to_install_again(tree: Path) -> None:
    """Only what the install copies into the environment counts."""
    bootstrap.write_stamp(bootstrap.wanted("node"))
    (tree / "pyproject.toml").write_text(PYPROJECT + "[tool.ruff]\nline-length = 120\n", encoding="utf-8")
    assert bootstrap.is_ready("node")


@pytest.mark.parametrize("stamp", ["", "{", "[]", json.dumps({"room": "node"})])
def test_a_stamp_that_is_cut_short_counts_as_none(tree: Path, stamp: str) -> None:
    """An interrupted first try is started again."""
    bootstrap.STAMP.write_text(stamp, encoding="utf-8")
    assert not bootstrap.is_ready("node")


def test_a_tree_that_was_moved_gets_a_new_environment(tree: Path) -> None:
    """The programs of an environment name the folder it was made in."""
    bootstrap.write_stamp(bootstrap.wanted("node") | {"place": "/elsewhere"})
    assert not bootstrap.is_ready("node")


def test_a_python_without_the_parts_is_told_what_to_install(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Debian ships python3 without what makes environments; the message says the one line to type."""
    monkeypatch.setattr(bootstrap, "has", lambda *_: False)
    monkeypatch.setattr(bootstrap, "DEBIAN_WHEELS", tree / "none")
    assert bootstrap.main(["node"]) == 1
    assert "apt install python3-venv" in capsys.readouterr().err


def test_a_room_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The rooms are named in the answer."""
    assert bootstrap.main(["kitchen"]) == 2
    assert "node|planner|dev" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "has", "made"),
    [
        ("node", "", "node"),
        ("planner", "node", "planner"),
        ("node", "planner", "planner"),
        ("planner", "dev", "dev"),
        ("dev", "planner", "dev"),
        ("node", "a room of long ago", "node"),
    ],
)
def test_an_environment_grows_and_never_shrinks(asked: str, has: str, made: str) -> None:
    """Whoever starts the demonstration after the tests keeps the tests."""
    assert bootstrap.room_to_make(asked, {"room": has} if has else {}) == made
