"""Cursors: where a page of a list ends, as text that callers hand back unread.

A cursor names a row by its sort key, so that a page is right however many documents came in between. It is not a
secret and not signed: whoever makes one up gets a page, or ``request.cursor``.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from docaxis.api import limits
from docaxis.core import codec
from docaxis.core.errors import TheirFault
from docaxis.core.ids import HASH_BYTES, party_id


class Cursor(NamedTuple):
    """The list it belongs to (`box` and `state` as asked), and the last row that was shown."""

    box: str
    state: str
    created_ms: int
    doc: bytes
    recipient: str


def encode(cursor: Cursor) -> str:
    """The cursor as text for a query."""
    return urlsafe_b64encode(codec.encode(list(cursor))).rstrip(b"=").decode("ascii")


def decode(text: str, box: str, state: str) -> Cursor:
    """Reads a cursor of the list (`box`, `state`); raises `TheirFault` ``request.cursor``."""
    try:
        cursor = _read(text)
    except (ValueError, TypeError, TheirFault):
        raise TheirFault("request.cursor", f"{text[:40]!r} was not given out by this node") from None
    if (cursor.box, cursor.state) != (box, state):
        raise TheirFault("request.cursor", "this cursor belongs to another list; ask with the same box and state")
    return cursor


def _read(text: str) -> Cursor:
    if len(text) > limits.CURSOR_CHARS_MAX:
        raise ValueError("too long")
    raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    box, state, created_ms, doc, recipient = codec.decode(raw, limits.CURSOR_CHARS_MAX)
    return Cursor(
        codec.text(box, "box", 10),
        codec.text(state, "state", 20),
        codec.integer(created_ms, "created"),
        codec.blob(doc, "doc", HASH_BYTES),
        party_id(recipient),
    )
