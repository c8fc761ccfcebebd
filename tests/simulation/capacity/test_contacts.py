"""Contacts: connections and served content are paid for by whom it concerns, once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from docaxis_sim.capacity.cases import customers
from docaxis_sim.capacity.contacts import IDLE_NS, extra_ns, first_contacts
from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.plan import NODE, SECOND_NS, SUBMIT, Deliveries, Form, hop

CALLS_BACK = 2
"""For the bytes, and to say that they are there."""
FREE = Costs(*(0,) * 15, provenance={})
PAID = FREE._replace(serve_ns=1000, serve_ns_per_kib=10, connect_ns=100, accept_ns=7)
SPEED = np.array([1.0, 0.5, 1.0])


def sent(form: Form, times_s: list[int], path: tuple[int, ...] = (0, 1)) -> Deliveries:
    """Deliveries of 2 KiB along one path."""
    total = len(times_s)
    column = np.tile(np.array(path, np.int32)[:, None], total)
    made = customers(np.array(times_s, np.int64) * SECOND_NS, column, np.full(total, 2048, np.int64), {})
    return made._replace(form=np.full(total, form, np.int8))


def test_nothing_is_added_where_nothing_was_measured() -> None:
    """Old calibrations mean what they meant."""
    assert extra_ns(sent(Form.CHUNKED, [0]), FREE, SPEED) == {}


def test_a_connection_is_opened_at_first_and_when_it_was_idle_too_long() -> None:
    """Both sides pay for the handshake; the slower one twice as long."""
    found = extra_ns(sent(Form.INLINE, [0, 10, 310, 611]), PAID, SPEED)
    assert found[SUBMIT].tolist() == [100, 0, 0, 100]
    assert found[hop(0, NODE)].tolist() == [14, 0, 0, 14]


def test_who_pulls_calls_back_and_is_served() -> None:
    """Content that was announced costs the sender's loop for every recipient."""
    found = extra_ns(sent(Form.CHUNKED, [0, 1]), PAID, SPEED)
    assert found[SUBMIT].tolist() == [1020 + 100 + CALLS_BACK * 7, 1020]
    assert found[hop(0, NODE)].tolist() == [2 * (7 + CALLS_BACK * 100), 0]


def test_a_part_is_asked_for_by_who_gets_it() -> None:
    """It has no submission whose loop could be charged."""
    found = extra_ns(sent(Form.CHUNK, [0, 1]), PAID, SPEED)
    assert found[hop(0, NODE)].tolist() == [200, 0]


def test_every_hop_has_its_own_connection_and_server() -> None:
    """What stands in the middle receives and serves."""
    found = extra_ns(sent(Form.CHUNKED, [0], (0, 1, 2)), PAID, SPEED)
    at_middle = 7 + CALLS_BACK * 100 + 1020 + 100 + CALLS_BACK * 7
    assert found[hop(0, NODE)].tolist() == [2 * at_middle]


def test_a_child_counts_from_its_documents_birth() -> None:
    """Two documents handed on by one unit within minutes need one connection."""
    made = sent(Form.INLINE, [0, 100, 5, 5])
    path = made.path.copy()
    path[:2, 2:] = [[1, 1], [2, 2]]
    made = made._replace(parent=np.array([-1, -1, 0, 1], np.int32), path=path)
    assert extra_ns(made, PAID, SPEED)[SUBMIT].tolist() == [100, 0, 200, 0]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 900)), max_size=30))
def test_first_contacts_are_those_that_a_list_of_last_uses_finds(rows: list[tuple[int, int, int]]) -> None:
    """Said once more with a dictionary, going through time."""
    rows.sort(key=lambda row: row[2])
    last: dict[tuple[int, int], int] = {}
    expected = []
    for a, b, at in rows:
        expected.append((a, b) not in last or (at - last[a, b]) * SECOND_NS > IDLE_NS)
        last[a, b] = at
    pool, when = (np.array(column, np.int64) for column in ([a * 3 + b for a, b, _ in rows], [at for *_, at in rows]))
    assert first_contacts(pool, when * SECOND_NS).tolist() == expected


def test_who_said_something_before_needs_no_connection_to_say_that_content_is_there() -> None:
    """Answers to what was pulled go over the connection on which one hands in envelopes of one's own."""
    made = sent(Form.CHUNKED, [0, 10])
    path, form = made.path.copy(), made.form.copy()
    path[:2, 0], form[0] = [1, 0], Form.INLINE
    found = extra_ns(made._replace(path=path, form=form), PAID, SPEED)
    assert found[hop(0, NODE)].tolist() == [7, 2 * (7 + 100)]
    assert found[SUBMIT].tolist() == [2 * 100, 1020 + 100 + 7]


def test_connections_that_are_open_before_cost_nothing_until_they_were_idle_too_long() -> None:
    """Whoever has met is known by caller, called, and whether for bytes."""
    found = extra_ns(sent(Form.INLINE, [0, 400]), PAID, SPEED, {(0, 1, False)})
    assert found[SUBMIT].tolist() == [0, 100]
    assert extra_ns(sent(Form.INLINE, [0]), PAID, SPEED, {(0, 1, True), (1, 0, False)})[SUBMIT].tolist() == [100]
