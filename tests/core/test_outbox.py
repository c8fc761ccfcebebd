"""The outbox: what may be sent when, fair between destinations, by priority inside each, within bounds."""

from docaxis.core import limits, wire
from docaxis.core.ids import PartyId
from docaxis.core.outbox import PROBE_INTERVAL_MS_MIN, SLOW_START_ITEMS, Flight, Outbox
from docaxis.core.schedule import LANE_BACKGROUND, LANE_CONTROL, LANE_EXPRESS, LANE_NORMAL, LANE_URGENT
from docaxis.core.signed import Signed, SignedHead
from docaxis.core.wire import Item

ME, PEER, OTHER = PartyId("G22"), PartyId("H49"), PartyId("H55")
ROOM = limits.LANE_MEMORY_ITEMS_MAX
HEAD = SignedHead(b"", b"")


def item(number: int, size: int = 10) -> Item:
    """One of many items of a given size in bytes."""
    return Item(wire.STATEMENT, number.to_bytes(4, "big"), Signed(bytes(size), HEAD, 0, ()), ())


def an_outbox(batch_items: int = 4, flights_max: int = 256) -> Outbox:
    """An outbox with small batches, so that few items make many."""
    return Outbox(ME, batch_items, flights_max)


def fill(outbox: Outbox, count: int, peer: PartyId = PEER, lane: int = LANE_NORMAL, first: int = 0) -> list[Item]:
    """Pushes some items."""
    made = [item(number) for number in range(first, first + count)]
    for each in made:
        outbox.push(peer, lane, each)
    return made


def go(outbox: Outbox, now_ms: int = 0, hold: bool = False) -> list[Flight]:
    """The requests that leave."""
    return outbox.pump(now_ms, hold)[0]


def go_on(outbox: Outbox, store: dict[bytes, Item], now_ms: int) -> list[Flight]:
    """The requests that leave, while lanes are read back from the store that holds all items."""
    flights, loads = outbox.pump(now_ms, hold_documents=False)
    for load in loads:
        outbox.loaded(PEER, load.lane, tuple((each, 0) for each in list(store.values())[: load.limit]))
    return flights + (go_on(outbox, store, now_ms) if loads else [])


def answer(outbox: Outbox, flight: Flight, credit: int = 100, wait_ms: int = 0, now_ms: int = 0) -> None:
    """A good answer: everything was kept."""
    assert outbox.land(flight.number) is flight
    outbox.succeeded(flight.peer, credit, wait_ms, now_ms)
    for queued in flight.items:
        outbox.settle(flight.peer, queued.item.id)


def fail(outbox: Outbox, flight: Flight, now_ms: int = 0, wait_ms: int = 0) -> int:
    """No answer; gives the time of the next try."""
    outbox.land(flight.number)
    return outbox.failed(flight, "peer.timeout", wait_ms, now_ms).next_try_ms


def ids(flight: Flight) -> list[int]:
    """The numbers of the items that a request carries."""
    return [int.from_bytes(queued.item.id, "big") for queued in flight.items]


# --- batches and windows ---


def test_the_first_item_leaves_at_once_and_alone() -> None:
    """Nobody waits for company when there is little to do."""
    outbox = an_outbox()
    fill(outbox, 1)
    assert [ids(flight) for flight in go(outbox)] == [[0]]


def test_what_comes_while_requests_fly_travels_together() -> None:
    """Natural batching: the busier the line, the larger the batch."""
    outbox = an_outbox(batch_items=8)
    flights = []
    for number in range(2):
        fill(outbox, 1, first=number)
        flights += go(outbox)
    fill(outbox, 5, first=2)
    assert go(outbox) == []
    answer(outbox, flights[0])
    assert [ids(flight) for flight in go(outbox)] == [[2, 3, 4, 5, 6]]


def test_at_most_a_window_of_requests_is_in_the_air_and_it_grows_with_success() -> None:
    """A small window carries hundreds of items per second; a large one would only hide a slow peer."""
    outbox = an_outbox(batch_items=1)
    fill(outbox, 100)
    assert len(go(outbox)) == 2
    for _ in range(20):
        for flight in list(outbox.flights.values()):
            answer(outbox, flight)
        go(outbox)
    assert len(outbox.flights) == limits.WINDOW_MAX


def test_a_request_is_bounded_by_bytes_and_still_carries_one_large_item() -> None:
    """A peer reads at most so much at once, and no item may wait for ever because it is large."""
    outbox = an_outbox(batch_items=100)
    for number in range(3):
        outbox.push(PEER, LANE_NORMAL, item(number, limits.BATCH_BYTES_FILL - 1_000))
    outbox.push(OTHER, LANE_NORMAL, item(9, 2 * limits.BATCH_BYTES_FILL))
    assert [ids(flight) for flight in go(outbox)] == [[0], [9], [1]]


def test_a_peers_credit_bounds_the_next_request() -> None:
    """A peer that is full says how much is welcome."""
    outbox = an_outbox(batch_items=8)
    fill(outbox, 1)
    (first,) = go(outbox)
    answer(outbox, first, credit=3)
    fill(outbox, 8, first=1)
    assert ids(go(outbox)[0]) == [1, 2, 3]


def test_no_credit_is_no_failure_and_the_peer_is_asked_again_at_its_own_time() -> None:
    """Healthy but full: nothing is counted against it."""
    outbox = an_outbox()
    fill(outbox, 1)
    (first,) = go(outbox)
    answer(outbox, first, credit=0, wait_ms=30_000)
    fill(outbox, 5, first=1)
    assert go(outbox, 29_999) == []
    assert outbox.next_timer_ms() == 30_000
    assert [ids(flight) for flight in go(outbox, 30_000)] == [[1], [2]]
    assert outbox.queue(PEER).fails == 0


# --- lanes ---


def test_an_express_telegram_overtakes_a_queue_of_ordinary_letters() -> None:
    """Hỏa tốc is carried at once, however many letters wait."""
    outbox = an_outbox()
    fill(outbox, 100)
    outbox.push(PEER, LANE_EXPRESS, item(500))
    assert ids(go(outbox)[0])[0] == 500


def test_receipts_and_states_go_before_any_document() -> None:
    """They are tiny, and somebody waits for each."""
    outbox = an_outbox()
    fill(outbox, 8, lane=LANE_EXPRESS)
    fill(outbox, 2, lane=LANE_CONTROL, first=50)
    assert ids(go(outbox)[0]) == [50, 51, 0, 1]


def test_no_weighted_lane_starves() -> None:
    """Background work moves while urgent letters come without end."""
    outbox = an_outbox(batch_items=26)
    fill(outbox, 100, lane=LANE_URGENT)
    fill(outbox, 100, lane=LANE_NORMAL, first=1_000)
    fill(outbox, 100, lane=LANE_BACKGROUND, first=2_000)
    taken = ids(go(outbox)[0])
    assert [sum(number // 1_000 == lane for number in taken) for lane in range(3)] == [16, 8, 2]


def test_only_control_leaves_while_documents_are_held() -> None:
    """With an expired directory, words about old documents still travel; new documents wait."""
    outbox = an_outbox()
    fill(outbox, 2)
    fill(outbox, 1, lane=LANE_CONTROL, first=7)
    assert [ids(flight) for flight in go(outbox, hold=True)] == [[7]]
    outbox.wake(PEER)
    assert [ids(flight) for flight in go(outbox)] == [[0, 1]]


# --- fairness ---


def test_destinations_take_turns() -> None:
    """A long queue for one does not delay another."""
    outbox = an_outbox(batch_items=1)
    fill(outbox, 50)
    fill(outbox, 2, OTHER, first=90)
    assert [flight.peer for flight in go(outbox)] == [PEER, OTHER, PEER, OTHER]


def test_at_the_limit_of_flights_those_who_wait_are_served_first() -> None:
    """Nobody is overtaken for ever by a peer that answers fast."""
    outbox = an_outbox(batch_items=1, flights_max=1)
    fill(outbox, 3)
    fill(outbox, 2, OTHER, first=90)
    served = []
    for _ in range(4):
        (flight,) = go(outbox)
        served.append(flight.peer)
        answer(outbox, flight)
    assert served == [PEER, OTHER, PEER, OTHER]


# --- failures ---


def test_items_of_a_failed_request_go_again_first_and_in_order() -> None:
    """A failure loses nothing and changes no order."""
    outbox = an_outbox()
    fill(outbox, 6)
    first, second = go(outbox)
    again_ms = fail(outbox, first)
    answer(outbox, second)
    assert [ids(flight) for flight in go(outbox, again_ms)] == [[0, 1, 2, 3]]


def test_a_failing_peer_is_left_alone_for_longer_each_time_and_a_timer_ends_each_wait() -> None:
    """Every wake-up shrinks the backlog or lengthens the delay."""
    outbox, now_ms, waits = an_outbox(), 0, list[int]()
    fill(outbox, 1)
    for _ in range(6):
        (flight,) = go(outbox, now_ms)
        next_ms = fail(outbox, flight, now_ms)
        assert outbox.next_timer_ms() is not None
        assert go(outbox, next_ms - 1) == []
        waits.append(next_ms - now_ms)
        now_ms = next_ms
    assert waits[0] < waits[2] < waits[5]


def test_a_longer_wait_that_the_peer_asks_for_is_kept() -> None:
    """Retry-After wins where it is larger."""
    outbox = an_outbox()
    fill(outbox, 1)
    assert fail(outbox, go(outbox)[0], wait_ms=120_000) == 120_000


def test_a_dead_peer_holds_at_most_one_flight() -> None:
    """The permits of all are for those who answer."""
    outbox = an_outbox(batch_items=1)
    fill(outbox, 10)
    flights = go(outbox)
    times = [fail(outbox, flight) for flight in flights]
    assert len(go(outbox, max(times))) == 1


def test_after_the_breaker_opened_the_peer_is_met_with_small_requests_that_grow() -> None:
    """A node that comes back must not be buried in its first second."""
    outbox, now_ms = an_outbox(batch_items=256), 0
    store = {each.id: each for each in fill(outbox, 1_000)}
    for _ in range(limits.BREAKER_FAILS):
        now_ms = max(fail(outbox, flight, now_ms) for flight in go_on(outbox, store, now_ms))
    sizes = []
    for _ in range(4):
        flights = go_on(outbox, store, now_ms)
        sizes.append(len(flights[0].items))
        for flight in flights:
            answer(outbox, flight, credit=1_000)
            for queued in flight.items:
                del store[queued.item.id]
    assert sizes[0] == SLOW_START_ITEMS
    assert max(sizes) > 16 * SLOW_START_ITEMS


def test_failures_are_forgotten_only_by_an_answer() -> None:
    """A sign of life proves that they reach us, not that we reach them: it allows one try."""
    outbox, now_ms = an_outbox(), 0
    fill(outbox, 1)
    for _ in range(8):
        now_ms = fail(outbox, go(outbox, now_ms)[0], now_ms)
    probed_ms = now_ms - 1
    assert probed_ms - outbox.queue(PEER).last_try_ms >= PROBE_INTERVAL_MS_MIN
    outbox.probe(PEER, probed_ms)
    (flight,) = go(outbox, probed_ms)
    assert fail(outbox, flight, probed_ms) > probed_ms + PROBE_INTERVAL_MS_MIN
    assert outbox.queue(PEER).fails == 9
    outbox.probe(PEER, probed_ms + 1)
    assert go(outbox, probed_ms + 1) == []


def test_a_restart_goes_on_where_the_backoff_was() -> None:
    """Else a node that restarts often would hammer those that are down."""
    outbox = an_outbox()
    fill(outbox, 1)
    next_ms = fail(outbox, go(outbox)[0])
    saved = outbox.queue(PEER).saved()
    again = an_outbox()
    again.restore(saved)
    fill(again, 1)
    assert go(again, next_ms - 1) == []
    assert again.next_timer_ms() == next_ms
    assert len(go(again, next_ms)) == 1


def test_an_answer_to_a_request_of_an_earlier_life_is_not_taken_for_one_of_this() -> None:
    """It would settle items that were never sent."""
    outbox = an_outbox()
    outbox.begin(1 << 40)
    fill(outbox, 1)
    assert outbox.land(1) is None
    assert go(outbox)[0].number == (1 << 40) + 1


def test_an_unreadable_request_shrinks_until_the_item_is_found() -> None:
    """One poison item must not close a queue."""
    outbox = an_outbox(batch_items=64)
    fill(outbox, 64)
    sizes = []
    for _ in range(4):
        flight = go(outbox)[0]
        sizes.append(len(flight.items))
        for each in list(outbox.flights.values()):
            outbox.land(each.number)
            outbox.shrink(each)
    assert sizes == sorted(set(sizes), reverse=True)
    assert sizes[-1] == 1


# --- memory ---


def drain(outbox: Outbox, store: dict[bytes, Item], lane: int = LANE_NORMAL) -> tuple[list[int], int, int]:
    """Sends all that the store holds; the numbers in order, the most in memory, and how often the store was read."""
    seen, most, reads = list[int](), 0, 0
    for _ in range(10_000):
        flights, loads = outbox.pump(0, hold_documents=False)
        for flight in list(outbox.flights.values())[:1]:
            seen += ids(flight)
            for queued in flight.items:
                del store[queued.item.id]
            answer(outbox, flight, credit=1_000)
        for load in loads:
            reads += 1
            ready = tuple((each, 0) for each in list(store.values())[: load.limit])
            outbox.loaded(PEER, lane, ready)
        most = max(most, outbox.queue(PEER).waiting_items())
        if not store and not flights and not loads:
            return seen, most, reads
    raise AssertionError("the queue does not drain")


def test_ten_thousand_items_are_all_sent_in_order_within_a_bounded_memory() -> None:
    """What has no room waits on disk, and is read back in time."""
    outbox = an_outbox(batch_items=64)
    store = {each.id: each for each in fill(outbox, 10_000)}
    seen, most, reads = drain(outbox, store)
    assert seen == list(range(10_000))
    assert most <= ROOM
    assert reads < 10_000 / (ROOM // 2)


def test_a_lane_that_is_wholly_in_the_air_is_not_read_again_and_again() -> None:
    """Full batches of all windows may hold more than a lane: nothing new can be read until they land."""
    outbox = an_outbox(batch_items=256)
    outbox.queue(PEER).window = 4.0
    store = fill(outbox, 4 * 256 + 100)
    for _ in range(20):
        _, loads = outbox.pump(0, hold_documents=False)
        for load in loads:
            outbox.loaded(PEER, load.lane, tuple((each, 0) for each in store[: load.limit]))
        if not loads:
            break
    else:
        raise AssertionError("the store is read for ever")
    assert len(outbox.flights) == 4


def test_failed_requests_do_not_overfill_a_lane() -> None:
    """They go back to the front, and what has no room behind them is read back later."""
    outbox = an_outbox(batch_items=256)
    fill(outbox, ROOM)
    first, second = go(outbox)
    fill(outbox, ROOM, first=ROOM)
    fail(outbox, first)
    fail(outbox, second)
    assert outbox.queue(PEER).waiting_items() == ROOM
    assert len(outbox.queue(PEER).held) == ROOM


def test_a_peer_that_is_down_keeps_only_the_next_try_in_memory() -> None:
    """With half a country dead, memory is for those who answer."""
    outbox, now_ms = an_outbox(batch_items=256), 0
    fill(outbox, ROOM)
    for _ in range(limits.BREAKER_FAILS):
        now_ms = max(fail(outbox, flight, now_ms) for flight in go(outbox, now_ms))
    fill(outbox, ROOM, first=ROOM)
    queue = outbox.queue(PEER)
    assert queue.waiting_items() == SLOW_START_ITEMS
    assert len(queue.held) == SLOW_START_ITEMS


def test_an_item_is_in_memory_once_however_often_it_is_enqueued_or_read() -> None:
    """The queue on disk holds it once."""
    outbox = an_outbox()
    fill(outbox, 3)
    fill(outbox, 3)
    outbox.expect(PEER, LANE_NORMAL)
    outbox.pump(0, hold_documents=True)
    outbox.loaded(PEER, LANE_NORMAL, tuple((item(number), 0) for number in range(3)))
    assert outbox.queue(PEER).waiting_items() == 3


def test_what_was_settled_while_the_store_was_read_does_not_come_back() -> None:
    """The reading saw it still queued."""
    outbox = an_outbox()
    fill(outbox, 1)
    (flight,) = go(outbox)
    outbox.expect(PEER, LANE_NORMAL)
    (load,) = outbox.pump(0, hold_documents=False)[1]
    answer(outbox, flight)
    outbox.loaded(PEER, load.lane, ((item(0), 0),))
    assert go(outbox) == []


def test_what_was_enqueued_while_the_store_was_read_is_read_next() -> None:
    """Else it would wait on disk without anybody knowing."""
    outbox = an_outbox()
    outbox.expect(PEER, LANE_NORMAL)
    (load,) = outbox.pump(0, hold_documents=False)[1]
    fill(outbox, 1)
    outbox.loaded(PEER, load.lane, ())
    (again,) = outbox.pump(0, hold_documents=False)[1]
    outbox.loaded(PEER, again.lane, ((item(0), 0),))
    assert [ids(flight) for flight in go(outbox)] == [[0]]


def test_a_withdrawn_item_does_not_leave_and_does_not_come_back_from_the_air() -> None:
    """Its receipt came by another way."""
    outbox = an_outbox(batch_items=1)
    fill(outbox, 3)
    first, second = go(outbox)
    outbox.withdraw(PEER, item(2).id)
    outbox.withdraw(PEER, item(0).id)
    next_ms = max(fail(outbox, first), fail(outbox, second))
    assert [ids(flight) for flight in go(outbox, next_ms)] == [[1]]


def test_items_waiting_for_a_time_beyond_one_reading_are_read_on_after_a_restart() -> None:
    """Nobody knows their times any more; all of them are tried, not only the first that fit."""
    outbox = an_outbox()
    outbox.expect(PEER, LANE_NORMAL, postponed=True)
    (load,) = outbox.pump(0, hold_documents=False)[1]
    outbox.loaded(PEER, LANE_NORMAL, tuple((item(number), 1) for number in range(load.limit)))
    queue = outbox.queue(PEER)
    while queue.waiting_items():
        for flight in list(outbox.flights.values()) or go(outbox):
            answer(outbox, flight)
        more = outbox.pump(0, hold_documents=False)[1]
        if more:
            assert more[0].now_ms == limits.DAY_MS
            return
    raise AssertionError("the rest was never read")
