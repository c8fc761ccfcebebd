"""Postponed items come back: found by simulated worlds that lost the timer of an item and with it the document."""

from docaxis.core.ids import PartyId
from docaxis.core.limits import DAY_MS
from docaxis.core.outbox import RELOAD_STEP_MS, Outbox

PEER = PartyId("H49")


def loads(outbox: Outbox, now_ms: int) -> list[int]:
    """The times as of which lanes are read back at `now_ms`; the store answers that nothing is due."""
    found = outbox.pump(now_ms, hold_documents=False)[1]
    for load in found:
        outbox.loaded(load.peer, load.lane, ())
    return [load.now_ms for load in found]


def test_each_postponed_item_is_read_back_at_its_own_time() -> None:
    """One remembered time per lane let the second item wait for ever."""
    outbox = Outbox(PartyId("G22"), 256, 256)
    outbox.retry_at(PEER, 0, RELOAD_STEP_MS)
    outbox.retry_at(PEER, 0, 3 * RELOAD_STEP_MS)
    assert loads(outbox, RELOAD_STEP_MS) == [RELOAD_STEP_MS]
    assert loads(outbox, 2 * RELOAD_STEP_MS) == []
    assert loads(outbox, 3 * RELOAD_STEP_MS) == [3 * RELOAD_STEP_MS]


def test_after_a_restart_postponed_items_are_read_back_at_once() -> None:
    """The times at which they were due died with the memory that knew them."""
    outbox = Outbox(PartyId("G22"), 256, 256)
    outbox.expect(PEER, 3, postponed=True)
    assert loads(outbox, 1_000) == [1_000 + DAY_MS]
    outbox.expect(PEER, 3)
    assert loads(outbox, 2_000) == [2_000]


def test_a_greeting_that_failed_is_repeated() -> None:
    """A node restored from a backup tells all its new epoch; one lost request must not leave a peer in ignorance."""
    outbox = Outbox(PartyId("G22"), 256, 256)
    outbox.greet(PEER)
    (flight,), _ = outbox.pump(0, hold_documents=False)
    outbox.land(flight.number)
    failed = outbox.failed(flight, "peer.timeout", 0, 0)
    assert [each.items for each in outbox.pump(failed.next_try_ms, hold_documents=False)[0]] == [()]
