"""`docaxis simulate check` and `new`: whether scenario files are right, and a commented one to start from.

Thin: `docaxis_sim.capacity.scenario` and `starter` do it and print.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis_sim.cli import common

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]

_CHECK_EXAMPLES: Final = """\
examples:
  docaxis simulate check my-question.toml
  docaxis simulate check normal-working-day province-cut --json

Every mistake at once: file, line, key, and the nearest valid word. Exit code 0: all right; 1: not.
"""
_NEW_EXAMPLES: Final = """\
examples:
  docaxis simulate new my-question                   writes my-question.toml here
  docaxis simulate new my-question --to ~/questions

Every field stands in it with its default and a sentence about it; no Python is needed.
Exit code 0: written; 2: the name will not do, the file is there already, or the folder cannot be written to.
"""


def add_parser(commands: "Subparsers") -> None:
    """Adds both."""
    parser = common.add(commands, "check", check, "check scenario files and run nothing", _CHECK_EXAMPLES)
    parser.add_argument(
        "files", nargs="+", metavar="SCENARIO", help="TOML files, or names of scenarios that come along"
    )
    parser = commands.add_parser(
        "new", help="write a commented scenario to start from", description="Write a commented scenario to start from.",
        epilog=_NEW_EXAMPLES,
    )  # fmt: skip
    parser.add_argument("name", metavar="NAME", help="of the scenario, and of its file")
    parser.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="folder for the file (default: here)")
    parser.set_defaults(handler=new)


def check(arguments: argparse.Namespace) -> int:
    """Prints what is wrong, or that nothing is."""
    from docaxis_sim.capacity import scenario

    return scenario.check(arguments.files, as_json=arguments.json)


def new(arguments: argparse.Namespace) -> int:
    """Writes the starter."""
    from docaxis_sim.capacity import starter

    return starter.new(arguments.name, arguments.to)
