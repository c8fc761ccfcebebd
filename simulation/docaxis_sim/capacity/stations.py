"""Stations: what every node of a scenario has, in numbers that engines add up: links, loops and disks with their costs.

Arithmetic only, whole numbers, rounded half up. A node's own link is the row of its number; the lines that sites
share stand behind all nodes', in the order of the scenario. Nothing here routes, draws or measures.
"""

from typing import NamedTuple

import numpy as np

from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.model import TIERS, NodeClass, Override, Scenario, Site
from docaxis_sim.capacity.plan import ROUND_MAX, SECOND_NS, Cost, Float, Int32, Int64, Law, Stations
from docaxis_sim.capacity.topology import Topology, select

_KIB_BITS = 1024 * 8


class BadStations(ValueError):
    """A scenario whose nodes cannot be built; says which tier, site or override."""


class Lines(NamedTuple):
    """Rates in bits per second, and what machines have. `of_node`: the row of each node's line; `up_bps`, `down_bps`: a
    row for each node's own line, then one for each site's in the order of the scenario; `speed`, `disk`, `processes`:
    of each node."""

    of_node: Int32
    up_bps: Float
    down_bps: Float
    speed: Float
    disk: Float
    processes: Int32


def stations(scenario: Scenario, topology: Topology, costs: Costs) -> Stations:
    """All stations: each node's tier, then the overrides in their order, then the lines that sites share.

    A node of `speed` 0.5 needs twice the time for everything that `costs` names but commits, which are divided by
    `disk`; what a commit takes on top of that in its bad moments is as measured for all. Raises as `lines` does.
    """
    rates = lines(scenario, topology)
    own, speed = np.arange(len(topology.ids), dtype=np.int32), rates.speed
    return Stations(
        loop_of=own,
        disk_of=own,
        up_of=rates.of_node,
        down_of=rates.of_node,
        **work(costs, speed),
        round_max=np.full(len(own), ROUND_MAX, np.int32),
        servers=rates.processes,
        commit_ns=_scaled(costs.commit_ns, rates.disk),
        commit_extra_ns=np.array(costs.commit_extra_ns or (0,), np.int64),
        up_ns_per_kib=_scaled(_KIB_BITS * SECOND_NS, rates.up_bps),
        down_ns_per_kib=_scaled(_KIB_BITS * SECOND_NS, rates.down_bps),
        up_law=Law[scenario.link_sharing.upper()],
    )


def work(costs: Costs, speed: Float) -> dict[str, Int64]:
    """What processors of these speeds need for everything that `costs` names: columns of
    `docaxis_sim.capacity.plan.Stations` by their names, a row (of `cost_ns`: a column) for each speed."""
    return {
        "cost_ns": np.stack([_scaled(value, speed) for value in _costs(costs)]),
        "content_ns_per_kib": _scaled(costs.content_ns_per_kib, speed),
        "blob_ns": _scaled(costs.blob_ns, speed),
        "blob_ns_per_kib": _scaled(costs.blob_ns_per_kib, speed),
        "wake_ns": _scaled(costs.wake_ns, speed),
        "round_ns": _scaled(costs.round_ns, speed),
    }


def lines(scenario: Scenario, topology: Topology) -> Lines:
    """Rates and speeds. Raises `BadStations` where a tier has no values, one of them is not above 0, or two sites share
    a node, and `docaxis_sim.capacity.topology.BadSelector`."""
    columns = _classes(scenario, topology)
    members = {site.name: site.members for site in scenario.sites}
    for override in scenario.overrides:
        chosen = select(topology, override.members, members)
        for column, value in zip(columns, _values(override), strict=True):
            if value is not None:
                column[chosen] = _positive(value, f"an override of {override.members}")
    site_up = [_positive(site.up_bps, f"site {site.name}") for site in scenario.sites]
    site_down = [_positive(site.down_bps, f"site {site.name}") for site in scenario.sites]
    shared = site_lines(scenario.sites, topology)
    of_node = np.where(shared >= 0, shared, np.arange(len(shared), dtype=np.int32)).astype(np.int32)
    up_bps, down_bps, speed, disk, processes = columns
    return Lines(
        of_node=of_node,
        up_bps=np.concatenate([up_bps, site_up]),
        down_bps=np.concatenate([down_bps, site_down]),
        speed=speed,
        disk=disk,
        processes=processes.astype(np.int32),
    )


def site_lines(sites: tuple[Site, ...], topology: Topology) -> Int32:
    """For each node the row of its site's line among links (number of nodes + place of the site), -1 outside all
    sites; raises `BadStations` where two sites share a node."""
    line = np.full(len(topology.ids), -1, np.int32)
    names = {site.name: site.members for site in sites}
    for place, site in enumerate(sites):
        chosen = select(topology, site.members, names)
        taken = chosen[line[chosen] >= 0]
        if len(taken):
            other = sites[line[taken[0]] - len(topology.ids)].name
            raise BadStations(f"{topology.ids[taken[0]]} is at site {other} and at site {site.name}; one line each")
        line[chosen] = len(topology.ids) + place
    return line


def link_names(sites: tuple[Site, ...], topology: Topology) -> tuple[str, ...]:
    """What each row of the links is called: the node's id, or ``site:`` and the site's name."""
    return (*topology.ids, *(f"site:{each.name}" for each in sites))


def _classes(scenario: Scenario, topology: Topology) -> Float:
    """What `NodeClass` names, a row for each field, of each node by its tier."""
    columns = np.full((len(NodeClass._fields), len(TIERS)), np.nan)
    for number in np.unique(topology.tier):
        tier = TIERS[number]
        if tier not in scenario.nodes:
            raise BadStations(f"nodes.{tier} is missing: the topology has nodes of this tier")
        columns[:, number] = [_positive(value, f"nodes.{tier}") for value in scenario.nodes[tier]]
    found: Float = columns[:, topology.tier]
    return found


def _values(override: Override) -> tuple[float | None, ...]:
    return override.up_bps, override.down_bps, override.speed, override.disk, override.processes


def _positive(value: float, where: str) -> float:
    if value > 0:
        return value
    raise BadStations(f"{where}: {value:g} is no rate, speed or number of processes; it must be above 0")


def _costs(costs: Costs) -> list[int]:
    """What a loop is asked to do, in the order of `Cost`."""
    return [int(getattr(costs, f"{each.name.lower()}_ns")) for each in Cost]


def _scaled(value: int, divisor: Float) -> Int64:
    return np.floor(value / divisor + 0.5).astype(np.int64)
