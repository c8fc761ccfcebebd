"""`docaxis simulate graph`: a scenario's network as GraphML, and the single failures that cut off most of the country.

Thin: `docaxis_sim.capacity.cutpoints` finds them.
"""

import argparse
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis_sim.cli import common

if TYPE_CHECKING:
    from docaxis_sim.capacity.cutpoints import GraphReport

    Subparsers = argparse._SubParsersAction[Any]

_EXAMPLES: Final = """\
examples:
  docaxis simulate graph routing-tiered                        what fails worst when every document goes through tiers
  docaxis simulate graph routing-hub --to country.graphml      the network for other programs
  docaxis simulate graph normal-working-day --cuts 5 --json

A failure is counted by the nodes of the lowest tier that cannot be reached any more from the Government Office.
Failures that cut off the very same nodes share a line.
"""


def add_parser(commands: "Subparsers") -> None:
    """Adds the command."""
    text = "show the network of a scenario, and the single failures that cut off most communes"
    parser = common.add(commands, "graph", run, text, _EXAMPLES)
    common.scenario_argument(parser)
    parser.add_argument("--to", type=common.place, metavar="FILE", help="write the network as GraphML")
    parser.add_argument("--cuts", type=output.positive, default=15, metavar="N", help="failures to show (default 15)")


def run(arguments: argparse.Namespace) -> int:
    """Shows the worst failures, and writes the network where asked."""
    from docaxis_sim.capacity.cutpoints import graph_report

    with common.explained():
        scenario = common.read(arguments)
        common.writable(file=arguments.to)
        found = graph_report(scenario, arguments.cuts)
    if arguments.to is not None:
        arguments.to.write_text(found.graphml, encoding="utf-8")
    if arguments.json:
        output.print_json(
            {**found._asdict(), "graphml": str(arguments.to or ""), "cuts": [each._asdict() for each in found.cuts]}
        )
    else:
        _show(found)
        if arguments.to is not None:
            print(f"Written to {arguments.to}")
    return main.OK


def _show(found: "GraphReport") -> None:
    nodes = ", ".join(f"{count:,} {tier}" for tier, count in found.nodes.items())
    links = ", ".join(f"{count:,} {kind}" for kind, count in found.links.items())
    print(f"{found.routing} routing; nodes: {nodes}; links: {links}")
    if found.unreachable:
        print(f"Never reachable from {found.origin}: {len(found.unreachable):,} nodes, such as {found.unreachable[0]}")
    title = f"Single failures, by how many of {found.counted_total:,} {found.counted} nodes {found.origin} loses"
    rows = [
        (each.kind, each.id, each.name, f"{each.cut_off:,}", f"{each.population:,}", ", ".join(each.same))
        for each in found.cuts
    ]
    if rows:
        output.print_table(title, ("kind", "id", "name", "cut off", "people served", "the same happens with"), rows)
    else:
        print(f"No single failure cuts off a {found.counted} node other than itself.")
