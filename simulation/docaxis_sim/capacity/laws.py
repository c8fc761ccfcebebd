"""Laws: what must hold in every run, whatever was simulated, checked from departures alone and in its own words.

No document is lost; what a station was busy is what it was given to do (utilisation law); how many stand
somewhere is how often they come times how long they stay (Little's law). No engine's code is used here.
"""

from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity.flow import conservation
from docaxis_sim.capacity.occupancy import Occupancy, parts, presence
from docaxis_sim.capacity.plan import HOPS_MAX, NEVER, SECOND_NS, STEP_BITS, UP, Int64, Law, hop
from docaxis_sim.capacity.reading import Reading
from docaxis_sim.capacity.study import Check
from docaxis_sim.capacity.visits import Kind, Visits, visits

ALLOWED: Final = 0.005
"""Share by which the two sides of a law may differ."""

_WORDS: Final = {Kind.NODE: "nodes", Kind.UP: "lines up", Kind.DOWN: "lines down"}


def checks(reading: Reading, occupancy: Occupancy) -> tuple[Check, ...]:
    """All of them, for one run."""
    return (
        conservation(reading),
        *(_little(occupancy, kind) for kind in Kind),
        *(_balance(occupancy, kind) for kind in Kind),
        _steps(reading, occupancy),
        _loops(reading, occupancy),
        _disks(reading, occupancy),
        *_links(reading),
    )


def _little(occupancy: Occupancy, kind: Kind) -> Check:
    """L = λ·W: the mean number there, from arrivals and departures counted apart, against rate × mean stay."""
    flow = occupancy.flows[kind]
    seconds = occupancy.until_ns / SECOND_NS
    number = (flow.left_sum_ns - flow.came_sum_ns) / SECOND_NS / seconds
    rate = flow.came / seconds
    stay = flow.sojourn_sum_ns / SECOND_NS / max(1, flow.came)
    text = f"{number:.4g} there on average = {rate:.4g} per second × {stay:.4g} s"
    return _law(f"Little's law: {_WORDS[kind]}", number, rate * stay, text)


def _balance(occupancy: Occupancy, kind: Kind) -> Check:
    """Nobody leaves without having come, and nobody sooner than the work takes."""
    flow = occupancy.flows[kind]
    off = max(0, flow.left - flow.came) + flow.too_short
    text = f"{flow.came:,} visits came, {flow.left:,} left, {flow.too_short:,} of them too soon"
    return Check(f"flow balance: {_WORDS[kind]}", off == 0, float(off), 0.0, text)


def _steps(reading: Reading, occupancy: Occupancy) -> Check:
    """Every departure is the end of a visit that the steps before it explain."""
    left = sum(int((times != NEVER).sum()) for times in reading.run.left_ns.values())
    seen = sum(flow.left for flow in occupancy.flows.values())
    text = f"{left:,} departures, {seen:,} of them explained by what came before"
    return Check("flow balance: steps", left == seen, float(abs(left - seen)), 0.0, text)


def _loops(reading: Reading, occupancy: Occupancy) -> Check:
    """Busy time that the engine saw = rounds × what a round costs + the work of all that left, and on each loop
    nothing else but whole wakings, at most one per round."""
    run, stations = reading.run, reading.plan.stations
    given = run.rounds * stations.round_ns + occupancy.work_ns
    wakings = np.clip(np.rint((run.loop_busy_ns - given) / np.maximum(1, stations.wake_ns)), 0, run.rounds)
    off = float(np.abs(run.loop_busy_ns - given - wakings * stations.wake_ns).sum())
    busy = float(run.loop_busy_ns.sum())
    text = f"{int(run.rounds.sum()):,} rounds, {busy / SECOND_NS:,.4g} s busy, {given.sum() / SECOND_NS:,.4g} s of work"
    return _law("utilisation law: interpreters", busy, busy - off, text, _unfinished(reading, busy))


def _disks(reading: Reading, occupancy: Occupancy) -> Check:
    """Commits that the engine counted = different moments at which somebody left the disk."""
    stations = reading.plan.stations
    alone = (stations.servers[_loop_of_disk(reading)] == 1) & (stations.commit_ns > 0)
    counted, seen = float(reading.run.commits[alone].sum()), float(occupancy.commits[alone].sum())
    text = f"{int(counted):,} commits counted, {int(seen):,} seen from what left"
    busy = float((reading.run.commits * stations.commit_ns)[alone].sum())
    return _law("utilisation law: disks", counted, seen, text, _unfinished(reading, busy))


def _loop_of_disk(reading: Reading) -> Int64:
    stations = reading.plan.stations
    loop = np.zeros(len(stations.commit_ns), np.int64)
    loop[stations.disk_of] = stations.loop_of
    return loop


def _unfinished(reading: Reading, busy: float) -> float:
    """What a run that was stopped may have begun and not finished: one round and one commit per node, as a share."""
    if not reading.plan.end_ns or not busy:
        return 0.0
    stations = reading.plan.stations
    begun = float(reading.run.loop_busy_ns.max(initial=0)) / max(1, int(reading.run.rounds.max(initial=0)))
    return (begun + float(stations.commit_ns.max())) * len(stations.loop_of) / busy


class _Ended(NamedTuple):
    """Visits to lines that ended: which line, which delivery's token, and their times."""

    link: Int64
    token: Int64
    came: Int64
    left: Int64
    service: Int64
    least: Int64


def _links(reading: Reading) -> tuple[Check, ...]:
    found: dict[Kind, list[_Ended]] = {Kind.UP: [], Kind.DOWN: []}
    for each in visits(reading.plan, reading.run, reading.until_ns):
        if each.kind in found:
            found[each.kind].append(_ended(each))
        if each.step > hop(HOPS_MAX - 1, UP):
            break
    up = _up(reading, _joined(found.pop(Kind.UP)))
    if reading.plan.stations.up_law is Law.LANES:
        return (up,)  # when a first piece went out is not in the outcome, so who came down when is not known exactly
    return up, _down(_joined(found.pop(Kind.DOWN)))


def _ended(each: Visits) -> _Ended:
    done = np.flatnonzero(each.left_ns != NEVER)
    token = each.row[done] << STEP_BITS | each.step
    times = (each.came_ns[done], each.left_ns[done], each.service_ns[done], each.least_ns[done])
    return _Ended(each.station[done].astype(np.int64), token, *times)


def _joined(some: list[_Ended]) -> _Ended:
    if len(some) == 1:
        return some[0]
    none = np.zeros(0, np.int64)
    return _Ended(*(np.concatenate([none, *columns]) for columns in (zip(*some, strict=True) if some else [()] * 6)))


def _up(reading: Reading, seen: _Ended) -> Check:
    """A line never does two things at once and never rests while somebody is there: it is busy as long as all its work
    together. First come, first served: no two times of service overlap; else: somebody is there just so long."""
    given = float(seen.service.sum())
    if reading.plan.stations.up_law is Law.FIFO:
        busy = given - _overlap_ns(seen)
    else:
        busy = float(sum((ends - begins).sum() for _, begins, ends in presence(seen.link, seen.came, seen.left)))
    text = f"{busy / SECOND_NS:,.4g} s busy, {given / SECOND_NS:,.4g} s of work in {len(seen.link):,} visits"
    return _law("utilisation law: lines up", busy, given, text)


def _overlap_ns(seen: _Ended) -> float:
    order = np.lexsort((seen.left, seen.link))
    link, left, start = seen.link[order], seen.left[order], (seen.left - seen.service)[order]
    over = np.maximum(0, left[:-1] - start[1:])[link[1:] == link[:-1]]
    return float(over.sum())


def _down(seen: _Ended) -> Check:
    """What left each line down, against the times worked out anew from who came when, line by line."""
    order = np.lexsort((seen.token, seen.came, seen.link))
    came, left, service, least = (each[order] for each in (seen.came, seen.left, seen.service, seen.least))
    expected = np.empty(len(order), np.int64)
    for part in parts(seen.link[order]):
        done = np.cumsum(service[part])
        free = done + np.maximum.accumulate(came[part] - done + service[part])
        expected[part] = np.maximum(free, came[part] + least[part])
    busy, given = float((left - came).sum()), float((expected - came).sum())
    off = int((left != expected).sum())
    text = f"{busy / SECOND_NS:,.4g} s there, {given / SECOND_NS:,.4g} s worked out; {off:,} of {len(order):,} differ"
    return _law("utilisation law: lines down", busy, given, text)


def _law(name: str, one: float, other: float, text: str, slack: float = 0.0) -> Check:
    off = abs(one - other) / max(abs(one), abs(other)) if one or other else 0.0
    return Check(name, off <= ALLOWED + slack, off, ALLOWED + slack, text)
