"""A world: some nodes with their directory, their people and their accidents, on one simulated network and clock.

It runs in two phases: first safe (faults are on, and checkers look at every commit and every word), then alive (all is
healed, and everything must come to its end within the plan's time). A breach carries the seed, the plan and the last
lines of the trace.
"""

from collections.abc import Generator
from functools import partial
from typing import Final, NamedTuple

import simpy

from docaxis.core.limits import HOUR_MS, MINUTE_MS
from docaxis_sim import checkers
from docaxis_sim.authority import Authority
from docaxis_sim.checkers import Breach
from docaxis_sim.ground import START_MS, Ground
from docaxis_sim.host import Host
from docaxis_sim.injector import Injector
from docaxis_sim.ledger import Ledger
from docaxis_sim.network import Network
from docaxis_sim.plan import Kind, Plan
from docaxis_sim.reading import Unreadable
from docaxis_sim.streams import Streams
from docaxis_sim.swarm import letters
from docaxis_sim.trace import Trace
from docaxis_sim.workload import Workload

Steps = Generator[simpy.Event, object, None]
FIRST_REFRESH_MS: Final = 500
SETTLE_STEP_MS: Final = 5 * MINUTE_MS
BAD_PEERS: Final = frozenset(
    {Kind.OUTAGE, Kind.SILENT, Kind.SLOW, Kind.DISK_FULL, Kind.BAD_CHUNKS, Kind.FORGER, Kind.BAD_MIRROR}
)
"""Faults of one party that must not be felt between the others."""
ISOLATED_MIN: Final = 40
"""Between so many transmissions of healthy parties, waits are compared: a median of few says nothing."""


class Outcome(NamedTuple):
    """What a run came to. `happened` counts events, results and codes by name."""

    seed: int
    trace: str
    lines: int
    acknowledged: int
    boundaries: int
    simulated_ms: int
    happened: dict[str, int]


class Broken(AssertionError):
    """A promise was broken in a world: what a reader needs to see why, and to see it again."""

    def __init__(self, seed: int, plan: Plan, breach: Breach, last: list[str]) -> None:
        super().__init__(f"seed {seed}: {breach}\nplan: {plan}\n" + "\n".join(last))
        self.seed = seed
        self.plan = plan
        self.breach = breach
        self.last = last


class World:
    """One world; made by a seed and a plan, run once."""

    def __init__(self, seed: int, plan: Plan, keep_trace: bool = False) -> None:
        self.seed = seed
        self.plan = plan
        self.trace = Trace(START_MS, keep_trace)
        self.ledger = Ledger()
        self.ground = Ground(Streams(seed), self.trace, self.ledger)
        self.ledger.now_ms = lambda: self.ground.now_ms
        self.ledger.revoked_parties = {f.party: None for f in plan.faults if f.kind is Kind.REVOKE}
        self.ledger.forged_parties = {f.party: None for f in plan.faults if f.kind is Kind.FORGER}
        self.ledger.heirs = {f.party: f.other for f in plan.faults if f.kind is Kind.CLOSE}
        self.network = Network(self.ground)
        self.authority = Authority(self.ground, plan.parties)
        self.ledger.published, self.ledger.really_revoked = self.authority.published, self.authority.revoked
        self.hosts = {
            party: Host(self.ground, self.network, party, seal, self.authority.book, plan.policy)
            for party, seal in self.authority.first_seals.items()
        }
        self.injector = Injector(self.ground, self.hosts, self.network, self.authority)
        self.workload = Workload(self.ground, self.hosts, self.ledger, plan.work)
        self.workload.take((*letters(self.ground.streams, plan), *plan.letters), plan.deeds)

    def run(self, heal: bool = True) -> Outcome:
        """Both phases, or the first alone; raises `Broken` where a promise is."""
        try:
            self.begin()
            self.until(self.plan.busy_ms)
            if heal:
                self.heal()
                self._compare()
            return self.outcome()
        except (Breach, Unreadable) as error:
            breach = error if isinstance(error, Breach) else Breach("readable", str(error))
            raise Broken(self.seed, self.plan, breach, self.trace.last(20)) from error

    def begin(self) -> None:
        """Nodes start, people go to work, accidents wait for their time."""
        for host in self.hosts.values():
            host.born = partial(self._born, host)
            host.start()
            self.ground.env.process(self._refresh(host))
        self.workload.begin()
        self.injector.begin(self.plan)

    def _born(self, host: Host) -> None:
        self.ground.env.process(self._refresh_soon(host))

    def until(self, at_ms: int) -> None:
        """Lets time pass until so many ms after the world's start."""
        self.ground.env.run(until=START_MS + at_ms)
        self._look_inside()

    def heal(self) -> None:
        """Everything is repaired; then all must come to its end, and every promise is checked."""
        self.workload.close()
        if self._has_only_poison():
            for fault, doc in self.injector.cured:
                span = (START_MS + fault.at_ms, START_MS + fault.until_ms)
                checkers.one_bad_item(self.ledger, fault.other, fault.party, doc, *span)
        if self._has_only_no_publisher():
            checkers.goes_on(self.ledger, self.ground.now_ms)
        self.injector.heal()
        for host in self.hosts.values():
            host.renew(self.authority.ask(host.party))
        healed_ms = self.ground.now_ms
        self._settle(self.ground.now_ms + self.plan.heal_ms_max)
        checkers.no_loss(self.ledger)
        checkers.alive(self.ledger, healed_ms)
        checkers.unbroken(self.ledger)
        checkers.receipts_are_true(self.ledger, lambda party, digest: self.hosts[party].chunk(digest))
        checkers.nothing_queued(self._queued())

    def _has_only_poison(self) -> bool:
        """Whether nothing else could keep a document from arriving while one item cannot be read."""
        return self._is_calm() and all(fault.kind is Kind.POISON for fault in self.plan.faults)

    def _has_only_no_publisher(self) -> bool:
        """Whether nothing is wrong but that the directory is some days old, and nobody renews it."""
        ages = [fault.amount + fault.until_ms for fault in self.plan.faults]
        only = self._is_calm() and ages and all(fault.kind is Kind.NO_PUBLISHER for fault in self.plan.faults)
        return bool(only) and max(ages) < checkers.STALE_MS and self.plan.work.expires_ms_min >= HOUR_MS

    def _is_calm(self) -> bool:
        """Whether no message is lost and nobody crashes by chance."""
        plan = self.plan
        return not (plan.weather.lose_request or plan.weather.lose_answer or plan.crash or plan.crash_at)

    def _compare(self) -> None:
        """Where nothing but some peers is bad, what the others wait beside what they wait in a world without faults."""
        healthy = self._healthy()
        orders = [order for order in self.workload.orders if order.sender in healthy]
        if sum(recipient in healthy for order in orders for recipient in order.to) >= ISOLATED_MIN:
            usual = World(self.seed, self.plan._replace(faults=()))
            usual.begin()
            usual.until(self.plan.busy_ms)
            usual.heal()
            checkers.isolated(usual.waits(), self.waits(), healthy)

    def _healthy(self) -> frozenset[str]:
        """The parties that bad peers must not harm; none where something else might be what they wait for."""
        bad = {fault.party for fault in self.plan.faults if fault.kind in BAD_PEERS}
        only = self._is_calm() and bad and all(fault.kind in BAD_PEERS for fault in self.plan.faults)
        patient = self.plan.work.expires_ms_min >= HOUR_MS
        return frozenset(self.plan.parties) - bad if only and patient else frozenset()

    def outcome(self) -> Outcome:
        """What the run came to."""
        return Outcome(
            self.seed,
            self.trace.digest(),
            self.trace.count,
            len(self.ledger.acks),
            self.injector.boundaries,
            self.ground.now_ms - START_MS,
            dict(sorted(self.ledger.happened.items())),
        )

    def waits(self) -> dict[checkers.Transmission, int]:
        """How long, in ms, each transmission took from the clerk's request to the receipt at the sender."""
        return {
            (order.number, order.sender, recipient): arrived_ms - self.workload.asked_ms[order.number]
            for order in self.workload.orders
            for recipient in order.to
            if order.doc is not None and (arrived_ms := self.ledger.arrivals.get((order.doc, recipient))) is not None
        }

    def _settle(self, latest_ms: int) -> None:
        """Until nothing is open, or the time is over; an open deadline may always be waited for."""
        while self.ground.now_ms < latest_ms:
            self.ground.env.run(until=self.ground.now_ms + SETTLE_STEP_MS)
            self._look_inside()
            if not checkers.unsettled(self.ledger) and not any(self._queued().values()):
                return

    def _queued(self) -> dict[str, int]:
        return {party: host.tables.totals().queued for party, host in self.hosts.items()}

    def _look_inside(self) -> None:
        for party, host in self.hosts.items():
            if host.life is not None:
                checkers.bounded(party, host.life.sizes())

    def _refresh(self, host: Host) -> Steps:
        """Each node asks for the directory by itself, at its own moments."""
        chance = self.ground.streams(f"refresh {host.party}")
        while True:
            yield self.ground.env.timeout(chance.randint(1, self.plan.refresh_ms))
            self._ask_authority(host)

    def _refresh_soon(self, host: Host) -> Steps:
        """A node that starts asks at once, before it trusts what it has from an earlier life."""
        yield self.ground.env.timeout(FIRST_REFRESH_MS)
        self._ask_authority(host)

    def _ask_authority(self, host: Host) -> None:
        unreachable = self.authority.unreachable_for
        if host.life is not None and "" not in unreachable and host.party not in unreachable:
            host.renew(self.authority.ask(host.party))
