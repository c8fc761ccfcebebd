"""`docaxis simulate run`: a scenario's replications, what they say together, and whether its expectations held.

Thin: `docaxis_sim.capacity.experiment` does it, `show` prints it, `files` and the report write it.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis_sim.cli import common

if TYPE_CHECKING:
    from collections.abc import Callable

    from docaxis_sim.capacity.model import Scenario
    from docaxis_sim.capacity.runner import Runner
    from docaxis_sim.capacity.study import Study
    from docaxis_sim.cli.progress import Watcher

    Subparsers = argparse._SubParsersAction[Any]

_EXAMPLES: Final = """\
examples:
  docaxis simulate run normal-working-day
  docaxis simulate run normal-working-day --set load=2 --replications 10 --jobs 2
  docaxis simulate run province-cut --report out             out/index.html opens offline; beside it all rows as CSV
  docaxis simulate run my-question.toml --set nodes.commune.uplink="4 Mbit/s" --json
  docaxis simulate run pm-decision --seed 7 --engine reference --csv out

  docaxis simulate run ten-years --sensitivity               how far the answer hangs on what was measured and assumed
  docaxis simulate run my-question.toml --replications 1 --batches    one long steady run in place of many

--batches makes intervals of latencies from one run's successive parts; it needs --replications 1.
--sensitivity takes no part in whether expectations held; one field alone: sweep --vary service_times=0.5,1,2
Every figure is the mean of independent replications with the half-width of its interval; one replication has none (±?).
The scenario's [expect] decides the exit code: 0 all held, 1 not, 2 the scenario or the command is not usable.
An expectation holds when the whole interval meets it.
"""


def add_parser(commands: "Subparsers") -> None:
    """Adds the command."""
    text = "run a scenario: load, latency, bottlenecks, and whether its expectations hold"
    parser = common.add(commands, "run", run, text, _EXAMPLES)
    common.scenario_argument(parser)
    common.experiment_options(parser)
    parser.add_argument(
        "--batches", action="store_true", help="of one long steady run: intervals of latencies from batch means"
    )
    parser.add_argument(
        "--sensitivity", action="store_true",
        help="run it again with service times and load halved and doubled: four times more to do",
    )  # fmt: skip
    written = parser.add_mutually_exclusive_group()
    written.add_argument(
        "--report", type=common.place, metavar="DIR", help="write a page that opens offline, and all rows"
    )
    written.add_argument("--csv", type=common.place, metavar="DIR", help="write all rows as CSV, without the page")


def run(arguments: argparse.Namespace) -> int:
    """Runs it, shows it, and says whether the expectations held."""
    folder = arguments.report or arguments.csv
    with common.explained():
        found = _study(arguments)
        if folder is not None:
            _write(found, folder, page=arguments.report is not None)
    from docaxis_sim.cli import show

    if arguments.json:
        output.print_json(show.as_json(found))
    else:
        show.study(found, str(folder or ""))
    return main.OK if holds(found) else main.NEGATIVE


def holds(found: "Study") -> bool:
    """Whether every expectation and every check held."""
    return all(each.held for each in found.verdicts) and all(check.held for check in found.checks)


def _study(arguments: argparse.Namespace) -> "Study":
    from docaxis_sim.capacity import experiment

    scenario = common.read(arguments)
    if arguments.batches and (scenario.experiment.replications, scenario.experiment.replications_max) != (1, 1):
        from docaxis.core.errors import TheirFault

        raise TheirFault("request.malformed", "--batches is about one long run: add --replications 1")
    common.writable(folder=arguments.report or arguments.csv)
    if arguments.sensitivity:
        from docaxis_sim.capacity import sensitivity

        sensitivity.varied(scenario, _again(arguments))  # refused now rather than after everything else
    with common.runner(arguments) as runner:
        with _watched(scenario, scenario.experiment.replications, runner) as watcher:
            found = experiment.run(
                scenario,
                runner,
                arguments.engine,
                common.command_line(sys.argv),
                watcher.done,
                watcher.inside,
                arguments.report or arguments.csv,
            )
        if arguments.batches:
            found = experiment.in_batches(found)
        return _varied(found, arguments, runner) if arguments.sensitivity else found


def _varied(found: "Study", arguments: argparse.Namespace, runner: "Runner") -> "Study":
    """The same days with what was assumed halved and doubled."""
    from docaxis_sim.capacity import sensitivity

    output.note("the same again, with service times and load halved and doubled")
    runs = len(sensitivity.VARIED) * len(found.replications)
    with _watched(found.scenario, runs, runner) as watcher:
        return sensitivity.looked_at(found, _again(arguments), runner, arguments.engine, watcher.done, watcher.inside)


def _again(arguments: argparse.Namespace) -> "Callable[[str, float], Scenario]":
    """Reads the scenario of the command again with another value for a field."""
    return lambda field, value: common.read(arguments, more={field: value})


def _watched(scenario: "Scenario", runs: int, runner: "Runner") -> "Watcher":
    from docaxis_sim.capacity.plan import DAY_NS
    from docaxis_sim.cli.progress import Watcher

    return Watcher(scenario.name, runs, scenario.days * DAY_NS, runner.workers)


def _write(found: "Study", folder: Path, page: bool) -> None:
    from docaxis_sim.capacity import experiment, files

    if page:
        output.note("comparing the executors on an excerpt")
        found = experiment.side_by_side(found)
    files.write(folder, found)
    if page:
        from docaxis_sim.report import page as html

        html.write(folder, found)
