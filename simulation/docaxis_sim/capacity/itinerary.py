"""The steps of each kind of delivery as tables of numbers, for an engine that looks up instead of deciding.

A kind is a form and a number of hops. Nothing here knows stations, times or how tables are used; `plan` says what they
must say.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.plan import (
    DOWN,
    ENVELOPE,
    HOPS_MAX,
    NEVER,
    NODE,
    STATUS_FIRST,
    STATUSES_MAX,
    STEPS,
    SUBMIT,
    UP,
    Cost,
    Deliveries,
    Form,
    Int8,
    hop,
    last_node_step,
    receipt,
    status,
)

KINDS: Final = len(Form) * (HOPS_MAX + 1) * 2
AT_LOOP: Final = 0
AT_UP: Final = 1
AT_DOWN: Final = 2


class Itinerary(NamedTuple):
    """``(KINDS, STEPS)`` each: at which sort of `station` the step is (AT_LOOP, AT_UP, AT_DOWN), at which `place` of
    the path, cost `row` on a loop, whether bytes make it longer (`sized`: handling on a loop, writing after a down
    link), the `next` step and the `hop` whose latency lies before that, the number of the `status` that begins with it
    and the first step of that (`state`), and whether the delivery then has arrived. -1: none. `begin` ``(KINDS,)``: the
    first step."""

    station: Int8
    place: Int8
    row: Int8
    sized: Int8
    next: Int8
    hop: Int8
    status: Int8
    state: Int8
    arrives: Int8
    begin: Int8


def kinds(deliveries: Deliveries) -> Int8:
    """The kind of each delivery: row of the tables."""
    rows: Int8 = _kind(deliveries.form, deliveries.hops, deliveries.first).astype(np.int8)
    return rows


def _kind(form: Any, hops: Any, first: Any) -> Any:
    return (form * (HOPS_MAX + 1) + hops) * 2 + first


def tables() -> Itinerary:
    """The tables, filled for all kinds."""
    names = [name for name in Itinerary._fields if name != "begin"]
    columns = {name: np.full((KINDS, STEPS), 0 if name in ("sized", "arrives") else -1, np.int8) for name in names}
    made = Itinerary(**columns, begin=np.zeros(KINDS, np.int8))
    for form in Form:
        for hops in range(1, HOPS_MAX + 1):
            for first in (False, True):
                kind = _kind(form, hops, first)
                made.begin[kind] = hop(0, UP) if form == Form.CHUNK else SUBMIT
                _content(made, kind, form, hops)
                if form != Form.CHUNK:
                    made.row[kind, SUBMIT] = Cost.SUBMIT if first else Cost.SUBMIT_MORE
                    _ways_back(made, kind, hops)
    return made


def _put(
    made: Itinerary, at: tuple[int, int], station: int, place: int, row: int, following: int, latency: int
) -> None:
    made.station[at], made.place[at], made.row[at] = station, place, row
    made.next[at], made.hop[at] = following, latency


def _begin_status(made: Itinerary, at: tuple[int, int], k: int) -> None:
    if k < STATUSES_MAX:
        made.status[at], made.state[at] = k, status(k, 0)


def _content(made: Itinerary, kind: int, form: Form, hops: int) -> None:
    """Submission and hops."""
    inline, chunked = form == Form.INLINE, form == Form.CHUNKED
    enter = ENVELOPE if chunked else UP
    if form != Form.CHUNK:
        _put(made, (kind, SUBMIT), AT_LOOP, 0, Cost.SUBMIT, hop(0, enter), 0 if chunked else -1)
    for h in range(hops):
        last = h == hops - 1
        if chunked:
            _put(made, (kind, hop(h, ENVELOPE)), AT_LOOP, h + 1, Cost.ENVELOPE, hop(h, UP), h)
        _put(made, (kind, hop(h, UP)), AT_UP, h, -1, hop(h, DOWN), h)
        _put(made, (kind, hop(h, DOWN)), AT_DOWN, h + 1, -1, hop(h, NODE), -1)
        made.sized[kind, hop(h, DOWN)] = not inline
        cost = Cost.CONTENT if last else Cost.RELAY
        following = -1 if last else hop(h + 1, enter)
        _put(made, (kind, hop(h, NODE)), AT_LOOP, h + 1, cost, following, h + 1 if chunked and not last else -1)
        made.sized[kind, hop(h, NODE)] = True
    made.arrives[kind, last_node_step(hops)] = True


def _ways_back(made: Itinerary, kind: int, hops: int) -> None:
    """Receipt and statuses."""
    arrived = (kind, last_node_step(hops))
    made.next[arrived], made.hop[arrived] = receipt(0), hops - 1
    _begin_status(made, arrived, 0)
    for j in range(hops):
        following, latency = (receipt(j + 1), hops - 2 - j) if j + 1 < hops else (-1, -1)
        _put(made, (kind, receipt(j)), AT_LOOP, hops - 1 - j, Cost.RECEIPT, following, latency)
    for k in range(STATUSES_MAX):
        for j in range(hops + 1):
            following, latency = (status(k, j + 1), hops - 1 - j) if j < hops else (-1, -1)
            _put(made, (kind, status(k, j)), AT_LOOP, hops - j, Cost.STATUS if j else Cost.STATE, following, latency)
        _begin_status(made, (kind, status(k, 0)), k + 1)


def foreseen(made: Itinerary, deliveries: Deliveries) -> list[int]:
    """All steps that any delivery's form, hops and statuses foresee, in their order."""
    found = set()
    taken = kinds(deliveries)
    for kind in np.unique(taken):
        given = (deliveries.status_delay_ns[:, taken == kind] != NEVER).any(axis=1)
        beyond = status(int(given.sum()), 0) if made.begin[kind] == SUBMIT else STATUS_FIRST
        found |= {step for step in range(beyond) if made.place[kind, step] >= 0}
    return sorted(found)
