"""Planted bugs: each is put into the real machine for one test, and the checker of the promise that it breaks finds it.

A checker that has never failed has proved nothing.
"""

import re
from functools import cache
from itertools import chain

import pytest

from docaxis_sim import faults
from docaxis_sim.swarm import draw
from docaxis_sim.world import Broken
from tests.simulation.planted import FOLDER, NAMED, PLANTED, SEEDS, Planted, answer_before_commit, breach, first


@cache
def honest(scenario: str, seed: int) -> str:
    """What the machine as it is breaks in a world: nothing, it is hoped. Several bugs show in the same world."""
    return breach(scenario, seed)


@pytest.mark.parametrize("bug", PLANTED, ids=[bug.plant.__name__ for bug in PLANTED])
def test_a_planted_bug_is_found_in_a_world_that_the_honest_machine_passes(bug: Planted) -> None:
    """Within two hundred seeds, by a checker of what it breaks; looked for where it was found last, then from 0 on."""
    seed, promise = first(bug, chain([bug.seed], SEEDS))
    assert promise in bug.promises
    assert honest(bug.scenario, seed) == ""


def test_the_bugs_that_must_be_found_are_twelve_and_show_in_a_standard_set() -> None:
    """All but the bad item in the swarm; that one where nothing else could be what others wait for."""
    assert len(NAMED) == 12
    assert [bug.plant.__name__ for bug in NAMED if bug.scenario != "swarm"] == ["one_bad_item_stops_the_queue"]
    assert all(bug.seed in SEEDS for bug in PLANTED)


def test_the_page_says_where_each_bug_was_found() -> None:
    """World, seed and checker; whoever reads it can plant the bug and see it there."""
    page = (FOLDER.parents[1] / "simulation" / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| ([a-z ]+) \| `scenarios/faults/([a-z-]+)\.toml` \| (\d+) \| `(\w+)` \|$", page, re.MULTILINE
    )
    told = [(name.replace(" ", "_"), scenario, int(seed)) for name, scenario, seed, _ in rows]
    assert told == [(bug.plant.__name__, bug.scenario, bug.seed) for bug in PLANTED]
    promises = [checker.replace("_", " ") for *_, checker in rows]
    named = [{promise.replace(",", "") for promise in bug.promises} for bug in PLANTED]
    assert all(promise in known for promise, known in zip(promises, named, strict=True))


def test_a_broken_promise_comes_with_all_that_is_needed_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed, the plan and the last lines of the trace."""
    answer_before_commit(monkeypatch)
    with pytest.raises(Broken, match="seed 0") as caught:
        faults.run(0)
    assert caught.value.plan == draw(0)
    assert len(caught.value.last) == 20
