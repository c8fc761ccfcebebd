"""Closed forms: both engines against theory, and the interval against its own promise."""

import numpy as np
import pytest
from scipy import integrate, stats

from docaxis_sim.capacity import reference, theory, vector, verify
from docaxis_sim.capacity.cases import CASES, Case
from docaxis_sim.capacity.chance import generator
from docaxis_sim.capacity.plan import Plan, Run, arrived_ns
from docaxis_sim.capacity.statistics import estimate
from docaxis_sim.capacity.verify import CONFIDENCE, HALF_WIDTH_MAX, Row

NAMES = {case.name: case for case in CASES}
FEED_FORWARD = [case for case in CASES if not case.reference_only]
BY_REFERENCE = [
    *(case for case in CASES if case.reference_only),
    *(NAMES[name] for name in ("group commit, load 2", "rounds, load 0.7")),
    *(case for case in CASES if not case.customers),
]


def check(rows: list[Row]) -> None:
    """Theory inside each interval, and each interval narrow enough to mean something."""
    assert rows
    for row in rows:
        assert row.half_width <= HALF_WIDTH_MAX * row.theory, row
        assert row.is_right, row


@pytest.mark.parametrize("case", FEED_FORWARD, ids=lambda case: case.name)
def test_the_vector_engine_meets_theory(case: Case) -> None:
    """Mean and 95th percentile of the sojourn inside the 99 % interval over thirty seeds."""
    check(list(verify.rows("vector", cases=[case])))


@pytest.mark.parametrize("case", BY_REFERENCE, ids=lambda case: case.name)
def test_the_reference_engine_meets_theory(case: Case) -> None:
    """Processor sharing, which it alone knows, and some of each kind of the others."""
    check(list(verify.rows("reference", cases=[case])))


@pytest.mark.parametrize("case", FEED_FORWARD, ids=lambda case: case.name)
def test_both_engines_agree_on_every_customer(case: Case) -> None:
    """What theory says about one, it says about the other."""
    plan = case.make(generator(1, 0, case.name), 500).plan
    assert (arrived_ns(plan, reference.carry(plan)) == arrived_ns(plan, vector.carry(plan))).all()


def test_there_are_at_least_twenty_figures() -> None:
    """As many as the best simulator's own table of this kind."""
    assert sum(1 + (case.sojourn.tail is not None) for case in CASES) >= 20


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Two hundred small experiments of eight replications each: 95 % intervals miss in one case of twenty."""
    case = NAMES["M/M/1, load 0.5"]
    held = 0
    for experiment in range(200):
        values = verify.measured(case, vector.carry, 1000 + experiment, 8, size=0.02)[:, 0]
        interval = estimate(values.tolist(), 0.95)
        held += interval.low <= case.sojourn.mean <= interval.high
    assert 0.90 <= held / 200 <= 0.99


def test_a_wrong_engine_is_found() -> None:
    """A table that nothing could fail would prove nothing: services a fiftieth longer put theory outside."""
    case = NAMES["M/M/1, load 0.7"]

    def slower(plan: Plan) -> Run:
        extra = {step: column + column // 50 for step, column in plan.deliveries.extra_ns.items()}
        return vector.carry(plan._replace(deliveries=plan.deliveries._replace(extra_ns=extra)))

    values = verify.measured(case, slower, 1, verify.REPLICATIONS)
    found = estimate(values[:, 0].tolist(), CONFIDENCE)
    assert not found.low <= case.sojourn.mean <= found.high


def _row(off: float, half_width: float = 1.0) -> Row:
    return Row("queue", "mean", "vector", 100.0, 100.0 + off, half_width)


def test_a_table_fails_where_chance_does_not_explain_its_misses() -> None:
    """Of thirty rows three miss by chance often enough, four do not; nor does one lie so far off. A tail as scipy's."""
    misses = verify.allowed(30)
    assert stats.binom.sf(misses, 30, 0.01) < verify.CHANCE <= stats.binom.sf(misses - 1, 30, 0.01)
    good = [_row(0.5)] * 26
    assert verify.explained([*good, *[_row(1.1)] * misses])
    assert not verify.explained([*good, *[_row(1.1)] * (misses + 1)])
    assert not verify.explained([*good, _row(2.5)])


def test_chance_explains_neither_a_wide_interval_nor_a_miss_where_there_is_none() -> None:
    """One such row fails a table; a row that is met exactly does not."""
    assert verify.explained([_row(0.0, half_width=0.0)])
    assert not verify.explained([_row(0.5)] * 9 + [_row(0.1, half_width=0.0)])
    assert not verify.explained([_row(0.5)] * 9 + [_row(0.1, half_width=3.0)])


@pytest.mark.parametrize("case", [case for case in CASES if case.sojourn.tail and case.customers], ids=lambda c: c.name)
def test_a_distribution_and_its_mean_belong_together(case: Case) -> None:
    """The area under the tail is the mean; a slip in either formula would part them."""
    tail = case.sojourn.tail
    assert tail is not None
    end = int(case.sojourn.quantile(1 - 1e-4)) + 2
    area = sum(integrate.quad(tail, t, t + 1, epsabs=1e-6)[0] for t in range(end))
    assert area == pytest.approx(case.sojourn.mean, rel=2e-3)


def test_erlangs_sum_is_what_a_long_recursion_finds() -> None:
    """An independent look at the one formula that alternates: waiting times by Lindley's recursion."""
    chance = generator(1, 0, "lindley")
    gaps = chance.standard_exponential(2_000_000) / 0.7
    walk = np.cumsum(1 - gaps)
    waits = walk - np.minimum.accumulate(np.minimum(walk, 0))
    assert theory.md1(0.7).quantile(0.95) == pytest.approx(1 + np.quantile(waits, 0.95), rel=0.02)
    assert theory.mm1(0.7).quantile(0.95) == pytest.approx(stats.expon.ppf(0.95) / 0.3)
