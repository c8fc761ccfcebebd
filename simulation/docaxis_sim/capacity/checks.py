"""Checks: what a scenario's values mean together: names that exist, shares that add up, times that fit.

Each check is a function of its own. What a single value may look like was decided before, when it was read.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from docaxis_sim.capacity import costs
from docaxis_sim.capacity.mistakes import nearest
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.plan import DAY_NS
from docaxis_sim.capacity.shapes import Sink
from docaxis_sim.capacity.source import Node

Place = tuple[str | int, ...]


class Complaint(NamedTuple):
    """What is wrong, and the fields that it was concluded from, the one to correct first."""

    text: str
    places: tuple[Place, ...]


def check_meaning(scenario: Scenario, tree: Node, sink: Sink) -> None:
    """Note everything that is wrong together; what follows from a mistake already noted is left out."""
    mistaken = {(each.file, each.line, each.key) for each in sink}
    for check in CHECKS:
        for complaint in check(scenario):
            nodes = [_at(tree, place) for place in complaint.places]
            if not any((node.file, node.line, node.key) in mistaken for node in nodes):
                sink.note(nodes[0], complaint.text)


def _at(tree: Node, place: Place) -> Node:
    """The node at a place, or the nearest around it that the file states."""
    for part in place:
        inside = tree.value
        known = part in inside if isinstance(inside, dict) else isinstance(inside, list) and isinstance(part, int)
        if not known:
            break
        tree = inside[part]
    return tree


def _days(scenario: Scenario) -> Iterator[Complaint]:
    if len(scenario.day_factors) != scenario.days:
        text = f"{len(scenario.day_factors)} factors for {scenario.days} days; one for each day is needed"
        yield Complaint(text, (("day_factors",), ("days",)))


def _traffic(scenario: Scenario) -> Iterator[Complaint]:
    for row, traffic in enumerate(scenario.traffic):
        at = ("traffic", row)
        if traffic.documents_per_day and traffic.at_ns >= 0:
            yield Complaint("either documents_per_day or at, not both", ((*at, "at"), (*at, "documents_per_day")))
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


def _calibration(scenario: Scenario) -> Iterator[Complaint]:
    try:
        costs.read(scenario.calibration)
    except costs.BadCalibration as error:
        yield Complaint(str(error), (("calibration",),))


def _something_is_sent(scenario: Scenario) -> Iterator[Complaint]:
    if not scenario.traffic and not scenario.faults:
        yield Complaint("nothing is sent: a [[traffic]] is missing", (("traffic",),))


_PRIORITY_KEYS: Final = ("normal", "urgent", "very_urgent", "express", "timed_express")
CHECKS: Final[tuple[Callable[[Scenario], Iterable[Complaint]], ...]] = (
    _days,
    _traffic,
    _sizes,
    _failures,
    _experiment,
    _calibration,
    _something_is_sent,
)
