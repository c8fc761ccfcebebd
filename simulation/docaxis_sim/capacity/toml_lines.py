"""TOML lines: the line of every key and every element of a TOML text, which the standard library does not tell.

A scan for places only: it relies on the text having been accepted by `tomllib`, and judges nothing.
"""

from collections.abc import Iterator
from typing import Final

Place = tuple[str | int, ...]
"""The way to a value: keys of tables, indexes of arrays."""

_BLANK: Final = " \t"
_SPACE: Final = " \t\r\n"
_BARE_END: Final = ",]}#\r\n"
_ESCAPES: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


def lines(text: str) -> dict[Place, int]:
    """The line (1 for the first) of each table, key and array element of a valid TOML text, by its place."""
    return _Scan(text.replace("\r\n", "\n")).document()


class _Scan:
    """One pass over a text: `at` is the next character, `found` what was seen so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Place, int] = {}
        self.counts: dict[Place, int] = {}

    def document(self) -> dict[Place, int]:
        table: Place = ()
        while self._skip(_SPACE):
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.found

    def _header(self) -> Place:
        many = self.text.startswith("[[", self.at)
        line = self._line()
        self.at += 2 if many else 1
        place: Place = ()
        for key in self._keys():
            place = self._newest((*place, key))
        if many:
            place = self._next_table(place)
        self._note(place, line)
        self.at += 2 if many else 1
        return place

    def _next_table(self, place: Place) -> Place:
        """Of an array of tables: `place` may point into the newest table that the array has, or at nothing yet."""
        array = place[:-1] if place[-1:] and isinstance(place[-1], int) else place
        self.counts[array] = self.counts.get(array, 0) + 1
        return (*array, self.counts[array] - 1)

    def _newest(self, place: Place) -> Place:
        """A header that goes through an array of tables means its newest one."""
        count = self.counts.get(place)
        return place if count is None else (*place, count - 1)

    def _pair(self, table: Place) -> None:
        line = self._line()
        place = (*table, *self._keys())
        self._note(place, line)
        self.at += 1
        self._skip(_BLANK)
        self._value(place)

    def _value(self, place: Place) -> None:
        match self._peek():
            case "[":
                self._array(place)
            case "{":
                self._inline(place)
            case '"' | "'":
                self._string()
            case _:
                while self.at < len(self.text) and self._peek() not in _BARE_END:
                    self.at += 1

    def _array(self, place: Place) -> None:
        self.at += 1
        for index in range(len(self.text)):
            self._skip(_SPACE + ",")
            if self._peek() == "]":
                break
            self._note((*place, index), self._line())
            self._value((*place, index))
        self.at += 1

    def _inline(self, place: Place) -> None:
        self.at += 1
        while self._skip(_SPACE + ",") and self._peek() != "}":
            self._pair(place)
        self.at += 1

    def _keys(self) -> Iterator[str]:
        """The parts of a dotted key; leaves `at` at what follows it."""
        while True:
            self._skip(_BLANK)
            yield self._string() if self._peek() in "\"'" else self._bare()
            self._skip(_BLANK)
            if self._peek() != ".":
                return
            self.at += 1

    def _bare(self) -> str:
        start = self.at
        while self._peek() not in " \t.=]":
            self.at += 1
        return self.text[start : self.at]

    def _string(self) -> str:
        quote = self._peek()
        if self.text.startswith(quote * 3, self.at):
            return self._long_string(quote)
        self.at += 1
        parts = []
        while self._peek() != quote:
            parts.append(self._escaped() if quote == '"' and self._peek() == "\\" else self._take())
        self.at += 1
        return "".join(parts)

    def _long_string(self, quote: str) -> str:
        """Up to three quotes; up to two more before them belong to the text. Its value is nobody's key."""
        self.at += 3
        while not self.text.startswith(quote * 3, self.at):
            self.at += 2 if quote == '"' and self._peek() == "\\" else 1
        while self.text.startswith(quote * 4, self.at):
            self.at += 1
        self.at += 3
        return ""

    def _escaped(self) -> str:
        self.at += 1
        kind = self._take()
        width = {"x": 2, "u": 4, "U": 8}.get(kind)
        if width is None:
            return _ESCAPES[kind]
        self.at += width
        return chr(int(self.text[self.at - width : self.at], 16))

    def _skip(self, blanks: str) -> bool:
        """Over blanks, and over comments where lines may end; whether anything is left."""
        while self.at < len(self.text):
            if self._peek() == "#" and "\n" in blanks:
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self._peek() in blanks:
                self.at += 1
            else:
                break
        return self.at < len(self.text)

    def _peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else "\n"

    def _take(self) -> str:
        self.at += 1
        return self.text[self.at - 1]

    def _line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def _note(self, place: Place, line: int) -> None:
        """Tables that a dotted key or a header makes on the way have its line, until they get their own."""
        for depth in range(1, len(place)):
            self.found.setdefault(place[:depth], line)
        self.found[place] = line
