"""The locked requirements: complete, alike, and without a word about where packages come from."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "tools" / "locks"


def plain(name: str) -> str:
    """A package's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(room: str) -> dict[str, tuple[str, int]]:
    """Name to version and number of hashes, for each package of a lock file."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", (LOCKS / f"{room}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = [re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", block) for block in blocks]
    assert all(found), "a line pins nothing"
    return {
        plain(pin[1]): (pin[2], block.count("--hash=sha256:"))
        for pin, block in zip(found, blocks, strict=True)
        if pin is not None
    }


def asked_for(table: list[str]) -> set[str]:
    """The names in a list of requirements."""
    return {plain(re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0]) for each in table}


@pytest.mark.parametrize("room", ["node", "planner", "dev"])
def test_every_pin_has_a_hash_and_no_line_names_an_address(room: str) -> None:
    """Where packages come from is the user's own setting; that they are the right ones is ours."""
    assert all(hashes for _, hashes in pins(room).values())
    text = (LOCKS / f"{room}.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|^-|find-links|index-url", text, re.MULTILINE)


def test_the_checks_run_on_the_versions_that_a_node_runs_on() -> None:
    """What was tested is what is deployed, at a node and at a planner's."""
    assert pins("node").items() <= pins("planner").items() <= pins("dev").items()


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Whoever adds a dependency runs tools/lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    runtime = asked_for(project["project"]["dependencies"]) | asked_for(groups["build"])
    extras = {
        name: asked_for(needs) - {"docaxis"} for name, needs in project["project"]["optional-dependencies"].items()
    }
    planner = extras["simulation"] | extras["vector"]
    assert runtime <= pins("node").keys()
    assert runtime | planner <= pins("planner").keys()
    assert runtime | planner | extras["cluster"] | asked_for(groups["dev"]) <= pins("dev").keys()


def test_a_node_needs_neither_the_simulator_nor_the_checks() -> None:
    """A plain install pulls only what a node needs."""
    assert not pins("node").keys() & {"simpy", "networkx", "numpy", "pytest", "hypothesis", "mypy", "ruff"}


def test_the_package_tools_that_build_us_are_those_of_the_build_table() -> None:
    """The install builds without isolation, so what pyproject.toml wants to build with must be locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert asked_for(project["build-system"]["requires"]) == asked_for(project["dependency-groups"]["build"])
