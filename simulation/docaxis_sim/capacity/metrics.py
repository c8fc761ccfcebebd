"""Metrics: the names of all figures, with their units and what each says; the only list of them.

`simulation/docs/metrics.md` is made from it, goals and tables look names up in it. Nothing here computes a figure.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from docaxis.core.envelope import Priority
from docaxis_sim.capacity import topology
from docaxis_sim.capacity.hours import ENOUGH_HOURS, is_whole_day
from docaxis_sim.capacity.mistakes import nearest
from docaxis_sim.capacity.model import TIERS, Scenario

STATISTICS: Final = {
    "mean": "mean",
    "p50": "half of them took at most this",
    "p95": "95 of 100 took at most this",
    "p99": "99 of 100 took at most this",
    "max": "the slowest one took this",
}
"""Of latencies. All that were submitted count: what did not arrive in time is slower than all that did, so that a
percentile it falls into is infinite, and so are mean and max as soon as there is any. Letting documents expire would
otherwise make a figure better."""

PRIORITIES: Final = tuple(priority.name.lower() for priority in Priority)
"""By number, as in scenario files."""

KINDS: Final = ("up", "down", "loop", "disk")
"""Stations with a utilisation: the line from a node, the line to it, its processor, its disk."""


_WORDS: Final = {"statistic": tuple(STATISTICS), "tier": TIERS, "priority": PRIORITIES, "kind": KINDS}
"""What may stand in a place of a name; in the others stands what the scenario calls it."""

_NOTHING: Final = {"tier": "there is no node of tier {}", "priority": "no document has the priority {}"}


class Metric(NamedTuple):
    """`name` may hold {statistic}, {tier}, {priority}, {traffic}, {kind} or {failure}; `unit` is empty for a count."""

    name: str
    unit: str
    about: str


METRICS: Final = (
    Metric("documents", "", "documents submitted, however many recipients each has"),
    Metric("deliveries", "", "documents × recipients that were sent; every figure below counts these"),
    Metric("arrived", "", "deliveries that arrived before their deadline"),
    Metric("expired", "", "deliveries whose deadline passed before they had arrived; table `losses` says why"),
    Metric("under_way", "", "deliveries neither arrived nor expired when the run ended"),
    Metric("never_sent", "", "deliveries that a unit should have handed on, had it received the document itself"),
    Metric("lost", "", "deliveries that nothing accounts for; anything but 0 is a mistake of the simulator"),
    Metric("tries", "", "attempts that failed because a peer could not be reached"),
    Metric("tries.max", "", "most failed attempts for one delivery"),
    Metric("offered_per_s", "1/s", "deliveries submitted per second, over the simulated hours"),
    Metric("offered_per_s.busiest_hour", "1/s", "the same in the hour in which most were submitted"),
    Metric("carried_per_s", "1/s", "deliveries arrived in time per second, over the simulated hours"),
    Metric("carried_per_s.busiest_hour", "1/s", "the same in the hour in which most arrived"),
    Metric("carried_share", "share", "share of what was sent that arrived in time"),
    Metric(
        "latency.arrived.{statistic}_s",
        "s",
        "from the first sender's submission until the recipient's node has the whole document and stated *arrived*",
    ),
    Metric("latency.arrived.{statistic}.tier.{tier}_s", "s", "the same for recipients of one tier"),
    Metric("latency.arrived.{statistic}.{priority}_s", "s", "the same for documents of one urgency"),
    Metric("latency.arrived.{statistic}.traffic.{traffic}_s", "s", "the same for one class of traffic"),
    Metric("latency.receipt.{statistic}_s", "s", "from submission until the sender's node holds the signed receipt"),
    Metric(
        "latency.status.{statistic}_s",
        "s",
        "from when a recipient states a step of its handling until the sender's node holds that statement",
    ),
    Metric("last_arrival_s", "s", "from the first submission until the last arrival"),
    Metric(
        "utilisation.{kind}.max", "share", "share of its busiest hour in which the busiest station of a kind is busy"
    ),
    Metric("utilisation.{kind}.max.tier.{tier}", "share", "the same among nodes of one tier"),
    Metric(
        "utilisation.{kind}.mean",
        "share",
        "share of the simulated hours in which stations of a kind are busy, mean of all",
    ),
    Metric("queue.documents.max", "", "most deliveries under way at one time (looked at once per bin of the series)"),
    Metric("queue.documents.mean", "", "deliveries under way, mean over the simulated hours"),
    Metric("queue.node.max", "", "most visits waiting or served at the stations of one node at one time"),
    Metric("queue.peer.max", "", "most deliveries waiting for a peer that cannot be reached, at one time"),
    Metric("queue.age.max_s", "s", "greatest age of a delivery under way (looked at once per bin of the series)"),
    Metric(
        "recovery.{failure}_s",
        "s",
        "from a failure's end until the last document that it held up had arrived; never if one of them had not when "
        "it was due or the run ended",
    ),
    Metric(
        "storage_bytes_per_day",
        "bytes",
        "growth of all stores together per day, content included; only where whole days are simulated",
    ),
    Metric("storage.node_bytes_per_day", "bytes", "growth of the store that grows fastest"),
)
"""In the order of the documentation."""

NEVER_NEGATIVE: Final = tuple(metric.name.partition("{")[0] for metric in METRICS)
"""How the names of figures begin that are counts, times, rates or shares; today all of them are."""

_PLACE: Final = re.compile(r"\{(\w+)\}")


def slug(name: str) -> str:
    """A name from a scenario as a part of a metric's name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")


def about(name: str) -> Metric:
    """What a figure is: the entry that its name belongs to; raises `KeyError`."""
    for metric in METRICS:
        if _pattern(metric.name).fullmatch(name):
            return metric
    raise KeyError(name)


def is_share(name: str) -> bool:
    """Whether a figure is a share of something; false for what is no figure at all."""
    return any(metric.unit == "share" and _pattern(metric.name).fullmatch(name) for metric in METRICS)


def _pattern(name: str) -> re.Pattern[str]:
    parts = _PLACE.split(name)
    fixed = [re.escape(part) for part in parts[::2]]
    free = ["|".join(map(re.escape, _WORDS.get(place, ()))) or "[A-Za-z0-9_-]+" for place in parts[1::2]]
    return re.compile(fixed[0] + "".join(f"({choice}){then}" for choice, then in zip(free, fixed[1:], strict=True)))


def names(scenario: Scenario) -> tuple[str, ...]:
    """All figures that a scenario can have: none of a tier that has no node, of an urgency that no document has, or of
    a day where only some of its hours are simulated."""
    fills = _fills(scenario)
    there = METRICS if is_whole_day(scenario) else [each for each in METRICS if not _is_of_a_day(each)]
    return tuple(name for metric in there for name in _filled(metric.name, fills))


def _is_of_a_day(metric: Metric) -> bool:
    return metric.name.endswith("_per_day")


def _fills(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    stated = [any(each.priority[number] > 0 for each in scenario.traffic) for number in range(len(PRIORITIES))]
    return {
        **_WORDS,
        "tier": _tiers(scenario),
        "priority": tuple(word for word, some in zip(PRIORITIES, stated, strict=True) if some),
        "traffic": tuple(slug(each.name) for each in scenario.traffic),
        "failure": tuple(slug(each.name) for each in scenario.failures),
    }


def _tiers(scenario: Scenario) -> tuple[str, ...]:
    """Those that have nodes; all, where there is no telling."""
    try:
        there = topology.build(scenario.topology).tier
    except ValueError:
        return TIERS  # what is wrong with the topology is said where it is built to be used
    return tuple(tier for number, tier in enumerate(TIERS) if (there == number).any())


def _filled(name: str, fills: dict[str, tuple[str, ...]]) -> Iterator[str]:
    place = _PLACE.search(name)
    if place is None:
        yield name
        return
    for word in fills[place[1]]:
        yield from _filled(name.replace(place[0], word, 1), fills)


def unknown(name: str, scenario: Scenario) -> str:
    """Why a scenario cannot have a figure, with the nearest that it can have; empty where it can."""
    known = names(scenario)
    if name in known:
        return ""
    missing = _missing(name, scenario)
    if missing:
        return f"this figure cannot occur here: {missing}"
    return f"there is no metric {name}; {nearest(name, known) or 'see simulation/docs/metrics.md'}"


def _missing(name: str, scenario: Scenario) -> str:
    """What a figure of the list would be made from, where a scenario has nothing of the kind; else empty."""
    fills = _fills(scenario)
    for metric in METRICS:
        found = _pattern(metric.name).fullmatch(name)
        if found and _is_of_a_day(metric) and not is_whole_day(scenario):
            return f"less than {ENOUGH_HOURS} hours of a day are simulated"
        for place, word in zip(_PLACE.findall(metric.name), found.groups() if found else (), strict=False):
            if place in _NOTHING and word not in fills[place]:
                return _NOTHING[place].format(word)
    return ""


def page() -> str:
    """`simulation/docs/metrics.md`."""
    rows = [f"| `{metric.name}` | {metric.unit or 'number'} | {metric.about} |" for metric in METRICS]
    places: dict[str, Callable[[], str]] = {
        "statistic": lambda: "; ".join(f"`{word}`: {meaning}" for word, meaning in STATISTICS.items()),
        "tier": lambda: ", ".join(f"`{tier}`" for tier in TIERS),
        "priority": lambda: ", ".join(f"`{word}`" for word in PRIORITIES),
        "kind": lambda: "`up` and `down`: a node's lines; `loop`: its processor; `disk`: its commits",
    }
    lists = [f"- `{{{place}}}`: {text()}" for place, text in places.items()]
    return _PAGE.format(rows="\n".join(rows), lists="\n".join(lists))


_PAGE: Final = """\
# Figures of the capacity simulator

Made from `simulation/docaxis_sim/capacity/metrics.py`; write there, not here.

Every figure of `docaxis simulate run` is the mean of its values in independent replications, with the half-width of
Student's interval around it (95 % unless the scenario says otherwise). A percentile's interval is made from the
percentiles of the replications. One replication alone has no interval: it is shown as ±?.
With `--batches` its latencies have one from twenty successive parts of it, around the figure of the whole run; a
percentile only where ten documents of each part lie beyond it, which takes 20 in each for p50, 200 for p95, 1,000 for
p99.

With `precise_metric`, replications are added until that figure's half-width is small enough. Whoever stops as soon as
an interval is narrow stops a little more often where it is narrow by luck; the first look is therefore after the fifth
replication, with which 93 of 100 intervals of 95 % hold the truth (90 with a first look after the second). A figure
that is infinite or missing in a replication is never precise.

A latency counts everything that was submitted. What did not arrive in time is slower than all that did: if more than
one document in a hundred expires or is still under way at the end, p99 is infinite, shown as *never*; mean and max are
as soon as there is a single one. A figure of which there is nothing in a run is left out of its results, or shown as –.
Documents submitted during a warm-up (`[experiment] warm_up`) are left out of latencies.

Means over time and rates are over the *simulated hours*: all of the scenario's days. Where anything is sent in less
than six hours of a day, it is those hours alone, and no figure says anything of a day.

A station is busy with what it has begun, too, when a run is stopped before that is finished: a line that sends one
endless file is busy all the time. What waits for a peer that cannot be reached keeps no station busy.

| name | unit | what it says |
|---|---|---|
{rows}

{lists}
- `{{traffic}}`, `{{failure}}`: names from the scenario, with a hyphen for every other character than letters and digits
"""
