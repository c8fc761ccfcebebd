"""`docaxis simulate sweep`: fields varied over a grid, here, on a cluster, or as files that any machine works off.

Thin: `docaxis_sim.capacity.sweep` runs the grid, `shards` keeps it in a folder.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis_sim.cli import common

if TYPE_CHECKING:
    from docaxis_sim.capacity.model import Scenario
    from docaxis_sim.capacity.sweep import Axis, Outcome

    Subparsers = argparse._SubParsersAction[Any]

_FIGURES: Final = (
    "latency.arrived.p50_s",
    "latency.arrived.p99_s",
    "carried_share",
    "utilisation.up.max",
    "utilisation.loop.max",
)
"""What the table shows unless asked otherwise; the CSV has all."""

_EXAMPLES: Final = """\
examples:
  docaxis simulate sweep normal-working-day --vary load=1,2,4 --jobs 2
  docaxis simulate sweep slow-communes --vary "overrides.mountain-communes.uplink=1Mbit/s..16Mbit/s:x2" --csv lines.csv
  docaxis simulate sweep normal-working-day --vary load=1..10:1 --vary topology.routing=direct,tiered,hub
  docaxis simulate sweep ten-years --vary load=1..8:x2 --report out        out/index.html: figures against the load
  docaxis simulate sweep pm-decision --vary load=1,10 --cluster tcp://10.0.0.5:8786 --metric last_arrival_s

without a cluster, on machines that share a folder or pass it round:
  docaxis simulate sweep normal-working-day --vary load=1..10:1 --plan shards     numbered runs, nothing is run yet
  docaxis simulate sweep --work shards --shard 1/3        on each machine its share; what has been done is left out
  docaxis simulate sweep --collect shards --csv load.csv  the same answer as from one machine

A range is FIRST..LAST:STEP, or FIRST..LAST:xFACTOR. Every point meets the same documents at the same moments.
"""


def add_parser(commands: "Subparsers") -> None:
    """Adds the command."""
    parser = common.add(commands, "sweep", run, "vary fields of a scenario over a grid", _EXAMPLES)
    parser.add_argument("scenario", nargs="?", metavar="SCENARIO", help="not with --work and --collect")
    common.set_option(parser)
    parser.add_argument(
        "--vary", action="append", default=[], metavar="FIELD=VALUES", help="a field and its values; may be repeated"
    )
    common.experiment_options(parser)
    parser.add_argument(
        "--metric", action="append", default=[], metavar="NAME", help="a figure to show; may be repeated"
    )
    parser.add_argument("--csv", type=common.place, metavar="FILE", help="write every figure of every point")
    parser.add_argument(
        "--report", type=common.place, metavar="DIR", help="write a page with charts that opens offline"
    )
    parser.add_argument(
        "--plan", type=common.place, metavar="DIR", help="write the runs into a new folder and run nothing"
    )
    parser.add_argument("--work", type=common.place, metavar="DIR", help="run what is still to be done in a folder")
    parser.add_argument(
        "--shard", type=_shard, default=(1, 1), metavar="K/N", help="only every N-th run, from the K-th"
    )
    parser.add_argument("--collect", type=common.place, metavar="DIR", help="show what the runs of a folder came to")


def _shard(text: str) -> tuple[int, int]:
    first, _, second = text.partition("/")
    if not (first.isdigit() and second.isdigit() and 1 <= int(first) <= int(second)):
        raise argparse.ArgumentTypeError(f"expected a share such as 2/5, found {text!r}")
    return int(first), int(second)


def run(arguments: argparse.Namespace) -> int:
    """Plans, works, collects, or all at once."""
    ways = [arguments.work is not None, arguments.collect is not None, bool(arguments.scenario and arguments.vary)]
    if sum(ways) != 1:
        from docaxis.core.errors import TheirFault

        raise TheirFault("request.malformed", "give SCENARIO and --vary, or --work DIR, or --collect DIR")
    if (arguments.work or arguments.plan) and (arguments.report or arguments.csv):
        from docaxis.core.errors import TheirFault

        raise TheirFault("request.malformed", "--report and --csv need results: give them with --collect DIR")
    with common.explained():
        if arguments.work is not None:
            return _work(arguments)
        if arguments.collect is not None:
            return _collected(arguments)
        return _planned(arguments) if arguments.plan is not None else _swept(arguments)


def _collected(arguments: argparse.Namespace) -> int:
    from docaxis_sim.capacity import shards

    common.writable(folder=arguments.report, file=arguments.csv)
    axes, found = shards.collected(arguments.collect)
    _look_up(arguments, [each.scenario for each in found])
    return _shown(arguments, axes, found)


def _look_up(arguments: argparse.Namespace, grid: "Sequence[Scenario]") -> None:
    """Raises `BadScenario` where no point can have a figure that is asked for."""
    from docaxis_sim.capacity.experiment import look_up
    from docaxis_sim.capacity.metrics import unknown

    look_up([name for name in arguments.metric if all(unknown(name, scenario) for scenario in grid)], grid[0])


def _axes(arguments: argparse.Namespace) -> "list[Axis]":
    from docaxis_sim.capacity import sweep

    return [sweep.axis(text) for text in arguments.vary]


def _swept(arguments: argparse.Namespace) -> int:
    from docaxis_sim.capacity import sweep
    from docaxis_sim.capacity.plan import DAY_NS
    from docaxis_sim.cli.progress import Watcher

    axes = _axes(arguments)
    grid = sweep.scenarios(arguments.scenario, axes, common.overrides(arguments))
    _look_up(arguments, grid)
    common.writable(folder=arguments.report, file=arguments.csv)
    total = sum(scenario.experiment.replications for scenario in grid)
    longest_ns = max(scenario.days for scenario in grid) * DAY_NS
    with (
        common.runner(arguments) as runner,
        Watcher(f"{len(grid)} points", total, longest_ns, runner.workers) as watcher,
    ):
        found = sweep.run(axes, grid, runner, arguments.engine, watcher.done, watcher.inside)
    return _shown(arguments, axes, found)


def _planned(arguments: argparse.Namespace) -> int:
    from docaxis_sim.capacity import shards, sweep

    axes = _axes(arguments)
    grid = sweep.scenarios(arguments.scenario, axes, common.overrides(arguments))
    runs = shards.plan(arguments.plan, axes, grid, arguments.engine)
    if arguments.json:
        output.print_json({"folder": str(arguments.plan), "points": len(grid), "runs": runs})
    else:
        print(f"{runs} runs of {len(grid)} points written to {arguments.plan}")
    return main.OK


def _work(arguments: argparse.Namespace) -> int:
    from docaxis_sim.capacity import shards
    from docaxis_sim.cli.progress import Watcher

    todo = shards.todo(arguments.work, *arguments.shard)
    name = str(arguments.work)
    with common.runner(arguments) as runner, Watcher(name, len(todo), 0, runner.workers) as watcher:
        shards.work(arguments.work, todo, runner, watcher.done)
    left = len(shards.todo(arguments.work))
    if arguments.json:
        output.print_json({"done": len(todo), "left": left})
    else:
        print(f"{len(todo)} runs done, {left} left")
    return main.OK


def _shown(arguments: argparse.Namespace, axes: "Sequence[Axis]", found: "Sequence[Outcome]") -> int:
    from docaxis_sim.capacity import shards

    figures = arguments.metric or list(_FIGURES)
    if arguments.csv is not None:
        arguments.csv.write_text(shards.csv_text(axes, found), encoding="utf-8")
    if arguments.report is not None:
        _write(arguments.report, axes, found, arguments.metric)
    if arguments.json:
        output.print_json(shards.as_json(axes, found))
    else:
        _show(axes, found, figures)
        for written in (arguments.csv, arguments.report):
            if written is not None:
                print(f"Written to {written}")
    broken = any(not check.held for each in found for r in each.replications for check in r.measures.checks)
    return main.NEGATIVE if broken or not all(v.held for each in found for v in each.verdicts) else main.OK


def _write(folder: Path, axes: "Sequence[Axis]", found: "Sequence[Outcome]", metrics: Sequence[str]) -> None:
    """The page, with the scenario's goals among its figures unless others are asked for; and all figures as files."""
    from docaxis_sim.capacity import shards
    from docaxis_sim.capacity.experiment import provenance
    from docaxis_sim.report import html, sweep

    goals = [each.expectation.metric for each in found[0].verdicts]
    figures = list(dict.fromkeys([*metrics] or [*goals, *_FIGURES]))
    made = provenance(found[0].scenario, common.command_line(sys.argv))
    html.save(folder, sweep.render(axes, found, figures, made))
    (folder / "points.csv").write_text(shards.csv_text(axes, found), encoding="utf-8")
    common.write_json(folder / "manifest.json", shards.as_json(axes, found))


def _show(axes: "Sequence[Axis]", found: "Sequence[Outcome]", figures: Sequence[str]) -> None:
    from docaxis_sim.capacity import spelling
    from docaxis_sim.capacity.metrics import about

    goals = any(each.verdicts for each in found)
    rows = []
    for each in found:
        cells = [
            spelling.figure(each.estimates[name], about(name).unit) if name in each.estimates else spelling.NOTHING
            for name in figures
        ]
        held = ["yes" if all(v.held for v in each.verdicts) else "NO"] if goals else []
        rows.append((*each.values, *cells, *held))
    first = found[0].scenario
    interval = f"± is half a {spelling.percent(first.experiment.confidence)} interval"
    title = f"{first.name}: {len(found[0].replications)} replications each, {interval}"
    columns = (*(axis.field for axis in axes), *figures, *(["goals hold"] if goals else []))
    output.print_table(title, columns, rows)
