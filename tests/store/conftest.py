"""Every engine of the store in turn, opened and closed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.store.engines import ENGINES, Engine, make_engine
from tests.store.making import NOW_MS


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    """Opened at `NOW_MS`."""
    made = make_engine(request.param, tmp_path)
    await made.store.open(NOW_MS)
    yield made
    await made.store.close()
