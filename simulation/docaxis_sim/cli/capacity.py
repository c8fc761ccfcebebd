"""`docaxis simulate capacity`: the smallest value of a field with which a goal is met, and how sure that is.

Thin: `docaxis_sim.capacity.search` finds it.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis_sim.cli import common

if TYPE_CHECKING:
    from docaxis_sim.capacity.search import Answer, Trial

    Subparsers = argparse._SubParsersAction[Any]

_EXAMPLES: Final = """\
examples:
  docaxis simulate capacity normal-working-day --find nodes.commune.uplink --between "1 Mbit/s" "100 Mbit/s" \\
      --goal "latency.arrived.p99_s <= 60 s"
  docaxis simulate capacity flood-week --find nodes.province.uplink --between "10 Mbit/s" "1 Gbit/s" \\
      --goal "latency.arrived.p99.express_s <= 60 s" --confidence 0.99
  docaxis simulate capacity ten-years --find load --between 1 64 --goal "utilisation.loop.max <= 80 %"

The field may be one of which more is better (a line) or worse (load); which, is found out at both ends. A value meets
the goal if the whole interval over all replications does, and every value meets the same documents. The neighbour that
fails is tried on all of them, too; where the goal lies inside its interval it is undecided, and more replications may
find a better value. The confidence is that of each value's interval, not of there being no better value.
Exit code 0: found; 1: no value between the two meets the goal; 2: nothing was there to make the figure from.
"""


def add_parser(commands: "Subparsers") -> None:
    """Adds the command."""
    text = "find the smallest value of a field that meets a goal"
    parser = common.add(commands, "capacity", run, text, _EXAMPLES)
    common.scenario_argument(parser)
    parser.add_argument("--find", required=True, metavar="FIELD", help="the field that is asked for")
    parser.add_argument("--between", required=True, nargs=2, metavar=("LOW", "HIGH"), help="where to look, with units")
    parser.add_argument("--goal", required=True, metavar="GOAL", help='such as "latency.arrived.p99_s <= 60 s"')
    parser.add_argument("--confidence", metavar="SHARE", help="of the intervals, instead of the scenario's")
    parser.add_argument(
        "--within", type=_share, default=0.05, metavar="SHARE", help="how near to find it (default 0.05)"
    )
    parser.add_argument("--replications", type=output.positive, metavar="N", help="instead of the scenario's number")
    parser.add_argument("--seed", type=common.whole_number, metavar="N", help="instead of the scenario's seed")
    parser.add_argument("--engine", choices=common.ENGINES, default="", help="who carries it")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write everything that was tried")


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"expected a share between 0 and 1, found {text!r}")
    return share


def run(arguments: argparse.Namespace) -> int:
    """Searches, and says what was found and how it was seen."""
    with common.explained():
        from docaxis_sim.capacity import kinds, search

        overrides = common.overrides(arguments)
        if arguments.confidence is not None:
            overrides["experiment.confidence"] = arguments.confidence
        question = search.Search(
            arguments.scenario, arguments.find, search.scale(*arguments.between), kinds.goal(arguments.goal),
            overrides, arguments.engine, arguments.within, _said,
        )  # fmt: skip
        answer = question.run()
    if arguments.csv is not None:
        arguments.csv.write_text(search.csv_text(answer), encoding="utf-8")
    if arguments.json:
        output.print_json(search.as_json(answer))
    else:
        _show(answer, question.total)
    return main.NEGATIVE if answer.best is None else main.OK


def _said(trial: "Trial") -> None:
    runs = output.counted(len(trial.figures), "replication")
    said = "meets the goal" if trial.met else "undecided" if trial.undecided else "does not"
    output.note(f"{trial.text}: {said} in {runs}")


def _show(answer: "Answer", replications: int) -> None:
    from docaxis_sim.capacity.metrics import about
    from docaxis_sim.cli import show

    unit = about(answer.goal.metric).unit
    rows = [
        (trial.text, show.figure(trial.found, unit), str(len(trial.figures)), _met(trial))
        for trial in sorted(answer.trials, key=lambda each: (each.value, len(each.figures)))
    ]
    goal = f"{answer.goal.metric} {answer.goal.sign} {show.plain(answer.goal.value, unit)}"
    output.print_table(f"Tried for {goal}", (answer.field, "found", "replications", "met"), rows)
    print()
    print(_words(answer, goal, unit, replications))
    if not answer.one_way:
        print("Note: what was tried does not go one way; there may be other answers between the ends.")


def _met(trial: "Trial") -> str:
    return "yes" if trial.met else "undecided" if trial.undecided else "no"


def _words(answer: "Answer", goal: str, unit: str, replications: int) -> str:
    sure = f"with its whole {answer.confidence:.0%} interval over {replications} replications"
    if replications == 1:
        sure = "in one replication, which cannot say how sure that is (±?)"
    if answer.best is None:
        failing = "" if answer.failing is None else f" {_failing(answer.failing, unit)}"
        return f"No value of {answer.field} that was tried meets {goal} {sure}.{failing}"
    if answer.failing is None:
        return f"Both ends meet {goal}; {answer.best.text} does {sure}: look beyond it."
    kind = "smallest" if answer.rising else "largest"
    found = f"{answer.field} = {answer.best.text} is the {kind} value found that meets {goal}, {sure}."
    return f"{found} {_failing(answer.failing, unit)}"


def _failing(trial: "Trial", unit: str) -> str:
    """What is known of the nearest value that does not meet the goal."""
    from docaxis_sim.cli import show

    found = show.figure(trial.found, unit)
    if trial.undecided:
        return f"{trial.text} is undecided, {found}: with more replications it may meet the goal as well."
    return f"{trial.text} does not: {found}."
