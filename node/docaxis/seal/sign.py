"""Signing and verifying bytes: the `Seal` that real nodes are handed at birth.

Bytes only. Which bytes are signed, and under which context, is said in `docaxis.core.signed`; whether a key is in
force is the directory's word. A signature that cannot be checked is a signature that does not hold: no errors here.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from docaxis.core.ids import KeyId
from docaxis.seal.keys import key_id, load_ed25519
from docaxis.seal.suites import ED25519, SIGNATURES

PUBLIC_KEYS_CACHED_MAX: Final = 4_096
_PUBLIC_BYTES: Final = SIGNATURES[ED25519].public_bytes
_SIGNATURE_BYTES: Final = SIGNATURES[ED25519].signature_bytes

# The y-coordinates of the eight points of small order, and the two that are encodings of y + p. Under such a key one
# signature can hold for many messages, so that its owner could deny what it signed. A test derives this list.
_SMALL_ORDER_Y: Final = frozenset(
    bytes.fromhex(y)
    for y in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)


def is_sound_ed25519(public_key: bytes) -> bool:
    """Whether these bytes may serve as a public key: the right length, and not a point of small order."""
    if len(public_key) != _PUBLIC_BYTES:
        return False
    return public_key[:31] + bytes((public_key[31] & 0x7F,)) not in _SMALL_ORDER_Y


@lru_cache(maxsize=PUBLIC_KEYS_CACHED_MAX)
def _public(public_key: bytes) -> Ed25519PublicKey | None:
    if not is_sound_ed25519(public_key):
        return None
    try:
        return Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError:
        return None


def verify(algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature holds; False too for an unknown algorithm, a malformed key or a malformed signature."""
    if algorithm != ED25519 or len(signature) != _SIGNATURE_BYTES or len(public_key) != _PUBLIC_BYTES:
        return False
    key = _public(public_key)
    if key is None:
        return False
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


class NodeSeal:
    """Implements `docaxis.core.ports.Seal` with Ed25519 (RFC 8032, pure, no pre-hash)."""

    def __init__(self, private: bytes) -> None:
        """`private` is a raw private key of 32 bytes, as `docaxis.seal.keys` hands it out."""
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self._public = self._key.public_key().public_bytes_raw()
        self._id = key_id(self._public)

    @classmethod
    def load(cls, path: Path, passphrase: str | None = None) -> "NodeSeal":
        """Opens the key kept at `path`; raises `OurFault` ``node.keys`` or ``node.passphrase``."""
        return cls(load_ed25519(path, passphrase))

    @property
    def key_id(self) -> KeyId:
        """Id of the key that `sign` uses."""
        return self._id

    @property
    def algorithm(self) -> str:
        """Always ``ed25519``."""
        return ED25519

    @property
    def public_key(self) -> bytes:
        """The raw public key, for the directory."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`, 64 bytes; the same message gives the same signature."""
        return self._key.sign(message)

    def verify(self, algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """See `verify` of this module."""
        return verify(algorithm, public_key, message, signature)

    def __repr__(self) -> str:
        return f"NodeSeal(key {self._id.hex()})"
