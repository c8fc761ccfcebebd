"""Contacts: what serving content and opening connections cost a node's loop, on top of what each visit costs there.

Known before a run, because it follows from who has to do with whom and when; how long a visit then takes is the
engines' matter. The constants come from the calibration.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.plan import NEVER, NODE, SECOND_NS, SUBMIT, Bool, Deliveries, Float, Form, Int8, Int64, hop

IDLE_NS: Final = 300 * SECOND_NS
"""How long a connection that nobody uses is kept open."""
_KINDS: Final = (
    ((Form.INLINE, Form.CHUNKED), False, False),
    ((Form.CHUNKED, Form.CHUNK), True, True),
    ((Form.CHUNKED,), True, False),
)
"""Which forms need such a call, whether it is made back by who gets the document, and whether it is for the bytes."""


class _Calls(NamedTuple):
    """Requests that need a connection, a row each: of which delivery and which hop; `back`: 1 if made by who gets the
    document to who has it; `pool`: a number for who calls whom over which kind of connection; when."""

    delivery: Int64
    hop: Int8
    back: Int8
    pool: Int64
    when_ns: Int64


def extra_ns(
    deliveries: Deliveries, costs: Costs, speed: Float, met: Collection[tuple[int, int, bool]] = ()
) -> dict[int, Int64]:
    """For `docaxis_sim.capacity.plan.Deliveries.extra_ns`: per step, what each delivery costs there on top.

    An envelope is handed over one connection; pulled content takes two more of the recipient's own, one for the bytes
    and one on which it says that they are there. Whichever is used for the first time, or was idle too long, has to
    be opened, which costs both sides; pulled content is served by the loop of who has it. `speed` of each node divides
    its costs. `met`: caller, called and whether for bytes, of the connections that are open when the first delivery is
    born. A child counts from its document's birth, since nobody knows yet when its parent will arrive.
    """
    if not (costs.serve_ns or costs.serve_ns_per_kib or costs.connect_ns or costs.accept_ns):
        return {}
    calls = _calls(deliveries, len(speed), met)
    is_new = first_contacts(calls.pool, calls.when_ns)
    delivery, hop_of, way_of = calls.delivery[is_new], calls.hop[is_new], calls.back[is_new]
    del calls, is_new
    found: dict[int, Int64] = {}
    for h in range(int(deliveries.hops.max(initial=0))):
        there, count = np.flatnonzero(deliveries.hops > h), len(deliveries.hops)
        out, back = (np.bincount(delivery[(hop_of == h) & (way_of == way)], minlength=count)[there] for way in (0, 1))
        having = _serving(deliveries, costs, there) + out * costs.connect_ns + back * costs.accept_ns
        getting = out * costs.accept_ns + back * costs.connect_ns
        before, after = SUBMIT if h == 0 else hop(h - 1, NODE), hop(h, NODE)
        for step, node, ns in ((before, deliveries.path[h], having), (after, deliveries.path[h + 1], getting)):
            column = found.setdefault(step, np.zeros(count, np.int64))
            column[there] += np.floor(ns / speed[node[there]] + 0.5).astype(np.int64)
    return found


def _serving(deliveries: Deliveries, costs: Costs, there: Int64) -> Int64:
    served = costs.serve_ns + (deliveries.bytes[there] * costs.serve_ns_per_kib >> 10)
    return np.where(deliveries.form[there] == Form.CHUNKED, served, 0)


def _calls(deliveries: Deliveries, nodes: int, met: Collection[tuple[int, int, bool]]) -> _Calls:
    """All requests; those of `met` stand first, at the first birth, and belong to no delivery."""
    when_ns = _when(deliveries)
    caller, called, is_bulk = np.array(list(met), np.int64).reshape(-1, 3).T
    known = _pool(caller, called, is_bulk, nodes)
    nobody, begin_ns = np.full(len(known), NEVER, np.int64), int(when_ns.min(initial=0))
    none = nobody.astype(np.int8)
    parts = [_Calls(nobody, none, none, known, np.full(len(known), begin_ns, np.int64))]
    for h in range(int(deliveries.hops.max(initial=0))):
        for forms, back, for_bytes in _KINDS:
            rows = np.flatnonzero((deliveries.hops > h) & np.isin(deliveries.form, forms))
            having, getting = deliveries.path[h : h + 2, rows].astype(np.int64)
            caller, called = (getting, having) if back else (having, getting)
            pool = _pool(caller, called, for_bytes, nodes)
            hops, ways = np.full(len(rows), h, np.int8), np.full(len(rows), back, np.int8)
            parts.append(_Calls(rows, hops, ways, pool, when_ns[rows]))
    return _Calls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _pool(caller: Int64, called: Int64, is_bulk: Int64 | bool, nodes: int) -> Int64:
    return (caller * nodes + called) * 2 + is_bulk


def _when(deliveries: Deliveries) -> Int64:
    """Births, a child's on top of its parent's; parents stand before their children."""
    when, parent = deliveries.birth_ns.copy(), deliveries.parent
    above = parent
    while (above >= 0).any():
        is_below = above >= 0
        when[is_below] += deliveries.birth_ns[above[is_below]]
        above = np.where(is_below, parent[above], np.int32(-1))
    return when


def first_contacts(pool: Int64, when_ns: Int64) -> Bool:
    """Whether each finds no open connection: the first of its pool, or more than `IDLE_NS` after the one before."""
    order = np.lexsort((when_ns, pool))
    is_new = np.ones(len(pool), np.bool_)
    same = np.diff(pool[order]) == 0
    is_new[order[1:]] = ~same | (np.diff(when_ns[order]) > IDLE_NS)
    return is_new
