"""Contended: the table of slow commits that fits how busy the processes of a plan are.

How busy they are follows from the plan, and depends a little on the commits; so the plan is carried twice. The tables
were measured beside computing processes, see `tools.calibration.contention`; nothing is measured here.
"""

from typing import Any, NamedTuple

import numpy as np

from docaxis_sim.capacity.plan import Plan, Run
from tools.calibration.load import SECOND_NS


class SharedHost(NamedTuple):
    """The object ``shared_host`` of a calibration file: one way over the loopback, and commits beside a process that
    uses `busy` of a core: rows of (busy, quantiles in ns), least busy first."""

    latency_ns: int
    commits: tuple[tuple[float, tuple[int, ...]], ...]


def read(found: dict[str, Any]) -> SharedHost:
    """From a calibration file; raises ValueError where it has no such object."""
    host = found.get("shared_host")
    if not isinstance(host, dict):
        raise ValueError("the calibration file has no object 'shared_host'; tools/calibrate writes it")
    rows = tuple((float(busy), tuple(map(int, ns))) for busy, ns in host["commits_beside_work"])
    return SharedHost(int(host["latency_ns"]), rows)


def busy_of(plan: Plan, run: Run) -> float:
    """What part of the time the loops were busy, from the first birth to the last event."""
    last_ns = max((int(left_ns.max(initial=0)) for left_ns in run.left_ns.values()), default=0)
    seconds = (last_ns - int(plan.deliveries.birth_ns.min(initial=0))) / SECOND_NS
    return float(run.loop_busy_ns.sum()) / SECOND_NS / seconds / len(run.loop_busy_ns) if seconds else 0.0


def slow_commits(host: SharedHost, busy: float) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """How much longer commits take at this `busy` than at rest in the median: each quantile in between two rows of the
    measurement, the last row beyond it."""
    levels = [level for level, _ in host.commits]
    tables = np.array([table for _, table in host.commits], dtype=float)
    found = np.array([np.interp(busy, levels, column) for column in tables.T])
    extra: np.ndarray[Any, np.dtype[np.int64]] = np.maximum(0, found - np.median(tables[0])).astype(np.int64)
    return extra


def with_slow_commits(plan: Plan, host: SharedHost, busy: float, seed: int) -> Plan:
    """The plan with the table that belongs to `busy`, shuffled by `seed`."""
    table = np.random.default_rng(seed).permutation(slow_commits(host, busy))
    return plan._replace(stations=plan.stations._replace(commit_extra_ns=table))
