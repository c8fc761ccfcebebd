"""Scenarios by hand for tests of what is drawn: a whole scenario from the few things that a test is about.

Values only; nothing is read from a file, so that a mistake in reading cannot hide one in drawing.
"""

from pathlib import Path
from typing import Any

from docaxis_sim.capacity.model import Experiment, Scenario, TopologySpec, Traffic
from docaxis_sim.capacity.plan import DAY_NS, HOUR_NS

OFFICE = ((7 * HOUR_NS, 0.0), (9 * HOUR_NS, 1.0), (11 * HOUR_NS, 1.0), (18 * HOUR_NS, 0.0))

_PLAIN = Scenario(
    path=Path("by-hand.toml"),
    name="by hand",
    name_vi="",
    question="",
    topology=TopologySpec(),
    nodes={},
    sites=(),
    overrides=(),
    calibration=Path("none.json"),
    link_sharing="fifo",
    traffic=(),
    failures=(),
    experiment=Experiment(),
    expect=(),
    load=1.0,
    days=1,
    day_factors=(1.0,),
    until_done=True,
    profiles={"office-hours": OFFICE, "all-day": ((0, 1.0), (DAY_NS, 1.0))},
    engine="auto",
    faults={},
    raw={},
    digest="",
)


def scenario(*traffic: Traffic, **values: Any) -> Scenario:
    """A scenario with these traffics and values, the rest as the starter has it."""
    return _PLAIN._replace(traffic=traffic, **values)
