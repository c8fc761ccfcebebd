"""The vector engine: a plan's columns through an event loop that numba compiled; equal to the reference engine in all.

It carries what is known when a token comes or a round ends, and refuses the rest by name: outages, lanes, processor
sharing. Here columns are made ready and outcomes collected; what happens to a token is in `compiled`. The loop holds no
interpreter lock, so replications can run side by side in threads of one process.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from docaxis_sim.capacity import itinerary
from docaxis_sim.capacity.floor import (
    ARRIVED,
    DISK,
    EVENTS,
    LINK,
    LOOP,
    NODE,
    NOW,
    SERVER,
    WAY,
    Rows,
    World,
    empty_calendar,
)
from docaxis_sim.capacity.plan import (
    NEVER,
    STEPS,
    Bool,
    CannotCarry,
    Int32,
    Int64,
    Law,
    Plan,
    Run,
    Stations,
    arrived_ns,
)

NAME: Final = "vector"
SLICE_EVENTS: Final = 1_000_000
_NO_END: Final = 2**63 - 1

Progress = Callable[[int, int], None]
"""Told the simulated time in ns and how many deliveries have arrived."""


def refusal(plan: Plan) -> str:
    """Why this engine cannot carry the plan; empty if it can."""
    if plan.outages:
        return f"the vector engine knows no outages (here: {plan.outages[0].name}); the reference engine does"
    if plan.stations.up_law != Law.FIFO:
        return f"the vector engine knows no up links shared by {plan.stations.up_law.name}; the reference engine does"
    try:
        import numba  # noqa: F401, PLC0415 - only this engine needs it, and only when it is asked
    except ImportError:
        return "the vector engine needs numba (pip install 'docaxis[vector]'); the reference engine does without"
    return ""


def carry(plan: Plan, progress: Progress | None = None) -> Run:
    """Carries a plan out; `progress` is called about every million events. Raises `CannotCarry`."""
    if why := refusal(plan):
        raise CannotCarry(why)
    from docaxis_sim.capacity import compiled  # noqa: PLC0415 - needs numba, which may be missing

    made = itinerary.tables()
    steps = itinerary.foreseen(made, plan.deliveries)
    world = _world(plan, made, steps)
    end_ns = plan.end_ns or _NO_END
    at = world.calendar.at
    while compiled.carry_on(world, end_ns, SLICE_EVENTS):
        if progress is not None:
            progress(int(at[NOW]), int(at[ARRIVED]))
    return _run(plan, world, steps, int(at[EVENTS]))


def _world(plan: Plan, made: itinerary.Itinerary, steps: list[int]) -> World:
    stations, deliveries = plan.stations, plan.deliveries
    total, statuses = len(deliveries.birth_ns), len(deliveries.status_delay_ns)
    roots = int((deliveries.parent < 0).sum())
    birth_ns = np.ascontiguousarray(deliveries.birth_ns, np.int64)
    extra = [deliveries.extra_ns[step] for step in sorted(deliveries.extra_ns)]
    return World(
        **_floor(stations),
        ways=_ways(made, steps, sorted(deliveries.extra_ns)),
        begin=made.begin,
        kind=itinerary.kinds(deliveries),
        bytes=np.ascontiguousarray(deliveries.bytes, np.int64),
        path=np.ascontiguousarray(deliveries.path, np.int32),
        latency_ns=np.ascontiguousarray(deliveries.latency_ns, np.int64),
        delay_ns=np.ascontiguousarray(deliveries.status_delay_ns, np.int64),
        birth_ns=birth_ns,
        roots_ns=birth_ns[:roots],
        kin=_kin(deliveries.parent, roots),
        extra=np.array(extra, np.int64).reshape(len(extra), total),
        left=np.full((len(steps), total), NEVER, np.int64),
        area=np.zeros(1 + len(stations.up_ns_per_kib) + len(stations.down_ns_per_kib), np.int64),
        # A delivery has at most one token under way with its content or receipt, and one with each status.
        calendar=empty_calendar(total * (1 + statuses) + int(stations.servers.sum()) + 1),
    )


def _floor(stations: Stations) -> dict[str, Any]:
    """Stations as rows, with nobody at them."""
    if np.unique([stations.disk_of, stations.loop_of], axis=1).shape[1] > len(np.unique(stations.disk_of)):
        raise ValueError("all nodes of a disk are on one loop")
    ups = len(stations.up_ns_per_kib)
    nodes_of = np.bincount(stations.loop_of, minlength=len(stations.round_ns))
    return {
        "nodes": _rows(
            NODE,
            len(stations.loop_of),
            cost_ns=stations.cost_ns.T,
            loop=stations.loop_of,
            disk=stations.disk_of,
            up=stations.up_of,
            down=stations.down_of + ups,
            wait_first=-1,
            content_ns_per_kib=stations.content_ns_per_kib,
            blob_ns=stations.blob_ns,
            blob_ns_per_kib=stations.blob_ns_per_kib,
        ),
        "loops": _rows(
            LOOP,
            len(stations.round_ns),
            wake_ns=stations.wake_ns,
            round_ns=stations.round_ns,
            round_max=stations.round_max,
            servers=stations.servers,
            server=np.cumsum(stations.servers) - stations.servers,
            serial=(stations.servers == 1) & (stations.round_max == 1) & (nodes_of == 1),
            line_first=-1,
        ),
        "disks": _rows(DISK, len(stations.commit_ns), commit_ns=stations.commit_ns),
        "links": _rows(
            LINK,
            ups + len(stations.down_ns_per_kib),
            ns_per_kib=np.concatenate([stations.up_ns_per_kib, stations.down_ns_per_kib]),
        ),
        "servers": _rows(SERVER, int(stations.servers.sum()), node=-1),
        "commit_extra_ns": np.ascontiguousarray(stations.commit_extra_ns, np.int64),
    }


def _rows(kind: np.dtype[np.void], count: int, **columns: Any) -> Rows:
    rows = np.zeros(count, kind)
    for name, column in columns.items():
        rows[name] = column
    return rows


def _ways(made: itinerary.Itinerary, steps: list[int], extra_steps: list[int]) -> Rows:
    ways = np.zeros((itinerary.KINDS, STEPS), WAY)
    for name in WAY.names or ():
        ways[name] = getattr(made, name, -1)
    ways["out"][:, steps] = np.arange(len(steps))
    ways["extra"][:, extra_steps] = np.arange(len(extra_steps))
    return ways


def _kin(parent: Int32, roots: int) -> Int32:
    """The first child of each delivery and the next child of the same parent."""
    if (parent[:roots] >= 0).any():
        raise ValueError("children come after all deliveries without a parent")
    kin = np.full((2, len(parent)), -1, np.int32)
    children = np.argsort(parent[roots:], kind="stable") + roots
    parents = parent[children]
    first = np.ones(len(children), np.bool_)
    first[1:] = parents[1:] != parents[:-1]
    kin[0, parents[first]] = children[first]
    kin[1, children[:-1][~first[1:]]] = children[1:][~first[1:]]
    return kin


def _run(plan: Plan, world: World, steps: list[int], events: int) -> Run:
    left = world.left
    if plan.end_ns:
        left[left > plan.end_ns] = NEVER
    total = len(plan.deliveries.birth_ns)
    run = Run(
        engine=NAME,
        left_ns={step: left[row] for row, step in enumerate(steps)},
        rounds=world.loops["wakings"].astype(np.int64) + world.loops["followed"],
        loop_busy_ns=world.loops["busy_ns"].copy(),
        commits=world.disks["commits"].copy(),
        tries=np.zeros(total, np.int32),
        expired=np.zeros(total, np.bool_),
        events=events,
        wakings=world.loops["wakings"].astype(np.int64),
        area_ns=world.area,
    )
    return run._replace(expired=_expired(plan, arrived_ns(plan, run)))


def _expired(plan: Plan, arrived: Int64) -> Bool:
    """Whose deadline passed; children of those that never arrived were not born."""
    deliveries = plan.deliveries
    begun = np.where(deliveries.parent >= 0, arrived[deliveries.parent], 0)
    due = begun + deliveries.birth_ns + deliveries.deadline_ns
    late = np.where(arrived == NEVER, due <= plan.end_ns, arrived > due)
    expired: Bool = late & (begun != NEVER)
    return expired
