"""Cursors come back as they went out, and whatever else comes is refused by one code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.api import cursors
from docaxis.api.cursors import Cursor
from docaxis.core.errors import TheirFault

CURSORS = st.builds(
    Cursor,
    box=st.sampled_from(["inbox", "outbox"]),
    state=st.sampled_from(["", "arrived"]),
    created_ms=st.integers(0, 2**62),
    doc=st.binary(min_size=32, max_size=32),
    recipient=st.sampled_from(["H49", "H49.16.01"]),
)


@given(CURSORS)
def test_a_cursor_survives_the_way_to_the_caller_and_back(cursor: Cursor) -> None:
    """It is plain text for a query."""
    text = cursors.encode(cursor)
    assert text.replace("-", "").replace("_", "").isalnum()
    assert cursors.decode(text, cursor.box, cursor.state) == cursor


@given(st.text(max_size=500))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    """Never an error of another kind, however odd the text."""
    with pytest.raises(TheirFault) as caught:
        cursors.decode(text, "inbox", "")
    assert caught.value.code == "request.cursor"


@given(CURSORS, st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_cursor_is_refused_or_still_a_cursor(cursor: Cursor, place: int, change: int) -> None:
    """A flipped bit may name another row; it never does harm."""
    raw = bytearray(cursors.encode(cursor).encode())
    raw[place % len(raw)] ^= change
    code = ""
    try:
        assert isinstance(cursors.decode(raw.decode("latin-1"), cursor.box, cursor.state), Cursor)
    except TheirFault as error:
        code = error.code
    assert code in ("", "request.cursor")
