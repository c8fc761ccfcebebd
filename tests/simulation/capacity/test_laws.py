"""The checks of every run hold where the engines are right, and each of them catches the mistake it is there for."""

from collections.abc import Callable

import pytest

from docaxis_sim.capacity import laws, reference
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.plan import DOWN, NEVER, NODE, SUBMIT, UP, Run, hop, receipt
from docaxis_sim.capacity.reading import Reading
from docaxis_sim.capacity.study import Check
from tests.simulation.capacity.measured import Carried, busy, carried


def checked(found: Carried) -> dict[str, Check]:
    """All checks of a run by name."""
    scenario, prepared, run = found
    reading = Reading(prepared.plan, run, scenario, prepared.topology)
    return {check.name: check for check in laws.checks(reading, Occupancy(reading))}


@pytest.mark.parametrize("sharing", ["fifo", "lanes", "ps"])
def test_all_laws_hold_on_a_busy_day(sharing: str) -> None:
    """Whatever shares the lines; Little's and the utilisation law within 0.5 %, everything else exactly."""
    scenario, prepared, run = carried(load=6, nodes__province__uplink="5 kbit/s", link_sharing=sharing)
    found = checked((scenario, prepared, run))
    assert all(check.held for check in found.values()), [each for each in found.values() if not each.held]
    assert all(check.measured < 1e-6 for check in found.values())


def test_all_laws_hold_in_a_run_that_was_stopped() -> None:
    """What was under way at the end is counted as under way, and what had begun is allowed for."""
    scenario, prepared, _ = busy()
    prepared = prepared._replace(plan=prepared.plan._replace(end_ns=11 * 3_600 * 10**9))
    found = checked((scenario, prepared, reference.carry(prepared.plan)))
    assert all(check.held for check in found.values()), [each for each in found.values() if not each.held]


def _lost(run: Run) -> None:
    run.left_ns[hop(0, NODE)][7] = NEVER


def _never_sent(run: Run) -> None:
    run.left_ns[SUBMIT][3] = NEVER


def _overlapping(run: Run) -> None:
    run.left_ns[hop(0, UP)][:] = run.left_ns[hop(0, UP)].min() + 10**9


def _too_soon(run: Run) -> None:
    run.left_ns[receipt(0)][5] -= 10**7


def _held_back(run: Run) -> None:
    run.left_ns[hop(0, DOWN)][:] += 10**10
    run.left_ns[hop(0, NODE)][:] += 10**10


def _busier(run: Run) -> None:
    run.loop_busy_ns[:] += run.loop_busy_ns // 50


def _more_commits(run: Run) -> None:
    run.commits[:] += run.commits // 50 + 1


MISTAKES: list[tuple[Callable[[Run], None], str]] = [
    (_lost, "conservation"),
    (_never_sent, "flow balance: steps"),
    (_overlapping, "utilisation law: lines up"),
    (_too_soon, "flow balance: nodes"),
    (_held_back, "utilisation law: lines down"),
    (_busier, "utilisation law: interpreters"),
    (_more_commits, "utilisation law: disks"),
]


@pytest.mark.parametrize(("mistake", "caught"), MISTAKES)
def test_a_mistake_of_an_engine_is_caught_by_its_law(mistake: Callable[[Run], None], caught: str) -> None:
    """A check that nothing can break checks nothing."""
    scenario, prepared, run = busy()
    broken = run._replace(
        left_ns={step: left.copy() for step, left in run.left_ns.items()},
        loop_busy_ns=run.loop_busy_ns.copy(),
        commits=run.commits.copy(),
    )
    mistake(broken)
    found = checked((scenario, prepared, broken))
    names = [name for name, check in found.items() if not check.held]
    assert caught in names, names


def test_little_compares_two_ways_of_counting() -> None:
    """The number there on average is not 0, and both ways agree to the last digits."""
    found = checked(busy())["Little's law: lines up"]
    assert found.held
    assert found.measured < 1e-6
    assert not found.detail.startswith("0 there")
