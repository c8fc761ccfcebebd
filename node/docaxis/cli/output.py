"""How the commands speak to people: tables, times, states in two languages, errors with their remedy; or JSON.

Only words and layout. No command, no request and no exit code is decided here; `rich` is loaded for a table.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import IO, Any, Final

from docaxis.core.errors import DocaxisError
from docaxis.core.lifecycle import VIETNAMESE, State

VIETNAM: Final = timezone(timedelta(hours=7))
"""Vietnam time, which the law counts in (Decree 30/2020, Art. 3); it has no summer time."""

ID_DIGITS: Final = 12
"""Digits of a document's id that tables show; the commands take any start of eight digits or more."""


def json_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--json` to a command that prints a result."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON value on one line; Vietnamese stays readable."""
    print(json.dumps(value, ensure_ascii=False))


def note(text: str) -> None:
    """One line for people, beside the result, which alone goes to standard output."""
    print(text, file=sys.stderr)


def print_error(error: DocaxisError, *, as_json: bool, to: IO[str] | None = None) -> None:
    """An error as people can use it: what, which code, and what to do; as JSON on standard output where asked."""
    known = error.known
    remedy = getattr(error, "remedy", "") or known.remedy
    if as_json:
        print_json({"error": {"code": error.code, "title": known.title_en, "title_vi": known.title_vi,
                              "detail": error.detail, "remedy": remedy}})  # fmt: skip
        return
    lines = [f"{known.title_en} · {known.title_vi} ({error.code})"]
    lines += [f"  {error.detail}"] if error.detail else []
    print("\n".join([*lines, f"  {remedy}"]), file=to or sys.stderr)


def state(value: State) -> str:
    """A state in English and Vietnamese, as tables show it."""
    return f"{value.name.lower()} · {VIETNAMESE[value]}"


def when(time_ms: int) -> str:
    """A time in Vietnam, to the minute."""
    return datetime.fromtimestamp(time_ms / 1000, VIETNAM).strftime("%Y-%m-%d %H:%M")


def when_exactly(time_ms: int) -> str:
    """A time in Vietnam, to the second, with its offset."""
    return datetime.fromtimestamp(time_ms // 1000, VIETNAM).isoformat(sep=" ")


def short(doc: bytes) -> str:
    """The digits of an id that tables show."""
    return doc.hex()[:ID_DIGITS]


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table; what a document says is shown as it is, never read as markup or control codes."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*[Text(plain(cell)) for cell in row])
    width = None if sys.stdout.isatty() else 160
    Console(file=sys.stdout, width=width, highlight=False).print(table)


def plain(text: str) -> str:
    """Text of a stranger without what could move a terminal's cursor or change direction of reading."""
    return "".join(char if char.isprintable() else " " for char in text)


def size(count: int) -> str:
    """A size as people say it."""
    for unit, name in ((2**20, "MiB"), (2**10, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"


def counted(count: int, what: str) -> str:
    """A number with its noun: 1 recipient, 2 recipients; for a noun that takes an s."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def nearest(word: str, known: Sequence[str]) -> str:
    """What a misspelt word may have meant, as the end of a sentence; empty where nothing is near."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def positive(text: str) -> int:
    """A whole number from 1, for argparse."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)
