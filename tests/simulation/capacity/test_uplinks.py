"""Shared up links in the reference engine: who waits for whom, and what the down link makes of it."""

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docaxis_sim.capacity.plan import (
    DOWN,
    ENVELOPE,
    HOUR_NS,
    NODE,
    SECOND_NS,
    SUBMIT,
    UP,
    Form,
    Law,
    Plan,
    Run,
    hop,
    last_node_step,
)
from docaxis_sim.capacity.reference import carry
from tests.simulation.capacity import national, oracle, oracle_lines
from tests.simulation.capacity.small_plans import small_plans

KIB = 1024
NS_PER_KIB = 409_600


def _inline(births_ns: list[int], sizes: list[int], priorities: list[int], law: Law) -> Plan:
    """Deliveries from one commune to others."""
    count = len(births_ns)
    rows = national.deliveries(count, hours=1)
    path = rows.path.copy()
    path[0], path[1] = 5_000, 6_000 + np.arange(count)
    return Plan(
        tuple(map(str, range(national.NODES))),
        national.stations()._replace(up_law=law),
        rows._replace(
            birth_ns=np.array(births_ns),
            bytes=np.array(sizes),
            form=np.full(count, Form.INLINE, np.int8),
            path=path,
            priority=np.array(priorities, np.int8),
        ),
        (),
        0,
    )


@pytest.mark.parametrize("law", [Law.LANES, Law.PS])
def test_who_is_alone_on_a_link_has_all_of_it(law: Law) -> None:
    """Where nobody is met, how a link is shared makes no difference."""
    plan = _inline([0, HOUR_NS, 2 * HOUR_NS], [20 * KIB, 5_000 * KIB, 0], [0, 4, 2], law)
    shared, alone = carry(plan), carry(plan._replace(stations=plan.stations._replace(up_law=Law.FIFO)))
    for step, column in alone.left_ns.items():
        np.testing.assert_array_equal(shared.left_ns[step], column, err_msg=f"step {step}")


def test_two_on_a_shared_link_get_half_of_it_each() -> None:
    """Equal documents that come together end together, after the time of both."""
    plan = _inline([0, 0], [5_000 * KIB, 5_000 * KIB], [0, 0], Law.PS)
    run = carry(plan)
    took_ns = run.left_ns[hop(0, UP)] - run.left_ns[0]
    assert took_ns.min() >= 2 * 5_000 * NS_PER_KIB - SECOND_NS // 100
    assert np.ptp(run.left_ns[hop(0, UP)]) < SECOND_NS // 100
    latency_ns = plan.deliveries.latency_ns[0]
    np.testing.assert_array_equal(run.left_ns[hop(0, DOWN)], run.left_ns[hop(0, UP)] + latency_ns)


def test_an_express_document_overtakes_those_that_wait() -> None:
    """Lanes are of use only if an express one passes the large ordinary ones before it."""
    births_ns = [0, SECOND_NS, 2 * SECOND_NS, 3 * SECOND_NS]
    run = carry(_inline(births_ns, [20_000 * KIB] * 3 + [20 * KIB], [0, 0, 0, 3], Law.LANES))
    ended = run.left_ns[hop(0, UP)]
    assert ended[3] < ended[0] < ended[1] < ended[2]


def _of_many_pieces(plan: Plan, law: Law, times: int) -> Plan:
    """A plan over shared lines with so much larger contents, which lines carry in the same time."""
    rows, stations = plan.deliveries, plan.stations
    stations = stations._replace(up_law=law, down_ns_per_kib=stations.down_ns_per_kib // times)
    return plan._replace(deliveries=rows._replace(bytes=rows.bytes * times), stations=stations)


@settings(max_examples=150, deadline=None)
@given(small_plans(), st.lists(st.integers(0, 4), min_size=1, max_size=40), st.sampled_from([1, 700, 1024]))
def test_lanes_are_those_of_a_list_that_is_looked_through(plan: Plan, priorities: list[int], times: int) -> None:
    """Ties, things that cost nothing, several pieces, all priorities, several hops: every departure is the same."""
    lanes = _of_many_pieces(plan, Law.LANES, times)
    drawn = np.resize(np.array(priorities, np.int8), len(lanes.deliveries.hops))
    lanes = lanes._replace(deliveries=lanes.deliveries._replace(priority=drawn))
    oracle.assert_same(carry(lanes), oracle_lines.carry(lanes))


@settings(max_examples=150, deadline=None)
@given(small_plans(), st.sampled_from([1, 700]))
def test_equal_shares_are_those_of_exact_fractions(plan: Plan, times: int) -> None:
    """Who comes to a line when is read off the run itself, so that a nanosecond of rounding stays one."""
    shared = _of_many_pieces(plan._replace(end_ns=0), Law.PS, times)
    run = carry(shared)
    for number, ns_per_kib in enumerate(shared.stations.up_ns_per_kib.tolist()):
        visits = _visits(shared, run, number)
        ends = oracle_lines.shares([(t, int(shared.deliveries.bytes[d]) * ns_per_kib >> 10) for t, d, _ in visits])
        for (_, d, h), end in zip(visits, ends, strict=True):
            assert 0 <= int(run.left_ns[hop(h, UP)][d]) - ceil(end) <= 1


def _visits(plan: Plan, run: Run, link: int) -> list[tuple[int, int, int]]:
    """Who comes to an up link when, and on which hop: right after what came before."""
    rows, found = plan.deliveries, []
    for d, hops in enumerate(rows.hops.tolist()):
        for h in range(hops):
            if rows.form[d] == Form.CHUNKED:
                t = run.left_ns[hop(h, ENVELOPE)][d] + rows.latency_ns[h, d]
            elif h:
                t = run.left_ns[hop(h - 1, NODE)][d]
            elif rows.form[d] == Form.INLINE:
                t = run.left_ns[SUBMIT][d]
            else:
                parent = int(rows.parent[d])
                born = run.left_ns[last_node_step(int(rows.hops[parent]))][parent] if parent >= 0 else 0
                t = rows.birth_ns[d] + born
            if plan.stations.up_of[rows.path[h, d]] == link:
                found.append((int(t), d, h))
    return found
