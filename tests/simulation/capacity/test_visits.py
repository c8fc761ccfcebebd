"""Visits worked out from departures are those that the laws know: none is missing, doubled or shorter than its work."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docaxis_sim.capacity.plan import NEVER, Plan, Run
from docaxis_sim.capacity.visits import Kind, Visits, visits
from tests.simulation.capacity.oracle import carry
from tests.simulation.capacity.small_plans import small_plans

LATER = 10**15


@settings(max_examples=60, deadline=None)
@given(small_plans())
def test_every_departure_belongs_to_one_visit_and_every_visit_takes_at_least_its_work(plan: Plan) -> None:
    """Against the naive engine, on plans full of ties, relays, shared stations and all forms."""
    run, until_ns = carry(plan), plan.end_ns or LATER
    seen: Counter[tuple[int, int]] = Counter()
    for each in visits(plan, run, until_ns):
        assert (each.came_ns <= until_ns).all(), each.step
        done = each.left_ns != NEVER
        seen.update((each.step, row) for row in each.row[done].tolist())
        assert (each.left_ns[done] - each.came_ns[done] >= each.least_ns[done]).all(), each.step
        assert (each.least_ns >= each.service_ns).all()
    assert seen == Counter(_departures(run))


@settings(max_examples=30, deadline=None)
@given(small_plans(), st.integers(1, 5))
def test_visits_are_the_same_however_many_deliveries_are_looked_at_together(plan: Plan, together: int) -> None:
    """Parents and their children may fall into different parts."""
    run, until_ns = carry(plan), plan.end_ns or LATER
    whole = _by_step(visits(plan, run, until_ns))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("docaxis_sim.capacity.visits.TOGETHER", together)
        assert _by_step(visits(plan, run, until_ns)) == whole


def _by_step(some: Iterable[Visits]) -> dict[int, list[tuple[int, ...]]]:
    found: dict[int, list[tuple[int, ...]]] = {}
    for each in some:
        found.setdefault(each.step, []).extend(zip(*(column.tolist() for column in each[2:]), strict=True))
    return found


def _departures(run: Run) -> list[tuple[int, int]]:
    return [(step, row) for step, left in run.left_ns.items() for row in np.flatnonzero(left != NEVER).tolist()]


@settings(max_examples=30, deadline=None)
@given(small_plans())
def test_a_visit_that_nobody_disturbs_takes_what_it_takes_alone(plan: Plan) -> None:
    """With a single delivery under way nothing waits, but for the waking of loops and stalls of disks."""
    alone = _first_only(plan)
    run = carry(alone)
    for each in visits(alone, run, LATER):
        if each.kind is not Kind.NODE:
            assert (each.left_ns - each.came_ns == each.least_ns).all()


def _first_only(plan: Plan) -> Plan:
    """The plan's first delivery, without statuses, which could meet each other."""
    d = plan.deliveries
    return plan._replace(
        end_ns=0,
        deliveries=d._replace(
            birth_ns=d.birth_ns[:1], parent=d.parent[:1] * 0 - 1, bytes=d.bytes[:1], form=d.form[:1], first=d.first[:1],
            hops=d.hops[:1], path=d.path[:, :1], latency_ns=d.latency_ns[:, :1],
            status_delay_ns=d.status_delay_ns[:0, :1], deadline_ns=d.deadline_ns[:1], priority=d.priority[:1],
            traffic=d.traffic[:1], group=d.group[:1], extra_ns={step: ns[:1] for step, ns in d.extra_ns.items()},
        ),
    )  # fmt: skip
