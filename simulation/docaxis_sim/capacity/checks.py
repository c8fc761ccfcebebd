"""Checks: what a scenario's values mean together: names that exist, shares that add up, times that fit.

Each check is a function of its own. What a single value may look like was decided before, when it was read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from docaxis.core.envelope import Priority
from docaxis_sim.capacity import costs, metrics, relations
from docaxis_sim.capacity.mistakes import nearest
from docaxis_sim.capacity.model import Scenario, Traffic
from docaxis_sim.capacity.plan import DAY_NS
from docaxis_sim.capacity.shapes import Sink
from docaxis_sim.capacity.source import Node
from docaxis_sim.capacity.stations import BadStations, site_lines
from docaxis_sim.capacity.topology import BadSelector, Topology, build, select
from docaxis_sim.fault_fields import Stated
from docaxis_sim.fault_fields import complaints as fault_complaints

Place = tuple[str | int, ...]


class Complaint(NamedTuple):
    """What is wrong, and the fields that it was concluded from, the one to correct first."""

    text: str
    places: tuple[Place, ...]


def check_meaning(scenario: Scenario, tree: Node, sink: Sink) -> None:
    """Note everything that is wrong together; what follows from a mistake already noted is left out."""
    mistaken = {each.key for each in sink}
    for check in CHECKS:
        for complaint in check(scenario):
            nodes = [_at(tree, place) for place in complaint.places]
            if mistaken.isdisjoint(node.key for node in nodes):
                sink.note(nodes[0], complaint.text)


def _at(tree: Node, place: Place) -> Node:
    """The node at a place; if no file states it, its key where the nearest around it stands."""
    for depth, part in enumerate(place):
        inside = tree.value
        known = part in inside if isinstance(inside, dict) else isinstance(inside, list) and isinstance(part, int)
        if not known:
            return tree._replace(key=".".join([tree.key, *map(str, place[depth:])]).lstrip("."))
        tree = inside[part]
    return tree


def _days(scenario: Scenario) -> Iterator[Complaint]:
    if len(scenario.day_factors) != scenario.days:
        text = f"{len(scenario.day_factors)} factors for {scenario.days} days; one for each day is needed"
        yield Complaint(text, (("day_factors",), ("days",)))


def _traffic(scenario: Scenario) -> Iterator[Complaint]:
    stated: Any = scenario.raw.get("traffic", ())
    for row, traffic in enumerate(scenario.traffic):
        at = ("traffic", row)
        if traffic.documents_per_day and traffic.at_ns >= 0:
            yield Complaint("either documents_per_day or at, not both", ((*at, "at"), (*at, "documents_per_day")))
        if stated[row].keys().isdisjoint(("documents_per_day", "at")):
            yield Complaint("it says neither documents_per_day nor at: nothing would be sent", (at,))
        if not abs(sum(traffic.priority) - 1) < 1e-6:
            text = f"the shares add up to {sum(traffic.priority):g}, not to 1 (normal counts as 1 unless it is stated)"
            yield Complaint(text, ((*at, "priority"), *((*at, "priority", key) for key in _PRIORITY_KEYS)))
        if traffic.profile not in scenario.profiles:
            names = ", ".join(scenario.profiles)
            hint = nearest(traffic.profile, scenario.profiles) or f"the profiles are {names}"
            yield Complaint(f'there is no profile "{traffic.profile}"; {hint}', ((*at, "profile"), ("profiles",)))
        if traffic.recipients_mean > traffic.recipients_max:
            text = f"recipients_mean {traffic.recipients_mean:g} is above recipients_max {traffic.recipients_max}"
            yield Complaint(text, ((*at, "recipients_mean"), (*at, "recipients_max")))


def _sizes(scenario: Scenario) -> Iterator[Complaint]:
    for row, traffic in enumerate(scenario.traffic):
        at, size = ("traffic", row, "size"), traffic.size
        if size.law == "table" and not size.table_bytes:
            yield Complaint('law "table" needs sizes to draw from', ((*at, "table"), (*at, "law")))
        if size.law == "pareto" and size.sigma == 0:
            yield Complaint('law "pareto" needs a shape above 0', ((*at, "sigma"), (*at, "law")))
        if size.law != "table" and size.median_bytes > size.max_bytes:
            text = "the median is above max: state a larger max (its default is 200 MB)"
            yield Complaint(text, ((*at, "median"), (*at, "max")))


def _failures(scenario: Scenario) -> Iterator[Complaint]:
    end = scenario.days * DAY_NS
    for row, failure in enumerate(scenario.failures):
        at = ("failures", row)
        if failure.until_ns <= failure.from_ns:
            yield Complaint("it is over before it begins", ((*at, "until"), (*at, "from")))
        if failure.from_ns >= end:
            text = f"it begins after the {scenario.days} simulated days"
            yield Complaint(text, ((*at, "from"), ("days",)))
        elif failure.until_ns > end and not scenario.until_done:
            text = f"it ends after the {scenario.days} simulated days, and until_done is false"
            yield Complaint(text, ((*at, "until"), ("days",), ("until_done",)))


def _experiment(scenario: Scenario) -> Iterator[Complaint]:
    experiment, at = scenario.experiment, "experiment"
    if experiment.replications_max < experiment.replications:
        text = "replications_max is below replications"
        yield Complaint(text, ((at, "replications_max"), (at, "replications")))
    if bool(experiment.precise_metric) != bool(experiment.precision):
        text = "precise_metric and precision belong together: state both"
        yield Complaint(text, ((at, "precision"), (at, "precise_metric")))


def _metrics(scenario: Scenario) -> Iterator[Complaint]:
    stated = [(goal.metric, ("expect", goal.metric)) for goal in scenario.expect]
    precise = scenario.experiment.precise_metric
    stated += [(precise, ("experiment", "precise_metric"))] if precise else []
    for metric, place in stated:
        text = metrics.unknown(metric, scenario)
        if text:
            yield Complaint(text, (place, ("traffic",), ("failures",)))


def _calibration(scenario: Scenario) -> Iterator[Complaint]:
    try:
        costs.read(scenario.calibration)
    except costs.BadCalibration as error:
        yield Complaint(str(error), (("calibration",),))


def _something_is_sent(scenario: Scenario) -> Iterator[Complaint]:
    if not scenario.traffic and "faults" not in scenario.raw:
        yield Complaint("nothing is sent: a [[traffic]] is missing", (("traffic",),))


def _faults(scenario: Scenario) -> Iterator[Complaint]:
    assert isinstance(scenario.faults, Stated)
    for place, text in fault_complaints(scenario.faults):
        yield Complaint(text, (("faults", *place),))


def _places(scenario: Scenario) -> Iterator[Complaint]:
    """Everything that speaks of nodes, on the nodes that there are."""
    if not scenario.traffic and not scenario.failures:
        return
    try:
        topology = build(scenario.topology)
    except ValueError as error:
        yield Complaint(str(error), (("topology", "graph"), ("topology", "layout"), ("topology",)))
        return
    sites = {site.name: site.members for site in scenario.sites}
    for text, place in _selectors(scenario):
        try:
            if not len(select(topology, text, sites)):
                yield Complaint(f'there is no node in "{text}"', (place, ("topology", "layout")))
        except BadSelector as error:
            yield Complaint(str(error), (place, ("topology", "layout")))
    for row, traffic in enumerate(scenario.traffic):
        yield from _relation(traffic, ("traffic", row), topology, sites)
    try:
        site_lines(scenario.sites, topology)
    except BadStations as error:
        yield Complaint(str(error), (("sites",), *(("sites", row, "members") for row in range(len(sites)))))
    except BadSelector:
        return  # said above


def _selectors(scenario: Scenario) -> Iterator[tuple[str, Place]]:
    for key in ("sites", "overrides", "failures"):
        for row, each in enumerate(getattr(scenario, key)):
            yield each.members, (key, row, "members")
    for row, traffic in enumerate(scenario.traffic):
        yield traffic.sender, ("traffic", row, "from")


def _relation(traffic: Traffic, at: Place, topology: Topology, sites: Mapping[str, str]) -> Iterator[Complaint]:
    fanout, sharing = (*at, "fanout"), (*at, "sharing")
    if traffic.fanout == "relay" and traffic.sharing == "shared":
        yield Complaint("what is relayed cannot be shared too: choose one of them", (sharing, fanout))
    both = ((*at, "to"), (*at, "from"), ("topology", "layout"))
    try:
        pools = relations.pools(topology, traffic.to, sites)
        senders = select(topology, traffic.sender, sites)
    except ValueError as error:
        yield Complaint(str(error), both)
        return
    if len(senders) and not pools.sizes(senders.astype(np.int64)).any():
        text = f'none of the {len(senders)} senders ("{traffic.sender}") has anybody to send to ("{traffic.to}")'
        yield Complaint(text, both)


_PRIORITY_KEYS: Final = tuple(priority.name.lower() for priority in Priority)
CHECKS: Final[tuple[Callable[[Scenario], Iterable[Complaint]], ...]] = (
    _days,
    _traffic,
    _sizes,
    _failures,
    _experiment,
    _metrics,
    _calibration,
    _something_is_sent,
    _faults,
    _places,
)
