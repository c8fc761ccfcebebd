"""Checkers alone: each says yes to what is right, and no to what is wrong by one."""

import pytest

from docaxis.core import wire
from docaxis.core.effects import Effects, Send
from docaxis.core.ids import PartyId
from docaxis.core.signed import Signed, SignedHead
from docaxis.core.wire import Item
from docaxis_sim import checkers
from docaxis_sim.checkers import Breach, Silence, Transmission
from docaxis_sim.reading import Header


def test_a_breach_survives_being_made_again() -> None:
    """SimPy makes every exception again from its arguments when it leaves a process."""
    breach = Breach("monotone", "moved back")
    again = type(breach)(*breach.args)
    assert (again.promise, again.detail, str(again)) == ("monotone", "moved back", "monotone: moved back")


def test_memory_may_be_full_but_not_over_full() -> None:
    """Bounded: a limit is the most that is allowed."""
    checkers.bounded("H49", {"inbox": (5, 5)})
    with pytest.raises(Breach, match="inbox holds 6, at most 5"):
        checkers.bounded("H49", {"inbox": (6, 5)})


def test_a_node_that_never_rests_is_noticed() -> None:
    """No busy loop, whether of events or of timers."""
    checkers.calm("H49", checkers.EVENTS_PER_MINUTE_MAX, checkers.WAKES_PER_MINUTE_MAX)
    with pytest.raises(Breach, match="calm"):
        checkers.calm("H49", checkers.EVENTS_PER_MINUTE_MAX + 1, 0)
    with pytest.raises(Breach, match="calm"):
        checkers.calm("H49", 0, checkers.WAKES_PER_MINUTE_MAX + 1)


def test_a_peer_that_fails_is_left_alone_longer_each_time_unless_it_calls() -> None:
    """Half of a second that doubles with each failure, up to five minutes; a sign of life allows one try at once."""
    checkers.patience("G22", "H49", Silence(1, 0), 500)
    checkers.patience("G22", "H49", Silence(4, 0), 4_000)
    checkers.patience("G22", "H49", Silence(40, 0), 150_000)
    checkers.patience("G22", "H49", Silence(40, 0, sign=True), 1)
    for failures, clock_ms in ((1, 499), (4, 3_999), (40, 149_999)):
        with pytest.raises(Breach, match=f"after failure {failures} in a row"):
            checkers.patience("G22", "H49", Silence(failures, 0), clock_ms)


def test_a_request_carries_what_its_receiver_asked_for_and_no_more() -> None:
    """Credit bounds each request; a peer that takes nothing may still be asked with one item whether it does now."""
    checkers.within_credit("G22", "H49", 3, 3)
    checkers.within_credit("G22", "H49", 1, 0)
    with pytest.raises(Breach, match="sends 4 items to H49, which takes 3"):
        checkers.within_credit("G22", "H49", 4, 3)


def test_a_directory_a_month_old_lets_no_document_go() -> None:
    """One day short of it, all goes on; from then on a request may carry statements only."""
    leaf = Item(wire.ENVELOPE, b"", Signed(b"body", SignedHead(b"", b""), 0, ()), ())
    leaves = Effects([], [Send(PartyId("H49"), 1, (), b"", _batch(leaf))], [])
    checkers.fresh_enough("G22", checkers.STALE_MS - 1, 0, inbound=False, effects=leaves)
    with pytest.raises(Breach, match="sends a document"):
        checkers.fresh_enough("G22", checkers.STALE_MS, 0, inbound=False, effects=leaves)
    words = Effects([], [Send(PartyId("H49"), 1, (), b"", _batch(leaf._replace(kind=wire.STATEMENT)))], [])
    checkers.fresh_enough("G22", checkers.STALE_MS, 0, inbound=False, effects=words)


def _batch(item: Item) -> bytes:
    return wire.encode_batch(wire.Batch(PartyId("G22"), PartyId("H49"), 1, 0, 1, (item,)))


HEADER = Header("G22", ("H49", "H26"), 0, (b"digest",))


def test_a_document_goes_to_its_recipients_and_back_to_its_sender() -> None:
    """To those alone, to whom a closed code's mail goes, and home to a sender that was restored from a backup."""
    for peer in ("H49", "H26", "G22"):
        checkers.for_its_recipients("G22", peer, HEADER, (), {})
    checkers.for_its_recipients("G22", "H29", HEADER, [b"digest"], {"H49": "H29"})
    with pytest.raises(Breach, match="G22 gives H29 a document of G22 for H49, H26"):
        checkers.for_its_recipients("G22", "H29", HEADER, (), {})


def test_content_goes_with_the_document_that_names_it() -> None:
    """A recipient of one document may not get what belongs to another."""
    checkers.for_its_recipients("G22", "H49", HEADER, [b"digest"], {})
    with pytest.raises(Breach, match="which is none of a document of G22"):
        checkers.for_its_recipients("G22", "H49", HEADER, [b"another"], {})


def test_queues_are_empty_when_all_is_over() -> None:
    """What still waits after healing will wait for ever."""
    checkers.nothing_queued({"H49": 0})
    with pytest.raises(Breach, match="'H49': 1"):
        checkers.nothing_queued({"H49": 1, "G22": 0})


def test_healthy_parties_may_wait_twice_as_long_and_no_longer() -> None:
    """The median and the worst twentieth count; transmissions to the bad ones do not."""
    alone: dict[Transmission, int] = {(n, "G22", "H26"): 100 for n in range(20)} | {(99, "G22", "H49"): 100}
    twice = dict.fromkeys(alone, 200) | {(99, "G22", "H49"): 1_000_000}
    healthy = frozenset({"G22", "H26"})
    checkers.isolated(alone, twice, healthy)
    with pytest.raises(Breach, match="from 100 to 201"):
        checkers.isolated(alone, dict.fromkeys(alone, 201), healthy)
    with pytest.raises(Breach, match="19 of 20"):
        checkers.isolated(alone, dict.fromkeys(list(alone)[1:], 100), healthy)


def test_the_same_key_means_the_same_document() -> None:
    """Whoever asks again must not send again."""
    checkers.one_key_one_document("G22", "order 1", b"a", b"a")
    with pytest.raises(Breach, match="order 1"):
        checkers.one_key_one_document("G22", "order 1", b"a", b"b")
