"""Figures as planners read them: in the unit that fits, with what they are not sure of, and the same word for never."""

from math import inf, nan

import pytest

from docaxis_sim.capacity import spelling
from docaxis_sim.capacity.model import Expectation
from docaxis_sim.capacity.statistics import Interval
from docaxis_sim.capacity.study import Verdict
from docaxis_sim.cli import show
from docaxis_sim.report.scales import spell
from docaxis_sim.report.tables import interval


@pytest.mark.parametrize(
    ("value", "words"),
    [(33_114.0, "9.2 h"), (0.00208, "2.08 ms"), (0.0, "0 s"), (200_000.0, "2.31 days"), (inf, "never"), (nan, "–")],
)
def test_times_are_in_the_unit_that_people_would_take(value: float, words: str) -> None:
    """Nobody reads 33,114 seconds."""
    assert spelling.plain(value, "s") == words


@pytest.mark.parametrize("value", [inf, nan])
def test_never_and_nothing_are_the_same_words_in_the_page_and_in_the_terminal(value: float) -> None:
    """One that says never where the other says none makes two facts of one."""
    found = Interval(value, inf, 3, 0.95)
    words = spelling.plain(value, "s")
    assert {spelling.figure(found, "s"), interval(found, "time").partition(" ")[0], spell(value, "time")} == {words}


@pytest.mark.parametrize(
    ("station", "busy", "visits", "wait_s", "words"),
    [
        ("loop", 0.5, 0, 0.0, "processor: 50 % busy in its busiest hour"),
        ("up", 1.0, 1, 33_114.0, "line from the node: 100 % busy in its busiest hour; 1 visit waited 9.2 h"),
        ("down", 0.1, 142, 0.0, "line to the node: 10 % busy in its busiest hour; 142 visits without waiting"),
        ("disk", 0.1, 2_500, 0.002, "disk: 10 % busy in its busiest hour; 2,500 visits waited 2 ms on average"),
    ],
)
def test_a_bottleneck_is_said_in_plain_words(station: str, busy: float, visits: int, wait_s: float, words: str) -> None:
    """A planner has processors and lines; one visit is not "1 visits"."""
    assert show.waiting(station, *(Interval(each, 0.0, 5, 0.95) for each in (busy, visits, wait_s))) == words


def test_a_bottleneck_is_said_with_what_is_not_known_of_it() -> None:
    """Of one replication nobody knows; of several, half the interval stands behind it."""
    one = [Interval(each, inf, 1, 0.95) for each in (0.5, 10.0, 1.0)]
    assert show.waiting("disk", *one) == "disk: 50 % ±? busy in its busiest hour; 10 visits waited 1 s ±? on average"
    some = [Interval(each, each / 10, 5, 0.95) for each in (0.5, 10.0, 1.0)]
    assert "50.0 % ± 5.0 busy" in show.waiting("disk", *some)
    assert "waited 1.00 s ± 0.10 on average" in show.waiting("disk", *some)


@pytest.mark.parametrize(
    ("mean", "half_width", "words"),
    [
        (12.34, 0.4, "12.3 s ± 0.4"),
        (-0.0001, 0.5, "0 ms ± 500"),
        (12.5, 1e-13, "12.50 s ± 0.00"),
        (12.5, 1e-5, "12.50 s ± 0.01"),
        (8.4, 25.0, "8 s ± 25"),
        (0.553, 0.218, "553 ms ± 218"),
        (3.0, inf, "3 s ±?"),
        (3.0, 0.0, "3 s"),
    ],
)
def test_a_figure_and_its_uncertainty_are_in_one_unit_with_the_same_digits(
    mean: float, half_width: float, words: str
) -> None:
    """Also a difference that is nearly 0, whose uncertainty says which digits count."""
    assert spelling.uncertain(mean, half_width, "s") == words


def test_a_goal_on_what_did_not_occur_is_neither_held_nor_broken(capsys: pytest.CaptureFixture[str]) -> None:
    """There was nothing to judge by, and that is what it says."""
    goal = Expectation("latency.arrived.p99.express_s", "<=", 60.0)
    show.verdicts((Verdict(goal, Interval(nan, inf, 0, 0.0), False),))
    assert capsys.readouterr().out.startswith("NOT KNOWN (nothing of this kind")
