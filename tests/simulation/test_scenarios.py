"""Named misfortunes, each with the behaviour that is promised for it."""

from collections.abc import Callable

import pytest

from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.limits import DAY_MS, HOUR_MS, MINUTE_MS, RETRY_DELAY_LONG_OUTAGE_MS_MAX, SECOND_MS
from docaxis.core.record import WAITS_DIRECTORY, Record
from docaxis_sim import checkers
from docaxis_sim.ground import START_MS
from docaxis_sim.plan import Fault, Kind, Plan, Weather, Work
from docaxis_sim.workload import Order
from docaxis_sim.world import World

MakeWorld = Callable[..., World]

DEADLINE_MS = 20 * MINUTE_MS
SHORT = Work(0, office_ms=0, recall=0, renew=0, expires_ms_min=DEADLINE_MS, expires_ms_max=DEADLINE_MS)


def record(world: World, party: str, order: Order, recipient: str) -> Record:
    """What a party has made durable about a document at one recipient."""
    assert order.doc is not None
    return world.ledger.shelf(party).records[DocId(order.doc), PartyId(recipient)]


def state(world: World, party: str, order: Order, recipient: str) -> State:
    """The state that people at `party` see."""
    return record(world, party, order, recipient).standing.state


def arrived_ms(world: World, order: Order, recipient: str) -> int:
    """When the sender held the receipt, after the world's start."""
    assert order.doc is not None
    return world.ledger.arrivals[order.doc, recipient] - START_MS


def live(world: World, busy_ms: int | None = None) -> None:
    """Both phases, up to the end."""
    world.begin()
    world.until(world.plan.busy_ms if busy_ms is None else busy_ms)
    world.heal()


@pytest.mark.usefixtures("hourly_scans")
def test_a_receiver_that_is_off_for_thirty_days_gets_its_letter_when_it_is_back(quiet_world: MakeWorld) -> None:
    """Patience by policy: retry is bounded by the document's own deadline, never by a count; others do not wait."""
    world = quiet_world(Fault(Kind.OUTAGE, 0, 30 * DAY_MS, "H49"), busy_ms=30 * DAY_MS + 20 * MINUTE_MS)
    order = world.workload.order(MINUTE_MS, "G22", "H49", "H26", content="chunked")
    world.begin()
    world.until(29 * DAY_MS)
    assert state(world, "G22", order, "H49") is State.SENT
    assert arrived_ms(world, order, "H26") < MINUTE_MS + 5 * SECOND_MS
    world.until(world.plan.busy_ms)
    assert (
        30 * DAY_MS < arrived_ms(world, order, "H49") < 30 * DAY_MS + 1.5 * RETRY_DELAY_LONG_OUTAGE_MS_MAX + MINUTE_MS
    )
    world.heal()


@pytest.mark.parametrize("amount", [-HOUR_MS, HOUR_MS])
@pytest.mark.parametrize("party", ["G22", "H49"])
def test_a_clock_an_hour_wrong_delays_nothing_and_ends_nothing(quiet_world: MakeWorld, party: str, amount: int) -> None:
    """Times are claims: no envelope is refused for its age, and deadlines are days away."""
    world = quiet_world(Fault(Kind.CLOCK, 0, 50 * MINUTE_MS, party, amount=amount))
    orders = [world.workload.order(MINUTE_MS * n, "G22", "H49", content="chunked") for n in range(1, 40, 8)]
    orders += [world.workload.order(MINUTE_MS * n, "H49", "G22", content="inline") for n in range(1, 40, 8)]
    live(world)
    for order in orders:
        (recipient,) = order.to
        assert arrived_ms(world, order, recipient) < order.at_ms + 5 * SECOND_MS
        assert state(world, order.sender, order, recipient) is State.ARRIVED


def test_a_full_disk_is_said_and_loses_nothing(quiet_world: MakeWorld) -> None:
    """At a limit the node says so and keeps what it has; whoever was refused may come again."""
    world = quiet_world(Fault(Kind.DISK_FULL, 10 * MINUTE_MS, 40 * MINUTE_MS, "H49"))
    before = world.workload.order(MINUTE_MS, "G22", "H49")
    into = world.workload.order(20 * MINUTE_MS, "G22", "H49", content="chunked")
    out = world.workload.order(20 * MINUTE_MS, "H49", "G22")
    world.begin()
    world.until(39 * MINUTE_MS)
    assert not out.is_answered()
    assert state(world, "G22", into, "H49") is State.SENT
    assert state(world, "H49", before, "H49") is State.ARRIVED
    world.until(world.plan.busy_ms)
    assert arrived_ms(world, out, "G22") < 43 * MINUTE_MS
    assert arrived_ms(world, into, "H49") < 50 * MINUTE_MS
    world.heal()


def test_slow_peers_and_peers_without_disk_harm_only_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest stay within twice their usual waits, though documents go to the bad ones too; dead and silent ones have
    a scenario of their own. Where anything else goes wrong, nothing is compared."""
    compared: list[frozenset[str]] = []
    monkeypatch.setattr(checkers, "isolated", _told(checkers.isolated, compared))
    parties = ("G22", "G14", "G09", "H26", "H49", "H29")
    work = Work(documents=40, recipients_max=5, recall=0, renew=0, office_ms=0, expires_ms_min=2 * DAY_MS)
    work = work._replace(expires_ms_max=3 * DAY_MS)
    slow = Fault(Kind.SLOW, 0, 20 * MINUTE_MS, "H49", amount=20 * SECOND_MS)
    full = Fault(Kind.DISK_FULL, 0, 20 * MINUTE_MS, "H29")
    plan = Plan(parties, 20 * MINUTE_MS, work=work, faults=(slow, full))
    World(5, plan).run()
    assert compared == [frozenset({"G22", "G14", "G09", "H26"})]
    World(5, plan._replace(crash_at=(7,))).run()
    assert len(compared) == 1


def _told(checker: Callable[..., None], healthy: list[frozenset[str]]) -> Callable[..., None]:
    def told(alone: object, beside: object, parties: frozenset[str]) -> None:
        healthy.append(parties)
        checker(alone, beside, parties)

    return told


@pytest.mark.usefixtures("hourly_scans")
def test_delivery_goes_on_for_days_without_the_directorys_publisher(quiet_world: MakeWorld) -> None:
    """The directory survives its publisher: a week without it is a warning, not an outage."""
    world = quiet_world(Fault(Kind.NO_PUBLISHER, 0, 8 * DAY_MS), busy_ms=8 * DAY_MS)
    orders = [world.workload.order(day * DAY_MS, "G22", "H49", "H26", content="chunked") for day in (2, 6, 7)]
    live(world)
    for order in orders:
        assert arrived_ms(world, order, "H49") < order.at_ms + 5 * SECOND_MS


@pytest.mark.usefixtures("hourly_scans")
def test_after_a_month_without_the_publisher_documents_wait_and_then_go(quiet_world: MakeWorld) -> None:
    """A directory that old may be a lie: documents are held, not lost, until it is fresh again."""
    world = quiet_world(Fault(Kind.NO_PUBLISHER, 0, 32 * DAY_MS), busy_ms=32 * DAY_MS)
    order = world.workload.order(31 * DAY_MS, "G22", "H49", content="chunked")
    world.begin()
    world.until(32 * DAY_MS)
    assert state(world, "G22", order, "H49") is State.SENT
    assert "H49" not in {party for party, shelf in world.ledger.shelves.items() if order.doc in shelf.objects}
    world.heal()
    assert state(world, "G22", order, "H49") is State.ARRIVED


@pytest.mark.usefixtures("hourly_scans")
def test_a_receiver_with_a_directory_a_month_old_keeps_documents_in_quarantine(quiet_world: MakeWorld) -> None:
    """It cannot know whether the sender's key still counts: it says *held*, and *arrived* once it knows."""
    world = quiet_world(Fault(Kind.NO_PUBLISHER, 0, 32 * DAY_MS, "H49"), busy_ms=32 * DAY_MS)
    order = world.workload.order(31 * DAY_MS, "G22", "H49", content="inline")
    world.begin()
    world.until(32 * DAY_MS)
    assert state(world, "G22", order, "H49") is State.HELD
    assert record(world, "H49", order, "H49").waits == WAITS_DIRECTORY
    world.heal()
    assert state(world, "G22", order, "H49") is State.ARRIVED


def test_replayed_and_reordered_batches_change_nothing(quiet_world: MakeWorld) -> None:
    """Every request comes twice more, once at once and once up to an hour late: late statements move nothing back."""
    weather = Weather(duplicate=1000, replay=1000, latency_ms_max=10_000)
    world = quiet_world(busy_ms=3 * HOUR_MS, weather=weather)
    order = world.workload.order(MINUTE_MS, "G22", "H49", "H26", content="inline")
    for minute, code in ((5, Code.RECEIVED), (6, Code.PROCESSING), (7, Code.COMPLETED)):
        world.workload.state(minute * MINUTE_MS, "H49", order, code)
    live(world)
    assert state(world, "G22", order, "H49") is State.COMPLETED
    shelf = world.ledger.shelf("G22")
    assert [said.code for said in shelf.statements(DocId(order.doc or b""), "H49")] == ["01", "03", "05", "06"]


@pytest.mark.parametrize("party", ["G22", "H49"])
def test_a_node_restored_from_an_old_backup_gets_back_what_its_peers_hold(quiet_world: MakeWorld, party: str) -> None:
    """A new epoch tells peers that the node has forgotten; they bring back envelopes and statements of both sides."""
    world = quiet_world(Fault(Kind.RESTORE, 10 * MINUTE_MS, 40 * MINUTE_MS, party))
    orders = [
        world.workload.order(minute * MINUTE_MS, "G22", "H49", "H26", content="inline") for minute in range(1, 39, 6)
    ]
    for order in orders:
        world.workload.state(order.at_ms + MINUTE_MS, "H49", order, Code.RECEIVED)
        world.workload.state(order.at_ms + 2 * MINUTE_MS, "H49", order, Code.COMPLETED)
    live(world)
    for order in orders:
        assert state(world, "G22", order, "H49") is State.COMPLETED
        assert state(world, "H49", order, "H49") is State.COMPLETED
        assert state(world, "G22", order, "H26") is State.ARRIVED


def test_a_restored_node_does_not_wait_for_content_that_it_had_given_back(quiet_world: MakeWorld) -> None:
    """Its own word comes back from the sender, who serves a recovered document to nobody: there is nothing to pull."""
    world = quiet_world(Fault(Kind.RESTORE, 10 * SECOND_MS, 40 * MINUTE_MS, "H49"))
    order = world.workload.order(MINUTE_MS, "G22", "H49", content="chunked")
    world.workload.state(5 * MINUTE_MS, "G22", order, Code.RECALL)
    world.workload.state(10 * MINUTE_MS, "H49", order, Code.AGREE)
    live(world)
    for party in ("G22", "H49"):
        assert state(world, party, order, "H49") is State.RECOVERED
    assert record(world, "H49", order, "H49").waits == ""
    assert record(world, "H49", order, "H49").due_ms == 0


def test_what_waited_while_a_backup_was_made_is_not_forgotten_with_it(quiet_world: MakeWorld) -> None:
    """Written before the backup, delivered after it: the peer must give it back though it is older than the backup."""
    faults = (
        Fault(Kind.CUT, 0, 5 * HOUR_MS, "G22", "H49"),
        Fault(Kind.RESTORE, 4 * HOUR_MS, 6 * HOUR_MS, "H49"),
    )
    world = quiet_world(*faults, busy_ms=7 * HOUR_MS)
    order = world.workload.order(MINUTE_MS, "G22", "H49")
    live(world)
    assert state(world, "H49", order, "H49") is State.ARRIVED


def test_a_document_that_arrived_in_time_comes_back_after_its_deadline(quiet_world: MakeWorld) -> None:
    """A restored receiver that refused it as expired would lose the content it had signed for."""
    world = quiet_world(Fault(Kind.RESTORE, 0, 40 * MINUTE_MS, "H49"), work=SHORT)
    whole = world.workload.order(MINUTE_MS, "G22", "H49", content="chunked")
    short = world.workload.order(MINUTE_MS, "G22", "H49", content="inline")
    live(world)
    assert state(world, "H49", whole, "H49") is State.ARRIVED
    assert state(world, "H49", short, "H49") is State.ARRIVED


@pytest.mark.parametrize(("answer", "end"), [(Code.AGREE, State.RECOVERED), (Code.DECLINE, State.COMPLETED)])
def test_a_recall_that_crosses_the_end_of_the_work_is_answered(
    quiet_world: MakeWorld, answer: Code, end: State
) -> None:
    """Both sides speak before they hear each other; both then know the same."""
    world = quiet_world(
        Fault(Kind.CUT, 2 * MINUTE_MS, 20 * MINUTE_MS, "G22", "H49"),
        Fault(Kind.CUT, 2 * MINUTE_MS, 20 * MINUTE_MS, "H49", "G22"),
    )
    order = world.workload.order(MINUTE_MS, "G22", "H49", content="chunked")
    world.workload.state(3 * MINUTE_MS, "H49", order, Code.COMPLETED)
    world.workload.state(3 * MINUTE_MS, "G22", order, Code.RECALL)
    world.workload.state(45 * MINUTE_MS, "H49", order, answer)
    live(world)
    assert state(world, "G22", order, "H49") is end
    assert state(world, "H49", order, "H49") is end


def test_a_recall_may_overtake_its_document(quiet_world: MakeWorld) -> None:
    """Recalled while its recipient was off: nothing is lost, and the recipient can agree when both have come."""
    world = quiet_world(Fault(Kind.OUTAGE, 0, 30 * MINUTE_MS, "H49"))
    order = world.workload.order(MINUTE_MS, "G22", "H49", content="chunked")
    world.workload.state(2 * MINUTE_MS, "G22", order, Code.RECALL)
    world.workload.state(50 * MINUTE_MS, "H49", order, Code.AGREE)
    live(world)
    assert state(world, "G22", order, "H49") is State.RECOVERED


def test_a_document_that_cannot_be_delivered_expires_with_evidence(quiet_world: MakeWorld) -> None:
    """Silence is never an outcome: at its own deadline the sender's node says so, and both sides agree afterwards."""
    world = quiet_world(Fault(Kind.OUTAGE, 0, 50 * MINUTE_MS, "H49"), work=SHORT)
    order = world.workload.order(MINUTE_MS, "G22", "H49", "H26")
    live(world)
    assert state(world, "G22", order, "H49") is State.EXPIRED
    assert state(world, "G22", order, "H26") is State.ARRIVED


def test_content_that_is_spoilt_is_pulled_again(quiet_world: MakeWorld) -> None:
    """A chunk that does not match its digest is not kept, and the document has not arrived."""
    world = quiet_world(Fault(Kind.BAD_CHUNKS, 0, 20 * MINUTE_MS, "G22"))
    order = world.workload.order(MINUTE_MS, "G22", "H49", content="chunked")
    world.begin()
    world.until(19 * MINUTE_MS)
    assert state(world, "G22", order, "H49") is State.HELD
    world.until(world.plan.busy_ms)
    assert state(world, "G22", order, "H49") is State.ARRIVED
    world.heal()


def test_a_new_key_interrupts_nothing(quiet_world: MakeWorld) -> None:
    """Published first, used later; what the old key signed stays good."""
    world = quiet_world(Fault(Kind.ROTATE, 5 * MINUTE_MS, 30 * MINUTE_MS, "H49"), busy_ms=2 * HOUR_MS)
    orders = [world.workload.order(minute * MINUTE_MS, "H49", "G22") for minute in (1, 29, 31, 60)]
    orders += [world.workload.order(minute * MINUTE_MS, "G22", "H49") for minute in (1, 29, 31, 60)]
    live(world)
    for order in orders:
        assert state(world, order.sender, order, order.to[0]) is State.ARRIVED


def test_what_a_revoked_key_signs_has_no_effect(quiet_world: MakeWorld) -> None:
    """Honoured as soon as it is heard; with its next key the party is welcome again."""
    world = quiet_world(Fault(Kind.REVOKE, 5 * MINUTE_MS, 3 * HOUR_MS, "H49"), busy_ms=5 * HOUR_MS)
    before = world.workload.order(MINUTE_MS, "H49", "G22")
    stolen = world.workload.order(2 * HOUR_MS, "H49", "G22")
    after = world.workload.order(4 * HOUR_MS + 30 * MINUTE_MS, "H49", "G22")
    world.begin()
    world.until(5 * HOUR_MS)
    assert state(world, "H49", before, "G22") is State.ARRIVED
    assert state(world, "H49", stolen, "G22") is State.SENT
    assert stolen.doc not in world.ledger.shelf("G22").objects
    assert state(world, "H49", after, "G22") is State.ARRIVED


def test_mail_for_a_closed_code_reaches_its_successor(quiet_world: MakeWorld) -> None:
    """Sent before the code was closed and never delivered, or written to the old code afterwards: both arrive."""
    faults = (
        Fault(Kind.OUTAGE, 0, 90 * MINUTE_MS, "H49"),
        Fault(Kind.CLOSE, 20 * MINUTE_MS, 20 * MINUTE_MS, "H49", "H26"),
    )
    world = quiet_world(*faults, busy_ms=2 * HOUR_MS)
    before = world.workload.order(MINUTE_MS, "G22", "H49", content="chunked")
    after = world.workload.order(100 * MINUTE_MS, "G22", "H49")
    live(world)
    assert state(world, "G22", before, "H49") is State.ARRIVED
    assert state(world, "H26", before, "H49") is State.ARRIVED
    assert state(world, "G22", after, "H26") is State.ARRIVED
