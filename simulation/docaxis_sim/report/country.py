"""The map: every node of a country as a dot in its place, coloured by one figure at a time.

Dots of one tier and one colour are one path, so that thousands fit into a few kilobytes. Only agencies, and what failed
or is worst, are elements of their own with words under the pointer. No boundaries and no tiles: the dots of ten
thousand communes draw the country. Nothing here knows what the figure is.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from docaxis_sim.report import svg

WIDTH: Final = 460.0
MARGIN: Final = 14.0
DOT_SIZES: Final = {"hub": 13.0, "central": 9.0, "province": 9.0, "district": 4.2, "commune": 2.4}


class Place(NamedTuple):
    """One node: where it is, its tier, and what is written when a pointer rests on it (agencies only)."""

    name: str
    tier: str
    lat: float
    lon: float
    words: str = ""


class Layer(NamedTuple):
    """One figure for all nodes: its name, a depth of colour from 0 to `SHADES` - 1 for each, and what the depths
    mean."""

    name: str
    depths: Sequence[int]
    legend: Sequence[str]


def country(places: Sequence[Place], layers: Sequence[Layer], failed: Sequence[int], worst: Sequence[int]) -> str:
    """The map with one group of dots per layer (the page shows one at a time), failed nodes ringed, worst ones
    marked."""
    spots, height = _project(places)
    groups = [_layer(number, layer, places, spots) for number, layer in enumerate(layers)]
    rings = [svg.tag("circle", svg.title(f"failed: {places[at].name}"), cx=spots[at][0], cy=spots[at][1],
                     r=DOT_SIZES[places[at].tier] / 2 + 1.5, class_="failed") for at in failed]  # fmt: skip
    marks = [svg.text(rank + 1, spots[at][0] + 5, spots[at][1] - 4, class_="worst") for rank, at in enumerate(worst)]
    agencies = [_agency(places[at], spots[at]) for at in range(len(places)) if places[at].words]
    view = f"0 0 {svg.number(WIDTH)} {svg.number(height)}"
    body = [*groups, *rings, *agencies, *marks]
    return svg.tag("svg", svg.tag("g", *body, id="map-all"), viewBox=view, class_="map", id="map", role="img")


def _project(places: Sequence[Place]) -> tuple[list[tuple[float, float]], float]:
    """Equirectangular about the middle latitude: true to shape within a few per cent for a country this narrow."""
    lats, lons = [place.lat for place in places], [place.lon for place in places]
    south, north, west = min(lats), max(lats), min(lons)
    narrow = math.cos(math.radians((south + north) / 2))
    per_degree = (WIDTH - 2 * MARGIN) / max((max(lons) - west) * narrow, 0.1)
    height = max((north - south) * per_degree, 1.0) + 2 * MARGIN
    spots = [
        (MARGIN + (lon - west) * narrow * per_degree, MARGIN + (north - lat) * per_degree)
        for lat, lon in zip(lats, lons, strict=True)
    ]
    return spots, height


def _layer(number: int, layer: Layer, places: Sequence[Place], spots: Sequence[tuple[float, float]]) -> str:
    """Small tiers first, so that an agency lies on top of its communes; deep colours on top of pale ones."""
    alike: dict[tuple[float, int], list[tuple[float, float]]] = {}
    for place, depth, spot in zip(places, layer.depths, spots, strict=True):
        alike.setdefault((DOT_SIZES[place.tier], depth), []).append(spot)
    paths = [
        svg.tag("path", d=svg.dots(here), class_=f"dot d{depth}", stroke_width=size * svg.TENTHS)
        for (size, depth), here in sorted(alike.items())
    ]
    hidden = {} if number == 0 else {"hidden": "hidden"}
    smaller = f"scale({1 / svg.TENTHS})"
    return svg.tag("g", *paths, class_="layer", data_layer=number, transform=smaller, **hidden)


def _agency(place: Place, spot: tuple[float, float]) -> str:
    """An invisible disc that carries the words."""
    return svg.tag("circle", svg.title(place.words), cx=spot[0], cy=spot[1], r=6, class_="touch")


def depths(values: Sequence[float], steps: Sequence[float]) -> list[int]:
    """For each value how many of the ascending `steps` it reaches; 0 for what is not a number."""
    return [0 if math.isnan(value) else bisect_right(steps, value) for value in values]
