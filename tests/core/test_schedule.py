"""How long failures make a node wait, and which lane an object travels in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import limits
from docaxis.core.envelope import Priority
from docaxis.core.schedule import (
    LANE_EXPRESS,
    LANE_NORMAL,
    LANE_URGENT,
    content_delay_ms,
    item_delay_ms,
    jittered_ms,
    lane_of,
    peer_delay_ms,
)


@pytest.mark.parametrize(
    ("priority", "lane"),
    [
        (Priority.NORMAL, LANE_NORMAL),
        (Priority.URGENT, LANE_URGENT),
        (Priority.VERY_URGENT, LANE_URGENT),
        (Priority.EXPRESS, LANE_EXPRESS),
        (Priority.TIMED_EXPRESS, LANE_EXPRESS),
    ],
)
def test_each_degree_of_urgency_has_its_lane(priority: Priority, lane: int) -> None:
    """Decree 30/2020 names five degrees; three kinds of treatment serve them."""
    assert lane_of(priority) == lane


@given(st.integers(2, limits.DAY_MS), st.text(), st.text(), st.integers(0, 99))
def test_jitter_keeps_within_half_and_one_and_a_half_and_is_repeatable(delay: int, me: str, peer: str, n: int) -> None:
    """Proportional, so that peers do not come back in waves; drawn from a hash, so that a run can be repeated."""
    drawn = jittered_ms(delay, me, peer, n)
    assert delay // 2 <= drawn <= delay // 2 + delay
    assert drawn == jittered_ms(delay, me, peer, n)


def test_jitter_differs_between_nodes() -> None:
    """Ninety-four nodes that wait for one must not all come at the same moment."""
    assert len({peer_delay_ms(f"H{number}", "G22", 5, 0) for number in range(94)}) > 80


def test_the_first_retry_comes_after_about_a_second() -> None:
    """A link that fails now and then must catch up."""
    assert 500 <= peer_delay_ms("G22", "H49", 1, 0) <= 1_500


@given(st.integers(1, 10_000), st.integers(0, 60 * limits.DAY_MS))
def test_a_peer_is_asked_again_within_minutes_however_long_it_was_away(fails: int, outage_ms: int) -> None:
    """A returning peer is served within minutes; retries never end by count."""
    assert peer_delay_ms("G22", "H49", fails, outage_ms) <= 1.5 * limits.RETRY_DELAY_LONG_OUTAGE_MS_MAX
    if outage_ms < limits.OUTAGE_LONG_MS:
        assert peer_delay_ms("G22", "H49", fails, outage_ms) <= 1.5 * limits.RETRY_DELAY_MS_MAX


@given(st.integers(1, 10_000), st.integers(0, limits.DAY_MS))
def test_an_item_waits_as_long_as_its_peer_asks_and_a_parked_one_an_hour(fails: int, wait_ms: int) -> None:
    """One bad item costs its peer at most one look an hour."""
    delay_ms = item_delay_ms(fails, wait_ms)
    assert delay_ms >= max(wait_ms, limits.ITEM_RETRY_DELAY_MS)
    if fails > limits.ITEM_FAILS_MAX:
        assert delay_ms == max(wait_ms, limits.PARKED_RETRY_DELAY_MS)


@given(st.integers(1, 10_000))
def test_content_is_asked_for_again_within_minutes(tries: int) -> None:
    """Its only end is the document's deadline."""
    assert content_delay_ms("H49", b"doc", tries) <= 1.5 * limits.CONTENT_RETRY_DELAY_MS_MAX
