"""The town in which the tests of transport live, on the event loops that nodes run on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from tests.transport.town import Town


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """uvloop, as nodes use it where it exists; the client's and the bounds' tests on asyncio's as well:
    their TLS differs, and so do their transports."""
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop}
    if item.path.name.startswith(("test_client", "test_server_bounds")):
        loops["asyncio"] = asyncio.new_event_loop
    return loops


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """An empty town; whoever settles in it leaves at the end."""
    made = Town(tmp_path)
    try:
        yield made
    finally:
        await made.leave()
