"""A result can be traced to the code that made it, whether that lies in a repository or not."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import docaxis_sim
from docaxis_sim.capacity import edition


def git(folder: Path, *words: str) -> str:
    """A command of Git, untouched by anybody's settings."""
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", "-C", str(folder), *settings, *words], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs Git to make repositories")
def test_the_commit_is_what_git_says(tmp_path: Path) -> None:
    """A branch, a branch in the packed references, a further working tree, a detached head."""
    here, there = tmp_path / "here", tmp_path / "there"
    git(tmp_path, "init", "-q", str(here))
    git(here, "commit", "-q", "--allow-empty", "-m", "one")
    assert edition.commit(here) == git(here, "rev-parse", "HEAD")
    git(here, "worktree", "add", "-q", "-b", "two", str(there))
    git(there, "commit", "-q", "--allow-empty", "-m", "two")
    assert edition.commit(there) == git(there, "rev-parse", "HEAD") != edition.commit(here)
    git(here, "pack-refs", "--all")
    assert edition.commit(here) == git(here, "rev-parse", "HEAD")
    assert edition.commit(there) == git(there, "rev-parse", "HEAD")
    git(here, "checkout", "-q", "--detach")
    assert edition.commit(here) == git(here, "rev-parse", "HEAD")


@pytest.mark.parametrize("head", ["", "ref: refs/heads/main\n", "ref: refs/heads/.invalid\n", "not a commit\n", "\x00"])
def test_where_no_commit_can_be_known_none_is_said(tmp_path: Path, head: str) -> None:
    """No repository, an empty one, one kept in another manner: never an error, never a guess."""
    assert edition.commit(None) == edition.commit(tmp_path) == "none"
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head, encoding="utf-8")
    assert edition.commit(tmp_path) == "none"


def test_a_repository_around_an_installed_simulator_is_not_its_own() -> None:
    """Somebody's project with the simulator among its libraries has commits, too."""
    root = edition.checkout()
    assert root is None or (root / "simulation" / "docaxis_sim").samefile(Path(docaxis_sim.__file__).parent)


def test_the_source_s_digest_changes_with_any_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version stays the same for months; and the country's tables decide as much as the code."""
    files = dict(edition._files())
    assert {"docaxis/core/routing.py", "docaxis_sim/capacity/edition.py", "data/vietnam/provinces.csv"} <= set(files)
    before = edition.source()
    for name in ("docaxis_sim/capacity/edition.py", "data/vietnam/provinces.csv"):
        edited = files | {name: files[name] + b"\n"}
        monkeypatch.setattr(edition, "_files", edited.items)
        edition.source.cache_clear()
        assert edition.source() != before
    monkeypatch.undo()
    edition.source.cache_clear()
    assert edition.source() == before


def test_what_decides_results_is_compared_and_named() -> None:
    """A correction of Python does not matter, another library does."""
    here = edition.deciding()
    assert here["python"].count(".") == 1
    assert {"docaxis", "numpy", "simpy", "networkx", "source"} <= set(here)
    assert edition.difference(here, here) == ""
    there = {name: text for name, text in here.items() if name != "numpy"} | {"numba": "1"}
    expected = f"numba 1 instead of {here['numba']}, numpy none instead of {here['numpy']}"
    assert edition.difference(there, here) == expected


def test_a_study_says_all_of_it() -> None:
    """Versions, source and commit."""
    found = edition.provenance()
    assert set(found) >= {"python", "docaxis", "numpy", "source", "commit"}
    assert found["source"] == edition.source()
