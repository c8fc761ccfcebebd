"""Planner's graph: a GraphML file of somebody's own network, read as the units that a topology is made of.

Reading and checking only; all mistakes are told at once. Links are not read from the file: they follow from each node's
`parent` and from the scenario's routing, as they do for the country's own tables.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

import networkx as nx

from docaxis.core.errors import TheirFault
from docaxis.core.ids import party_id
from docaxis_sim.capacity import bounded
from docaxis_sim.capacity.country import Unit
from docaxis_sim.capacity.model import TIERS

MISTAKES_SHOWN_MAX: Final = 20
PACKED: Final = (".gz", ".bz2", ".xz", ".zst", ".zip")
_PARENTLESS: Final = ("hub", "central", "province")


class BadGraph(ValueError):
    """A GraphML file that cannot be a topology; the text lists what is wrong with which node."""


def read_units(path: Path) -> list[Unit]:
    """The nodes of a GraphML file, those above before those below.

    A node's own id is its code (as in `docaxis.core.ids`); its attributes are `tier` (a word of
    `docaxis_sim.capacity.model.TIERS`), `parent` (an id; left out at the top), `lat` and `lon` (degrees), and if wanted
    `name` and `population`. A packed file is not unpacked: nobody knows beforehand how large it becomes. Raises
    `BadGraph`.
    """
    if path.suffix.lower() in PACKED:
        raise BadGraph(f"{path.name}: is packed; unpack it, and name the GraphML file")
    try:
        file = io.BytesIO(bounded.content(path))
        nodes: dict[str, dict[str, Any]] = dict(nx.read_graphml(file, node_type=str).nodes(data=True))
    except (OSError, ParseError, nx.NetworkXError, ValueError, KeyError) as error:
        raise BadGraph(f"{path.name}: not a readable GraphML file: {error}") from error
    mistakes = [f"node {each}: {text}" for each, found in nodes.items() for text in _mistakes(each, found, nodes)]
    if mistakes or not nodes:
        shown = mistakes[:MISTAKES_SHOWN_MAX] or ["it has no nodes"]
        more = [f"and {len(mistakes) - len(shown)} more"] if len(mistakes) > len(shown) else []
        raise BadGraph("\n".join([f"{path.name}:", *shown, *more]))
    return sorted((_unit(each, found) for each, found in nodes.items()), key=lambda unit: TIERS.index(unit.tier))


def _mistakes(own: str, found: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    try:
        party_id(own)
    except TheirFault:
        yield "its id is not a code: capital letters and digits, groups parted by points"
    tier, parent = found.get("tier"), found.get("parent")
    if tier not in TIERS:
        yield f"attribute tier is {tier!r}; it must be one of {', '.join(TIERS)}"
    elif parent:
        yield from _wrong_parent(tier, parent, nodes)
    elif tier not in _PARENTLESS:
        yield f"attribute parent is missing; a {tier} needs one"
    for name, most in (("lat", 90.0), ("lon", 180.0), ("population", float("inf"))):
        value = found.get(name, 0 if name == "population" else None)
        least = 0.0 if name == "population" else -most
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            yield f"attribute {name} is {value!r}; it must be a number from {least:g} to {most:g}"


def _wrong_parent(tier: str, parent: str, nodes: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if parent not in nodes:
        yield f"attribute parent is {parent!r}, which is no node"
    elif nodes[parent].get("tier") in TIERS[TIERS.index(tier) :]:
        yield f"its parent {parent} is of the tier {nodes[parent]['tier']}, which is not above {tier}"


def _unit(own: str, found: Mapping[str, Any]) -> Unit:
    name, parent = str(found.get("name") or own), found.get("parent") or ""
    people = float(found.get("population", 0))
    return Unit(own, name, found["tier"], parent, float(found["lat"]), float(found["lon"]), people)
