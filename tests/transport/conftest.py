"""The town in which the tests of transport live."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.transport.town import Town


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """An empty town; whoever settles in it leaves at the end."""
    made = Town(tmp_path)
    try:
        yield made
    finally:
        await made.leave()
