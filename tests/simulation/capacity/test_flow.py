"""Everything submitted is accounted for, and what did not arrive has a reason."""

import numpy as np
import pytest

from docaxis_sim.capacity import costs, flow, measure, reference
from docaxis_sim.capacity.plan import HOUR_NS, NEVER, NODE, hop
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.scenario import load
from tests.simulation.capacity.measured import SMALL, Carried, busy, carried, reading_of


def _cut_off() -> Carried:
    """Lạng Sơn cannot be reached from nine to eleven, on a small day."""
    scenario = load(SMALL.parent / "cut.toml")
    prepared = prepare(scenario, 1)
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


def test_a_failure_is_never_over_for_documents_that_expired_because_of_it() -> None:
    """A scenario whose deadlines pass during the failure has not recovered in no time."""
    scenario, prepared, _ = _cut_off()
    deliveries = prepared.plan.deliveries
    strict = deliveries._replace(deadline_ns=deliveries.deadline_ns * 0 + HOUR_NS // 2)
    prepared = prepared._replace(plan=prepared.plan._replace(deliveries=strict))
    reading = reading_of((scenario, prepared, reference.carry(prepared.plan)))
    assert reading.expired.any()
    assert flow.recovery(reading) == {"recovery.storm_s": float("inf")}
    assert np.asarray(flow.failures(reading).columns["drain_s"]).tolist() == [float("inf")]


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
    assert flow.storage(found, 2)["storage_bytes_per_day"] == pytest.approx(expected.sum() / 2)


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
