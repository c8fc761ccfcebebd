"""The shipped scenarios ask what they say they ask, in numbers that stand in their comments."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from docaxis_sim.capacity.graphs import graphml
from docaxis_sim.capacity.model import Scenario, TopologySpec
from docaxis_sim.capacity.plan import DAY_NS
from docaxis_sim.capacity.prepare import Prepared, prepare
from docaxis_sim.capacity.runner import run_once
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.shipped import shipped
from docaxis_sim.capacity.topology import build, select
from tests.simulation.capacity.measured import SMALL
from tools import publish_quang_ninh

LIGHT = {"load": 0.02}
MONTH_END, MONDAY, SATURDAY, SUNDAY = 1.8, 1.5, 0.1, 0.05
WORKING_DAYS = 251
"""In a year: 752 from 2016 to 2018."""
HOLIDAYS = (
    *("2016-01-01", "2016-02-08/5", "2016-04-18", "2016-05-02/2", "2016-09-02"),
    *("2017-01-02", "2017-01-26/2", "2017-01-30/3", "2017-04-06", "2017-05-01/2", "2017-09-04"),
    *("2018-01-01", "2018-02-14/3", "2018-02-19/2", "2018-04-25", "2018-04-30/2", "2018-09-03"),
)
"""Ten working days a year are off (Labour Code of 2012, article 115); where one falls on a week-end, the next is."""


def off() -> Iterator[date]:
    """Each of them."""
    for each in HOLIDAYS:
        first, _, days = each.partition("/")
        yield from (date.fromisoformat(first) + timedelta(day) for day in range(int(days or 1)))


def is_worked(day: date) -> bool:
    """Whether offices are open."""
    return day.weekday() < 5 and day not in set(off())


def factor(day: date) -> float:
    """How many documents a day has beside an ordinary one."""
    if not is_worked(day):
        return SATURDAY if day.weekday() == 5 else SUNDAY
    after = next(later for later in (day + timedelta(days) for days in range(1, 15)) if is_worked(later))
    if after.month != day.month:
        return MONTH_END
    return MONDAY if day.weekday() == 0 else 1.0


def of_traffic(scenario: Scenario, prepared: Prepared, name: str) -> int:
    """How many deliveries one traffic makes."""
    number = [each.name for each in scenario.traffic].index(name)
    return int((prepared.plan.deliveries.traffic == number).sum())


@pytest.mark.parametrize("path", sorted(shipped().glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_makes_a_plan(path: Path) -> None:
    """What the checks let through can be drawn: every traffic has senders and recipients, every failure nodes."""
    scenario = load(path, LIGHT)
    plan = prepare(scenario, 0).plan
    assert set(np.unique(plan.deliveries.traffic)) == set(range(len(scenario.traffic)))
    assert all(len(outage.inside) for outage in plan.outages)


def test_a_decision_reaches_everybody_either_way() -> None:
    """10,825 recipients; handed on by each tier, nobody sends more than it has units below it."""
    for name, relayed in (("pm-decision", False), ("pm-decision-relay", True)):
        scenario = load(name, LIGHT)
        prepared = prepare(scenario, 0)
        assert of_traffic(scenario, prepared, "decision") == 10_825
        assert bool((prepared.plan.deliveries.parent >= 0).any()) == relayed


def test_comparisons_are_about_the_same_arrivals() -> None:
    """Common random numbers: what differs is the structure."""
    plans = [prepare(load(f"routing-{way}", LIGHT), 0).plan for way in ("direct", "tiered", "hub")]
    for other in plans[1:]:
        assert np.array_equal(plans[0].deliveries.birth_ns, other.deliveries.birth_ns)
        assert np.array_equal(plans[0].deliveries.bytes, other.deliveries.bytes)
    assert [int(plan.deliveries.hops.max()) for plan in plans] == [1, 5, 6]


def test_the_volumes_are_those_of_the_comments() -> None:
    """474,000 in all provinces, at the rate per inhabitant that Quảng Ninh has on a working day."""
    scenario = load("normal-working-day")
    prepared = prepare(scenario, 0)
    inside = sum(of_traffic(scenario, prepared, name) for name in ("down", "up", "across"))
    assert inside == pytest.approx(474_000, rel=0.02)
    assert of_traffic(scenario, prepared, "axis") == pytest.approx(20_000, rel=0.03)
    assert sum(each.documents_per_day for each in load("national-day-2m").traffic) == 2_000_000


def test_quang_ninh_s_calendar_and_volumes_fit_the_published_total() -> None:
    """Five million documents in three years: the ordinary day, the factors that the national scenarios assume, and the
    days that there were. The month that is simulated has its share of them, as drawn."""
    scenario = load("quang-ninh")
    assert load("monday-and-month-end").day_factors == (MONTH_END, SATURDAY, SUNDAY, MONDAY)
    month = [factor(date(2018, 3, day)) for day in range(1, 32)]
    assert list(scenario.day_factors) == month
    years = [factor(date(2016, 1, 1) + timedelta(days)) for days in range(1_096)]
    assert {each: years.count(each) for each in years} == {1.0: 574, 1.5: 142, 1.8: 36, 0.1: 157, 0.05: 187}
    assert sum(years) * sum(each.documents_per_day for each in scenario.traffic) == pytest.approx(5e6, rel=0.001)
    drawn = len(prepare(scenario, 1).plan.deliveries.birth_ns)
    assert drawn * sum(years) / sum(month) == pytest.approx(5e6, rel=0.01)


def test_all_628_units_of_quang_ninh_take_part() -> None:
    """Each sends and each receives; 185 of them are those of the country's tables."""
    prepared = prepare(load("quang-ninh"), 1)
    path, hops = prepared.plan.deliveries.path, prepared.plan.deliveries.hops
    assert len(prepared.topology.ids) == len(np.unique(path[0])) == 628
    assert len(np.unique(path[hops, np.arange(len(hops))])) == 628
    whole = build(TopologySpec(layout="vn-2024"))
    known = {whole.ids[each] for each in select(whole, "province:H49")}
    assert len(known) == 185
    assert known < set(prepared.topology.ids)


def test_the_graph_of_quang_ninh_is_what_the_tables_say() -> None:
    """`tools/publish_quang_ninh.py` writes it."""
    assert publish_quang_ninh.GRAPH.read_text(encoding="utf-8") == graphml(publish_quang_ninh.units())


def test_ten_years_have_a_load_and_a_store_each() -> None:
    """A quarter more each year; what stores hold is the sum of the years before, if nothing is thrown away."""
    text = (shipped() / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d,]+) \| ([\d.]+) TB \| ([\d.]+) PB \|", text, re.MULTILINE)
    assert [int(row[0]) for row in rows] == list(range(11))
    together = 0.0
    first = {"documents": float(rows[0][2].replace(",", "")), "stores": float(rows[0][3])}
    in_file = (shipped() / "ten-years.toml").read_text(encoding="utf-8")
    for year, load_, documents, stores, after in rows:
        grown = 1.25 ** int(year)
        together += grown * first["stores"] * WORKING_DAYS / 1_000
        assert float(load_) == pytest.approx(grown, abs=0.005)
        assert float(documents.replace(",", "")) == pytest.approx(grown * first["documents"], abs=500)
        assert float(stores) == pytest.approx(grown * first["stores"], rel=0.005)
        assert float(after) == pytest.approx(together, rel=0.01)
        assert re.search(rf"^# +{year} +{load_} ", in_file, re.MULTILINE), year


@pytest.mark.parametrize("engine", ["reference", "vector"])
def test_a_planner_can_ask_what_more_processes_bring(engine: str) -> None:
    """Four of them share a node's work; whatever they bring, the laws hold and no document is lost."""
    tiers = ("province", "central")
    one, four = (
        run_once(load(SMALL, {f"nodes.{tier}.processes": count for tier in tiers}), 1, engine).measures
        for count in (1, 4)
    )
    assert four.metrics["utilisation.loop.max"] < one.metrics["utilisation.loop.max"] / 2
    assert [check.name for check in four.checks if not check.held] == []


def test_a_province_is_cut_off_for_a_day() -> None:
    """From eight to eight, all of it, and nobody is switched off."""
    outage = prepare(load("province-cut", LIGHT), 0).plan.outages[0]
    assert outage.until_ns - outage.from_ns == DAY_NS
    assert len(outage.inside) == 205
    assert not outage.dark
