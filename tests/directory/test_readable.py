"""Entries as people hand them to each other: read back as written, and every mistake named."""

import json
from typing import Any

import pytest

from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId
from docaxis.directory.readable import entry_of_json, json_of_entry
from tests.directory.registry import node_entry, unit_entry


def test_an_entry_goes_to_json_and_back() -> None:
    """Every field; the id of a key is shown and not needed back."""
    for entry in (node_entry("H49"), unit_entry("H49.16")._replace(enc=(b"x",), aliases=("000.00.16.H49",))):
        value = json_of_entry(entry)
        assert KeyId(bytes.fromhex(value["keys"][0].pop("id"))) == entry.keys[0].id
        assert entry_of_json(json.dumps(value).encode()) == entry


def test_what_is_absent_has_its_plain_meaning() -> None:
    """A name is the code, an entry is open."""
    entry = entry_of_json(b'{"id": "H49"}')
    assert (entry.name_vi, entry.status.value, entry.keys, entry.seq) == ("H49", "open", (), 1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"endpoint": "https://x"}, "fields nobody knows: endpoint"),
        ({"id": "h49"}, "not a party code"),
        ({"keys": [{"alg": "ed25519", "public": "!!"}]}, "cannot be read"),
        ({"keys": [{"public": "AAAA"}]}, "cannot be read"),
        ({"status": "gone"}, "cannot be read"),
        ({"endpoints": "https://x"}, "entry.ep"),
        ({"not_before_ms": "yesterday"}, "entry.nbf"),
        ({"certificates": [1]}, "cannot be read"),
    ],
)
def test_a_mistake_is_named(change: dict[str, Any], words: str) -> None:
    """The officer corrects the file."""
    with pytest.raises(TheirFault) as caught:
        entry_of_json(json.dumps({"id": "H49", **change}).encode())
    assert caught.value.code == "directory.invalid"
    assert words in caught.value.detail


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b"\xff", b'{"name_vi": "x"}'])
def test_what_is_no_entry_is_refused(raw: bytes) -> None:
    """With a code, whatever it is."""
    with pytest.raises(TheirFault) as caught:
        entry_of_json(raw)
    assert caught.value.code == "directory.invalid"
