"""Chance: a generator of numbers for each cause, made from the seed, the replication and the cause's name.

The only source of chance of the capacity executors. Nothing here knows what the numbers are for. Two scenarios that
differ in one cause draw the same numbers for all others, which is what comparisons with common random numbers need.
"""

from hashlib import sha256

import numpy as np

_KEY_BYTES = 16
"""Philox takes a key of 128 bits."""


def generator(seed: int, replication: int, name: str) -> np.random.Generator:
    """The numbers of one cause in one replication, the same on every machine and in any order of asking.

    Philox-4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11), keyed by the first 128 bits
    of the SHA-256 of ``seed/replication/name``; streams with different keys are independent.
    """
    digest = sha256(f"{seed}/{replication}/{name}".encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:_KEY_BYTES])))
