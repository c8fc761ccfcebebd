"""Ledger: what one real node did, counted at the two places where a node lets its host look: its probe and its store.

Counting only: nothing here changes what a node does, and what is counted is read by `tools.calibration.host`. All times
are nanoseconds of the machine's monotonic clock, which all processes of a machine share.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from docaxis.core.effects import AppendChange, Enqueue, Op, PutContent, PutObject
from docaxis.core.ids import PartyId
from docaxis.core.lifecycle import Code
from docaxis.core.wire import ENVELOPE
from docaxis.store.sqlite import SqliteStore

INBOUND: Final = "arrived"
OUTBOUND: Final = "home"
_PEOPLE: Final = frozenset({Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED})


class Ledger:
    """Counts of one node, and the moment at which each document's arrival, or the word of it, was durable here."""

    def __init__(self, me: PartyId) -> None:
        self.me = me
        self.counts: Counter[str] = Counter()
        self.commit_ns: list[int] = []
        self.moments: list[tuple[str, bytes, str, int]] = []
        self.heard: Callable[[], None] | None = None
        """Called when the word of an arrival is durable here."""

    def reached(self, seam: str) -> None:
        """Keeps `docaxis.runtime.perform.Probe`: rounds, and acts that they release."""
        self.counts[seam] += 1

    def kept(self, ops: Sequence[Op], began_ns: int, ended_ns: int) -> None:
        """One commit is durable."""
        self.counts["ops"] += len(ops)
        self.commit_ns.append(ended_ns - began_ns)
        for op in ops:
            if type(op) is AppendChange:
                self._changed(op, ended_ns)
            elif type(op) is PutObject and op.kind == ENVELOPE:
                self.counts["submit" if op.by == self.me else "envelope_in"] += 1
            elif type(op) is PutContent and op.inline is not None:
                self.counts["inline_bytes"] += len(op.inline)
            elif type(op) is Enqueue:
                self.counts["enqueue"] += 1

    def _changed(self, change: AppendChange, at_ns: int) -> None:
        side = "out" if change.outgoing else "in"
        word = "people" if change.code in _PEOPLE else change.code.name.lower()
        self.counts[f"{side}_{word}"] += 1
        if change.code is Code.ARRIVED:
            self.moments.append((OUTBOUND if change.outgoing else INBOUND, change.doc, change.recipient, at_ns))
            if change.outgoing and self.heard is not None:
                self.heard()


class CountingStore(SqliteStore):
    """The node's own store, whose commits are timed and read."""

    def __init__(self, path: Path, ledger: Ledger) -> None:
        super().__init__(path)
        self._ledger = ledger

    async def commit(self, ops: Sequence[Op]) -> None:
        """See `docaxis.store.base.Store.commit`."""
        began_ns = time.monotonic_ns()
        await super().commit(ops)
        self._ledger.kept(ops, began_ns, time.monotonic_ns())
