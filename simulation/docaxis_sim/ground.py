"""Ground: what every part of a simulated world stands on: its time, its trace, its streams of chance, and who watches.

Values and protocols that hosts, network and clerks share, so that none of them needs to import the world. It decides
nothing; crashes are decided by whoever fills in `Ground.strikes`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import simpy

from docaxis.core.effects import Effects, Op
from docaxis.core.events import Event
from docaxis_sim.streams import Streams
from docaxis_sim.trace import Trace

START_MS = 1_800_000_000_000
"""When every simulated world begins: 15 January 2027, in ms since 1970 UTC."""


class Watch(Protocol):
    """Whoever looks on: called at the moments a stranger with a key to every room would see."""

    def handled(self, party: str, event: Event, effects: Effects, clock_ms: int) -> None:
        """The machine of `party` has handled an event, with these effects, when its clock showed `clock_ms`."""
        ...

    def committed(self, party: str, ops: Sequence[Op]) -> None:
        """These ops are durable at `party` now."""
        ...

    def asked(self, party: str, peer: str, request: bytes) -> None:
        """This request leaves the node of `party` for that of `peer`."""
        ...

    def served(self, party: str, peer: str, doc: bytes, digest: bytes) -> None:
        """This chunk, asked for as content of that document, leaves the node of `party` for that of `peer`."""
        ...

    def answered(self, party: str, request: bytes, answer: bytes) -> None:
        """This answer leaves the node of `party`."""
        ...

    def crashed(self, party: str, why: str) -> None:
        """The node of `party` was struck down."""
        ...

    def passed(self, what: str) -> None:
        """Something rare happened to a message, a clock or a directory."""
        ...

    def renewed(self, party: str, signed_ms: int) -> None:
        """The node of `party` believes a directory whose stamp was signed then."""
        ...

    def backed_up(self, party: str) -> int:
        """A backup of the store of `party` is taken; the number by which `restored` will name it."""
        ...

    def restored(self, party: str, mark: int) -> None:
        """That backup has replaced the store of `party`."""
        ...


class Ground:
    """The shared floor of one world. `strikes` is asked at every commit boundary whether the host crashes there."""

    def __init__(self, streams: Streams, trace: Trace, watch: Watch) -> None:
        self.env = simpy.Environment(initial_time=START_MS)
        self.streams = streams
        self.trace = trace
        self.watch = watch
        self.strikes: Callable[[str, str], bool] = lambda _party, _boundary: False

    @property
    def now_ms(self) -> int:
        """The true time."""
        return int(self.env.now)

    def note(self, who: str, what: str, detail: str = "") -> None:
        """One line of the trace."""
        self.trace.note(self.now_ms, who, what, detail)
