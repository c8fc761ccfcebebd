"""The checks of every run hold where the engines are right, and each of them catches the mistake it is there for."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docaxis_sim.capacity import laws, reference, vector
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.plan import DOWN, NEVER, NODE, SUBMIT, UP, Law, Outage, Plan, Run, hop, receipt
from docaxis_sim.capacity.reading import Reading
from docaxis_sim.capacity.stays import Stays
from docaxis_sim.capacity.study import Check
from tests.simulation.capacity import oracle
from tests.simulation.capacity.measured import Carried, busy, carried
from tests.simulation.capacity.small_plans import small_plans

LATER = 10**15


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


@pytest.mark.parametrize("sharing", ["fifo", "lanes", "ps"])
def test_all_laws_hold_in_a_run_that_was_stopped(sharing: str) -> None:
    """What was under way at the end is counted as under way, and what had begun is allowed for."""
    scenario, prepared, _ = carried(load=6, nodes__province__uplink="5 kbit/s", link_sharing=sharing)
    prepared = prepared._replace(plan=prepared.plan._replace(end_ns=11 * 3_600 * 10**9))
    found = checked((scenario, prepared, reference.carry(prepared.plan)))
    assert all(check.held for check in found.values()), [each for each in found.values() if not each.held]


def _broken_laws(plan: Plan, run: Run) -> list[Check]:
    return [check for check in laws.of_stations(Stays(plan, run, plan.end_ns or LATER), run) if not check.held]


@settings(max_examples=150, deadline=None)
@given(small_plans())
def test_the_laws_of_stations_hold_for_the_laws_said_plainly(plan: Plan) -> None:
    """Ties, things that cost nothing, several servers and runs that are stopped: no check may cry wolf."""
    assert _broken_laws(plan, oracle.carry(plan)) == []


@settings(max_examples=100, deadline=None)
@given(small_plans(), st.sampled_from([Law.LANES, Law.PS]), st.integers(0, 4))
def test_the_laws_of_stations_hold_where_lines_are_shared(plan: Plan, law: Law, priority: int) -> None:
    """Pieces by lanes and equal shares, also where the run is stopped in between."""
    plan.deliveries.priority[::2] = priority
    plan = plan._replace(stations=plan.stations._replace(up_law=law))
    assert _broken_laws(plan, reference.carry(plan)) == []


@settings(max_examples=100, deadline=None)
@given(small_plans(), st.sets(st.integers(0, 5)), st.integers(0, 100), st.integers(1, 100), st.booleans())
def test_the_laws_of_stations_hold_where_nodes_are_cut_off(
    plan: Plan, inside: set[int], from_ns: int, length_ns: int, dark: bool
) -> None:
    """What an outage touches is left out where its visits cannot be told from departures, and nothing else is."""
    nodes = np.array([node for node in sorted(inside) if node < len(plan.node_ids)], np.int32)
    plan = plan._replace(outages=(Outage("storm", nodes, from_ns, from_ns + length_ns, dark),))
    assert _broken_laws(plan, reference.carry(plan)) == []


def test_both_engines_count_what_the_laws_ask_for() -> None:
    """On a busy day to the last visit, although the vector engine's sums wrap around and the reference's do not."""
    _, prepared, run = busy()
    other = vector.carry(prepared.plan)
    np.testing.assert_array_equal(other.area_ns, run.area_ns)
    np.testing.assert_array_equal(other.wakings, run.wakings)
    assert 0 < run.wakings.sum() < run.rounds.sum()


def _lost(run: Run) -> None:
    run.left_ns[hop(0, NODE)][7] = NEVER


def _never_sent(run: Run) -> None:
    run.left_ns[SUBMIT][3] = NEVER


def _overlapping(run: Run) -> None:
    run.left_ns[hop(0, UP)][:] = run.left_ns[hop(0, UP)].min() + 10**9


def _too_soon(run: Run) -> None:
    run.left_ns[receipt(0)][5] -= 10**7


def _idle(run: Run) -> None:
    for part in (UP, DOWN, NODE):
        run.left_ns[hop(0, part)][:] += 10**11


def _held_back(run: Run) -> None:
    run.left_ns[hop(0, DOWN)][:] += 10**10
    run.left_ns[hop(0, NODE)][:] += 10**10


def _stood_longer(run: Run) -> None:
    run.left_ns[receipt(0)][11] += 10**8


def _one_more_stood_there(station: int) -> Callable[[Run], None]:
    def mistake(run: Run) -> None:
        run.area_ns[station] += 1

    return mistake


def _busier(run: Run) -> None:
    run.loop_busy_ns[0] += 1


def _paid_for_half_of_its_wakings(run: Run) -> None:
    _, prepared, _ = busy()
    run.loop_busy_ns[:] -= run.wakings // 2 * prepared.plan.stations.wake_ns


def _woken(run: Run, wakings: int) -> None:
    """Of the loop that has most rounds, in all that the engine counts."""
    _, prepared, _ = busy()
    loop = int(run.rounds.argmax())
    run.loop_busy_ns[loop] += (wakings - run.wakings[loop]) * prepared.plan.stations.wake_ns[loop]
    run.wakings[loop] = wakings


def _woken_for_every_round(run: Run) -> None:
    _woken(run, int(run.rounds.max()))


def _hardly_ever_woken(run: Run) -> None:
    _woken(run, 1)


def _more_commits(run: Run) -> None:
    run.commits[:] += run.commits // 50 + 1


MISTAKES: list[tuple[Callable[[Run], None], str]] = [
    (_lost, "conservation"),
    (_never_sent, "flow balance: steps"),
    (_too_soon, "flow balance: nodes"),
    (_overlapping, "utilisation law: lines up"),
    (_idle, "utilisation law: lines up"),
    (_held_back, "utilisation law: lines down"),
]
ONE_LAW_ALONE: list[tuple[Callable[[Run], None], str]] = [
    (_stood_longer, "Little's law: nodes"),
    (_one_more_stood_there(0), "Little's law: nodes"),
    (_one_more_stood_there(-1), "Little's law: lines down"),
    (_busier, "utilisation law: interpreters"),
    (_paid_for_half_of_its_wakings, "utilisation law: interpreters"),
    (_woken_for_every_round, "wakings"),
    (_hardly_ever_woken, "wakings"),
    (_more_commits, "utilisation law: disks"),
]


def _failed_after(mistake: Callable[[Run], None]) -> list[str]:
    scenario, prepared, run = busy()
    broken = run._replace(
        left_ns={step: left.copy() for step, left in run.left_ns.items()},
        loop_busy_ns=run.loop_busy_ns.copy(),
        wakings=run.wakings.copy(),
        area_ns=run.area_ns.copy(),
        commits=run.commits.copy(),
    )
    mistake(broken)
    return [name for name, check in checked((scenario, prepared, broken)).items() if not check.held]


@pytest.mark.parametrize(("mistake", "caught"), MISTAKES)
def test_a_mistake_of_an_engine_is_caught_by_its_law(mistake: Callable[[Run], None], caught: str) -> None:
    """A check that nothing can break checks nothing."""
    assert caught in _failed_after(mistake)


@pytest.mark.parametrize(("mistake", "caught"), ONE_LAW_ALONE)
def test_some_mistakes_are_caught_by_one_law_alone(mistake: Callable[[Run], None], caught: str) -> None:
    """Without it nobody would see them, so it is no second word for another."""
    assert _failed_after(mistake) == [caught]


def test_a_line_that_serves_out_of_turn_is_found() -> None:
    """Nobody is served twice, nobody rests, and yet it is not first come, first served."""
    _, prepared, run = busy()
    up = Stays(prepared.plan, run, LATER).up
    order = np.lexsort((up.left, up.link))
    start = up.left - up.service
    waits = (up.link[order][1:] == up.link[order][:-1]) & (up.left[order][:-1] == start[order][1:])
    waits &= up.came[order][1:] < start[order][:-1]
    one, other = order[:-1][waits][0], order[1:][waits][0]
    rows, steps = [each >> 6 for each in (up.token[one], up.token[other])], hop(0, UP)
    left = run.left_ns[steps].copy()
    left[rows[1]] = start[one] + up.service[other]
    left[rows[0]] = left[rows[1]] + up.service[one]
    broken = run._replace(left_ns=run.left_ns | {steps: left})
    names = [check.name for check in laws.of_stations(Stays(prepared.plan, broken, LATER), broken) if not check.held]
    assert "utilisation law: lines up" in names


@pytest.mark.parametrize("factor", [0, 1_000_000])
def test_where_nodes_are_cut_off_too_few_and_too_many_are_found_all_the_same(factor: int) -> None:
    """What departures do not tell leaves room for some, not for any number."""
    _, prepared, _ = busy()
    hour_ns = 3_600 * 10**9
    outage = Outage("storm", np.array([40], np.int32), 9 * hour_ns, 10 * hour_ns, dark=False)
    plan = prepared.plan._replace(outages=(outage,))
    run = reference.carry(plan)
    assert _broken_laws(plan, run) == []
    area_ns = run.area_ns.copy()
    area_ns[0] *= factor
    found = _broken_laws(plan, run._replace(area_ns=area_ns))
    assert [check.name for check in found] == ["Little's law: nodes"]
    assert "without and with those whom an outage met" in found[0].detail


def test_little_compares_two_ways_of_counting() -> None:
    """The number there on average is not 0, and both ways agree at every station."""
    found = checked(busy())["Little's law: lines up"]
    assert found.held
    assert not found.detail.startswith("0 there")
    assert "0 differ" in found.detail
