"""Answers: what a search found out, in a sentence, as JSON and as CSV.

Words and layout: nothing is searched here.
"""

import csv
import io
from math import isfinite
from typing import Any

from docaxis_sim.capacity import spelling
from docaxis_sim.capacity.files import interval, number
from docaxis_sim.capacity.metrics import about
from docaxis_sim.capacity.search import Answer, Trial


def goal(answer: Answer) -> str:
    """What was asked for, as people write it."""
    return (
        f"{answer.goal.metric} {answer.goal.sign} {spelling.plain(answer.goal.value, about(answer.goal.metric).unit)}"
    )


def standing(trial: Trial) -> str:
    """What is known of a value: ``yes``, ``no`` or ``undecided``."""
    return "yes" if trial.met else "undecided" if trial.undecided else "no"


def sentence(answer: Answer, replications: int) -> str:
    """The answer, how sure it is, and what is known of the nearest value that fails."""
    wanted = goal(answer)
    sure = f"with its whole {spelling.percent(answer.confidence)} interval over {replications} replications"
    if replications == 1:
        sure = "in one replication, which cannot say how sure that is (±?)"
    if answer.best is None:
        failing = "" if answer.failing is None else f" {_failing(answer, answer.failing)}"
        return f"No value of {answer.field} that was tried meets {wanted} {sure}.{failing}"
    if answer.failing is None:
        return f"{_everywhere(answer)} meets {wanted}, {sure}. {_beyond(answer)}"
    kind = "smallest" if answer.rising else "largest"
    found = f"{answer.field} = {answer.best.text} is the {kind} value found that meets {wanted}, {sure}."
    return f"{found} {_failing(answer, answer.failing)}"


def _everywhere(answer: Answer) -> str:
    """What was tried where both ends meet the goal."""
    ends = sorted(answer.trials, key=lambda trial: trial.value)
    return f"Every value of {answer.field} that was tried from {ends[0].text} to {ends[-1].text}"


def _beyond(answer: Answer) -> str:
    """Where to look on, as far as that is known."""
    if answer.rising is None or answer.best is None:
        return "Which end is the better one is not sure."
    return f"{'Larger' if answer.rising else 'Smaller'} values are better: look beyond {answer.best.text}."


def _failing(answer: Answer, trial: Trial) -> str:
    """What is known of the nearest value that does not meet the goal."""
    found = spelling.figure(trial.found, about(answer.goal.metric).unit)
    if trial.undecided:
        return f"{trial.text} is undecided, {found}: with more replications it may meet the goal as well."
    return f"{trial.text} does not: {found}."


def other_ways(answer: Answer) -> str:
    """What is to be said where the answer may not be the only one; empty where it is."""
    if answer.one_way:
        return ""
    return "What was tried does not go one way; there may be other answers between the ends."


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer with everything that was tried; what is not finite is null."""
    return {
        "field": answer.field,
        "goal": answer.goal._asdict(),
        "confidence": answer.confidence,
        "best": answer.best and _trial_json(answer.best),
        "failing": answer.failing and _trial_json(answer.failing),
        "larger_is_better": answer.rising,
        "one_way": answer.one_way,
        "trials": [_trial_json(trial) for trial in answer.trials],
    }


def _trial_json(trial: Trial) -> dict[str, Any]:
    return {
        "value": trial.text,
        "figures": [number(figure) for figure in trial.figures],
        "found": interval(trial.found),
        "met": trial.met,
        "undecided": trial.undecided,
    }


def csv_text(answer: Answer) -> str:
    """A line per trial."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow([answer.field, answer.goal.metric, "half_width", "replications", "met"])
    for trial in answer.trials:
        half_width = repr(trial.found.half_width) if isfinite(trial.found.half_width) else ""
        out.writerow([trial.text, repr(trial.found.mean), half_width, len(trial.figures), int(trial.met)])
    return text.getvalue()
