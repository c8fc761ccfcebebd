"""An axis of real nodes: G22 and H49 serve, H54 is in the directory and switched off."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from docaxis.client import Client
from docaxis.runtime import folder as places
from docaxis.runtime.node import Node
from docaxis.testing.axis import AxisNode, LocalAxis


class Pair(NamedTuple):
    """The sender's and the recipient's node, a client of each, and plain HTTP to the sender's API at `url`."""

    office: AxisNode
    province: AxisNode
    sender: Client
    recipient: Client
    url: str
    http: aiohttp.ClientSession

    @property
    def node(self) -> Node:
        """The sender's running node."""
        assert self.office.service is not None
        return self.office.service.node


def chunks_of(node: AxisNode) -> list[Path]:
    """The chunk files that a node keeps."""
    return [path for path in (node.folder / places.BLOBS).rglob("*") if path.is_file()]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Pair]:
    """The axis, and a session with the sender's token."""
    async with AsyncExitStack() as stack:
        axis = await stack.enter_async_context(LocalAxis(["G22", "H49", "H54"], folder=folder))
        await axis["H54"].stop()
        office = axis["G22"]
        assert office.service is not None
        url = f"http://127.0.0.1:{office.service.api_port}"
        headers = {"Authorization": f"Bearer {(office.folder / places.API_TOKEN).read_text().strip()}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(url, headers=headers))
        yield Pair(office, axis["H49"], office.client, axis["H49"].client, url, http)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """An axis of one's own."""
    async with opened(tmp_path / "axis") as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """One axis for a whole module, for tests after which it is as before."""
    async with opened(tmp_path_factory.mktemp("axis") / "axis") as found:
        yield found
