"""Costing: from what was measured to the costs of a calibration file, with where each comes from.

Arithmetic only. A document between two parties has requests of its own (a national network's documents rarely share
one), so that what a request costs is part of the thing that causes it; only rounds are shared.
"""

import statistics
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tools.calibration.fit import Fit
from tools.calibration.measure import FIRST, FROM_STRANGERS, PULLED, SECOND, TO_STRANGERS, Taken

QUANTILES: Final = 512
"""Rows of the table of commits that took longer than usual."""
_ALONE_ROUNDS: Final = 3
_ALONE_HOPS: Final = 2
_INLINE_KIB: Final = 2
_PULLED_ROUNDS: Final = 2


def costs_of(taken: Taken, fit: Fit) -> dict[str, Any]:
    """The object ``costs`` of a calibration file."""
    ns = fit.ns
    blob_ns, blob_ns_per_kib = _line(taken.blobs)
    content = ns["content"] + ns["request_in"]
    more = ns["recipient"] + ns["request_out"]
    commit_ns, extra_ns = commits(taken)
    opened = {name: statistics.fmean(found) for name, found in handshakes(taken).items()}
    values = {
        "round_ns": ns["round"],
        "submit_ns": ns["submit"] + more,
        "submit_more_ns": more,
        "envelope_ns": _envelope(ns) + falls_asleep_ns(taken, fit, process=1),
        "content_ns": content,
        "relay_ns": content + more,
        "receipt_ns": ns["receipt"],
        "state_ns": ns["state"] + ns["request_out"] + ns["round"],
        "status_ns": ns["status"] + ns["request_in"],
        "content_ns_per_kib": ns["content_kib"],
        "blob_ns": blob_ns,
        "blob_ns_per_kib": blob_ns_per_kib,
        "commit_ns": commit_ns,
        "stored_bytes_sender": taken.stored_bytes[0],
        "stored_bytes_recipient": taken.stored_bytes[1],
        "wake_ns": wake_ns(taken, fit),
        "serve_ns": ns["serve"] + ns["round"] + ns["request_in"] + falls_asleep_ns(taken, fit, process=0),
        "serve_ns_per_kib": ns["serve_kib"],
        "connect_ns": opened["connect"],
        "accept_ns": opened["accept"],
    }
    return {**{name: max(0, round(value)) for name, value in values.items()}, "commit_extra_ns": extra_ns}


def _envelope(ns: dict[str, float]) -> float:
    """A recipient that pulls has everything that one of inline content has, the pull, and the request with which it
    says *arrived*, whose answer is a round of its own; the model has an ENVELOPE and a CONTENT, so the former has the
    rest."""
    return ns["pull"] + ns["request_out"] + ns["round"]


def wake_ns(taken: Taken, fit: Fit) -> float:
    """What a round costs on top where nothing else is going on: how often its process falls asleep, times what that
    costs."""
    return fit.ns["wake"] * _naps(taken)


def _naps(taken: Taken) -> float:
    """How often a process falls asleep for a round, where nothing else is going on."""
    return sum(used.waits for used in taken.alone_used) / sum(used.counts["handled"] for used in taken.alone_used)


def falls_asleep_ns(taken: Taken, fit: Fit, process: int) -> float:
    """What waking costs for a document that is pulled, beyond the two rounds at either side that the model has."""
    row = next(row for row in taken.rows if row.name == f"{PULLED} {process}")
    naps = row.did["wake"] / max(row.did["pull"], row.did["serve"]) - _PULLED_ROUNDS * _naps(taken)
    return fit.ns["wake"] * max(0.0, naps)


def handshakes(taken: Taken) -> dict[str, list[float]]:
    """What a new connection costs at either end, ns: the same documents between the same nodes with and without one,
    for both directions. Told apart directly, because only a few loads have connections at all."""
    by_name = {row.name: row for row in taken.rows}

    def more_ns(load: str, process: int, thing: str) -> float:
        first, second = (by_name[f"{load}, {time} {process}"] for time in (FIRST, SECOND))
        return (first.cpu_ns - second.cpu_ns) / first.did[thing]

    return {
        "connect": [more_ns(TO_STRANGERS, 0, "connect"), more_ns(FROM_STRANGERS, 1, "connect")],
        "accept": [more_ns(TO_STRANGERS, 1, "accept"), more_ns(FROM_STRANGERS, 0, "accept")],
    }


def commits(taken: Taken) -> tuple[float, list[int]]:
    """The time that a commit keeps waiting without using the processor, as the quicker half has it; and how much longer
    others took, as quantiles."""
    rounds = sum(used.counts["handled"] for used in taken.alone_used)
    beside_ns = sum(used.cpu_ns - used.loop_ns for used in taken.alone_used) / rounds
    usual_ns = statistics.median(taken.alone_commit_ns)
    found = np.sort(np.array(taken.alone_commit_ns, dtype=np.int64))
    extra = np.quantile(found, (np.arange(QUANTILES) + 0.5) / QUANTILES) - usual_ns
    return max(0.0, usual_ns - beside_ns), np.maximum(0, extra).astype(int).tolist()


def loopback_ns(taken: Taken, costs: dict[str, Any]) -> int:
    """One way between two processes of the machine, from documents that were alone: what of the median is not explained
    by their rounds, their commits and their handling, on processors as fast as they just were."""
    slower = statistics.fmean(used.yardstick_ns for used in taken.alone_used) / statistics.median(taken.yardsticks_ns)
    rounds = _ALONE_ROUNDS * ((costs["wake_ns"] + costs["round_ns"]) * slower + costs["commit_ns"])
    things = costs["submit_ns"] + costs["content_ns"] + costs["receipt_ns"] + _INLINE_KIB * costs["content_ns_per_kib"]
    return max(0, int((statistics.median(taken.alone_home_ns) - rounds - things * slower) / _ALONE_HOPS))


def _line(points: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Median ns at each size, and the straight line through them: ns at 0, ns per KiB."""
    sizes = sorted({size for size, _ in points})
    medians = [statistics.median(ns for size, ns in points if size == each) for each in sizes]
    slope, base = np.polyfit(np.array(sizes) / 1024, np.array(medians), 1)
    return max(0.0, float(base)), max(0.0, float(slope))
