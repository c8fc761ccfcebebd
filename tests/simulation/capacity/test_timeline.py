"""Series say what was there when a bin began, and what happened in it."""

from functools import cache

import numpy as np

from docaxis_sim.capacity import timeline
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.plan import DAY_NS, SECOND_NS
from docaxis_sim.capacity.reading import Reading
from tests.simulation.capacity.measured import busy, reading_of


@cache
def seen() -> tuple[Reading, Occupancy]:
    """A busy day."""
    reading = reading_of(busy())
    return reading, Occupancy(reading)


def test_the_oldest_document_under_way_is_the_oldest() -> None:
    """Against looking at every document at every moment."""
    reading, occupancy = seen()
    moments = np.arange(occupancy.bins)[:, None] * occupancy.step_ns
    there = (reading.born_ns <= moments) & (moments < reading.arrived_ns)
    ages = np.where(there, moments - reading.born_ns, 0).max(axis=1) / SECOND_NS
    assert np.array_equal(timeline.oldest_s(reading, occupancy), ages)
    assert np.array_equal(timeline.waiting(reading, occupancy), there.sum(axis=1))
    assert ages.max() > 100


def test_the_mean_number_under_way_is_the_sum_of_all_stays_over_the_time() -> None:
    """Exact, not looked at now and then; of the simulated day, as far as stays are in it."""
    reading, _ = seen()
    ends, starts = (np.minimum(each, DAY_NS) for each in (reading.arrived_ns, reading.born_ns))
    assert abs(timeline.mean_waiting(reading) - (ends - starts).sum() / DAY_NS) < 1e-9


def test_rates_count_every_document_once() -> None:
    """Offered and carried, documents per second of each bin."""
    reading, occupancy = seen()
    rates = timeline.series(reading, occupancy)["rates"]
    seconds = rates.step_ns / SECOND_NS
    assert np.allclose(rates.values.sum(axis=1) * seconds, len(reading.row))


def test_provinces_and_central_agencies_make_up_the_country() -> None:
    """Every visit stands in one row, and every agency has its name."""
    reading, occupancy = seen()
    found = timeline.series(reading, occupancy)["queue_by_province"]
    assert set(found.labels) == set(reading.topology.names)
    assert np.array_equal(found.values.sum(axis=0), occupancy.present.sum(axis=0))


def test_no_series_goes_on_after_the_last_arrival() -> None:
    """Statements go home for days; nobody wants to look at that."""
    reading, occupancy = seen()
    hours = [each.values.shape[1] * each.step_ns for each in timeline.series(reading, occupancy).values()]
    assert max(hours) <= reading.arrived_ns.max() + 2 * 3_600 * SECOND_NS
