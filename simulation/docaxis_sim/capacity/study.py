"""Study: everything that an experiment found out, as one value that tables, files and reports are made from.

Values only. `docaxis_sim.capacity.experiment` fills it in; what prints, writes or draws takes it and computes nothing
that another one of them would have to compute again.
"""

from typing import NamedTuple

from docaxis_sim.capacity.model import Expectation, Scenario
from docaxis_sim.capacity.plan import Float, Int64
from docaxis_sim.capacity.statistics import Interval


class Series(NamedTuple):
    """Values over time: ``(labels, bins)``. Bin b begins ``start_ns + b * step_ns`` after midnight of the first day.
    `unit` as in the table of metrics; `about`: one sentence for a caption."""

    labels: tuple[str, ...]
    values: Float
    step_ns: int
    unit: str
    about: str
    start_ns: int = 0


class Table(NamedTuple):
    """Columns by name, all of one length, each of text or numbers; `about`: one sentence for a caption."""

    columns: dict[str, tuple[str, ...] | Float | Int64]
    about: str


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
    is left out). `tables` and `series`: means over replications, value by value, in the order of `replications[0]`;
    texts from the first. `checks`: the worst of each over all replications. `executors`: rows of the comparison of the
    executors where it was asked for, else None. `notes`: whatever a reader must know to believe it, in sentences.
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
