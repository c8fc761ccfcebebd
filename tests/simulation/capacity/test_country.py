"""The tables of the country: complete, consistent with each other, and found wherever the package is."""

from collections import Counter

from docaxis.core.ids import party_id
from docaxis_sim.capacity import country


def test_every_layout_has_the_published_number_of_nodes() -> None:
    """A row that is lost in a join would make every answer a little too good."""
    found = {layout: Counter(unit.tier for unit in country.units(layout)) for layout in country.LAYOUTS}
    assert found == {
        "vn-2024": {"central": 32, "province": 63, "district": 696, "commune": 10_035},
        "vn-2025": {"central": 32, "province": 34, "commune": 3_321},
        "agencies": {"central": 32, "province": 63},
    }


def test_every_id_is_a_code_that_the_directory_would_accept() -> None:
    """The same plan runs on machines of the core, which refuse other spellings."""
    for unit in country.units("vn-2024") + country.units("vn-2025"):
        assert party_id(unit.id) == unit.id
        assert unit.id.startswith(unit.parent)


def test_nobody_is_counted_twice_or_forgotten_when_provinces_merge() -> None:
    """Both layouts serve the people of the census of 2019."""
    people = {layout: sum(each.population for each in country.provinces(layout)) for layout in ("vn-2024", "vn-2025")}
    assert people == {"vn-2024": 96_208_984, "vn-2025": 96_208_984}


def test_the_people_of_a_province_are_spread_over_its_lowest_units() -> None:
    """Island districts have no communes, yet people live there."""
    units = {unit.id: unit for unit in country.units("vn-2024")}
    below = {unit.parent for unit in units.values()}
    lowest = sum(unit.population for unit in units.values() if unit.id.startswith("H48") and unit.id not in below)
    districts = sum(unit.population for unit in units.values() if unit.parent == "H48")
    assert round(lowest) == round(districts) == units["H48"].population == 1_231_697


def test_a_merged_province_keeps_the_code_of_its_name_and_the_seat_of_its_unit_code() -> None:
    """An Giang of 2025 is the agency H01, governed from Rạch Giá, where Kiên Giang was."""
    now = {each.code: each for each in country.provinces("vn-2025")}
    before = {each.code: each for each in country.provinces("vn-2024")}
    assert now["H01"].name == "An Giang"
    assert (now["H01"].lat, now["H01"].lon) == (before["H33"].lat, before["H33"].lon)
    assert country.successors()["H33"] == "H01"
    assert country.successors()["H57"] == "H57"
    assert set(country.successors().values()) == set(now)


def test_every_province_lies_in_one_of_seven_regions() -> None:
    """A region that misses a province answers for too little."""
    sizes = Counter(each.region for each in country.provinces("vn-2024"))
    assert sorted(sizes.values()) == [5, 6, 6, 8, 11, 13, 14]
