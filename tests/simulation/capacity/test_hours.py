"""What is told per hour or per day is of hours and days that were simulated."""

import numpy as np
import pytest

from docaxis_sim.capacity import hours, measure, metrics, reference
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.plan import HOUR_NS
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.scenario import load
from tests.simulation.capacity.measured import SMALL, Carried, busy, reading_of

HOUR = SMALL.parent / "hour.toml"


def _carried(overrides: dict[str, object]) -> Carried:
    scenario = load(HOUR, overrides)
    prepared = prepare(scenario, 1)
    return scenario, prepared, reference.carry(prepared.plan)


@pytest.mark.parametrize("name", ["normal-working-day", "pm-decision", "quang-ninh", "national-day-2m", "flood-week"])
def test_a_day_with_office_hours_or_a_campaign_is_a_day(name: str) -> None:
    """At night nobody sends, and that is part of it."""
    scenario = load(name)
    assert hours.is_whole_day(scenario)
    assert hours.simulated(scenario).tolist() == list(range(24 * scenario.days))


def test_hours_that_nobody_sends_in_are_not_simulated_where_few_are_sent_in() -> None:
    """One hour of each day, counted from the first midnight."""
    assert hours.simulated(load("ten-years")).tolist() == [9]
    assert hours.simulated(load(HOUR, {"days": 3})).tolist() == [9, 33, 57]
    half = {"profiles.hour": [["09:30", 0], ["09:45", 1], ["11:15", 1]]}
    assert hours.simulated(load(HOUR, half)).tolist() == [9, 10, 11]


def test_rates_and_means_of_one_hour_are_of_that_hour() -> None:
    """Over a whole day they would be a twenty-fourth."""
    found = _carried({"load": 10})
    reading, figures = reading_of(found), measure.measure(found[1], found[2], found[0]).metrics
    assert figures["offered_per_s"] == len(reading.row) / 3600 == figures["offered_per_s.busiest_hour"]
    assert figures["carried_per_s"] == len(reading.row) / 3600
    busy_ns = Occupancy(reading).busy_ns["up"]
    assert figures["utilisation.up.mean"] == pytest.approx(busy_ns[:, 9].mean() / HOUR_NS)
    inside = np.minimum(reading.arrived_ns, 10 * HOUR_NS) - np.minimum(reading.born_ns, 10 * HOUR_NS)
    assert figures["queue.documents.mean"] == pytest.approx(inside.sum() / HOUR_NS)


def test_nothing_is_said_of_a_day_where_an_hour_is_simulated() -> None:
    """A planner buys disks from the growth a day."""
    found = _carried({})
    assert not [name for name in measure.measure(found[1], found[2], found[0]).metrics if name.endswith("_per_day")]
    assert "storage_bytes_per_day" not in metrics.names(found[0])
    reason = metrics.unknown("storage_bytes_per_day", found[0])
    assert reason == "this figure cannot occur here: less than 6 hours of a day are simulated"
    assert metrics.unknown("storage_bytes_per_day", busy()[0]) == ""


def test_days_on_which_only_statements_go_home_thin_nothing_out() -> None:
    """A run of one day goes on until the last statement is home, days later."""
    means = []
    for after in ("10 min", "5 days"):
        scenario = load(SMALL, {"traffic.letters.statuses.received.after": after})
        prepared = prepare(scenario, 1)
        found = measure.measure(prepared, reference.carry(prepared.plan), scenario).metrics
        means.append([found["utilisation.up.mean"], found["queue.documents.mean"]])
    assert means[0] == pytest.approx(means[1], rel=0.01)
