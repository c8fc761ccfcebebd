"""Parts: what every page of an answer has: its figures in large, what must be known first, verdicts, what repeats it.

Words and markup around figures that were measured and estimated elsewhere. What a page is about is not known here.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from docaxis_sim.capacity import spelling
from docaxis_sim.capacity.metrics import about
from docaxis_sim.capacity.model import Expectation, Scenario
from docaxis_sim.capacity.study import Check, Provenance, Replication, Verdict
from docaxis_sim.report import svg
from docaxis_sim.report.html import Column, paragraph, table
from docaxis_sim.report.tables import metric

Fact = tuple[str, str]

_STANDINGS: Final[Mapping[str, str]] = {
    "held": '<b class="held">✓ held</b>',
    "not held": '<b class="broken">✗ not held</b>',
    "undecided": '<b class="open">? undecided</b>',
    "not known": '<b class="open">? not known</b>',
}


def standing(word: str) -> str:
    """One of `Verdict.standing`, as markup."""
    return _STANDINGS[word]


def yes(held: bool) -> str:
    """Whether something held, as markup."""
    return standing("held" if held else "not held")


def goal(expectation: Expectation) -> str:
    """A goal as people write it."""
    return f"{expectation.metric} {wanted(expectation)}"


def wanted(expectation: Expectation) -> str:
    """What a figure is to be."""
    sign = {"<=": "≤", ">=": "≥", "==": "="}.get(expectation.sign, expectation.sign)
    return f"{sign} {spelling.plain(expectation.value, about(expectation.metric).unit)}"


def meaning(name: str) -> str:
    """What a figure is, in plain words."""
    return about(name).about.replace("*", "").replace("`", "")


def goals(verdicts: Iterable[Verdict]) -> str:
    """A table of goals and what came of them; empty where there are none."""
    rows = [(standing(v.standing), goal(v.expectation), metric(v.expectation.metric, v.found)) for v in verdicts]
    columns = [Column("", "markup"), Column("goal · mục tiêu"), Column("found")]
    words = (
        "A goal is held only if the unfavourable end of the interval meets it. Undecided: it lies inside the interval; "
        "more replications may tell."
    )
    return table(columns, rows) + paragraph(words, "pale") if rows else ""


def cards(found: Iterable[tuple[str, str]]) -> str:
    """Figures in large, each with what it is."""
    return f'<div class="cards">{"".join(_card(*each) for each in found)}</div>'


def _card(figure: str, words: str) -> str:
    mean, sign, width = figure.partition(" ±")
    unsure = f"<i>±{svg.escape(width)}</i>" if sign else "<i></i>"
    return f"<div><b>{svg.escape(mean)}</b>{unsure}<span>{svg.escape(words)}</span></div>"


def notes(sentences: Sequence[str]) -> str:
    """What a reader must know before believing a figure; empty where there is nothing."""
    items = "".join(f"<li>{svg.escape(each)}</li>" for each in sentences)
    return f"<aside><b>Before any figure · cần biết trước</b><ul>{items}</ul></aside>" if items else ""


def checks(found: Sequence[Check]) -> str:
    """A table of what must be true of every run."""
    rows = [(yes(check.held), check.name, f"{check.measured:.3g} / {check.allowed:.3g}", check.detail)
            for check in found]  # fmt: skip
    columns = [Column("", "markup"), Column("check"), Column("measured / allowed"), Column("what")]
    return table(columns, rows) if rows else ""


def worst(found: Iterable[Check]) -> list[Check]:
    """Of each check the run in which it came out worst."""
    kept: dict[str, Check] = {}
    for check in found:
        before = kept.setdefault(check.name, check)
        kept[check.name] = max(before, check, key=lambda each: (not each.held, each.measured))
    return list(kept.values())


def pairs(drawn: Sequence[str]) -> str:
    """Two beside each other where there is room."""
    return f'<div class="pairs">{"".join(f"<div>{each}</div>" for each in drawn)}</div>'


def folded(words: str, body: str) -> str:
    """What is there for those who open it."""
    return f"<details><summary>{svg.escape(words)}</summary>{body}</details>"


def runs(scenario: Scenario, replications: Sequence[Replication]) -> list[Fact]:
    """What decided the random numbers of some runs, and who carried them."""
    numbers = sorted({each.number for each in replications})
    return [
        ("random numbers", f"seed {scenario.experiment.seed}, replications {numbers}"),
        ("arrivals", ", ".join(sorted({each.births[:16] for each in replications}))),
        ("engine", ", ".join(sorted({each.engine for each in replications}))),
    ]


def repeat(facts: Sequence[Fact], made: Provenance, scenarios: Mapping[str, Scenario]) -> str:
    """Everything that repeats an answer: its command, `facts`, the versions, and each of the `scenarios` by its name on
    the page."""
    digests = [(name or "scenario", f"SHA-256 {each.digest}") for name, each in scenarios.items()]
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    rows = [("command", made.command), *facts, *digests, ("versions", versions), ("machine", made.machine)]
    inputs = "".join(
        folded(f"{name}: the scenario as it was read" if name else "the scenario as it was read", _json(each.raw))
        for name, each in scenarios.items()
    )
    return (
        table([Column("what"), Column("value")], rows, "repeat-table")
        + inputs
        + folded("where the service times come from", _json(made.calibration))
    )


def _json(value: Any) -> str:
    return f"<pre>{svg.escape(json.dumps(value, indent=1, ensure_ascii=False, default=str))}</pre>"
