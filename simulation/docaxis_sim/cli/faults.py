"""`docaxis simulate faults`: the node's protocol code under hostile faults, many seeds, every promise checked.

Thin: `docaxis_sim.faults` is the executor, and prints.
"""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]


def add_parser(commands: "Subparsers") -> None:
    """Adds the command."""
    from docaxis_sim import faults

    text = "run the real protocol code under hostile faults, and check every promise"
    parser = commands.add_parser(
        "faults", help=text, description=text[0].upper() + text[1:] + ".", epilog=faults.EXAMPLES
    )
    faults.add_arguments(parser)
    parser.set_defaults(handler=faults.handle)
