"""The page of a capacity question: the answer in a sentence, what was tried against the goal, and what repeats it.

Takes a search's answer as it is and computes none.
"""

from collections.abc import Sequence
from typing import Final

from docaxis_sim.capacity import answers, spelling
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.search import Answer, Scale, Trial
from docaxis_sim.capacity.study import Provenance
from docaxis_sim.report import parts, plots, svg
from docaxis_sim.report.html import Cell, Column, Section, page, paragraph, table
from docaxis_sim.report.plots import Across, Curve, Point, Tick
from docaxis_sim.report.scales import Axis
from docaxis_sim.report.tables import kind_of, metric

_KINDS: Final = {"yes": "good", "undecided": "open", "no": "bad"}
_WORDS: Final = {
    "yes": parts.standing("held"),
    "undecided": parts.standing("undecided"),
    "no": parts.standing("not held"),
}


def render(answer: Answer, scenario: Scenario, between: Scale, replications: int, made: Provenance) -> str:
    """The whole page as text: `scenario` as it is at the low end, `replications` on which an answer is tried."""
    bodies = (
        ("tried", "What was tried", _plot(answer, between, replications)),
        ("table", "Every value", _table(answer)),
        ("repeat", "Repeat it", _repeat(answer, scenario, between, replications, made)),
    )
    asked = f"Which {answer.field} is enough for {parts.goal(answer.goal)}?"
    if not answer.rising:
        asked = f"Up to which {answer.field} does {parts.goal(answer.goal)} hold?"
    subtitle = " · ".join(part for part in (scenario.name_vi, scenario.path.name, "capacity · năng lực") if part)
    notes = [note for note in (answers.other_ways(answer), _sureness(answer, replications)) if note]
    intro = (
        paragraph(scenario.question)
        + f"<h2>{svg.escape(asked)}</h2>"
        + parts.cards(_cards(answer))
        + paragraph(answers.sentence(answer, replications), "answer")
        + parts.notes(notes)
    )
    return page(scenario.name, subtitle, intro, [Section(*each) for each in bodies])


def _cards(answer: Answer) -> list[tuple[str, str]]:
    kind = "smallest" if answer.rising else "largest"
    name = answer.goal.metric
    best = [("none", "meets the goal")]
    if answer.best is not None:
        best = [(answer.best.text, f"{kind} {answer.field} found that meets the goal")]
        best += [(metric(name, answer.best.found), f"{name} there")]
    if answer.failing is None:
        return best
    word = "the nearest that is undecided" if answer.failing.undecided else "the nearest that does not meet it"
    return [*best, (answer.failing.text, word), (metric(name, answer.failing.found), f"{name} there")]


def _sureness(answer: Answer, replications: int) -> str:
    if replications == 1:
        return "One replication: nothing says how far another day would be from it."
    return (
        f"The {spelling.percent(answer.confidence)} are those of each value's own interval, not of there being no "
        "better value. Every value met the same documents."
    )


def _plot(answer: Answer, between: Scale, replications: int) -> str:
    """The whole way, and where it is decided."""
    name = answer.goal.metric
    tried = _last(answer)
    near = [trial for trial in tried if trial.wanted == replications]
    ranges = [("The whole range", tried), ("Near the answer", near)] if 1 < len(near) < len(tried) else [("", tried)]
    drawn = [
        (f"<h3>{heading}</h3>" if heading else "") + _against(answer, between, trials) for heading, trials in ranges
    ]
    words = (
        f"{name}: {parts.meaning(name)}. Green: meets the goal; red: does not; amber: undecided. Whiskers: intervals; "
        "a value without one was tried on one replication, to find the way. The answer and its neighbour were tried "
        f"on all {replications}. A triangle at the upper edge: never."
    )
    return parts.pairs(drawn) + paragraph(words, "pale")


def _against(answer: Answer, between: Scale, trials: Sequence[Trial]) -> str:
    name = answer.goal.metric
    across = Across(answer.field, [Tick(trial.value, trial.text) for trial in trials], not between.whole)
    goal = Tick(answer.goal.value, f"goal {parts.wanted(answer.goal)}")
    curve = Curve(name, [_point(trial, name) for trial in trials])
    return plots.points([curve], across, Axis("", kind_of(name)), [goal], name)


def _last(answer: Answer) -> list[Trial]:
    """Of each value the trial on most replications, by value."""
    most: dict[float, Trial] = {}
    for trial in answer.trials:
        if trial.value not in most or len(trial.figures) >= len(most[trial.value].figures):
            most[trial.value] = trial
    return [most[value] for value in sorted(most)]


def _point(trial: Trial, name: str) -> Point:
    found = trial.found
    words = f"{trial.text}: {metric(name, found)}, {_runs(trial)}"
    return Point(trial.value, found.mean, found.low, found.high, words, _KINDS[answers.standing(trial)])


def _runs(trial: Trial) -> str:
    return "1 replication" if len(trial.figures) == 1 else f"{len(trial.figures)} replications"


def _table(answer: Answer) -> str:
    name = answer.goal.metric
    columns = [Column(answer.field, "number"), Column(name, "number"), Column("replications", "number"),
               Column("goal", "markup")]  # fmt: skip
    rows: Sequence[Sequence[object]] = [
        [Cell(svg.escape(trial.text), trial.value), Cell(svg.escape(metric(name, trial.found)), trial.found.mean),
         len(trial.figures), _WORDS[answers.standing(trial)]]
        for trial in answer.trials
    ]  # fmt: skip
    return table(columns, rows, "trials-table") + paragraph("In the order in which they were tried.", "pale")


def _repeat(answer: Answer, scenario: Scenario, between: Scale, replications: int, made: Provenance) -> str:
    numbers = f"seed {scenario.experiment.seed}, replications 1 to {replications}"
    facts = [
        ("random numbers", numbers),
        ("field", answer.field),
        ("between", f"{between.write(between.low)} and {between.write(between.high)}"),
        ("goal", answers.goal(answer)),
    ]
    return parts.repeat(facts, made, {f"{answer.field} = {between.write(between.low)}": scenario})
