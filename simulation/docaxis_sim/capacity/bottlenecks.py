"""Bottlenecks: which stations are busy, which make documents wait, and what every node carries; by name.

Tables and figures from the sums of `occupancy`. Nothing here looks at single visits.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.metrics import KINDS
from docaxis_sim.capacity.model import TIERS
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.plan import HOUR_NS, SECOND_NS, Bool, Float, Int32, Int64
from docaxis_sim.capacity.reading import Reading
from docaxis_sim.capacity.stations import link_names
from docaxis_sim.capacity.study import Table
from docaxis_sim.capacity.visits import Kind

WORST: Final = 10
"""Rows of a list of bottlenecks."""

KEPT: Final = 50
"""Rows that each replication keeps, so that the worst of all replications together are among them."""

HARDLY_S: Final = 0.01
"""A station at which visits wait less than this on average is no bottleneck, however many they are."""


class Use(NamedTuple):
    """The stations of one kind. `of`: the station of each node. `peak`, `mean`: shares of the busiest hour and of all
    simulated hours. `waiting_ns`, `visits`, `delayed`: of their visits; who is delayed at a disk counts at its loop."""

    @property
    def wait_s(self) -> Float:
        """How long a visit to each of them waits, mean."""
        mean: Float = self.waiting_ns / np.maximum(1, self.visits) / SECOND_NS
        return mean

    kind: str
    of: Int32
    peak: Float
    mean: Float
    waiting_ns: Float
    visits: Int64
    delayed: Int64


def uses(reading: Reading, occupancy: Occupancy) -> dict[str, Use]:
    """How much every station was used."""
    stations = reading.plan.stations
    of = {"up": stations.up_of, "down": stations.down_of, "loop": stations.loop_of, "disk": stations.disk_of}
    found = {}
    for kind in KINDS:
        busy, peak = occupancy.busy_ns[kind], _peak(occupancy, kind)
        servers = stations.servers if kind == "loop" else 1
        mean = busy[:, reading.hours].sum(axis=1) / max(1, reading.span_ns) / servers
        found[kind] = Use(kind, of[kind], peak / servers, mean, *_waits(occupancy, kind))
    return found


def _waits(occupancy: Occupancy, kind: str) -> tuple[Float, Int64, Int64]:
    """Of one kind of station: their visits' waiting, how many they are, and how many were delayed."""
    if kind == "disk":
        visits = occupancy.disk_visits.astype(np.int64)
        return occupancy.disk_waiting_ns, visits, np.zeros_like(visits)
    seen = {"up": Kind.UP, "down": Kind.DOWN, "loop": Kind.NODE}[kind]
    return occupancy.waiting_ns[seen], occupancy.count[seen], occupancy.delayed[seen]


def _peak(occupancy: Occupancy, kind: str) -> Float:
    """Share of its busiest hour, or of the whole run where that is shorter."""
    peak: Float = occupancy.busy_ns[kind].max(axis=1) / max(1, min(HOUR_NS, occupancy.until_ns))
    return peak


def metrics(reading: Reading, found: dict[str, Use]) -> dict[str, float]:
    """Utilisation of each kind of station, overall and by tier."""
    values = {}
    for kind, use in found.items():
        used = np.unique(use.of)
        values[f"utilisation.{kind}.max"] = float(use.peak[used].max(initial=0.0))
        values[f"utilisation.{kind}.mean"] = float(use.mean[used].mean()) if len(used) else 0.0
        for number, tier in enumerate(TIERS):
            some = use.of[reading.topology.tier == number]
            if len(some):
                values[f"utilisation.{kind}.max.tier.{tier}"] = float(use.peak[some].max())
    return values


def by_tier(reading: Reading, found: dict[str, Use]) -> Table:
    """One row per tier and kind of station: how busy they are in their busiest hours."""
    rows: list[tuple[str, str, int, float, float, float]] = []
    for number, tier in enumerate(TIERS):
        for kind, use in found.items():
            some = np.unique(use.of[reading.topology.tier == number])
            if len(some):
                peak = np.sort(use.peak[some])
                p95 = float(peak[max(0, int(np.ceil(0.95 * len(peak))) - 1)])
                rows.append((tier, kind, len(some), float(peak.mean()), p95, float(peak[-1])))
    columns = list(zip(*rows, strict=True)) or [()] * 6
    return Table(
        {
            "tier": columns[0],
            "station": columns[1],
            "count": np.array(columns[2], np.int64),
            "mean": np.array(columns[3], np.float64),
            "p95": np.array(columns[4], np.float64),
            "max": np.array(columns[5], np.float64),
        },
        "Shares of their busiest hours in which stations are busy, by tier and kind.",
    )


def nodes(reading: Reading, occupancy: Occupancy, found: dict[str, Use], stored: Int64) -> Table:
    """One row per node: who and where it is, what it sends, receives and stores, and how busy its stations are."""
    topology, size = reading.topology, len(reading.topology.ids)
    sent = np.bincount(reading.sender[reading.born], minlength=size)
    received = np.bincount(reading.recipient[reading.arrived], minlength=size)
    columns: dict[str, tuple[str, ...] | Float | Int64] = {
        "id": topology.ids,
        "name": topology.names,
        "tier": tuple(TIERS[number] for number in topology.tier),
        "lat": topology.lat,
        "lon": topology.lon,
        "province": topology.province.astype(np.int64),
        "parent": topology.parent.astype(np.int64),
        "sent": sent,
        "received": received,
        "documents": sent + received,
        **{kind: use.peak[use.of] for kind, use in found.items()},
        "wait_s": _mean_wait(found),
        "waiting_max": occupancy.present.max(axis=1, initial=0).astype(np.int64),
        "stored_bytes": stored,
        "arrived_mean_s": _mean_arrival(reading),
        "arrived_max_s": _slowest_arrival(reading),
        "failed": _failed(reading),
    }
    return Table(
        columns,
        "Every node: up, down, loop and disk are busy shares of their busiest hours; arrived_* of documents to it.",
    )


def _mean_wait(found: dict[str, Use]) -> Float:
    """Seconds that a visit waits at a node's stations, mean over all of them; a disk's are those of its loop."""
    waiting = sum((use.waiting_ns[use.of] for use in found.values()), np.zeros(1))
    count = sum((use.visits[use.of] for kind, use in found.items() if kind != "disk"), np.zeros(1, np.int64))
    mean: Float = waiting / np.maximum(1, count) / SECOND_NS
    return mean


def _mean_arrival(reading: Reading) -> Float:
    """Seconds to arrived of what was sent to each node, mean; NaN where nothing was sent, infinite where something did
    not arrive in time: of the rest it would be small exactly where most is missing."""
    size, recipient = len(reading.topology.ids), reading.recipient[reading.arrived]
    count = np.bincount(recipient, minlength=size)
    total = np.bincount(recipient, reading.latency_ns[reading.arrived], size) / SECOND_NS
    mean: Float = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    return np.where(_is_owed(reading), np.inf, mean)


def _slowest_arrival(reading: Reading) -> Float:
    """The same of the slowest."""
    slowest = np.full(len(reading.topology.ids), -1, np.int64)
    np.maximum.at(slowest, reading.recipient[reading.arrived], reading.latency_ns[reading.arrived])
    return np.where(_is_owed(reading), np.inf, np.where(slowest < 0, np.nan, slowest / SECOND_NS))


def _is_owed(reading: Reading) -> Bool:
    """Nodes to which something was sent that did not arrive in time."""
    missing = reading.recipient[reading.born & ~reading.arrived]
    owed: Bool = np.bincount(missing, minlength=len(reading.topology.ids)) > 0
    return owed


def _failed(reading: Reading) -> Int64:
    failed = np.zeros(len(reading.topology.ids), np.int64)
    for outage in reading.plan.outages:
        failed[outage.inside] = 1
    return failed


def lists(reading: Reading, found: dict[str, Use]) -> dict[str, Table]:
    """The stations that make documents wait longest, and those that are busiest."""
    worst = [
        (float(use.waiting_ns[station]), use, int(station))
        for use in found.values()
        for station in _top(use.waiting_ns, use, use.wait_s >= HARDLY_S)
    ]
    busiest = [
        (float(use.peak[station]), use, int(station)) for use in found.values() for station in _top(use.peak, use)
    ]
    total = sum(float(use.waiting_ns.sum()) for use in found.values())
    return {
        "bottlenecks": _list(reading, worst, total, "Stations by the waiting they cause, worst first."),
        "busiest": _list(reading, busiest, total, "Stations by the busy share of their busiest hour, busiest first."),
    }


def _top(values: Float, use: Use, matter: Bool | None = None) -> Int64:
    """The stations of one kind with the greatest values; those that do not `matter` come after all others."""
    used = np.unique(use.of)
    order = np.argsort(-values[used], kind="stable")
    if matter is not None:
        order = order[np.argsort(~matter[used[order]], kind="stable")]
    top = used[order[:KEPT]]
    return top[values[top] > 0].astype(np.int64)


def _list(reading: Reading, ranked: Sequence[tuple[float, Use, int]], total: float, about: str) -> Table:
    rows = sorted(ranked, key=lambda each: -each[0])
    name = [_names(reading, use, station) for _, use, station in rows]
    waiting = np.array([use.waiting_ns[station] for _, use, station in rows], np.float64)
    count = np.array([use.visits[station] for _, use, station in rows], np.int64)
    return Table(
        {
            "node": tuple(each[0] for each in name),
            "name": tuple(each[1] for each in name),
            "station": tuple(use.kind for _, use, _ in rows),
            "busy": np.array([use.peak[station] for _, use, station in rows], np.float64),
            "busy_mean": np.array([use.mean[station] for _, use, station in rows], np.float64),
            "wait_s": waiting / np.maximum(1, count) / SECOND_NS,
            "waiting_s": waiting / SECOND_NS,
            "waiting_share": waiting / total if total else waiting,
            "visits": count,
            "documents_delayed": np.array([use.delayed[station] for _, use, station in rows], np.int64),
        },
        about,
    )


def _names(reading: Reading, use: Use, station: int) -> tuple[str, str]:
    """A station's id and what people call it: its node, its site, or the first of several nodes that share it."""
    topology = reading.topology
    if use.kind in ("up", "down") and station >= len(topology.ids):
        site = link_names(reading.scenario.sites, topology)[station]
        return site, site.removeprefix("site:")
    members = np.flatnonzero(use.of == station)
    more = f" + {len(members) - 1} more" if len(members) > 1 else ""
    return topology.ids[members[0]], topology.names[members[0]] + more


def ranked(table: Table, by: str) -> Table:
    """The ten rows of a list that are worst; where visits hardly wait there is no bottleneck."""
    values = np.asarray(table.columns[by], np.float64)
    order = np.argsort(-values, kind="stable")
    if by == "waiting_s":
        order = order[values[order] >= HARDLY_S * np.asarray(table.columns["visits"], np.float64)[order]]
    order = order[:WORST]
    columns: dict[str, tuple[str, ...] | Float | Int64] = {}
    for name, column in table.columns.items():
        columns[name] = column[order] if isinstance(column, np.ndarray) else tuple(column[place] for place in order)
    half_widths = {name: column[order] for name, column in table.half_widths.items()}
    return table._replace(columns=columns, half_widths=half_widths)
