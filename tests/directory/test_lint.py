"""Lint: each rule that entries must keep before they are published, broken once."""

from typing import Any

import pytest

from docaxis.core.addresses import Entry, Status
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.directory.entries import make_key
from docaxis.directory.lint import check, lint
from docaxis.seal.certificates import make_certificate
from docaxis.seal.keys import new_tls_key
from tests.directory.registry import NOW_MS, node_entry, unit_entry

H49 = PartyId("H49")
GOOD = {each.id: each for each in (node_entry("H49"), unit_entry("H49.16"), unit_entry("H49.16.01"))}
OTHER = node_entry("G22")


def nothing(_: bytes) -> bool:
    """No other agency has this key."""
    return False


def findings(party: str, **changes: Any) -> str:
    """What lint says after one entry was changed, with the next seq."""
    entry = GOOD[PartyId(party)]
    changed = {**GOOD, entry.id: entry._replace(seq=2, **changes)}
    return "; ".join(lint(H49, changed, GOOD, nothing))


def test_good_entries_pass() -> None:
    """As new, and unchanged."""
    assert lint(H49, GOOD, {}, nothing) == []
    assert lint(H49, GOOD, GOOD, nothing) == []


@pytest.mark.parametrize(
    ("party", "changes", "words"),
    [
        ("H49", {"parent": PartyId("G22")}, "an agency has no parent"),
        ("H49.16", {"parent": None}, "parent None is not an entry"),
        ("H49.16", {"parent": PartyId("G22")}, "parent G22 is not an entry"),
        ("H49.16", {"parent": PartyId("H49.16.01"), "via": ()}, "parents lead in a circle"),
        ("H49.16.01", {"via": (PartyId("G22"),)}, "hub G22 is not above it"),
        ("H49.16", {"via": (PartyId("H49.16.01"),)}, "hub H49.16.01 is not above it"),
        ("H49.16.01", {"via": (H49, H49)}, "hub is named twice"),
        ("H49", {"endpoints": ("http://h49.example",)}, "https://host:port"),
        ("H49", {"endpoints": ("https://h49.example/path",)}, "https://host:port"),
        ("H49", {"endpoints": ("https://user@h49.example",)}, "https://host:port"),
        ("H49", {"endpoints": ("https://h49.example:99999",)}, "https://host:port"),
        ("H49", {"endpoints": ("https://",)}, "https://host:port"),
        ("H49", {"certificates": ()}, "needs a signing key and a certificate"),
        ("H49", {"certificates": OTHER.certificates}, "h49.axis.invalid alone"),
        ("H49", {"certificates": (b"nonsense",)}, "not a certificate"),
        ("H49.16", {"keys": (*GOOD[PartyId("H49.16")].keys, make_key(bytes(32), 0))}, "not a sound key"),
        ("H49.16", {"keys": (*GOOD[PartyId("H49.16")].keys, make_key(b"\x09" * 32, 0, 0, "rsa"))}, "not a sound key"),
        ("H49.16", {"keys": (*GOOD[PartyId("H49.16")].keys, make_key(b"\x09" * 32, 5, 5))}, "ends before it begins"),
        ("H49.16", {"keys": ()}, "was removed: old keys stay listed"),
        ("H49.16", {"keys": GOOD[H49].keys}, "shares the key or certificate"),
        ("H49.16", {"aliases": GOOD[H49].aliases}, "shares alias"),
        ("H49.16", {"aliases": ("000.00.00.G22",)}, "not a name inside H49"),
        ("H49.16", {"aliases": ("H49.16.01",)}, "is the code of another entry"),
        ("H49.16", {"aliases": ("số.H49",)}, "may hold letters"),
        ("H49.16", {"successors": (H49,)}, "an open entry has no successors"),
        ("H49.16", {"status": Status.CLOSED, "successors": (PartyId("H49.16"),)}, "cannot succeed itself"),
        ("H49.16", {"not_before_ms": 5, "expires_ms": 5}, "it ends before it begins"),
    ],
)
def test_each_rule_names_what_is_wrong(party: str, changes: dict[str, Any], words: str) -> None:
    """An officer corrects what is named."""
    assert words in findings(party, **changes)


@pytest.mark.parametrize(
    ("new", "old", "words"),
    [
        ({k: v for k, v in GOOD.items() if k != H49}, {}, "the agency itself needs an entry"),
        ({**GOOD, OTHER.id: OTHER}, {}, "G22: is not a unit of H49"),
        ({k: v for k, v in GOOD.items() if k != "H49.16.01"}, GOOD, "closed, never removed"),
        ({**GOOD, H49: GOOD[H49]._replace(name_vi="x")}, GOOD, "its seq must rise above 1"),
    ],
)
def test_the_entries_of_an_agency_are_judged_together(
    new: dict[PartyId, Entry], old: dict[PartyId, Entry], words: str
) -> None:
    """Completeness, confinement, history."""
    assert words in "; ".join(lint(H49, new, old, nothing))


def test_a_key_or_certificate_of_another_agency_is_refused_when_it_is_new() -> None:
    """One key, one party; what was listed before is not asked again."""
    asked: list[bytes] = []

    def taken(mark: bytes) -> bool:
        asked.append(mark)
        return True

    assert len(lint(H49, GOOD, {}, taken)) == 4
    assert lint(H49, GOOD, GOOD, taken) == []
    certificate = make_certificate(H49, new_tls_key(), NOW_MS)
    changed = GOOD[H49]._replace(seq=2, certificates=(*GOOD[H49].certificates, certificate))
    asked.clear()
    assert "stands in another agency" in lint(H49, {**GOOD, H49: changed}, GOOD, taken)[0]
    assert asked == [certificate]


def test_a_closed_entry_with_its_successor_passes() -> None:
    """Decision 09/2025: codes close and are succeeded."""
    assert findings("H49.16.01", status=Status.CLOSED, successors=(PartyId("H49.16"),)) == ""


def test_many_findings_are_cut_short() -> None:
    """An error is read by a person."""
    bad = {PartyId(f"H49.{n}"): unit_entry(f"H49.{n}")._replace(parent=None, via=()) for n in range(100, 150)}
    with pytest.raises(TheirFault) as caught:
        check(H49, {**GOOD, **bad}, {}, nothing)
    assert caught.value.code == "directory.invalid"
    assert caught.value.detail.endswith("(and 30 more)")
