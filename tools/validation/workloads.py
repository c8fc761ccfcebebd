"""Workloads: what the simulator is held against. None of them is among the loads that costs are measured with.

Which documents when, and what is switched off meanwhile; who carries them is none of this room's business.
"""

from typing import Final, NamedTuple

from tools.calibration.load import SECOND_NS, Birth, Load, broadcast, flood, poisson

INLINE_BYTES: Final = 2_048
PULLED_BYTES: Final = 200 * 1024
SHARES: Final = (0.3, 0.6, 0.8)


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
    """Two tenths of the capacity, while the last node is off for the middle third."""
    load = poisson("node off", nodes, 0.2 * capacity_per_s, seconds, seed, size=INLINE_BYTES)
    begin, end = int(seconds / 3 * SECOND_NS), int(seconds * 2 / 3 * SECOND_NS)
    births = tuple(each for each in load.births if each.sender != nodes - 1)
    return Workload(load._replace(births=births), 0.0, 0.0, ((nodes - 1, begin, end),))


def everybody_meets(nodes: int) -> Load:
    """Each pair of neighbours once, so that nothing runs for the first time when it is measured."""
    births = tuple(
        Birth(number * SECOND_NS // 100, number % nodes, ((number + 1 + number // nodes) % nodes,), INLINE_BYTES, True)
        for number in range(min(nodes * (nodes - 1), max(150, 2 * nodes)))
    )
    return Load("warm", len(births) / 100, births)
