"""Laws: what must hold in every run, whatever was simulated; each a check that a mistake of an engine fails.

Two sides that were counted apart are held against each other: what an engine counted while it carried the plan (rounds,
wakings, busy time, commits, how many stood where how long) and what departures alone tell (`stays`, `lines`,
`occupancy`). No engine's code is used here, and nothing is worked out that a reader of figures would want.
"""

from typing import Final

import numpy as np

from docaxis_sim.capacity import lines
from docaxis_sim.capacity.flow import conservation
from docaxis_sim.capacity.lines import Seen
from docaxis_sim.capacity.occupancy import Occupancy, presence
from docaxis_sim.capacity.plan import NEVER, SECOND_NS, Bool, Int64, Law, Run
from docaxis_sim.capacity.reading import Reading
from docaxis_sim.capacity.stays import Stays
from docaxis_sim.capacity.study import Check
from docaxis_sim.capacity.visits import Kind

ALLOWED: Final = 0.005
"""Share by which the two sides of a law may differ that does not hold to the nanosecond."""

_WORDS: Final = {Kind.NODE: "nodes", Kind.UP: "lines up", Kind.DOWN: "lines down"}


def checks(reading: Reading, occupancy: Occupancy) -> tuple[Check, ...]:
    """All of them, for one run."""
    stays = Stays(reading.plan, reading.run, reading.until_ns)
    return (*of_documents(reading, occupancy), *of_stations(stays, reading.run))


def of_documents(reading: Reading, occupancy: Occupancy) -> tuple[Check, ...]:
    """Those that say that nothing comes from nowhere and nothing gets lost."""
    return (
        conservation(reading),
        *(_balance(occupancy, kind) for kind in Kind),
        _steps(reading, occupancy),
        _disks(reading, occupancy),
    )


def of_stations(stays: Stays, run: Run) -> tuple[Check, ...]:
    """Those that say of each station what the engine must have counted there, and when visits must have left it."""
    lanes = stays.plan.stations.up_law is Law.LANES
    # Of lanes, when a first piece went out is not in the outcome, so who came down when is not known.
    kinds = [kind for kind in Kind if not (lanes and kind is Kind.DOWN)]
    return (
        *(_little(stays, run, kind) for kind in kinds),
        _loops(stays, run),
        _wakings(stays, run),
        _up(stays),
        *(() if lanes else (_down(stays),)),
    )


def _little(stays: Stays, run: Run, kind: Kind) -> Check:
    """L = λ·W: how many the engine saw, summed up over time as they came and left, is how long visits stood there by
    their departures; at all nodes together, at each line."""
    known, found = stays.known[kind], stays.area_ns[kind]
    first = {Kind.NODE: 0, Kind.UP: 1, Kind.DOWN: 1 + stays.sizes[Kind.UP]}[kind]
    counted = run.area_ns[first : first + (1 if kind is Kind.NODE else len(known))]
    if kind is Kind.NODE:  # who is known to have been there must be in it, and nobody else but who may have been
        least, most = found[known].sum(keepdims=True), found.sum(keepdims=True)
    else:
        counted, least, most = counted[known], found[known], found[known]
    off = int(((counted - least).view(np.uint64) > (most - least).view(np.uint64)).sum())
    came, seconds = max(1, stays.came[kind]), stays.until_ns / SECOND_NS
    number, lower, upper = (float(each.sum(dtype=np.float64)) / SECOND_NS for each in (counted, least, most))
    text = f"{number / seconds:.4g} there on average"
    if lower == upper:
        text += f" = {came / seconds:.4g} per second × {upper / came:.4g} s"
    else:
        text += f", between {lower / seconds:.4g} and {upper / seconds:.4g}, without and with those whom an outage met"
    return _exact(f"Little's law: {_WORDS[kind]}", off, text, f"{known.sum():,} of {len(known):,} stations")


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


def _loops(stays: Stays, run: Run) -> Check:
    """On every loop, the time that the engine saw it busy = rounds and wakings × what each costs + the work of all that
    left; of those that had not left when the run ended, some may have been in a round."""
    stations = stays.plan.stations
    given = run.rounds * stations.round_ns + run.wakings * stations.wake_ns
    work = run.loop_busy_ns - given
    off = int(((work < stays.work_ns) | (work > stays.work_ns + stays.open_ns)).sum())
    parts = (run.rounds.sum(), run.wakings.sum(), run.loop_busy_ns.sum() / SECOND_NS, given.sum() / SECOND_NS)
    text = "{:,} rounds, {:,} of them woken for, {:,.4g} s busy, of which {:,.4g} s for rounds".format(*parts)
    return _exact("utilisation law: interpreters", off, text, f"{len(work):,} loops")


def _wakings(stays: Stays, run: Run) -> Check:
    """A loop was woken as often as its visits say: by all who came when surely nobody was there, and by nobody who came
    when somebody surely was."""
    found = stays.wakings()
    counted = run.wakings[found.loop]
    most = np.minimum(found.most, run.rounds[found.loop])
    off = int(((counted < found.least) | (counted > most)).sum()) + int((run.wakings > run.rounds).sum())
    text = f"{counted.sum():,} wakings, at least {found.least.sum():,} and at most {most.sum():,} by who came when"
    return _exact("wakings", off, text, f"{len(counted):,} of {len(run.rounds):,} loops")


def _disks(reading: Reading, occupancy: Occupancy) -> Check:
    """Commits that the engine counted = different moments at which somebody left the disk."""
    stations = reading.plan.stations
    lasting = stations.commit_ns > 0
    counted, seen = float(reading.run.commits[lasting].sum()), float(occupancy.commits[lasting].sum())
    text = f"{int(counted):,} commits counted, {int(seen):,} seen from what left"
    busy = float((reading.run.commits * stations.commit_ns)[lasting].sum())
    return _law("utilisation law: disks", counted, seen, text, _unfinished(reading, busy))


def _unfinished(reading: Reading, busy: float) -> float:
    """What a run that was stopped may have begun and not finished: one round and one commit per node, as a share."""
    if not reading.plan.end_ns or not busy:
        return 0.0
    stations = reading.plan.stations
    begun = float(reading.run.loop_busy_ns.max(initial=0)) / max(1, int(reading.run.rounds.max(initial=0)))
    return (begun + float(stations.commit_ns.max())) * len(stations.loop_of) / busy


def _up(stays: Stays) -> Check:
    """A line never does two things at once and never rests while somebody is there. First come, first served: what left
    it when, against the times worked out anew; where an outage may have kept somebody, at least no two at once. Else:
    it is busy as long as all its work together takes."""
    if stays.plan.stations.up_law is not Law.FIFO:
        return _shared(stays)
    known = stays.known[Kind.UP][stays.up.link]
    off = _differing(stays.up, stays.up_ns, known, stays.until_ns)
    off += lines.overlapping(lines.picked(stays.up, ~known))
    text = f"{stays.up.service.sum() / SECOND_NS:,.4g} s of work in {len(known):,} visits"
    return _exact("utilisation law: lines up", off, text, f"{known.sum():,} of {len(known):,} visits")


def _shared(stays: Stays) -> Check:
    known = stays.known[Kind.UP][stays.up.link]
    link, _, came, left, service, _ = lines.picked(stays.up, known)
    ended = left != NEVER
    there = presence(link, came, np.where(ended, left, stays.until_ns))
    busy, least = float(sum((ends - begins).sum() for _, begins, ends in there)), float(service[ended].sum())
    given = min(max(busy, least), float(service.sum()))
    text = f"{busy / SECOND_NS:,.4g} s busy, {least / SECOND_NS:,.4g} s of work in {len(link):,} visits"
    return _law("utilisation law: lines up", busy, given, text)


def _down(stays: Stays) -> Check:
    """What left each line down when, against the times worked out anew from who came when."""
    known = stays.known[Kind.DOWN][stays.down.link]
    off = _differing(stays.down, lines.expected_ns(stays.down), known, stays.until_ns)
    text = f"{stays.down.service.sum() / SECOND_NS:,.4g} s of work in {len(known):,} visits"
    return _exact("utilisation law: lines down", off, text, f"{known.sum():,} of {len(known):,} visits")


def _differing(visits: Seen, expected_ns: Int64, known: Bool, until_ns: int) -> int:
    """How many did not leave when they must have."""
    expected = np.where(expected_ns > until_ns, NEVER, expected_ns)
    return int((known & (visits.left != expected)).sum())


def _exact(name: str, off: int, text: str, looked_at: str) -> Check:
    return Check(name, off == 0, float(off), 0.0, f"{text}; looked at {looked_at}, {off:,} differ")


def _law(name: str, one: float, other: float, text: str, slack: float = 0.0) -> Check:
    off = abs(one - other) / max(abs(one), abs(other)) if one or other else 0.0
    return Check(name, off <= ALLOWED + slack, off, ALLOWED + slack, text)
