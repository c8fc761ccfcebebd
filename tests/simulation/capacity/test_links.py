"""Shared up links: who is sent when, and that no byte is lost or made."""

from collections.abc import Callable
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core import wire
from docaxis.core.ids import PartyId
from docaxis.core.limits import CHUNK_BYTES, KIB, LANES
from docaxis.core.outbox import Outbox
from docaxis.core.schedule import LANE_EXPRESS, LANE_NORMAL, LANE_URGENT, lane_of
from docaxis.core.signed import Signed, SignedHead
from docaxis.core.wire import Item
from docaxis_sim.capacity import links
from docaxis_sim.capacity.links import LanesLink, PsLink, SharedLink, Turns
from docaxis_sim.capacity.plan import NEVER, Law
from tests.simulation.capacity.oracle_lines import shares

RATE = 1000
"""ns per KiB: a piece of CHUNK_BYTES takes about a millisecond."""
PIECE_NS = CHUNK_BYTES * RATE >> 10

Coming = tuple[int, int, int]
"""Time, bytes, priority."""
_coming = st.lists(
    st.tuples(st.integers(0, 3000), st.sampled_from([0, 1, 700, KIB, 3 * KIB]), st.integers(0, 4)), max_size=12
)


def _carry(link: SharedLink, coming: list[Coming]) -> tuple[dict[int, int], dict[int, int], list[int]]:
    """Starts and ends by token, and tokens in the order in which they ended."""
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}

    def until(now_ns: float) -> None:
        while link.next_ns != NEVER and link.next_ns <= now_ns:
            at_ns = link.next_ns
            news = link.due(at_ns)
            starts.update(dict.fromkeys(news.started, at_ns))
            ends.update(dict.fromkeys(news.ended, at_ns))

    for token, (at_ns, size, priority) in enumerate(sorted(coming)):
        until(at_ns)
        start = link.arrive(at_ns, token, size, priority)
        if start != NEVER:
            starts[token] = start
    until(float("inf"))
    return starts, ends, list(ends)


def _item(number: int) -> Item:
    head = SignedHead(b"", b"")
    return Item(wire.STATEMENT, number.to_bytes(4, "big"), Signed(b"", head, 0, ()), ())


@given(st.lists(st.integers(0, LANES - 1), min_size=1, max_size=64))
def test_lanes_take_turns_as_the_outbox_fills_a_request(lanes: list[int]) -> None:
    """The simulator must not have an opinion of its own on what goes first."""
    outbox, peer = Outbox(PartyId("G22"), 256, 8), PartyId("H49")
    for number, lane in enumerate(lanes):
        outbox.push(peer, lane, _item(number))
    flights, _ = outbox.pump(0, hold_documents=False)
    turns, left = Turns(), [lanes.count(lane) for lane in range(LANES)]
    picked = []
    for _ in flights[0].items:
        picked.append(turns.pick([count > 0 for count in left]))
        left[picked[-1]] -= 1
    assert picked == [queued.lane for queued in flights[0].items]
    assert len(picked) == len(lanes)


@pytest.mark.parametrize("make", [LanesLink, PsLink])
@given(coming=_coming)
def test_a_link_is_busy_for_as_long_as_its_bytes_take(make: Callable[[int], SharedLink], coming: list[Coming]) -> None:
    """A law decides who waits, not how much is sent: busy periods end when they would under fifo."""
    _, ends, _ = _carry(make(RATE), coming)
    free, last_end = 0, 0
    for at_ns, size, _ in sorted(coming):
        free = max(free, at_ns) + (size * RATE >> 10)
    last_end = max(ends.values(), default=0)
    assert len(ends) == len(coming)
    assert free <= last_end <= free + len(coming) or not coming


@given(coming=_coming)
def test_processor_sharing_is_that_of_exact_fractions(coming: list[Coming]) -> None:
    """Virtual time in whole numbers must not drift from what the law says."""
    _, ends, _ = _carry(PsLink(RATE), coming)
    exact = dict(enumerate(shares([(at_ns, size * RATE >> 10) for at_ns, size, _ in sorted(coming)])))
    assert all(ends[token] - ceil(exact[token]) in (0, 1) for token in ends)


def test_an_express_document_waits_for_one_piece_only() -> None:
    """The point of lanes: an annex of two gigabytes does not hold up a telegram."""
    starts, ends, _ = _carry(LanesLink(RATE), [(0, 10 * CHUNK_BYTES, 0), (10, 4 * KIB, 3)])
    assert starts[1] == PIECE_NS
    assert ends[1] == PIECE_NS + 4 * RATE
    assert ends[0] == 10 * PIECE_NS + 4 * RATE


def test_urgent_and_normal_documents_share_a_link_eight_to_four() -> None:
    """Shares are the core's; nothing starves."""
    assert (lane_of(3), lane_of(1), lane_of(0)) == (LANE_EXPRESS, LANE_URGENT, LANE_NORMAL)
    _, ends, order = _carry(LanesLink(RATE), [(0, CHUNK_BYTES, 3)] + [(1, CHUNK_BYTES, i % 2) for i in range(24)])
    assert [token > 12 for token in order[1:13]] == [True] * 8 + [False] * 4  # those that came last are the urgent ones
    assert max(ends.values()) == 25 * PIECE_NS


def test_one_alone_gets_the_whole_link_and_two_get_half_each() -> None:
    """The definition of processor sharing."""
    _, ends, _ = _carry(PsLink(RATE), [(0, 2 * KIB, 0), (1000, KIB, 0)])
    assert ends == {0: 3000, 1: 3000}


def test_a_fifo_link_is_refused() -> None:
    """It needs no station of its own; asking for one is a mistake of the caller."""
    with pytest.raises(ValueError, match="known on arrival"):
        links.make(Law.FIFO, np.array([1]))
