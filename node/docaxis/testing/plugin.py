"""The pytest plugin: the fixture `local_axis`, which starts an axis of the agencies it is called with.

Registered by the package, so it is imported by every run of pytest beside it: it loads the node only when a test asks
for the fixture, and works (with a hint) where pytest-asyncio is not installed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from docaxis.testing.axis import LocalAxis

StartAxis = Callable[..., Awaitable["LocalAxis"]]

try:
    from pytest_asyncio import fixture
except ImportError:

    @pytest.fixture(name="local_axis")
    def _local_axis_needs_asyncio() -> None:
        """Says what is missing."""
        pytest.fail("the fixture local_axis needs pytest-asyncio: pip install 'docaxis[testing]'")

else:

    @fixture
    async def local_axis() -> AsyncIterator[StartAxis]:
        """A function: ``axis = await local_axis("G22", "H49")`` starts real nodes, stopped when the test ends."""
        from docaxis.testing.axis import LocalAxis  # noqa: PLC0415 - only tests that use it pay for it

        async with AsyncExitStack() as stack:

            async def start(*codes: str) -> LocalAxis:
                return await stack.enter_async_context(LocalAxis(codes))

            yield start
