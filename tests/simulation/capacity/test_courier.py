"""Couriers: what an outage does to deliveries, and that the core's own rules bring them home afterwards."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docaxis_sim.capacity.plan import (
    DAY_NS,
    HOPS_MAX,
    HOUR_NS,
    MILLISECOND_NS,
    MINUTE_NS,
    NEVER,
    NODE,
    SECOND_NS,
    SUBMIT,
    UP,
    Deliveries,
    Form,
    Law,
    Outage,
    Plan,
    Run,
    arrived_ns,
    home_ns,
    hop,
    receipt,
    status,
)
from docaxis_sim.capacity.reference import carry
from tests.simulation.capacity import national, oracle, oracle_outages
from tests.simulation.capacity.dense_plans import UNITS, dense_plan, in_units
from tests.simulation.capacity.small_plans import small_plans

NODES = 8
BEGIN_NS, END_NS = HOUR_NS, 2 * HOUR_NS


def _rows(births_ns: Sequence[int], sender: int, recipients: Sequence[int], form: Form = Form.CHUNKED) -> Deliveries:
    """Deliveries over one hop from one node to others, with a status after ten minutes."""
    count = len(births_ns)
    rows = national.deliveries(count, nodes=NODES, hours=1)
    path = np.full((HOPS_MAX + 1, count), NEVER, np.int32)
    path[0], path[1] = sender, recipients
    return rows._replace(
        birth_ns=np.array(births_ns, np.int64),
        path=path,
        form=np.full(count, form, np.int8),
        bytes=np.full(count, 20_000, np.int64),
        status_delay_ns=np.full((1, count), 10 * MINUTE_NS, np.int64),
    )


def _plan(rows: Deliveries, inside: Sequence[int], dark: bool = False, from_ns: int = BEGIN_NS) -> Plan:
    outage = Outage("cut", np.array(inside, np.int32), from_ns, END_NS, dark)
    return Plan(tuple(f"H{n:02}" for n in range(NODES)), national.stations(NODES, agencies=0), rows, (outage,), 0)


def _came_home(plan: Plan, run: Run) -> bool:
    return bool((arrived_ns(plan, run) != NEVER).all() and (home_ns(plan, run) != NEVER).all())


def test_what_is_sent_into_an_outage_arrives_after_it_and_comes_home() -> None:
    """Promise 1 of the design, as the capacity model sees it: a cut delays, and loses nothing."""
    births = [BEGIN_NS + n * MINUTE_NS for n in range(50)]
    plan = _plan(_rows(births, 0, [1 + n % 3 for n in range(50)]), [1, 2, 3])
    run = carry(plan)
    assert _came_home(plan, run)
    assert arrived_ns(plan, run).min() > END_NS
    assert not run.expired.any()
    assert run.tries.min() >= 0
    assert run.tries.max() > 0


def test_everybody_is_served_within_the_longest_pause_of_the_core() -> None:
    """A peer is never left alone for longer than the core's own bound, 7.5 minutes with its jitter."""
    births = [BEGIN_NS + n * MINUTE_NS for n in range(50)]
    plan = _plan(_rows(births, 0, [1] * 50), [1])
    assert arrived_ns(plan, carry(plan)).max() < END_NS + 8 * MINUTE_NS


def test_pairs_that_no_outage_touches_are_as_without_it() -> None:
    """Only who is cut off waits: everybody else's departures are the same to the nanosecond."""
    rows = _rows([BEGIN_NS + n * SECOND_NS for n in range(60)], 0, [1 + n % 2 for n in range(60)])
    path = rows.path.copy()
    path[0] = np.where(path[1] == 1, 4, 5)
    plan = _plan(rows._replace(path=path), [1])
    with_it, without = carry(plan), carry(plan._replace(outages=()))
    spared = path[1] == 2
    for step, column in without.left_ns.items():
        np.testing.assert_array_equal(with_it.left_ns[step][spared], column[spared])
    assert (arrived_ns(plan, with_it)[~spared] > END_NS).all()


def test_express_documents_overtake_ordinary_ones_when_a_province_returns() -> None:
    """The lanes of the core's outbox drain a backlog: what is urgent does not wait for what came before it."""
    births = [BEGIN_NS + n * SECOND_NS for n in range(600)]
    rows = _rows(births, 0, [1] * 600)
    priority = np.zeros(600, np.int8)
    priority[-20:] = 3
    plan = _plan(rows._replace(priority=priority), [1])
    run = carry(plan)
    assert _came_home(plan, run)
    announced = run.left_ns[hop(0, 0)]
    assert announced[priority == 3].max() < np.median(announced[priority == 0])


def test_a_node_that_is_switched_off_goes_on_where_it_stood() -> None:
    """Its clerks come back when it does, what others have for it waits, and nothing is lost."""
    births = [BEGIN_NS + n * MINUTE_NS for n in range(40)]
    to_it, from_it = _rows(births, 0, [1] * 40), _rows(births, 1, [2] * 40)
    into, out_of = _plan(to_it, [1], dark=True), _plan(from_it, [1], dark=True)
    run = carry(out_of)
    assert _came_home(out_of, run)
    assert run.left_ns[SUBMIT].min() > END_NS
    assert _came_home(into, carry(into))


def test_statements_wait_for_the_way_home_too() -> None:
    """A receipt that meets the outage is in the recipient's outbox, in the lane of control."""
    rows = _rows([BEGIN_NS - 30 * MINUTE_NS] * 20, 0, [1] * 20)._replace(
        status_delay_ns=np.full((1, 20), 45 * MINUTE_NS, np.int64)
    )
    plan = _plan(rows, [1])
    run = carry(plan)
    assert (run.left_ns[receipt(0)] < BEGIN_NS).all()
    assert ((run.left_ns[status(0, 0)] > BEGIN_NS) & (run.left_ns[status(0, 0)] < END_NS)).all()
    assert (run.left_ns[status(0, 1)] > END_NS).all()


def test_content_that_is_cut_off_is_pulled_again() -> None:
    """An outage in the middle of a long pull: the recipient asks again, by the core's delays."""
    rows = _rows([BEGIN_NS - MINUTE_NS], 0, [1])._replace(bytes=np.array([2_000_000_000]))
    plan = _plan(rows, [1])
    run = carry(plan)
    assert run.left_ns[hop(0, 0)][0] < BEGIN_NS
    assert run.left_ns[hop(0, UP)][0] > END_NS
    assert _came_home(plan, run)
    assert run.tries[0] > 1


def test_what_is_past_its_deadline_expires_and_everything_else_arrives() -> None:
    """Silence is never an outcome: each delivery ends as arrived or expired."""
    births = [BEGIN_NS + n * MINUTE_NS for n in range(50)]
    rows = _rows(births, 0, [1] * 50)._replace(deadline_ns=np.where(np.arange(50) % 2, 10 * MINUTE_NS, DAY_NS))
    run = carry(_plan(rows, [1]))
    arrived = run.left_ns[hop(0, NODE)] != NEVER
    np.testing.assert_array_equal(run.expired, rows.deadline_ns < DAY_NS)
    np.testing.assert_array_equal(arrived, ~run.expired)


def test_what_its_peer_has_by_its_deadline_has_not_expired() -> None:
    """The sender hears of it a latency later; by then a deadline in between is no reason to give it up."""
    plan = _plan(_rows([BEGIN_NS], 0, [1], Form.INLINE), [1])
    took_ns = arrived_ns(plan, carry(plan)) - BEGIN_NS
    run = carry(plan._replace(deliveries=plan.deliveries._replace(deadline_ns=took_ns + 1)))
    np.testing.assert_array_equal(arrived_ns(plan, run), BEGIN_NS + took_ns)
    assert not run.expired.any()


def test_what_is_lost_on_its_way_after_its_deadline_is_not_sent_again() -> None:
    """While it was on its way nobody gave it up; once it is known to be lost there is nobody to send it for."""
    rows = _rows([BEGIN_NS], 0, [1], Form.INLINE)._replace(bytes=np.array([1_000_000_000]))
    plan = _plan(rows, [1])
    sent_ns = int(carry(plan).left_ns[hop(0, UP)][0])
    broken = Outage("again", np.array([1], np.int32), sent_ns - SECOND_NS, sent_ns, False)
    late = rows._replace(deadline_ns=np.array([sent_ns - BEGIN_NS - 2 * SECOND_NS]))
    run = carry(plan._replace(outages=(*plan.outages, broken), deliveries=late))
    assert run.tries[0] > 1
    assert run.expired.all()
    assert (arrived_ns(plan, run) == NEVER).all()


def test_a_node_that_comes_back_after_a_deadline_does_not_ask_for_the_content() -> None:
    """It was announced before the node was switched off; its sender has given it up by now."""
    rows = _rows([BEGIN_NS], 0, [1])
    announced_ns = int(carry(_plan(rows, [], from_ns=END_NS - 1)).left_ns[hop(0, 0)][0])
    rows = rows._replace(deadline_ns=np.array([30 * MINUTE_NS]))
    plan = _plan(rows, [1], dark=True, from_ns=announced_ns + 1)
    run = carry(plan)
    assert run.left_ns[hop(0, 0)][0] == announced_ns
    assert run.expired.all()
    assert (arrived_ns(plan, run) == NEVER).all()


def test_a_return_is_announced_by_whoever_calls_first() -> None:
    """A sign of life ends the pause: the core probes a failing peer that has just called."""
    births = [BEGIN_NS + n * MINUTE_NS for n in range(30)]
    to_it = _rows(births, 0, [1] * 30, Form.INLINE)
    back = _rows([END_NS + MILLISECOND_NS], 1, [0], Form.INLINE)
    both = Deliveries._make(_joined(a, b) for a, b in zip(to_it, back, strict=True))
    plan = _plan(both._replace(status_delay_ns=np.full((1, 31), NEVER, np.int64)), [1])
    assert arrived_ns(plan, carry(plan)).max() < END_NS + 10 * SECOND_NS


def _joined(a: Any, b: Any) -> Any:
    return {} if isinstance(a, dict) else np.concatenate([a, b], axis=-1)


@st.composite
def outages(draw: st.DrawFn, nodes: int) -> tuple[Outage, ...]:
    """Up to three, of any length, overlapping, one after the other, of anybody."""
    begins, lengths = st.sampled_from([0, 10, 20, 50, 100, 130]), st.sampled_from([1, 10, 50, 80, 300, 3_000])
    drawn = draw(st.lists(st.tuples(begins, lengths, st.booleans(), st.sets(st.integers(0, nodes - 1))), max_size=3))
    return tuple(
        Outage(str(number), np.array(sorted(inside), np.int32), begin, begin + length, dark)
        for number, (begin, length, dark, inside) in enumerate(drawn)
    )


@settings(max_examples=150, deadline=None)
@given(small_plans(), st.data())
def test_outages_are_those_of_a_courier_who_looks_everything_up(plan: Plan, data: st.DataObject) -> None:
    """Every departure, every try and every end of a delivery, whoever is cut off or switched off when and for how
    long, with statements, lanes, deadlines and several hops."""
    cut = plan._replace(
        outages=data.draw(outages(len(plan.node_ids))),
        stations=plan.stations._replace(up_law=data.draw(st.sampled_from([Law.FIFO, Law.LANES]))),
        deliveries=plan.deliveries._replace(
            priority=np.array([data.draw(st.integers(0, 4)) for _ in plan.deliveries.hops], np.int8)
        ),
    )
    cut = in_units(cut, *data.draw(st.sampled_from(UNITS)))
    oracle.assert_same(carry(cut), oracle_outages.carry(cut))


@pytest.mark.parametrize("tens", range(12))
def test_and_so_they_are_where_much_happens_at_once(tens: int) -> None:
    """Backlogs that are larger than what a peer gets that has just come back, content broken off, second outages."""
    for seed in range(10 * tens, 10 * tens + 10):
        plan = dense_plan(seed)
        oracle.assert_same(carry(plan), oracle_outages.carry(plan))


@settings(max_examples=150, deadline=None)
@given(small_plans(), st.data())
def test_every_delivery_ends_as_arrived_or_expired_whatever_goes_out(plan: Plan, data: st.DataObject) -> None:
    """Outages anywhere, of any length, overlapping: nothing is lost, nothing departs before it came, and the second
    run says the same."""
    rows = plan.deliveries._replace(deadline_ns=np.full(len(plan.deliveries.hops), DAY_NS))
    plan = plan._replace(outages=data.draw(outages(len(plan.node_ids))), end_ns=0, deliveries=rows)
    run, again = carry(plan), carry(plan)
    assert (arrived_ns(plan, run) != NEVER).all()
    told = rows.form != Form.CHUNK
    assert (home_ns(plan, run)[told] != NEVER).all()
    for step, column in run.left_ns.items():
        np.testing.assert_array_equal(column, again.left_ns[step])
