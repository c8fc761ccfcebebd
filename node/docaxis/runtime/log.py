"""The log: one line per event to standard error, for people (logfmt) or programs (JSON lines).

Lines carry a stable event name, ids and numbers; whoever writes one hands in no content and no secrets. Of a flood of
one event by one peer some lines are written, and how many there were. Nothing here rotates, ships or reads logs: that
is the work of whatever runs the node.
"""

import asyncio
import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from logging import ERROR, LogRecord
from typing import Final, TextIO

from docaxis.core.effects import Noted

LEVELS: Final = ("debug", "info", "warning", "error")
FORMS: Final = ("logfmt", "json")
VALUE_CHARS_MAX: Final = 1_000
LINES_AT_ONCE_MAX: Final = 20
LINES_PER_S: Final = 1.0
"""Of one event and peer: so many at once, and from then on so many a second."""
CALM_MS: Final = 5_000
"""A flood is over, and what was held back is counted, when for so long nothing more had to be."""
HELD_BACK_MS_MAX: Final = 60_000
"""A flood that goes on is counted from time to time."""
KINDS_MAX: Final = 4_096
TRACE_FRAMES_MAX: Final = 8
_OWN: Final = "docaxis"


class _Kind:
    """What is known of one event and peer: lines that may be written now (`left`, as of `at_ms`), lines held back."""

    __slots__ = ("at_ms", "first_ms", "held_back", "last_ms", "left", "level")

    def __init__(self, now_ms: int) -> None:
        self.left = float(LINES_AT_ONCE_MAX)
        self.at_ms = now_ms
        self.held_back = 0
        self.first_ms = self.last_ms = now_ms
        self.level = LEVELS[0]

    def refill(self, now_ms: int) -> None:
        self.left = min(LINES_AT_ONCE_MAX, self.left + max(0, now_ms - self.at_ms) * LINES_PER_S / 1000)
        self.at_ms = now_ms

    def hold_back(self, level: str, now_ms: int) -> None:
        if not self.held_back:
            self.first_ms, self.level = now_ms, level
        self.held_back += 1
        self.last_ms = now_ms
        self.level = max(self.level, level, key=LEVELS.index)

    def due(self, now_ms: int) -> bool:
        return not 0 <= now_ms - self.last_ms < CALM_MS or now_ms - self.first_ms >= HELD_BACK_MS_MAX


class _Flood:
    """Tells which lines to write: of each event and peer a bounded number, whatever a peer makes happen here."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], _Kind] = {}
        self._holding: dict[tuple[str, str], _Kind] = {}
        self._tidied_ms = 0

    def __bool__(self) -> bool:
        """Whether anything is held back."""
        return bool(self._holding)

    def admits(self, noted: Noted, now_ms: int) -> bool:
        """Whether the line is written; if not, it is counted. What the node's own people do is always written."""
        peer = str(noted.fields.get("peer") or noted.fields.get("recipient") or "")
        if not peer and LEVELS.index(noted.level) < LEVELS.index("warning"):
            return True
        key = noted.event, peer
        kind = self._kinds.get(key) or self._begin(key, now_ms)
        kind.refill(now_ms)
        if kind.left >= 1:
            kind.left -= 1
            return True
        kind.hold_back(noted.level, now_ms)
        self._holding[key] = kind
        return False

    def counted(self, now_ms: int, *, all_of_them: bool = False) -> list[Noted]:
        """A line for each flood that is over, or has been going on for long."""
        over = [(key, kind) for key, kind in self._holding.items() if all_of_them or kind.due(now_ms)]
        lines = []
        for (event, peer), kind in over:
            del self._holding[event, peer]
            about = {"peer": peer} if peer else {}
            lines.append(Noted(event, kind.level, {**about, "more_like_this": kind.held_back}))
            kind.held_back = 0
        return lines

    def _begin(self, key: tuple[str, str], now_ms: int) -> _Kind:
        if len(self._kinds) >= KINDS_MAX and not 0 <= now_ms - self._tidied_ms < CALM_MS:
            self._tidied_ms = now_ms
            for kind in self._kinds.values():
                kind.refill(now_ms)
            self._kinds = {k: v for k, v in self._kinds.items() if v.held_back or v.left < LINES_AT_ONCE_MAX}
        if len(self._kinds) >= KINDS_MAX:
            key = key[0], ""  # so many peers at once share one measure
        return self._kinds.setdefault(key, _Kind(now_ms))


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
        self._flood = _Flood()
        self._counting: asyncio.TimerHandle | None = None

    def hears(self, level: str) -> bool:
        """Whether a line of this level would be written; for whoever would take pains to make one."""
        return LEVELS.index(level) >= self._least

    def note(self, event: str, level: str = "info", **fields: object) -> None:
        """One line."""
        self.notes([Noted(event, level, fields)])

    def notes(self, noted: Sequence[Noted]) -> None:
        """Several lines, written at once."""
        loud = [each for each in noted if self.hears(each.level)]
        if loud:
            now_ms = self._now_ms()
            admitted = [each for each in loud if self._flood.admits(each, now_ms)]
            self._put([*self._flood.counted(now_ms), *admitted], now_ms)
            self._count_later()

    def count_now(self) -> None:
        """Writes how many lines were held back until now, as at the end of a node."""
        now_ms = self._now_ms()
        self._put(self._flood.counted(now_ms, all_of_them=True), now_ms)
        if self._counting is not None:
            self._counting.cancel()

    def _count_later(self) -> None:
        """The end of a flood is no event: somebody has to look whether it has come."""
        if not self._flood or self._counting is not None:
            return
        try:
            self._counting = asyncio.get_running_loop().call_later(CALM_MS / 1000, self._count)
        except RuntimeError:
            return  # no loop: the next line brings it

    def _count(self) -> None:
        self._counting = None
        now_ms = self._now_ms()
        self._put(self._flood.counted(now_ms), now_ms)
        self._count_later()

    def _put(self, noted: Sequence[Noted], now_ms: int) -> None:
        if not noted:
            return
        at = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines = [
            self._write({"at": at, "level": each.level, "event": each.event, **self._about, **each.fields})
            for each in noted
        ]
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except (OSError, ValueError):
            return  # whoever read the log has gone; the node has better things to do than to die of it


def library_said(record: LogRecord) -> Noted:
    """What a library says, as one line: the error in one word, and where it happened only if it is a mistake of ours
    (what the network does to a connection is none)."""
    error = record.exc_info[1] if record.exc_info else None
    text = " ".join(record.getMessage().split())
    fields: dict[str, object] = {"source": record.name, "text": f"{text}: {error!r}" if error else text}
    if error is not None and _is_ours(error):
        fields["trace"] = "".join(traceback.format_exception(error, limit=-TRACE_FRAMES_MAX))
    return Noted("library.said", "error" if record.levelno >= ERROR else "warning", fields)


def _is_ours(error: BaseException) -> bool:
    if isinstance(error, OSError) or type(error).__module__.startswith("aiohttp"):
        return False
    modules = (str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(module.partition(".")[0] == _OWN for module in modules)


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
