"""Small runs for the tests of measurement: a scenario of the agencies, carried once per process by the real engine."""

from functools import lru_cache
from pathlib import Path

from docaxis_sim.capacity import reference
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.plan import Run
from docaxis_sim.capacity.prepare import Prepared, prepare
from docaxis_sim.capacity.reading import Reading
from docaxis_sim.capacity.scenario import load

SMALL = Path(__file__).parent / "data" / "small.toml"

Carried = tuple[Scenario, Prepared, Run]


@lru_cache(maxsize=16)
def carried(**overrides: object) -> Carried:
    """The small scenario with other values (dots as double underscores), prepared and carried."""
    scenario = load(SMALL, {name.replace("__", "."): value for name, value in overrides.items()})
    prepared = prepare(scenario, 1)
    return scenario, prepared, reference.carry(prepared.plan)


def reading_of(carried: Carried) -> Reading:
    """What measures read from it."""
    scenario, prepared, run = carried
    return Reading(prepared.plan, run, scenario, prepared.topology)


def busy() -> Carried:
    """A day on which lines are thin and documents queue."""
    return carried(load=6, nodes__province__uplink="5 kbit/s", nodes__central__uplink="5 kbit/s")
