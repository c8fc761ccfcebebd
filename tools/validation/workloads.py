"""Workloads: what the simulator is held against. None of them is among the loads that costs are measured with.

Which documents when, and what is switched off meanwhile; who carries them is none of this room's business.
"""

from typing import Final, NamedTuple

import numpy as np

from tools.calibration.load import SECOND_NS, Birth, Call, Load, broadcast, flood, poisson

INLINE_BYTES: Final = 2_048
PULLED_BYTES: Final = 200 * 1024
SHARES: Final = (0.3, 0.6, 0.8)
STRANGERS_PER_S: Final = 40
MEETINGS_PER_S: Final = 100
UNDER_WAY_PER_NODE: Final = 8
NODES_UNDER_WAY_MAX: Final = 32


class Workload(NamedTuple):
    """`share` of the measured capacity, 0 where that means nothing; `window_s`: what throughput is counted over, 0
    until the last is home; `outages`: node, from and until in ns."""

    load: Load
    share: float
    window_s: float
    outages: tuple[tuple[int, int, int], ...] = ()


def open_loop(nodes: int, capacity_per_s: float, seconds: float, seed: int, inline: bool) -> list[Workload]:
    """Poisson streams at each share of the capacity."""
    kind = "inline" if inline else "pulled"
    size = INLINE_BYTES if inline else PULLED_BYTES
    return [
        Workload(
            poisson(
                f"{kind}, {share:.0%}", nodes, share * capacity_per_s, seconds, seed + number, size=size, inline=inline
            ),
            share,
            seconds,
        )
        for number, share in enumerate(SHARES)
    ]


def bulk(nodes: int, capacity_per_s: float, seconds: float, seed: int) -> Workload:
    """More than can be carried, all at once: how fast it drains."""
    count = max(nodes, int(capacity_per_s * seconds / 4))
    return Workload(flood("all at once", nodes, count, seed, size=INLINE_BYTES), 0.0, 0.0)


def to_all(nodes: int, times: int) -> Workload:
    """One document to everybody, several times."""
    return Workload(broadcast("one to all", nodes, times, 1.5), 0.0, 0.0)


def outage(nodes: int, capacity_per_s: float, seconds: float, seed: int) -> Workload:
    """Two tenths of the capacity, every fourth document for the last node, which is off for the middle third."""
    load = poisson("node off", nodes, 0.2 * capacity_per_s, seconds, seed, size=INLINE_BYTES)
    begin, end = int(seconds / 3 * SECOND_NS), int(seconds * 2 / 3 * SECOND_NS)
    last = nodes - 1
    births = tuple(
        each._replace(to=(last,)) if number % 4 == 0 else each
        for number, each in enumerate(load.births)
        if each.sender != last
    )
    return Workload(load._replace(births=births), 0.0, 0.0, ((last, begin, end),))


def strangers(nodes: int, seconds: float, seed: int) -> Workload:
    """Each pair of nodes once, in any order, so that every document needs a new connection."""
    pairs = [(sender, to) for sender in range(nodes) for to in range(nodes) if sender != to]
    order = np.random.default_rng(seed).permutation(len(pairs))[: int(STRANGERS_PER_S * seconds)]
    births = tuple(
        Birth(place * SECOND_NS // STRANGERS_PER_S, pairs[number][0], (pairs[number][1],), INLINE_BYTES, True)
        for place, number in enumerate(order.tolist())
    )
    return Workload(Load("strangers", len(births) / STRANGERS_PER_S, births), 0.0, 0.0)


def everybody_meets(nodes: int, met: frozenset[Call]) -> Load:
    """The pairs that have not met, so that connections are not what the other loads measure."""
    pairs = [(sender, to) for sender in range(nodes) for to in range(nodes) if sender != to]
    left = [pair for pair in pairs if Call(*pair, bulk=False) not in met]
    births = tuple(
        Birth(number * SECOND_NS // MEETINGS_PER_S, sender, (to,), INLINE_BYTES, True)
        for number, (sender, to) in enumerate(left)
    )
    return Load("everybody meets", len(births) / MEETINGS_PER_S, births)
