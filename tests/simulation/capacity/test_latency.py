"""Percentiles are values that occurred, and what never arrived is slower than everything."""

from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis_sim.capacity import latency, measure
from docaxis_sim.capacity.plan import NEVER, NODE, SECOND_NS, hop
from docaxis_sim.capacity.reading import LATE
from tests.simulation.capacity.measured import busy, carried, reading_of


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=300), st.sampled_from([0.001, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_that_of_another_library(values: list[int], share: float) -> None:
    """The inverted empirical distribution, definition 1 of Hyndman and Fan."""
    expected = np.quantile(np.array(values), share, method="inverted_cdf") / SECOND_NS
    assert latency.percentile(np.sort(np.array(values, np.int64)), share) == pytest.approx(expected)


def test_a_percentile_into_which_losses_fall_is_infinite() -> None:
    """Two of a hundred never arrived: half of all did quickly, but 99 did not."""
    values = np.sort(np.array([SECOND_NS] * 98 + [LATE] * 2, np.int64))
    found = latency.statistics_of(values)
    assert (found["p50"], found["p95"], found["p99"]) == (1, 1, inf)
    assert isnan(latency.percentile(values[:0], 0.5))


def test_mean_and_slowest_are_never_better_because_something_did_not_arrive() -> None:
    """Of the survivors alone they would be smallest where most was lost, and a goal on them met by losing."""
    values = np.sort(np.array([SECOND_NS] * 98 + [LATE], np.int64))
    found = latency.statistics_of(values)
    assert (found["mean"], found["max"]) == (inf, inf)
    assert latency.statistics_of(values[98:])["mean"] == inf
    found = latency.statistics_of(values[:98])
    assert (found["mean"], found["max"]) == (1, 1)
    assert isnan(latency.statistics_of(values[:0])["mean"])


def test_an_overloaded_day_has_no_mean() -> None:
    """Lines so thin that the day ends with most still under way: whatever arrived says nothing about the rest."""
    scenario, prepared, run = carried(until_done=False, nodes__province__uplink="10 bit/s")
    found = measure.measure(prepared, run, scenario).metrics
    assert found["under_way"] > 0
    for statistic in ("mean", "max"):
        name = f"latency.arrived.{statistic}_s"
        assert found[name] == measure.figure(prepared, run, scenario, name) == inf


def test_one_figure_alone_is_the_same_as_among_all() -> None:
    """The short way of the search, for every figure of a run."""
    scenario, prepared, run = busy()
    everything = measure.measure(prepared, run, scenario).metrics
    names = [name for name in everything if name.startswith("latency.")] + ["arrived", "queue.documents.max"]
    assert len(names) > 40
    for name in names:
        assert measure.figure(prepared, run, scenario, name) == everything[name], name


@pytest.mark.parametrize("name", ["latency.arrived.p98_s", "latency.arrived.p99.tier.moon_s", "nonsense"])
def test_a_figure_that_there_is_not_is_refused(name: str) -> None:
    """By its name."""
    scenario, prepared, run = carried()
    with pytest.raises(KeyError):
        measure.figure(prepared, run, scenario, name)


def test_a_figure_of_what_nobody_sent_is_not_a_number() -> None:
    """Neither 0 nor an error: who asked is told."""
    scenario, prepared, run = carried(traffic__letters__to="any:tier:province")
    for name in ("latency.arrived.p99.tier.central_s", "latency.arrived.max.tier.central_s"):
        assert isnan(measure.figure(prepared, run, scenario, name))
        assert name not in measure.measure(prepared, run, scenario).metrics


def test_groups_share_out_all_documents() -> None:
    """By tier, urgency and traffic, each document is in one group of each kind."""
    found = {group.name: len(group.sorted_ns) for group in latency.groups(reading_of(busy()))}
    tiers = sum(count for name, count in found.items() if name.startswith("tier: "))
    assert tiers == found["normal"] + found["express"] == found["traffic: letters"] == found["all"] > 1000


def test_latency_counts_from_submission_to_arrived() -> None:
    """Straight from the columns, for a plan without relays."""
    _, prepared, run = busy()
    expected = np.sort(run.left_ns[hop(0, NODE)] - prepared.plan.deliveries.birth_ns)
    assert NEVER not in run.left_ns[hop(0, NODE)]
    assert (next(latency.groups(reading_of(busy()))).sorted_ns == expected).all()


def test_curves_rise() -> None:
    """Within more seconds, more has arrived; they end with everything."""
    table = latency.curves(list(latency.groups(reading_of(busy())))).columns
    first = [name == "all" for name in table["name"]]
    seconds, shares = np.asarray(table["latency_s"])[first], np.asarray(table["share"])[first]
    assert (np.diff(seconds) >= 0).all()
    assert (np.diff(shares) > 0).all()
    assert shares[-1] == 1
