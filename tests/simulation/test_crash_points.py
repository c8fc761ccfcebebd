"""A crash at every commit boundary of fixed worlds: before the commit, in it, and after it before each thing said."""

import pytest

from docaxis.core.lifecycle import Code
from docaxis.core.limits import DAY_MS, MINUTE_MS
from docaxis_sim.ground import START_MS
from docaxis_sim.plan import Fault, Kind, Plan, Work
from docaxis_sim.world import Outcome, World

STRIDES = 4
NOTHING_DRAWN = Work(documents=0, office_ms=0, recall=0, renew=0, inline=0, chunked=0)


def ordinary(crash_at: int) -> Outcome:
    """Two agencies, one letter with inline content, one with chunks to pull, states, a recall agreed to; one crash."""
    plan = Plan(("G22", "H49"), busy_ms=5 * MINUTE_MS, work=NOTHING_DRAWN, crash_at=(crash_at,))
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
    boundaries = ordinary(0).boundaries
    assert boundaries > 100
    for crash_at in range(1 + offset, boundaries + 1, STRIDES):
        outcome = ordinary(crash_at)
        assert outcome.acknowledged == 2
        assert outcome.happened["Started"] == 3


DEADLINE_MS = 10 * MINUTE_MS
OFF = Fault(Kind.OUTAGE, 0, 20 * MINUTE_MS, "H26")
BACK = Fault(Kind.RESTORE, 4 * MINUTE_MS, 16 * MINUTE_MS, "H49")
LONG = NOTHING_DRAWN._replace(expires_ms_min=3 * DAY_MS, expires_ms_max=3 * DAY_MS)
PACE = 12
"""Each test of the longer world strikes one boundary in so many, beginning with its own; together every fourth."""


def eventful(crash_at: int) -> Outcome:
    """Three agencies: a letter refused, one updated, one replaced, one that expires at an agency that is away and is
    worked on at another, one whose recall is declined, and an agency that goes back to its backup; one crash."""
    plan = Plan(("G22", "H49", "H26"), 30 * MINUTE_MS, 4 * DAY_MS, work=LONG, faults=(OFF, BACK), crash_at=(crash_at,))
    world = World(1, plan)
    people = world.workload
    refused = people.order(1_000, "G22", "H49", content="inline")
    recalled = people.order(2_000, "G22", "H49", content="chunked")
    late = people.order(3_000, "G22", "H26", "H49", expires_ms=START_MS + DEADLINE_MS)
    people.renew(3 * MINUTE_MS, "update", recalled)
    people.renew(6 * MINUTE_MS, "replace", late)
    people.state(2 * MINUTE_MS, "H49", refused, Code.REFUSED)
    people.state(5 * MINUTE_MS, "G22", recalled, Code.RECALL)
    people.state(8 * MINUTE_MS, "H49", recalled, Code.DECLINE)
    people.state(9 * MINUTE_MS, "H49", recalled, Code.COMPLETED)
    return world.run()


OFFSETS = range(0, PACE, 4)
WORDS = (Code.ARRIVED, Code.REFUSED, Code.COMPLETED, Code.RECALL, Code.DECLINE, Code.EXPIRED)


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_crash_at_boundaries_of_every_other_ending_loses_nothing_and_doubles_nothing(offset: int) -> None:
    """Refusal, update, replacement, expiry, a declined recall and a restore: each with a crash in the middle of it."""
    whole = eventful(0)
    assert all(whole.happened[f"code {code.value}"] for code in WORDS)
    assert whole.boundaries > 500
    for crash_at in range(1 + offset, whole.boundaries + 1, PACE):
        outcome = eventful(crash_at)
        assert outcome.acknowledged == 5
        # One life more, unless it strikes a node that is switched off in that moment anyway.
        assert outcome.happened["Started"] - whole.happened["Started"] in (0, 1)
