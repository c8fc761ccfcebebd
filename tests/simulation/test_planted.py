"""Planted bugs: each is put into the real machine for one test, and the checker of the promise that it breaks finds it.

A checker that has never failed has proved nothing.
"""

import ast
import re
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from docaxis.core import limits
from docaxis.core.limits import HOUR_MS
from docaxis.core.outbox import Queue
from docaxis.core.policy import Policy
from docaxis_sim import checkers, faults, life, vouching, world
from docaxis_sim.plan import Fault, Kind, Plan, Work
from docaxis_sim.swarm import draw
from docaxis_sim.world import Broken, World
from tests.simulation.bugs import answer_before_commit
from tests.simulation.planted import FOLDER, NAMED, PLANTED, SEEDS, Planted, breach, first


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


def found_by() -> list[tuple[str, str, int, str]]:
    """The rows of the page: bug, scenario, seed, and the promise that was found broken."""
    page = (FOLDER.parents[1] / "simulation" / "docs" / "faults.md").read_text(encoding="utf-8")
    row = r"^\| ([a-z ]+) \| `scenarios/faults/([a-z-]+)\.toml` \| (\d+) \| `(\w+)` \|$"
    rows = re.findall(row, page, re.MULTILINE)
    return [(bug.replace(" ", "_"), where, int(seed), checker.replace("_", " ")) for bug, where, seed, checker in rows]


def test_the_page_says_where_each_bug_was_found() -> None:
    """World, seed and checker; whoever reads it can plant the bug and see it there."""
    told = found_by()
    assert [row[:3] for row in told] == [(bug.plant.__name__, bug.scenario, bug.seed) for bug in PLANTED]
    for (*_, promise), bug in zip(told, PLANTED, strict=True):
        assert promise in {known.replace(",", "") for known in bug.promises}


def test_every_checker_has_failed_for_a_bug() -> None:
    """Whatever can be required of a world; two have tests of their own: one below, one beside those of bytes."""
    required: set[str] = set()
    for module in (checkers, vouching, life, world):
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in CLAIMS:
                place = 1 if getattr(node.func, "id", "") == "require" else 0
                required |= {str(each.value) for each in node.args[place : place + 1] if isinstance(each, ast.Constant)}
    failed = {promise for *_, promise in found_by()}
    assert {promise.replace(",", "") for promise in required} - failed == {"bounded", "readable"}


CLAIMS = ("require", "Breach")


def test_a_queue_that_is_kept_in_memory_however_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some hundred documents for a peer that is away, where memory is to hold a few of each priority."""
    for name, value in (("LANE_MEMORY_ITEMS_MAX", 4), ("BATCH_ITEMS_MAX", 4)):
        monkeypatch.setattr(limits, name, value)
    work = Work(documents=300, office_ms=0, chunked=0, inline=0, recall=0)
    away = Fault(Kind.OUTAGE, 0, 2 * HOUR_MS, "H49")
    plan = Plan(("G22", "H49"), HOUR_MS, work=work, faults=(away,), policy=Policy(batch_items=2))
    World(1, plan).run(heal=False)
    monkeypatch.setattr(Queue, "room", 1_000_000)
    with pytest.raises(Broken, match="bounded: G22: longest lane"):
        World(1, plan).run(heal=False)


def test_a_broken_promise_comes_with_all_that_is_needed_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed, the plan and the last lines of the trace."""
    answer_before_commit(monkeypatch)
    with pytest.raises(Broken, match="seed 0") as caught:
        faults.run(0)
    assert caught.value.plan == draw(0)
    assert len(caught.value.last) == 20
