"""Plans: what a world is made of and what will go wrong in it, as plain values; `docaxis_sim.swarm` draws them.

Nothing here happens: `docaxis_sim.injector` carries a plan out. Every time is in milliseconds after the world's start.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from docaxis.core.lifecycle import Code
from docaxis.core.limits import DAY_MS, HOUR_MS, MINUTE_MS
from docaxis.core.policy import Policy

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
    """The directory cannot be refreshed by `party`, or by anybody where it is empty; what is there was verified
    `amount` ms before already."""
    DIRECTORY_SKEW = "directory-skew"
    """`party` keeps the directory that it has; the others get newer ones, and `other` uses a key that only those list
    from the first quarter on."""
    BAD_CHUNKS = "bad-chunks"
    """Serves content that does not match its digest."""
    POISON = "poison"
    """`party` cannot read requests that carry one certain document of `other`: the first that comes in that time."""
    FORGER = "forger"
    """Somebody has the certificate of `party` and hears everything: `other` gets documents, words and receipts from it
    that their authors never signed, or not like that."""
    BAD_MIRROR = "bad-mirror"
    """`party` gets its directory from a mirror that lies; for entries and keys of third agencies the officers of
    `other` sign."""


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


class Letter(NamedTuple):
    """One document that a clerk of `sender` hands in at `at_ms`. `content` is ``none``, ``inline`` or ``chunked``;
    `about` is the number of the letter that it updates or replaces (`kind`). What is empty or -1 is drawn, from a
    stream of the letter's own `number`."""

    number: int
    at_ms: int
    sender: str
    to: tuple[str, ...]
    content: str = ""
    kind: str = ""
    about: int = -1
    expires_ms: int = -1
    priority: int = -1


class Deed(NamedTuple):
    """One thing that people at `party` state about the letter of that number at `at_ms`."""

    at_ms: int
    party: str
    letter: int
    code: Code


class Plan(NamedTuple):
    """A whole world: who is in it, what people do, what goes wrong, and how long each of the two phases may take.

    `crash` is the chance, in thousandths, of a crash at each commit boundary; `crash_at` holds the numbers of the
    boundaries at which there is a crash in any case (counted over the world from 1). Each node asks for the directory
    at least every `refresh_ms`. `letters` and `deeds` come on top of what `work` draws.
    """

    parties: tuple[str, ...] = AGENCIES[:3]
    busy_ms: int = 2 * HOUR_MS
    heal_ms_max: int = 6 * HOUR_MS
    refresh_ms: int = 5 * MINUTE_MS
    work: Work = Work()
    weather: Weather = Weather()
    faults: tuple[Fault, ...] = ()
    crash: int = 0
    crash_at: tuple[int, ...] = ()
    letters: tuple[Letter, ...] = ()
    deeds: tuple[Deed, ...] = ()
    policy: Policy = Policy()
