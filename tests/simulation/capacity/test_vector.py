"""The vector engine: what it refuses and how it says so, how it is watched, and several of it at once."""

import sys
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType

import numpy as np
import pytest

from docaxis_sim.capacity import calendar_queue, vector
from docaxis_sim.capacity.plan import CannotCarry, Law, Outage, Plan
from tests.simulation.capacity import national
from tests.simulation.capacity.oracle import assert_same


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A thin day of the whole country."""
    return national.plan(2_000)


def test_outages_are_refused_by_name(plan: Plan) -> None:
    """A planner must learn which engine can, not get an answer in which nothing was ever down."""
    outage = Outage("Hà Giang cut off", np.array([7], np.int32), 0, 1, dark=False)
    with pytest.raises(CannotCarry, match=r"Hà Giang cut off.*the reference engine does"):
        vector.carry(plan._replace(outages=(outage,)))


@pytest.mark.parametrize("law", [Law.LANES, Law.PS])
def test_laws_that_need_to_look_back_are_refused_by_name(plan: Plan, law: Law) -> None:
    """Departure on arrival would be wrong for them, and nobody would see it."""
    with pytest.raises(CannotCarry, match=f"{law.name}.*the reference engine does"):
        vector.carry(plan._replace(stations=plan.stations._replace(up_law=law)))


def test_without_numba_it_says_what_to_install(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra of an extra."""
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(CannotCarry, match=r"docaxis\[vector\].*the reference engine does without"):
        vector.carry(plan)


def test_a_disk_of_two_loops_is_refused(plan: Plan) -> None:
    """Its order of arrivals would not be known when rounds begin."""
    shared = plan.stations._replace(disk_of=plan.stations.disk_of * 0)
    with pytest.raises(ValueError, match="all nodes of a disk are on one loop"):
        vector.carry(plan._replace(stations=shared))


def test_nothing_to_carry_is_carried(plan: Plan) -> None:
    """A scenario at load zero is a scenario."""
    run = vector.carry(plan._replace(deliveries=national.deliveries(0)))
    assert run.left_ns == {}
    assert run.events == run.rounds.sum() == 0


def test_progress_is_told_between_slices_and_changes_nothing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person watches a run of minutes."""
    whole = vector.carry(plan)
    monkeypatch.setattr(vector, "SLICE_EVENTS", 1_000)
    told: list[tuple[int, int]] = []
    assert_same(vector.carry(plan, lambda now_ns, done: told.append((now_ns, done))), whole)
    assert len(told) == (whole.events - 1) // 1_000
    assert told == sorted(told)
    assert 0 < told[-1][1] <= 2_000


def test_replications_side_by_side_in_threads_are_those_one_after_the_other() -> None:
    """The loop holds no interpreter lock and shares nothing."""
    plans = [national.plan(500 + number) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for run, alone in zip(pool.map(vector.carry, plans), map(vector.carry, plans), strict=True):
            assert_same(run, alone)


def test_where_no_folder_can_be_written_it_is_compiled_each_time() -> None:
    """Read-only installs without a home: slower to start, and no error."""

    def twice(number: int) -> int:
        return 2 * number

    nowhere = FunctionType(twice.__code__.replace(co_filename="<nowhere>"), {})
    assert calendar_queue.whole(nowhere)(21) == 42
