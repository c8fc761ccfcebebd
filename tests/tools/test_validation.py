"""The simulator's side of the validation: the plan of a recorded load, and figures beside figures."""

import numpy as np
import pytest

from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.plan import SUBMIT, Cost, Form, last_node_step
from tools.calibration.load import Birth, Call, Load, poisson
from tools.validation import compare
from tools.validation.contended import SharedHost, crowded
from tools.validation.predict import Setup, plan_of, predict
from tools.validation.workloads import open_loop, outage

MS = 1_000_000
SETUP = Setup(
    ("A", "B", "C"), (0, 1, 0), SharedHost(MS, 1e6, ((0.0, 1.0, (MS, MS, MS)), (0.5, 1.5, (MS, 3 * MS, 5 * MS))))
)
COSTS = Costs(
    round_ns=2 * MS, submit_ns=MS, submit_more_ns=3 * MS, envelope_ns=0, content_ns=MS, relay_ns=0, receipt_ns=MS,
    state_ns=0, status_ns=0, content_ns_per_kib=0, blob_ns=0, blob_ns_per_kib=0, commit_ns=MS, stored_bytes_sender=0,
    stored_bytes_recipient=0, provenance={}, wake_ns=MS, serve_ns=5 * MS, connect_ns=7 * MS, accept_ns=9 * MS,
)  # fmt: skip
ALL_MET = frozenset(Call(caller, called, bulk) for caller in range(3) for called in range(3) for bulk in (False, True))


def load(*births: Birth) -> Load:
    """A load of these documents."""
    return Load("some", 1.0, births)


def test_the_plan_has_the_very_documents_of_the_load() -> None:
    """Same births, senders, recipients and sizes, else nothing is compared."""
    found = plan_of(load(Birth(0, 0, (1, 2), 100, True), Birth(5, 2, (1,), 9_000, False)), SETUP, COSTS, ALL_MET)
    rows = found.deliveries
    assert rows.birth_ns.tolist() == [0, 0, 5]
    assert rows.path[:2].tolist() == [[0, 0, 2], [1, 2, 1]]
    assert rows.bytes.tolist() == [100, 100, 9_000]
    assert rows.first.tolist() == [True, False, True]
    assert rows.group.tolist() == [0, 0, 1]
    assert rows.form.tolist() == [Form.INLINE, Form.INLINE, Form.CHUNKED]


def test_nodes_of_a_process_share_its_loop_and_keep_their_disks() -> None:
    """As they do on the machine that is measured."""
    stations = plan_of(load(Birth(0, 0, (1,), 1, True)), SETUP, COSTS).stations
    assert stations.loop_of.tolist() == [0, 1, 0]
    assert stations.disk_of.tolist() == [0, 1, 2]
    assert len(stations.round_ns) == len(stations.wake_ns) == 2
    assert stations.cost_ns[Cost.SUBMIT_MORE].tolist() == [3 * MS] * 3


def test_a_first_contact_and_pulled_content_cost_more() -> None:
    """A handshake at both ends; serving at the sender."""
    inline, pulled = Birth(0, 0, (1,), 1, True), Birth(0, 0, (1,), 1, False)
    cold = plan_of(load(inline, inline), SETUP, COSTS).deliveries.extra_ns
    assert cold[SUBMIT].tolist() == [7 * MS, 0]
    assert cold[last_node_step(1)].tolist() == [9 * MS, 0]
    warm = plan_of(load(inline, pulled), SETUP, COSTS, ALL_MET).deliveries.extra_ns
    assert warm[SUBMIT].tolist() == [0, 5 * MS]


def test_a_document_alone_takes_the_sum_of_its_parts() -> None:
    """Worked out by hand: three woken rounds with their things and commits, and two ways over the loopback."""
    found = predict(plan_of(load(Birth(0, 0, (1,), 0, True)), SETUP, COSTS, ALL_MET), seed=1)
    assert found.arrived_ns == [(2 * (1 + 2 + 1 + 1) + 1) * MS]
    assert found.home_ns == [(3 * (1 + 2 + 1 + 1) + 2) * MS]


def test_everything_is_as_slow_as_processes_are_busy() -> None:
    """In between two measurements lies what is in between; beyond the last nothing is invented."""
    plan = plan_of(load(Birth(0, 0, (1,), 1, True)), SETUP, COSTS, ALL_MET)
    for busy, factor, slowest in ((0.0, 1.0, 0), (0.25, 1.25, 2 * MS), (0.9, 1.5, 4 * MS)):
        found = crowded(plan, SETUP.host, busy, seed=1).stations
        assert found.round_ns.tolist() == [2 * MS * factor] * 2
        assert found.commit_extra_ns.max() == slowest


def test_slow_commits_are_shuffled_by_the_seed() -> None:
    """The same table for each repeat would put the same stall at the same document."""
    host = SharedHost(0, 1e6, ((0.0, 1.0, tuple(range(50))),))
    plan = plan_of(load(Birth(0, 0, (1,), 1, True)), SETUP, COSTS)
    one, two = (crowded(plan, host, 0.0, seed).stations.commit_extra_ns for seed in (1, 2))
    assert sorted(one.tolist()) == sorted(two.tolist())
    assert not np.array_equal(one, two)


def test_figures_count_what_was_home_in_time_and_measure_from_the_planned_moment() -> None:
    """A late submission is no excuse: latency runs from when it was due."""
    some = load(*(Birth(number * MS, 0, (1,), 1, True) for number in range(4)))
    found = compare.figures(some, [11 * MS, 12 * MS, 13 * MS, 14 * MS], [21 * MS, 22 * MS, 2_000 * MS, -1], 1.0)
    assert found.per_s == 2.0
    assert found.arrived_p50_ms == pytest.approx(11.0)
    assert found.missing == 1
    assert found.last_s == 2.0


def test_a_backlog_is_drained_when_the_last_that_waited_for_the_node_is_home() -> None:
    """Documents for others, or born after its return, are no backlog."""
    some = load(*(Birth(at * MS, 0, (to,), 1, True) for at, to in ((1, 1), (5, 2), (6, 1), (20, 1))))
    assert compare.drain_s(some, [2 * MS, 900 * MS, 60 * MS, 800 * MS], [(1, 4 * MS, 10 * MS)]) == 0.05


def test_goals_are_five_per_cent_of_throughput_and_a_quarter_of_latency() -> None:
    """And a ratio outside is not met."""
    measured = compare.Figures(100.0, 10.0, 10.0, 50.0, 20.0, 80.0, 5.0, 0)
    predicted = compare.Figures(104.0, 12.0, 12.6, 38.0, 20.0, 80.0, 5.0, 0)
    row = compare.row("some", measured, predicted, measured)
    assert row["ratio"]["arrived_p50_ms"] == 1.26
    assert [name for name, held in row["within"].items() if not held] == ["arrived_p50_ms"]
    assert all(row["within_crowded"].values())
    assert "last_s" not in row["within"]


def test_workloads_are_shares_of_the_capacity_and_nobody_writes_from_a_node_that_is_off() -> None:
    """The pacing cannot hand anything in there."""
    for each in open_loop(8, 200.0, 10.0, 1, inline=False):
        assert len(each.load.births) == pytest.approx(each.share * 2_000, rel=0.1)
        assert not any(birth.inline for birth in each.load.births)
    off = outage(8, 200.0, 9.0, 1)
    assert off.outages == ((7, 3_000 * MS, 6_000 * MS),)
    assert all(birth.sender != 7 for birth in off.load.births)
    assert any(7 in birth.to for birth in off.load.births)


def test_the_same_load_is_drawn_for_nodes_and_for_the_engine() -> None:
    """From its seed alone."""
    assert poisson("x", 8, 50.0, 1.0, 3) == poisson("x", 8, 50.0, 1.0, 3)
