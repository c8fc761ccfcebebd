"""The codec: one byte string per value, every other one refused, and hostile ones refused before they cost anything."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import codec
from docaxis.core.errors import TheirFault
from docaxis.core.limits import DECODED_ITEMS_MAX, MIB, NESTING_MAX

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=300) | st.text(max_size=300)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20)
)


def depth(value: Any) -> int:
    """Levels of containers."""
    inner = value.values() if type(value) is dict else value if type(value) is list else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def refusal(raw: bytes, bytes_max: int = 4 * MIB) -> str:
    """The code with which these bytes are refused."""
    with pytest.raises(TheirFault) as caught:
        codec.decode(raw, bytes_max)
    return caught.value.code


@given(VALUES.filter(lambda value: depth(value) <= NESTING_MAX))
def test_what_is_encoded_is_read_back_and_has_no_other_bytes(value: Any) -> None:
    """A round trip both ways: the value, and its only encoding."""
    raw = codec.encode(value)
    assert codec.decode(raw, len(raw)) == value
    assert codec.encode(codec.decode(raw, len(raw))) == raw


@given(st.binary(max_size=400))
def test_whatever_is_accepted_is_the_canonical_encoding_of_its_value(raw: bytes) -> None:
    """No input at all reads as a value whose encoding is different; nothing but a refusal is ever raised."""
    try:
        value = codec.decode(raw, 400)
    except TheirFault:
        return
    assert codec.encode(value) == raw


@given(VALUES.filter(lambda value: depth(value) <= NESTING_MAX), st.data())
def test_a_changed_byte_is_refused_or_gives_another_value(value: Any, data: st.DataObject) -> None:
    """The walk over the bytes and the library that builds the value never disagree."""
    raw = bytearray(codec.encode(value))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = codec.decode(bytes(raw), len(raw))
    except TheirFault:
        return
    assert codec.encode(found) == raw


def test_a_foreign_library_writes_the_same_bytes_when_keys_are_sorted() -> None:
    """The form is MessagePack; the only thing added is that it is one form."""
    value = {"a": [1, -1, 255, 256, 65_536, 2**32, -(2**31) - 1, True, None], "b": {"c": b"x" * 300, "d": "đ" * 200}}
    assert codec.encode(value) == msgpack.packb(value)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x82\xa1b\xc0\xa1a\xc0", "keys not sorted"),
        (b"\x82\xa1a\xc0\xa1a\xc0", "a key twice"),
        (b"\x81\x01\xc0", "a key that is a number"),
        (b"\x81\xc4\x01a\xc0", "a key that is bytes"),
        (b"\xcc\x7f", "an integer one byte wide where none is needed"),
        (b"\xcd\x00\xff", "two bytes wide"),
        (b"\xce\x00\x00\xff\xff", "four bytes wide"),
        (b"\xcf\x00\x00\x00\x00\xff\xff\xff\xff", "eight bytes wide"),
        (b"\xcf\x80\x00\x00\x00\x00\x00\x00\x00", "2**63"),
        (b"\xd0\xe0", "a small negative in a wide form"),
        (b"\xd0\x05", "a positive in a signed form"),
        (b"\xd1\xff\x80", "two bytes for -128"),
        (b"\xd3\xff\xff\xff\xff\x80\x00\x00\x00", "eight bytes for -2**31"),
        (b"\xd9\x01a", "text with a long header"),
        (b"\xda\x00\x20" + b"a" * 32, "text with a longer header"),
        (b"\xc5\x00\x01a", "bytes with a long header"),
        (b"\xdc\x00\x01\xc0", "an array with a long header"),
        (b"\xdd\x00\x00\x00\x01\xc0", "an array with a longer header"),
        (b"\xde\x00\x01\xa1a\xc0", "a map with a long header"),
        (b"\xca\x3f\x80\x00\x00", "a float"),
        (b"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", "a double"),
        (b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "not a number"),
        (b"\xd4\x01\x00", "an extension"),
        (b"\xd6\xff\x00\x00\x00\x00", "a timestamp"),
        (b"\xc7\x01\x01\x00", "an extension with a length"),
        (b"\xc1", "the byte that means nothing"),
        (b"\x91" * (NESTING_MAX + 1) + b"\xc0", "one level too deep"),
    ],
)
def test_every_other_form_is_not_canonical(raw: bytes, why: str) -> None:
    """Each of these means something to a lenient reader, which is why none may pass."""
    assert refusal(raw) == "codec.not-canonical", why


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "nothing"),
        (b"\xc0\xc0", "bytes after the end"),
        (b"\x92\xc0", "an item missing"),
        (b"\x81\xa1a", "a value missing"),
        (b"\x81\xa5a", "a key cut short"),
        (b"\xa2a", "text cut short"),
        (b"\xc4\x05a", "bytes cut short"),
        (b"\xc6\xff\xff\xff\xffa", "bytes that announce four gigabytes"),
        (b"\xcd\x01", "a number cut short"),
        (b"\xda\x01", "a header cut short"),
        (b"\xa1\xff", "text that is not UTF-8"),
        (b"\xa3\xed\xa0\x80", "a lone surrogate"),
        (b"\xa2\xc0\x80", "an overlong form"),
        (b"\x81\xa1\xff\xc0", "a key that is not UTF-8"),
    ],
)
def test_what_is_no_message_at_all_is_malformed(raw: bytes, why: str) -> None:
    """Cut short, too long, or not text where text is announced."""
    assert refusal(raw) == "codec.malformed", why


def test_nesting_up_to_the_limit_is_read() -> None:
    """Both sides of the line."""
    raw = b"\x91" * NESTING_MAX + b"\xc0"
    assert codec.encode(codec.decode(raw, 100)) == raw


FULL = 4 * MIB - 5
HEADER = b"\xdd" + FULL.to_bytes(4, "big")


@pytest.mark.parametrize(
    "raw",
    [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        HEADER + b"\xc0" * FULL,
        HEADER + b"\x90" * FULL,
        HEADER + b"\x80" * FULL,
        HEADER * 1000 + b"\xc0" * 10,
        b"\x92" + (b"\xdc\x80\x00" + b"\xc0" * 0x8000) * 2,
    ],
)
def test_millions_of_tiny_items_are_refused_before_a_value_is_built(raw: bytes) -> None:
    """Four megabytes of empty arrays would become six hundred megabytes of objects, over some seconds."""
    assert refusal(raw) == "codec.too-long"


def test_as_many_items_as_allowed_are_read() -> None:
    """The array itself is one of them."""
    value = [None] * (DECODED_ITEMS_MAX - 1)
    assert codec.decode(codec.encode(value), MIB) == value
    assert refusal(codec.encode([*value, None])) == "codec.too-long"


def test_length_is_looked_at_first() -> None:
    """Nothing of an over-long input is read."""
    assert refusal(b"\xc0" * 11, 10) == "codec.too-long"


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), 2**63, -(2**63) - 1, {1: 2}, {b"a": 1}, "\ud800", {"\ud800": 1}, {1, 2}, object()]
)
def test_what_has_no_canonical_form_is_not_written(value: object) -> None:
    """What no reader accepts no writer makes."""
    with pytest.raises(TheirFault, match=r"codec\.not-canonical"):
        codec.encode(value)


def test_writing_refuses_what_is_too_deep() -> None:
    """The limit of reading is the limit of writing."""
    value: Any = None
    for _ in range(NESTING_MAX + 1):
        value = [value]
    with pytest.raises(TheirFault, match="nested"):
        codec.encode(value)


@pytest.mark.parametrize("bad", ["\x00", "\x1f", "\x7f", "\x85", "\x9b", "a\x0bb", "a\rb"])
def test_control_characters_are_no_text(bad: str) -> None:
    """They could forge lines in a log or on a terminal; line feed and tab are of use in a reason."""
    with pytest.raises(TheirFault, match=r"codec\.schema"):
        codec.text(bad, "field", 10)


def test_text_in_any_script_with_line_feed_and_tab_is_text() -> None:
    """What is refused does not depend on a version of Unicode's tables."""
    words = "Trục liên thông\n\tvăn bản\u00a0Ⓒ \U0001f4dc \u0378"
    assert codec.text(words, "field", 100) == words


@pytest.mark.parametrize("bad", [b"bytes", 1, None, "abc", ""])
def test_text_has_its_type_and_length(bad: object) -> None:
    """Bounds count characters."""
    with pytest.raises(TheirFault, match=r"codec\.schema"):
        codec.text(bad, "field", 2, 1)


@pytest.mark.parametrize("bad", [True, 1.0, "1", None, -1, 2**63])
def test_a_boolean_is_no_integer(bad: object) -> None:
    """Nor is anything else that Python would take for one."""
    with pytest.raises(TheirFault, match=r"codec\.schema"):
        codec.integer(bad, "field")


def test_fields_must_be_exactly_those_named_and_the_refusal_stays_short() -> None:
    """A hostile key of a megabyte is not repeated in the log."""
    with pytest.raises(TheirFault) as caught:
        codec.fields({"a": 1, "x" * MIB: 2}, frozenset({"a", "b"}), "thing")
    assert caught.value.code == "codec.schema"
    assert len(caught.value.detail) < 400


@pytest.mark.parametrize("bad", [[], None, "map", 5])
def test_a_map_is_a_map(bad: object) -> None:
    """The type comes before the fields."""
    with pytest.raises(TheirFault, match=r"codec\.schema"):
        codec.fields(bad, frozenset(), "thing")


def test_arrays_and_blobs_are_bounded() -> None:
    """The remaining small readers."""
    assert codec.array([1, 2], "field", 2, int) == (1, 2)
    for bad in ([1, 2, 3], [], "ab", None):
        with pytest.raises(TheirFault, match=r"codec\.schema"):
            codec.array(bad, "field", 2, int, 1)
    for blob in (b"", b"abc", "ab", None):
        with pytest.raises(TheirFault, match=r"codec\.schema"):
            codec.blob(blob, "field", 2)
