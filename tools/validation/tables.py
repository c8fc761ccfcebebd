"""Tables of a validation: for a terminal, and as the pages of the documentation show them.

Formatting only; every figure is in the object that comes in.
"""

from typing import Any, Final

from rich.console import Console
from rich.table import Table

_MARKS: Final = {True: "✓", False: "✗", None: ""}
_COLUMNS: Final = (
    ("documents/s", "per_s", 1), ("arrived mean ms", "arrived_mean_ms", 1),
    ("arrived p50 ms", "arrived_p50_ms", 1), ("arrived p99 ms", "arrived_p99_ms", 1),
    ("home p50 ms", "home_p50_ms", 1), ("home p99 ms", "home_p99_ms", 1),
)  # fmt: skip


def show(found: dict[str, Any], console: Console) -> None:
    """Measured, predicted, ratio; a tick where the ratio is within the goal."""
    capacity = found["capacity_per_s"]
    console.print(f"{found['nodes']} nodes in {found['processes']} processes; capacity {capacity} documents/s")
    table = Table("load", "figure", "measured", "predicted", "ratio", "", "crowded", "ratio", "", box=None)
    for row in found["rows"]:
        for name, ratio in row["ratio"].items():
            measured, predicted, crowded = (f"{row[of][name]:,.2f}" for of in ("measured", "predicted", "crowded"))
            table.add_row(
                *(row["load"], name, measured, predicted, f"{ratio:.2f}", _MARKS[row["within"].get(name)]),
                *(crowded, f"{row['ratio_crowded'][name]:.2f}", _MARKS[row["within_crowded"].get(name)]),
            )
        table.add_row("", "processor, of a core", f"{row['busy']:.2f}", f"{row['busy_predicted']:.2f}")
        table.add_row("", "rounds", f"{row['rounds']:,}", f"{row['rounds_predicted']:,}")
        if "drain_s" in row:
            table.add_row("", "drained after, s", f"{row['drain_s']:.2f}", f"{row['drain_s_predicted']:.2f}")
        table.add_row("", _surroundings(row))
    console.print(table)


def _surroundings(row: dict[str, Any]) -> str:
    commits = f"commits p50 {row['commit_p50_ms']} ms, p99 {row['commit_p99_ms']} ms, {row['slow_commits']} slow"
    around = f"processors of speed {row['speed']}; others used {row['others_cores']} cores"
    return f"{commits}; late {row['late']} of {row['documents']}; {around}"


def markdown(found: dict[str, Any]) -> str:
    """One line per load: predicted / measured (ratio), and a tick where it is within the goal; then the ratio of what
    the table of a shared host predicts."""
    heads = ["load", *(head for head, _, _ in _COLUMNS), "processor", "rounds", "speed"]
    lines = [heads, ["---"] * len(heads)]
    for row in found["rows"]:
        cells = [_cell(row, name, digits) for _, name, digits in _COLUMNS]
        busy = f"{row['busy_predicted']:.2f} / {row['busy']:.2f}"
        rounds = f"{row['rounds_predicted']:,} / {row['rounds']:,}"
        lines.append([row["load"], *cells, busy, rounds, f"{row['speed']:.2f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(row: dict[str, Any], name: str, digits: int) -> str:
    predicted, measured = row["predicted"][name], row["measured"][name]
    (ratio, mark), (beside, other) = (
        (row[f"ratio{kind}"].get(name, 0), _MARKS[row[f"within{kind}"].get(name)]) for kind in ("", "_crowded")
    )
    return f"{predicted:,.{digits}f} / {measured:,.{digits}f} ({ratio:.2f} {mark}) [{beside:.2f} {other}]"
