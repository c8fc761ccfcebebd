"""Limits: the relations between bounds that no single module sees."""

from docaxis.core import envelope as envelopes
from docaxis.core import limits
from docaxis.core.ids import PartyId
from docaxis.core.signed import SIGNATURE_BYTES_MAX, Head, encode_head
from tests.core.story import an_envelope

LONGEST = PartyId("AAAAAAAA.AAAAAAAA.AAAAAAAA.AAAAAAAA")


def test_the_longest_head_fits() -> None:
    """Every field at its greatest."""
    head = Head(LONGEST, bytes(8), "x" * 32, bytes(32), limits.TREE_LEAVES_MAX, 2**63 - 1)  # type: ignore[arg-type]
    assert len(encode_head(head)) <= limits.HEAD_BYTES_MAX


def test_one_item_at_its_greatest_fits_into_a_request() -> None:
    """Nothing that may be signed is too large to be sent."""
    path = limits.PATH_HASHES_MAX * 34
    item = limits.ENVELOPE_BYTES_MAX + limits.INLINE_BYTES_MAX + limits.HEAD_BYTES_MAX + SIGNATURE_BYTES_MAX + path
    assert item + limits.KIB <= limits.BATCH_BYTES_FILL


def test_a_request_filled_to_the_brim_and_one_item_more_stays_below_the_greatest_request() -> None:
    """A sender stops filling before the last item would go over."""
    assert limits.BATCH_BYTES_FILL + limits.ENVELOPE_BYTES_MAX + limits.INLINE_BYTES_MAX < limits.BATCH_BYTES_MAX


def test_an_act_to_five_thousand_recipients_fits_into_an_envelope() -> None:
    """A decision to all communes of the country is one object."""
    to = tuple(PartyId(f"H{n % 63:02}.{n // 63}.{n % 7}") for n in range(5_000))
    assert len(set(to)) == len(to)
    raw = envelopes.encode(an_envelope(to=to))
    assert len(raw) <= limits.ENVELOPE_BYTES_MAX
    assert envelopes.decode(raw).to == to


def test_the_items_that_a_reader_accepts_are_enough_for_the_largest_lists() -> None:
    """Recipients with the codes they were written as, and all chunks of all files that an envelope has room for."""
    chunks = limits.ENVELOPE_BYTES_MAX // 34
    recipients = 3 * limits.RECIPIENTS_MAX
    assert recipients + chunks < limits.DECODED_ITEMS_MAX
