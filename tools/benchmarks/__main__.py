"""`tools/bench NAME`: runs one benchmark, prints its figures as tables and, with `--json`, as one object at the end.

A benchmark is a module here with `add_arguments(parser)` and `run(args) -> dict`; it is imported only when it is asked
for. What the figures mean is said in `node/docs/performance.md`. Nothing is judged here: a slow run is not a failure.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

NAMES: Final = {
    "exchange": "two nodes, documents of 2 KiB, durable at both ends, receipts verified",
    "fanout": "one document to 94 real nodes; the same with dead and silent ones among them",
    "idle": "a node with nothing to do: time until it serves, memory",
    "directory": "12,000 and 125,000 entries: cold load, one changed entry, look-ups, memory",
    "store": "what the embedded store can write and read",
    "transport": "what HTTPS itself costs, bare and through our transport",
    "simulation": "a national day on both engines of the simulator, beside SimPy, Ciw and Cimba; overload",
    "agreement": "every shipped scenario at full load on both engines: differing documents, refusals",
    "routes": "routes of a whole country, all at once, and by networkx; re-routing after a failed link",
}


def machine() -> dict[str, Any]:
    """The machine that the figures belong to."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_mb": memory_mb,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def show(found: dict[str, Any], console: Console) -> None:
    """Figures as a table, lists of rows as tables of their own."""
    plain = {name: value for name, value in found.items() if not isinstance(value, list | dict)}
    table = Table("figure", "value", box=None, title_justify="left")
    for name, value in plain.items():
        table.add_row(name, _text(value))
    if plain:
        console.print(table)
    for name, value in found.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            _show_rows(name, value, console)
        elif isinstance(value, dict):
            console.print(f"\n{name}")
            show(value, console)


def _show_rows(name: str, rows: list[dict[str, Any]], console: Console) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(*columns, box=None, title=name, title_justify="left")
    for row in rows:
        table.add_row(*(_text(row.get(column, "")) for column in columns))
    console.print(table)


def _text(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


def main(words: list[str]) -> int:
    """Runs the benchmark that the first word names."""
    parser = argparse.ArgumentParser(prog="tools/bench", description="Measures docaxis on this machine.")
    commands = parser.add_subparsers(dest="name", metavar="NAME", required=True)
    asked = next((word for word in words if word in NAMES), None)
    for name, text in NAMES.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--json", action="store_true", help="print one JSON object last; the tables go to stderr")
        if name == asked:
            import_module(f"tools.benchmarks.{name}").add_arguments(command)
    args = parser.parse_args(words)
    found = {"benchmark": args.name, **import_module(f"tools.benchmarks.{args.name}").run(args), "machine": machine()}
    show(found, Console(file=sys.stderr if args.json else sys.stdout, width=None if sys.stdout.isatty() else 160))
    if args.json:
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
