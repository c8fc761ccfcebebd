"""Load: which documents are handed in when, by whom, to whom and how large, drawn before anything runs.

Values, and drawing them from a seed; nothing here runs a node or reads a clock.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

SECOND_NS: Final = 1_000_000_000


class Birth(NamedTuple):
    """One document: `at_ns` after the load begins, sender and recipients by number of their node, `bytes` of content,
    which travels with the envelope (`inline`) or is pulled."""

    at_ns: int
    sender: int
    to: tuple[int, ...]
    bytes: int
    inline: bool


class Load(NamedTuple):
    """Births in the order of their times, over `seconds`."""

    name: str
    seconds: float
    births: tuple[Birth, ...]


class Call(NamedTuple):
    """Whose node calls whose, and over which pool of connections: of `control` or of `bulk`."""

    caller: int
    called: int
    bulk: bool


def calls_of(birth: Birth, to: int) -> list[Call]:
    """All calls that a document needs until its sender knows that it has arrived: pulled content takes one for the
    bytes, and one that says that they are there."""
    calls = [Call(birth.sender, to, False)]
    return calls if birth.inline else [*calls, Call(to, birth.sender, True), Call(to, birth.sender, False)]


def new_calls(births: Sequence[Birth], met: frozenset[Call]) -> list[list[Call]]:
    """For each document and recipient in order, the calls for which a connection has to be made; `met`: those that were
    made before."""
    known = set(met)
    found = []
    for calls in [calls_of(birth, to) for birth in births for to in birth.to]:
        found.append([call for call in calls if call not in known])
        known.update(found[-1])
    return found


def births_value(births: Sequence[Birth]) -> list[Any]:
    """Births as JSON."""
    return [[each.at_ns, each.sender, list(each.to), each.bytes, each.inline] for each in births]


def births_read(value: Sequence[Any]) -> tuple[Birth, ...]:
    """Births from JSON."""
    return tuple(Birth(at_ns, sender, tuple(to), size, inline) for at_ns, sender, to, size, inline in value)


def poisson(
    name: str, nodes: int, per_s: float, seconds: float, seed: int, *, size: int = 2048, inline: bool = True
) -> Load:
    """Documents at `per_s` in a Poisson stream, each from a random node to another random one."""
    generator = np.random.default_rng(seed)
    count = int(generator.poisson(per_s * seconds))
    at_ns = np.sort(generator.integers(0, int(seconds * SECOND_NS), count))
    senders, recipients = _pairs(generator, nodes, count)
    rows = zip(at_ns.tolist(), senders.tolist(), recipients.tolist(), strict=True)
    return Load(name, seconds, tuple(Birth(at, sender, (to,), size, inline) for at, sender, to in rows))


def flood(name: str, nodes: int, count: int, seed: int, *, size: int = 2048, inline: bool = True) -> Load:
    """`count` documents between random nodes, all at once."""
    senders, recipients = _pairs(np.random.default_rng(seed), nodes, count)
    pairs = zip(senders.tolist(), recipients.tolist(), strict=True)
    return Load(name, 0.0, tuple(Birth(0, sender, (to,), size, inline) for sender, to in pairs))


def broadcast(name: str, nodes: int, times: int, pause_s: float, *, size: int = 2048, inline: bool = True) -> Load:
    """From node 0 to all others, `times` times, `pause_s` apart."""
    to = tuple(range(1, nodes))
    births = tuple(Birth(int(number * pause_s * SECOND_NS), 0, to, size, inline) for number in range(times))
    return Load(name, times * pause_s, births)


def bursts(
    name: str, pairs: Sequence[tuple[int, tuple[int, ...]]], count: int, of: int, pause_s: float, *, size: int = 2048,
    inline: bool = True,
) -> Load:  # fmt: skip
    """`count` bursts of `of` documents at one moment, `pause_s` apart, from and to each of `pairs` in turn."""
    chosen = [pairs[number % len(pairs)] for number in range(count)]
    births = tuple(
        Birth(int(number * pause_s * SECOND_NS), sender, to, size, inline)
        for number, (sender, to) in enumerate(chosen)
        for _ in range(of)
    )
    return Load(name, count * pause_s, births)


def _pairs(generator: np.random.Generator, nodes: int, count: int) -> tuple["np.ndarray[Any, Any]", ...]:
    senders = generator.integers(0, nodes, count)
    return senders, (senders + generator.integers(1, nodes, count)) % nodes
