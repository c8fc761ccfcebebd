"""The reference engine: it obeys the plan's laws to the nanosecond, and says the same each time."""

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given, settings

from docaxis_sim.capacity.plan import HOUR_NS, NEVER, NODE, Form, Plan, arrived_ns, hop
from docaxis_sim.capacity.reference import Reference, carry
from tests.simulation.capacity import national, oracle
from tests.simulation.capacity.oracle import assert_same
from tests.simulation.capacity.small_plans import small_plans


@settings(max_examples=250, deadline=None)
@given(small_plans())
def test_every_departure_is_that_of_the_laws_said_plainly(plan: Plan) -> None:
    """Departure on arrival, slots and light events are only speed: the naive engine says the same of every token."""
    assert_same(carry(plan), oracle.carry(plan))


def in_turn(plan: Plan, free_links: bool) -> Plan:
    """The same documents where each node has a loop and a disk of its own, and rounds of one visit."""
    stations, nodes = plan.stations, len(plan.node_ids)
    own, one = np.arange(nodes, dtype=np.int32), np.ones(nodes, np.int32)
    columns: dict[str, Any] = {
        name: np.resize(getattr(stations, name), nodes) for name in ("wake_ns", "round_ns", "commit_ns")
    }
    if free_links:
        columns |= {name: np.zeros_like(getattr(stations, name)) for name in ("up_ns_per_kib", "down_ns_per_kib")}
    columns |= {"loop_of": own, "disk_of": own, "round_max": one, "servers": one}
    return plan._replace(stations=stations._replace(**columns), outages=(), end_ns=0)


@pytest.mark.parametrize("free_links", [False, True])
@settings(max_examples=150, deadline=None)
@given(plan=small_plans())
def test_rounds_of_one_visit_and_links_that_cost_nothing_are_only_quicker(free_links: bool, plan: Plan) -> None:
    """Who leaves when is told on arrival there, and parts begin at their node: neither may change a departure."""
    other = in_turn(plan, free_links)
    assert_same(carry(other), oracle.carry(other))


def test_a_second_run_says_the_same() -> None:
    """Same plan, same outcome: nothing in an engine is left to chance."""
    plan = national.plan(3_000)
    assert_same(carry(plan), carry(plan))


def test_progress_is_told_in_the_order_of_time_and_counts_arrivals() -> None:
    """Whoever waits for a long run sees where it is."""
    plan = national.plan(30_000)
    words: list[tuple[int, int]] = []
    carry(plan, lambda now_ns, arrived: words.append((now_ns, arrived)))
    assert words
    assert words == sorted(words)
    assert 0 < words[0][1] <= words[-1][1] <= 30_000


def test_a_process_of_simpy_can_watch_a_plan_being_carried() -> None:
    """Monitors and controllers are ordinary SimPy processes beside the light events, and change nothing by looking."""
    plan = national.plan(2_000)
    reference, seen = Reference(plan), []

    def monitor() -> Generator[simpy.Event, Any, None]:
        for _ in range(24):
            yield reference.calendar.timeout(HOUR_NS)
            arrived = reference.columns.left_ns[hop(0, NODE)]
            seen.append(int(((arrived != NEVER) & (arrived <= reference.calendar.now)).sum()))

    reference.calendar.process(monitor())
    run = reference.run()
    assert_same(run, carry(plan))
    arrived = arrived_ns(plan, run)
    assert seen == [int((arrived <= hour * HOUR_NS).sum()) for hour in range(1, 25)]


def test_two_loops_cannot_feed_one_disk() -> None:
    """The law of group commits needs one order; stations that have none are refused by a plain sentence."""
    plan = national.plan(10)
    shared = plan.stations._replace(disk_of=np.zeros_like(plan.stations.disk_of))
    with pytest.raises(ValueError, match="a disk has one loop"):
        carry(plan._replace(stations=shared))


def test_a_backlog_of_thousands_takes_no_more_rounds_than_it_must() -> None:
    """Overload is what planners ask about: those who wait at a node leave in rounds of 256, each looked at once."""
    plan = national.plan(20_000)
    nothing = np.zeros(national.NODES, np.int64)
    path = plan.deliveries.path.copy()
    path[0], path[1] = 1 + np.arange(20_000) % 10_000, 0
    rows = plan.deliveries._replace(
        birth_ns=np.zeros(20_000, np.int64),
        path=path,
        form=np.full(20_000, Form.INLINE, np.int8),
        status_delay_ns=np.full((1, 20_000), NEVER),
    )
    stations = plan.stations._replace(up_ns_per_kib=nothing, down_ns_per_kib=nothing)
    run = carry(plan._replace(stations=stations, deliveries=rows))
    assert (arrived_ns(plan, run) != NEVER).all()
    assert run.rounds[0] <= 20_000 // 256 + 10
