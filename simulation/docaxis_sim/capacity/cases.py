"""Cases: small networks of stations whose behaviour is known in closed form, as plans for the engines.

Makes plans and says what theory expects; what an engine made of them is compared in `verify`. One mean service is
`UNIT_NS`. A customer is a delivery of the form CHUNK, which passes an up link, a down link and a loop on each hop and
nothing else; every station that a case does not speak of costs nothing.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity import theory
from docaxis_sim.capacity.plan import (
    DAY_NS,
    HOPS_MAX,
    MILLISECOND_NS,
    NODE,
    ROUND_MAX,
    Bool,
    Cost,
    Deliveries,
    Float,
    Form,
    Int32,
    Int64,
    Law,
    Plan,
    Stations,
    hop,
)
from docaxis_sim.capacity.theory import Sojourn

UNIT_NS: Final = MILLISECOND_NS // 4
LONG: Final = 1.5
"""Jobs that need more than this many mean services are the long ones of a case with `slowdown`."""

Chance = np.random.Generator
Services = Callable[[Chance, tuple[int, ...]], Float]


class Crowd(NamedTuple):
    """One replication: the plan, when each customer came (ns), how much service each asked for (units), and which of
    them are counted: those that find the system settled."""

    plan: Plan
    came_ns: Int64
    service: Float
    counted: Bool


class Case(NamedTuple):
    """A network. `make` draws one replication with so many customers. `customers` (of each replication) make intervals
    that are narrow enough; 0 where nothing is left to chance. `slowdown`: long jobs' sojourn over their service, where
    theory says what it is. `reference_only`: the law is the reference engine's alone."""

    name: str
    make: Callable[[Chance, int], Crowd]
    sojourn: Sojourn
    customers: int
    slowdown: float = 0.0
    reference_only: bool = False


def exponential(chance: Chance, shape: tuple[int, ...]) -> Float:
    """Services of mean 1, as all laws here."""
    return chance.standard_exponential(shape)


def always_one(chance: Chance, shape: tuple[int, ...]) -> Float:
    """Nothing drawn."""
    return np.ones(shape)


def erlang_2(chance: Chance, shape: tuple[int, ...]) -> Float:
    """Two halves, each exponential."""
    return chance.standard_gamma(2.0, shape) / 2


_SHARE_QUICK: Final = (1 + (3 / 5) ** 0.5) / 2
"""Of a hyperexponential service whose variance is four times its squared mean: the share of quick ones."""


def hyperexponential(chance: Chance, shape: tuple[int, ...]) -> Float:
    """Many quick and few slow ones, with equal work in both."""
    quick = chance.random(shape) < _SHARE_QUICK
    return chance.standard_exponential(shape) / np.where(quick, 2 * _SHARE_QUICK, 2 * (1 - _SHARE_QUICK))


def stations(nodes: int, **given: int | Law) -> Stations:
    """As many nodes, each with four stations of its own that cost nothing but what is given for all of them."""
    own = np.arange(nodes, dtype=np.int32)
    columns = {name: np.full(nodes, given.get(name, 0), np.int64) for name in _FREE}
    return Stations(
        loop_of=own,
        disk_of=own,
        up_of=own,
        down_of=own,
        cost_ns=np.zeros((len(Cost), nodes), np.int64),
        round_max=np.full(nodes, given.get("round_max", 1), np.int32),
        servers=np.full(nodes, given.get("servers", 1), np.int32),
        commit_extra_ns=np.zeros(1, np.int64),
        up_law=Law(given.get("up_law", Law.FIFO)),
        **columns,
    )


_FREE: Final = (
    "content_ns_per_kib",
    "blob_ns",
    "blob_ns_per_kib",
    "wake_ns",
    "round_ns",
    "commit_ns",
    "up_ns_per_kib",
    "down_ns_per_kib",
)


def customers(birth_ns: Int64, path: Int32, size: Int64, extra_ns: dict[int, Int64]) -> Deliveries:
    """Deliveries along `path` ``(hops + 1, n)``, where -1 ends it."""
    total = len(birth_ns)
    whole = np.full((HOPS_MAX + 1, total), -1, np.int32)
    whole[: len(path)] = path
    return Deliveries(
        birth_ns=birth_ns,
        parent=np.full(total, -1, np.int32),
        bytes=size,
        form=np.full(total, Form.CHUNK, np.int8),
        first=np.zeros(total, np.bool_),
        hops=((path >= 0).sum(axis=0) - 1).astype(np.int8),
        path=whole,
        latency_ns=np.zeros((HOPS_MAX, total), np.int64),
        status_delay_ns=np.zeros((0, total), np.int64),
        deadline_ns=np.full(total, 10_000 * DAY_NS),
        priority=np.zeros(total, np.int8),
        traffic=np.zeros(total, np.int16),
        group=np.arange(total, dtype=np.int32),
        extra_ns=extra_ns,
    )


def _plan(found: Stations, deliveries: Deliveries) -> Plan:
    return Plan(tuple(f"N{number}" for number in range(len(found.loop_of))), found, deliveries, (), 0)


def _crowd(found: Stations, deliveries: Deliveries, service: Float) -> Crowd:
    """The first tenth comes to an empty system and is not counted."""
    total = len(service)
    counted = np.arange(total) >= total // 10
    return Crowd(_plan(found, deliveries), deliveries.birth_ns, service, counted)


def _births(chance: Chance, rate: float, total: int) -> Int64:
    return (np.cumsum(chance.standard_exponential(total)) * (UNIT_NS / rate)).astype(np.int64)


def at_loops(rates: Sequence[float], load: float, law: Services, servers: int = 1) -> Callable[[Chance, int], Crowd]:
    """Loops in series, each with its rate of service, met by a Poisson stream of `load`."""

    def make(chance: Chance, total: int) -> Crowd:
        births = _births(chance, load, total)
        path = np.tile(np.arange(len(rates) + 1, dtype=np.int32)[:, None], total)
        service = law(chance, (len(rates), total)) / np.array(rates)[:, None]
        extra = {hop(h, NODE): _ns(row) for h, row in enumerate(service)}
        found = stations(len(rates) + 1, servers=servers)
        return _crowd(found, customers(births, path, np.zeros(total, np.int64), extra), service.sum(axis=0))

    return make


def at_a_fork(rates: Sequence[float], share: float, load: float) -> Callable[[Chance, int], Crowd]:
    """A loop, and behind it one of two others: the first of them for `share` of all."""

    def make(chance: Chance, total: int) -> Crowd:
        births = _births(chance, load, total)
        side = (chance.random(total) >= share).astype(np.int32)
        path = np.stack([np.zeros(total, np.int32), np.ones(total, np.int32), 2 + side])
        service = exponential(chance, (2, total)) / np.stack([np.full(total, rates[0]), np.array(rates[1:])[side]])
        extra = {hop(h, NODE): _ns(row) for h, row in enumerate(service)}
        return _crowd(stations(4), customers(births, path, np.zeros(total, np.int64), extra), service.sum(axis=0))

    return make


def at_a_link(kind: str, load: float, law: Services, up_law: Law = Law.FIFO) -> Callable[[Chance, int], Crowd]:
    """One up or down link, whose service is the size: a byte takes a nanosecond."""

    def make(chance: Chance, total: int) -> Crowd:
        births = _births(chance, load, total)
        path = np.tile(np.array([[0], [1]], np.int32), total)
        service = law(chance, (total,))
        found = stations(2, up_law=up_law, **{f"{kind}_ns_per_kib": 1024})
        return _crowd(found, customers(births, path, _ns(service), {}), service)

    return make


def in_batches(load: float, **given: int) -> Callable[[Chance, int], Crowd]:
    """A loop whose rounds, or a disk whose commits, take one unit however many there are."""

    def make(chance: Chance, total: int) -> Crowd:
        births = _births(chance, load, total)
        path = np.tile(np.array([[0], [1]], np.int32), total)
        deliveries = customers(births, path, np.zeros(total, np.int64), {})
        return _crowd(stations(2, round_max=ROUND_MAX, **given), deliveries, np.ones(total))

    return make


def broadcast(fanouts: Sequence[int], hop_ns: int) -> Callable[[Chance, int], Crowd]:
    """One document from one unit down a tree; every unit's up link takes one unit for each copy."""

    def make(chance: Chance, total: int) -> Crowd:
        source: list[int] = []
        parent: list[int] = []
        level = [(0, -1)]
        for fanout in fanouts:
            copies = [pair for pair in level for _ in range(fanout)]
            level = [(len(source) + place + 1, len(source) + place) for place in range(len(copies))]
            source += [node for node, _ in copies]
            parent += [row for _, row in copies]
        rows = len(source)
        path = np.stack([np.array(source, np.int32), np.arange(1, rows + 1, dtype=np.int32)])
        deliveries = customers(np.zeros(rows, np.int64), path, np.full(rows, UNIT_NS), {})
        latency_ns = deliveries.latency_ns.copy()
        latency_ns[0] = hop_ns
        deliveries = deliveries._replace(parent=np.array(parent, np.int32), latency_ns=latency_ns)
        plan = _plan(stations(rows + 1, up_ns_per_kib=1024), deliveries)
        return Crowd(plan, np.zeros(rows, np.int64), np.ones(rows), np.ones(rows, np.bool_))

    return make


def _ns(units: Float) -> Int64:
    return np.rint(units * UNIT_NS).astype(np.int64)


CASES: Final = (
    Case("M/M/1, load 0.3", at_loops([1], 0.3, exponential), theory.mm1(0.3), 10_000),
    Case("M/M/1, load 0.5", at_loops([1], 0.5, exponential), theory.mm1(0.5), 20_000),
    Case("M/M/1, load 0.7", at_loops([1], 0.7, exponential), theory.mm1(0.7), 80_000),
    Case("M/M/1, load 0.8", at_loops([1], 0.8, exponential), theory.mm1(0.8), 180_000),
    Case("M/M/1, up link, load 0.6", at_a_link("up", 0.6, exponential), theory.mm1(0.6), 32_000),
    Case("M/M/1, down link, load 0.6", at_a_link("down", 0.6, exponential), theory.mm1(0.6), 32_000),
    Case("M/M/2, load 0.7", at_loops([1], 1.4, exponential, 2), theory.mmc(2, 0.7), 60_000),
    Case("M/M/4, load 0.8", at_loops([1], 3.2, exponential, 4), theory.mmc(4, 0.8), 80_000),
    Case("M/M/16, load 0.8", at_loops([1], 12.8, exponential, 16), theory.mmc(16, 0.8), 16_000),
    Case("M/D/1, load 0.5", at_loops([1], 0.5, always_one), theory.md1(0.5), 16_000),
    Case("M/D/1, load 0.8", at_loops([1], 0.8, always_one), theory.md1(0.8), 100_000),
    Case("M/D/1, up link, load 0.7", at_a_link("up", 0.7, always_one), theory.md1(0.7), 50_000),
    Case("M/E2/1, load 0.6", at_loops([1], 0.6, erlang_2), theory.erlang_2(0.6), 32_000),
    Case(
        "M/H2/1, load 0.5",
        at_loops([1], 0.5, hyperexponential),
        theory.hyperexponential(0.5, _SHARE_QUICK),
        80_000,
    ),
    Case("tandem of three", at_loops([2, 1.7, 1.5], 1, exponential), theory.in_series([1, 0.7, 0.5]), 30_000),
    Case("tandem of two", at_loops([1, 1.25], 0.6, exponential), theory.in_series([0.4, 0.65]), 20_000),
    Case(
        "fork after a queue",
        at_a_fork([1.6, 0.9, 1.1], 0.4, 1),
        theory.mixed([0.4, 0.6], [theory.in_series([0.6, 0.5]), theory.in_series([0.6 + 1e-9, 0.5 + 1e-9])]),
        20_000,
    ),
    Case("rounds, load 0.7", in_batches(0.7, round_ns=UNIT_NS), theory.whole_batches(0.7), 2_000),
    Case("group commit, load 2", in_batches(2.0, commit_ns=UNIT_NS), theory.whole_batches(2.0), 2_000),
    Case(
        "M/M/1-PS, load 0.3",
        at_a_link("up", 0.3, exponential, Law.PS),
        theory.mm1_ps(0.3),
        4_200,
        slowdown=1 / 0.7,
        reference_only=True,
    ),
    Case("M/D/1-PS, load 0.4", at_a_link("up", 0.4, always_one, Law.PS), theory.ps(0.4), 1_800, reference_only=True),
    Case(
        "M/E2/1-PS, load 0.4",
        at_a_link("up", 0.4, erlang_2, Law.PS),
        theory.ps(0.4),
        4_500,
        slowdown=1 / 0.6,
        reference_only=True,
    ),
    Case("one to 200, no relay", broadcast([200], 40 * UNIT_NS), theory.relayed([200], 40), 0),
    Case("relay to 63, 12 each, 15 each", broadcast([63, 12, 15], 3 * UNIT_NS), theory.relayed([63, 12, 15], 3), 0),
)
"""All of them, in the order of the table."""
