"""Sums over visits, against counting one by one."""

import pickle
import tracemalloc

import numpy as np
import pytest

from docaxis_sim.capacity import bottlenecks, measure, reference, vector
from docaxis_sim.capacity.occupancy import Occupancy, bin_ns
from docaxis_sim.capacity.plan import DAY_NS, HOUR_NS, NEVER
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.visits import Kind, Visits, visits
from tests.simulation.capacity.measured import SMALL, Carried, busy, carried, reading_of


@pytest.fixture(scope="module")
def found() -> tuple[Occupancy, list[Visits]]:
    """A busy day, summed up, and its visits."""
    reading = reading_of(busy())
    return Occupancy(reading), list(visits(reading.plan, reading.run, reading.until_ns))


def test_lines_are_as_busy_in_each_hour_as_their_visits_make_them(found: tuple[Occupancy, list[Visits]]) -> None:
    """Also where a document takes longer than an hour to send."""
    occupancy, all_visits = found
    expected = np.zeros_like(occupancy.busy_ns["up"])
    for each in all_visits:
        if each.kind is Kind.UP:
            for station, left, service in zip(
                each.station, each.left_ns.tolist(), each.service_ns.tolist(), strict=True
            ):
                for hour in range(occupancy.hours):
                    inside = min(left, (hour + 1) * HOUR_NS) - max(left - service, hour * HOUR_NS)
                    expected[station, hour] += max(0, inside)
    assert np.allclose(occupancy.busy_ns["up"], expected)
    assert (expected > HOUR_NS / 2).any(), "the day is busy enough to show it"


def test_who_stands_at_a_node_when_a_bin_begins_is_counted_one_by_one(found: tuple[Occupancy, list[Visits]]) -> None:
    """Present from the arrival on, gone at the departure."""
    occupancy, all_visits = found
    expected = np.zeros_like(occupancy.present)
    moments = np.arange(occupancy.bins) * occupancy.step_ns
    for each in all_visits:
        for node, came, left in zip(each.node.tolist(), each.came_ns.tolist(), each.left_ns.tolist(), strict=True):
            expected[node] += (came <= moments) & (moments < left)
    assert (occupancy.present == expected).all()
    assert expected.max() > 5


def test_waiting_is_what_a_visit_took_beyond_its_work(found: tuple[Occupancy, list[Visits]]) -> None:
    """Per station and in all."""
    occupancy, all_visits = found
    waits = {kind: waiting.sum() for kind, waiting in occupancy.waiting_ns.items()}
    waits[Kind.NODE] += occupancy.disk_waiting_ns.sum() + _woken_ns(busy())
    for kind in Kind:
        some = [each for each in all_visits if each.kind is kind]
        waited = sum(int((each.left_ns - each.came_ns - each.least_ns).sum()) for each in some)
        assert waits[kind] == pytest.approx(waited)
        assert occupancy.count[kind].sum() == sum(len(each.row) for each in some)


def _woken_ns(found: Carried) -> int:
    """How long the processes of a run were being woken: what its loops did besides rounds and work."""
    reading = reading_of(found)
    rounds_ns = (found[2].rounds * found[1].plan.stations.round_ns).sum()
    all_visits = visits(reading.plan, reading.run, reading.until_ns)
    work_ns = sum(int(each.service_ns.sum()) for each in all_visits if each.kind is Kind.NODE)
    return int(found[2].loop_busy_ns.sum() - rounds_ns - work_ns)


def test_interpreters_and_disks_are_busy_as_long_as_the_engine_says(found: tuple[Occupancy, list[Visits]]) -> None:
    """Their work is spread over the hours; its sum is the engine's own."""
    occupancy, _ = found
    _, prepared, run = busy()
    stations = prepared.plan.stations
    assert np.allclose(occupancy.busy_ns["loop"].sum(axis=1), run.loop_busy_ns)
    assert (occupancy.commits == run.commits).all()
    assert (occupancy.busy_ns["disk"].sum(axis=1) >= run.commits * stations.commit_ns).all()


def test_bins_are_wide_enough_for_long_runs() -> None:
    """A month in five minutes would be nine thousand bins for each of ten thousand nodes."""
    assert [bin_ns(days * DAY_NS) // (60 * 10**9) for days in (1, 7, 60)] == [5, 15, 60]


def test_the_worst_stations_are_named_and_ranked(found: tuple[Occupancy, list[Visits]]) -> None:
    """Ten rows, the longest waiting first, each with what the words about it are made of."""
    occupancy, _ = found
    reading = reading_of(busy())
    used = bottlenecks.uses(reading, occupancy)
    table = bottlenecks.ranked(bottlenecks.lists(reading, used)["bottlenecks"], "waiting_s").columns
    waiting = np.asarray(table["waiting_s"], np.float64)
    assert len(waiting) == bottlenecks.WORST
    assert (np.diff(waiting) <= 0).all()
    assert table["station"][0] == "up"
    assert table["node"][0] in reading.topology.ids
    visits, wait_s = np.asarray(table["visits"], np.float64), np.asarray(table["wait_s"], np.float64)
    assert (visits > 0).all()
    np.testing.assert_allclose(wait_s * visits, waiting)
    assert NEVER not in waiting


def test_a_line_that_is_busy_all_hour_is_busy_to_one(found: tuple[Occupancy, list[Visits]]) -> None:
    """A share of the busiest hour, not more than all of it."""
    occupancy, _ = found
    used = bottlenecks.uses(reading_of(busy()), occupancy)
    assert 0.5 < used["up"].peak.max() <= 1 + 1e-9
    assert all(use.peak.max() <= 1 + 1e-9 and (use.mean <= use.peak + 1e-12).all() for use in used.values())


@pytest.mark.parametrize("sharing", ["fifo", "ps"])
def test_measures_are_the_same_however_many_deliveries_are_looked_at_together(
    sharing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit, also of a run that was stopped with work in every queue."""
    scenario, prepared, _ = carried(load=6, nodes__province__uplink="5 kbit/s", link_sharing=sharing)
    prepared = prepared._replace(plan=prepared.plan._replace(end_ns=11 * HOUR_NS))
    run = reference.carry(prepared.plan)
    whole = pickle.dumps(measure.measure(prepared, run, scenario))
    monkeypatch.setattr("docaxis_sim.capacity.visits.TOGETHER", 100)
    assert pickle.dumps(measure.measure(prepared, run, scenario)) == whole


def test_summing_up_takes_little_memory_besides_the_run() -> None:
    """It works part by part; two steps of a run, all columns of their visits at once, would be more than this."""
    scenario = load(SMALL, {"load": 240})
    prepared = prepare(scenario, 1)
    reading = reading_of((scenario, prepared, vector.carry(prepared.plan)))
    assert reading.shown_ns  # what it keeps for others is not counted
    tracemalloc.start()
    try:
        Occupancy(reading)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 300 * len(prepared.plan.deliveries.hops)
