"""`docaxis simulate compare`: two scenarios on the same documents, and what the difference is.

Thin: `docaxis_sim.capacity.compare` does it.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis_sim.cli import common

if TYPE_CHECKING:
    from docaxis_sim.capacity.compare import Comparison
    from docaxis_sim.capacity.model import Scenario
    from docaxis_sim.capacity.study import Difference

    Subparsers = argparse._SubParsersAction[Any]

_HEADLINES: Final = (
    "latency.arrived.p50_s", "latency.arrived.p99_s", "latency.arrived.max_s", "latency.arrived.p99.express_s",
    "last_arrival_s", "carried_share", "carried_per_s.busiest_hour", "expired", "under_way", "queue.documents.max",
    "utilisation.up.max", "utilisation.down.max", "utilisation.loop.max", "utilisation.disk.max",
    "storage_bytes_per_day",
)  # fmt: skip
"""What is shown unless all figures are asked for."""

_EXAMPLES: Final = """\
examples:
  docaxis simulate compare routing-direct routing-hub
  docaxis simulate compare normal-working-day --with nodes.commune.uplink="4 Mbit/s"
  docaxis simulate compare ministry-annexes ministry-annexes-shared --replications 10 --all
  docaxis simulate compare routing-direct routing-tiered --report out      out/index.html, a page to show around

Both run with the first one's seed, as often as the first says, and every replication of one is paired with the same
replication of the other. Where both were given the same documents at the same moments (it is checked), intervals of
differences are much narrower. A difference is sure where its own interval leaves out 0, or where a figure is infinite
on one side so often that it cannot be luck (six replications at 95 %).
Exit code 0: compared; 1: a check failed; 2: the scenarios or the command are not usable.
"""


def add_parser(commands: "Subparsers") -> None:
    """Adds the command."""
    text = "compare two scenarios on the same arrivals"
    parser = common.add(commands, "compare", run, text, _EXAMPLES)
    common.scenario_argument(parser)
    parser.add_argument("other", nargs="?", metavar="SCENARIO_B", help="what to compare it with")
    parser.add_argument(
        "--with", action="append", default=[], type=common.assignment, dest="changed", metavar="FIELD=VALUE",
        help="another value in the second scenario alone (by default a copy of the first)",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="show every figure, not the headlines alone")
    common.experiment_options(parser)
    parser.add_argument("--report", type=common.place, metavar="DIR", help="write a page that opens offline")


def run(arguments: argparse.Namespace) -> int:
    """Runs both, and shows what differs."""
    if not arguments.other and not arguments.changed:
        from docaxis.core.errors import TheirFault

        raise TheirFault("request.malformed", "give a second scenario, or --with FIELD=VALUE")
    with common.explained():
        found = _compared(arguments)
        if arguments.report is not None:
            _write(found, arguments.report)
    if arguments.json:
        output.print_json(_as_json(found))
    else:
        _show(found, arguments.all)
        if arguments.report is not None:
            print(f"Written to {arguments.report}")
    return main.OK if all(check.held for check in found.checks) else main.NEGATIVE


def _compared(arguments: argparse.Namespace) -> "Comparison":
    from docaxis_sim.capacity import compare
    from docaxis_sim.capacity.plan import DAY_NS
    from docaxis_sim.cli.progress import Watcher

    a = common.read(arguments)
    b = common.read(arguments, arguments.other or "", dict(arguments.changed))
    common.writable(folder=arguments.report)
    total, days = 2 * a.experiment.replications, max(a.days, b.days)
    with (
        common.runner(arguments) as runner,
        Watcher("both scenarios", total, days * DAY_NS, runner.workers) as watcher,
    ):
        slim = arguments.report is None
        return compare.run(a, b, runner, arguments.engine, watcher.done, watcher.inside, slim)


def _write(found: "Comparison", folder: Path) -> None:
    """The page, and its figures for programs."""
    from docaxis_sim.capacity.compare import csv_text
    from docaxis_sim.capacity.experiment import provenance
    from docaxis_sim.report import comparison, html

    html.save(folder, comparison.render(found, _HEADLINES, provenance(found.a, common.command_line(sys.argv))))
    (folder / "differences.csv").write_text(csv_text(found), encoding="utf-8")
    common.write_json(folder / "manifest.json", _as_json(found))


def _show(found: "Comparison", everything: bool) -> None:
    from docaxis_sim.capacity import spelling
    from docaxis_sim.capacity.compare import sure_by_luck

    print(f"a: {_named(found.a)}\nb: {_named(found.b)}")
    if found.unused:
        print(f"What b says of its own about {', '.join(found.unused)} is not used.")
    if found.same_arrivals:
        print(f"Same arrivals in all {found.replications} replications (births {found.births[0][0][:16]}…).")
    else:
        print("Different arrivals: what the two were given differs, too; intervals are wide.")
    shown = found.differences if everything else [each for each in found.differences if each.metric in _HEADLINES]
    rows = [_row(each) for each in sorted(shown, key=lambda each: each.weight, reverse=True)]
    title = f"What differs most first; ± is half a {spelling.percent(found.a.experiment.confidence)} interval"
    output.print_table(title, ("figure", "a", "b", "b - a", "sure"), rows)
    luck = sure_by_luck(shown)
    if luck:
        print(f"Of {len(shown)} figures about {luck:.1f} would be called sure by luck alone if nothing differed.")
    for check in found.checks:
        if not check.held:
            print(f"CHECK FAILED: {check.name}: {check.detail}")


def _named(scenario: "Scenario") -> str:
    return f"{scenario.name} ({scenario.path.name}, {scenario.digest[:12]})"


def _row(each: "Difference") -> tuple[str, ...]:
    from docaxis_sim.capacity import compare, spelling
    from docaxis_sim.capacity.metrics import about

    figures = (spelling.figure(value, about(each.metric).unit) for value in (each.a, each.b))
    return (each.metric, *figures, compare.change(each), "yes" if each.sure else "no")


def _as_json(found: "Comparison") -> dict[str, Any]:
    from docaxis_sim.capacity.compare import sure_by_luck
    from docaxis_sim.capacity.files import check, difference

    return {
        "a": {"name": found.a.name, "digest": found.a.digest},
        "b": {"name": found.b.name, "digest": found.b.digest},
        "replications": found.replications,
        "same_arrivals": found.same_arrivals,
        "births": found.births,
        "not_used_of_b": found.unused,
        "sure_by_luck": sure_by_luck(found.differences),
        "differences": {each.metric: difference(each) for each in found.differences},
        "checks_failed": [check(each) for each in found.checks if not each.held],
    }
