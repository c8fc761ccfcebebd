"""Canonical MessagePack, both ways: one byte string per value, and every other byte string refused.

The only module of the core that imports msgpack. It knows no schema; objects check their own fields with the
small readers at the end. Specification: ``node/docs/spec/encoding.md``.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgpack

from docaxis.core import canonical
from docaxis.core.errors import TheirFault
from docaxis.core.limits import DECODED_ITEMS_MAX, NESTING_MAX

T = TypeVar("T")

_SCALARS: Final = frozenset({str, bytes, bool, type(None)})
_INT_MIN: Final = -(2**63)
_INT_MAX: Final = 2**63 - 1


def _ordered(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _SCALARS or (kind is int and _INT_MIN <= value <= _INT_MAX):
        return value
    if kind is int:
        raise TheirFault("codec.not-canonical", "integers have 64 bits, signed")
    if depth == 0:
        raise TheirFault("codec.not-canonical", f"nested deeper than {NESTING_MAX} levels")
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise TheirFault("codec.not-canonical", "map keys are text")
        return {key: _ordered(value[key], depth - 1) for key in sorted(value)}
    if kind is list or kind is tuple:
        return [_ordered(item, depth - 1) for item in value]
    raise TheirFault("codec.not-canonical", f"values of type {kind.__name__} have no canonical form")


def encode(value: Any) -> bytes:
    """The canonical bytes of nil, booleans, integers of 64 bits signed, text, bytes, arrays, and maps keyed by text.

    Map keys are sorted by code point (the same order as their UTF-8 bytes). Raises `TheirFault`
    ``codec.not-canonical`` for anything else, such as a float.
    """
    return pack(_ordered(value, NESTING_MAX))


def pack(value: Any) -> bytes:
    """What `encode` gives, for a value of ours whose maps are written in order already: the fast road for objects.

    Raises `TheirFault` ``codec.not-canonical`` for text that is no Unicode, or a number of more than 64 bits.
    """
    try:
        packed: bytes = msgpack.packb(value, use_bin_type=True)
    except (OverflowError, TypeError, UnicodeEncodeError, ValueError) as error:
        raise TheirFault("codec.not-canonical", str(error)[:200]) from None
    return packed


def decode(raw: bytes, bytes_max: int, items_max: int = DECODED_ITEMS_MAX) -> Any:
    """Reads canonical bytes of at most `bytes_max` and `items_max` items; raises `TheirFault` ``codec.*`` for others.

    The form is checked before a value is built: four megabytes of empty arrays would else become half a gigabyte.
    """
    if len(raw) > bytes_max:
        raise TheirFault("codec.too-long", f"{len(raw)} bytes, at most {bytes_max}")
    canonical.require(raw, items_max)
    try:
        return msgpack.unpackb(raw, raw=False, use_list=True, strict_map_key=True)
    except ValueError as error:  # the only thing left to find is text that is not UTF-8
        raise TheirFault("codec.malformed", f"{type(error).__name__}: {str(error)[:120]}") from None


def wrong(field: str, want: str) -> TheirFault:
    """The error for a field that is not what its schema says."""
    return TheirFault("codec.schema", f"{field}: expected {want}")


def fields(value: Any, names: frozenset[str], what: str) -> dict[str, Any]:
    """Checks that `value` is a map with exactly the keys `names`."""
    if type(value) is not dict:
        raise wrong(what, "a map")
    if value.keys() != names:
        odd = sorted(str(name)[:40] for name in value.keys() ^ names)
        raise wrong(what, f"exactly the fields {sorted(names)}; differs in {odd[:8]}")
    return value


def text(value: Any, field: str, chars_max: int, chars_min: int = 0) -> str:
    """Text of a bounded length without control characters (except line feed and tab)."""
    if type(value) is not str or not chars_min <= len(value) <= chars_max:
        raise wrong(field, f"text of {chars_min} to {chars_max} characters")
    if not value.isprintable() and any(not c.isprintable() and c not in "\n\t" and ord(c) < 0xA0 for c in value):
        raise wrong(field, "text without control characters")
    return value


def integer(value: Any, field: str, least: int = 0, most: int = _INT_MAX) -> int:
    """An integer in a closed range; a boolean is none."""
    if type(value) is not int or not least <= value <= most:
        raise wrong(field, f"an integer from {least} to {most}")
    return value


def blob(value: Any, field: str, length: int) -> bytes:
    """Bytes of exactly `length`."""
    if type(value) is not bytes or len(value) != length:
        raise wrong(field, f"{length} bytes")
    return value


def array(value: Any, field: str, most: int, read: Callable[[Any], T], least: int = 0) -> tuple[T, ...]:
    """An array of bounded length, each item read by `read`."""
    if type(value) is not list or not least <= len(value) <= most:
        raise wrong(field, f"an array of {least} to {most} items")
    return tuple(read(item) for item in value)
