"""The canonical form of MessagePack, checked on the bytes themselves before anything is built from them.

Walks over headers and skips what they announce: a hostile length is compared with what is there, and never allocated.
Values are made elsewhere (`docaxis.core.codec`); whether text is UTF-8 is left to the decoder. Specification:
``node/docs/spec/encoding.md``.
"""

from typing import Final, NoReturn

from docaxis.core.errors import TheirFault
from docaxis.core.limits import NESTING_MAX

_SHORT: Final = tuple(
    1
    if first < 0x80 or first >= 0xE0 or first in (0xC0, 0xC2, 0xC3)
    else 1 + (first & 31)
    if 0xA0 <= first < 0xC0
    else 0
    for first in range(256)
)
"""Bytes that an item with this first byte takes, where the first byte says it all (0: it does not)."""

_NUMBERS: Final = {
    0xCC: (1, 1 << 7, (1 << 8) - 1),
    0xCD: (2, 1 << 8, (1 << 16) - 1),
    0xCE: (4, 1 << 16, (1 << 32) - 1),
    0xCF: (8, 1 << 32, (1 << 63) - 1),
    0xD0: (1, -(1 << 7), -(1 << 5) - 1),
    0xD1: (2, -(1 << 15), -(1 << 7) - 1),
    0xD2: (4, -(1 << 31), -(1 << 15) - 1),
    0xD3: (8, -(1 << 63), -(1 << 31) - 1),
}
"""Width of the number after this first byte, and the range of values for which no narrower form exists."""

_LENGTHS: Final = {
    0xC4: (1, 0),
    0xC5: (2, 1 << 8),
    0xC6: (4, 1 << 16),
    0xD9: (1, 1 << 5),
    0xDA: (2, 1 << 8),
    0xDB: (4, 1 << 16),
    0xDC: (2, 1 << 4),
    0xDD: (4, 1 << 16),
    0xDE: (2, 1 << 4),
    0xDF: (4, 1 << 16),
}
"""Width of the length after this first byte, and the least length for which no shorter form exists."""

_TEXTS: Final = frozenset({0xD9, 0xDA, 0xDB})


def require(raw: bytes, items_max: int) -> None:
    """Refuses bytes that are not one canonical value of at most `items_max` items, keys and containers included.

    Raises `TheirFault` ``codec.malformed``, ``codec.not-canonical`` or ``codec.too-long``. Time grows with the number
    of items, memory does not grow at all.
    """
    walk = _Walk(raw, items_max)
    try:
        end = walk.items(0, 1, 0)
    except IndexError:
        end = len(raw) + 1
    if end != len(raw):
        raise TheirFault("codec.malformed", "cut short" if end > len(raw) else "bytes after the end")


def _refuse(detail: str) -> NoReturn:
    raise TheirFault("codec.not-canonical", detail)


class _Walk:
    """One pass over `raw`; positions go in and come out, the budget of items only shrinks."""

    def __init__(self, raw: bytes, items_max: int) -> None:
        self._raw = raw
        self._items_max = items_max
        self._budget = items_max

    def items(self, at: int, count: int, depth: int) -> int:
        """The position after `count` items that start at `at`."""
        self._spend(count)
        raw, short, end = self._raw, _SHORT, len(self._raw)
        for _ in range(count):
            size = short[raw[at]]
            at = at + size if size else self._long(at, depth)
            if at > end:
                raise IndexError
        return at

    def _pairs(self, at: int, count: int, depth: int) -> int:
        """The position after `count` pairs of a map whose keys are text in ascending order of their bytes."""
        self._spend(2 * count)
        raw, short, end = self._raw, _SHORT, len(self._raw)
        before = None
        for _ in range(count):
            start, at = (at + 1, at + short[raw[at]]) if 0xA0 <= raw[at] < 0xC0 else self._wide_text(at)
            key = raw[start:at]
            if before is not None and key <= before:
                _refuse("map keys are sorted by their bytes, each once")
            before = key
            size = short[raw[at]]
            at = at + size if size else self._long(at, depth)
            if at > end:
                raise IndexError
        return at

    def _long(self, at: int, depth: int) -> int:
        """The position after an item whose first byte does not tell its size."""
        first = self._raw[at]
        if 0x80 <= first < 0xA0:
            return self._inside(first < 0x90, at + 1, first & 15, depth)
        if first in _NUMBERS:
            return self._number(at, *_NUMBERS[first])
        if first not in _LENGTHS:
            _refuse(f"first byte 0x{first:02x}: only nil, booleans, integers, text, bytes, arrays and maps exist")
        length, start = self._length(at)
        if first < 0xDC:
            return start + length
        return self._inside(first >= 0xDE, start, length, depth)

    def _inside(self, is_map: bool, at: int, count: int, depth: int) -> int:
        if depth == NESTING_MAX:
            _refuse(f"nested deeper than {NESTING_MAX} levels")
        return self._pairs(at, count, depth + 1) if is_map else self.items(at, count, depth + 1)

    def _number(self, at: int, width: int, least: int, most: int) -> int:
        end = at + 1 + width
        if end > len(self._raw):
            raise IndexError
        if not least <= int.from_bytes(self._raw[at + 1 : end], "big", signed=least < 0) <= most:
            _refuse("an integer wider than it needs to be, or wider than 64 bits signed")
        return end

    def _length(self, at: int) -> tuple[int, int]:
        """The length announced at `at`, and where what it announces starts."""
        width, least = _LENGTHS[self._raw[at]]
        start = at + 1 + width
        if start > len(self._raw):
            raise IndexError
        length = int.from_bytes(self._raw[at + 1 : start], "big")
        if length < least:
            _refuse("a length wider than it needs to be")
        return length, start

    def _wide_text(self, at: int) -> tuple[int, int]:
        """Where the text after a header of several bytes starts and ends."""
        if self._raw[at] not in _TEXTS:
            _refuse("map keys are text")
        length, start = self._length(at)
        return start, start + length

    def _spend(self, count: int) -> None:
        self._budget -= count
        if self._budget < 0:
            raise TheirFault("codec.too-long", f"more than {self._items_max} items")
