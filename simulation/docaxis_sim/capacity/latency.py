"""Latency: how long documents took, over all and by tier, urgency and class of traffic; figures, a table, a curve.

Percentiles are values that occurred (the smallest within which the stated share lies, definition 1 of Hyndman & Fan),
and count what did not arrive as slower than everything. Nothing here says how sure they are.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from math import inf, isfinite, nan
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from docaxis_sim.capacity.metrics import PRIORITIES, STATISTICS, slug
from docaxis_sim.capacity.model import TIERS, Scenario
from docaxis_sim.capacity.plan import SECOND_NS, Bool, Float, Int64
from docaxis_sim.capacity.reading import LATE, Reading
from docaxis_sim.capacity.study import Table

BATCHES: Final = 20
"""Parts of one long run (10 to 30 are usual; Law 2015, §9.5.3)."""

_PER_MILLE: Final = (1, 5, *range(10, 100, 10), *range(100, 900, 20), *range(900, 980, 5), *range(980, 1000))
SHARES: Final = (*(share / 1000 for share in _PER_MILLE), 0.9992, 0.9995, 0.9998, 0.9999, 1.0)
"""Where the curves of latencies are given: close together where they are steep."""

_PERCENTILES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}
_NAME: Final = re.compile(rf"latency\.(arrived|receipt|status)\.({'|'.join(STATISTICS)})(\.[\w.-]+)?_s")


class Group(NamedTuple):
    """Documents looked at together: what people call them, the end of their metrics' names, and their latencies in
    order."""

    name: str
    ending: str
    sorted_ns: Int64


def groups(reading: Reading) -> Iterator[Group]:
    """All documents, then by tier of recipient, urgency and class of traffic. Put in order once: so all parts are."""
    counted, names = np.flatnonzero(reading.counted), endings(reading.scenario)
    order = counted[np.argsort(reading.latency_ns[counted])]
    sorted_ns = reading.latency_ns[order]
    yield Group(*next(names), sorted_ns)
    for column, count in _columns(reading):
        numbers = column()[order]
        for number in range(count):
            yield Group(*next(names), sorted_ns[numbers == number])


def _which(reading: Reading) -> Iterator[tuple[str, str, Callable[[], Bool]]]:
    """Each group's name, the end of its metrics' names, and which documents it has."""
    those = [partial(_equal, column, number) for column, count in _columns(reading) for number in range(count)]
    tests: list[Callable[[], Bool]] = [lambda: reading.counted, *those]
    for (name, ending), which in zip(endings(reading.scenario), tests, strict=True):
        yield name, ending, which


def _columns(reading: Reading) -> tuple[tuple[Callable[[], NDArray[Any]], int], ...]:
    """What documents are told apart by, in numbers, and how many of these there are."""
    deliveries, row = reading.plan.deliveries, reading.row
    return (
        (lambda: reading.tier, len(TIERS)),
        (lambda: deliveries.priority[row], len(PRIORITIES)),
        (lambda: deliveries.traffic[row], len(reading.scenario.traffic)),
    )


def endings(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """The name of each group that a scenario can have, and the end of its metrics' names."""
    yield "all", ""
    yield from ((f"tier: {tier}", f".tier.{tier}") for tier in TIERS)
    yield from ((word.replace("_", " "), f".{word}") for word in PRIORITIES)
    yield from ((f"traffic: {each.name}", f".traffic.{slug(each.name)}") for each in scenario.traffic)


def _equal(column: Callable[[], NDArray[Any]], number: int) -> Bool:
    equal: Bool = column() == number
    return equal


def one(reading: Reading, name: str) -> float:
    """One figure of latency by its metric's name, without sorting what it does not need; raises `KeyError`."""
    found = _NAME.fullmatch(name)
    if not found:
        raise KeyError(name)
    kind, statistic, ending = found.groups()
    if kind != "arrived":
        return _figure(reading.receipt_ns[reading.counted] if kind == "receipt" else reading.status_ns, statistic)
    for _, each, which in _which(reading):
        if each == (ending or ""):
            return _figure(reading.latency_ns[reading.counted & which()], statistic)
    raise KeyError(name)


def _figure(latency: Int64, statistic: str) -> float:
    if statistic not in _PERCENTILES or not len(latency):
        return statistics_of(np.sort(latency))[statistic]
    place = _place(len(latency), _PERCENTILES[statistic])
    value = int(np.partition(latency, place)[place])
    return inf if value == LATE else value / SECOND_NS


def statistics_of(sorted_ns: Int64) -> dict[str, float]:
    """The figures of some latencies, in seconds; see `docaxis_sim.capacity.metrics.STATISTICS`. What did not arrive in
    time makes the mean infinite, too: of those that did, it would be small exactly where most did not."""
    values = {name: percentile(sorted_ns, share) for name, share in _PERCENTILES.items()}
    values["mean"] = float(sorted_ns.mean()) / SECOND_NS if isfinite(values["max"]) else values["max"]
    return {name: values[name] for name in STATISTICS}


def percentile(sorted_ns: Int64, share: float) -> float:
    """The smallest latency, in seconds, within which this share of all lies; infinite if that many never arrived."""
    if not len(sorted_ns):
        return nan
    value = int(sorted_ns[_place(len(sorted_ns), share)])
    return inf if value == LATE else value / SECOND_NS


def _place(count: int, share: float) -> int:
    """Of `count` values in order, the first within which this share lies; a rounding error is no reason to go on."""
    return max(0, int(np.ceil(share * count - 1e-9)) - 1)


def metrics(reading: Reading, found: list[Group]) -> dict[str, float]:
    """All figures of latency."""
    rest = [("receipt", reading.receipt_ns[reading.counted]), ("status", reading.status_ns)]
    kinds = [(f"arrived.{{}}{group.ending}", group.sorted_ns) for group in found]
    kinds += [(f"{name}.{{}}", np.sort(values)) for name, values in rest]
    return {
        f"latency.{name.format(statistic)}_s": value
        for name, sorted_ns in kinds
        if len(sorted_ns)
        for statistic, value in statistics_of(sorted_ns).items()
    }


def table(found: list[Group]) -> Table:
    """One row per group: how many, and how long they took."""
    rows = [(group, statistics_of(group.sorted_ns)) for group in found if len(group.sorted_ns)]
    columns: dict[str, tuple[str, ...] | Float | Int64] = {
        "name": tuple(group.name for group, _ in rows),
        "count": np.array([len(group.sorted_ns) for group, _ in rows], np.int64),
    }
    for statistic in STATISTICS:
        columns[f"{statistic}_s"] = np.array([values[statistic] for _, values in rows], np.float64)
    return Table(columns, "Seconds from submission to arrived, by recipient's tier, urgency and class of traffic.")


def batches(reading: Reading) -> Table:
    """The figures of `BATCHES` equal parts of the documents, in the order of their submission; what is left over after
    equal parts is left out at the front. A run of fewer documents has none."""
    row = np.flatnonzero(reading.counted)
    row = row[np.argsort(reading.since_ns[row], kind="stable")]
    size = len(row) // BATCHES
    parts = np.sort(reading.latency_ns[row[len(row) - size * BATCHES :]].reshape(BATCHES, size), axis=1)
    found = [statistics_of(part) for part in parts] if size else []
    columns: dict[str, tuple[str, ...] | Float | Int64] = {"documents": np.array([size for _ in found], np.int64)}
    for statistic in STATISTICS:
        columns[f"{statistic}_s"] = np.array([values[statistic] for values in found], np.float64)
    return Table(columns, "Seconds from submission to arrived, in equal parts of all documents one after the other.")


def curves(found: list[Group]) -> Table:
    """The distribution of each group, in long form: within so many seconds, this share had arrived."""
    some = [group for group in found if len(group.sorted_ns)]
    latencies = [[percentile(group.sorted_ns, share) for share in SHARES] for group in some]
    columns: dict[str, tuple[str, ...] | Float | Int64] = {
        "name": tuple(group.name for group in some for _ in SHARES),
        "latency_s": np.array(latencies, np.float64).reshape(-1),
        "share": np.tile(np.array(SHARES), len(some)),
    }
    return Table(columns, "Share of what was submitted that had arrived within so many seconds.")
