"""Sensitivity: what becomes of an answer where what went into it is half or twice as much: the same days, in pairs.

The interval of a figure knows how days differ, not how far a calibration or an assumed volume is from the truth. This
does not know it either; it says what it would change.
"""

from collections.abc import Callable
from typing import Final

from docaxis_sim.capacity import expected
from docaxis_sim.capacity.compare import difference
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.runner import Job, Progress, Runner
from docaxis_sim.capacity.study import Replication, Study, Variation
from docaxis_sim.capacity.topology import build
from docaxis_sim.capacity.traffic import BadTraffic

VARIED: Final = (("service_times", 0.5), ("service_times", 2.0), ("load", 0.5), ("load", 2.0))
"""Fields, and what each is multiplied by: all that was measured on nodes, and the volumes."""

HEADLINES: Final = (
    "latency.arrived.p50_s", "latency.arrived.p99_s", "carried_share", "utilisation.up.max", "utilisation.loop.max",
    "utilisation.disk.max",
)  # fmt: skip
"""The figures that are looked at, besides those that the scenario has goals for."""


def looked_at(
    found: Study,
    read: Callable[[str, float], Scenario],
    runner: Runner,
    engine: str = "",
    done: Callable[[Replication], None] | None = None,
    progress: Progress | None = None,
) -> Study:
    """The study with its variations. `read` gives its scenario with another value of a field. Raises what it and
    `Runner.carry` raise."""
    scenarios = varied(found.scenario, read)
    numbers = [each.number for each in found.replications]
    jobs = [Job(scenario, number, engine, slim=True) for scenario in scenarios for number in numbers]
    ended = iter(runner.carry(jobs, done, progress))
    variations = [_variation(found, field, factor, [next(ended) for _ in numbers]) for field, factor in VARIED]
    return found._replace(variations=tuple(variations))


def varied(scenario: Scenario, read: Callable[[str, float], Scenario]) -> list[Scenario]:
    """What the variations of a scenario are, in their order. Whoever asks before anything runs does not wait for
    answers that end in a refusal. Raises what `read` raises, such as `BadScenario` where twice the load is above the
    most that a scenario may have, and `BadTraffic` where it does not fit into memory."""
    scenarios = [read(field, factor * float(getattr(scenario, field))) for field, factor in VARIED]
    for each in scenarios:
        if text := expected.too_large(each, build(each.topology)):
            raise BadTraffic(text)
    return scenarios


def _variation(found: Study, field: str, factor: float, others: list[Replication]) -> Variation:
    wanted = dict.fromkeys([*HEADLINES, *(each.expectation.metric for each in found.verdicts)])
    names = [
        name for name in wanted if name in found.estimates and all(name in each.measures.metrics for each in others)
    ]
    confidence = found.scenario.experiment.confidence
    return Variation(field, factor, tuple(difference(name, found.replications, others, confidence) for name in names))
