"""Study: everything that an experiment found out, as one value that tables, files and reports are made from.

Values only. `docaxis_sim.capacity.experiment` fills it in; what prints, writes or draws takes it and computes nothing
that another one of them would have to compute again.
"""

from collections.abc import Mapping
from math import inf, isfinite, isinf
from typing import Final, NamedTuple

from docaxis_sim.capacity.model import Expectation, Scenario
from docaxis_sim.capacity.plan import Float, Int64
from docaxis_sim.capacity.statistics import Interval

_NONE: Final[dict[str, Float]] = {}
"""No half-widths; nobody writes into it."""

NO_LATENCY: Final = "There was no document whose time could be told."
"""What stands in place of an empty table of latencies."""


class Series(NamedTuple):
    """Values over time: ``(labels, bins)``. Bin b begins ``start_ns + b * step_ns`` after midnight of the first day.
    `unit` as in the table of metrics; `about`: one sentence for a caption. Of several `replications`, `values` are the
    means, `low` and `high` the least and the most that any of them had in a bin; None where there is one alone."""

    labels: tuple[str, ...]
    values: Float
    step_ns: int
    unit: str
    about: str
    start_ns: int = 0
    low: Float | None = None
    high: Float | None = None
    replications: int = 1


class Table(NamedTuple):
    """Columns by name, all of one length, each of text or numbers; `about`: one sentence for a caption. Of several
    `replications`, numbers are means, and `half_widths` has those of their intervals for every column that was not the
    same in all of them."""

    columns: dict[str, tuple[str, ...] | Float | Int64]
    about: str
    half_widths: Mapping[str, Float] = _NONE
    replications: int = 1
    confidence: float = 0.0

    def intervals(self, name: str) -> list[Interval]:
        """A column of numbers, each with what is not known of it."""
        values = [float(value) for value in self.columns[name]]
        unknown = [inf if self.replications == 1 else 0.0] * len(values)
        half_widths = self.half_widths.get(name, unknown)
        return [
            Interval(mean, float(half_width), self.replications, self.confidence)
            for mean, half_width in zip(values, half_widths, strict=True)
        ]


class Check(NamedTuple):
    """Something that must be true of every run. `measured` and `allowed` are shares (of disagreement) or counts."""

    name: str
    held: bool
    measured: float
    allowed: float
    detail: str


class Measures(NamedTuple):
    """One replication, measured. What the names mean: `docaxis_sim.capacity.metrics`."""

    metrics: dict[str, float]
    tables: dict[str, Table]
    series: dict[str, Series]
    checks: tuple[Check, ...]


class Replication(NamedTuple):
    """`births`: SHA-256 over who sent what to whom and when, equal where two scenarios met the same arrivals.
    `seconds`: of the engine alone, and of everything (both depend on the machine)."""

    number: int
    engine: str
    measures: Measures
    births: str
    events: int
    engine_seconds: float
    seconds: float


class Verdict(NamedTuple):
    """An expectation and what came of it: `held` only if the interval's unfavourable end meets the goal."""

    expectation: Expectation
    found: Interval
    held: bool

    @property
    def standing(self) -> str:
        """``held``, ``not held``, ``undecided`` (the goal lies inside the interval: more replications may tell; not
        where one is infinite, which they cannot mend), or ``not known`` (some replication had nothing to make the
        figure from)."""
        if self.held:
            return "held"
        if not self.found.n:
            return "not known"
        inside = isfinite(self.found.half_width) and self.found.low <= self.expectation.value <= self.found.high
        return "undecided" if inside else "not held"


class Difference(NamedTuple):
    """A figure in both scenarios, and ``b − a`` with its interval. `sure`: this figure's interval leaves out 0; where a
    figure is infinite on one side, the sign test decides."""

    metric: str
    a: Interval
    b: Interval
    difference: Interval
    sure: bool

    @property
    def weight(self) -> float:
        """How many half-widths it is; an exact one, and one between a number and never, count as most."""
        mean, half_width = abs(self.difference.mean), self.difference.half_width
        if not isfinite(mean):
            return inf if isinf(self.a.mean) != isinf(self.b.mean) else 0.0
        if not mean:
            return 0.0
        return mean / half_width if half_width else inf


class Variation(NamedTuple):
    """What became of some figures where a `field` was multiplied by `factor`, beside the study they belong to."""

    field: str
    factor: float
    differences: tuple[Difference, ...]


class Provenance(NamedTuple):
    """What repeats a study: versions of docaxis, Python and the libraries with the source's digest and the commit
    (`docaxis_sim.capacity.edition.provenance`), the command, the calibration's provenance, and on what kind of machine
    it was made (which changes nothing)."""

    versions: dict[str, str]
    command: str
    calibration: dict[str, object]
    machine: str


class Study(NamedTuple):
    """One scenario, all its replications and what they say together.

    `estimates`: per metric the mean over replications with its interval (a metric that some replication does not have
    is left out). `tables` and `series`: means over replications, value by value, in the order of `replications[0]`,
    with what is not known of them; texts from the first. `checks`: the worst of each over all replications.
    `executors`: rows of the comparison of the executors where it was asked for, else None. `notes`: whatever a reader
    must know to believe it, in sentences. `variations`: how far it hangs on what was assumed, where that was asked for.
    """

    scenario: Scenario
    replications: tuple[Replication, ...]
    estimates: dict[str, Interval]
    tables: dict[str, Table]
    series: dict[str, Series]
    checks: tuple[Check, ...]
    verdicts: tuple[Verdict, ...]
    executors: Table | None
    provenance: Provenance
    notes: tuple[str, ...]
    wall_seconds: float
    variations: tuple[Variation, ...] = ()
