"""The injector: carries out a plan's faults, and heals everything when their time is over.

One short process per fault. It reaches into hosts, network and directory as accidents do, and decides nothing else.
"""

from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import TypeVar

import simpy

from docaxis.core.ids import DocId, PartyId
from docaxis.seal.paper import PaperSeal
from docaxis_sim.authority import Authority
from docaxis_sim.forger import Forger
from docaxis_sim.ground import Ground
from docaxis_sim.host import Host
from docaxis_sim.mirror import Mirror
from docaxis_sim.network import Network
from docaxis_sim.plan import Fault, Kind, Plan

Steps = Generator[simpy.Event, object, None]
Undo = Callable[[], None]
Key = TypeVar("Key")
Habit = TypeVar("Habit")


class Injector:
    """All accidents of one world. `struck` are the boundaries at which there was a crash, `cured` the poisonings that
    are over, each with the document that was the poison."""

    def __init__(self, ground: Ground, hosts: Mapping[str, Host], network: Network, authority: Authority) -> None:
        self._ground = ground
        self._hosts = hosts
        self._network = network
        self._authority = authority
        self._crash = 0
        self._crash_at: frozenset[int] = frozenset()
        self.struck: list[int] = []
        self.cured: list[tuple[Fault, DocId | None]] = []
        self._dice = ground.streams("crash")
        self.boundaries = 0
        self._begin: dict[Kind, Callable[[Fault], Undo]] = {
            Kind.OUTAGE: self._outage,
            Kind.CUT: self._cut,
            Kind.SILENT: partial(self._habit, network.silent),
            Kind.SLOW: partial(self._habit, network.slow),
            Kind.BAD_CHUNKS: partial(self._habit, network.spoilt),
            Kind.DISK_FULL: self._disk_full,
            Kind.CLOCK: self._clock,
            Kind.RESTORE: self._restore,
            Kind.ROTATE: self._rotate,
            Kind.REVOKE: self._revoke,
            Kind.CLOSE: self._close,
            Kind.NO_PUBLISHER: self._no_publisher,
            Kind.DIRECTORY_SKEW: self._directory_skew,
            Kind.POISON: self._poison,
            Kind.FORGER: self._forger,
            Kind.BAD_MIRROR: self._bad_mirror,
        }

    def begin(self, plan: Plan) -> None:
        """From now on things go wrong."""
        self._network.weather = plan.weather
        self._crash, self._crash_at = plan.crash, frozenset(plan.crash_at)
        self._ground.strikes = self._strikes
        for fault in plan.faults:
            self._ground.env.process(self._carry_out(fault))

    def heal(self) -> None:
        """From now on nothing goes wrong, and everybody is there."""
        self._crash = 0
        self._network.heal()
        self._authority.unreachable_for.clear()
        self._authority.mirrors.clear()
        for host in self._hosts.values():
            host.offset_ms = 0
            host.poisoned.clear()
            host.set_disk_full(False)
            for reason in list(host.absent):
                host.allow(reason)

    def _strikes(self, _party: str, _boundary: str) -> bool:
        self.boundaries += 1
        struck = self._crash > 0 and self._dice.randrange(1000) < self._crash
        if struck or self.boundaries in self._crash_at:
            self.struck.append(self.boundaries)
            return True
        return False

    def _carry_out(self, fault: Fault) -> Steps:
        yield self._ground.env.timeout(fault.at_ms)
        self._ground.note(fault.party, "fault", f"{fault.kind.value} {fault.other} {fault.amount} begins")
        undo = self._begin[fault.kind](fault)
        yield self._ground.env.timeout(fault.until_ms - fault.at_ms)
        self._ground.note(fault.party, "fault", f"{fault.kind.value} ends")
        undo()

    # --- one method per kind: begins the fault, and gives back what ends it ---

    def _outage(self, fault: Fault) -> Undo:
        host = self._hosts[fault.party]
        host.keep_down("outage")
        return lambda: host.allow("outage")

    def _cut(self, fault: Fault) -> Undo:
        direction = fault.party, fault.other
        self._network.cuts[direction] = self._network.cuts.get(direction, 0) + 1
        return lambda: _less(self._network.cuts, direction)

    @staticmethod
    def _habit(habits: dict[str, int], fault: Fault) -> Undo:
        habits[fault.party] = max(fault.amount, habits.get(fault.party, 1))
        return lambda: _drop(habits, fault.party)

    def _disk_full(self, fault: Fault) -> Undo:
        host = self._hosts[fault.party]
        host.set_disk_full(True)
        return lambda: host.set_disk_full(False)

    def _clock(self, fault: Fault) -> Undo:
        host = self._hosts[fault.party]
        host.offset_ms = fault.amount
        self._ground.watch.passed("clock jumped")

        def right() -> None:
            host.offset_ms = 0

        return right

    def _restore(self, fault: Fault) -> Undo:
        host = self._hosts[fault.party]
        kept = host.backup()
        return lambda: host.restore(kept)

    def _rotate(self, fault: Fault) -> Undo:
        seal = self._authority.publish_key(fault.party)
        return lambda: self._hosts[fault.party].use_seal(seal)

    def _revoke(self, fault: Fault) -> Undo:
        host = self._hosts[fault.party]
        self._authority.revoke(host.party, host.seal.key_id)
        return lambda: host.use_seal(self._authority.publish_key(fault.party))

    def _close(self, fault: Fault) -> Undo:
        self._authority.close(fault.party, fault.other)
        return lambda: None

    def _no_publisher(self, fault: Fault) -> Undo:
        unreachable = self._authority.unreachable_for
        unreachable[fault.party] = unreachable.get(fault.party, 0) + 1
        for host in self._hosts.values() if fault.amount else ():
            if fault.party in (host.party, ""):
                host.subscriber.take(self._authority.issue(), host.now_ms())
                host.set_book(self._authority.book(host.now_ms() - fault.amount))
        return lambda: _less(unreachable, fault.party)

    def _directory_skew(self, fault: Fault) -> Undo:
        unreachable = self._authority.unreachable_for
        unreachable[fault.party] = unreachable.get(fault.party, 0) + 1
        seal = self._authority.publish_key(fault.other)
        self._ground.env.process(self._use_later(fault.other, seal, (fault.until_ms - fault.at_ms) // 4))
        return lambda: _less(unreachable, fault.party)

    def _use_later(self, party: str, seal: PaperSeal, after_ms: int) -> Steps:
        yield self._ground.env.timeout(after_ms)
        self._hosts[party].use_seal(seal)

    def _third(self, fault: Fault) -> str:
        """Somebody whom the fault does not name, or else whom it strikes."""
        return next((party for party in self._hosts if party not in (fault.party, fault.other)), fault.party)

    def _forger(self, fault: Fault) -> Undo:
        host = self._hosts[fault.party]
        forger = Forger(self._ground, self._network, fault, self._third(fault), lambda: host.seal)
        self._ground.env.process(forger.run())
        return forger.stop

    def _bad_mirror(self, fault: Fault) -> Undo:
        """Its first lie is an old directory: there is a newer one, and the node has it."""
        authority, victim = self._authority, self._third(fault)
        authority.sign_anew(victim)
        if not any(party in authority.unreachable_for for party in ("", fault.party)):
            self._hosts[fault.party].renew(authority.ask(fault.party))
        authority.mirrors[fault.party] = Mirror(self._ground, authority, fault.other, victim)
        return lambda: _drop(authority.mirrors, fault.party)

    def _poison(self, fault: Fault) -> Undo:
        poisoned = self._hosts[fault.party].poisoned
        poisoned.setdefault(PartyId(fault.other), None)

        def cure() -> None:
            self.cured.append((fault, poisoned.pop(PartyId(fault.other), None)))

        return cure


def _less(counts: dict[Key, int], key: Key) -> None:
    """One reason less; a fault that healing has ended before stays ended."""
    if counts.get(key, 0) > 1:
        counts[key] -= 1
    else:
        counts.pop(key, None)


def _drop(habits: dict[str, Habit], party: str) -> None:
    habits.pop(party, None)
