"""Topology: who exists, who is above whom and where they are, as numbered nodes; and which of them a selector means.

Numbers and places only: what a node can do is `stations`' matter, which way a document goes `routes`'. Built once per
process and layout; arrays are shared and therefore read-only.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity import country
from docaxis_sim.capacity.country import Unit
from docaxis_sim.capacity.model import TIERS, Latency, TopologySpec
from docaxis_sim.capacity.plan import Bool, Float, Int8, Int32, Int64

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth (IUGG)."""
SELECTORS: Final = ("all", "tier", "agency", "unit", "province", "region", "site")
REGIONS: Final = (
    "north-mountain",
    "red-river",
    "north-central",
    "south-central",
    "highlands",
    "south-east",
    "mekong",
)
_SPLIT: Final = re.compile(r"\s+([+-])\s+(?=all(?:\s|$)|[A-Za-z]+:)")


class BadSelector(ValueError):
    """A selector that means nothing here; says what would be meant nearest to it."""


class BadTopology(ValueError):
    """A topology that cannot be made: not a known layout, or units that do not fit together."""


class Topology(NamedTuple):
    """Nodes by number.

    `tier` indexes `docaxis_sim.capacity.model.TIERS`; `parent` is -1 at the top; `province` is the number of the
    province that a node is in (itself for a province, -1 for central agencies and the hub); `lat`, `lon` degrees;
    `weight_population` people served: each tier shares out the nation's people among its nodes.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    tier: Int8
    parent: Int32
    province: Int32
    lat: Float
    lon: Float
    weight_population: Float
    layout: str


def build(spec: TopologySpec) -> Topology:
    """The topology that a scenario asks for.

    With `hub` routing one more node, numbered last, is the national centre (unless a graph brings its own), so that all
    others keep their numbers. Raises `BadTopology`, and `docaxis_sim.capacity.planners_graph.BadGraph` for a graph.
    """
    with_hub = spec.routing == "hub"
    if spec.graph:
        path = Path(spec.graph).resolve()
        changed_ns = path.stat().st_mtime_ns if path.is_file() else 0
        return _from_graph(path, changed_ns, with_hub)
    if spec.layout not in country.LAYOUTS:
        raise BadTopology(f"no layout {spec.layout!r}; there are {', '.join(country.LAYOUTS)}")
    return _from_tables(spec.layout, with_hub)


@lru_cache(maxsize=8)
def _from_tables(layout: str, with_hub: bool) -> Topology:
    hub = [country.hub(layout)] if with_hub else []
    return assemble([*country.units(layout), *hub], layout)


@lru_cache(maxsize=8)
def _from_graph(path: Path, changed_ns: int, with_hub: bool) -> Topology:
    """`changed_ns` is part of the cache's key: an edited file is read again."""
    from docaxis_sim.capacity.planners_graph import read_units  # noqa: PLC0415 - networkx takes longer to load than the country

    units = read_units(path)
    if with_hub and all(each.tier != "hub" for each in units):
        units = [*units, country.hub("agencies")]
    return assemble(units, f"graph:{path.name}")


def assemble(units: Sequence[Unit], layout: str) -> Topology:
    """Numbers `units` in their order; raises `BadTopology` if ids repeat, a parent is missing or parents form a
    circle."""
    number = {each.id: index for index, each in enumerate(units)}
    if len(number) != len(units):
        twice = next(each.id for index, each in enumerate(units) if number[each.id] != index)
        raise BadTopology(f"two units have the id {twice}")
    lost = next((each for each in units if each.parent and each.parent not in number), None)
    if lost is not None:
        raise BadTopology(f"the parent {lost.parent} of {lost.id} is not a unit")
    tier = np.array([TIERS.index(each.tier) for each in units], np.int8)
    parent = np.array([number[each.parent] if each.parent else -1 for each in units], np.int32)
    places = np.array([(each.lat, each.lon, each.population) for each in units], np.float64).reshape(-1, 3)
    province, lat, lon, people = _provinces(tier, parent), *places.T.copy()
    for column in (tier, parent, province, lat, lon, people):
        column.flags.writeable = False
    ids, names = tuple(each.id for each in units), tuple(each.name for each in units)
    return Topology(ids, names, tier, parent, province, lat, lon, people, layout)


def _provinces(tier: Int8, parent: Int32) -> Int32:
    """The province above each node, or -1; climbs all nodes at once."""
    found = np.where(tier == TIERS.index("province"), np.arange(len(tier), dtype=np.int32), np.int32(-1))
    above = parent
    for _ in range(len(tier) + 1):
        open_ = (above >= 0) & (found < 0)
        if not (above >= 0).any():
            return found.astype(np.int32)
        found = np.where(open_ & (tier[above] == TIERS.index("province")), above, found)
        above = np.where(above >= 0, parent[above], np.int32(-1))
    circling = int(np.flatnonzero(above >= 0)[0])
    raise BadTopology(f"the parents above node number {circling} form a circle")


def distance_km(topology: Topology, a: Int32, b: Int32) -> Float:
    """Great-circle distance between nodes, by the haversine formula; arrays of numbers that broadcast."""
    lat, lon = np.radians(topology.lat), np.radians(topology.lon)
    half = np.sin((lat[b] - lat[a]) / 2) ** 2 + np.cos(lat[a]) * np.cos(lat[b]) * np.sin((lon[b] - lon[a]) / 2) ** 2
    found: Float = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return found


def latency_ns(topology: Topology, latency: Latency, a: Int32, b: Int32) -> Int64:
    """One way between nodes, rounded half up: the base, and what the distance adds."""
    exact = latency.base_ns + distance_km(topology, a, b) * (latency.per_100_km_ns / 100)
    return np.floor(exact + 0.5).astype(np.int64)


def select(topology: Topology, selector: str, sites: Mapping[str, str] | None = None) -> Int32:
    """The nodes that `selector` means, ascending.

    ``all`` (every agency and unit; the hub only by name), ``tier:commune``, ``agency:H49``, ``unit:<id>``,
    ``province:`` with its code, its unit code or its name (and everything in it), ``region:`` with a word of
    `REGIONS`, ``site:`` with a name in `sites` (name → selector of its members); taken from left to right, `` + ``
    adds and `` - `` takes away. Case and marks over letters do not matter in names. Raises `BadSelector`.
    """
    first, *rest = _SPLIT.split(selector.strip())
    chosen = _mask(topology, first, sites or {})
    for sign, part in zip(rest[::2], rest[1::2], strict=True):
        other = _mask(topology, part, sites or {})
        chosen = chosen | other if sign == "+" else chosen & ~other
    return np.flatnonzero(chosen).astype(np.int32)


def _mask(topology: Topology, part: str, sites: Mapping[str, str]) -> Bool:
    kind, colon, word = part.strip().partition(":")
    if not colon and kind == "all":
        return ~_tier(topology, "hub")
    if kind == "site":
        mask = np.zeros(len(topology.ids), np.bool_)
        mask[select(topology, sites[_known("site", word, sites)])] = True
        return mask
    if not colon or kind not in _KINDS:
        known = [f"{each}:…" if each != "all" else each for each in SELECTORS]
        raise BadSelector(f"no selector {part.strip()!r}; {_nearest(kind + ':…', known)}")
    return _KINDS[kind](topology, word.strip())


def _tier(topology: Topology, word: str) -> Bool:
    return np.equal(topology.tier, TIERS.index(_known("tier", word, TIERS)))


def _agency(topology: Topology, word: str) -> Bool:
    agencies = np.flatnonzero(topology.tier <= TIERS.index("province"))
    return _one(topology, topology.ids.index(_known("agency", word, [topology.ids[each] for each in agencies])))


def _unit(topology: Topology, word: str) -> Bool:
    return _one(topology, topology.ids.index(_known("unit", word, topology.ids)))


def _province(topology: Topology, word: str) -> Bool:
    known = province_words(topology)
    if fold(word) not in known:
        merged = _merged(topology, word)
        if merged:
            raise BadSelector(f"province {word} was merged into {merged} in July 2025")
        names = [topology.names[each] for each in sorted(set(known.values()))]
        raise BadSelector(f"no province {word!r}; {_nearest(word, names)}")
    return np.equal(topology.province, known[fold(word)])


def _merged(topology: Topology, word: str) -> str:
    """What a province of before July 2025 is part of, where the layout is the one after; or empty."""
    if topology.layout != "vn-2025":
        return ""
    before = {fold(text): each.code for each in country.provinces("vn-2024") for text in each[:3]}
    successor = country.successors().get(before.get(fold(word), ""))
    return f"{successor} ({topology.names[topology.ids.index(successor)]})" if successor else ""


def _region(topology: Topology, word: str) -> Bool:
    return np.equal(region_of(topology), REGIONS.index(_known("region", word, REGIONS)))


def _one(topology: Topology, number: int) -> Bool:
    return np.equal(np.arange(len(topology.ids)), number)


_KINDS: Final[Mapping[str, Callable[[Topology, str], Bool]]] = {
    "tier": _tier,
    "agency": _agency,
    "unit": _unit,
    "province": _province,
    "region": _region,
}


def province_words(topology: Topology) -> dict[str, int]:
    """Folded codes, unit codes and names of a topology's provinces, to their node numbers."""
    numbers = [int(each) for each in np.flatnonzero(topology.tier == TIERS.index("province"))]
    words = {fold(text): number for number in numbers for text in (topology.names[number], topology.ids[number])}
    by_id = {topology.ids[number]: number for number in numbers}
    if topology.layout in country.LAYOUTS:
        words |= {each.gso_code: by_id[each.code] for each in country.provinces(topology.layout)}
    return words


def region_of(topology: Topology) -> Int8:
    """The region of each node as an index into `REGIONS`, -1 outside all (central agencies, unknown provinces)."""
    region = {each.code: REGIONS.index(each.region) for each in country.provinces("agencies")}
    own = np.array([region.get(each, -1) for each in topology.ids], np.int8)
    return np.where(topology.province >= 0, own[topology.province], np.int8(-1)).astype(np.int8)


def fold(text: str) -> str:
    """Text without case and without marks: how names are compared."""
    plain = unicodedata.normalize("NFD", text.strip().casefold().replace("đ", "d"))
    return "".join(each for each in plain if not unicodedata.combining(each))


def _known(kind: str, word: str, known: Sequence[str] | Mapping[str, str]) -> str:
    wanted = word.strip()
    if wanted in known:
        return wanted
    raise BadSelector(f"no {kind} {wanted!r}; {_nearest(wanted, list(known))}")


def _nearest(word: str, known: Sequence[str]) -> str:
    """The nearest valid words; all of them where they are few."""
    folded = {fold(each): each for each in known}
    close = get_close_matches(fold(word), list(folded), n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(folded[each] for each in close)}?"
    return f"there are {', '.join(known)}" if len(known) <= 12 else f"there are {len(known)}, such as {known[0]}"
