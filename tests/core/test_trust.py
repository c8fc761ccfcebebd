"""Trust: what an ageing directory allows, which numbers may follow which, and who may silence a key."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import limits
from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.trust import (
    ALLOWED,
    Authority,
    Freshness,
    Revocation,
    SignedRevocation,
    Versions,
    check_replaces,
    check_revocation,
    decode_revocation,
    decode_revocations,
    encode_revocation,
    encode_revocations,
    freshness,
    merge_revocations,
)

DAY = limits.DAY_MS
NOW = 1_795_000_000_000

KEYS = st.binary(min_size=8, max_size=8).map(KeyId)
REVOCATIONS = st.builds(
    Revocation,
    party=st.sampled_from([PartyId("H49"), PartyId("H49.16"), PartyId("G22")]),
    key=KEYS,
    from_ms=st.integers(0, 2**62),
    reason=st.text(st.characters(codec="utf-8", categories=["L", "N", "Zs"]), max_size=50),
)


@pytest.mark.parametrize(
    ("age_ms", "step"),
    [
        (-limits.HOUR_MS, Freshness.FRESH),
        (0, Freshness.FRESH),
        (DAY - 1, Freshness.FRESH),
        (DAY, Freshness.AGEING),
        (7 * DAY - 1, Freshness.AGEING),
        (7 * DAY, Freshness.STALE),
        (30 * DAY - 1, Freshness.STALE),
        (30 * DAY, Freshness.EXPIRED),
        (1000 * DAY, Freshness.EXPIRED),
    ],
)
def test_a_directory_ages_in_steps(age_ms: int, step: Freshness) -> None:
    """Both sides of each line; a clock an hour behind does not age it."""
    assert freshness(NOW, NOW + age_ms) is step


def test_a_publisher_gone_for_a_week_stops_nothing_that_is_known() -> None:
    """Delivery goes on up to thirty days; only keys nobody has seen yet wait for a fresh directory."""
    assert ALLOWED[freshness(NOW, NOW + 6 * DAY)] == (True, True, True, True)
    assert ALLOWED[freshness(NOW, NOW + 20 * DAY)] == (True, True, False, True)
    assert ALLOWED[freshness(NOW, NOW + 31 * DAY)] == (False, False, False, True)


def test_each_step_allows_no_more_than_the_one_before() -> None:
    """Trust only shrinks with age, and people are warned from the first step on."""
    steps = [ALLOWED[step] for step in sorted(Freshness)]
    for before, after in pairwise(steps):
        assert all(b >= a for b, a in zip(before[:3], after[:3], strict=True))
    assert [step.warns for step in steps] == [False, True, True, True]


BASE = Versions(3, 40, 20, {"targets": 5, "H49": 7})


@pytest.mark.parametrize(
    "new",
    [
        BASE,
        BASE._replace(timestamp=41),
        Versions(4, 50, 21, {"targets": 6, "H49": 8, "G22": 1}),
    ],
)
def test_numbers_may_stay_or_rise(new: Versions) -> None:
    """The same directory seen again, a renewed timestamp, a new agency."""
    check_replaces(BASE, new)


@pytest.mark.parametrize(
    "new",
    [
        BASE._replace(root=2),
        BASE._replace(timestamp=39),
        BASE._replace(snapshot=19),
        BASE._replace(roles={"targets": 4, "H49": 7}),
        BASE._replace(roles={"targets": 5, "H49": 6}),
        BASE._replace(roles={"targets": 5}),
    ],
)
def test_no_number_falls_and_no_role_vanishes(new: Versions) -> None:
    """An old truth, correctly signed, is still an attack."""
    with pytest.raises(TheirFault) as caught:
        check_replaces(BASE, new)
    assert caught.value.code == "directory.rollback"


@given(REVOCATIONS)
def test_a_revocation_reads_back_as_written(revocation: Revocation) -> None:
    """Its bytes are what officers sign."""
    assert decode_revocation(encode_revocation(revocation)) == revocation


@given(st.lists(st.builds(lambda r, k: SignedRevocation(encode_revocation(r), ((k, b"s"),)), REVOCATIONS, KEYS)))
def test_a_file_of_revocations_has_one_form(signed: list[SignedRevocation]) -> None:
    """Whoever gathers the same words writes the same bytes, in whatever order they came."""
    raw = encode_revocations(signed)
    assert set(decode_revocations(raw)) == set(signed)
    assert encode_revocations(list(reversed(signed))) == raw


@given(st.lists(REVOCATIONS), st.lists(REVOCATIONS), st.randoms())
def test_revocations_merge_to_one_result_in_any_order(
    one: list[Revocation], two: list[Revocation], dice: object
) -> None:
    """They are gossiped; nothing but the earliest time may count."""
    together = merge_revocations({}, [*one, *two])
    assert merge_revocations(merge_revocations({}, two), one) == together
    assert merge_revocations(together, one) == together
    assert set(together) == {each.key for each in [*one, *two]}


BODY = encode_revocation(Revocation(PartyId("H49"), KeyId(b"stolen--"), NOW, "máy chủ bị chiếm"))


def officer(name: str) -> tuple[KeyId, tuple[str, bytes]]:
    """An officer of the paper world, whose signature is the name and the message."""
    return KeyId(name.encode().ljust(8)), ("paper", name.encode())


def authority(threshold: int, *names: str) -> Authority:
    """Officers, and how many must sign."""
    return Authority(threshold, dict(officer(name) for name in names))


def signed(*names: str, by: str = "") -> SignedRevocation:
    """The revocation signed by officers; `by` forges with another's key."""
    return SignedRevocation(BODY, tuple((officer(name)[0], (by or name).encode()) for name in names))


def verify(algorithm: str, public: bytes, message: bytes, signature: bytes) -> bool:
    """The paper seal: a signature is the key itself, over our context alone."""
    return algorithm == "paper" and signature == public and message == b"docaxis/revocation/v1\x00" + BODY


ROOT = authority(2, "an", "binh", "chi")
AGENCY = authority(2, "dung", "en", "giang")


def test_enough_officers_of_the_root_may_revoke_any_key() -> None:
    """Even one that the directory does not list under that party."""
    found = check_revocation(signed("an", "chi"), ROOT, None, lambda _: False, verify)
    assert (found.party, found.from_ms) == ("H49", NOW)


def test_enough_officers_of_an_agency_may_revoke_a_key_of_its_own() -> None:
    """It need not wait for anybody when a machine is stolen."""
    assert check_revocation(signed("dung", "giang"), ROOT, AGENCY, lambda _: True, verify).key == b"stolen--"


@pytest.mark.parametrize(
    ("words", "owned", "code"),
    [
        (signed("dung", "en"), False, "directory.wrong-path"),
        (signed("dung"), True, "directory.threshold"),
        (signed("dung", "dung"), True, "directory.threshold"),
        (signed("an", "dung"), True, "directory.threshold"),
        (signed("dung", "en", by="mallory"), True, "directory.threshold"),
        (signed("mallory", "eve"), True, "directory.threshold"),
        (SignedRevocation(BODY[:-1], ()), True, "codec.malformed"),
    ],
)
def test_a_revocation_by_anybody_else_is_refused(words: SignedRevocation, owned: bool, code: str) -> None:
    """Another's key, too few, one twice, two from different tables, forged, strangers, damaged."""
    with pytest.raises(TheirFault) as caught:
        check_revocation(words, ROOT, AGENCY, lambda _: owned, verify)
    assert caught.value.code == code


def test_a_threshold_of_zero_is_one() -> None:
    """No table of officers lets an unsigned word through."""
    with pytest.raises(TheirFault):
        check_revocation(SignedRevocation(BODY, ()), authority(0), None, lambda _: True, verify)


@pytest.mark.parametrize("raw", [b"", b"\x91\x01", b"\x91\x92\xc4\x00\x91\x92\xc4\x01a\xc4\x00", b"\xc0"])
def test_a_file_that_is_none_is_refused(raw: bytes) -> None:
    """Sources are not trusted to be well formed."""
    with pytest.raises(TheirFault) as caught:
        decode_revocations(raw)
    assert caught.value.code.startswith("codec.")
