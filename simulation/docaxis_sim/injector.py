"""The injector: carries out a plan's faults, and heals everything when their time is over.

One short process per fault. It reaches into hosts, network and directory as accidents do, and decides nothing else.
"""

from collections.abc import Callable, Generator, Mapping
from functools import partial

import simpy

from docaxis_sim.authority import Authority
from docaxis_sim.ground import Ground
from docaxis_sim.host import Host
from docaxis_sim.network import Network
from docaxis_sim.plan import Fault, Kind, Plan

Steps = Generator[simpy.Event, object, None]
Undo = Callable[[], None]


class Injector:
    """All accidents of one world."""

    def __init__(self, ground: Ground, hosts: Mapping[str, Host], network: Network, authority: Authority) -> None:
        self._ground = ground
        self._hosts = hosts
        self._network = network
        self._authority = authority
        self._crash = 0
        self._crash_at = 0
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
        }

    def begin(self, plan: Plan) -> None:
        """From now on things go wrong."""
        self._network.weather = plan.weather
        self._crash, self._crash_at = plan.crash, plan.crash_at
        self._ground.strikes = self._strikes
        for fault in plan.faults:
            self._ground.env.process(self._carry_out(fault))

    def heal(self) -> None:
        """From now on nothing goes wrong, and everybody is there."""
        self._crash = 0
        self._network.heal()
        self._authority.unreachable_for.clear()
        for host in self._hosts.values():
            host.offset_ms = 0
            host.set_disk_full(False)
            for reason in list(host.absent):
                host.allow(reason)

    def _strikes(self, _party: str, _boundary: str) -> bool:
        self.boundaries += 1
        if self.boundaries == self._crash_at:
            return True
        return self._crash > 0 and self._dice.randrange(1000) < self._crash

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
        self._authority.unreachable_for[fault.party] = None

        def back() -> None:
            self._authority.unreachable_for.pop(fault.party, None)

        return back


def _less(counts: dict[tuple[str, str], int], key: tuple[str, str]) -> None:
    """One reason less; a fault that healing has ended before stays ended."""
    if counts.get(key, 0) > 1:
        counts[key] -= 1
    else:
        counts.pop(key, None)


def _drop(habits: dict[str, int], party: str) -> None:
    habits.pop(party, None)
