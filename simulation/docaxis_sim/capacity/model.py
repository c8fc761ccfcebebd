"""Model: what a capacity scenario says, as plain values after it was read and checked; one class per table of the file.

Values only. `docaxis_sim.capacity.scenario` reads them from TOML and explains mistakes; the defaults here are those
that the starter and the reference page show. Times are nanoseconds, rates bits per second, sizes bytes.
"""

from pathlib import Path
from typing import NamedTuple

from docaxis_sim.capacity.plan import DAY_NS, MILLISECOND_NS

TIERS = ("hub", "central", "province", "district", "commune")
"""By number, from the top. There is one hub at most; the 95 agencies are the central and the province tier."""


class Latency(NamedTuple):
    """One way between two nodes: `base_ns` + distance × `per_100_km_ns`."""

    base_ns: int = 2 * MILLISECOND_NS
    per_100_km_ns: int = MILLISECOND_NS


class NodeClass(NamedTuple):
    """What a node has: links in bits per second; how fast its processor and its disk's commits are relative to the
    calibrated machine (0.5: half as fast); how many processes share its work and its database."""

    up_bps: int
    down_bps: int
    speed: float = 1.0
    disk: float = 1.0
    processes: int = 1


class Site(NamedTuple):
    """Nodes that share one line: `members` is a selector; their own links are replaced by the site's."""

    name: str
    members: str
    up_bps: int
    down_bps: int


class Override(NamedTuple):
    """Other values for some nodes than those of their tier; None leaves a value as it is."""

    members: str
    up_bps: int | None = None
    down_bps: int | None = None
    speed: float | None = None
    disk: float | None = None
    processes: int | None = None


class TopologySpec(NamedTuple):
    """`layout`: vn-2024 (95 agencies, 696 districts, 10,035 communes), vn-2025 (34 provinces, 3,321 communes, no
    districts), or agencies (95 alone). `graph`: a GraphML file instead, or empty. `endpoints`: tiers whose nodes can be
    called; a unit of another tier gets its mail from its nearest ancestor's node. `routing`: direct (what the node
    does), tiered (every document through all ancestors) or hub (every document through one centre)."""

    layout: str = "vn-2024"
    graph: str = ""
    endpoints: tuple[str, ...] = ("hub", "central", "province", "district", "commune")
    routing: str = "direct"
    latency: Latency = Latency()


class Size(NamedTuple):
    """Sizes of content in bytes. `law`: fixed (every one `median_bytes`), lognormal (`median_bytes`, `sigma`), pareto
    (`median_bytes`, shape `sigma`) or table (drawn from `table_bytes`); never above `max_bytes`."""

    law: str = "lognormal"
    median_bytes: int = 640_000
    sigma: float = 1.4
    max_bytes: int = 200_000_000
    table_bytes: tuple[int, ...] = ()


class StatusStep(NamedTuple):
    """One statement that recipients make: what share of them, and how long after the step before (mean,
    exponential)."""

    state: str
    share: float
    after_ns: int


class Traffic(NamedTuple):
    """One class of documents.

    `sender`: selector. `to`: a relation of recipients to their sender, `docaxis_sim.capacity.traffic` lists them.
    Either `documents_per_day` (submissions, over `profile`) or `at_ns` (`submissions` at that moment of each
    day). `recipients_mean`: of each document where `to` leaves a choice, geometric, at most `recipients_max`.
    `weights`: how documents spread over senders: equal, population or units. `fanout`: direct (the sender sends to
    each) or relay (each tier hands on to the next). `sharing`: unicast, or shared (recipients pass parts on to each
    other). `priority`: share of each priority 0–4. `scale` multiplies counts."""

    name: str
    sender: str
    to: str
    documents_per_day: float = 0.0
    at_ns: int = -1
    submissions: int = 1
    recipients_mean: float = 1.0
    recipients_max: int = 40
    weights: str = "equal"
    profile: str = "office-hours"
    fanout: str = "direct"
    sharing: str = "unicast"
    size: Size = Size()
    priority: tuple[float, float, float, float, float] = (1.0, 0.0, 0.0, 0.0, 0.0)
    statuses: tuple[StatusStep, ...] = ()
    deadline_ns: int = 60 * DAY_NS
    scale: float = 1.0


class Failure(NamedTuple):
    """`members` (selector) are cut off from everybody else, or dark (switched off), for a while."""

    name: str
    members: str
    from_ns: int
    until_ns: int
    dark: bool = False


class Experiment(NamedTuple):
    """How a figure is made. `warm_up`: none (a day from empty is what is asked about), mser-5, or a time in
    `warm_up_ns`. Replications are added from `replications` up to `replications_max` until the half-width of
    `precise_metric` is at most `precision` of its mean (0: not asked for). `confidence` of every interval."""

    seed: int = 1
    replications: int = 5
    replications_max: int = 5
    precise_metric: str = ""
    precision: float = 0.0
    confidence: float = 0.95
    warm_up: str = "none"
    warm_up_ns: int = 0


class Expectation(NamedTuple):
    """A goal on a metric, such as ``latency.arrived.p99.express_s <= 60``; the exit code says whether it held."""

    metric: str
    sign: str
    value: float


class Scenario(NamedTuple):
    """A whole file. `raw`: the merged table as it was read, for reports, overrides and hashes; `digest`: SHA-256 of it
    and of the files that it names.

    `load`: a factor on every traffic's counts; `service_times`: one on every time that the calibration measured;
    `days`: simulated days, `weekday` the first one's (0 Monday); `until_done`: go on after the last day until
    everything arrived. `profiles`: by name, pairs of (ns after midnight, relative intensity), linear in between.
    `day_factors`: one factor per simulated day (Monday and month-end peaks). `faults`: what the table for full
    machines says, a `docaxis_sim.fault_fields.Stated`."""

    path: Path
    name: str
    name_vi: str
    question: str
    topology: TopologySpec
    nodes: dict[str, NodeClass]
    sites: tuple[Site, ...]
    overrides: tuple[Override, ...]
    calibration: Path
    link_sharing: str
    traffic: tuple[Traffic, ...]
    failures: tuple[Failure, ...]
    experiment: Experiment
    expect: tuple[Expectation, ...]
    load: float
    days: int
    day_factors: tuple[float, ...]
    until_done: bool
    profiles: dict[str, tuple[tuple[int, float], ...]]
    engine: str
    faults: object
    raw: dict[str, object]
    digest: str
    service_times: float = 1.0
