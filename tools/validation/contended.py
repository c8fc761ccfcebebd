"""Contended: what processes that share a machine cost beyond a quiet one, by how busy they are.

The calibration measured it at a few paces of another load, see `tools.calibration.crowd`. How busy the processes of a
plan are depends on it again; so the plan is carried a few times, until that settles. Nothing is measured here.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.plan import Plan, Run
from tools.calibration.load import SECOND_NS

TURNS: Final = 4
"""How often the plan is carried; each turn takes the middle between what it assumed and what it found."""


class SharedHost(NamedTuple):
    """The object ``shared_host`` of a calibration file: one way over the loopback; what the yardstick's work usually
    took there; and rows, least busy first, of how busy processes were (parts of a core), the factor on all that they
    did, and quantiles of their commits, ns."""

    latency_ns: int
    yardstick_ns: float
    crowd: tuple[tuple[float, float, tuple[int, ...]], ...]


def read(found: dict[str, Any]) -> SharedHost:
    """From a calibration file; raises ValueError where it has no such object."""
    host = found.get("shared_host")
    if not isinstance(host, dict) or not {"crowd", "yardstick_ns"} <= host.keys():
        raise ValueError(
            "the calibration file has no object 'shared_host' with a crowd and a yardstick: tools/calibrate"
        )
    rows = tuple((float(busy), float(factor), tuple(map(int, ns))) for busy, factor, ns in host["crowd"])
    return SharedHost(int(host["latency_ns"]), float(host["yardstick_ns"]), rows)


def busy_of(plan: Plan, run: Run) -> float:
    """What part of the time the loops were busy, from the first birth to the last, or a second if that is more."""
    births = plan.deliveries.birth_ns
    seconds = max(1.0, int(births.max(initial=0) - births.min(initial=0)) / SECOND_NS)
    return float(run.loop_busy_ns.sum()) / SECOND_NS / seconds / len(run.loop_busy_ns)


def crowded(plan: Plan, host: SharedHost, busy: float, seed: int) -> Plan:
    """The plan with everything as costly, and commits as slow, as at this `busy`; slow ones shuffled by `seed`."""
    if not host.crowd:
        return plan
    factor, extra_ns = _at(host, busy)
    stations, deliveries = plan.stations, plan.deliveries
    shuffled = np.random.default_rng(seed).permutation(extra_ns)
    extra = {step: _times(ns, factor) for step, ns in deliveries.extra_ns.items()}
    return plan._replace(
        stations=stations._replace(
            cost_ns=_times(stations.cost_ns, factor),
            content_ns_per_kib=_times(stations.content_ns_per_kib, factor),
            wake_ns=_times(stations.wake_ns, factor),
            round_ns=_times(stations.round_ns, factor),
            commit_extra_ns=shuffled,
        ),
        deliveries=deliveries._replace(extra_ns=extra),
    )


def _at(host: SharedHost, busy: float) -> tuple[float, "np.ndarray[Any, np.dtype[np.int64]]"]:
    """Factor and what commits took beyond the median of the least busy, in between two rows of the measurement."""
    levels = np.maximum.accumulate([row[0] for row in host.crowd])
    tables = np.array([row[2] for row in host.crowd], dtype=float)
    found = np.array([np.interp(busy, levels, column) for column in tables.T])
    extra: np.ndarray[Any, np.dtype[np.int64]] = np.maximum(0, found - np.median(tables[0])).astype(np.int64)
    return float(np.interp(busy, levels, [row[1] for row in host.crowd])), extra


def _times(values: "np.ndarray[Any, np.dtype[np.int64]]", factor: float) -> "np.ndarray[Any, np.dtype[np.int64]]":
    scaled: np.ndarray[Any, np.dtype[np.int64]] = np.rint(values * factor).astype(np.int64)
    return scaled
