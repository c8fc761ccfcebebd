"""`docaxis simulate capacity`: the smallest value of a field with which a goal is met, and how sure that is.

Thin: `docaxis_sim.capacity.search` finds it, `answers` says it.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis_sim.cli import common

if TYPE_CHECKING:
    from docaxis_sim.capacity.search import Answer, Search, Trial

    Subparsers = argparse._SubParsersAction[Any]

_EXAMPLES: Final = """\
examples:
  docaxis simulate capacity normal-working-day --find nodes.commune.uplink --between "1 Mbit/s" "100 Mbit/s" \\
      --goal "latency.arrived.p99_s <= 60 s"
  docaxis simulate capacity flood-week --find nodes.province.uplink --between "10 Mbit/s" "1 Gbit/s" \\
      --goal "latency.arrived.p99.express_s <= 60 s" --confidence 0.99 --report out
  docaxis simulate capacity ten-years --find load --between 1 64 --goal "utilisation.loop.max <= 80 %" --jobs 2

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
    parser.add_argument(
        "--jobs", type=output.positive, default=1, metavar="N", help="replications of a value side by side"
    )
    parser.add_argument("--csv", type=common.place, metavar="FILE", help="write everything that was tried")
    parser.add_argument("--report", type=common.place, metavar="DIR", help="write a page that opens offline")


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
        from docaxis_sim.capacity import answers

        answer, question = _answered(arguments)
    if arguments.csv is not None:
        arguments.csv.write_text(answers.csv_text(answer), encoding="utf-8")
    if arguments.report is not None:
        _write(arguments.report, answer, question)
    if arguments.json:
        output.print_json(answers.as_json(answer))
    else:
        _show(answer, question.total)
        if arguments.report is not None:
            print(f"Written to {arguments.report}")
    return main.NEGATIVE if answer.best is None else main.OK


def _answered(arguments: argparse.Namespace) -> "tuple[Answer, Search]":
    from docaxis_sim.capacity import kinds, search
    from docaxis_sim.capacity.plan import DAY_NS
    from docaxis_sim.capacity.runner import Runner
    from docaxis_sim.cli.progress import Watcher

    overrides = common.overrides(arguments)
    if arguments.confidence is not None:
        overrides["experiment.confidence"] = arguments.confidence
    between, goal = search.scale(*arguments.between), kinds.goal(arguments.goal)
    with Runner(arguments.jobs) as runner:
        question = search.Search(
            arguments.scenario, arguments.find, between, goal, overrides, arguments.engine, arguments.within,
            runner=runner,
        )  # fmt: skip
        common.writable(folder=arguments.report, file=arguments.csv)
        simulated_ns = question.scenario.days * DAY_NS
        with Watcher(arguments.find, question.runs_expected, simulated_ns, called="runs") as watcher:
            question.told = lambda trial: watcher.say(_said(trial))
            question.ran = lambda found: watcher.ran(found.seconds, more=question.total - 1)
            question.progress = watcher.inside
            return question.run(), question


def _write(folder: Path, answer: "Answer", question: "Search") -> None:
    """The page, and everything that was tried as files."""
    from docaxis_sim.capacity import answers
    from docaxis_sim.capacity.experiment import provenance
    from docaxis_sim.report import html, search

    made = provenance(question.scenario, common.command_line(sys.argv))
    html.save(folder, search.render(answer, question.scenario, question.between, question.total, made))
    (folder / "tried.csv").write_text(answers.csv_text(answer), encoding="utf-8")
    common.write_json(folder / "manifest.json", answers.as_json(answer))


def _said(trial: "Trial") -> str:
    runs = output.counted(len(trial.figures), "replication")
    said = "meets the goal" if trial.met else "undecided" if trial.undecided else "does not"
    return f"{trial.text}: {said} in {runs}"


def _show(answer: "Answer", replications: int) -> None:
    from docaxis_sim.capacity import answers, spelling
    from docaxis_sim.capacity.metrics import about

    unit = about(answer.goal.metric).unit
    rows = [
        (trial.text, spelling.figure(trial.found, unit), str(len(trial.figures)), answers.standing(trial))
        for trial in sorted(answer.trials, key=lambda each: (each.value, len(each.figures)))
    ]
    output.print_table(f"Tried for {answers.goal(answer)}", (answer.field, "found", "replications", "met"), rows)
    print()
    print(answers.sentence(answer, replications))
    if others := answers.other_ways(answer):
        print(f"Note: {others}")
