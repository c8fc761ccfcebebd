"""Engines that agree: every departure of every delivery, to the nanosecond."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from docaxis_sim.capacity import cases, chance, prepare, reference, scenario, shipped, vector
from docaxis_sim.capacity.plan import NODE, Law, Plan, Run, hop
from tests.simulation.capacity import national
from tests.simulation.capacity.oracle import assert_same, carry
from tests.simulation.capacity.small_plans import small_plans
from tools.benchmarks import agreement

SHIPPED = sorted(shipped.shipped().glob("*.toml"))
LOAD = 0.005
PRESSED = 100
"""How many hours of a scenario become one."""


@settings(max_examples=150)
@given(small_plans())
def test_the_vector_engine_does_what_the_laws_say(plan: Plan) -> None:
    """Ties, things that cost nothing and shared stations are where engines part ways."""
    assert_same(vector.carry(plan), carry(plan))


@settings(max_examples=100)
@given(small_plans())
def test_lanes_are_fifo_where_all_are_in_one_lane_and_nothing_is_cut_into_pieces(plan: Plan) -> None:
    """Another way through links, whose outcome is known to the nanosecond all the same."""
    lanes = plan._replace(stations=plan.stations._replace(up_law=Law.LANES))
    assert_same(reference.carry(lanes), carry(plan))


def test_engines_agree_on_a_day_of_the_whole_country() -> None:
    """Long delays and thousands of nodes use the parts of the calendars that small plans never reach."""
    plan = national.plan(20_000)
    assert_same(vector.carry(plan), reference.carry(plan))


@pytest.mark.parametrize("carried_by", [reference.carry, vector.carry])
def test_the_disk_of_several_processes_is_never_busier_than_it_can_be(carried_by: Callable[[Plan], Run]) -> None:
    """Four busy processes whose rounds take as long as a commit: commits follow one another, and are shared."""
    crowd = cases.at_loops([1.0], 3.6, cases.always_one, servers=4)(chance.generator(5, 0, "births"), 5_000)
    commit_ns = np.full(2, cases.UNIT_NS)
    plan = crowd.plan._replace(stations=crowd.plan.stations._replace(commit_ns=commit_ns))
    run = carried_by(plan)
    busy_ns, last_ns = int((run.commits * commit_ns).max()), int(run.left_ns[hop(0, NODE)].max())
    assert 0.9 * last_ns < busy_ns <= last_ns
    assert_same(run, carry(plan))


def test_engines_agree_where_a_crowd_waits_at_one_station() -> None:
    """Everybody sends at one instant: the same heap, the same line, the same rounds."""
    plan = national.plan(3_000)
    crowd = plan.deliveries._replace(birth_ns=plan.deliveries.birth_ns * 0)
    crowd.path[1] = 7
    plan = plan._replace(deliveries=crowd)
    assert_same(vector.carry(plan), reference.carry(plan))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_engines_agree_on_every_shipped_scenario_where_documents_wait(path: Path) -> None:
    """A part of each, its hours pressed together so that documents meet at lines and loops; `tools/bench agreement`
    carries all of it. What the vector engine refuses by name, outages and other laws, is left out."""
    plan = agreement.without_refused(prepare.prepare(scenario.load(path, {"load": LOAD}), 0).plan)
    plan = plan._replace(deliveries=plan.deliveries._replace(birth_ns=plan.deliveries.birth_ns // PRESSED))
    run = reference.carry(plan)
    assert agreement.waited(plan, run).any()
    assert_same(vector.carry(plan), run)


def test_a_document_that_parts_ways_is_found() -> None:
    """A table of zeros proves something only if it could show a one."""
    plan = national.plan(500)
    run = reference.carry(plan)
    column = run.left_ns[hop(0, NODE)].copy()
    column[7] += 1
    other = run._replace(left_ns=run.left_ns | {hop(0, NODE): column})
    assert np.flatnonzero(agreement.differing(run, other)).tolist() == [7]
    assert not agreement.differing(run, run).any()
