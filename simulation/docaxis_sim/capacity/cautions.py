"""Cautions: what a planner must know about a scenario before believing its figures, worked out from what it says.

Sentences about the distance between the scenario and the node as it is; nothing is drawn, carried or measured here.
"""

from collections.abc import Callable, Mapping
from math import erfc, log, sqrt
from types import MappingProxyType
from typing import Final

from docaxis.core.limits import CONTENT_BYTES_MAX, MIB
from docaxis_sim.capacity.model import Scenario, Size

_SHOWN_LEAST: Final = 0.001


def notes(scenario: Scenario) -> tuple[str, ...]:
    """What is to be said about this scenario, a sentence or two each; empty where there is nothing."""
    shares = [(each.name, too_large(each.size)) for each in scenario.traffic]
    some = ", ".join(f"{_percent(share)} of {name}" for name, share in shares if share)
    if not some:
        return ()
    limit = f"{CONTENT_BYTES_MAX // MIB} MiB"
    return (f"A node takes no document above {limit} today; larger ones were carried as if it did: {some}.",)


def too_large(size: Size) -> float:
    """The share of documents whose content is larger than a node takes: exactly, from the law of their sizes."""
    return _ABOVE[size.law](size) if size.max_bytes > CONTENT_BYTES_MAX else 0.0


def _fixed(size: Size) -> float:
    return float(size.median_bytes > CONTENT_BYTES_MAX)


def _lognormal(size: Size) -> float:
    if not size.sigma:
        return _fixed(size)
    return erfc(log(CONTENT_BYTES_MAX / size.median_bytes) / size.sigma / sqrt(2)) / 2


def _pareto(size: Size) -> float:
    """Half of the mass lies above the median, as `docaxis_sim.capacity.sizes` draws it."""
    above: float = (size.median_bytes / CONTENT_BYTES_MAX) ** size.sigma / 2
    return min(1.0, above)


def _table(size: Size) -> float:
    return sum(each > CONTENT_BYTES_MAX for each in size.table_bytes) / len(size.table_bytes)


_ABOVE: Final[Mapping[str, Callable[[Size], float]]] = MappingProxyType(
    {"fixed": _fixed, "lognormal": _lognormal, "pareto": _pareto, "table": _table}
)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= _SHOWN_LEAST else f"less than {100 * _SHOWN_LEAST:.1f} %"
