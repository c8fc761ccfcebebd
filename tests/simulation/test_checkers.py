"""Checkers alone: each says yes to what is right, and no to what is wrong by one."""

import pytest

from docaxis_sim import checkers
from docaxis_sim.checkers import Breach, Transmission


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


def test_a_peer_that_fails_may_be_tried_again_when_it_calls() -> None:
    """A sign of life allows further attempts; silence does not."""
    most = checkers.FAILURES_PER_HOUR_MAX
    checkers.patience("G22", "H49", most + 4, contacts=1, lives=0)
    with pytest.raises(Breach, match="patience"):
        checkers.patience("G22", "H49", most + 1, contacts=0, lives=0)


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
