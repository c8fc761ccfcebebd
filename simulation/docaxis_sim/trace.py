"""Trace: one line per thing that happened, its hash over the whole run, and the last lines for people.

Lines are made of plain values with one spelling each, so that the same seed gives the same bytes in every process.
Nothing here looks at what a line says.
"""

from collections import deque
from hashlib import sha256
from typing import Final

KEPT_LINES: Final = 60


class Trace:
    """The running hash of a run and its last lines; `keep_all` keeps every line, for comparing two runs."""

    def __init__(self, start_ms: int, keep_all: bool = False) -> None:
        self._start_ms = start_ms
        self._hash = sha256()
        self.lines: deque[str] = deque(maxlen=None if keep_all else KEPT_LINES)
        self.count = 0

    def note(self, at_ms: int, who: str, what: str, detail: str = "") -> None:
        """One line: simulated milliseconds since the start, whose, what, and whatever tells it from others."""
        line = f"{at_ms - self._start_ms:>12} {who:<6} {what} {detail}".rstrip()
        self._hash.update(line.encode() + b"\n")
        self.lines.append(line)
        self.count += 1

    def digest(self) -> str:
        """The hash over all lines so far, in hexadecimal digits."""
        return self._hash.hexdigest()

    def last(self, count: int) -> list[str]:
        """The last lines, oldest first."""
        return list(self.lines)[-count:]
