"""The answer is the smallest value that meets the goal in all replications, and the nearest one that does not."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from docaxis_sim.capacity import answers, search
from docaxis_sim.capacity.asked import Found, Plans
from docaxis_sim.capacity.kinds import goal
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.capacity.plan import Deliveries, Stations
from docaxis_sim.capacity.prepare import prepare
from docaxis_sim.capacity.runner import Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.search import Answer, Scale, Search
from tests.simulation.capacity.measured import SMALL

THIN = ("nodes.province.uplink", "100 kbit/s", "100 Mbit/s", "latency.arrived.p99_s <= 2 s")


def answered(field: str, low: str, high: str, stated: str, **overrides: object) -> Answer:
    """A question about the small scenario."""
    changed = {name.replace("__", "."): value for name, value in overrides.items()}
    changed |= {"experiment.replications": 4, "experiment.replications_max": 4}
    return Search(SMALL, field, search.scale(low, high), goal(stated), changed).run()


def test_the_smallest_line_that_meets_a_goal_is_found() -> None:
    """It does in all replications with its whole interval; a line five per cent thinner, tried in all, does not."""
    found = answered(*THIN)
    assert found.rising
    assert found.one_way
    assert found.best is not None
    assert found.failing is not None
    assert len(found.best.figures) == len(found.failing.figures) == 4
    assert found.best.found.high <= 2 < found.failing.found.high
    assert found.failing.value < found.best.value <= 1.05 * found.failing.value * 1.001
    assert not found.failing.met
    assert len(found.trials) <= 20


def test_what_more_of_makes_worse_is_searched_from_the_other_end() -> None:
    """The largest load that the lines carry."""
    found = answered("load", "1", "8", "utilisation.up.max <= 3 %", nodes__province__uplink="500 kbit/s")
    assert not found.rising
    assert found.best is not None
    assert found.failing is not None
    assert found.failing.value == found.best.value + 1


def test_no_value_between_the_ends_may_meet_a_goal() -> None:
    """That is an answer, too: both ends were tried, and the better one in each of all replications."""
    found = answered("nodes.province.uplink", "1 Mbit/s", "9 Mbit/s", "latency.arrived.p99_s <= 1 ms")
    assert found.best is None
    assert found.failing is not None
    assert (found.failing.text, len(found.failing.figures)) == ("9 Mbit/s", 4)
    assert len(found.trials) == 4
    assert "No value of nodes.province.uplink that was tried meets" in answers.sentence(found, 4)


def test_every_value_between_the_ends_may_meet_it() -> None:
    """Then the cheaper end is the answer, and it was tried in all replications."""
    found = answered("nodes.province.uplink", "10 Mbit/s", "90 Mbit/s", "latency.arrived.p99_s <= 1 h")
    assert found.rising
    assert found.failing is None
    assert found.best is not None
    assert found.best.text == "10 Mbit/s"
    assert len(found.best.figures) == 4


def test_where_every_value_meets_a_goal_both_ends_are_tried_and_a_direction_is_said_only_where_it_is_sure() -> None:
    """Wider lines are faster in each replication; nothing expires with any of them."""
    faster = answered("nodes.province.uplink", "10 Mbit/s", "90 Mbit/s", "latency.arrived.p99_s <= 1 h")
    alike = answered("nodes.province.uplink", "10 Mbit/s", "90 Mbit/s", "expired <= 5")
    for found in (faster, alike):
        assert {trial.text for trial in found.trials if len(trial.figures) == 4} == {"10 Mbit/s", "90 Mbit/s"}
        said = answers.sentence(found, 4)
        assert "Every value of nodes.province.uplink that was tried from 10 Mbit/s to 90 Mbit/s meets" in said
    assert "Larger values are better: look beyond 10 Mbit/s." in answers.sentence(faster, 4)
    assert alike.rising is None
    assert alike.one_way
    assert "Which end is the better one is not sure." in answers.sentence(alike, 4)


def test_ends_that_one_replication_likes_and_all_do_not_are_searched_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the first both ends meet the goal, as if every value did; with all of them it takes 15."""
    found = _with(Curve((-95.0, *[0.0] * 19)), monkeypatch, goal_text="latency.arrived.p99_s <= 50 s")
    assert found.rising
    assert found.best is not None
    assert found.failing is not None
    assert found.best.value == found.failing.value + 1


@pytest.mark.parametrize("field", ["experiment.seed", "experiment.replications", "days"])
def test_a_field_that_decides_which_documents_there_are_is_refused(field: str) -> None:
    """Its values would be compared on different ones, or on a different number of replications."""
    with pytest.raises(search.BadSearch, match="every value must meet the same documents"):
        Search(SMALL, field, search.scale("1", "9"), goal("expired <= 1"))


def test_the_same_question_has_the_same_answer() -> None:
    """Common random numbers, and nothing else that is random."""
    question = ("nodes.province.uplink", "1 Mbit/s", "2 Mbit/s", "latency.arrived.p99_s <= 1 ms")
    assert answered(*question) == answered(*question)


def test_replications_side_by_side_give_the_same_answer() -> None:
    """Real processes; more may be run than count, but what counts, counts in order."""
    field, low, high, stated = THIN
    overrides: dict[str, object] = {"experiment.replications": 4, "experiment.replications_max": 4}
    ran: list[Found] = []
    with Runner(2) as two:
        question = Search(SMALL, field, search.scale(low, high), goal(stated), overrides, runner=two, ran=ran.append)
        found = question.run()
    alone = answered(*THIN)
    assert found == alone
    assert len(ran) >= len({(trial.value, place) for trial in alone.trials for place in range(len(trial.figures))})


def test_a_plan_with_new_lines_is_the_plan_that_would_be_prepared() -> None:
    """What the search keeps from value to value changes nothing."""
    question = Search(SMALL, "nodes.province.uplink", search.scale("1 Mbit/s", "9 Mbit/s"), goal("expired <= 1"))
    plans = Plans()
    plans.prepared(question._asked(1e6, 1))
    kept = plans.prepared(question._asked(9e6, 1)).plan
    fresh = prepare(load(SMALL, {"nodes.province.uplink": "9 Mbit/s"}), 1).plan
    for name in Stations._fields:
        assert np.array_equal(getattr(kept.stations, name), getattr(fresh.stations, name)), name
    for name in Deliveries._fields:
        one, other = getattr(kept.deliveries, name), getattr(fresh.deliveries, name)
        same = (
            np.array_equal(one, other) if name != "extra_ns" else all(map(np.array_equal, one.values(), other.values()))
        )
        assert same, name


@dataclass
class Curve:
    """A figure that is known: noise of a replication around a curve of the value."""

    noise: tuple[float, ...] = (0.0, 0.0, 0.0)
    rising: bool = False
    asked: list[tuple[float, int]] = field(default_factory=list)

    def figure(self, value: float, replication: int) -> float:
        """The figure, as the search asks for it."""
        self.asked.append((value, replication))
        return (value if self.rising else 100 / value) + self.noise[replication - 1]


def _with(
    curve: Curve,
    monkeypatch: pytest.MonkeyPatch,
    confidence: float = 0.95,
    goal_text: str = "latency.arrived.p99_s <= 10 s",
) -> Answer:
    count = len(curve.noise)
    overrides: dict[str, object] = {"experiment.replications": count, "experiment.replications_max": count}
    overrides["experiment.confidence"] = confidence
    question = Search(SMALL, "load", search.scale("1", "128"), goal(goal_text), overrides)
    monkeypatch.setattr(question, "_figure", curve.figure)
    return question.run()


def test_a_value_that_one_replication_likes_and_the_others_do_not_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first replication says 10, the third needs 20: the answer holds for all of them, with confidence."""
    found = _with(Curve((0.0, 0.0, 5.0)), monkeypatch)
    assert found.best is not None
    assert found.best.found.high <= 10
    assert len(found.best.figures) == 3
    assert found.failing is not None
    assert found.failing.value < found.best.value


def test_without_noise_the_answer_is_exact_and_costs_few_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole numbers: 10 meets the goal, 9 does not; one replication of most values, three of these two."""
    curve = Curve()
    found = _with(curve, monkeypatch)
    assert found.best is not None
    assert found.failing is not None
    assert (found.best.value, found.failing.value) == (10, 9)
    assert len(curve.asked) <= 17
    scale = search.scale("1", "128")
    expected = Search(SMALL, "load", scale, goal("expired <= 1"), {"experiment.replications": 3}).runs_expected
    assert abs(expected - len(set(curve.asked))) <= 3  # people are told beforehand how long it takes
    assert len(found.failing.figures) == 3
    assert not found.failing.undecided


def test_a_first_replication_with_bad_luck_does_not_hide_a_smaller_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """It alone needs 50; all eight together, with their interval, 16. The neighbour is tried on all, too."""
    found = _with(Curve((8.0, *[0.0] * 7)), monkeypatch)
    assert found.best is not None
    assert found.failing is not None
    assert found.best.value < 25
    assert found.best.value == found.failing.value + 1
    assert found.best.found.high <= 10 < found.failing.found.high
    assert len(found.failing.figures) == 8


def test_a_goal_inside_the_neighbours_interval_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not fail for sure: more replications might find a better value."""
    found = _with(Curve((0.0, 1.0, -1.0, 0.5, -0.5)), monkeypatch)
    assert found.failing is not None
    assert found.failing.undecided
    assert found.failing.found.low <= 10 <= found.failing.found.high
    assert answers.as_json(found)["failing"]["undecided"] is True
    assert not any(trial.undecided for trial in found.trials if trial.met or trial.wanted == 1)


def test_ends_that_one_replication_dislikes_are_tried_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first has no value that meets the goal; all of them together do."""
    found = _with(Curve((9.5, *[0.0] * 19)), monkeypatch)
    assert found.best is not None
    assert found.best.found.high <= 10
    assert len(found.best.figures) == 20


def test_larger_loads_are_looked_for_beyond_what_the_first_replication_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where less is better."""
    found = _with(Curve((4.0, *[0.0] * 7), rising=True), monkeypatch)
    assert not found.rising
    assert found.best is not None
    assert found.failing is not None
    assert 6 < found.best.value == found.failing.value - 1


def test_a_question_about_what_nobody_sends_is_refused() -> None:
    """Not answered with no: nothing was measured. What cannot occur at all is refused before anything runs."""
    with pytest.raises(search.BadSearch, match="no document of this kind was sent"):
        answered(
            "load", "1", "2", "latency.arrived.p99.tier.central_s <= 1 min", traffic__letters__to="any:tier:province"
        )
    with pytest.raises(BadScenario, match="there is no node of tier hub"):
        answered("load", "1", "2", "utilisation.loop.max.tier.hub <= 80 %")


def test_a_miss_that_is_certain_costs_no_further_replications(monkeypatch: pytest.MonkeyPatch) -> None:
    """With three replications a Student interval holds all three values: one above the goal decides."""
    found = _with(Curve((0.0, 3.0, 0.0)), monkeypatch)
    assert any(len(trial.figures) == 2 and not trial.met for trial in found.trials)


@pytest.mark.parametrize(
    ("low", "high"),
    [("1 Mbit/s", "9 s"), ("9", "1"), ("0", "5"), ("one", "two"), ("3 Mbit/s", "1 Mbit/s"), ("1", "nan")],
)
def test_ends_that_cannot_be_meant_are_refused(low: str, high: str) -> None:
    """Two kinds, the wrong way round, nothing, or no numbers."""
    with pytest.raises(search.BadSearch):
        search.scale(low, high)


def test_what_there_is_not_is_refused_before_anything_runs() -> None:
    """The field and the figure."""
    scale = search.scale("1", "9")
    with pytest.raises(BadScenario, match="no such field"):
        Search(SMALL, "lod", scale, goal("expired <= 1"))
    with pytest.raises(BadScenario, match="there is no metric"):
        Search(SMALL, "load", scale, goal("exspired <= 1"))


def test_quantities_are_halved_by_ratio_and_whole_numbers_by_difference() -> None:
    """A line is bought by its order of magnitude, servers by the piece."""
    rates: Scale = search.scale("1 Mbit/s", "100 Mbit/s")
    assert rates.middle(1e6, 1e8) == pytest.approx(1e7)
    assert rates.write(4.06e6) == "4060 kbit/s"
    pieces = search.scale("1", "16")
    assert pieces.middle(1, 16) == 8
    assert pieces.near(8, 9, 0.05)
    assert not pieces.near(8, 10, 0.05)


def test_an_answer_can_be_read_by_programs() -> None:
    """As JSON and as CSV, a line per trial."""
    found = answered("nodes.province.uplink", "1 Mbit/s", "9 Mbit/s", "latency.arrived.p99_s <= 1 ms")
    assert answers.as_json(found)["best"] is None
    assert answers.csv_text(found).count("\n") == 1 + len(found.trials)
