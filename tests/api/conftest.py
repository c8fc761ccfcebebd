"""Two nodes that know each other, and a third that is in the directory only."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from docaxis.client import Client
from docaxis.core.ids import PartyId
from tests.api.street import TOKEN, House, Street


class Pair(NamedTuple):
    """The sender's and the recipient's node, each with a typed client, and plain HTTP to the sender's API."""

    street: Street
    office: House
    province: House
    sender: Client
    recipient: Client
    http: aiohttp.ClientSession


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Pair]:
    """G22 and H49 are open, H54 is never at home."""
    street = Street(folder, ["G22", "H49", "H54"])
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(street.open(PartyId("G22")))
        province = await stack.enter_async_context(street.open(PartyId("H49")))
        sender = await stack.enter_async_context(office.client())
        recipient = await stack.enter_async_context(province.client())
        headers = {"Authorization": f"Bearer {TOKEN}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(office.url, headers=headers))
        yield Pair(street, office, province, sender, recipient, http)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """A street of one's own."""
    async with opened(tmp_path) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """One street for a whole module, for tests after which it is as before."""
    async with opened(tmp_path_factory.mktemp("street")) as found:
        yield found
