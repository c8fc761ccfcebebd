"""Addresses: the questions the protocol asks of a directory, and what each answer rests on."""

import pytest

from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId

OLD = SigningKey(KeyId(b"old-----"), "ed25519", b"o" * 32, 1_000, 5_000)
NEW = SigningKey(KeyId(b"new-----"), "ed25519", b"n" * 32, 4_000, 0)


def entry(party: str, status: Status = Status.OPEN, successors: tuple[str, ...] = ()) -> Entry:
    """An entry with two keys whose times overlap."""
    return Entry(
        PartyId(party), party, party, "province", None, (), (), (OLD, NEW), (), (), status,
        tuple(PartyId(each) for each in successors), 0, 0, 1,
    )  # fmt: skip


ENTRIES = {
    each.id: each
    for each in (
        entry("H49"),
        entry("H57"),
        entry("H30", Status.CLOSED, ("H31",)),
        entry("H31", Status.CLOSED, ("H57", "H49")),
        entry("H32", Status.CLOSED),
        entry("H33", Status.CLOSED, ("H34",)),
        entry("H34", Status.CLOSED, ("H33",)),
        entry("H35", Status.CLOSED, ("H99",)),
        entry("H36", Status.SUSPENDED),
    )
}
BOOK = Book(ENTRIES.get, {"000.00.00.H49": PartyId("H49"), "000.00.00.H30": PartyId("H30")}, 7, 0, {})


@pytest.mark.parametrize(
    ("written", "found"),
    [("H49", "H49"), ("000.00.00.H49", "H49"), ("H30", "H57"), ("000.00.00.H30", "H57"), ("H31", "H57")],
)
def test_every_spelling_leads_to_who_answers_today(written: str, found: str) -> None:
    """The code, its older form, a code closed once and one closed twice."""
    assert BOOK.resolve(written) == found


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("h49", "id.malformed"),
        ("", "id.malformed"),
        ("H98", "party.unknown"),
        ("H35", "party.unknown"),
        ("H32", "party.closed"),
        ("H33", "party.closed"),
        ("H36", "party.closed"),
    ],
)
def test_a_name_that_leads_nowhere_says_why(written: str, code: str) -> None:
    """Nonsense, a stranger, a successor nobody knows, none at all, a circle, a suspended party."""
    with pytest.raises(TheirFault) as caught:
        BOOK.resolve(written)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("speaker", "addressed", "may"),
    [
        ("H49", "H49", True),
        ("H57", "H30", True),
        ("H31", "H30", True),
        ("H49", "H31", True),
        ("H49", "H57", False),
        ("H57", "H33", False),
        ("H57", "H36", False),
        ("H57", "H99", False),
    ],
)
def test_only_a_party_or_its_successors_answer_for_it(speaker: str, addressed: str, may: bool) -> None:
    """Any successor of a closed code may; nobody for an open or a suspended one."""
    assert BOOK.answers_for(PartyId(speaker), PartyId(addressed)) is may


@pytest.mark.parametrize(
    ("key", "at_ms", "found"),
    [
        (OLD, 1_000, True),
        (OLD, 4_999, True),
        (OLD, 5_000, False),
        (OLD, 999, False),
        (NEW, 4_000, True),
        (NEW, 10**15, True),
    ],
)
def test_a_key_counts_within_its_time(key: SigningKey, at_ms: int, found: bool) -> None:
    """Old keys stay listed so that receipts stay verifiable, and end all the same."""
    if found:
        assert BOOK.signing_key(PartyId("H49"), key.id, at_ms) == key
        return
    with pytest.raises(TheirFault) as caught:
        BOOK.signing_key(PartyId("H49"), key.id, at_ms)
    assert caught.value.code == "seal.key-unknown"


def test_a_revoked_key_and_a_suspended_party_sign_nothing_more() -> None:
    """At once, whatever the key's own time says."""
    revoked = Book(ENTRIES.get, {}, 7, 0, {NEW.id: 4_500})
    for book, party in ((revoked, "H49"), (BOOK, "H36")):
        with pytest.raises(TheirFault) as caught:
            book.signing_key(PartyId(party), NEW.id, 6_000)
        assert caught.value.code == "party.revoked"


def test_a_stranger_has_no_keys() -> None:
    """Not even unknown ones."""
    with pytest.raises(TheirFault) as caught:
        BOOK.signing_key(PartyId("H99"), NEW.id, 6_000)
    assert caught.value.code == "party.unknown"
