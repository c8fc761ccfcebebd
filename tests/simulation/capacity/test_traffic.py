"""Traffic: what a scenario says is what is drawn, and changing one thing leaves the rest as it was."""

from typing import Any

import numpy as np
import pytest

from docaxis.core import limits
from docaxis_sim.capacity.model import NodeClass, Size, StatusStep, TopologySpec, Traffic
from docaxis_sim.capacity.plan import DAY_NS, HOPS_MAX, HOUR_NS, NEVER, Deliveries, Form
from docaxis_sim.capacity.routes import paths
from docaxis_sim.capacity.topology import build, latency_ns, select
from docaxis_sim.capacity.traffic import BadTraffic, deliveries
from tests.simulation.capacity.drawing import scenario

STATUSES = (StatusStep("processing", 0.9, HOUR_NS), StatusStep("done", 0.3, 2 * HOUR_NS))
DAILY = Traffic(
    "daily",
    "tier:province",
    "any:all",
    documents_per_day=4000,
    recipients_mean=4.0,
    statuses=STATUSES,
    priority=(0.7, 0.1, 0.1, 0.1, 0.0),
)
REPORTS = Traffic("reports", "tier:commune", "province", documents_per_day=6000, size=Size("lognormal", 40_000, 1.0))


def drawn(*traffic: Traffic, replication: int = 0, **values: Any) -> Deliveries:
    """The deliveries of a scenario of these."""
    whole = scenario(*traffic, **values)
    return deliveries(whole, build(whole.topology), replication)


def columns(found: Deliveries, traffic: int) -> dict[str, np.ndarray]:
    """What one traffic's deliveries are, without what depends on the others."""
    mine = found.traffic == traffic
    plain = {name: getattr(found, name)[..., mine] for name in Deliveries._fields if name not in _MIXED}
    return plain | {"document": np.unique(found.group[mine], return_inverse=True)[1]}


_MIXED = ("parent", "traffic", "group", "extra_ns", "status_delay_ns")


def test_equal_questions_give_equal_traffic() -> None:
    """Nothing but scenario and replication decides; another replication is another day."""
    first, again, other = (drawn(DAILY, REPORTS, replication=number) for number in (0, 0, 1))
    assert all((getattr(first, name) == getattr(again, name)).all() for name in Deliveries._fields[:-1])
    assert len(other.birth_ns) != len(first.birth_ns) or (other.birth_ns != first.birth_ns).any()


def test_rows_are_in_the_order_that_engines_rely_on() -> None:
    """By birth; a document's first recipient pays for the submission and stands before the others."""
    found = drawn(DAILY, REPORTS)
    assert (np.diff(found.birth_ns) >= 0).all()
    _, first = np.unique(found.group, return_index=True)
    assert sorted(first.tolist()) == np.flatnonzero(found.first).tolist()


def test_another_traffic_or_another_link_changes_nothing_about_the_first() -> None:
    """Comparisons with common random numbers compare what was changed, and nothing else."""
    alone, together = drawn(DAILY), drawn(DAILY, REPORTS)
    faster = drawn(DAILY, nodes={"commune": NodeClass(10**9, 10**9)})
    for name, column in columns(alone, 0).items():
        assert (columns(together, 0)[name] == column).all(), name
        assert (columns(faster, 0)[name] == column).all(), name


def test_another_size_law_leaves_arrivals_senders_and_recipients() -> None:
    """Each thing drawn has numbers of its own."""
    before, after = drawn(DAILY), drawn(DAILY._replace(size=Size("pareto", 900_000, 1.3)))
    assert (before.bytes != after.bytes).any()
    for name in ("birth_ns", "path", "status_delay_ns", "priority", "first"):
        assert (getattr(before, name) == getattr(after, name)).all(), name


def test_more_load_adds_documents_and_keeps_the_first_ones() -> None:
    """The i-th document has the same sender, recipients and size at any load."""
    low, high = (columns(drawn(DAILY, load=load), 0) for load in (1.0, 1.2))
    shared = len(low["bytes"]) - HOPS_MAX
    for name in ("path", "bytes", "priority"):
        assert (low[name][..., :shared] == high[name][..., :shared]).all(), name


def test_counts_follow_load_scale_and_the_factors_of_days() -> None:
    """Four thousand submissions a day, doubled by the load, halved by the scale; nothing on the second day."""
    found = drawn(DAILY._replace(scale=0.5), load=2.0, days=3, day_factors=(1.0, 0.0, 2.0))
    per_day = np.bincount(found.birth_ns[found.first] // DAY_NS, minlength=3)
    assert per_day[1] == 0
    assert per_day[0] == pytest.approx(4000, rel=0.06)
    assert per_day[2] == pytest.approx(8000, rel=0.06)


def test_a_campaign_is_submitted_at_its_moment_of_each_day_that_has_any() -> None:
    """A decision is not lost because the load is low."""
    at = 8 * HOUR_NS
    found = drawn(DAILY._replace(at_ns=at, submissions=3), load=0.1, days=3, day_factors=(1.0, 0.0, 20.0))
    assert np.unique(found.birth_ns[found.first], return_counts=True)[0].tolist() == [at, 2 * DAY_NS + at]
    assert found.first.sum() == 1 + 6


def test_recipients_are_distinct_others_and_as_many_as_asked_for() -> None:
    """Four on average; a document goes to nobody twice and not to its sender."""
    found = drawn(DAILY)
    last = found.path[1]
    assert len(last) / found.first.sum() == pytest.approx(4.0, rel=0.05)
    assert len(np.unique(found.group.astype(np.int64) * 20_000 + last)) == len(last)
    assert (last != found.path[0]).all()


def test_shares_of_priorities_and_statuses_are_met() -> None:
    """Nine of ten say that they process it, three of ten that it is done, and none of them without the other."""
    found = drawn(DAILY)
    by_document = np.bincount(found.priority[found.first], minlength=5) / found.first.sum()
    assert by_document == pytest.approx([0.7, 0.1, 0.1, 0.1, 0], abs=0.03)
    processing, done = found.status_delay_ns != NEVER
    assert processing.mean() == pytest.approx(0.9, abs=0.01)
    assert done.mean() == pytest.approx(0.3, abs=0.02)
    assert not (done & ~processing).any()
    assert found.status_delay_ns[1][done].mean() == pytest.approx(2 * HOUR_NS, rel=0.05)


def test_form_and_bytes_follow_the_size_of_the_content() -> None:
    """Small content rides in the batch; all of it and the envelope travel."""
    small, large = (drawn(REPORTS._replace(size=Size("fixed", size))) for size in (60_000, 3 * limits.MIB))
    assert (small.form == Form.INLINE).all()
    assert (large.form == Form.CHUNKED).all()
    assert (small.bytes - 60_000 < 2 * limits.KIB).all()
    assert (large.bytes - 3 * limits.MIB < 4 * limits.KIB).all()


@pytest.mark.parametrize("weights", ["equal", "population", "units"])
def test_senders_send_by_their_weight(weights: str) -> None:
    """Per province: as many as any other, by its people, or by its units."""
    topology = build(TopologySpec())
    found = drawn(DAILY._replace(weights=weights, documents_per_day=40_000, recipients_mean=1.0))
    provinces = select(topology, "tier:province")
    expected = {
        "equal": np.ones(len(provinces)),
        "population": topology.weight_population[provinces],
        "units": np.bincount(topology.province[topology.province >= 0])[provinces],
    }[weights]
    shares = np.bincount(found.path[0], minlength=len(topology.ids))[provinces] / len(found.first)
    assert shares == pytest.approx(expected / expected.sum(), rel=0.25)


@pytest.mark.parametrize("routing", ["direct", "tiered", "hub"])
def test_routes_and_latencies_are_those_of_the_topology(routing: str) -> None:
    """Hop by hop, and nothing beyond the last."""
    spec = TopologySpec(routing=routing)
    topology, found = build(spec), drawn(DAILY, REPORTS, topology=spec)
    source, target = found.path[0], found.path[found.hops, np.arange(len(found.hops))]
    hops, path = paths(topology, spec, source, target)
    assert (found.hops == hops).all()
    assert (found.path == path).all()
    for hop in range(HOPS_MAX):
        there = hops > hop
        expected = latency_ns(topology, spec.latency, path[hop, there], path[hop + 1, there])
        assert (found.latency_ns[hop, there] == expected).all()
        assert not found.latency_ns[hop, ~there].any()


def test_who_has_nobody_to_send_to_is_left_out() -> None:
    """Of all units, those without children send nothing to children."""
    topology = build(TopologySpec())
    found = drawn(DAILY._replace(sender="all", to="children"))
    assert np.isin(found.path[0], topology.parent).all()


def test_a_traffic_that_nobody_can_send_is_refused_by_name() -> None:
    """Since 2025 there are no districts; a scenario that needs one says so instead of being empty."""
    with pytest.raises(BadTraffic, match=r"'reports'.*\(district\).*vn-2025"):
        drawn(REPORTS._replace(to="district"), topology=TopologySpec(layout="vn-2025"))


def test_a_load_that_no_memory_holds_is_refused_before_anything_is_drawn() -> None:
    """By how many deliveries, how much memory and what to lower, instead of an end by the kernel."""
    with pytest.raises(BadTraffic, match=r"about [\d,]+ deliveries .* GB .* lower load \(1e\+06\).*'reports'"):
        drawn(DAILY._replace(documents_per_day=1.0), REPORTS, load=1e6)


def test_no_traffic_is_an_empty_table() -> None:
    """A scenario of faults alone has nothing to carry."""
    assert len(drawn().birth_ns) == 0
