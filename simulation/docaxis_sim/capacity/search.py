"""Search: the smallest (or largest) value of a field with which a goal is met, by halving, on common random numbers.

A value meets the goal if the unfavourable end of the interval over all replications does; its neighbour that fails
was tried on all of them, too. Every value meets the same documents at the same moments; a plan that a value does not
change is prepared once. What is asked is answered only where the figure goes one way with the field: what was tried is
in the answer, so that anybody can see.
"""

import re
from collections.abc import Callable
from functools import partial
from math import ceil, exp, isfinite, isnan, log, log2
from pathlib import Path
from typing import Final, NamedTuple

from docaxis_sim.capacity.asked import Asked, Found, Plans, figure
from docaxis_sim.capacity.experiment import FIRST, look_up, verdict
from docaxis_sim.capacity.metrics import NEVER_NEGATIVE
from docaxis_sim.capacity.model import Expectation, Scenario
from docaxis_sim.capacity.runner import Progress, Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.statistics import Interval, all_one_way, estimate, paired, student_t
from docaxis_sim.capacity.units import DURATION, RATE, SIZE, BadValue, Unit

PRECISION: Final = 0.05
"""The answer is known to within this share of itself, unless asked for otherwise; of whole numbers exactly."""

_LINES: Final = ("uplink", "downlink")
"""Fields that nothing but links depends on."""

_NOT_ASKED: Final = re.compile(r"experiment(\..*)?|days")
"""Fields that say which documents are sent and how often they are looked at, not what carries them."""


class BadSearch(ValueError):
    """A question that cannot be meant; says what is wrong with it."""


class Scale(NamedTuple):
    """How values between two ends are counted and written. `whole`: 1, 2, 3 …; else by ratios, as lines are bought."""

    low: float
    high: float
    whole: bool
    write: Callable[[float], str]

    def middle(self, low: float, high: float) -> float:
        """The value to try next."""
        return float((int(low) + int(high)) // 2) if self.whole else float(f"{exp((log(low) + log(high)) / 2):.3g}")

    def beyond(self, value: float, steps: int, end: float, precision: float) -> float:
        """The value so many of the smallest steps away, but not past `end`."""
        found = value + steps if self.whole else float(f"{value * (1 + precision) ** steps:.3g}")
        return min(found, end) if steps > 0 else max(found, end)

    def near(self, low: float, high: float, precision: float) -> bool:
        """Whether there is nothing left to try between two values."""
        return high <= low * (1 + (0 if self.whole else precision)) or self.middle(low, high) in (low, high)

    def halves(self, precision: float) -> int:
        """How often what lies between the ends is halved until it is that near."""
        steps = self.high - self.low if self.whole else log(self.high / self.low) / log(1 + precision)
        return ceil(log2(max(1.0, steps)))


class Trial(NamedTuple):
    """One value that was tried: how many replications were `wanted`, the figure in each that was run (fewer, where
    those decide), its interval, whether the goal was met, and whether it is `undecided`: not met, but inside the
    interval, so that more replications might say otherwise."""

    value: float
    text: str
    wanted: int
    figures: tuple[float, ...]
    found: Interval
    met: bool
    undecided: bool


class Answer(NamedTuple):
    """`best`: the value nearest to the failing ones that meets the goal in all replications, or None; `failing`: the
    value nearest to it that, in all replications, does not, or None. `confidence` is that of each of the two intervals,
    not of there being no better value. `rising`: larger values are the better ones; None where both ends meet the
    goal, or neither does, and it is not sure which is better. `one_way`: nothing that was tried contradicts that.
    `trials` in the order in which they were run."""

    field: str
    goal: Expectation
    confidence: float
    best: Trial | None
    failing: Trial | None
    rising: bool | None
    one_way: bool
    trials: tuple[Trial, ...]


def scale(low: str, high: str) -> Scale:
    """Reads both ends, such as ``1 Mbit/s`` and ``100 Mbit/s``, or 1 and 16; raises `BadSearch`."""
    for unit in (RATE, SIZE, DURATION):
        try:
            ends = unit.read(low), unit.read(high)
        except BadValue:
            continue
        return _checked(Scale(float(ends[0]), float(ends[1]), False, partial(_quantity, unit)))
    try:
        first, last = float(low), float(high)
    except ValueError as error:
        raise BadSearch(f"{low!r} and {high!r}: two numbers, or two quantities of one kind with their units") from error
    whole = all(text.strip().lstrip("+").isdigit() for text in (low, high))
    return _checked(Scale(first, last, whole, "{:.0f}".format if whole else "{:.6g}".format))


def _quantity(unit: Unit, value: float) -> str:
    return unit.write(round(value))


def _checked(made: Scale) -> Scale:
    if not 0 < made.low < made.high < float("inf"):
        raise BadSearch("the first end lies above 0 and below the second")
    return made


class Search:
    """One question about one scenario."""

    def __init__(
        self,
        path: Path | str,
        field: str,
        between: Scale,
        goal: Expectation,
        overrides: dict[str, object] | None = None,
        engine: str = "",
        precision: float = PRECISION,
        told: Callable[[Trial], None] | None = None,
        runner: Runner | None = None,
        ran: Callable[[Found], None] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """`told` is called with every trial, `ran` with every run, `progress` with what happens inside one. The answer
        is the same whatever the `runner`. Raises `BadScenario` where scenario, field or goal are wrong, and `BadSearch`
        where no two values of the field would meet the same documents."""
        if _NOT_ASKED.fullmatch(field):
            raise BadSearch(
                f"{field} cannot be searched: every value must meet the same documents, and it decides which "
                "they are, or how many replications; docaxis simulate sweep shows what becomes of a figure with it"
            )
        self.path, self.field, self.between, self.goal = path, field, between, goal
        self.overrides, self.engine, self.precision = overrides or {}, engine, precision
        self.told, self.runner = told or (lambda _: None), runner or Runner()
        self.ran, self.progress = ran or (lambda _: None), progress
        self.scenario = self._at(between.low)
        look_up([goal.metric], self.scenario)
        self.confidence = self.scenario.experiment.confidence
        self.total = self.scenario.experiment.replications
        self.trials: list[Trial] = []
        self._known: dict[tuple[float, int], float] = {}
        self._plans = Plans()

    @property
    def runs_expected(self) -> int:
        """About how many runs it takes: both ends and what lies between by halves on one replication, then two values
        on the others. It may be some more, where replications disagree."""
        return 2 + self.between.halves(self.precision) + 2 * (self.total - 1)

    def run(self) -> Answer:
        """Tries both ends, then halves what lies between until it is narrow enough, on one replication; what seems to
        be the answer, and its neighbour that seems to fail, are tried on all. If they disagree, it goes on from there
        in growing steps, and back by halves, on all of them. Ends that seem alike are tried on all. Raises what
        preparing and carrying do, and `BadSearch` where a value leaves nothing to make the figure from."""
        low, high = self.between.low, self.between.high
        low_met, high_met = self._seems_met(low), self._seems_met(high)
        seems_met = low_met and high_met
        if low_met != high_met:
            best, worst = (high, low) if high_met else (low, high)
            good, bad = self._settled(*self._narrowed(best, worst, self._seems_met), best, worst)
            if good is not None and bad is not None:
                return self._answer(good, bad, high_met)
        low_met, high_met = self._is_met(low), self._is_met(high)
        if low_met == high_met:
            return self._alike(low_met)
        best, worst = (high, low) if high_met else (low, high)
        near = worst if seems_met else best
        return self._answer(*self._settled(near, near, best, worst), high_met)

    def _alike(self, met: bool) -> Answer:
        """Both ends meet the goal on all replications, or neither does: nothing is claimed of which is the better one
        unless the difference in pairs is sure."""
        low, high = self.between.low, self.between.high
        rising = self._surely_rising()
        best, worst = (high, low) if (self._better(high, low) if rising is None else rising) else (low, high)
        return self._answer(worst, None, rising) if met else self._answer(None, best, rising)

    def _surely_rising(self) -> bool | None:
        """Whether the upper end is further on the goal's side than the lower one, on the same replications; None where
        that is not sure, or the goal has no side."""
        ends = [self._tried(end, self.total, to_the_end=True).figures for end in (self.between.low, self.between.high)]
        count = min(map(len, ends))
        low, high = ends[0][:count], ends[1][:count]
        apart = paired(low, high, self.confidence)
        sure = apart.low > 0 or apart.high < 0 if isfinite(apart.mean) else all_one_way(low, high, self.confidence)
        if not sure or self.goal.sign == "==":
            return None
        rises = apart.mean > 0 if isfinite(apart.mean) else any(b > a for a, b in zip(low, high, strict=True))
        return rises == (self.goal.sign in (">=", ">"))

    def _settled(self, good: float, bad: float, best: float, worst: float) -> tuple[float | None, float | None]:
        """The two neighbours between which the answer changes on all replications; None for one beyond the ends."""
        met = self._is_met(good)
        end = worst if met else best
        step = 1 if end > (best if met else worst) else -1
        here, there = good, bad if met and bad != good else self.between.beyond(good, step, end, self.precision)
        while here != end and self._is_met(there) == met:
            step *= 2
            here, there = there, self.between.beyond(good, step, end, self.precision)
        if here == end:
            return (here, None) if met else (None, here)
        return self._narrowed(*((here, there) if met else (there, here)), self._is_met)

    def _better(self, one: float, other: float) -> bool:
        """Whether the figure is further on the goal's side with one value than with another."""
        smaller = self._figure(one, FIRST) <= self._figure(other, FIRST)
        return smaller if self.goal.sign in ("<=", "<") else not smaller

    def _narrowed(self, good: float, bad: float, met: Callable[[float], bool]) -> tuple[float, float]:
        """Halves what lies between a value that meets the goal and one that does not."""
        while not self.between.near(min(good, bad), max(good, bad), self.precision):
            middle = self.between.middle(min(good, bad), max(good, bad))
            good, bad = (middle, bad) if met(middle) else (good, middle)
        return good, bad

    def _seems_met(self, value: float) -> bool:
        """Whether one replication meets the goal."""
        return self._tried(value, 1).met

    def _is_met(self, value: float) -> bool:
        """Whether all replications together do."""
        return self._tried(value, self.total).met

    def _tried(self, value: float, replications: int, to_the_end: bool = False) -> Trial:
        """A value's trial on so many replications; `to_the_end`: on each of them, also where fewer decide."""
        for trial in self.trials:
            if trial.value == value and trial.wanted == replications and not (to_the_end and _cut_short(trial)):
                return trial
        figures: list[float] = []
        for replication in range(FIRST, FIRST + replications):
            self._ahead(value, range(replication, FIRST + replications))
            figures.append(self._figure(value, replication))
            if not isfinite(figures[-1]) or (self._hopeless(figures) and not to_the_end):
                break
        trial = self._judged(value, replications, tuple(figures))
        self.trials = [each for each in self.trials if (each.value, each.wanted) != (value, replications)] + [trial]
        self.told(trial)
        return trial

    def _judged(self, value: float, replications: int, figures: tuple[float, ...]) -> Trial:
        found = estimate(figures, self.confidence)
        complete = len(figures) == replications
        met = complete and verdict(self.goal, {self.goal.metric: found}).held
        inside = isfinite(found.half_width) and found.low <= self.goal.value <= found.high
        text = self.between.write(value)
        return Trial(value, text, replications, figures, found, met, complete and inside and not met)

    def _hopeless(self, figures: list[float]) -> bool:
        """Whether the goal is missed whatever the replications to come say: a Student interval of n values holds all of
        them where n − 1 ≤ t, and a mean of figures that are never negative is not below their sum over n."""
        if self.goal.sign not in ("<=", "<"):
            return False
        if self.total > 1 and self.total - 1 <= student_t(self.confidence, self.total - 1):
            return max(figures) > self.goal.value
        return self.goal.metric.startswith(NEVER_NEGATIVE) and sum(figures) / self.total > self.goal.value

    def _ahead(self, value: float, replications: range) -> None:
        """Finds out the first of some figures side by side, as many as the runner takes; they count in their order."""
        some = replications[: self.runner.workers]
        if len(some) > 1 and (value, some[0]) not in self._known:
            asked = [self._asked(value, each) for each in some if (value, each) not in self._known]
            of_one = None if self.progress is None else partial(_shared_out, self.progress, len(asked))
            found = self.runner.each(figure, asked, self.ran, of_one)
            self._known |= {(value, one.replication): each.value for one, each in zip(asked, found, strict=True)}

    def _figure(self, value: float, replication: int) -> float:
        if (value, replication) not in self._known:
            found = figure(self._asked(value, replication), self.progress, self._plans)
            self.ran(found)
            self._known[value, replication] = found.value
        if isnan(self._known[value, replication]):
            raise BadSearch(
                f"{self.goal.metric}: with {self.field} = {self.between.write(value)} there is nothing in "
                f"replication {replication} to make it from; no document of this kind was sent"
            )
        return self._known[value, replication]

    def _asked(self, value: float, replication: int) -> Asked:
        shared = self.scenario.digest if self.field.endswith(_LINES) else ""
        return Asked(self._at(value), replication, self.engine, self.goal.metric, shared)

    def _at(self, value: float) -> Scenario:
        return load(self.path, {**self.overrides, self.field: self.between.write(value)})

    def _one_way(self, wanted: int, rising: bool | None) -> bool:
        """Whether, among what was tried on so many replications, no value fails beyond one that meets the goal."""
        if rising is None:
            return self._one_way(wanted, True) or self._one_way(wanted, False)
        met = {trial.value: trial.met for trial in self.trials if trial.wanted == wanted}
        order = [met[value] for value in sorted(met, reverse=not rising)]
        return order == sorted(order)

    def _answer(self, good: float | None, bad: float | None, rising: bool | None) -> Answer:
        if bad is not None:
            self._tried(bad, self.total, to_the_end=True)
        last = {trial.value: trial for trial in self.trials}
        return Answer(
            self.field,
            self.goal,
            self.confidence,
            None if good is None else last[good],
            None if bad is None else last[bad],
            rising,
            all(self._one_way(wanted, rising) for wanted in (1, self.total)),
            tuple(self.trials),
        )


def _shared_out(progress: Progress, runs: int, simulated_ns: int, arrived: int) -> None:
    """Tells what happened in several runs together as if it had been one."""
    progress(simulated_ns // runs, arrived)


def _cut_short(trial: Trial) -> bool:
    """Whether it ended before the figures that were asked for, though all of them are finite."""
    return len(trial.figures) < trial.wanted and all(map(isfinite, trial.figures))
