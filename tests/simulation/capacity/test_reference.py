"""The reference engine: it obeys the plan's laws to the nanosecond, and says the same each time."""

import numpy as np
from hypothesis import given, settings

from docaxis_sim.capacity.plan import Plan, Run
from docaxis_sim.capacity.reference import carry
from tests.simulation.capacity import oracle
from tests.simulation.capacity.small_plans import small_plans


def assert_same(run: Run, expected: Run) -> None:
    """Every departure of every step, and what the stations counted."""
    assert run.left_ns.keys() == expected.left_ns.keys()
    for step, column in expected.left_ns.items():
        np.testing.assert_array_equal(run.left_ns[step], column, err_msg=f"step {step}")
    for name in ("rounds", "loop_busy_ns", "commits", "tries", "expired"):
        np.testing.assert_array_equal(getattr(run, name), getattr(expected, name), err_msg=name)


@settings(max_examples=400, deadline=None)
@given(small_plans())
def test_every_departure_is_that_of_the_laws_said_plainly(plan: Plan) -> None:
    """Departure on arrival, slots and light events are only speed: the naive engine says the same of every token."""
    assert_same(carry(plan), oracle.carry(plan))
