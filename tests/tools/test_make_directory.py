"""The generator of directories: real agencies, plausible units, any size, and a directory that every node accepts."""

import json
from itertools import islice
from pathlib import Path

import pytest

from docaxis.core.ids import PartyId, party_id
from docaxis.core.routing import How, next_hop
from docaxis.directory.files import local_files
from docaxis.directory.repository import Repository
from tools import make_directory
from tools.make_directory import agencies, alias, make, shares, units

NOW_MS = 1_795_000_000_000


def test_the_agencies_are_the_ninety_five_of_the_opening() -> None:
    """The Party Central Office, thirty-one central agencies, sixty-three provinces with their districts."""
    known = agencies()
    assert len(known) == 95
    assert [each.code for each in known if each.kind == "party"] == ["A00"]
    provinces = [each for each in known if each.districts]
    assert len(provinces) == 63
    assert sum(each.communes for each in provinces) == 11_162


@pytest.mark.parametrize("count", [95, 96, 1_000, 12_000, 125_000])
def test_shares_add_up(count: int) -> None:
    """To the entry."""
    known = agencies()
    found = shares(known, count)
    assert sum(found) + len(known) == count
    assert min(found) >= 0


def test_fewer_than_the_agencies_is_no_directory() -> None:
    """The agencies themselves are entries."""
    with pytest.raises(ValueError, match="at least 95"):
        shares(agencies(), 94)


def test_units_have_distinct_codes_and_their_parent_comes_first() -> None:
    """As far as the largest directory needs them."""
    for agency in agencies():
        seen: set[tuple[int, ...]] = {()}
        for unit in islice(units(agency), 3_000):
            assert unit.groups[:-1] in seen
            assert unit.groups not in seen
            assert all(0 < group <= 99 for group in unit.groups)
            seen.add(unit.groups)


@pytest.mark.parametrize(
    ("groups", "older"),
    [((), "000.00.00.H49"), ((16,), "000.00.16.H49"), ((16, 1), "000.01.16.H49"), ((1, 2, 3), "003.02.01.H49")],
)
def test_older_codes_read_from_right_to_left(groups: tuple[int, ...], older: str) -> None:
    """QCVN 102: the agency last, thirteen characters."""
    assert alias(party_id("H49"), groups) == older
    assert len(older) == 13


async def test_a_generated_directory_is_a_directory(tmp_path: Path) -> None:
    """Verified by a node; every tier resolves and routes."""
    ceremony = make(tmp_path / "p", 700, NOW_MS)
    book = await Repository(tmp_path / "n", ceremony.root).refresh(local_files(ceremony.public), NOW_MS)
    assert len(book.parties) == 95
    assert book.resolve("000.00.01.H49") == "H49.01"
    hop = next_hop(book, PartyId("G22"), PartyId("H49.01"))
    assert (hop.party, hop.how) == ("H49", How.VIA)


def test_the_command_says_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And does not touch a folder that is not empty."""
    assert make_directory.main([str(tmp_path / "d"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["entries"] == 95
    assert Path(found["root"]).is_file()
    for words in ([str(tmp_path / "d")], [str(tmp_path / "e"), "--entries", "3"]):
        with pytest.raises(SystemExit):
            make_directory.main(words)
