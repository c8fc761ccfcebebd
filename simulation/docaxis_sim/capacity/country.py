"""Country: the tables of Vietnam's agencies and units, read as rows that a topology is made of.

Files to values only: which province has which code, name, seat and region, and who is above whom. Nothing here numbers
nodes, measures distances or decides a route. What the tables are and how sure they are: ``scenarios/data/vietnam``.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from docaxis_sim.capacity.shipped import shipped

LAYOUTS: Final = ("vn-2024", "vn-2025", "agencies")
HUB_ID: Final = "HUB"
_HUE_2019: Final = "Thừa Thiên Huế"


class Unit(NamedTuple):
    """A node to be: `tier` is a word of `docaxis_sim.capacity.model.TIERS`, `parent` an id or empty, coordinates in
    degrees (WGS 84), `population` how many people it serves."""

    id: str
    name: str
    tier: str
    parent: str
    lat: float
    lon: float
    population: float


class Province(NamedTuple):
    """A province: `code` is its agency's, `gso_code` that of the General Statistics Office; the place is its seat."""

    code: str
    gso_code: str
    name: str
    region: str
    lat: float
    lon: float
    population: float


def rows(file: str) -> list[dict[str, str]]:
    """The rows of one table by its file name."""
    with (shipped() / "data" / "vietnam" / file).open(encoding="utf-8", newline="") as opened:
        header, *found = csv.reader(opened)
    return [dict(zip(header, each, strict=True)) for each in found]


@lru_cache
def provinces(layout: str) -> tuple[Province, ...]:
    """The provinces of a layout, by the codes of their agencies: 63, or since July 2025 34."""
    before = _provinces_2019()
    return _provinces_2025(before) if layout == "vn-2025" else before


@lru_cache
def successors() -> Mapping[str, str]:
    """For each province of 2019 the one that answers for it since July 2025; codes of agencies."""
    new = {each.gso_code: each.code for each in provinces("vn-2025")}
    return {each.code: new[_merged_into()[each.gso_code]] for each in provinces("vn-2024")}


def _provinces_2019() -> tuple[Province, ...]:
    region = {row["province_code"]: row["region"] for row in rows("regions.csv")}
    return tuple(
        Province(
            row["province_code"],
            row["gso_code"],
            row["name_vi"],
            region[row["province_code"]],
            float(row["lat"]),
            float(row["lon"]),
            float(row["population_2019"]),
        )
        for row in rows("provinces.csv")
    )


def _provinces_2025(before: tuple[Province, ...]) -> tuple[Province, ...]:
    """The agency whose name continues keeps its code; the seat is where the unit code continues (An Giang: the
    agency H01 at Rạch Giá, the seat of former Kiên Giang, whose unit code 91 it has)."""
    by_name, by_gso = {each.name: each for each in before}, {each.gso_code: each for each in before}
    people: Counter[str] = Counter()
    for each in before:
        people[_merged_into()[each.gso_code]] += int(each.population)
    found = []
    for row in rows("units-2025.csv"):
        if row["tier"] == "province":
            gso, name = row["code"], row["name"].removeprefix(row["kind"]).strip()
            named, seat = by_name.get(name) or by_name[_HUE_2019], by_gso[gso]
            found.append(Province(named.code, gso, name, named.region, seat.lat, seat.lon, float(people[gso])))
    return tuple(sorted(found))


@lru_cache
def _merged_into() -> Mapping[str, str]:
    """Codes of the General Statistics Office, old to new, of provinces."""
    return {row["old_code"]: row["new_code"] for row in rows("succession-2025.csv") if row["tier"] == "province"}


def units(layout: str) -> list[Unit]:
    """All rows of a layout, parents before children: central agencies, provinces, districts, communes."""
    agencies = [*_central(provinces(layout)), *_province_units(provinces(layout))]
    return agencies if layout == "agencies" else [*agencies, *_below(layout)]


def hub(layout: str) -> Unit:
    """The national centre that `hub` routing adds, in the capital; it serves nobody of its own."""
    lat, lon = _capital(provinces(layout))
    return Unit(HUB_ID, "Trung tâm quốc gia", "hub", "", lat, lon, 0.0)


def _capital(known: tuple[Province, ...]) -> tuple[float, float]:
    return next((each.lat, each.lon) for each in known if each.gso_code == "01")


def _central(known: tuple[Province, ...]) -> Iterator[Unit]:
    """Each serves the nation by its subject, all of them together everybody once, as every other tier does."""
    lat, lon = _capital(known)
    found = [row for row in rows("agencies.csv") if row["kind"] != "province"]
    share = sum(each.population for each in known) / len(found)
    for row in found:
        yield Unit(row["code"], row["name_vi"], "central", "", lat, lon, share)


def _province_units(known: tuple[Province, ...]) -> Iterator[Unit]:
    for each in known:
        yield Unit(each.code, each.name, "province", "", each.lat, each.lon, each.population)


def _below(layout: str) -> Iterator[Unit]:
    """Districts and communes; a province's people are spread evenly over its lowest units."""
    found = [row for row in rows(f"units-{layout.removeprefix('vn-')}.csv") if row["tier"] != "province"]
    ids = {each.gso_code: each.code for each in provinces(layout)}
    for row in found:
        ids[row["code"]] = f"{ids[row['parent']]}.{row['code']}"
    people = _people(layout, found, ids)
    for row in found:
        own, lat, lon = ids[row["code"]], float(row["lat"]), float(row["lon"])
        yield Unit(own, row["name"], row["tier"], ids[row["parent"]], lat, lon, people[own])


def _people(layout: str, found: list[dict[str, str]], ids: Mapping[str, str]) -> Mapping[str, float]:
    parents = {row["parent"] for row in found}
    lowest = [(ids[row["code"]], ids[row["parent"]]) for row in found if row["code"] not in parents]
    count = Counter(own.partition(".")[0] for own, _ in lowest)
    population = {each.code: each.population for each in provinces(layout)}
    people: dict[str, float] = {}
    for own, above in lowest:
        province = own.partition(".")[0]
        people[own] = population[province] / count[province]
        if above != province:
            people[above] = people.get(above, 0.0) + people[own]
    return people
