"""A seal of paper: free and worthless signatures, so that a simulation of thousands of documents costs no time.

Whoever knows a public key can forge here. It is for simulated worlds only: constructing it demands the word
`simulation=True`, its algorithm is in no suite of real nodes, and no room of the node may import it.
"""

from hashlib import blake2b, sha256
from typing import Final, Literal

from docaxis.core.ids import KeyId
from docaxis.seal.keys import key_id

PAPER: Final = "paper"


def paper_public(name: str) -> bytes:
    """The public key that belongs to a name in a simulated world."""
    return sha256(b"docaxis/paper/v1\x00" + name.encode()).digest()


def _signature(public_key: bytes, message: bytes) -> bytes:
    return blake2b(message, key=public_key, digest_size=64).digest()


class PaperSeal:
    """Implements `docaxis.core.ports.Seal` by a hash keyed with the public key: any change to either is noticed."""

    def __init__(self, name: str, *, simulation: Literal[True]) -> None:
        if simulation is not True:
            raise AssertionError("a paper seal signs nothing; it is for simulations only")
        self.public_key: Final = paper_public(name)
        self._id = key_id(self.public_key)

    @property
    def key_id(self) -> KeyId:
        """Id of the key that `sign` uses."""
        return self._id

    @property
    def algorithm(self) -> str:
        """Always ``paper``."""
        return PAPER

    def sign(self, message: bytes) -> bytes:
        """The hash that passes for a signature here, 64 bytes."""
        return _signature(self.public_key, message)

    def verify(self, algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is the hash of `message` under `public_key`."""
        return algorithm == PAPER and len(public_key) == 32 and _signature(public_key, message) == signature
