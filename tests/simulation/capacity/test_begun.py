"""What had begun when a run was stopped is seen as it is in the run that goes on."""

import numpy as np
import pytest

from docaxis_sim.capacity import measure, reference
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.plan import HOUR_NS
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.visits import Kind, visits
from tests.simulation.capacity.measured import SMALL, Carried, busy, carried, reading_of

STOP = 11
"""The hour at which runs are stopped here: lines are full of documents."""


def stopped(found: Carried, hour: int = STOP) -> Carried:
    """The same plan, carried until an hour and no longer."""
    scenario, prepared, _ = found
    prepared = prepared._replace(plan=prepared.plan._replace(end_ns=hour * HOUR_NS))
    return scenario, prepared, reference.carry(prepared.plan)


def endless(end_hour: int) -> Carried:
    """One document at nine that takes a fortnight to send; and nothing else."""
    scenario, prepared, _ = carried()
    deliveries = prepared.plan.deliveries
    row = int(np.flatnonzero(deliveries.birth_ns >= 9 * HOUR_NS)[0])
    sizes, births = deliveries.bytes.copy(), deliveries.birth_ns.copy()
    sizes[row], births[row] = 10**13, 9 * HOUR_NS
    only = deliveries._replace(bytes=sizes, birth_ns=births)
    return stopped((scenario, prepared._replace(plan=prepared.plan._replace(deliveries=only)), busy()[2]), end_hour)


def test_a_line_that_sends_one_endless_file_is_busy_all_the_time() -> None:
    """It finishes nothing, and who sends anything else over it would wait."""
    found = endless(20)
    figures = measure.measure(found[1], found[2], found[0]).metrics
    assert figures["utilisation.up.max"] == pytest.approx(1)
    occupancy = Occupancy(reading_of(found))
    longest = occupancy.busy_ns["up"].sum(axis=1).max()
    assert longest == pytest.approx(11 * HOUR_NS, rel=1e-3)


def test_who_is_served_does_not_wait() -> None:
    """The endless file had its line at once; behind it, everybody waits."""
    found = endless(20)
    occupancy = Occupancy(reading_of(found))
    line = int(occupancy.busy_ns["up"].sum(axis=1).argmax())
    behind = int(occupancy.delayed[Kind.UP][line])
    waiting_h = occupancy.waiting_ns[Kind.UP][line] / HOUR_NS
    assert waiting_h < 11 * behind
    assert occupancy.count[Kind.UP][line] > behind


@pytest.mark.parametrize("sharing", ["fifo", "lanes", "ps"])
def test_until_it_is_stopped_a_run_is_as_busy_as_one_that_goes_on(sharing: str) -> None:
    """Line by line and hour by hour, whatever shares the lines."""
    whole = carried(load=6, nodes__province__uplink="5 kbit/s", nodes__central__uplink="5 kbit/s", link_sharing=sharing)
    expected, found = Occupancy(reading_of(whole)), Occupancy(reading_of(stopped(whole)))
    assert found.plan.end_ns
    for kind, share in {"up": 1e-6, "down": 1e-3, "loop": 0.05}.items():  # rounds are spread over hours as their work
        apart = np.abs(found.busy_ns[kind][:, :STOP] - expected.busy_ns[kind][:, :STOP]).sum()
        assert apart < share * expected.busy_ns[kind][:, :STOP].sum(), kind
    np.testing.assert_allclose(found.busy_ns["up"][:, :STOP], expected.busy_ns["up"][:, :STOP], atol=2e3)


def test_until_it_is_stopped_a_run_waits_as_one_that_goes_on() -> None:
    """Who is served at the end has waited until then, who is not waits still."""
    whole = busy()
    found = Occupancy(reading_of(stopped(whole)))
    expected = np.zeros_like(found.waiting_ns[Kind.UP])
    reading = reading_of(whole)
    for each in visits(reading.plan, reading.run, STOP * HOUR_NS):
        if each.kind is Kind.UP:
            served_ns = np.minimum(each.left_ns - each.service_ns, STOP * HOUR_NS)
            np.add.at(expected, each.station, np.maximum(0, served_ns - each.came_ns))
    np.testing.assert_allclose(found.waiting_ns[Kind.UP], expected, atol=2e3)
    assert expected.max() > HOUR_NS


@pytest.mark.parametrize("sharing", ["fifo", "lanes", "ps"])
def test_a_line_is_not_busy_with_what_waits_for_a_peer(sharing: str) -> None:
    """Whether it is served in turn or by several at once: while the power is off everywhere, nobody sends."""
    scenario = load(SMALL.parent / "cut.toml", {"link_sharing": sharing})
    prepared = prepare(scenario, 1)
    plan = prepared.plan
    storm = plan.outages[0]._replace(inside=np.arange(len(plan.node_ids), dtype=np.int32), dark=True)
    prepared = prepared._replace(plan=plan._replace(outages=(storm,), end_ns=12 * HOUR_NS))
    occupancy = Occupancy(reading_of((scenario, prepared, reference.carry(prepared.plan))))
    assert occupancy.busy_ns["up"][:, 9:11].sum() < 0.01 * occupancy.busy_ns["up"].sum()
