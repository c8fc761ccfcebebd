"""Signing: what an officer does with one file on a machine of their own.

Metadata comes in, metadata with one more signature goes out; the same for revocations. Whether enough officers have
signed, and whether they may, is judged where it is published and again by everybody who reads it.
"""

from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Key, SecretsHandler, Signature, Signer, SSlibKey
from tuf.api.metadata import Metadata, Root, Targets

from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId
from docaxis.core.trust import REVOCATION_CONTEXT, SignedRevocation, decode_revocations, encode_revocations
from docaxis.directory.verified import refusing


class Officer(Protocol):
    """A person's key at work; `docaxis.seal.sign.NodeSeal` is one."""

    @property
    def key_id(self) -> KeyId:
        """Id of the key."""
        ...

    @property
    def public_key(self) -> bytes:
        """Raw public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`."""
        ...


class Officers(NamedTuple):
    """Who may sign for a role, by raw Ed25519 public key, and how many of them must."""

    threshold: int
    keys: tuple[bytes, ...]

    def check(self, role: str) -> "Officers":
        """Itself; raises `TheirFault` ``directory.invalid`` unless the threshold can be reached, by different keys."""
        if not 1 <= self.threshold <= len(self.keys) or len(set(self.keys)) != len(self.keys):
            raise TheirFault(
                "directory.invalid", f"{role}: {self.threshold} of {len(set(self.keys))} officers is no threshold"
            )
        return self


def tuf_key(public: bytes) -> SSlibKey:
    """A raw Ed25519 public key as TUF lists it; its id is the SHA-256 of its canonical JSON (TUF §4.2)."""
    value: dict[str, Any] = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public.hex()}}
    return SSlibKey(sha256(str(encode_canonical(value)).encode()).hexdigest(), **value)


class _OfficerSigner(Signer):
    """Lets python-tuf sign with an officer's key."""

    def __init__(self, officer: Officer) -> None:
        self._officer = officer
        self._key = tuf_key(officer.public_key)

    @property
    def public_key(self) -> Key:
        """The key, as TUF lists it."""
        return self._key

    def sign(self, payload: bytes) -> Signature:
        """The signature, as TUF lists it."""
        return Signature(self._key.keyid, self._officer.sign(payload).hex())

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: SecretsHandler | None = None
    ) -> Signer:
        """Always refuses: the base class asks for this road, and an officer's key never lies behind an address.

        Officers' keys come from files and passphrases (`docaxis.seal.keys`); nothing in docaxis calls this.
        """
        raise TypeError("an officer's key is opened from its file, never from an address")


def add_signature(metadata: "Metadata[Any]", officer: Officer) -> None:
    """Adds an officer's signature to metadata, beside those it has."""
    metadata.sign(_OfficerSigner(officer), append=True)


def sign_file(raw: bytes, officer: Officer) -> bytes:
    """The same file with one more signature: metadata (JSON) or revocations (ours).

    Raises `TheirFault` ``directory.malformed`` or ``codec.*``.
    """
    if not raw.startswith(b"{"):
        return encode_revocations([sign_revocation(each, officer) for each in decode_revocations(raw)])
    metadata = read_metadata(raw)
    add_signature(metadata, officer)
    return metadata.to_bytes()


def sign_revocation(signed: SignedRevocation, officer: Officer) -> SignedRevocation:
    """A revocation with an officer's signature, beside those it has."""
    mine = (officer.key_id, officer.sign(REVOCATION_CONTEXT + signed.body))
    return SignedRevocation(signed.body, tuple(sorted({*signed.signatures, mine})))


def merge_files(one: bytes, other: bytes) -> bytes:
    """Two copies of one file, signed by different officers, as one; raises `TheirFault` ``directory.mismatch``."""
    if not one.startswith(b"{"):
        return encode_revocations(merge_revocation_signatures((*decode_revocations(one), *decode_revocations(other))))
    first, second = read_metadata(one), read_metadata(other)
    if first.signed_bytes != second.signed_bytes:
        raise TheirFault("directory.mismatch", "the two files say different things; sign copies of one file")
    for key, signature in second.signatures.items():
        first.signatures.setdefault(key, signature)
    return first.to_bytes()


def merge_revocation_signatures(signed: tuple[SignedRevocation, ...]) -> list[SignedRevocation]:
    """Each revocation once, with all its signatures."""
    merged: dict[bytes, set[tuple[KeyId, bytes]]] = {}
    for each in signed:
        merged.setdefault(each.body, set()).update(each.signatures)
    return [SignedRevocation(body, tuple(sorted(signatures))) for body, signatures in merged.items()]


def read_metadata(raw: bytes) -> "Metadata[Any]":
    """Metadata of any kind, form only; raises `TheirFault` ``directory.malformed``."""
    with refusing("metadata"):
        return Metadata[Any].from_bytes(raw)


def count_signatures(raw: bytes, role: str, delegator: Root | Targets) -> tuple[int, int]:
    """How many officers of a role have signed a file, and how many must."""
    metadata = read_metadata(raw)
    with refusing(role):
        result = delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
    return len(result.signed), result.threshold
