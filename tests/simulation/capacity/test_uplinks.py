"""Shared up links in the reference engine: who waits for whom, and what the down link makes of it."""

import numpy as np
import pytest

from docaxis_sim.capacity.plan import DOWN, HOUR_NS, SECOND_NS, UP, Form, Law, Plan, hop
from docaxis_sim.capacity.reference import carry
from tests.simulation.capacity import national

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
