"""Fields: every key that a scenario file may have, with its kind, default and meaning; the only list of them.

Reading and checking, the JSON Schema, the starter and the reference page all come from it. A field's default here is
how it would stand in a file; nothing here reads one.
"""

from pathlib import Path
from typing import Any, Final

from docaxis.core.envelope import Priority
from docaxis_sim.capacity import model
from docaxis_sim.capacity.country import LAYOUTS
from docaxis_sim.capacity.kinds import (
    CLOCK,
    FLAG,
    MOMENT,
    NAME,
    PROFILE,
    RELATION,
    SELECTOR,
    SHARE,
    TEXT,
    WARM_UP,
    Goals,
    listed,
    number,
    quantity,
    whole,
    words,
)
from docaxis_sim.capacity.plan import STATUSES_MAX
from docaxis_sim.capacity.shapes import REQUIRED, Field, FilePath, Many, Named, Table
from docaxis_sim.capacity.sizes import LAWS
from docaxis_sim.capacity.traffic import WEIGHTS
from docaxis_sim.capacity.units import DURATION, RATE, SIZE
from docaxis_sim.fault_fields import FAULTS

PRIORITIES: Final = tuple(priority.name.lower() for priority in Priority)
STATES: Final = ("received", "assigned", "processing", "completed")

BUILT_IN_PROFILES: Final = {
    "office-hours": [
        ["07:00", 0],
        ["08:00", 0.6],
        ["09:00", 1],
        ["11:00", 1],
        ["11:30", 0.5],
        ["12:00", 0.15],
        ["13:30", 0.3],
        ["14:00", 0.9],
        ["16:30", 0.9],
        ["17:00", 0.4],
        ["18:00", 0.05],
        ["21:00", 0],
    ],
    "around-the-clock": [["00:00", 1], ["24:00", 1]],
}
"""Profiles that every scenario knows; one of its own with the same name replaces it."""

UPLINK: Final = quantity(RATE, 1)
SPEED: Final = number(0.01, 100.0, "a factor")
PROCESSES: Final = whole(1, 64)


def _node_class(tier: str, uplink: str, downlink: str, explain: str) -> Field:
    table = Table(
        f"nodes-{tier}",
        model.NodeClass,
        (
            Field("uplink", UPLINK, uplink, "The line from each node to everybody else.", "up_bps"),
            Field("downlink", UPLINK, downlink, "The line from everybody else to each node.", "down_bps"),
            Field("speed", SPEED, 1.0, "How fast its processor is beside the calibrated one; 0.5 is half as fast."),
            Field("disk", SPEED, 1.0, "The same of its disk's commits; what stalls add is as measured for every disk."),
            Field(
                "processes",
                PROCESSES,
                1,
                "How many processes share each node's work and its database; the node as it is has one.",
            ),
        ),
        explain,
    )
    return Field(tier, table, {}, explain)


def _latencies() -> Table:
    return Table(
        "latency",
        model.Latency,
        (
            Field("base", quantity(DURATION), "2 ms", "One way, whatever the distance.", "base_ns"),
            Field(
                "per_100_km", quantity(DURATION), "1 ms", "More for each 100 km of the great circle.", "per_100_km_ns"
            ),
        ),
        "How long a message is under way on a line that is free.",
    )


def _topology(graph: Path | str, **values: Any) -> model.TopologySpec:
    return model.TopologySpec(graph=str(graph), **values)


TOPOLOGY: Final = Table(
    "topology",
    _topology,
    (
        Field(
            "layout",
            words(*LAYOUTS),
            "vn-2024",
            "vn-2024: 95 agencies, 696 districts, 10,035 communes; vn-2025: 34 provinces, 3,321 communes and no "
            "districts; agencies: the 95 alone.",
        ),
        Field("graph", FilePath(), "", "A GraphML file with another country, in place of the layout."),
        Field(
            "endpoints",
            listed(words(*model.TIERS), len(model.TIERS)),
            list(model.TIERS),
            "The tiers whose nodes can be called; a unit of another tier gets its mail from the nearest node above it.",
        ),
        Field(
            "routing",
            words("direct", "tiered", "hub"),
            "direct",
            "direct: sender to recipient; tiered: up through every level and down again; hub: the same, and between "
            "provinces and agencies through one centre.",
        ),
        Field("latency", _latencies(), {}, "Time under way on a free line."),
    ),
    "Which nodes there are, and how documents get from one to another.",
)

NODES: Final = Table(
    "nodes",
    dict,
    (
        _node_class("hub", "10 Gbit/s", "10 Gbit/s", 'The one centre; used with routing = "hub" only.'),
        _node_class("central", "200 Mbit/s", "200 Mbit/s", "Ministries and other central agencies."),
        _node_class("province", "100 Mbit/s", "100 Mbit/s", "Provincial committees."),
        _node_class("district", "50 Mbit/s", "50 Mbit/s", "District committees."),
        _node_class("commune", "20 Mbit/s", "20 Mbit/s", "Commune committees."),
    ),
    "What the nodes of each tier have. The defaults are assumptions, not measurements.",
)

SITE: Final = Table(
    "site",
    model.Site,
    (
        Field("name", NAME, REQUIRED, "By which `site:NAME` selects its nodes."),
        Field("members", SELECTOR, REQUIRED, "The nodes there."),
        Field("uplink", UPLINK, REQUIRED, "The line out that all of them share.", "up_bps"),
        Field("downlink", UPLINK, REQUIRED, "The line in that all of them share.", "down_bps"),
    ),
    "Nodes that share one line, as in a data centre, in place of lines of their own.",
)


def _override(name: str, members: str, **values: Any) -> model.Override:
    return model.Override(members, **values)


OVERRIDE: Final = Table(
    "override",
    _override,
    (
        Field("name", NAME, REQUIRED, "What these values are called in addresses of fields."),
        Field("members", SELECTOR, REQUIRED, "The nodes they hold for."),
        Field("uplink", UPLINK, None, "Another line out than that of their tier.", "up_bps"),
        Field("downlink", UPLINK, None, "Another line in than that of their tier.", "down_bps"),
        Field("speed", SPEED, None, "Another speed than that of their tier."),
        Field("disk", SPEED, None, "Another disk than that of their tier."),
        Field("processes", PROCESSES, None, "Another number of processes than that of their tier."),
    ),
    "Other values for some nodes; where two hold for one node, the later counts.",
)

_SIZE_DEFAULT: Final = model.Size()
SIZES: Final = Table(
    "size",
    model.Size,
    (
        Field(
            "law",
            words(*LAWS),
            "lognormal",
            "fixed: all are the median; lognormal and pareto: around it, with few that are very large; table: drawn "
            "from a list.",
        ),
        Field("median", quantity(SIZE, 1), "640 kB", "Half of the documents are smaller.", "median_bytes"),
        Field("sigma", number(0.0, 10.0), 1.4, "Spread of lognormal, shape of pareto; larger is wilder, or tamer."),
        Field("max", quantity(SIZE, 1), "200 MB", "None is larger.", "max_bytes"),
        Field("table", listed(quantity(SIZE, 1), 100_000), [], 'Sizes to draw from, for law = "table".', "table_bytes"),
    ),
    "How large the content of a document is.",
)


def _shares(**shares: float) -> tuple[float, ...]:
    return tuple(shares[name] for name in PRIORITIES)


PRIORITY: Final = Table(
    "priority",
    _shares,
    tuple(
        Field(name, SHARE, float(name == "normal"), f"Share of documents with priority {name.replace('_', ' ')}.")
        for name in PRIORITIES
    ),
    "Shares of the priorities of Decree 30/2020 (thường, khẩn, thượng khẩn, hỏa tốc, hỏa tốc hẹn giờ); together 1.",
)

STATUS: Final = Table(
    "status",
    model.StatusStep,
    (
        Field("state", words(*STATES), REQUIRED, "What the recipient states."),
        Field(
            "share",
            SHARE,
            1.0,
            "The share of all recipients who state it; who makes a later one made this one.",
        ),
        Field("after", quantity(DURATION), "1 h", "How long after the step before, on average.", "after_ns"),
    ),
    "A signed statement that recipients send home.",
)


def _traffic(at_ns: int | None, **values: Any) -> model.Traffic:
    return model.Traffic(at_ns=-1 if at_ns is None else at_ns, **values)


TRAFFIC: Final = Table(
    "traffic",
    _traffic,
    (
        Field("name", NAME, REQUIRED, "What this kind of documents is called."),
        Field("from", SELECTOR, REQUIRED, "The senders.", "sender"),
        Field("to", RELATION, REQUIRED, "Who gets it, seen from the sender."),
        Field("documents_per_day", number(0.0, 1e9), 0.0, "Submissions per day of all senders together."),
        Field("at", CLOCK, None, "Instead: submissions at this moment of each day.", "at_ns"),
        Field("submissions", whole(1, 1_000_000), 1, "How many documents at that moment."),
        Field(
            "recipients_mean",
            number(1.0, 100_000.0),
            1.0,
            "Recipients of a document on average, where `to` leaves a choice.",
        ),
        Field("recipients_max", whole(1, 100_000), 40, "The most recipients of a document, where there is a choice."),
        Field(
            "weights",
            words(*WEIGHTS),
            "equal",
            "How documents spread over senders: the same for each, by people served, or by units below.",
        ),
        Field(
            "profile", TEXT, "office-hours", "When in the day they are sent: a built-in profile or one of [profiles]."
        ),
        Field(
            "fanout",
            words("direct", "relay"),
            "direct",
            "direct: the sender sends to each; relay: each tier hands on to the next.",
        ),
        Field(
            "sharing",
            words("unicast", "shared"),
            "unicast",
            "unicast: the sender serves all content; shared: recipients pass parts on to each other.",
        ),
        Field("size", SIZES, {}, "Sizes of content."),
        Field("priority", PRIORITY, {}, "Shares of the priorities."),
        Field("statuses", Many(STATUS, STATUSES_MAX), [], "Statements that recipients send home, in their order."),
        Field("deadline", quantity(DURATION, 1), "60 days", "What has not arrived by then expires.", "deadline_ns"),
        Field("scale", number(0.0, 1e6, "a factor"), 1.0, "A factor on the counts of this traffic alone."),
    ),
    "One kind of documents.",
)

FAILURE: Final = Table(
    "failure",
    model.Failure,
    (
        Field("name", NAME, REQUIRED, "What it is called in the report."),
        Field("members", SELECTOR, REQUIRED, "The nodes it concerns."),
        Field("from", MOMENT, REQUIRED, "When it begins.", "from_ns"),
        Field("until", MOMENT, REQUIRED, "When it is over.", "until_ns"),
        Field("dark", FLAG, False, "false: cut off from all others; true: switched off, also among themselves."),
    ),
    "Some nodes cannot be reached for a while.",
)


def _experiment(replications: int, replications_max: int | None, warm_up: tuple[str, int], **rest: Any) -> Any:
    most = replications if replications_max is None else replications_max
    return model.Experiment(
        replications=replications, replications_max=most, warm_up=warm_up[0], warm_up_ns=warm_up[1], **rest
    )


EXPERIMENT: Final = Table(
    "experiment",
    _experiment,
    (
        Field("seed", whole(0, 2**63 - 1), 1, "Same seed, same documents."),
        Field("replications", whole(1, 10_000), 5, "Days drawn independently of each other."),
        Field("replications_max", whole(1, 10_000), None, "With precision: up to this many; else as many as above."),
        Field("precise_metric", TEXT, "", "The figure that must be known well."),
        Field("precision", SHARE, 0.0, "How well: half-width of its interval beside its mean; 0 does not ask."),
        Field("confidence", number(0.5, 0.9999, "a confidence"), 0.95, "Of every interval."),
        Field("warm_up", WARM_UP, "none", "What is left out at the beginning, where constant load is asked about."),
    ),
    "How the figures are made.",
)


def _scenario(extends: str, **values: Any) -> dict[str, Any]:
    """What is extended is merged before fields are read."""
    return values


SCENARIO: Final = Table(
    "scenario",
    _scenario,
    (
        Field(
            "extends", TEXT, "", "Another scenario, beside this file or one that comes along, that this one changes."
        ),
        Field("name", TEXT, REQUIRED, "A line that names the scenario."),
        Field("name_vi", TEXT, "", "The same in Vietnamese."),
        Field("question", TEXT, REQUIRED, "What a planner wants to know from it."),
        Field("load", number(0.0, 1e6, "a factor"), 1.0, "A factor on the counts of all traffic."),
        Field(
            "service_times",
            SPEED,
            1.0,
            "A factor on all that the calibration measured in time: 2 makes processors and disks half as fast.",
        ),
        Field("days", whole(1, 366), 1, "Days that are simulated."),
        Field("day_factors", listed(number(0.0, 1e6, "a factor"), 366), [], "A factor on the counts for each day."),
        Field("until_done", FLAG, True, "Go on after the last day until everything has arrived or expired."),
        Field(
            "link_sharing",
            words("fifo", "lanes", "ps"),
            "fifo",
            "How a line out is shared: first come, first "
            "served; by priority, as the node does; or by all flows equally.",
        ),
        Field(
            "engine",
            words("auto", "reference", "vector", "machines"),
            "auto",
            "Who carries it; auto takes the fastest that carries it exactly.",
        ),
        Field("calibration", FilePath(), "", "Costs of a node, measured; else those that come with the simulator."),
        Field("topology", TOPOLOGY, {}, "The country."),
        Field("nodes", NODES, {}, "What nodes have, by tier."),
        Field("sites", Many(SITE), [], "Nodes that share a line."),
        Field("overrides", Many(OVERRIDE), [], "Nodes that differ from their tier."),
        Field(
            "profiles",
            Named(PROFILE, "Courses of a day: pairs of a time and an intensity, linear in between."),
            {},
            "Courses of a day.",
        ),
        Field("traffic", Many(TRAFFIC), [], "What is sent."),
        Field("failures", Many(FAILURE), [], "What fails, and when."),
        Field("experiment", EXPERIMENT, {}, "How figures are made."),
        Field("expect", Goals(), {}, "Goals; the exit code says whether they hold."),
        Field("faults", FAULTS, {}, "Worlds of full machines in which things go wrong, for `docaxis simulate faults`."),
    ),
    "A question about the country, and all that is needed to answer it.",
)
