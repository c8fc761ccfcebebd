"""Swarm: draws the plan of a world from its seed, with whole kinds of faults switched on or off.

Some faults hide what others would show, so a plan with all of them tests less than many with a few (swarm testing).
What is drawn are values of `docaxis_sim.plan`; nothing here happens. Each later addition draws from a stream of its
own, so that it does not reshuffle what was drawn before it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from docaxis.core.limits import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from docaxis.core.policy import Policy
from docaxis_sim.plan import AGENCIES, Fault, Kind, Letter, Plan, Weather, Work
from docaxis_sim.streams import Stream, Streams

NEVER_DRAWN: Final = frozenset({Kind.CLOSE})
DRAWN: Final = tuple(kind for kind in Kind if kind not in NEVER_DRAWN)
"""Every kind that a seed may bring; what a closed code has not finished stays open, so such worlds are hand-made."""
_LATER: Final = (Kind.DIRECTORY_SKEW, Kind.POISON)
_HOSTILE: Final = (Kind.FORGER, Kind.BAD_MIRROR)
_ONCE: Final = frozenset({Kind.RESTORE, Kind.ROTATE, Kind.REVOKE, Kind.NO_PUBLISHER, *_LATER, *_HOSTILE})
"""Kinds that must not meet themselves."""
OLD_MS: Final = 31 * DAY_MS
"""The age of a directory by which nobody may act any more."""


def draw(
    seed: int,
    agencies: Sequence[str] = AGENCIES,
    kinds: Collection[Kind] = DRAWN,
    parties: Sequence[str] = (),
    busy_ms: int = 0,
) -> Plan:
    """The plan of a seed: which of the `kinds` of faults are on, when and whom they strike, and how people work; some
    of the `agencies` are its parties, unless all `parties` are given, as may be how long they work."""
    streams = Streams(seed)
    chance = streams("plan")
    sampled = chance.sample(list(agencies), min(len(agencies), chance.randint(3, 6)))
    parties = tuple(parties or sampled)
    drawn_ms = chance.choice((20 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS))
    busy_ms = busy_ms or drawn_ms
    on = _switch(chance, streams("plan, later kinds"), streams("plan, hostile kinds"))
    if Kind.REVOKE in on and Kind.RESTORE in on:
        # What a node signed with a key that was stolen since, and then forgot, nobody can prove to it any more.
        on.pop(Kind.RESTORE)
    struck = {kind: _strike(stream, kind, parties, busy_ms) for kind, stream in on.items()}
    faults = [fault for kind in struck if kind in kinds for fault in struck[kind]]
    work = _draw_work(chance, busy_ms)
    return Plan(
        parties=parties,
        busy_ms=busy_ms,
        heal_ms_max=heal_ms(faults, work),
        work=work,
        weather=_draw_weather(chance),
        faults=tuple(sorted(_aged(faults, streams("plan, age")), key=lambda fault: fault.at_ms)),
        crash=chance.choice((0, 0, 2, 10, 30)),
        policy=_draw_policy(streams("plan, policy")),
    )


def heal_ms(faults: Iterable[Fault], work: Work) -> int:
    """How long everything may take to come to its end. What was signed with a revoked key may never be believed, and
    content that a restored backup does not have may be lost: such documents come to their end by their deadline."""
    endless = any(fault.kind in (Kind.REVOKE, Kind.RESTORE) for fault in faults)
    return work.expires_ms_max + DAY_MS + 3 * HOUR_MS if endless else 6 * HOUR_MS


def letters(streams: Streams, plan: Plan) -> tuple[Letter, ...]:
    """What the work of a plan means: who hands in what when for whom."""
    chance = streams("orders")
    names = list(plan.parties)
    drawn: list[Letter] = []
    for number in range(plan.work.documents):
        sender = chance.choice(names)
        others = [name for name in names if name != sender]
        to = tuple(chance.sample(others, chance.randint(1, min(plan.work.recipients_max, len(others)))))
        drawn.append(Letter(number, chance.randrange(plan.busy_ms), sender, to))
    return tuple(drawn)


def _switch(chance: Stream, later: Stream, hostile: Stream) -> dict[Kind, Stream]:
    """The kinds that are on, each with the stream that says when and whom it strikes."""
    likely = chance.choice((0.2, 0.3, 0.7))
    first = {kind: chance for kind in DRAWN if kind not in (*_LATER, *_HOSTILE) and chance.random() < likely}
    added = ((later, _LATER), (hostile, _HOSTILE))
    return first | {kind: stream for stream, kinds in added for kind in kinds if stream.random() < likely}


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


def _draw_policy(chance: Stream) -> Policy:
    """Now and then nodes that take or give little at a time, so that queues wait for credit."""
    usual = Policy()
    return Policy(
        credit_items=chance.choice((usual.credit_items, usual.credit_items, 1, 3)),
        batch_items=chance.choice((usual.batch_items, usual.batch_items, usual.batch_items, 2)),
    )


def _strike(chance: Stream, kind: Kind, parties: tuple[str, ...], busy_ms: int) -> list[Fault]:
    """One or two faults of a kind."""
    return [_one(chance, kind, parties, busy_ms) for _ in range(1 if kind in _ONCE else chance.randint(1, 2))]


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


def _aged(faults: Sequence[Fault], chance: Stream) -> list[Fault]:
    """Where the publisher is missing, it may have been missing for a month."""
    return [
        fault._replace(amount=chance.choice((0, OLD_MS))) if fault.kind is Kind.NO_PUBLISHER else fault
        for fault in faults
    ]
