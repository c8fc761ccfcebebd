"""The vector engine: a plan's columns through an event loop that numba compiled; equal to the reference engine in all.

It carries what is known when a token comes or a round ends, and refuses the rest by name: outages, lanes, processor
sharing. Here columns are made ready and outcomes collected; what happens to a token is in `compiled`. The loop holds no
interpreter lock, so replications can run side by side in threads of one process.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from docaxis_sim.capacity import itinerary
from docaxis_sim.capacity.plan import (
    NEVER,
    STATUSES_MAX,
    STEPS,
    CannotCarry,
    Deliveries,
    Int32,
    Int64,
    Law,
    Plan,
    Run,
    Stations,
    arrived_ns,
    status,
)

if TYPE_CHECKING:
    from docaxis_sim.capacity import compiled

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
    from docaxis_sim.capacity import compiled  # noqa: PLC0415 - numba is imported only when it is there

    made = itinerary.tables()
    steps = itinerary.foreseen(made, plan.deliveries)
    world = _world(plan, made, steps)
    end_ns = plan.end_ns or _NO_END
    at = world.calendar.at
    while compiled.carry_on(world, end_ns, SLICE_EVENTS):
        if progress is not None:
            progress(int(at[compiled.NOW]), int(at[compiled.ARRIVED]))
    return _run(plan, world, steps, int(at[compiled.EVENTS]))


def _world(plan: Plan, made: itinerary.Itinerary, steps: list[int]) -> "compiled.World":
    from docaxis_sim.capacity import compiled  # noqa: PLC0415 - see carry

    deliveries, loops = plan.deliveries, len(plan.stations.round_ns)
    total, statuses = len(deliveries.birth_ns), len(deliveries.status_delay_ns)
    # A delivery has at most one token under way with its content or receipt, and one with each status.
    capacity = total * (1 + statuses) + loops + 1
    floor = _floor(plan.stations, len(steps), total)
    ways = _ways(made, steps, sorted(deliveries.extra_ns))
    return compiled.World(_plain(plan.stations), _work(deliveries), ways, floor, compiled.calendar(capacity))


def _ways(made: itinerary.Itinerary, steps: list[int], extra_steps: list[int]) -> "compiled.Ways":
    from docaxis_sim.capacity import compiled  # noqa: PLC0415 - see carry

    out, extra = np.full(STEPS, -1, np.int8), np.full(STEPS, -1, np.int8)
    out[steps] = np.arange(len(steps))
    extra[extra_steps] = np.arange(len(extra_steps))
    state = np.array([status(k, 0) for k in range(STATUSES_MAX)], np.int8)
    return compiled.Ways(*made, out, extra, state)


def _work(deliveries: Deliveries) -> "compiled.Work":
    from docaxis_sim.capacity import compiled  # noqa: PLC0415 - see carry

    total = len(deliveries.birth_ns)
    roots = int((deliveries.parent < 0).sum())
    child, sibling = _families(deliveries.parent, roots)
    extra = [deliveries.extra_ns[step] for step in sorted(deliveries.extra_ns)]
    birth_ns = np.ascontiguousarray(deliveries.birth_ns, np.int64)
    return compiled.Work(
        kind=itinerary.kinds(deliveries),
        first=np.ascontiguousarray(deliveries.first, np.bool_),
        bytes=np.ascontiguousarray(deliveries.bytes, np.int64),
        path=np.ascontiguousarray(deliveries.path, np.int32),
        latency_ns=np.ascontiguousarray(deliveries.latency_ns, np.int64),
        delay_ns=np.ascontiguousarray(deliveries.status_delay_ns, np.int64),
        birth_ns=birth_ns,
        roots=birth_ns[:roots],
        child=child,
        sibling=sibling,
        extra=np.array(extra, np.int64).reshape(len(extra), total),
    )


def _families(parent: Int32, roots: int) -> tuple[Int32, Int32]:
    """The first child of each delivery and the next child of the same parent."""
    child, sibling = np.full(len(parent), -1, np.int32), np.full(len(parent), -1, np.int32)
    if (parent[:roots] >= 0).any():
        raise ValueError("children come after all deliveries without a parent")
    children = np.argsort(parent[roots:], kind="stable") + roots
    parents = parent[children]
    first = np.ones(len(children), np.bool_)
    first[1:] = parents[1:] != parents[:-1]
    child[parents[first]] = children[first]
    sibling[children[:-1][~first[1:]]] = children[1:][~first[1:]]
    return child, sibling


def _plain(stations: Stations) -> Stations:
    """The same with every array as the compiled loop was compiled for."""
    kinds = {name: np.int32 if name.endswith(("_of", "_max")) or name == "servers" else np.int64 for name in stations._fields}
    arrays = {
        name: np.ascontiguousarray(getattr(stations, name), kind) for name, kind in kinds.items() if name != "up_law"
    }
    return Stations(**arrays, up_law=0)  # type: ignore[arg-type]


def _floor(stations: Stations, rows: int, total: int) -> "compiled.Floor":
    from docaxis_sim.capacity import compiled  # noqa: PLC0415 - see carry

    nodes, loops, disks = len(stations.loop_of), len(stations.round_ns), len(stations.commit_ns)
    if len({*zip(stations.disk_of.tolist(), stations.loop_of.tolist(), strict=True)}) > len({*stations.disk_of.tolist()}):
        raise ValueError("all nodes of a disk are on one loop")
    server = np.zeros(loops, np.int32)
    server[1:] = np.cumsum(stations.servers)[:-1]

    def nobody(size: int) -> Int32:
        return np.full(size, -1, np.int32)

    def zeros(size: int) -> Int64:
        return np.zeros(size, np.int64)

    return compiled.Floor(
        free=zeros(int(stations.servers.sum())),
        server=server,
        line_first=nobody(loops),
        line_last=nobody(loops),
        line_next=nobody(nodes),
        wait_first=nobody(nodes),
        wait_last=nobody(nodes),
        rounds=zeros(loops),
        busy=zeros(loops),
        commit_start=zeros(disks),
        commit_end=zeros(disks),
        commits=zeros(disks),
        up_free=zeros(len(stations.up_ns_per_kib)),
        down_free=zeros(len(stations.down_ns_per_kib)),
        left=np.full((rows, total), NEVER, np.int64),
    )


def _run(plan: Plan, world: "compiled.World", steps: list[int], events: int) -> Run:
    floor = world.floor
    if plan.end_ns:
        floor.left[floor.left > plan.end_ns] = NEVER
    run = Run(
        engine=NAME,
        left_ns={step: floor.left[row] for row, step in enumerate(steps)},
        rounds=floor.rounds,
        loop_busy_ns=floor.busy,
        commits=floor.commits,
        tries=np.zeros(len(plan.deliveries.birth_ns), np.int32),
        expired=np.zeros(len(plan.deliveries.birth_ns), np.bool_),
        events=events,
    )
    return run._replace(expired=_expired(plan, arrived_ns(plan, run)))


def _expired(plan: Plan, arrived: Int64) -> "itinerary.Bool":
    """Whose deadline passed; children of those that never arrived were not born."""
    deliveries = plan.deliveries
    child = deliveries.parent >= 0
    begun = np.where(child, arrived[deliveries.parent], 0)
    due = begun + deliveries.birth_ns + deliveries.deadline_ns
    return np.where(arrived == NEVER, due <= plan.end_ns, arrived > due) & (begun != NEVER)
