"""The log: one line per event to standard error, for people (logfmt) or programs (JSON lines).

Lines carry a stable event name, ids and numbers; whoever writes one hands in no content and no secrets. Nothing here
rotates, ships or reads logs: that is the work of whatever runs the node.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TextIO

from docaxis.core.effects import Noted

LEVELS: Final = ("debug", "info", "warning", "error")
FORMS: Final = ("logfmt", "json")
VALUE_CHARS_MAX: Final = 1_000


class Log:
    """Writes lines of at least `level`, each with the time and with `about` (such as the node's own id)."""

    def __init__(
        self, stream: TextIO, level: str, form: str, now_ms: Callable[[], int], about: Mapping[str, object]
    ) -> None:
        assert level in LEVELS
        assert form in FORMS
        self._stream = stream
        self._least = LEVELS.index(level)
        self._now_ms = now_ms
        self._about = dict(about)
        self._write = _json_line if form == "json" else _logfmt_line

    def hears(self, level: str) -> bool:
        """Whether a line of this level would be written; for whoever would take pains to make one."""
        return LEVELS.index(level) >= self._least

    def note(self, event: str, level: str = "info", **fields: object) -> None:
        """One line."""
        self.notes([Noted(event, level, fields)])

    def notes(self, noted: Sequence[Noted]) -> None:
        """Several lines, written at once."""
        loud = [each for each in noted if self.hears(each.level)]
        if not loud:
            return
        at = (
            datetime.fromtimestamp(self._now_ms() / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )
        lines = [
            self._write({"at": at, "level": each.level, "event": each.event, **self._about, **each.fields})
            for each in loud
        ]
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except (OSError, ValueError):
            return  # whoever read the log has gone; the node has better things to do than to die of it


def _plain(value: object) -> str | int | float | bool | None:
    """A value as both forms write it: bytes in hexadecimal, everything else that is no number as bounded text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes):
        return value.hex()[:VALUE_CHARS_MAX]
    if isinstance(value, list | tuple):
        return ",".join(str(_plain(each)) for each in value)[:VALUE_CHARS_MAX]
    return str(value)[:VALUE_CHARS_MAX]


def _json_line(fields: Mapping[str, object]) -> str:
    return json.dumps({key: _plain(value) for key, value in fields.items()}, ensure_ascii=False) + "\n"


def _logfmt_line(fields: Mapping[str, object]) -> str:
    return " ".join(f"{key}={_quoted(_plain(value))}" for key, value in fields.items()) + "\n"


def _quoted(value: str | float | bool | None) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    text = str(value)
    if text and text.isprintable() and not any(mark in text for mark in ' "='):
        return text
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else json.dumps(text)
