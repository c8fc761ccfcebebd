"""Identifiers: read strictly, refused with one code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.errors import TheirFault
from docaxis.core.ids import PARTY_ID_CHARS_MAX, doc_id, party_id


@pytest.mark.parametrize("code", ["G22", "H49", "H49.16", "H49.16.01", "000.00.00.H49", "A", "A.B.C.D.E.F.G.H"])
def test_codes_of_both_decisions_are_party_codes(code: str) -> None:
    """Decision 20/2020 and the older form of thirteen characters."""
    assert party_id(code) == code


@given(st.from_regex(r"\A[A-Z0-9]{1,4}(\.[A-Z0-9]{1,3}){0,7}\Z"))
def test_whatever_fits_the_grammar_is_kept_as_it_is(code: str) -> None:
    """Opaque, never padded."""
    assert party_id(code) == code


@pytest.mark.parametrize(
    "bad",
    [
        "", "h49", "H49.", ".H49", "H49..1", "H 49", "H49\n", "Н49", "H49.123456789", "A.B.C.D.E.F.G.H.I", "../etc",
        "H49/16", "H49%2e16", "ĐH1", "١", "A" * (PARTY_ID_CHARS_MAX + 1), b"H49", None, 49, ["H49"],
    ],
)  # fmt: skip
def test_everything_else_is_malformed(bad: object) -> None:
    """Also letters that only look like Latin ones, and other digits."""
    with pytest.raises(TheirFault, match=r"id\.malformed"):
        party_id(bad)


def test_a_party_code_has_a_greatest_length() -> None:
    """Both sides of the line."""
    longest = "AAAAAAAA.AAAAAAAA.AAAAAAAA.AAAAAAAA"
    assert len(longest) == PARTY_ID_CHARS_MAX
    assert party_id(longest) == longest
    with pytest.raises(TheirFault):
        party_id(longest + "A")


@given(st.binary(min_size=32, max_size=32))
def test_a_document_id_is_its_hexadecimal_digits(raw: bytes) -> None:
    """Letters of either case."""
    assert doc_id(raw.hex()) == doc_id(raw.hex().upper()) == raw


@pytest.mark.parametrize("bad", ["", "00", "g" * 64, "0" * 63, "0" * 65, "00 " * 32, "0" * 64 + " ", "0x" + "0" * 62])
def test_no_blank_and_no_prefix_is_read_over_in_a_document_id(bad: str) -> None:
    """One document, one spelling."""
    with pytest.raises(TheirFault, match=r"id\.malformed"):
        doc_id(bad)
