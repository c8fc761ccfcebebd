"""Asked: one figure of one replication, found out in whatever process; a plan that is still right is not made again.

What a search asks for, again and again. It depends on the scenario, the replication and the figure, and on nothing that
is kept.
"""

from typing import Final, NamedTuple

from docaxis_sim.capacity import costs, measure, runner
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.prepare import Prepared, prepare
from docaxis_sim.capacity.stations import stations
from docaxis_sim.stopwatch import Stopwatch


class Asked(NamedTuple):
    """Which figure of which replication, and who carries it (empty: whom the scenario says). `shared`: whatever is
    asked under one such name differs in lines alone; empty where that is not so."""

    scenario: Scenario
    replication: int
    engine: str
    metric: str
    shared: str


class Found(NamedTuple):
    """The figure, NaN where nothing was there to make it from, and how long that took."""

    value: float
    seconds: float


class Plans:
    """The plan that was prepared last, which fits every scenario that differs from its own in lines alone."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[str, int], Prepared] | None = None

    def prepared(self, asked: Asked) -> Prepared:
        """A plan of its own, or the one that was kept with new stations."""
        key = asked.shared, asked.replication
        if self._kept is None or self._kept[0] != key or not asked.shared:
            self._kept = None  # so that the old one is gone before the new one is made
            self._kept = key, prepare(asked.scenario, asked.replication)
            return self._kept[1]
        kept = self._kept[1]
        made = stations(asked.scenario, kept.topology, costs.of(asked.scenario))
        before = kept.plan.stations
        lines = before._replace(up_ns_per_kib=made.up_ns_per_kib, down_ns_per_kib=made.down_ns_per_kib)
        return kept._replace(plan=kept.plan._replace(stations=lines), digest=asked.scenario.digest)


_OF_THIS_PROCESS: Final = Plans()


def figure(asked: Asked, progress: runner.Progress | None = None, plans: Plans = _OF_THIS_PROCESS) -> Found:
    """The figure; raises what preparing and carrying do."""
    watch = Stopwatch()
    prepared = plans.prepared(asked)
    run = runner.outcome(prepared.plan, asked.engine or asked.scenario.engine, progress)
    return Found(measure.figure(prepared, run, asked.scenario, asked.metric), watch.seconds)
