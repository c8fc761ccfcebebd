"""The machine: whole lives of nodes in a circle, with cut wires, lost answers, restarts, restores and the clock."""

import gc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docaxis.core import effects as fx
from docaxis.core import events as ev
from docaxis.core import limits, wire
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State, allowed
from docaxis.core.machine import Machine
from docaxis.core.policy import Policy
from docaxis.core.record import Record
from docaxis.core.wanted import Wanted
from tests.core.circle import START_MS, Circle, Host, codes_of, doc_of, seal_of

CODES = ("G22", "H49", "H55")


@pytest.fixture
def circle() -> Circle:
    """The Government Office and two provinces."""
    return Circle(*CODES)


def queued(circle: Circle) -> int:
    """Entries in all queues."""
    return sum(host.tables.totals().queued for host in circle.hosts.values())


def records(host: Host, outgoing: bool) -> list[Record]:
    """All records of one direction."""
    return [record for record, _ in host.tables.documents(outgoing, None, 10_000, None)]


# --- order, time and bounds ---


def test_nothing_leaves_in_an_event_but_after_what_it_says_is_durable(circle: Circle) -> None:
    """Each sent object is among the rows of the same event or an earlier one."""
    machine = circle["G22"].machine
    made = circle["G22"].submission("H49")
    effects = machine.handle(ev.Submitted((made,)), circle.now_ms, bytes(32))
    (send,) = [each for each in effects.then if isinstance(each, fx.Send)]
    kept = {op.id for op in effects.durable if isinstance(op, fx.PutObject)}
    assert {item.id for item in wire.decode_batch(send.body).items} <= kept


def test_nothing_that_a_machine_does_is_left_to_the_collector(circle: Circle) -> None:
    """Garbage in cycles is found only while everything else stands still: for tens of milliseconds on a busy node."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            doc = doc_of(circle["G22"].submit("H49", "H55", data=b"x"))
            circle.settle()
            circle["H49"].act(doc, Code.RECEIVED)
            circle.settle()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_same_events_give_the_same_effects(circle: Circle) -> None:
    """Time and chance are arguments; a trace can be replayed."""
    made = circle["G22"].submission("H49", "H55", data=b"x")

    def life() -> list[fx.Effects]:
        machine = Machine(PartyId("G22"), seal_of("G22"), circle.book)
        events = (ev.Started(1, 0, (), ()), ev.Submitted((made,)))
        return [machine.handle(event, START_MS, bytes(32)) for event in events]

    assert life() == life()


def test_a_machine_says_what_it_must_know_before_it_decides(circle: Circle) -> None:
    """All of it is asked for together, in one reading for many events."""
    doc = doc_of(circle["G22"].submit("H49"))
    act = ev.Act(1, "key", b"", doc, "", Code.RECEIVED, "", "")
    circle["H49"].start()
    wanted = circle["H49"].machine.wanted((ev.Acted((act,)), ev.Fetched(doc, PartyId("H49")), ev.Woke()))
    assert wanted == Wanted(((doc, PartyId("H49")),), ("key",), (), (doc,))


def test_a_wake_up_is_asked_for_once_until_it_comes(circle: Circle) -> None:
    """A timer per event would be a storm."""
    machine = circle["G22"].machine

    def wishes(event: ev.Event) -> int:
        return sum(isinstance(each, fx.WakeAt) for each in machine.handle(event, circle.now_ms, bytes(32)).then)

    assert [wishes(ev.Submitted(())), wishes(ev.Submitted(())), wishes(ev.Woke()), wishes(ev.Submitted(()))] == [
        0,
        0,
        1,
        0,
    ]


def test_a_clock_that_is_set_back_does_not_put_off_what_is_due(circle: Circle) -> None:
    """It was an hour ahead, and somebody noticed."""
    circle.jump(limits.HOUR_MS)
    circle.now_ms -= limits.HOUR_MS
    circle["G22"].submit("H49")
    assert circle["G22"].wake_ms <= circle.now_ms + limits.DUE_SCAN_INTERVAL_MS


def test_a_thousand_documents_for_a_peer_that_is_off_need_little_memory_and_all_arrive(circle: Circle) -> None:
    """The queue is on disk; memory holds what is next."""
    circle.cut = {("G22", "H49")}
    host = circle["G22"]
    batches = [tuple(host.submission("H49", meta={"subject": str(n)}) for _ in range(200)) for n in range(5)]
    for made in batches:
        host.do(ev.Submitted(made))
        circle.settle()
    queue = host.machine.outbox.queue(PartyId("H49"))
    circle.later(limits.MINUTE_MS)
    assert all(len(lane.items) <= limits.LANE_MEMORY_ITEMS_MAX for lane in queue.lanes)
    assert len(queue.held) < 1_000
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert circle["H49"].tables.totals().incoming == {State.ARRIVED: 1_000}
    assert host.tables.totals().outgoing == {State.ARRIVED: 1_000}
    assert queued(circle) == 0


def test_operators_see_the_state_of_each_destination(circle: Circle) -> None:
    """Who is down, why, since when, and when it is tried again; once it is back, nothing of that is left."""
    circle.cut = {("G22", "H49")}
    circle["G22"].submit("H49")
    (line,) = [each for each in circle["G22"].machine.delivery() if each["peer"] == "H49"]
    assert (line["fails"], line["down_since_ms"], line["in_memory"]) == (1, circle.now_ms, 1)
    assert line["why"] == "peer.unreachable"
    circle.cut = set()
    circle.later(limits.MINUTE_MS)
    (line,) = [each for each in circle["G22"].machine.delivery() if each["peer"] == "H49"]
    assert (line["fails"], line["why"]) == (0, "")


# --- delivery ---


def test_one_document_for_two_reaches_the_one_that_is_there_at_once(circle: Circle) -> None:
    """A dead peer harms only itself."""
    circle.cut = {("G22", "H49")}
    doc = doc_of(circle["G22"].submit("H49", "H55"))
    assert (circle["G22"].state(doc, "H49"), circle["G22"].state(doc, "H55")) == (State.SENT, State.ARRIVED)
    circle.jump(30 * limits.DAY_MS)
    circle.new_book(2)
    for host in circle.hosts.values():
        host.do(ev.DirectoryChanged(circle.book))
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert circle["G22"].state(doc, "H49") is State.ARRIVED


def test_an_express_telegram_overtakes_a_queue_of_letters(circle: Circle) -> None:
    """Those who wait behind a long queue are not those who cannot wait."""
    circle["G22"].start(Policy(batch_items=4))
    made = [circle["G22"].submission("H49", meta={"subject": str(n)}) for n in range(40)]
    circle["G22"].do(ev.Submitted(tuple(made)))
    telegram = doc_of(circle["G22"].submit("H49", priority=3))
    order = [line.change.doc for line in circle["H49"].tables.changes(0, 100)]
    assert order.index(telegram) < 12


def test_the_senders_deadline_ends_in_its_own_signed_word(circle: Circle) -> None:
    """Silence is never an outcome, and nothing is sent after it."""
    circle.cut = {("G22", "H49")}
    doc = doc_of(circle["G22"].submit("H49", expires_ms=circle.now_ms + limits.DAY_MS))
    circle.jump(limits.DAY_MS)
    assert (circle["G22"].state(doc, "H49"), codes_of(circle["G22"], doc)) == (State.EXPIRED, ["91"])
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert circle["H49"].tables.document(doc) == ((), ())
    assert queued(circle) == 0


def test_a_document_that_did_arrive_wins_over_the_senders_deadline(circle: Circle) -> None:
    """All its receipts were lost; the recipient hears of the expiry and says again what is true."""
    circle.lose_replies = 1
    doc = doc_of(circle["G22"].submit("H49", expires_ms=circle.now_ms + limits.DAY_MS))
    circle.cut = {("G22", "H49"), ("H49", "G22")}
    circle.jump(limits.DAY_MS)
    assert (circle["G22"].state(doc, "H49"), circle["H49"].state(doc, "H49")) == (State.EXPIRED, State.ARRIVED)
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert circle["G22"].state(doc, "H49") is circle["H49"].state(doc, "H49") is State.ARRIVED
    assert queued(circle) == 0


def test_the_first_word_is_asked_for_beyond_the_deadline_when_later_ones_came_without_it(circle: Circle) -> None:
    """The answer with the receipt was lost, and no other request got through: what else the recipient says rests on
    that receipt, so its evidence would lack a link."""
    circle.lose_replies = 1
    doc = doc_of(circle["G22"].submit("H49", expires_ms=circle.now_ms + limits.DAY_MS))
    circle.cut = {("G22", "H49")}
    circle["H49"].act(doc, Code.COMPLETED)
    circle.settle()
    assert circle["G22"].state(doc, "H49") is State.COMPLETED
    circle.jump(2 * limits.DAY_MS)
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert sorted(codes_of(circle["G22"], doc)) == ["01", "06"]
    assert queued(circle) == 0


def test_a_recall_of_a_document_that_never_came_ends_with_it(circle: Circle) -> None:
    """The recipient cannot answer for what it never had, and is not asked for ever."""
    circle.cut = {("G22", "H49")}
    doc = doc_of(circle["G22"].submit("H49", expires_ms=circle.now_ms + limits.DAY_MS))
    circle["G22"].act(doc, Code.RECALL, "x")
    circle.jump(limits.DAY_MS)
    circle.cut = set()
    circle.later(3 * limits.HOUR_MS)
    assert queued(circle) == 0
    assert circle["G22"].state(doc, "H49") is State.EXPIRED


# --- lives ---


def test_a_restart_goes_on_with_the_queue_and_the_backoff(circle: Circle) -> None:
    """Everything that matters was on disk."""
    circle.cut = {("G22", "H49")}
    docs = [doc_of(circle["G22"].submit("H49")) for _ in range(3)]
    circle.later(limits.MINUTE_MS)
    fails = circle["G22"].machine.outbox.queue(PartyId("H49")).fails
    circle["G22"].start()
    circle.settle()
    assert circle["G22"].machine.outbox.queue(PartyId("H49")).fails == fails > 1
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert [circle["G22"].state(doc, "H49") for doc in docs] == [State.ARRIVED] * 3


def test_a_restart_of_the_recipient_before_its_answer_left_doubles_nothing(circle: Circle) -> None:
    """Durable before spoken: the sender asks again, and hears the same."""
    circle.lose_replies = 1
    doc = doc_of(circle["G22"].submit("H49"))
    circle["H49"].start()
    circle.later(limits.MINUTE_MS)
    assert circle["G22"].state(doc, "H49") is State.ARRIVED
    assert codes_of(circle["H49"], doc) == ["01"]


def test_a_restored_recipient_gets_back_what_it_forgot(circle: Circle) -> None:
    """Documents, the sender's words and its own; its next word begins a new epoch of its chain."""
    host, snapshot = circle["H49"], circle["H49"].tables.snapshot(circle.now_ms)
    docs = [doc_of(circle["G22"].submit("H49")) for _ in range(3)]
    host.act(docs[0], Code.COMPLETED)
    circle["G22"].act(docs[1], Code.RECALL, "x")
    circle.now_ms += limits.HOUR_MS
    host.tables.restore(snapshot)
    host.start()
    circle.later(limits.MINUTE_MS)
    assert [host.state(doc, "H49") for doc in docs] == [State.COMPLETED, State.ARRIVED, State.ARRIVED]
    assert host.act(docs[1], Code.AGREE).value is not None
    assert circle["G22"].state(docs[1], "H49") is State.RECOVERED
    assert queued(circle) == 0


def test_a_restored_sender_gets_back_its_own_envelopes_and_their_receipts(circle: Circle) -> None:
    """Nothing is lost that peers still hold."""
    host, snapshot = circle["G22"], circle["G22"].tables.snapshot(circle.now_ms)
    doc = doc_of(host.submit("H49", "H55"))
    circle["H49"].act(doc, Code.REFUSED, "x")
    circle.now_ms += limits.HOUR_MS
    host.tables.restore(snapshot)
    host.start()
    circle.later(limits.MINUTE_MS)
    assert (host.state(doc, "H49"), host.state(doc, "H55")) == (State.REFUSED, State.ARRIVED)
    assert queued(circle) == 0


def test_a_restored_node_greets_also_those_that_are_off_at_that_moment(circle: Circle) -> None:
    """They may hold what it forgot, and have no reason of their own to call."""
    host, snapshot = circle["H49"], circle["H49"].tables.snapshot(circle.now_ms)
    doc = doc_of(circle["G22"].submit("H49"))
    circle.now_ms += limits.HOUR_MS
    host.tables.restore(snapshot)
    circle.cut = {("H49", "G22")}
    host.start()
    circle.later(limits.HOUR_MS)
    assert host.state(doc, "H49") is None
    circle.cut = set()
    circle.later(limits.HOUR_MS)
    assert host.state(doc, "H49") is State.ARRIVED


def resends(host: Host) -> int:
    """How often this host has looked for everything that it exchanged with a peer."""
    return sum(note.event == "resync.for-peer" for note in host.notes)


def test_a_peer_that_says_at_every_contact_that_it_was_restored_is_believed_once_a_minute(circle: Circle) -> None:
    """Looking for everything exchanged with it is work: it may not decide how much of it there is."""
    host, liar = circle["H49"], PartyId("G22")
    for epoch in range(2, 102):
        circle.now_ms += limits.SECOND_MS
        host.hand_in(liar, wire.Batch(liar, host.code, epoch, 1, circle.book.version, ()))
    assert resends(host) == 2
    assert host.machine.outbox.queue(liar).epoch < 101


def test_two_restores_in_a_row_are_both_made_good_without_a_further_reason_to_call(circle: Circle) -> None:
    """The second one waits for its turn, and is asked for: nobody need have anything to say by then."""
    host, snapshot = circle["H49"], circle["H49"].tables.snapshot(circle.now_ms)
    doc = doc_of(circle["G22"].submit("H49"))
    for _ in range(2):
        circle.now_ms += limits.SECOND_MS
        host.tables.restore(snapshot)
        host.start()
        circle.settle()
    assert host.state(doc, "H49") is None
    circle.later(2 * limits.RESYNC_PAUSE_MS)
    assert host.state(doc, "H49") is State.ARRIVED
    assert resends(circle["G22"]) == 2


# --- any life at all ---


def step_of(circle: Circle, docs: list[DocId]) -> dict[str, Callable[[Any], object]]:
    """What may happen to a circle, by name; each takes a number that picks who, whom and which."""

    def who(pick: int) -> Host:
        return circle[CODES[pick % 3]]

    def submit(pick: int) -> None:
        others = [code for code in CODES if code != who(pick).code]
        to = others if pick % 5 == 0 else [others[pick % 2]]
        fields: dict[str, Any] = {"priority": pick % 5}
        fields |= {"inline": ()} if pick % 4 == 0 else {}
        fields |= {"expires_ms": circle.now_ms + limits.HOUR_MS} if pick % 7 == 0 else {}
        docs.append(doc_of(who(pick).submit(*to, data=bytes([pick]) * 9, **fields)))

    def act(pick: int) -> None:
        if docs:
            doc, host = docs[pick % len(docs)], who(pick)
            for record in host.tables.document(doc)[0]:
                steps = [code for code in allowed(record.standing, record.outgoing) if code not in _OF_THE_NODE]
                if steps:
                    host.act(doc, steps[pick // 3 % len(steps)], "vì", recipient=record.recipient)

    def cut(pick: int) -> None:
        circle.cut.add((CODES[pick % 3], CODES[pick // 3 % 3]))

    return {
        "submit": submit,
        "act": act,
        "cut": cut,
        "mend": lambda _: circle.cut.clear(),
        "lose": lambda pick: setattr(circle, "lose_replies", pick % 4),
        "restart": lambda pick: who(pick).start(),
        "wait": lambda pick: circle.jump((1, 30, 600, 7_200)[pick % 4] * limits.SECOND_MS),
    }


_OF_THE_NODE = frozenset({Code.HELD, Code.ARRIVED, Code.EXPIRED})
NAMES = ("submit", "submit", "act", "act", "act", "cut", "mend", "lose", "restart", "wait")


def heal(circle: Circle) -> None:
    """Faults end; the circle has a few hours."""
    circle.cut.clear()
    circle.lose_replies = 0
    for _ in range(8):
        circle.jump(limits.HOUR_MS)


def check_ends_agree(circle: Circle) -> None:
    """Every submission has an outcome that both ends know, with evidence at the sender."""
    for host in circle.hosts.values():
        for record in records(host, outgoing=True):
            there = circle[record.recipient].state(record.doc, record.recipient)
            state = record.standing.state
            assert state not in (State.SENT, State.HELD)
            assert there == state or (there is None and record.standing.progress is State.EXPIRED)
            assert record.theirs_seq or state is State.EXPIRED


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 209)), max_size=40))
def test_whatever_happens_both_ends_agree_after_the_faults_end(steps: list[tuple[str, int]]) -> None:
    """Nothing is lost, nothing happens twice, no queue stays full."""
    circle, docs = Circle(*CODES), list[DocId]()
    moves = step_of(circle, docs)
    for name, pick in steps:
        moves[name](pick)
        circle.settle()
    heal(circle)
    check_ends_agree(circle)
    assert queued(circle) == 0
    for host in circle.hosts.values():
        arrivals = [
            (line.change.doc, line.change.recipient)
            for line in host.tables.changes(0, 10_000)
            if line.change.code is Code.ARRIVED and not line.change.outgoing
        ]
        assert len(arrivals) == len(set(arrivals))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from((*NAMES, "restore")), st.integers(0, 209)), max_size=30))
def test_whatever_happens_around_a_restore_both_ends_agree_in_the_end(steps: list[tuple[str, int]]) -> None:
    """A node wakes up with yesterday's memory, in the middle of everything else."""
    circle, docs = Circle(*CODES), list[DocId]()
    moves = step_of(circle, docs)
    snapshot = circle["H49"].tables.snapshot(circle.now_ms)

    def restore(_: int) -> None:
        circle.now_ms += limits.SECOND_MS
        circle["H49"].tables.restore(snapshot)
        circle["H49"].start()

    moves["restore"] = restore
    for name, pick in steps:
        moves[name](pick)
        circle.settle()
    heal(circle)
    check_ends_agree(circle)
    assert queued(circle) == 0
