"""What counts as a document, since when it is under way, and when it has arrived."""

import numpy as np

from docaxis_sim.capacity import latency, reference
from docaxis_sim.capacity.model import Experiment
from docaxis_sim.capacity.plan import HOUR_NS, MINUTE_NS, NEVER, SECOND_NS, Form, Outage, arrived_ns
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.reading import LATE, Reading
from docaxis_sim.capacity.scenario import load
from tests.simulation.capacity.measured import SMALL, Carried, busy, carried, reading_of

EVERYBODY = {"traffic.letters.to": "each:all", "traffic.letters.recipients_max": 100}


def _carried(overrides: dict[str, object]) -> Carried:
    scenario = load(SMALL, overrides)
    prepared = prepare(scenario, 1)
    return scenario, prepared, reference.carry(prepared.plan)


def test_shared_content_has_arrived_when_its_last_part_has() -> None:
    """Announcement and parts of one document to one recipient are one delivery to a planner."""
    sharing = {
        "traffic.letters.sharing": "shared",
        "traffic.letters.size.law": "fixed",
        "traffic.letters.size.median": "4 MB",
    }
    found = _carried({"traffic.letters.documents_per_day": 4, **EVERYBODY, **sharing})
    reading = reading_of(found)
    deliveries = found[1].plan.deliveries
    parts = np.flatnonzero(deliveries.form == Form.CHUNK)
    assert len(parts) > 0
    arrived = arrived_ns(found[1].plan, found[2])
    for place, row in enumerate(reading.row[:200]):
        same = parts[
            (deliveries.group[parts] == deliveries.group[row])
            & (deliveries.path[deliveries.hops[parts], parts] == reading.recipient[place])
        ]
        assert reading.arrived_ns[place] == max(arrived[row], arrived[same].max(initial=0))


def test_a_part_that_never_came_keeps_a_document_from_arriving() -> None:
    """Half a decision is none."""
    sharing = {
        "traffic.letters.sharing": "shared",
        "traffic.letters.size.law": "fixed",
        "traffic.letters.size.median": "4 MB",
    }
    scenario, prepared, run = _carried({"traffic.letters.documents_per_day": 2, **EVERYBODY, **sharing})
    part = int(np.flatnonzero(prepared.plan.deliveries.form == Form.CHUNK)[0])
    for times in run.left_ns.values():
        times[part] = NEVER
    reading = Reading(prepared.plan, run, scenario, prepared.topology)
    lacking = np.flatnonzero(reading.arrived_ns == NEVER)
    deliveries = prepared.plan.deliveries
    assert reading.recipient[lacking].tolist() == [deliveries.path[deliveries.hops[part], part]]
    assert (reading.latency_ns[lacking] == LATE).all()


def test_what_is_handed_on_counts_from_its_first_submission() -> None:
    """A commune waits since the Prime Minister sent, not since the district did."""
    relay = {"topology.layout": "vn-2025", "traffic.letters.fanout": "relay", "traffic.letters.from": "agency:G22"}
    found = _carried(
        {"traffic.letters.documents_per_day": 1, **EVERYBODY, **relay, "traffic.letters.to": "each:all - agency:G22"}
    )
    reading = reading_of(found)
    deliveries = found[1].plan.deliveries
    handed_on = np.flatnonzero(deliveries.parent[reading.row] >= 0)
    roots = deliveries.birth_ns[deliveries.parent < 0]
    assert len(handed_on) > 3000 > len(roots)
    assert (reading.since_ns[handed_on] == roots.min()).all()
    assert (reading.born_ns[handed_on] > roots.min()).all()


def test_what_arrives_after_its_deadline_has_expired() -> None:
    """Late is not in time: neither arrived nor lost."""
    scenario, prepared, run = busy()
    deliveries = prepared.plan.deliveries
    strict = prepared.plan._replace(deliveries=deliveries._replace(deadline_ns=deliveries.deadline_ns * 0 + MINUTE_NS))
    reading = Reading(strict, run, scenario, prepared.topology)
    took = arrived_ns(prepared.plan, run) - deliveries.birth_ns
    assert (reading.expired == (took > MINUTE_NS)).all()
    assert 0 < reading.expired.sum() < len(took)
    assert (reading.arrived == ~reading.expired).all()
    assert (reading.latency_ns[reading.expired] == LATE).all()


def test_a_stated_warm_up_is_left_out_of_latencies() -> None:
    """What was submitted before does not count, what came after does."""
    scenario, prepared, run = busy()
    later = scenario._replace(experiment=Experiment(warm_up="9 h", warm_up_ns=9 * HOUR_NS))
    reading = Reading(prepared.plan, run, later, prepared.topology)
    expected = int((prepared.plan.deliveries.birth_ns >= 9 * HOUR_NS).sum())
    assert 0 < reading.counted.sum() == expected < len(reading.row)
    assert len(next(latency.groups(reading)).sorted_ns) == expected


def test_mser_5_removes_a_start_that_is_not_like_the_rest() -> None:
    """Latencies that begin high and settle: the beginning goes."""
    scenario, prepared, run = busy()
    steady = scenario._replace(experiment=Experiment(warm_up="mser-5"))
    reading = Reading(prepared.plan, run, steady, prepared.topology)
    chance = np.random.default_rng(1)
    rows = np.arange(len(reading.row))
    taken = (10 + 200 * np.exp(-rows / 100) + chance.normal(0, 1, len(rows))) * SECOND_NS
    reading.__dict__["latency_ns"] = taken.astype(np.int64)
    assert 100 <= (~reading.counted).sum() <= 1500


def test_statements_are_timed_from_when_they_are_made() -> None:
    """Ten minutes of thinking are no load on the network."""
    reading = reading_of(busy())
    assert len(reading.status_ns) > 1000
    assert np.median(reading.status_ns) < MINUTE_NS


def test_a_day_without_documents_is_measured_too() -> None:
    """Nothing sent is an answer, with and without failures: an axis of a sweep may begin at 0."""
    reading = reading_of(carried(load=0))
    assert reading.held_up.shape == (0, 0)
    cut = Outage("cut", np.array([0], np.int32), 0, HOUR_NS, dark=False)
    with_a_cut = reading.plan._replace(outages=(cut,))
    assert Reading(with_a_cut, reference.carry(with_a_cut), reading.scenario, reading.topology).held_up.shape == (1, 0)
