"""`docaxis simulate verify`: the engines against textbook results, as a table.

Thin: `docaxis_sim.capacity.verify` computes the rows.
"""

import argparse
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis_sim.cli import common

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]

_EXAMPLES: Final = """\
examples:
  docaxis simulate verify
  docaxis simulate verify --engine reference --seed 7 --json

Queues with known answers, simulated; a row is right if theory lies in the interval around what was measured, and
the interval is narrow. One row in a hundred misses by chance. Rows of processor sharing (PS), which the vector engine
does not know, are carried by the reference engine whatever --engine says; the column engine names who carried a row.
Exit code 0: chance explains the rows that miss; 1: they are more, or farther off, than chance leaves in one table of
1,000. Takes a minute.
"""


def add_parser(commands: "Subparsers") -> None:
    """Adds the command."""
    parser = common.add(commands, "verify", run, "compare the engines with textbook results", _EXAMPLES)
    parser.add_argument("--engine", choices=("vector", "reference"), default="vector", help="whom to test")
    parser.add_argument(
        "--seed", type=common.whole_number, default=1, metavar="N", help="of the chance in it (default 1)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Shows each textbook row beside what was measured."""
    with common.explained():
        from docaxis_sim.capacity import verify

        found = list(verify.rows(arguments.engine, arguments.seed))
    if arguments.json:
        output.print_json([{**row._asdict(), "is_right": row.is_right} for row in found])
    else:
        rows = [
            (row.case, row.figure, row.engine, f"{row.theory:.5g}", f"{row.mean:.5g} ± {row.half_width:.2g}",
             "yes" if row.is_right else "NO")
            for row in found
        ]  # fmt: skip
        output.print_table("Engines against theory", ("queue", "figure", "engine", "theory", "measured", "right"), rows)
    return main.OK if verify.explained(found) else main.NEGATIVE
