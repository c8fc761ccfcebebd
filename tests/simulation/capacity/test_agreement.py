"""Engines that agree: every departure of every delivery, to the nanosecond."""

import numpy as np
from hypothesis import given, settings

from docaxis_sim.capacity import vector
from docaxis_sim.capacity.plan import Plan, Run
from tests.simulation.capacity import oracle
from tests.simulation.capacity.small_plans import small_plans


def _assert_equal(one: Run, other: Run) -> None:
    assert list(one.left_ns) == list(other.left_ns)
    for step, times in one.left_ns.items():
        np.testing.assert_array_equal(times, other.left_ns[step], f"step {step}, {one.engine} and {other.engine}")
    for name in ("rounds", "loop_busy_ns", "commits", "expired", "tries"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


@settings(max_examples=300)
@given(small_plans())
def test_the_vector_engine_does_what_the_laws_say(plan: Plan) -> None:
    """Ties, things that cost nothing and shared stations are where engines part ways."""
    _assert_equal(oracle.carry(plan), vector.carry(plan))
