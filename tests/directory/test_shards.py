"""Shards: packed entries are found where they lie, and a shard that overreaches is not a shard."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import codec
from docaxis.core.addresses import Entry
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.directory import layout
from docaxis.directory.entries import simple_entry
from docaxis.directory.shards import Index, Shard, is_confined, pack, part_of
from tests.directory.registry import node_entry, unit_entry

H49 = PartyId("H49")


def small(code: str, alias: str = "") -> Entry:
    """An entry without keys."""
    entry = simple_entry(PartyId(code), code, code, "unit")
    return entry._replace(aliases=(alias,)) if alias else entry


def shard_value() -> dict[str, Any]:
    """A good shard as plain values."""
    raw = pack(H49, [node_entry("H49"), unit_entry("H49.16")])[0]
    value: dict[str, Any] = codec.decode(raw, 100_000)
    return value


@given(st.sets(st.integers(0, 5000), max_size=300))
def test_every_entry_is_found_by_code_and_by_alias_and_nothing_else_is(numbers: set[int]) -> None:
    """Whatever the count: the places kept are computed, not searched for."""
    entries = [small(f"H49.{n}", f"000.{n}.H49") for n in sorted(numbers)]
    index = Index(Shard(raw) for raw in pack(H49, entries))
    for entry in entries:
        assert index.entry(entry.id) == entry
        assert index.aliases[entry.aliases[0]] == entry.id
    assert index.entry(PartyId("H49.5001")) is None
    assert index.aliases.get("000.5001.H49") is None
    assert sorted(index.parties()) == sorted(entry.id for entry in entries)
    assert sorted(index.aliases) == sorted(entry.aliases[0] for entry in entries)
    assert index.count() == len(index.aliases) == len(entries)


def test_codes_of_every_length_are_found() -> None:
    """The form of a short text differs from that of a long one."""
    codes = ["H49", "H49.1", "H49.12345678", "H49.12345678.12345678.1234", "H49.12345678.12345678.12345678.1234"]
    index = Index(Shard(raw) for raw in pack(H49, [small(code, f"H49.x{code[4:]}-x"[:35]) for code in codes[:4]]))
    assert [index.entry(PartyId(code)) is not None for code in codes] == [True] * 4 + [False]


def test_many_entries_are_spread_and_a_change_touches_one_shard() -> None:
    """Otherwise each new commune would send a whole province to every node."""
    entries = [unit_entry(f"H49.{n}") for n in range(1500)]
    before = pack(H49, entries)
    assert len(before) in (2, 4)
    assert max(map(len, before)) <= layout.SHARD_BYTES_WISHED
    entries[700] = entries[700]._replace(name_vi="Tên mới", seq=2)
    after = pack(H49, entries)
    assert [one == other for one, other in zip(before, after, strict=True)].count(False) == 1


def test_nodes_are_listed_apart() -> None:
    """Those who can be met in TLS are known without unpacking everybody."""
    index = Index(Shard(raw) for raw in pack(H49, [node_entry("H49"), unit_entry("H49.16")]))
    assert index.nodes == ("H49",)


def test_an_entry_that_is_nonsense_harms_only_itself() -> None:
    """Its agency signed it; everybody else stays reachable."""
    value = shard_value()
    value["entries"]["H49.16"] = b"\xc1nonsense"
    index = Index([Shard(codec.encode(value))])
    assert index.entry(PartyId("H49.16")) is None
    assert index.entry(H49) is not None


def test_an_entry_filed_under_another_code_is_not_found_there() -> None:
    """The code in the entry and the one it is filed under must agree."""
    value = shard_value()
    value["entries"]["H49.16"] = value["entries"]["H49"]
    assert Index([Shard(codec.encode(value))]).entry(PartyId("H49.16")) is None


def test_an_alias_needs_the_word_of_the_entry_itself() -> None:
    """The list of aliases helps to find; the entry decides."""
    value = shard_value()
    value["aliases"]["000.99.99.H49"] = "H49"
    index = Index([Shard(codec.encode(value))])
    assert index.aliases.get("000.99.99.H49") is None
    assert index.aliases.get("000.00.00.H49") == "H49"


def _move(value: dict[str, Any]) -> dict[str, Any]:
    party = next(f"H49.{n}" for n in range(100) if part_of(f"H49.{n}", 2) == 1)
    return {**value, "parts": 2, "entries": {party: b"x"}, "aliases": {}, "nodes": []}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda v: {**v, "type": "shard/2"}, "codec.schema"),
        (lambda v: {**v, "extra": 1}, "codec.schema"),
        (lambda v: {**v, "agency": "H49.16"}, "id.malformed"),
        (lambda v: {**v, "agency": "H48"}, "directory.wrong-path"),
        (lambda v: {**v, "entries": {**v["entries"], "G22": b"x"}}, "directory.wrong-path"),
        (lambda v: {**v, "entries": {**v["entries"], "H490": b"x"}}, "directory.wrong-path"),
        (lambda v: {**v, "entries": {**v["entries"], "h49.1": b"x"}}, "id.malformed"),
        (lambda v: {**v, "entries": {**v["entries"], "H49.1": 1}}, "directory.malformed"),
        (lambda v: {**v, "aliases": {"000.00.00.G22": "H49"}}, "directory.wrong-path"),
        (lambda v: {**v, "aliases": {"G22": "H49"}}, "directory.wrong-path"),
        (lambda v: {**v, "aliases": {"x.H49": "H49.99"}}, "directory.malformed"),
        (lambda v: {**v, "aliases": {"x.H49": ["H49"]}}, "directory.malformed"),
        (lambda v: {**v, "aliases": {"x.H49" * 80: "H49"}}, "directory.malformed"),
        (lambda v: {**v, "nodes": ["H49.99"]}, "directory.malformed"),
        (lambda v: {**v, "part": 1}, "codec.schema"),
        (lambda v: {**v, "parts": 257}, "codec.schema"),
        (_move, "directory.malformed"),
    ],
)
def test_a_shard_that_overreaches_is_refused(change: Any, code: str) -> None:
    """Another agency's units, names that are not its own, wrong placement, wrong form."""
    with pytest.raises(TheirFault) as caught:
        Shard(codec.encode(change(shard_value())))
    assert caught.value.code == code


def test_a_shard_that_is_not_canonical_is_refused() -> None:
    """One shard, one byte string; so its digest names its content and nothing else."""
    raw = pack(H49, [small("H49")])[0]
    with pytest.raises(TheirFault) as caught:
        Shard(raw.replace(b"\xa5parts\x01", b"\xa5parts\xcc\x01"))
    assert caught.value.code == "codec.not-canonical"


def test_a_shard_longer_than_the_bound_is_refused_before_it_is_read() -> None:
    """No matter who signed it."""
    with pytest.raises(TheirFault) as caught:
        Shard(bytes(layout.SHARD_BYTES_MAX + 1))
    assert caught.value.code == "codec.too-long"


def test_all_parts_of_an_agency_must_be_there() -> None:
    """A missing part would make half a province vanish."""
    shards = [Shard(raw) for raw in pack(H49, [unit_entry(f"H49.{n}") for n in range(1500)])]
    with pytest.raises(TheirFault) as caught:
        Index(shards[1:])
    assert caught.value.code == "directory.malformed"


@pytest.mark.parametrize(
    ("alias", "inside"),
    [
        ("000.00.00.H49", True),
        ("28.22.H49", True),
        ("H49.DN.001", True),
        ("H49", False),
        ("000.00.00.H490", False),
        ("G22", False),
    ],
)
def test_a_name_lies_inside_an_agency_by_its_first_or_last_group(alias: str, inside: bool) -> None:
    """The older codes end with the agency's, the newer ones begin with it (Decision 20/2020)."""
    assert is_confined(alias, H49) is inside


def test_an_index_is_never_taken_for_nothing() -> None:
    """Without aliases, or without entries, it is an index all the same; who asks for its truth must not be misled."""
    assert bool(Index(()))
    assert bool(Index(Shard(raw) for raw in pack(H49, [node_entry("H49")._replace(aliases=())])))
    assert not hasattr(Index, "__len__")
