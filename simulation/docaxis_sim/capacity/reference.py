"""Reference: the engine under SimPy that can carry every plan, and whose outcome is what the others are held to.

Puts the parts together and reads the outcome: `calendar` is time, `steps` what follows what, `rounds` and `links` the
stations, `courier` what an outage does. No law is written here.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from docaxis_sim.capacity.calendar import Calendar, Handler, collector_at_rest
from docaxis_sim.capacity.columns import columns
from docaxis_sim.capacity.courier import Courier
from docaxis_sim.capacity.plan import (
    DOWN,
    NEVER,
    NODE,
    STEP_BITS,
    SUBMIT,
    UP,
    Bool,
    Form,
    Int64,
    Law,
    Plan,
    Run,
    arrived_ns,
    hop,
)
from docaxis_sim.capacity.rounds import FOREVER, Rounds
from docaxis_sim.capacity.steps import Steps
from docaxis_sim.capacity.uplinks import Uplinks

Progress = Callable[[int, int], None]
"""Told the simulated time in ns, and how many deliveries have arrived."""

_EVENTS_BETWEEN_WORDS: Final = 200_000
_ALL_BITS: Final = 2**64 - 1


class Reference:
    """One plan about to be carried. SimPy processes may be added to `calendar` before `run`; they find the stations in
    `rounds`, and in `columns` what has left which step."""

    def __init__(self, plan: Plan) -> None:
        self.plan: Final = plan
        stations = plan.stations
        shared = 0 if stations.up_law == Law.FIFO else len(stations.up_ns_per_kib)
        self.calendar: Final = Calendar(len(stations.round_ns) + shared, len(plan.deliveries.hops) << STEP_BITS)
        alone, until_ns = not plan.outages and not shared, plan.end_ns or FOREVER
        self.rounds: Final = Rounds(stations, self.calendar, shared, alone and not plan.end_ns, until_ns)
        self.columns: Final = columns(plan, self.rounds.nodes)
        self._alone: Final = alone
        self._courier: Final = Courier(plan, self.calendar, self.rounds, self.columns) if len(plan.outages) else None
        watch = self._courier.watch if self._courier else None
        Steps(self.calendar, self.rounds, self.columns, until_ns, watch, direct=alone).install()
        self.calendar.on_station = self.rounds.end_of_round
        if shared:
            uplinks = Uplinks(stations, self.calendar, self.rounds, self.columns, until_ns)
            uplinks.install(plan.deliveries.priority.tobytes())
            self.calendar.on_station = _either(self.rounds.end_of_round, uplinks.happen, -shared)
        if self._courier is not None:
            self._courier.install()

    def run(self, progress: Progress | None = None) -> Run:
        """Carries the plan to its end; `progress` is called every fraction of a second."""
        self.calendar.feed(*self._births())
        if progress is not None:
            self.calendar.after_events(_EVENTS_BETWEEN_WORDS, lambda: progress(*self._so_far()))
        with collector_at_rest():
            self.calendar.run(until=self.plan.end_ns + 1 if self.plan.end_ns else None)
        self.rounds.close()
        for column in self.columns.left_ns.values() if self.plan.end_ns else ():
            column[column > self.plan.end_ns] = NEVER
        run = self._outcome()
        return run._replace(expired=run.expired | _expired(self.plan, run))

    def _births(self) -> tuple[Int64, Int64]:
        """When deliveries without a parent begin, and the numbers of the events with which they do. Parts whose links
        cost nothing pass these at once, and begin at their node."""
        deliveries, stations = self.plan.deliveries, self.plan.stations
        roots = np.flatnonzero(deliveries.parent < 0)
        times_ns, is_part = deliveries.birth_ns[roots], deliveries.form[roots] == Form.CHUNK
        step, parts = np.where(is_part, hop(0, UP), SUBMIT), roots[is_part]
        if not len(parts) or not self._alone or not self._are_free(parts):
            return times_ns, roots << STEP_BITS | step
        node, left_ns = deliveries.path[1, parts], self.columns.left_ns
        there_ns = times_ns[is_part] + deliveries.latency_ns[0, parts]
        left_ns[hop(0, UP)][parts], left_ns[hop(0, DOWN)][parts] = times_ns[is_part], there_ns
        times_ns[is_part] = (
            there_ns + stations.blob_ns[node] + (deliveries.bytes[parts] * stations.blob_ns_per_kib[node] >> 10)
        )
        numbers = roots << STEP_BITS | np.where(is_part, hop(0, NODE), SUBMIT)
        order = np.lexsort((numbers, times_ns))
        return times_ns[order], numbers[order]

    def _are_free(self, deliveries: Int64) -> bool:
        """Whether these deliveries' first links cost nothing."""
        path, stations = self.plan.deliveries.path, self.plan.stations
        up, down = stations.up_of[path[0, deliveries]], stations.down_of[path[1, deliveries]]
        return not (stations.up_ns_per_kib[up].any() or stations.down_ns_per_kib[down].any())

    def _so_far(self) -> tuple[int, int]:
        arrived = arrived_ns(self.plan, self._outcome())
        return self.calendar.reached_ns, int(
            np.count_nonzero((arrived != NEVER) & (arrived <= self.calendar.reached_ns))
        )

    def _outcome(self) -> Run:
        rounds, deliveries = self.rounds, len(self.plan.deliveries.hops)
        return Run(
            engine="reference",
            left_ns=self.columns.left_ns,
            rounds=np.array([loop.rounds for loop in rounds.loops], np.int64),
            loop_busy_ns=np.array([loop.busy_ns for loop in rounds.loops], np.int64),
            commits=np.array([disk.commits for disk in rounds.disks], np.int64),
            tries=self._courier.tries if self._courier else np.zeros(deliveries, np.int32),
            expired=self._courier.expired if self._courier else np.zeros(deliveries, np.bool_),
            events=self.calendar.events,
            wakings=np.array([loop.wakings for loop in rounds.loops], np.int64),
            area_ns=_wrapped([rounds.area_ns] + [link.area_ns for link in self.columns.links]),
        )


def _wrapped(values: list[int]) -> Int64:
    """Modulo 2**64."""
    return np.array([value & _ALL_BITS for value in values], np.uint64).view(np.int64)


def _either(before: Handler, after: Handler, border: int) -> Handler:
    """Handles numbers below `border` in one way, the others in another."""

    def handle(time_ns: int, number: int) -> None:
        (before if number < border else after)(time_ns, number)

    return handle


def _expired(plan: Plan, run: Run) -> Bool:
    """Arrived too late, or not at all though it was due by the end; children of what never arrived were never born."""
    deliveries, arrived = plan.deliveries, arrived_ns(plan, run)
    child = deliveries.parent >= 0
    parent_arrived = arrived[deliveries.parent]
    born = ~child | (parent_arrived != NEVER)
    due_ns = deliveries.birth_ns + np.where(child, parent_arrived, 0) + deliveries.deadline_ns
    expired: Bool = born & np.where(arrived != NEVER, arrived > due_ns, due_ns <= plan.end_ns)
    return expired


def carry(plan: Plan, progress: Progress | None = None) -> Run:
    """Carries a plan with the reference engine.

    Raises `docaxis_sim.capacity.plan.CannotCarry` for stations that are no plan's."""
    return Reference(plan).run(progress)
