"""Chance: the one source of it in the product.

Everything that must not be guessed or repeated is drawn here and handed on as bytes. Nothing here decides what the
bytes are for; keys and nonces of the seal come from the operating system by its own way.
"""

import os
from typing import Protocol


class Entropy(Protocol):
    """What the node is handed instead of dice."""

    def take(self, count: int) -> bytes:
        """`count` bytes that nobody can guess."""
        ...


class SystemEntropy:
    """The operating system's source."""

    def take(self, count: int) -> bytes:
        """`count` bytes that nobody can guess."""
        return os.urandom(count)


def spread(delay_ms: int, chance: bytes) -> int:
    """`delay_ms` times a factor between 0.5 and 1.5 drawn from the first four bytes of `chance`, so that nodes that
    were started together do not ask together."""
    return delay_ms // 2 + delay_ms * int.from_bytes(chance[:4], "big") // 2**32
