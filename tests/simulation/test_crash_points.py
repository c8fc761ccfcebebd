"""A crash at every commit boundary of a fixed world: before the commit, in it, and after it before each thing said."""

import pytest

from docaxis.core.lifecycle import Code
from docaxis.core.limits import MINUTE_MS
from docaxis_sim.plan import Plan, Work
from docaxis_sim.world import Outcome, World

STRIDES = 4


def run(crash_at: int) -> Outcome:
    """Two agencies, one letter with inline content, one with chunks to pull, states, a recall agreed to; one crash."""
    work = Work(documents=0, office_ms=0, recall=0, renew=0, inline=0, chunked=0)
    plan = Plan(("G22", "H49"), busy_ms=5 * MINUTE_MS, work=work, crash_at=crash_at)
    world = World(1, plan)
    first = world.workload.order(1_000, "G22", "H49", content="chunked")
    second = world.workload.order(1_200, "H49", "G22", content="inline")
    world.workload.state(70_000, "H49", first, Code.RECEIVED)
    world.workload.state(71_000, "H49", first, Code.COMPLETED)
    world.workload.state(70_500, "H49", second, Code.RECALL)
    world.workload.state(130_000, "G22", second, Code.AGREE)
    return world.run()


@pytest.mark.parametrize("offset", range(STRIDES))
def test_a_crash_at_any_boundary_loses_nothing_and_doubles_nothing(offset: int) -> None:
    """Enumerated, not drawn: rare boundaries are where such bugs live."""
    boundaries = run(0).boundaries
    assert boundaries > 100
    for crash_at in range(1 + offset, boundaries + 1, STRIDES):
        outcome = run(crash_at)
        assert outcome.acknowledged == 2
        assert outcome.happened["Started"] == 3
