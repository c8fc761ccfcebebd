"""Measure: the loads that calibrate a node, carried by real nodes, and the rows and samples that come of them.

Three set-ups, each in two processes: a pair of nodes, one node with eight others, and one with twenty-four strangers.
Loads differ in how many documents come together, so that what a round costs and what a thing costs can be told apart.
None of them is a workload that the simulator is validated on. What is made of the figures is `tools.calibration.fit`'s
and `tools.calibration.costing`'s.
"""

import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tools.calibration.fit import Row
from tools.calibration.load import SECOND_NS, Birth, Load, bursts, new_calls
from tools.calibration.measured_host import Used
from tools.calibration.plant import Outcome, Plant
from tools.calibration.yardstick import STANDARD_NS

PAIR: Final = (0, 1)
STAR: Final = (0, *[1] * 8)
STRANGERS: Final = (0, *[1] * 24)
WARM: Final = "warm"
ALONE: Final = "alone"
PULLED: Final = "pulled, 100 KiB"
TO_STRANGERS: Final = "to strangers"
FROM_STRANGERS: Final = "from strangers"
FIRST: Final = "first"
SECOND: Final = "second"
WORDS: Final = ("03", "04", "05", "06")
"""What people at a recipient state, one after the other: received, assigned, processing, completed."""
_ONE: Final = ((0, (1,)),)
_ALL: Final = ((0, tuple(range(1, 9))),)
_BACK: Final = tuple((node, (0,)) for node in range(1, 9))


class Taken(NamedTuple):
    """All that was measured: rows for the fit; latencies until home and commits of documents that were alone, and what
    both processes used meanwhile; every commit of all loads; blob writes as (bytes, ns); what a document with one
    recipient left in the database of either side, bytes; what other processes used of the machine meanwhile; what the
    yardstick's work took in each load and process, ns."""

    rows: tuple[Row, ...]
    alone_home_ns: tuple[int, ...]
    alone_commit_ns: tuple[int, ...]
    alone_used: tuple[Used, ...]
    alone_documents: int
    commit_ns: tuple[int, ...]
    blobs: tuple[tuple[int, int], ...]
    stored_bytes: tuple[float, float]
    documents: int
    others_cores: float
    yardsticks_ns: tuple[float, ...]


def quietest(passes: Sequence[Taken]) -> Taken:
    """Of each load the pass in which it used least, for whatever else the machine does can only add; everything else
    of the pass whose documents alone were home soonest. Rows are of a processor as fast as these usually were."""
    yardsticks_ns = tuple(ns for taken in passes for ns in taken.yardsticks_ns)
    usual = statistics.median(yardsticks_ns) / STANDARD_NS
    best = min(passes, key=lambda taken: statistics.median(taken.alone_home_ns))
    rows: dict[str, Row] = {}
    for row in (row for taken in passes for row in taken.rows):
        if row.name not in rows or row.cpu_ns < rows[row.name].cpu_ns:
            rows[row.name] = row
    return best._replace(
        rows=tuple(row._replace(cpu_ns=int(row.cpu_ns * usual)) for row in rows.values()),
        documents=sum(taken.documents for taken in passes),
        yardsticks_ns=yardsticks_ns,
    )


async def measure(folder: Path, effort: float) -> Taken:
    """One pass; `effort` 1 is the ordinary number of documents. Raises `OurFault` where a node does not start."""
    with tempfile.TemporaryDirectory(prefix="docaxis-calibrate-", dir=folder) as inside:
        async with Plant(Path(inside) / "pair", PAIR) as plant:
            pair = await _pair(plant, effort)
        async with Plant(Path(inside) / "star", STAR) as plant:
            star = await _carry(plant, _star_loads(effort))
        async with Plant(Path(inside) / "strangers", STRANGERS) as plant:
            strangers = await _carry(plant, _strangers_loads())
    everything = [*pair.outcomes, *star, *strangers]
    rows = [
        row for of, each in ((PAIR, pair.outcomes), (STAR, star), (STRANGERS, strangers)) for row in _rows(each, of)
    ]
    commits = tuple(ns for each in everything for ns in each.commit_ns)
    return Taken(
        (*rows, *pair.rows),
        tuple(ns for each in pair.alone for ns in each.latencies_ns()[1]),
        tuple(ns for each in pair.alone for ns in each.commit_ns),
        tuple(used for each in pair.alone for used in each.used),
        sum(len(each.load.births) for each in pair.alone),
        commits,
        pair.blobs,
        pair.stored_bytes,
        sum(len(each.load.births) for each in everything),
        statistics.mean(each.others_cores for each in everything),
        tuple(used.yardstick_ns for each in everything for used in each.used),
    )


class _Pair(NamedTuple):
    outcomes: list[Outcome]
    alone: list[Outcome]
    rows: tuple[Row, ...]
    blobs: tuple[tuple[int, int], ...]
    stored_bytes: tuple[float, float]


async def _pair(plant: Plant, effort: float) -> _Pair:
    await plant.carry(_load(WARM, ((0, (1,)), (1, (0,))), 100, 1, 0.01, max(0.3, effort)))
    outcomes = await _carry(plant, _pair_loads(effort))
    before = await plant.ask("stored")
    many = _load("stored", _ONE, 10, 32, 0.05, effort)
    outcomes.append(await plant.carry(many))
    after = await plant.ask("stored")
    grown = [
        (later["bytes"][str(node)] - sooner["bytes"][str(node)]) / len(many.births) - many.births[0].bytes
        for node, sooner, later in zip((0, 1), before, after, strict=True)
    ]
    rows = [await _handed_in(plant, each) for each in _frozen_loads(effort)]
    rows += [row for together in (False, True) for row in await _words(plant, effort, together)]
    blobs = [(size, ns) for size in (65_536, 262_144, 1_048_576) for ns in await plant.blobs(size, int(24 * effort))]
    alone = [each for each in outcomes if each.load.name == ALONE]
    return _Pair(outcomes, alone, tuple(rows), tuple(blobs), (grown[0], grown[1]))


async def _carry(plant: Plant, loads: Sequence[Load]) -> list[Outcome]:
    carried = [await plant.carry(load) for load in loads]
    return [each for each in carried if each.load.name != WARM]


async def _handed_in(plant: Plant, load: Load) -> Row:
    used = await plant.hand_in_only(load, frozen=1)
    recipients = sum(len(birth.to) for birth in load.births)
    did = {"submit": len(load.births), "recipient": recipients, "request_out": used.counts["requests"]}
    return Row(f"{load.name} sender", standard_ns(used), {**did, "round": used.counts["handled"], "wake": used.waits})


async def _words(plant: Plant, effort: float, together: bool) -> list[Row]:
    """What people's words cost: at the recipient, who states them, and at the sender, who hears of them."""
    await plant.carry(_load("words", _ONE, 10, 2, 0.02, effort))
    words, used = await plant.act(1, WORDS, together)
    requests = [each.counts["requests"] for each in used]
    at_sender, at_recipient = (
        {"round": each.counts["handled"], "wake": each.waits, "request_out": out, "request_in": requests[1 - number]}
        for number, (each, out) in enumerate(zip(used, requests, strict=True))
    )
    how = "together" if together else "one by one"
    return [
        Row(f"words {how} sender", standard_ns(used[0]), {**at_sender, "status": words}),
        Row(f"words {how} recipient", standard_ns(used[1]), {**at_recipient, "state": words}),
    ]


def _rows(outcomes: Sequence[Outcome], of: Sequence[int]) -> list[Row]:
    return [row for each in outcomes for row in rows_of(each, of)]


def rows_of(outcome: Outcome, of: Sequence[int]) -> list[Row]:
    """One row per process: what it used, and what its nodes did, known from the load and from counters."""
    requests = [used.counts["requests"] for used in outcome.used]
    rows = []
    for process, used in enumerate(outcome.used):
        did = {"round": float(used.counts["handled"]), "wake": float(used.waits)}
        did |= {"request_out": requests[process], "request_in": sum(requests) - requests[process]}
        did |= _things(outcome, of, process)
        rows.append(Row(f"{outcome.load.name} {process}", standard_ns(used), did))
    return rows


def standard_ns(used: Used) -> int:
    """What a process would have used on a processor on which the yardstick's work takes `STANDARD_NS`."""
    return int(used.cpu_ns * STANDARD_NS / used.yardstick_ns)


def _things(outcome: Outcome, of: Sequence[int], process: int) -> dict[str, float]:
    births = outcome.load.births
    calls = [call for calls in new_calls(births, outcome.met) for call in calls]
    sent = [birth for birth in births if of[birth.sender] == process]
    came = [birth for birth in births for to in birth.to if of[to] == process]
    return {
        "submit": len(sent),
        "recipient": sum(len(birth.to) for birth in sent),
        "receipt": sum(len(birth.to) for birth in sent),
        "serve": sum(len(birth.to) for birth in sent if not birth.inline),
        "serve_kib": sum(len(birth.to) * birth.bytes / 1024 for birth in sent if not birth.inline),
        "content": len(came),
        "content_kib": sum(birth.bytes / 1024 for birth in came),
        "pull": sum(not birth.inline for birth in came),
        "connect": sum(of[call.caller] == process for call in calls),
        "accept": sum(of[call.called] == process for call in calls),
    }


def _load(
    name: str, pairs: Sequence[tuple[int, tuple[int, ...]]], count: int, of: int, pause_s: float, effort: float,
    size: int = 2048, inline: bool = True,
) -> Load:  # fmt: skip
    return bursts(name, pairs, max(2, int(count * effort)), of, pause_s, size=size, inline=inline)


def _steady(name: str, per_s: int, seconds: float) -> Load:
    """From the eight in turn, evenly spread: their rounds follow each other more and more closely."""
    count = max(8, int(per_s * seconds))
    births = (Birth(number * SECOND_NS // per_s, 1 + number % 8, (0,), 2048, True) for number in range(count))
    return Load(name, count / per_s, tuple(births))


def _pair_loads(effort: float) -> list[Load]:
    together = ((1, 150, 0.02), (2, 60, 0.02), (4, 50, 0.025), (8, 40, 0.03), (16, 30, 0.05), (32, 20, 0.08))
    return [
        *(_load(ALONE if of == 1 else f"{of} together", _ONE, n, of, pause, effort) for of, n, pause in together),
        _load("32 KiB", _ONE, 50, 1, 0.02, effort, 32_768),
        _load("8 of 32 KiB", _ONE, 15, 8, 0.06, effort, 32_768),
        _load(PULLED, _ONE, 50, 1, 0.03, effort, 102_400, False),
        _load("pulled, 500 KiB", _ONE, 40, 1, 0.03, effort, 512_000, False),
        _load("pulled, 1 MB", _ONE, 30, 1, 0.04, effort, 1_000_000, False),
        _load("8 pulled, 64 KiB", _ONE, 15, 8, 0.1, effort, 65_536, False),
    ]


def _frozen_loads(effort: float) -> list[Load]:
    return [
        _load(f"handed in, {of} together", _ONE, n, of, 0.02, effort)
        for of, n in ((1, 60), (4, 40), (16, 30), (32, 20))
    ]


def _star_loads(effort: float) -> list[Load]:
    busy = tuple(Birth(number // 8 * SECOND_NS // 20, 1 + number % 8, (0,), 2048, True) for number in range(400))
    return [
        _load(WARM, (*_ALL, *_BACK), 45, 1, 0.03, max(0.3, effort)),
        _load("one to eight", _ALL, 50, 1, 0.05, effort),
        _load("four to eight", _ALL, 20, 4, 0.1, effort),
        _load("to two of eight", tuple((0, (n, n + 1)) for n in (1, 3, 5, 7)), 60, 1, 0.03, effort),
        _load("one to eight, pulled", _ALL, 12, 1, 0.15, effort, 80_000, False),
        _load("back, pulled", _BACK, 60, 1, 0.03, effort, 120_000, False),
        _load("back, two of each, pulled", _BACK, 40, 2, 0.05, effort, 70_000, False),
        _load("back, alone", _BACK, 100, 1, 0.02, effort),
        Load("back, all eight", 2.5, busy[: max(16, int(len(busy) * effort))]),
        _load("back, five of each", _BACK, 100, 5, 0.025, effort),
        *(_steady(f"back, {per_s} a second", per_s, 1.5 * effort) for per_s in (100, 200, 300)),
    ]


def _strangers_loads() -> list[Load]:
    """The same twice: with a handshake for every document, and without any."""
    known, others = range(1, 5), range(5, 25)
    there = tuple((0, (node,)) for node in others)
    back = tuple((node, (0,)) for node in others)
    warm = tuple((0, (node,)) for node in known) + tuple((node, (0,)) for node in known)
    twice = [
        bursts(f"{name}, {time}", pairs, len(others), 1, 0.03)
        for name, pairs in ((TO_STRANGERS, there), (FROM_STRANGERS, back))
        for time in (FIRST, SECOND)
    ]
    return [bursts(WARM, warm, 40, 1, 0.02), *twice]
