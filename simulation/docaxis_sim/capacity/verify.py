"""Verify: the engines against closed forms, as a table that anybody can ask for.

Runs `cases` many times over independent seeds and compares; the formulas are `theory`'s. A row is right when theory
lies inside the interval and the interval is narrow enough to mean something. Of many rows some miss by chance; the
table as a whole fails where chance does not explain it.
"""

from collections.abc import Callable, Iterator, Sequence
from math import comb
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity import reference, vector
from docaxis_sim.capacity.cases import CASES, LONG, UNIT_NS, Case
from docaxis_sim.capacity.chance import generator
from docaxis_sim.capacity.plan import Float, Plan, Run, arrived_ns
from docaxis_sim.capacity.statistics import estimate, student_t

REPLICATIONS: Final = 30
CONFIDENCE: Final = 0.99
HALF_WIDTH_MAX: Final = 0.02
"""Of the mean; a wider interval proves little."""
CHANCE: Final = 0.001
"""How often, at most, a table of right engines is judged wrong by each of two tests: by its number of misses, and by
its farthest one."""
EXACT: Final = 1e-9
"""How near a row without chance must be, relative."""

Carry = Callable[[Plan], Run]
ENGINES: Final[dict[str, Carry]] = {"vector": vector.carry, "reference": reference.carry}


class Row(NamedTuple):
    """One figure of one case: what theory says, the mean over replications and the half-width of its interval; times in
    mean services."""

    case: str
    figure: str
    engine: str
    theory: float
    mean: float
    half_width: float

    @property
    def is_right(self) -> bool:
        """Whether theory lies inside an interval that is narrow enough."""
        return self.is_near(1.0) and self.is_narrow

    @property
    def is_narrow(self) -> bool:
        """Whether the interval means something."""
        return self.half_width <= HALF_WIDTH_MAX * self.theory

    def is_near(self, factor: float) -> bool:
        """Whether theory lies within so many half-widths; without chance in it, whether it is met."""
        return abs(self.mean - self.theory) <= (factor * self.half_width or EXACT * self.theory)


def explained(found: Sequence[Row]) -> bool:
    """Whether chance explains what is not right in a table: no more misses than `allowed`, and none so far off that it
    lies outside an interval which all rows together leave in one of 1,000 cases (Bonferroni). Chance explains neither a
    miss where there is none, nor a wide interval."""
    drawn = [row for row in found if row.half_width]
    if not all(row.is_narrow and (row.half_width or row.is_right) for row in found):
        return False
    if not drawn:
        return True
    far = student_t(1 - CHANCE / len(drawn), REPLICATIONS - 1) / student_t(CONFIDENCE, REPLICATIONS - 1)
    misses = sum(not row.is_near(1.0) for row in drawn)
    return misses <= allowed(len(drawn)) and all(row.is_near(far) for row in drawn)


def allowed(count: int) -> int:
    """Of so many rows, how many may miss before chance, 1 in 100 for each, would do that in fewer than 1 of 1,000
    tables: a binomial tail. Figures of one case share their runs, so that it is an approximation."""
    miss, more = 1 - CONFIDENCE, 1.0
    for misses in range(count + 1):
        more -= comb(count, misses) * miss**misses * (1 - miss) ** (count - misses)
        if more < CHANCE:
            return misses
    return count


def rows(engine: str, seed: int = 1, cases: Sequence[Case] = CASES, size: float = 1.0) -> Iterator[Row]:
    """Every figure of the cases, each as soon as it is there, carried by `engine` (a law that only the reference
    engine knows, by that). `size`: how many customers, relative to what makes intervals narrow enough. Raises
    `docaxis_sim.capacity.plan.CannotCarry` where the engine lacks something."""
    for case in cases:
        used = "reference" if case.reference_only else engine
        values = measured(case, ENGINES[used], seed, REPLICATIONS, size)
        for (figure, expected), column in zip(_expected(case), values.T, strict=True):
            found = estimate(column.tolist(), CONFIDENCE)
            yield Row(case.name, figure, used, expected, found.mean, found.half_width)


def measured(case: Case, carry: Carry, seed: int, replications: int, size: float = 1.0) -> Float:
    """The figures of each replication, ``(replications, figures)``; one replication where nothing is left to chance,
    twice."""
    if not case.customers:
        return np.tile(_once(case, carry, generator(seed, 0, case.name), 0), (2, 1))
    total = round(case.customers * size)
    return np.array([_once(case, carry, generator(seed, number, case.name), total) for number in range(replications)])


def _once(case: Case, carry: Carry, chance: np.random.Generator, total: int) -> Float:
    crowd = case.make(chance, total)
    sojourn = (arrived_ns(crowd.plan, carry(crowd.plan)) - crowd.came_ns) / UNIT_NS
    sojourn, service = sojourn[crowd.counted], crowd.service[crowd.counted]
    figures = [sojourn.mean()]
    if case.sojourn.tail is not None:
        figures.append(np.quantile(sojourn, 0.95, method="inverted_cdf"))
    if case.slowdown:
        is_long = service > LONG
        figures.append((sojourn[is_long] / service[is_long]).mean())
    return np.array(figures)


def _expected(case: Case) -> list[tuple[str, float]]:
    known = [("mean", case.sojourn.mean)]
    if case.sojourn.tail is not None:
        known.append(("p95", case.sojourn.quantile(0.95)))
    if case.slowdown:
        known.append(("slowdown of long jobs", case.slowdown))
    return known
