"""Everything submitted is accounted for, and what did not arrive has a reason."""

import numpy as np
import pytest

from docaxis_sim.capacity import costs, flow, measure, reference
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.peers import PATIENCE_NS
from docaxis_sim.capacity.plan import HOUR_NS, MINUTE_NS, NEVER, NODE, Outage, hop
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.scenario import load
from tests.simulation.capacity.measured import SMALL, Carried, busy, carried, reading_of


def _cut_off(**overrides: object) -> Carried:
    """Lạng Sơn cannot be reached from nine to eleven, on a small day."""
    scenario = load(SMALL.parent / "cut.toml", {name.replace("__", "."): value for name, value in overrides.items()})
    prepared = prepare(scenario, 1)
    return scenario, prepared, reference.carry(prepared.plan)


def _in_a_hurry(found: Carried, *more: Outage) -> Carried:
    """The same plan with deadlines of half an hour, and perhaps with more failures, carried."""
    scenario, prepared, _ = found
    plan, deadline_ns = prepared.plan, np.full_like(prepared.plan.deliveries.deadline_ns, HOUR_NS // 2)
    strict = plan.deliveries._replace(deadline_ns=deadline_ns)
    prepared = prepared._replace(plan=plan._replace(deliveries=strict, outages=(*plan.outages, *more)))
    return scenario, prepared, reference.carry(prepared.plan)


def test_counts_are_those_of_the_columns() -> None:
    """Documents once each, deliveries once per recipient."""
    reading = reading_of(busy())
    found = flow.metrics(reading)
    deliveries = reading.plan.deliveries
    assert found["documents"] == deliveries.first.sum() == len(np.unique(deliveries.group))
    assert found["deliveries"] == found["arrived"] == len(deliveries.birth_ns)
    assert found["offered_per_s"] == len(deliveries.birth_ns) / 86_400
    hours = np.bincount(deliveries.birth_ns // HOUR_NS)
    assert found["offered_per_s.busiest_hour"] == hours.max() / 3600
    assert (found["expired"], found["lost"], found["under_way"], found["carried_share"]) == (0, 0, 0, 1)


def test_nothing_sent_has_no_share_that_arrived() -> None:
    """0 of 0 is not all of it."""
    found = flow.metrics(reading_of(carried(load=0)))
    assert (found["documents"], found["deliveries"], found["arrived"]) == (0, 0, 0)
    assert "carried_share" not in found


def test_what_a_run_leaves_behind_is_under_way_and_explained() -> None:
    """A run that stops at noon has documents on thin lines."""
    scenario, prepared, _ = busy()
    prepared = prepared._replace(plan=prepared.plan._replace(end_ns=12 * HOUR_NS))
    run = reference.carry(prepared.plan)
    found = measure.measure(prepared, run, scenario)
    assert found.metrics["under_way"] > 0
    assert found.metrics["deliveries"] == found.metrics["arrived"] + found.metrics["under_way"]
    assert found.metrics["never_sent"] == (prepared.plan.deliveries.birth_ns > 12 * HOUR_NS).sum()
    losses = found.tables["losses"].columns
    assert losses["fate"] == ("under way at the end",)
    assert losses["reason"] == ("queues on its way",)
    assert losses["deliveries"][0] == found.metrics["under_way"]


def test_what_an_engine_forgets_is_lost_and_breaks_conservation() -> None:
    """A run that goes on until all is done has no excuse."""
    scenario, prepared, run = busy()
    left = {step: times.copy() for step, times in run.left_ns.items()}
    left[hop(0, NODE)][11] = NEVER
    reading = reading_of((scenario, prepared, run._replace(left_ns=left)))
    assert flow.metrics(reading)["lost"] == 1
    assert not flow.conservation(reading).held


def test_a_failure_is_blamed_for_what_it_holds_up_and_for_nothing_else() -> None:
    """Documents to and from the province, sent before the end and not arrived at the beginning."""
    found = _cut_off()
    scenario, prepared, run = found
    result = measure.measure(prepared, run, scenario)
    failures = result.tables["failures"].columns
    held = int(np.asarray(failures["documents_waited"])[0])
    inside = prepared.topology.ids.index("H37")
    deliveries = prepared.plan.deliveries
    touching = (deliveries.path[:2] == inside).any(axis=0)
    sent_during = touching & (deliveries.birth_ns > 9 * HOUR_NS) & (deliveries.birth_ns < 11 * HOUR_NS)
    assert sent_during.sum() <= held <= sent_during.sum() + 5
    assert held > 0
    assert 0 < result.metrics["recovery.storm_s"] < 3600
    assert result.metrics["queue.peer.max"] > 0
    assert result.metrics["tries"] > 0
    assert all(check.held for check in result.checks), [check for check in result.checks if not check.held]


def test_a_failure_is_not_blamed_for_a_queue_far_from_it() -> None:
    """Who stood in its sender's own line while a province beyond the centre was cut off, and came to the centre long
    after, was not held up; who waited at the centre was."""
    thin = {"nodes__central__uplink": "1.5 kbit/s", "nodes__province__uplink": "1.5 kbit/s"}
    reading = reading_of(_cut_off(topology__routing="hub", **thin))
    outage = reading.plan.outages[0]
    at_the_centre = reading.run.left_ns[hop(0, NODE)][reading.row]
    to_it = (reading.recipient == outage.inside[0]) & (reading.born_ns < outage.until_ns)
    later = to_it & (at_the_centre > outage.until_ns + PATIENCE_NS)
    meanwhile = to_it & (at_the_centre > outage.from_ns) & (at_the_centre < outage.until_ns - MINUTE_NS)
    assert later.sum() > 5
    assert not reading.held_up[0][later].any()
    assert meanwhile.sum() > 5
    assert reading.held_up[0][meanwhile].all()


def test_a_failure_is_never_over_for_documents_that_expired_because_of_it() -> None:
    """A scenario whose deadlines pass during the failure has not recovered in no time."""
    reading = reading_of(_in_a_hurry(_cut_off()))
    assert reading.expired.any()
    assert flow.recovery(reading) == {"recovery.storm_s": float("inf")}
    assert np.asarray(flow.failures(reading).columns["drain_s"]).tolist() == [float("inf")]


def test_every_failure_is_blamed_for_its_own_documents() -> None:
    """What expired in the first one is no matter of the second, hours later; where two lie over each other, both are
    named."""
    found = _cut_off()
    storm = found[1].plan.outages[0]
    flood = storm._replace(name="flood", from_ns=14 * HOUR_NS, until_ns=15 * HOUR_NS)
    landslide = storm._replace(name="landslide", from_ns=10 * HOUR_NS)
    reading = reading_of(_in_a_hurry(found, flood, landslide))
    table = flow.losses(reading).columns
    counted = dict(zip(table["reason"], np.asarray(table["deliveries"]).tolist(), strict=True))
    assert set(counted) == {"cut off by storm", "cut off by flood", "cut off by storm and landslide"}
    assert sum(counted.values()) == reading.expired.sum()
    waited = dict(zip(("storm", "flood", "landslide"), reading.held_up.sum(axis=1).tolist(), strict=True))
    assert 0 < waited["flood"] < waited["storm"]
    born = reading.born_ns[reading.held_up[1]]
    assert born.min() > flood.from_ns - MINUTE_NS


def test_what_expired_waits_for_nobody_any_more() -> None:
    """Nothing is seen waiting for a peer hours after the failure, however much was lost in it."""
    occupancy = Occupancy(reading_of(_in_a_hurry(_cut_off())))
    moments = np.arange(occupancy.bins) * occupancy.step_ns
    assert occupancy.at_peer.max() > 0
    assert occupancy.at_peer[moments > 12 * HOUR_NS].max() == 0


def test_stores_grow_by_records_on_both_sides_and_by_content_once_at_the_sender() -> None:
    """Summed up one delivery at a time."""
    scenario, prepared, _ = carried()
    cost = costs.read(scenario.calibration)
    found = flow.stored_bytes(reading_of(carried()), cost)
    expected = np.zeros(len(found))
    deliveries = prepared.plan.deliveries
    for row in range(len(deliveries.bytes)):
        content = int(deliveries.bytes[row])
        expected[deliveries.path[0, row]] += cost.stored_bytes_sender + (content if deliveries.first[row] else 0)
        expected[deliveries.path[deliveries.hops[row], row]] += cost.stored_bytes_recipient + content
    assert (found == expected).all()
    two_days = flow.storage(found, scenario._replace(days=2))
    assert two_days["storage_bytes_per_day"] == pytest.approx(expected.sum() / 2)


def test_shared_content_is_stored_whole_by_everybody() -> None:
    """Parts add up to the document, at recipients as at the sender."""
    overrides: dict[str, object] = {
        "traffic.letters.sharing": "shared",
        "traffic.letters.to": "each:all",
        "traffic.letters.documents_per_day": 1,
        "traffic.letters.recipients_max": 100,
        "traffic.letters.size.law": "fixed",
        "traffic.letters.size.median": "4 MB",
    }
    scenario = load(SMALL, overrides)
    prepared = prepare(scenario, 1)
    found = flow.stored_bytes(
        reading_of((scenario, prepared, reference.carry(prepared.plan))), costs.read(scenario.calibration)
    )
    if len(np.unique(prepared.plan.deliveries.group)) == 1:
        assert found.min() > 4_000_000
        assert found.max() < 4_600_000
