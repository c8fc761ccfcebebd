"""`docaxis simulate`: what-if questions about the whole country, from the command line; one module per sub-command.

Thin: arguments in, tables or JSON out. Everything that is computed is computed in `docaxis_sim.capacity` or by the
faults executor, which are loaded when a command needs them and not before.
"""

import argparse
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]

MODULES: Final = ("run", "sweep", "capacity", "compare", "scenarios", "graph", "faults", "verify")
"""Where the sub-commands are, in the order in which the help shows them."""

_EXAMPLES: Final = """\
first steps:
  docaxis simulate run normal-working-day                  a working day of the whole country: what a planner asks first
  docaxis simulate run pm-decision --report out            a decision to everybody, as a page to show around
  docaxis simulate new my-question                         a commented scenario to start from; then: check, run

questions:
  docaxis simulate sweep normal-working-day --vary load=1,2,4
  docaxis simulate capacity normal-working-day --find nodes.commune.uplink --between "1 Mbit/s" "100 Mbit/s" \\
      --goal "latency.arrived.p99_s <= 60 s"
  docaxis simulate compare routing-direct routing-hub      the same documents over two structures
  docaxis simulate graph normal-working-day                what would cut off most communes
  docaxis simulate faults province-cut --seeds 0..99       the real protocol code under hostile faults

SCENARIO is a TOML file, or the name of one that comes with the simulator.
`docaxis simulate COMMAND --help` teaches each command by example.
"""


def add_parser(subparsers: "Subparsers") -> None:
    """Adds `docaxis simulate` and its commands."""
    text = "Load, failures and growth of the whole country, simulated on the node's own protocol code."
    simulate = subparsers.add_parser("simulate", help=text, description=text, epilog=_EXAMPLES)
    commands = simulate.add_subparsers(metavar="COMMAND", required=True, parser_class=main.Parser)
    for module in MODULES:
        import_module(f"docaxis_sim.cli.{module}").add_parser(commands)
