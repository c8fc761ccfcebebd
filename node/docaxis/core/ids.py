"""Identifiers: the names of parties, documents and statements, and how they are read from text.

Only parsing and formatting live here. Nothing in this module looks anything up: whether an id exists is the
directory's business (`docaxis.core.addresses`). Ids are opaque and never padded (Decision 20/2020/QĐ-TTg).
"""

import re
from typing import NewType

from docaxis.core.errors import TheirFault

PartyId = NewType("PartyId", str)
"""Code of an agency or unit, such as ``H49`` or ``H49.16.01``; any other spelling is an alias."""

DocId = NewType("DocId", bytes)
"""32 bytes: RFC 9162 leaf hash of the envelope's bytes, therefore derived from the content."""

StatementId = NewType("StatementId", bytes)
"""32 bytes: RFC 9162 leaf hash of the statement's bytes."""

KeyId = NewType("KeyId", bytes)
"""8 bytes: the first bytes of the SHA-256 of a raw public key."""

HASH_BYTES = 32
KEY_ID_BYTES = 8
PARTY_ID_CHARS_MAX = 35

_PARTY = re.compile(r"[A-Z0-9]{1,8}(?:\.[A-Z0-9]{1,8}){0,7}\Z", re.ASCII)


def party_id(text: object) -> PartyId:
    """Reads the code of a party; raises `TheirFault` ``id.malformed`` unless its alphabet is right."""
    if type(text) is str and len(text) <= PARTY_ID_CHARS_MAX and _PARTY.match(text):
        return PartyId(text)
    raise TheirFault("id.malformed", f"not a party code: {str(text)[:40]!r}")


def doc_id(text: str) -> DocId:
    """Reads a document id from its 64 hexadecimal digits; raises `TheirFault` ``id.malformed``."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != HASH_BYTES or len(text) != 2 * HASH_BYTES:  # fromhex skips blanks
        raise TheirFault("id.malformed", f"a document id has 64 hexadecimal digits, got {text[:70]!r}")
    return DocId(raw)
