"""What pyproject.toml announces exists, and what exists is announced."""

import tomllib
from importlib import metadata
from pathlib import Path

import docaxis

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_installed_version_is_the_one_in_the_source() -> None:
    """An old environment would test the old package."""
    assert metadata.version("docaxis") == docaxis.__version__


def test_the_test_aids_are_announced_to_pytest_once_they_are_written() -> None:
    """An entry point without its module stops every run of pytest; a module without one is found by nobody."""
    exists = (ROOT / "node" / "docaxis" / "testing" / "plugin.py").is_file()
    announced = PROJECT.get("entry-points", {}).get("pytest11")
    assert announced == ({"docaxis": "docaxis.testing.plugin"} if exists else None)


def test_the_front_page_is_part_of_the_package_once_it_is_written() -> None:
    """Whoever finds the package reads the same first screen as whoever finds the tree."""
    assert PROJECT.get("readme") == ("README.md" if (ROOT / "README.md").is_file() else None)


def test_both_packages_say_that_they_are_typed() -> None:
    """Without the marker, type checkers ignore every annotation of ours."""
    assert (ROOT / "node" / "docaxis" / "py.typed").is_file()
    assert (ROOT / "simulation" / "docaxis_sim" / "py.typed").is_file()
