"""Who waits for what: a loop's waking and a disk's commits are not waiting for the interpreter."""

import numpy as np
import pytest

from docaxis_sim.capacity import bottlenecks, flow, measure, reference
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.plan import HOUR_NS
from docaxis_sim.capacity.visits import Kind, visits
from tests.simulation.capacity.measured import Carried, busy, carried, reading_of


def _idle() -> Carried:
    return carried(load=0.2, traffic__letters__recipients_mean=1)


def test_a_visit_to_an_idle_node_waits_for_its_disk_at_most() -> None:
    """Nobody else is there: what it takes beyond its work is the waking of the process and the stall of the disk."""
    found = _idle()
    occupancy = Occupancy(reading_of(found))
    stations = found[1].plan.stations
    assert found[2].rounds.sum() * stations.wake_ns.max() > 0
    assert occupancy.waiting_ns[Kind.NODE].sum() < 0.02 * occupancy.disk_waiting_ns.sum()
    beyond = sum(
        float((each.left_ns - each.came_ns - each.least_ns - stations.wake_ns[each.station]).clip(0).sum())
        for each in visits(found[1].plan, found[2], reading_of(found).until_ns)
        if each.kind is Kind.NODE
    )
    assert occupancy.disk_waiting_ns.sum() == pytest.approx(beyond, rel=0.1)
    assert occupancy.disk_visits.sum() == occupancy.count[Kind.NODE].sum()


def test_where_nobody_waits_there_is_no_bottleneck() -> None:
    """A list of ten stations at which visits wait two milliseconds would have somebody buy processors."""
    scenario, prepared, run = _idle()
    found = measure.measure(prepared, run, scenario).tables["bottlenecks"]
    assert not set(bottlenecks.ranked(found, "waiting_s").columns["station"]) & {"loop", "disk"}


def test_a_line_at_which_few_wait_long_comes_before_stations_at_which_many_hardly_wait() -> None:
    """Also in what a replication keeps of its stations."""
    scenario, prepared, run = busy()
    reading = reading_of((scenario, prepared, run))
    used = bottlenecks.uses(reading, Occupancy(reading))
    hardly = used["up"].wait_s < bottlenecks.HARDLY_S
    used["up"] = used["up"]._replace(
        waiting_ns=np.where(hardly, 1e18, used["up"].waiting_ns), visits=np.where(hardly, 10**15, used["up"].visits)
    )
    kept = bottlenecks.lists(reading, used)["bottlenecks"]
    found = bottlenecks.ranked(kept, "waiting_s").columns
    assert len(found["node"]) == bottlenecks.WORST
    assert (np.asarray(found["wait_s"]) >= bottlenecks.HARDLY_S).all()


def test_slow_disks_make_nobody_wait_for_interpreters() -> None:
    """Who comes while a disk commits waits for the next commit, which is the disk's matter; loops do what they did."""
    slow_disks = {"nodes__province__disk": 0.01, "nodes__central__disk": 0.01}
    found, usual = (carried(load=20, **disks) for disks in (slow_disks, {}))
    slow, quick = Occupancy(reading_of(found)), Occupancy(reading_of(usual))
    assert slow.disk_waiting_ns.sum() > 4 * quick.disk_waiting_ns.sum()
    assert slow.waiting_ns[Kind.NODE].sum() == pytest.approx(quick.waiting_ns[Kind.NODE].sum(), rel=0.1)
    assert bottlenecks.uses(reading_of(found), slow)["disk"].wait_s.max() > 0.001


def test_a_node_that_did_not_get_everything_waits_for_ever() -> None:
    """The mean of what did arrive would be small where most is missing: on a map, the best place of all."""
    scenario, prepared, _ = busy()
    ends = prepared._replace(plan=prepared.plan._replace(end_ns=11 * HOUR_NS))
    reading = reading_of((scenario, ends, reference.carry(ends.plan)))
    nodes = measure.measure(ends, reading.run, scenario).tables["nodes"].columns
    owed = np.unique(reading.recipient[flow.under_way(reading)])
    assert 0 < len(owed) < len(nodes["id"])
    for name in ("arrived_mean_s", "arrived_max_s"):
        assert np.flatnonzero(np.isinf(np.asarray(nodes[name], np.float64))).tolist() == owed.tolist()
