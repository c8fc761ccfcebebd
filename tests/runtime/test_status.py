"""Status speaks in plain values that JSON can hold."""

import json

from docaxis.core.addresses import Book
from docaxis.core.ids import PartyId
from docaxis.core.lifecycle import State
from docaxis.core.limits import DAY_MS
from docaxis.runtime.status import directory_status, peers_status, resident_bytes, totals_status
from docaxis.store.base import Line, Totals


def test_states_are_named_and_numbers_stay_numbers() -> None:
    """People read names; programs need no list of ours."""
    shown = totals_status(Totals({State.SENT: 2}, {State.ARRIVED: 3, State.HELD: 1}, 4, 5, 6, 7))
    assert json.loads(json.dumps(shown)) == {
        "outgoing": {"sent": 2},
        "incoming": {"held": 1, "arrived": 3},
        "envelopes": 4,
        "statements": 5,
        "queued": 6,
        "refusals": 7,
    }


def test_the_directory_s_age_is_told_in_steps_and_in_time() -> None:
    """The step says what the node still does, the age how much time is left."""
    shown = directory_status(Book(lambda _: None, {}, 7, DAY_MS, {}), 9 * DAY_MS, 5, "peer.timeout: x")
    assert shown["freshness"] == "stale"
    assert (shown["age_ms"], shown["version"], shown["failure"]) == (8 * DAY_MS, 7, "peer.timeout: x")


def test_peers_are_told_with_what_waits_for_them_on_disk() -> None:
    """Also one of whom the machine of this life knows nothing yet."""
    lines = [Line(PartyId("H49"), 1, 2, 700), Line(PartyId("H49"), 3, 40, 200), Line(PartyId("H54"), 0, 1, 1_001)]
    told = peers_status([{"peer": "G22", "fails": 0}, {"peer": "H49", "fails": 3}], lines, 1_000)
    assert told == [
        {"peer": "G22", "fails": 0, "queued": 0, "lanes": {}, "oldest_age_ms": 0},
        {"peer": "H49", "fails": 3, "queued": 42, "lanes": {"express": 2, "normal": 40}, "oldest_age_ms": 800},
        {"peer": "H54", "queued": 1, "lanes": {"control": 1}, "oldest_age_ms": 0},
    ]


def test_memory_is_measured() -> None:
    """A running interpreter has more than a few megabytes."""
    assert resident_bytes() > 4 * 2**20
