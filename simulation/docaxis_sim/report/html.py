"""HTML: headings, paragraphs, tables that can be sorted and filtered, and the page around them, with no way out of it.

The page's policy forbids every request, so that whoever opens it on an office machine sends nothing anywhere. Nothing
here knows what is measured.
"""

from collections.abc import Sequence
from importlib.resources import files
from math import isnan
from pathlib import Path
from typing import Final, NamedTuple

from docaxis_sim.report import svg
from docaxis_sim.report.scales import spell

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


class Column(NamedTuple):
    """A table's column: its heading, and how its values are spelled (``text``, or a kind of `scales.spell`)."""

    name: str
    kind: str = "text"


class Cell(NamedTuple):
    """What stands in a place of a table, as markup, and the number by which its column is sorted."""

    markup: str
    value: float


class Section(NamedTuple):
    """A part of the page with a name in its table of contents."""

    id: str
    heading: str
    body: str


def paragraph(words: str, kind: str = "") -> str:
    """A paragraph of plain words."""
    return f'<p class="{kind}">{svg.escape(words)}</p>' if kind else f"<p>{svg.escape(words)}</p>"


def table(columns: Sequence[Column], rows: Sequence[Sequence[object]], name: str = "", search: bool = False) -> str:
    """A table whose headings sort it, found by its `name`; `search` adds a filter."""
    head = "".join(_heading(column) for column in columns)
    body = "".join(_row(row, columns) for row in rows)
    inside = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    found = f'<div class="scroll"><table id="{svg.escape(name)}">{inside}</table></div>'
    box = f'<input type="search" data-table="{svg.escape(name)}" placeholder="filter · lọc" aria-label="filter · lọc">'
    return (box if search else "") + found


def _row(row: Sequence[object], columns: Sequence[Column]) -> str:
    return "<tr>" + "".join(_cell(cell, column) for cell, column in zip(row, columns, strict=True)) + "</tr>"


def _heading(column: Column) -> str:
    kind = "" if column.kind in ("text", "markup") else ' class="n"'
    return f'<th{kind}><button type="button">{_breakable(column.name)}</button></th>'


def _breakable(name: str) -> str:
    """A long name such as ``latency.arrived.p99_s`` may go on in the next line after a point."""
    return svg.escape(name).replace(".", ".<wbr>")


def _cell(cell: object, column: Column) -> str:
    if isinstance(cell, Cell):
        kind = "" if column.kind == "markup" else ' class="n"'
        return f'<td{kind} data-v="{_sortable(cell.value)}">{cell.markup}</td>'
    if column.kind == "markup":
        return f"<td>{cell}</td>"
    if column.kind == "text" or not isinstance(cell, int | float):
        return f"<td>{svg.escape(cell)}</td>"
    return f'<td class="n" data-v="{_sortable(cell)}">{svg.escape(spell(float(cell), column.kind))}</td>'


def _sortable(value: float) -> str:
    """A number as the page's script reads it; what there is not comes before everything else."""
    if isnan(value):
        return "-Infinity"
    return f"{value:.6g}".replace("inf", "Infinity")


def page(title: str, subtitle: str, intro: str, sections: Sequence[Section]) -> str:
    """The whole document: style and script inside, a policy that forbids all requests."""
    room = files("docaxis_sim.report")
    style, script = (room.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    links = "".join(f'<a href="#{each.id}">{svg.escape(each.heading)}</a>' for each in sections)
    body = "".join(
        f'<section id="{each.id}"><h2>{svg.escape(each.heading)}</h2>{each.body}</section>' for each in sections
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{svg.escape(title)}</title><style>{style}</style></head><body>"
        f'<h1>{svg.escape(title)}</h1><p class="pale">{svg.escape(subtitle)}</p>{intro}<nav>{links}</nav>{body}'
        f"<script>{script}</script></body></html>\n"
    )


def save(folder: Path, text: str) -> Path:
    """Writes a page as ``index.html`` into `folder` (made if missing) and returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_text(text, encoding="utf-8")
    return path
