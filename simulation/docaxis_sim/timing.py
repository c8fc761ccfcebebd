"""Timing: how long a node takes over what costs time, and how much of what waits it takes at once.

A life asks; worlds with faults answer by chance (`Erratic`, here), worlds that measure by a plan's stations
(`docaxis_sim.machines`). All times are milliseconds and may be fractions. Nothing here waits or decides.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from docaxis.core.events import Event
from docaxis_sim.streams import Stream

COMMIT_MS_MAX: Final = 12
READ_MS_MAX: Final = 3


class Timing(Protocol):
    """One node's times."""

    def round_ms(self, events: Sequence[Event], slept: bool) -> float:
        """How long the node thinks about these events before it has handled them; `slept`: it had nothing to do."""
        ...

    def read_ms(self) -> float:
        """One read of the store."""
        ...

    def reads_early(self) -> bool:
        """Whether a read answers as of its beginning, else as of its end."""
        ...

    def commit_ms(self) -> float:
        """One commit, however much is in it."""
        ...

    def together(self, waiting: int) -> int:
        """How many of the rounds that wait for the disk share the next commit."""
        ...

    def blob_ms(self, digest: bytes) -> float:
        """Writing one chunk beside the commits."""
        ...


class Erratic:
    """Whatever a disk may do: drawn afresh each time; thinking and writing of chunks take no time."""

    def __init__(self, chance: Stream) -> None:
        self._chance = chance

    def round_ms(self, events: Sequence[Event], slept: bool) -> float:
        """Nothing: what happens between events is what counts here."""
        return 0

    def read_ms(self) -> float:
        """Up to the most."""
        return self._chance.randint(0, READ_MS_MAX)

    def reads_early(self) -> bool:
        """One in two."""
        return self._chance.random() < 0.5

    def commit_ms(self) -> float:
        """Up to the most, never nothing."""
        return self._chance.randint(1, COMMIT_MS_MAX)

    def together(self, waiting: int) -> int:
        """Any number of them."""
        return self._chance.randint(1, waiting)

    def blob_ms(self, digest: bytes) -> float:
        """Nothing."""
        return 0
