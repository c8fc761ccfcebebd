"""A document under way in a run that was stopped is with somebody; one that an engine forgot is not."""

import numpy as np
import pytest
from hypothesis import given, settings

from docaxis_sim.capacity import flow, reference
from docaxis_sim.capacity.forgotten import forgotten
from docaxis_sim.capacity.plan import DOWN, HOUR_NS, NEVER, NODE, SUBMIT, UP, Law, Plan, Run, hop
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.scenario import load
from tests.simulation.capacity.measured import SMALL, Carried, busy, reading_of
from tests.simulation.capacity.oracle import carry
from tests.simulation.capacity.small_plans import small_plans

STEPS = (SUBMIT, hop(0, UP), hop(0, DOWN), hop(0, NODE))


def stopped(found: Carried, hour: int) -> Carried:
    """The same plan, carried until an hour and no longer."""
    scenario, prepared, _ = found
    prepared = prepared._replace(plan=prepared.plan._replace(end_ns=hour * HOUR_NS))
    return scenario, prepared, reference.carry(prepared.plan)


def without(run: Run, row: int, first: int) -> Run:
    """The same outcome, but for one delivery that does not leave this step, nor come to those after it."""
    left = {step: times.copy() for step, times in run.left_ns.items()}
    for step, times in left.items():
        if step >= first:
            times[row] = NEVER
    return run._replace(left_ns=left)


@settings(max_examples=60, deadline=None)
@given(small_plans())
def test_nothing_is_forgotten_by_an_engine_that_obeys_the_laws(plan: Plan) -> None:
    """Whenever it is stopped: the naive engine, on plans full of ties and shared stations."""
    for end_ns in (50, 150, 400, 1000):
        ends = plan._replace(end_ns=end_ns)
        count = forgotten(ends, carry(ends))
        assert count == 0


@pytest.mark.parametrize("step", STEPS)
def test_a_document_that_never_leaves_a_step_is_forgotten(step: int) -> None:
    """However busy lines are, and wherever it is lost: nobody else's turn lasts until the end."""
    found = stopped(busy(), 11)
    reading = reading_of(found)
    assert flow.conservation(reading).held
    early = np.flatnonzero(reading.arrived & (reading.arrived_ns < 10 * HOUR_NS))
    for row in early[:: len(early) // 5]:
        run = without(found[2], int(row), step)
        assert forgotten(found[1].plan, run) == 1
        assert not flow.conservation(reading_of((found[0], found[1], run))).held


@pytest.mark.parametrize("law", ["fifo", "lanes", "ps"])
@pytest.mark.parametrize("hour", [10, 12])
def test_what_waits_for_a_peer_is_not_forgotten(law: str, hour: int) -> None:
    """During a failure and after it, whoever shares the lines."""
    scenario = load(SMALL.parent / "cut.toml", {"link_sharing": law, "nodes.province.uplink": "5 kbit/s"})
    prepared = prepare(scenario, 1)
    found = stopped((scenario, prepared, busy()[2]), hour)
    assert found[1].plan.stations.up_law is Law[law.upper()]
    assert flow.under_way(reading_of(found)).sum() > 20
    assert not forgotten(found[1].plan, found[2])
