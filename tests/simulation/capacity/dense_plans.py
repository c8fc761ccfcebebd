"""Dense plans for engines to disagree on: few nodes, many documents at the same moments, several outages of them.

Where `small_plans` are drawn so that a failure shrinks, these are drawn so that much happens in each. Only makes plans.
"""

from typing import Any, Final

import numpy as np

from docaxis_sim.capacity.chance import generator
from docaxis_sim.capacity.plan import NEVER, ROUND_MAX, STATUSES_MAX, Cost, Form, Law, Outage, Plan, Stations
from tests.simulation.capacity.small_plans import deliveries

TIMES: Final = (0, 0, 10, 20, 20, 50, 100, 130)
DELAYS: Final = (0, 0, 10, 10, 30, 200)
RATES: Final = (0, 10, 10, 20, 100)
SIZES: Final = (0, 512, 1024, 1024, 2048, 5000)

UNITS: Final = ((1, 1), (1_000_000_007, 1_000_003), (1_000_000_007, 50_000_017), (60_000_000_011, 10_000_019))
"""How many ns a unit of what people and outages do takes, and one of what stations do: outages shorter than anybody's
pause, seconds, hours. None of them coincides with the core's times, which are whole milliseconds."""


class Dice:
    """Draws plans; the same from the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = generator(seed, 0, "dense plans")

    def one_of(self, values: Any) -> Any:
        """One of some values."""
        return values[int(self.chance.integers(len(values)))]

    def column(self, values: Any, count: int, dtype: Any = np.int64) -> Any:
        """So many of them."""
        return np.array([self.one_of(values) for _ in range(count)], dtype)

    def stations(self, nodes: int) -> Stations:
        """Stations of so many nodes, some of them shared."""
        loop_of = self.column(range(nodes), nodes, np.int32)
        own = np.arange(nodes, dtype=np.int32)
        return Stations(
            loop_of=loop_of,
            disk_of=self.one_of((loop_of, own)),
            up_of=self.column(range(nodes), nodes, np.int32),
            down_of=self.column(range(nodes), nodes, np.int32),
            cost_ns=np.array([self.column(DELAYS, nodes) for _ in Cost]),
            content_ns_per_kib=self.column(RATES, nodes),
            blob_ns=self.column(DELAYS, nodes),
            blob_ns_per_kib=self.column(RATES, nodes),
            wake_ns=self.column(DELAYS, nodes),
            round_ns=self.column(DELAYS, nodes),
            round_max=self.column((1, 2, 3, ROUND_MAX), nodes, np.int32),
            servers=self.column((1, 1, 2, 3), nodes, np.int32),
            commit_ns=self.column(DELAYS, nodes),
            commit_extra_ns=self.column(DELAYS, self.one_of((1, 2, 3))),
            up_ns_per_kib=self.column(RATES, nodes),
            down_ns_per_kib=self.column(RATES, nodes),
            up_law=self.one_of((Law.FIFO, Law.LANES)),
        )

    def row(self, nodes: int, hops_max: int) -> tuple[Any, ...]:
        """As `small_plans.deliveries` wants it."""
        return (
            self.one_of(TIMES),
            self.one_of(list(Form)),
            1 + self.one_of(range(hops_max)),
            self.one_of((False, True)),
            self.one_of(SIZES),
            self.column(DELAYS, 3).tolist(),
            self.column(range(nodes), 4).tolist(),
            self.column(DELAYS, self.one_of(range(STATUSES_MAX + 1))).tolist(),
            self.one_of((100, 500, 10_000)),
            self.one_of(range(40)),
        )

    def outage(self, nodes: int, name: str) -> Outage:
        """Of anybody, for any time."""
        inside = np.flatnonzero(self.column((0, 1), nodes)).astype(np.int32)
        begin = self.one_of(TIMES)
        return Outage(name, inside, begin, begin + self.one_of((1, 10, 50, 80, 300, 3_000)), self.one_of((False, True)))


def dense_plan(seed: int) -> Plan:
    """A plan of 2–5 nodes, up to 60 deliveries and three outages, in one of the `UNITS`."""
    dice = Dice(seed)
    nodes, hops_max, count = dice.one_of(range(2, 6)), dice.one_of((1, 3)), dice.one_of(range(5, 61))
    rows = deliveries([dice.row(nodes, hops_max) for _ in range(count)], dice.one_of((0, count // 3)), {})
    plan = Plan(
        node_ids=tuple(f"N{number}" for number in range(nodes)),
        stations=dice.stations(nodes),
        deliveries=rows._replace(priority=dice.column(range(5), count, np.int8)),
        outages=tuple(dice.outage(nodes, str(number)) for number in range(dice.one_of((1, 2, 3)))),
        end_ns=dice.one_of((0, 0, 150, 400)),
    )
    return in_units(plan, *dice.one_of(UNITS))


def in_units(plan: Plan, outside_ns: int, inside_ns: int) -> Plan:
    """The same plan where what people and outages do takes so many ns a unit, and what stations do so many."""
    rows = plan.deliveries
    rows = rows._replace(
        birth_ns=rows.birth_ns * outside_ns,
        status_delay_ns=np.where(rows.status_delay_ns == NEVER, NEVER, rows.status_delay_ns * outside_ns),
        deadline_ns=rows.deadline_ns * outside_ns,
        latency_ns=rows.latency_ns * inside_ns,
        extra_ns={step: column * inside_ns for step, column in rows.extra_ns.items()},
    )
    times = {name: column * inside_ns for name, column in plan.stations._asdict().items() if "_ns" in name}
    outages = tuple(
        each._replace(from_ns=each.from_ns * outside_ns, until_ns=each.until_ns * outside_ns) for each in plan.outages
    )
    stations = plan.stations._replace(**times)
    return plan._replace(deliveries=rows, stations=stations, outages=outages, end_ns=plan.end_ns * outside_ns)
