"""Returns: what became of the requests this node sent, item by item.

Believes signatures, not status codes: an envelope has been taken only when its recipient's signed word verifies. It
sends nothing itself; what must be tried again goes back to the outbox and the durable queue.
"""

from typing import Final

from docaxis.core import limits, wire
from docaxis.core import statement as statements
from docaxis.core.cache import Cache
from docaxis.core.effects import Counted, Dequeue, Postpone
from docaxis.core.errors import TheirFault
from docaxis.core.events import Delivered, Undelivered
from docaxis.core.ids import DocId, PartyId
from docaxis.core.intake import Intake
from docaxis.core.lifecycle import BY_SENDER
from docaxis.core.outbox import Flight, Outbox, Queued
from docaxis.core.schedule import item_delay_ms
from docaxis.core.turn import Turn
from docaxis.core.wire import Item, Outcome, Result

_PASSING: Final = frozenset({"document.unknown", "seal.key-unknown", "party.unknown", "directory.too-old", "node.busy"})
"""Refusals of a statement that time may heal; after any other one, offering it again cannot help."""
_ANSWERED: Final = frozenset({"peer.refused", "peer.malformed"})
"""Failures of a peer that is there: it took the request and answered it with an error or with nonsense."""


class Returns:
    """Handles answers and failures of sent requests."""

    def __init__(self, cache: Cache, outbox: Outbox, intake: Intake) -> None:
        self._cache = cache
        self._outbox = outbox
        self._intake = intake

    def delivered(self, turn: Turn, event: Delivered) -> None:
        """The peer answered; every item gets its result, or all go back if the answer is not one."""
        flight = self._outbox.land(event.flight)
        if flight is None:
            return
        if len(event.reply.results) != len(flight.items):
            self._fail(turn, flight, "peer.malformed", "an answer with another number of results", 0)
            return
        reply = event.reply
        if max(reply.epoch, flight.epoch) < self._outbox.queue(flight.peer).epoch:
            self._fail(turn, flight, "peer.unreachable", "what this answer says was forgotten in a restore", 0)
            return
        if self._outbox.succeeded(flight.peer, reply.credit, reply.wait_ms, turn.now_ms):
            turn.durable.append(self._outbox.queue(flight.peer).saved())
            turn.note("peer.back", peer=flight.peer)
        for queued, result in zip(flight.items, reply.results, strict=True):
            self._settle(turn, flight.peer, queued, result)

    def undelivered(self, turn: Turn, event: Undelivered) -> None:
        """The request failed as a whole."""
        flight = self._outbox.land(event.flight)
        if flight is None:
            return
        if event.code.startswith("codec.") and flight.items:
            self._unreadable(turn, flight, event)
        else:
            self._fail(turn, flight, event.code, event.detail, event.wait_ms)
            self._suspect(turn, flight, event)

    def _suspect(self, turn: Turn, flight: Flight, event: Undelivered) -> None:
        """A peer that answers again and again without accepting anything may stumble over one item: requests shrink
        to that item, and it alone is set aside while the peer is left alone as after any failure."""
        queue = self._outbox.queue(flight.peer)
        if event.code not in _ANSWERED or queue.fails < limits.BREAKER_FAILS or not flight.items:
            return
        if len(flight.items) == 1:
            self._outbox.withdraw(flight.peer, flight.items[0].item.id)
            self._postpone(turn, flight.peer, flight.items[0], event.code, event.wait_ms)
        else:
            queue.batch_items = max(1, len(flight.items) // 4)

    def _fail(self, turn: Turn, flight: Flight, code: str, detail: str, wait_ms: int) -> None:
        queue = self._outbox.failed(flight, code, wait_ms, turn.now_ms)
        turn.durable.append(queue.saved())
        turn.tell.append(Counted("undelivered"))
        level = "error" if code.startswith("party.") else "warning"
        turn.note("peer.failed", level, peer=flight.peer, code=code, detail=detail, fails=queue.fails)

    def _unreadable(self, turn: Turn, flight: Flight, event: Undelivered) -> None:
        """One item may be poison: smaller requests find it, and it alone is set aside."""
        if len(flight.items) > 1:
            self._outbox.shrink(flight)
        else:
            self._postpone(turn, flight.peer, flight.items[0], event.code, event.wait_ms)

    def _settle(self, turn: Turn, peer: PartyId, queued: Queued, result: Result) -> None:
        item = queued.item
        try:
            done = self._accept(turn, peer, item, result)
        except TheirFault as error:
            turn.refuse(peer, error.code, f"receipt for {item.id.hex()[:16]}: {error.detail}")
            done, result = False, result._replace(code=error.code)
        if item.id not in self._outbox.queue(peer).held:
            return  # withdrawn while it was in the air: only the word on it mattered
        if done or self._pointless(turn, peer, item, result.code):
            self._outbox.settle(peer, item.id)
            turn.durable.append(Dequeue(peer, item.id))
        else:
            self._postpone(turn, peer, queued, result.code, result.wait_ms)

    def _accept(self, turn: Turn, peer: PartyId, item: Item, result: Result) -> bool:
        """Whether the item needs no further attempt."""
        if result.receipt is not None:
            self._receipt(turn, peer, item, result)
            return True
        if result.outcome is Outcome.KEPT:
            if self._mine(item, peer):
                raise TheirFault("peer.malformed", "an envelope was answered without a signed receipt")
            return True
        if result.outcome is Outcome.REFUSED and result.code not in _PASSING and not self._mine(item, peer):
            turn.note(f"{item.kind}.refused", "error", peer=peer, item=item.id.hex(), code=result.code)
            return True
        return False

    def _mine(self, item: Item, peer: PartyId) -> bool:
        """Whether this is a document of ours on its way to `peer`, which only a signed word or its deadline ends."""
        loaded = self._cache.get((DocId(item.id), peer)) if item.kind == wire.ENVELOPE else None
        return loaded is not None and loaded.record.outgoing

    def _pointless(self, turn: Turn, peer: PartyId, item: Item, code: str) -> bool:
        """Past its deadline a document without receipt is not offered again, nor a word of ours on what never came."""
        doc, recipient = DocId(item.id), peer
        if item.kind == wire.STATEMENT:
            if code != "document.unknown":
                return False
            said = statements.decode(item.signed.body)
            doc, recipient = said.doc, said.recipient
        loaded = self._cache.get((doc, recipient))
        if loaded is None or not loaded.record.outgoing or loaded.record.expires_ms > turn.now_ms:
            return False
        # One that had arrived goes back to a peer that forgot it, however late, and so does all that was said of it.
        return loaded.record.receipt is None

    def _receipt(self, turn: Turn, peer: PartyId, item: Item, result: Result) -> None:
        """The recipient's signed word on an envelope, taken in as any other statement of its."""
        assert result.receipt is not None
        said = statements.decode(result.receipt.body)
        if item.kind != wire.ENVELOPE or said.doc != item.id or said.recipient != peer or said.code in BY_SENDER:
            raise TheirFault("party.mismatch", "the receipt is about something else")
        receipt = Item(wire.STATEMENT, result.receipt.id, result.receipt, ())
        self._intake.statement(turn, said.by, receipt, said)
        turn.tell.append(Counted("receipts"))

    def _postpone(self, turn: Turn, peer: PartyId, queued: Queued, code: str, wait_ms: int) -> None:
        fails = queued.fails + 1
        at_ms = turn.now_ms + item_delay_ms(fails, wait_ms)
        self._outbox.settle(peer, queued.item.id)
        self._outbox.retry_at(peer, queued.lane, at_ms)
        turn.durable.append(Postpone(peer, queued.item.id, at_ms, fails))
        parked = fails > limits.ITEM_FAILS_MAX
        level = "error" if parked else "warning"
        turn.note("item.parked" if parked else "item.postponed", level, peer=peer, item=queued.item.id.hex(), code=code)
