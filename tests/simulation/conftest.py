"""What tests about simulated worlds share: worlds in which nothing is drawn, and long quiet times that cost little."""

from collections.abc import Callable

import pytest

from docaxis.core import limits
from docaxis_sim.plan import Fault, Plan, Weather, Work
from docaxis_sim.world import World

QUIET = Work(documents=0, office_ms=0, recall=0, chunked=0, inline=0, renew=0, expires_ms_min=60 * limits.DAY_MS)

MakeWorld = Callable[..., World]


@pytest.fixture
def quiet_world() -> MakeWorld:
    """Makes a world of three agencies in which only what the test orders happens."""

    def make(
        *faults: Fault,
        busy_ms: int = limits.HOUR_MS,
        weather: Weather | None = None,
        work: Work = QUIET,
        seed: int = 1,
        parties: tuple[str, ...] = ("G22", "H49", "H26"),
    ) -> World:
        work = work._replace(expires_ms_max=max(work.expires_ms_min, work.expires_ms_max))
        refresh_ms = min(limits.HOUR_MS, busy_ms)
        plan = Plan(parties, busy_ms, refresh_ms=refresh_ms, work=work, weather=weather or Weather(), faults=faults)
        return World(seed, plan)

    return make


@pytest.fixture
def hourly_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes look for due work once an hour instead of once a minute: a month passes in a second."""
    monkeypatch.setattr(limits, "DUE_SCAN_INTERVAL_MS", limits.HOUR_MS)
