"""Peers: which visits came late because a failure lay between two nodes, and not because a station was busy.

Judged from departures and the failures' times alone. Nothing here knows how a node tries again.
"""

from typing import Final

import numpy as np

from docaxis.core import limits
from docaxis_sim.capacity.plan import (
    HOPS_MAX,
    MILLISECOND_NS,
    NEVER,
    NODE,
    RECEIPT_FIRST,
    SECOND_NS,
    STATUS_FIRST,
    Bool,
    Form,
    Int8,
    Int32,
    Int64,
    Outage,
    Plan,
    hop,
    receipt,
    status,
)
from docaxis_sim.capacity.visits import Kind, Visits

PATIENCE_NS: Final = 3 * limits.RETRY_DELAY_LONG_OUTAGE_MS_MAX // 2 * MILLISECOND_NS
"""How long after a failure's end a peer may still be taken for unreachable by those who wait for it: the longest delay
between two attempts (`docaxis.core.schedule`)."""

NOTICED_NS: Final = SECOND_NS
"""What waits less than this did not wait for a peer: the first attempt to reach it takes longer to fail."""


def held_by(plan: Plan, each: Visits, end_ns: Int64) -> Bool:
    """Which visits of a step each failure held up, ``(failures, visits)``: between two nodes that it separated, at a
    time when it can have been the reason, and for longer than a station explains. `end_ns`: when each visit ended, was
    given up, or the run ended. Nobody waits for a peer at a line down: what comes there has left its peer."""
    held = np.zeros((len(plan.outages), len(each.row)), np.bool_)
    stay_ns = end_ns - each.came_ns
    long = np.flatnonzero(stay_ns >= NOTICED_NS)
    if not plan.outages or not len(long) or each.kind is Kind.DOWN:
        return held
    source, target = _ends(plan, each.step, each.row[long])
    came_ns, end_ns, lasts = each.came_ns[long], end_ns[long], each.left_ns[long] == NEVER
    patience_ns = _patience_ns(plan, each, each.row[long])
    for outage, which in zip(plan.outages, held, strict=True):
        at_the_time = (came_ns < outage.until_ns + patience_ns) & (end_ns > outage.from_ns)
        # What came during the failure and has not left may not have been served for a moment.
        served_ns = np.where(lasts & (came_ns < outage.until_ns), 0, each.least_ns[long])
        noticed = end_ns - came_ns - served_ns >= NOTICED_NS
        which[long] = at_the_time & noticed & _separated(outage, source, target)
    return held


def _patience_ns(plan: Plan, each: Visits, row: Int64) -> Int64:
    """How long after a failure visits may still come for which a peer cannot be reached. Content is pulled by who has
    just been told of it, and so has been reached: once the failure is over, it waits for the line alone."""
    pulled = plan.deliveries.form[row] != Form.INLINE
    return np.where(pulled & (each.kind is Kind.UP), 0, PATIENCE_NS)


def _ends(plan: Plan, step: int, row: Int64) -> tuple[Int32, Int32]:
    """The two nodes that a step needs; one and the same for what happens at one node."""
    path, hops = plan.deliveries.path, plan.deliveries.hops[row]
    for h in range(HOPS_MAX):
        if hop(h, 0) <= step < hop(h, NODE):
            return path[h, row], path[h + 1, row]
        if step == hop(h, NODE):
            return path[h + 1, row], path[h + 1, row]
        if step == receipt(h):
            return path[hops - h, row], path[hops - 1 - h, row]
    if step < RECEIPT_FIRST:
        return path[0, row], path[0, row]
    return _ends_of_status(path, hops, step, row)


def _ends_of_status(path: Int32, hops: Int8, step: int, row: Int64) -> tuple[Int32, Int32]:
    j = (step - STATUS_FIRST) % (status(1, 0) - status(0, 0))
    return path[hops - max(0, j - 1), row], path[hops - j, row]


def _separated(outage: Outage, source: Int32, target: Int32) -> Bool:
    a, b = np.isin(source, outage.inside), np.isin(target, outage.inside)
    separated: Bool = (a | b) if outage.dark else (a != b)
    return separated
