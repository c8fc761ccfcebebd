"""Streams: one named source of chance per cause, all of them made from one seed.

The only module of the simulator that imports `random`. A new cause takes a new name, so that adding a fault does not
reshuffle the arrivals; nothing here knows what the numbers are used for.
"""

from hashlib import sha256
from random import Random

Stream = Random
"""A source of chance for one cause."""


class Streams:
    """All streams of one run. A seed and a name give the same stream on any machine and in any order of asking."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._made: dict[str, Stream] = {}

    def __call__(self, name: str) -> Stream:
        """The stream of a cause, such as ``latency`` or ``clerk H49``; asked twice, it goes on where it was."""
        made = self._made.get(name)
        if made is None:
            digest = sha256(f"{self.seed}/{name}".encode()).digest()
            made = self._made[name] = Stream(int.from_bytes(digest))
        return made
