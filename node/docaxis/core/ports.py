"""Ports: the few things the core is handed at birth, as protocols.

Only `Seal` (signatures) lives here. The core is handed no store, no network, no clock and no source of chance:
those are events, effects and arguments.
"""

from typing import Protocol

from docaxis.core.ids import KeyId


class Verifier(Protocol):
    """Verifies anybody's signatures, without a key of its own."""

    def verify(self, algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the signature holds; False too for an unknown algorithm or a malformed key."""
        ...


class Seal(Verifier, Protocol):
    """Signs with this node's key and verifies anybody's; free of effects, the same input gives the same output."""

    @property
    def key_id(self) -> KeyId:
        """Id of the key that `sign` uses."""
        ...

    @property
    def algorithm(self) -> str:
        """Algorithm identifier of that key, such as ``ed25519``."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`."""
        ...
