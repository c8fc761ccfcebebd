"""Who waits for a peer beyond a failure's border is not counted as waiting for a station."""

import numpy as np

from docaxis_sim.capacity import reference
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.peers import NOTICED_NS, PATIENCE_NS, held_by
from docaxis_sim.capacity.plan import ENVELOPE, HOUR_NS, NEVER, SUBMIT, Form, hop
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.visits import visits
from tests.simulation.capacity.measured import SMALL, Carried, busy, reading_of


def cut() -> Carried:
    """Lạng Sơn cannot be reached from nine to eleven."""
    scenario = load(SMALL.parent / "cut.toml")
    prepared = prepare(scenario, 1)
    return scenario, prepared, reference.carry(prepared.plan)


def test_waiting_for_a_peer_is_between_separated_nodes_and_in_the_time_of_the_failure() -> None:
    """Every visit that is held up crosses the border; and no visit on a quiet day waits long for anything else."""
    found = cut()
    reading = reading_of(found)
    inside = found[1].topology.ids.index("H37")
    deliveries = found[1].plan.deliveries
    held = 0
    for each in visits(reading.plan, reading.run, reading.until_ns):
        end = np.where(each.left_ns == NEVER, reading.until_ns, each.left_ns)
        waited = np.maximum(0, end - each.came_ns - each.least_ns)
        which = held_by(reading.plan, each, end)[0]
        held += int(which.sum())
        ends = deliveries.path[:2, each.row[which]]
        assert ((ends == inside).sum(axis=0) == 1).all()
        assert (each.came_ns[which] < 11 * HOUR_NS + PATIENCE_NS).all()
        assert (waited[which] >= NOTICED_NS).all()
        assert waited[~which].max(initial=0) < 10 * NOTICED_NS
    assert held > 20


def test_who_sends_after_a_failure_and_waits_for_a_line_was_not_held_up() -> None:
    """Lines there are so thin that somebody always waits for them; the failure is over when its own have arrived."""
    thin: dict[str, object] = {"nodes.province.uplink": "20 kbit/s", "nodes.province.downlink": "20 kbit/s"}
    scenario = load(SMALL.parent / "cut.toml", thin)
    prepared = prepare(scenario, 1)
    reading = reading_of((scenario, prepared, reference.carry(prepared.plan)))
    outage = reading.plan.outages[0]
    inside = outage.inside[0]
    border = (reading.sender == inside) != (reading.recipient == inside)
    pulled = reading.plan.deliveries.form[reading.row] != Form.INLINE
    later = border & pulled & (reading.born_ns > outage.until_ns + PATIENCE_NS)
    slow = later & (reading.arrived_ns - reading.born_ns > 10 * NOTICED_NS)
    assert slow.sum() > 20
    assert not reading.held_up[0][later].any()
    soon = border & pulled & (reading.born_ns > outage.until_ns) & ~later
    announced = reading.run.left_ns[hop(0, ENVELOPE)][reading.row] - reading.run.left_ns[SUBMIT][reading.row]
    assert (reading.held_up[0][soon] == (announced[soon] > 2 * NOTICED_NS)).all()


def test_stations_are_not_blamed_for_a_failure() -> None:
    """Their waiting is that of a quiet day; the documents are seen waiting for a peer."""
    occupancy = Occupancy(reading_of(cut()))
    assert sum(waiting.sum() for waiting in occupancy.waiting_ns.values()) < HOUR_NS
    during = np.arange(occupancy.bins) * occupancy.step_ns
    there = occupancy.at_peer[(during > 9.5 * HOUR_NS) & (during < 11 * HOUR_NS)]
    assert there.min() > 0
    assert occupancy.at_peer[during < 9 * HOUR_NS].max() == 0
    assert occupancy.at_peer[during > 13 * HOUR_NS].max() == 0


def test_without_failures_nobody_waits_for_a_peer() -> None:
    """However thin the lines."""
    assert Occupancy(reading_of(busy())).at_peer.max() == 0
