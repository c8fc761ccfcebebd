"""Topologies and selectors: the right nodes, by every word that a planner may know them by."""

import numpy as np
import pytest

from docaxis_sim.capacity import topology as topologies
from docaxis_sim.capacity.country import Unit
from docaxis_sim.capacity.model import TIERS, Latency, TopologySpec
from docaxis_sim.capacity.topology import BadSelector, BadTopology, Topology, assemble, build, fold, select


@pytest.fixture
def country() -> Topology:
    """The layout of 2024."""
    return build(TopologySpec())


def ids(topology: Topology, selector: str, **sites: str) -> set[str]:
    """The ids that a selector means."""
    return {topology.ids[each] for each in select(topology, selector, sites)}


def test_the_same_topology_is_built_once_and_cannot_be_changed(country: Topology) -> None:
    """Replications share it; one that wrote into it would change the others."""
    assert build(TopologySpec(endpoints=("province",))) is country
    with pytest.raises(ValueError, match="read-only"):
        country.parent[0] = 1


def test_a_hub_is_one_more_node_and_changes_no_other_number(country: Topology) -> None:
    """Hub and direct routing are compared on the same arrivals, which name nodes by number."""
    with_hub = build(TopologySpec(routing="hub"))
    assert with_hub.ids == (*country.ids, "HUB")
    assert ids(with_hub, "all") == set(country.ids)
    assert ids(with_hub, "tier:hub") == {"HUB"}


def test_nodes_know_their_province_and_their_seat(country: Topology) -> None:
    """Central agencies are in no province although they sit in Hà Nội."""
    number = {own: index for index, own in enumerate(country.ids)}
    assert country.province[number["H49.193.06652"]] == country.province[number["H49"]] == number["H49"]
    assert country.province[number["G22"]] == -1
    assert (country.lat[number["G22"]], country.lon[number["G22"]]) == (21.028, 105.854)


def test_the_distance_from_ha_noi_to_ho_chi_minh_city_is_known(country: Topology) -> None:
    """About 1,140 km as the crow flies."""
    a, b = (select(country, f"agency:{code}") for code in ("H26", "H29"))
    assert topologies.distance_km(country, a, b) == pytest.approx(1_143, abs=10)
    assert topologies.latency_ns(country, Latency(1_000, 0), a, b).tolist() == [1_000]
    assert topologies.latency_ns(country, Latency(0, 100), a, b)[0] == round(topologies.distance_km(country, a, b)[0])


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("all", 10_826),
        ("tier:commune", 10_035),
        ("province:H49", 185),
        ("province:22", 185),
        ("province:Quảng Ninh", 185),
        ("province:quang ninh", 185),
        ("region:highlands", 5 + 60 + 708),
        ("all - tier:commune - tier:district - tier:province", 32),
        ("agency:G22 + unit:H49.193.06652", 2),
        ("province:Bà Rịa - Vũng Tàu - tier:commune + agency:G22", 1 + 7 + 1),
    ],
)
def test_selectors_mean_what_they_say(country: Topology, selector: str, count: int) -> None:
    """Counts as in the tables; one name holds the sign for taking away."""
    found = select(country, selector)
    assert len(found) == count
    assert (np.diff(found) > 0).all()


def test_a_site_stands_for_the_selector_of_its_members(country: Topology) -> None:
    """A failure may name a site, and a site may name another."""
    assert ids(country, "site:centre - agency:G01", centre="tier:central") == ids(country, "tier:central - agency:G01")


@pytest.mark.parametrize(
    ("selector", "told"),
    [
        ("", "did you mean|there are"),
        ("tier:communes", "did you mean commune"),
        ("teir:commune", "did you mean tier"),
        ("agency:H490", "did you mean H49"),
        ("province:Kien Gang", "did you mean Kiên Giang"),
        ("region:south", "south-east"),
        ("all - region:north", "north-"),
        ("site:centre", "no site 'centre'"),
        ("tier:commune and tier:district", "no tier"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest_right_one(country: Topology, selector: str, told: str) -> None:
    """A planner should not have to read the tables."""
    with pytest.raises(BadSelector, match=told):
        select(country, selector)


def test_a_province_that_was_merged_says_into_which() -> None:
    """Scenarios of before July 2025 name provinces that are no more."""
    now = build(TopologySpec(layout="vn-2025"))
    for word in ("H33", "89", "Kiên Giang"):
        with pytest.raises(BadSelector, match=r"merged into H01 \(An Giang\)"):
            select(now, f"province:{word}")
    assert select(now, "province:91").tolist() == select(now, "province:An Giang").tolist()


def test_names_are_compared_without_marks_and_case() -> None:
    """Not every keyboard has Đ."""
    assert fold("ĐẮK LẮK ") == fold("Đắk Lắk") == "dak lak"


def test_regions_number_every_unit_below_a_province(country: Topology) -> None:
    """Reports group by region."""
    region = topologies.region_of(country)
    assert (region[country.tier >= TIERS.index("province")] >= 0).all()
    assert (region[country.tier == TIERS.index("central")] == -1).all()


@pytest.mark.parametrize(
    ("units", "told"),
    [
        ([("A", "B")], "parent B of A is not a unit"),
        ([("A", ""), ("A", "")], "two units have the id A"),
        ([("A", "B"), ("B", "A")], "circle"),
    ],
)
def test_units_that_do_not_fit_together_are_refused(units: list[tuple[str, str]], told: str) -> None:
    """Whoever assembles units by hand learns which does not fit."""
    with pytest.raises(BadTopology, match=told):
        assemble([Unit(own, own, "commune", parent, 0.0, 0.0, 0.0) for own, parent in units], "test")


def test_an_unknown_layout_is_refused_with_those_that_exist() -> None:
    """Whoever builds without the scenario reader still gets an answer."""
    with pytest.raises(BadTopology, match="vn-2024, vn-2025, agencies"):
        build(TopologySpec(layout="vn-2019"))
