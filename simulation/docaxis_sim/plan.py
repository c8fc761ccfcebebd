"""Plans: what a world is made of and what will go wrong in it, as plain values; written by hand or drawn from a seed.

Nothing here happens: `docaxis_sim.injector` carries a plan out. Every time is in milliseconds after the world's start.
A drawn plan switches whole kinds of faults on or off (swarm testing), because some faults hide what others would show.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from docaxis.core.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from docaxis_sim.streams import Stream, Streams

AGENCIES: Final = ("G22", "H49", "G09", "H40", "H51", "G14", "H29", "H26", "A00", "G06")
"""Real codes of the axis: the Government Office, some ministries, some provinces."""


class Kind(StrEnum):
    """What can go wrong with one party, or between two, from a fault's `at_ms` until its `until_ms`."""

    OUTAGE = "outage"
    """Power cut; back at the end."""
    CUT = "cut"
    """Nothing gets from `party` to `other`; the other direction stays."""
    SILENT = "silent"
    """Accepts every request and never answers."""
    SLOW = "slow"
    """Needs `amount` ms longer for every answer."""
    DISK_FULL = "disk-full"
    """No commit succeeds."""
    CLOCK = "clock"
    """Its clock is `amount` ms ahead (or behind, if negative)."""
    RESTORE = "restore"
    """Backed up at the beginning; at the end that backup replaces everything."""
    ROTATE = "rotate"
    """A new key is published at the beginning and used from the end on."""
    REVOKE = "revoke"
    """The key is revoked at the beginning; a new one is published and used at the end."""
    CLOSE = "close"
    """The code is closed at the beginning, with `other` as its successor. Never drawn: what a closed code has not
    finished stays open, so such worlds are written by hand."""
    NO_PUBLISHER = "no-publisher"
    """The directory cannot be refreshed by `party`, or by anybody where it is empty."""
    BAD_CHUNKS = "bad-chunks"
    """Serves content that does not match its digest."""


class Fault(NamedTuple):
    """One thing that goes wrong. `other` and `amount` mean what the kind says."""

    kind: Kind
    at_ms: int
    until_ms: int
    party: str = ""
    other: str = ""
    amount: int = 0


class Weather(NamedTuple):
    """What the network does to every message while faults are on: chances in thousandths, times in ms.

    `replay` is a duplicate that comes not at once but up to `replay_ms_max` later, out of its order.
    """

    lose_request: int = 0
    lose_answer: int = 0
    duplicate: int = 0
    replay: int = 0
    replay_ms_max: int = HOUR_MS
    latency_ms_min: int = 5
    latency_ms_max: int = 60


class Work(NamedTuple):
    """What people do: how many documents and with which habits. Chances are in thousandths.

    Deadlines are drawn between `expires_ms_min` and `expires_ms_max`; an office looks at its inbox every
    `office_ms` at most (0: nobody does anything about what arrives).
    """

    documents: int = 16
    recipients_max: int = 3
    chunked: int = 300
    inline: int = 300
    refuse: int = 100
    recall: int = 150
    agree: int = 700
    renew: int = 100
    expires_ms_min: int = DAY_MS
    expires_ms_max: int = 10 * DAY_MS
    office_ms: int = 10 * MINUTE_MS


class Plan(NamedTuple):
    """A whole world: who is in it, what people do, what goes wrong, and how long each of the two phases may take.

    `crash` is the chance, in thousandths, of a crash at each commit boundary; `crash_at` is the number of the one
    boundary at which there is a crash (counted over the world from 1; 0: none). Each node asks for the directory at
    least every `refresh_ms`.
    """

    parties: tuple[str, ...] = AGENCIES[:3]
    busy_ms: int = 2 * HOUR_MS
    heal_ms_max: int = 6 * HOUR_MS
    refresh_ms: int = 5 * MINUTE_MS
    work: Work = Work()
    weather: Weather = Weather()
    faults: tuple[Fault, ...] = ()
    crash: int = 0
    crash_at: int = 0


def draw(seed: int) -> Plan:
    """The plan of a seed: which kinds of faults are on, when and whom they strike, and how people work."""
    chance = Streams(seed)("plan")
    parties = tuple(chance.sample(AGENCIES, chance.randint(3, 6)))
    busy_ms = chance.choice((20 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS))
    likely = chance.choice((0.2, 0.3, 0.7))
    kinds = [kind for kind in Kind if chance.random() < likely and kind is not Kind.CLOSE]
    if Kind.REVOKE in kinds and Kind.RESTORE in kinds:
        # What a node signed with a key that was stolen since, and then forgot, nobody can prove to it any more.
        kinds.remove(Kind.RESTORE)
    faults = [fault for kind in kinds for fault in _strike(chance, kind, parties, busy_ms)]
    work = _draw_work(chance, busy_ms)
    # What was signed with a revoked key may never be believed, and content that a restored backup does not have
    # may be lost: such documents come to their end by their deadline.
    endless = Kind.REVOKE in kinds or Kind.RESTORE in kinds
    heal_ms_max = work.expires_ms_max + DAY_MS + 3 * HOUR_MS if endless else 6 * HOUR_MS
    return Plan(
        parties=parties,
        busy_ms=busy_ms,
        heal_ms_max=heal_ms_max,
        work=work,
        weather=_draw_weather(chance),
        faults=tuple(sorted(faults, key=lambda fault: fault.at_ms)),
        crash=chance.choice((0, 0, 2, 10, 30)),
    )


def _draw_work(chance: Stream, busy_ms: int) -> Work:
    shortest = chance.choice((MINUTE_MS, busy_ms // 2, busy_ms * 2))
    return Work(
        documents=chance.randint(6, 20),
        recall=chance.choice((0, 150, 500)),
        chunked=chance.choice((0, 300, 700)),
        expires_ms_min=shortest,
        expires_ms_max=max(shortest * 2, 4 * HOUR_MS),
        office_ms=chance.choice((10 * SECOND_MS, 10 * MINUTE_MS)),
    )


def _draw_weather(chance: Stream) -> Weather:
    return Weather(
        lose_request=chance.choice((0, 0, 100, 400)),
        lose_answer=chance.choice((0, 0, 100, 400)),
        duplicate=chance.choice((0, 100, 300)),
        replay=chance.choice((0, 100, 300)),
        latency_ms_max=chance.choice((20, 300, 5_000)),
    )


def _strike(chance: Stream, kind: Kind, parties: tuple[str, ...], busy_ms: int) -> list[Fault]:
    """One or two faults of a kind; those that must not meet themselves come once."""
    once = kind in (Kind.RESTORE, Kind.ROTATE, Kind.REVOKE, Kind.CLOSE, Kind.NO_PUBLISHER)
    return [_one(chance, kind, parties, busy_ms) for _ in range(1 if once else chance.randint(1, 2))]


def _one(chance: Stream, kind: Kind, parties: tuple[str, ...], busy_ms: int) -> Fault:
    at_ms = chance.randrange(busy_ms)
    until_ms = chance.randrange(at_ms, busy_ms)
    party, other = chance.sample(parties, 2)
    amount = 0
    if kind is Kind.NO_PUBLISHER:
        party = chance.choice((party, ""))
    if kind is Kind.SLOW:
        amount = chance.choice((500, 5_000, 20_000))
    if kind is Kind.CLOCK:
        amount = chance.choice((-HOUR_MS, HOUR_MS, -5 * MINUTE_MS, 5 * MINUTE_MS))
    return Fault(kind, at_ms, until_ms, party, other, amount)
