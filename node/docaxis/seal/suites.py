"""Suites: every algorithm identifier that docaxis writes or accepts, what it is for and since when.

A table only. What computes a signature is in `docaxis.seal.sign`; an algorithm absent from this table does not verify.
A post-quantum suite (``ml-dsa-65``, FIPS 204) gets its row here when the first node signs with it: identifiers stand
in every head and every directory key, and `docaxis.core.signed` leaves 8 KiB for a signature, so no format changes.
"""

from typing import Final, NamedTuple

ED25519: Final = "ed25519"


class Suite(NamedTuple):
    """One signature algorithm. `since` is the format generation (``head/1``) from which readers must accept it."""

    id: str
    purpose: str
    since: str
    public_bytes: int
    private_bytes: int
    signature_bytes: int


SIGNATURES: Final[dict[str, Suite]] = {
    ED25519: Suite(ED25519, "heads of signed objects", "head/1", 32, 32, 64),  # RFC 8032 §5.1
}
"""Signature algorithms by identifier."""
