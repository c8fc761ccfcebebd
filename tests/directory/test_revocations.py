"""Words against keys are handed on within bounds: nobody can make the file unreadable, or crowd out the others."""

import pytest

from docaxis.core.ids import KeyId, PartyId
from docaxis.core.trust import REVOCATIONS_BYTES_MAX, REVOCATIONS_MAX, Revocation, SignedRevocation, decode_revocations
from docaxis.core.trust import encode_revocation as encode
from docaxis.directory import revocations
from docaxis.directory.revocations import NOTHING_REVOKED, Word


def word(number: int, party: str, from_ms: int = 5, size: int = 0) -> Word:
    """A word that was found to hold."""
    revocation = Revocation(PartyId(party), KeyId(number.to_bytes(8, "big")), from_ms, "")
    signed = SignedRevocation(encode(revocation), ((KeyId(b"officer1"), b"s" * (size or 64)),))
    return Word(revocation, signed, len(encode(revocation)) + (size or 64) + 20)


def test_no_agency_takes_all_the_room() -> None:
    """Its keys are all honoured; of the words, others get their share."""
    greedy = [word(number, "H49.16") for number in range(REVOCATIONS_MAX)]
    found = NOTHING_REVOKED.with_words(greedy).with_words([word(2**40, "G22")])
    assert len(found.times) == REVOCATIONS_MAX + 1
    assert len(found.words) == revocations.AGENCY_WORDS_MAX + 1
    assert KeyId((2**40).to_bytes(8, "big")) in found.words


def test_the_file_that_is_handed_on_can_always_be_read() -> None:
    """However many words there are, and however long."""
    many = NOTHING_REVOKED.with_words([word(number, f"H{number % 50}") for number in range(REVOCATIONS_MAX + 100)])
    assert len(decode_revocations(many.file())) == REVOCATIONS_MAX
    long = NOTHING_REVOKED.with_words([word(number, f"H{number}", size=8_000) for number in range(400)])
    assert len(long.file()) <= REVOCATIONS_BYTES_MAX
    assert len(decode_revocations(long.file())) > 200


@pytest.mark.parametrize("order", [(3, 9), (9, 3)])
def test_of_two_words_the_earlier_time_counts_in_whatever_order(order: tuple[int, int]) -> None:
    """Revoking is monotone, so nodes that hear the same agree."""
    found = NOTHING_REVOKED
    for from_ms in order:
        found = found.with_words([word(1, "H49", from_ms)])
    [kept] = found.words.values()
    assert (kept.revocation.from_ms, list(found.times.values())) == (3, [3])


def test_keys_are_remembered_up_to_a_bound() -> None:
    """What is remembered must be readable at the next start."""
    found = NOTHING_REVOKED
    for start in range(0, revocations.KEYS_MAX + REVOCATIONS_MAX, REVOCATIONS_MAX):
        found = found.with_words([word(start + number, "H49") for number in range(REVOCATIONS_MAX)])
    assert len(found.times) == revocations.KEYS_MAX
