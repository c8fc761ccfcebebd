"""Reading: a run seen as documents to recipients: when each was sent, arrived and was acknowledged; in columns.

What measures share: which rows are documents (parts of shared content are not), since when a document is under way
(since its first sender submitted it), and which of them count (after a warm-up). Nothing is summed up here.
"""

from functools import cached_property
from typing import Final

import numpy as np

from docaxis_sim.capacity.hours import simulated
from docaxis_sim.capacity.model import Experiment, Scenario
from docaxis_sim.capacity.peers import held_by
from docaxis_sim.capacity.plan import (
    DAY_NS,
    HOUR_NS,
    NEVER,
    RECEIPT_FIRST,
    Bool,
    Float,
    Form,
    Int8,
    Int32,
    Int64,
    Plan,
    Run,
    arrived_ns,
    home_ns,
    status,
)
from docaxis_sim.capacity.statistics import mser_5
from docaxis_sim.capacity.topology import Topology
from docaxis_sim.capacity.visits import Visits, born_ns, visits

LATE: Final = np.iinfo(np.int64).max
"""A latency of what did not arrive, or too late: longer than any other."""


class Reading:
    """One run of one plan. Columns have a row per document to a recipient unless they say otherwise."""

    def __init__(self, plan: Plan, run: Run, scenario: Scenario, topology: Topology) -> None:
        self.plan, self.run, self.scenario, self.topology = plan, run, scenario, topology

    @cached_property
    def row(self) -> Int64:
        """The deliveries that are documents; all but parts of shared content."""
        return np.flatnonzero(self.plan.deliveries.form != Form.CHUNK)

    @cached_property
    def until_ns(self) -> int:
        """When the run ended: as the plan says, else when the last thing happened, and not before the last day did."""
        if self.plan.end_ns:
            return self.plan.end_ns
        last = max((int(left.max(initial=0)) for left in self.run.left_ns.values()), default=0)
        return max(last, self.scenario.days * DAY_NS)

    @cached_property
    def shown_ns(self) -> int:
        """Up to when series go: the whole hour after the last submission and the last arrival. Statements may go home
        days later."""
        last = max(int(self.born_ns.max(initial=0)), int(self.arrived_ns.max(initial=0)))
        return min(self.until_ns, (last // HOUR_NS + 1) * HOUR_NS)

    @cached_property
    def hours(self) -> Int64:
        """Numbers of the simulated hours, as far as the run went: what means and rates are taken over. Neither hours
        that the scenario leaves out nor days on which only statements go home thin them out."""
        hours = simulated(self.scenario)
        return hours[hours * HOUR_NS < self.until_ns]

    @cached_property
    def span_ns(self) -> int:
        """How long they are together."""
        return int(np.minimum(HOUR_NS, self.until_ns - self.hours * HOUR_NS).sum())

    def within_ns(self, moment_ns: Int64) -> Float:
        """How much of the simulated hours lies before each moment."""
        edges = np.arange(int(self.hours.max(initial=0)) + 2)
        before = np.cumsum(np.isin(edges, self.hours + 1)) * float(HOUR_NS)
        within: Float = np.interp(moment_ns, edges * float(HOUR_NS), before)
        return within

    @cached_property
    def all_born_ns(self) -> Int64:
        """Per delivery: when it was submitted or handed on."""
        return born_ns(self.plan, self.run)

    @cached_property
    def born_ns(self) -> Int64:
        """When the document was submitted or handed on; NEVER if that did not happen, or not by the end."""
        born = self.all_born_ns[self.row]
        return np.where(born > self.until_ns, NEVER, born)

    @cached_property
    def since_ns(self) -> Int64:
        """When the document's first sender submitted it: what a recipient's waiting counts from."""
        deliveries = self.plan.deliveries
        if not (deliveries.parent >= 0).any():
            return self.born_ns
        first = np.full(int(deliveries.group.max()) + 1, LATE)
        roots = self.row[deliveries.parent[self.row] < 0]
        np.minimum.at(first, deliveries.group[roots], deliveries.birth_ns[roots])
        return np.where(self.born_ns == NEVER, NEVER, first[deliveries.group[self.row]])

    @cached_property
    def arrived_ns(self) -> Int64:
        """When the recipient had all of it; NEVER where it never had."""
        arrived = arrived_ns(self.plan, self.run)
        parts = np.flatnonzero(self.plan.deliveries.form == Form.CHUNK)
        return _with_parts(arrived[self.row], self._address(self.row), arrived[parts], self._address(parts))

    def _address(self, rows: Int64) -> Int64:
        nodes = len(self.plan.stations.loop_of)
        path, hops = self.plan.deliveries.path, self.plan.deliveries.hops
        return self.plan.deliveries.group[rows].astype(np.int64) * nodes + path[hops[rows], rows]

    @cached_property
    def held_up(self) -> Bool:
        """Which documents each failure held up on their way, or a part of them: ``(failures, documents)``. The same
        rule as for stations, which are not blamed for these visits: `docaxis_sim.capacity.peers`."""
        held = np.zeros((len(self.plan.outages), len(self.plan.deliveries.hops)), np.bool_)
        for each in visits(self.plan, self.run, self.until_ns) if len(held) else ():
            if each.step < RECEIPT_FIRST:
                held[:, each.row] |= held_by(self.plan, each, self.ended_ns(each))
        return np.array([self._with_their_parts(which) for which in held], np.bool_).reshape(len(held), len(self.row))

    def ended_ns(self, each: Visits) -> Int64:
        """When visits ended; with the run, where they last. With failures, what waits for a peer is given up at its
        deadline, and waits for nobody afterwards."""
        if not self.plan.outages or each.step >= RECEIPT_FIRST:
            return np.where(each.left_ns == NEVER, self.until_ns, each.left_ns)
        due_ns = self.all_born_ns[each.row] + self.plan.deliveries.deadline_ns[each.row]
        given_up_ns = np.where(self.run.expired[each.row], np.minimum(due_ns, self.until_ns), self.until_ns)
        return np.where(each.left_ns == NEVER, np.maximum(given_up_ns, each.came_ns), each.left_ns)

    def _with_their_parts(self, which: Bool) -> Bool:
        """Of deliveries, those documents that are among them or a part of which is."""
        parts = np.flatnonzero(which & (self.plan.deliveries.form == Form.CHUNK))
        own: Bool = which[self.row]
        return own | np.isin(self._address(self.row), self._address(parts)) if len(parts) else own

    @cached_property
    def recipient(self) -> Int32:
        """The node that a document is for."""
        path, hops = self.plan.deliveries.path, self.plan.deliveries.hops
        recipient: Int32 = path[hops[self.row], self.row]
        return recipient

    @cached_property
    def sender(self) -> Int32:
        """The node that sends it, or hands it on."""
        sender: Int32 = self.plan.deliveries.path[0][self.row]
        return sender

    @cached_property
    def tier(self) -> Int8:
        """The recipient's tier."""
        tier: Int8 = self.topology.tier[self.recipient]
        return tier

    @cached_property
    def born(self) -> Bool:
        """Whether it was submitted at all."""
        born: Bool = self.born_ns != NEVER
        return born

    @cached_property
    def expired(self) -> Bool:
        """Whether its deadline passed before it had arrived."""
        late = self.arrived_ns - self.born_ns > self.plan.deliveries.deadline_ns[self.row]
        expired: Bool = self.born & (self.run.expired[self.row] | ((self.arrived_ns != NEVER) & late))
        return expired

    @cached_property
    def arrived(self) -> Bool:
        """Whether it arrived in time."""
        arrived: Bool = self.born & (self.arrived_ns != NEVER) & ~self.expired
        return arrived

    @cached_property
    def latency_ns(self) -> Int64:
        """From submission to *arrived*; `LATE` where it did not arrive in time."""
        return np.where(self.arrived, self.arrived_ns - self.since_ns, LATE)

    @cached_property
    def receipt_ns(self) -> Int64:
        """From submission until who sent it to this recipient held the receipt; `LATE` where that did not happen."""
        home = home_ns(self.plan, self.run)[self.row]
        return np.where(self.arrived & (home != NEVER), home - self.born_ns, LATE)

    @cached_property
    def status_ns(self) -> Int64:
        """Per statement: from when the recipient meant to make it until the sender held it; `LATE` where it never did.
        Statements whose recipient has nothing to state yet are not in it."""
        found = [self._statements(k) for k in range(len(self.plan.deliveries.status_delay_ns))]
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def _statements(self, k: int) -> Int64:
        left, deliveries = self.run.left_ns, self.plan.deliveries
        before = left.get(status(k - 1, 0)) if k else arrived_ns(self.plan, self.run)
        delay = deliveries.status_delay_ns[k]
        if before is None or status(k, 0) not in left:
            return np.zeros(0, np.int64)
        meant = before + delay
        due = self.row[((before != NEVER) & (delay != NEVER) & (meant <= self.until_ns))[self.row]]
        home = np.full(len(due), NEVER, np.int64)
        for hops in np.unique(deliveries.hops[due]):
            which = deliveries.hops[due] == hops
            home[which] = left[status(k, int(hops))][due[which]]
        return np.where(home == NEVER, LATE, home - meant[due])

    @cached_property
    def counted(self) -> Bool:
        """Documents that latencies are made from: submitted, and not during the warm-up."""
        return self.born & (self.since_ns >= self.warm_up_ns)

    @cached_property
    def warm_up_ns(self) -> int:
        """Moment up to which nothing counts; found by MSER-5 where the scenario asks for it."""
        experiment = self.scenario.experiment
        return _settled_ns(self) if experiment.warm_up == "mser-5" else _given_ns(experiment)


def _given_ns(experiment: Experiment) -> int:
    return 0 if experiment.warm_up == "none" else experiment.warm_up_ns


def _settled_ns(reading: Reading) -> int:
    """The submission time of the first document after the truncation; 0 where the run never settles."""
    known = np.flatnonzero(reading.arrived)
    known = known[np.argsort(reading.since_ns[known], kind="stable")]
    cut = mser_5(reading.latency_ns[known].astype(np.float64))
    return int(reading.since_ns[known[cut.cut]]) if cut.reached and cut.cut else 0


def _with_parts(own: Int64, address: Int64, parts: Int64, part_address: Int64) -> Int64:
    """When the last of a document and its parts had come; a part that never did keeps the document from arriving."""
    if not len(parts):
        return own
    order = np.argsort(address, kind="stable")
    place = order[np.minimum(np.searchsorted(address, part_address, sorter=order), len(order) - 1)]
    complete = np.where(own == NEVER, LATE, own)
    np.maximum.at(complete, place, np.where(parts == NEVER, LATE, parts))
    return np.where(complete == LATE, NEVER, complete)
