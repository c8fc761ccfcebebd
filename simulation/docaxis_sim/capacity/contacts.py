"""Contacts: what serving content and opening connections cost a node's loop, on top of what each visit costs there.

Known before a run, because it follows from who has to do with whom and when; how long a visit then takes is the
engines' matter. The constants come from the calibration.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.plan import NODE, SECOND_NS, SUBMIT, Bool, Deliveries, Float, Form, Int32, Int64, hop

IDLE_NS: Final = 300 * SECOND_NS
"""How long a connection that nobody uses is kept open."""
CALLS_BACK: Final = 2
"""Connections that a recipient opens to pull content that was announced to it."""


def extra_ns(deliveries: Deliveries, costs: Costs, speed: Float) -> dict[int, Int64]:
    """For `docaxis_sim.capacity.plan.Deliveries.extra_ns`: per step, what each delivery costs there on top.

    The first delivery over a hop, and any that finds its connection closed again, pays for a new one on both sides;
    pulled content is served by the loop of who has it. `speed` of each node divides its costs. A child counts from its
    document's birth, since nobody knows yet when its parent will arrive.
    """
    if not (costs.serve_ns or costs.serve_ns_per_kib or costs.connect_ns or costs.accept_ns):
        return {}
    found: dict[int, Int64] = {}
    when = _when(deliveries)
    for h in range(int(deliveries.hops.max(initial=0))):
        there = np.flatnonzero(deliveries.hops > h)
        caller, called = deliveries.path[h, there], deliveries.path[h + 1, there]
        is_new = first_contacts(caller, called, when[there])
        before, after = SUBMIT if h == 0 else hop(h - 1, NODE), hop(h, NODE)
        for step, node, cost in (
            (before, caller, _sending(deliveries, costs, there, is_new)),
            (after, called, _receiving(deliveries, costs, there, is_new)),
        ):
            column = found.setdefault(step, np.zeros(len(when), np.int64))
            column[there] += np.floor(cost / speed[node] + 0.5).astype(np.int64)
    return found


def _sending(deliveries: Deliveries, costs: Costs, there: NDArray[np.intp], is_new: Bool) -> Int64:
    is_pulled = deliveries.form[there] == Form.CHUNKED
    served = costs.serve_ns + (deliveries.bytes[there] * costs.serve_ns_per_kib >> 10)
    opened = costs.connect_ns + np.where(is_pulled, CALLS_BACK * costs.accept_ns, 0)
    return np.where(is_pulled, served, 0) + np.where(is_new, opened, 0)


def _receiving(deliveries: Deliveries, costs: Costs, there: NDArray[np.intp], is_new: Bool) -> Int64:
    """Who gets a part of shared content has asked for it itself."""
    form = deliveries.form[there]
    calls = np.choose(form, (0, CALLS_BACK, 1)) * costs.connect_ns
    return np.where(is_new, calls + np.where(form == Form.CHUNK, 0, costs.accept_ns), 0)


def _when(deliveries: Deliveries) -> Int64:
    """Births, a child's on top of its parent's; parents stand before their children."""
    when, parent = deliveries.birth_ns.copy(), deliveries.parent
    above = parent
    while (above >= 0).any():
        is_below = above >= 0
        when[is_below] += deliveries.birth_ns[above[is_below]]
        above = np.where(is_below, parent[above], np.int32(-1))
    return when


def first_contacts(caller: Int32, called: Int32, when_ns: Int64) -> Bool:
    """Whether each finds no open connection: the first of its pair, or more than `IDLE_NS` after the one before."""
    pair = caller.astype(np.int64) * (int(called.max(initial=0)) + 1) + called
    order = np.lexsort((when_ns, pair))
    is_new = np.ones(len(pair), np.bool_)
    same = np.diff(pair[order]) == 0
    is_new[order[1:]] = ~same | (np.diff(when_ns[order]) > IDLE_NS)
    return is_new
