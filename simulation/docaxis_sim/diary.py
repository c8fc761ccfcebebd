"""Diary: when full machines that carry a capacity plan took which step, read off what they made durable.

It watches hosts as the ledger of a world with faults does, finds the delivery that a document stands for, and writes
its departures into columns. It checks nothing and changes nothing.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from docaxis.core import envelope as envelopes
from docaxis.core import wire
from docaxis.core.effects import Effects, Op, PutObject, PutRecord
from docaxis.core.events import Event
from docaxis.core.ids import DocId
from docaxis.core.lifecycle import Code, State
from docaxis.core.record import WAITS_CONTENT, Record
from docaxis_sim.capacity.plan import DOWN, ENVELOPE, NEVER, NODE, SUBMIT, UP, Form, Int64, Plan, hop, receipt, status

NUMBER: Final = "number"
"""The field of an envelope's metadata that says which document of the plan it is."""
STATES: Final = (State.RECEIVED, State.ASSIGNED, State.PROCESSING, State.COMPLETED)
"""What a plan's statuses are, in their order."""
CODES: Final = (Code.RECEIVED, Code.ASSIGNED, Code.PROCESSING, Code.COMPLETED)
WORDS: Final = {code: number for number, code in enumerate(CODES)}


class Paper(NamedTuple):
    """One document of a plan: its deliveries by recipient, the first of them, and how much its content weighs."""

    rows: dict[str, int]
    first: int
    size: int


class Diary:
    """Implements `docaxis_sim.ground.Watch`. `now_ns` gives the time; `took` is told of each delivery's first departure
    from a step."""

    def __init__(self, plan: Plan) -> None:
        self.plan: Final = plan
        self.now_ns: Callable[[], int] = lambda: 0
        self.took: Callable[[int, int], None] = lambda _step, _row: None
        self.papers: Final = list(papers(plan))
        self._number = {row: number for number, paper in enumerate(self.papers) for row in paper.rows.values()}
        self.left_ns: Final[dict[int, Int64]] = _columns(plan)
        self.events = 0
        self._docs: dict[DocId, int] = {}
        self._papers: dict[int, DocId] = {}
        self._digests: dict[bytes, int] = {}

    def row(self, doc: DocId, recipient: str) -> int:
        """The delivery that a document at a recipient is."""
        return self.papers[self._docs[doc]].rows[recipient]

    def doc(self, row: int) -> DocId:
        """The document that a delivery belongs to."""
        return self._papers[self._number[row]]

    def paper(self, digest: bytes) -> Paper:
        """The document that a chunk belongs to."""
        return self.papers[self._digests[digest]]

    def chunk(self, digest: bytes, paper: int) -> None:
        """A chunk stands for the content of a document."""
        self._digests[digest] = paper

    def mark(self, step: int, row: int, at_ns: int | None = None) -> None:
        """A delivery has left a step, unless it had before."""
        column = self.left_ns.get(step)
        if column is not None and column[row] == NEVER:
            column[row] = self.now_ns() if at_ns is None else at_ns
            self.took(step, row)

    # --- Watch ---

    def handled(self, party: str, event: Event, effects: Effects, clock_ms: int) -> None:
        """The machine of `party` has handled an event."""
        self.events += 1

    def committed(self, party: str, ops: Sequence[Op]) -> None:
        """These ops are durable at `party` now."""
        for op in ops:
            if isinstance(op, PutObject) and op.kind == wire.ENVELOPE and op.by == party:
                number = int(envelopes.decode(op.body).meta[NUMBER])
                self._docs[DocId(op.id)], self._papers[number] = number, DocId(op.id)
        for op in ops:
            if isinstance(op, PutRecord):
                self._note(op.record)

    def _note(self, record: Record) -> None:
        row, progress = self.row(record.doc, record.recipient), record.standing.progress
        arrived = progress >= State.ARRIVED and progress is not State.REFUSED
        if record.outgoing:
            self.mark(SUBMIT, row)
        elif record.waits == WAITS_CONTENT:
            self.mark(hop(0, ENVELOPE), row)
        if arrived:
            self.mark(receipt(0) if record.outgoing else hop(0, NODE), row)
        for number, state in enumerate(STATES[: len(self.plan.deliveries.status_delay_ns)]):
            if progress >= state:
                self.mark(status(number, int(record.outgoing)), row)

    def asked(self, party: str, peer: str, request: bytes) -> None:
        """Nothing to write down."""

    def served(self, party: str, peer: str, doc: bytes, digest: bytes) -> None:
        """Nothing to write down."""

    def answered(self, party: str, request: bytes, answer: bytes) -> None:
        """Nothing to write down."""

    def crashed(self, party: str, why: str) -> None:
        """Nothing to write down; nobody crashes here."""

    def passed(self, what: str) -> None:
        """Nothing to write down."""

    def renewed(self, party: str, signed_ms: int) -> None:
        """Nothing to write down."""

    def backed_up(self, party: str) -> int:
        """Nobody is backed up here."""
        return 0

    def restored(self, party: str, mark: int) -> None:
        """Nobody is restored here."""


def papers(plan: Plan) -> list[Paper]:
    """The documents of a plan, in the order of their first deliveries."""
    deliveries = plan.deliveries
    found: dict[int, Paper] = {}
    for row, group in enumerate(deliveries.group.tolist()):
        paper = found.setdefault(group, Paper({}, row, int(deliveries.bytes[row])))
        paper.rows[plan.node_ids[deliveries.path[1, row]]] = row
    return list(found.values())


def _columns(plan: Plan) -> dict[int, Int64]:
    """A column for each step that any delivery foresees."""
    deliveries = plan.deliveries
    steps = [SUBMIT, hop(0, UP), hop(0, DOWN), hop(0, NODE), receipt(0)]
    steps += [hop(0, ENVELOPE)] if (deliveries.form == Form.CHUNKED).any() else []
    for number, delay_ns in enumerate(deliveries.status_delay_ns):
        steps += [status(number, 0), status(number, 1)] if (delay_ns != NEVER).any() else []
    return {step: np.full(len(deliveries.hops), NEVER, np.int64) for step in sorted(steps)}
