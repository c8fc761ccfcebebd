"""Entries: one byte string per entry, and nothing else is read as one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import codec
from docaxis.core.addresses import Entry, Status
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.directory.entries import decode_entry, encode_entry, make_key
from tests.directory.registry import node_entry

CODES = st.from_regex(r"[A-Z0-9]{1,8}(\.[A-Z0-9]{1,8}){0,2}\Z", fullmatch=True).map(PartyId)
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=40)
TIMES = st.integers(0, 2**62)

ENTRIES = st.builds(
    Entry,
    id=CODES,
    name_vi=NAMES,
    name_en=NAMES,
    kind=NAMES,
    parent=st.none() | CODES,
    endpoints=st.lists(st.just("https://h49.example:8443"), max_size=4).map(tuple),
    via=st.lists(CODES, max_size=4).map(tuple),
    keys=st.lists(st.builds(make_key, st.binary(min_size=32, max_size=32), TIMES, TIMES), max_size=3).map(tuple),
    certificates=st.lists(st.binary(min_size=1, max_size=50), max_size=3).map(tuple),
    aliases=st.lists(NAMES.map(lambda name: name[:20]), max_size=3).map(tuple),
    status=st.sampled_from(Status),
    successors=st.lists(CODES, max_size=3).map(tuple),
    not_before_ms=TIMES,
    expires_ms=TIMES,
    seq=st.integers(1, 2**62),
    enc=st.lists(st.binary(min_size=1, max_size=50), max_size=2).map(tuple),
)


@given(ENTRIES)
def test_an_entry_reads_back_as_written(entry: Entry) -> None:
    """Every field, those of later times (`enc`) included."""
    assert decode_entry(encode_entry(entry)) == entry


def test_the_id_of_a_key_is_never_written() -> None:
    """It follows from the key, so that no entry can lie about it."""
    entry = node_entry("H49")
    assert bytes(entry.keys[0].id) not in encode_entry(entry)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "h49"),
        ("vi", ""),
        ("vi", "a" * 201),
        ("en", "tab\x07bell"),
        ("parent", ""),
        ("ep", ["https://h49.example"] * 5),
        ("ep", "https://h49.example"),
        ("via", ["H49"] * 5),
        ("sig", [["ed25519", b"", 0, 0]]),
        ("sig", [["ed25519", b"k" * 32, 0]]),
        ("sig", [["ed25519", b"k" * 32, -1, 0]]),
        ("tls", [b""]),
        ("enc", [b"e" * 9000]),
        ("alias", ["a" * 36]),
        ("st", "gone"),
        ("next", ["H 49"]),
        ("nbf", True),
        ("seq", 0),
        ("extra", 1),
    ],
)
def test_a_field_that_is_not_what_the_format_says_is_refused(field: str, value: Any) -> None:
    """Too long, too many, of another type, out of range, unknown."""
    raw = codec.decode(encode_entry(node_entry("H49")), 10_000)
    with pytest.raises(TheirFault) as caught:
        decode_entry(codec.encode({**raw, field: value}))
    assert caught.value.code in {"codec.schema", "id.malformed"}
