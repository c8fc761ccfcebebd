"""The pytest plugin: the fixture `local_axis`, which starts an axis of the agencies it is called with.

Registered by the package; it imports the node only when a test asks for the fixture.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from docaxis.testing.axis import LocalAxis

StartAxis = Callable[..., Awaitable["LocalAxis"]]


@pytest.fixture
async def local_axis() -> AsyncIterator[StartAxis]:
    """A function: ``axis = await local_axis("G22", "H49")`` starts real nodes, stopped when the test ends."""
    from docaxis.testing.axis import LocalAxis  # noqa: PLC0415 - only tests that use it pay for it

    async with AsyncExitStack() as stack:

        async def start(*codes: str) -> LocalAxis:
            return await stack.enter_async_context(LocalAxis(codes))

        yield start
