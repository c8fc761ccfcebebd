"""A whole axis in one process, for tests: real nodes on loopback, real HTTPS, real databases, a real directory.

`async with LocalAxis(["G22", "H49"]) as axis:` makes a throw-away directory by a key ceremony, starts the nodes and
gives a client of each. It makes and starts; what happens between the nodes is up to the test.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Self

from docaxis.cli.connect import client_of
from docaxis.cli.serve import Service, open_service
from docaxis.client import Client
from docaxis.core.errors import OurFault
from docaxis.runtime import config
from docaxis.runtime.clock import Clock
from docaxis.runtime.perform import Probe
from docaxis.testing.ground import Agency, Ground, make_ground


class AxisNode:
    """One node of a local axis: its folder, its service while it runs, and a client of its local API."""

    def __init__(self, folder: Path, clock: Clock | None) -> None:
        self.folder = folder
        self.clock = clock
        self.log = StringIO()
        """What the node has logged, in all its lives."""
        self.service: Service | None = None
        self._client: Client | None = None
        self._open: AsyncExitStack | None = None

    @property
    def client(self) -> Client:
        """A client of the running node."""
        if self._client is None:
            raise OurFault("node.unreachable", f"the node in {self.folder} is stopped")
        return self._client

    async def start(self, probe: Probe | None = None) -> None:
        """Starts the node, for the first time or again."""
        if self.service is not None:
            return
        settings = config.load(self.folder, os.environ).settings
        self._open = AsyncExitStack()
        self.service = await open_service(self.folder, settings, clock=self.clock, probe=probe, log_to=self.log)
        await self.service.start()
        self._client = await self._open.enter_async_context(client_of(self.folder))

    async def stop(self) -> None:
        """Stops the node gracefully; its folder stays."""
        service, self.service, self._client = self.service, None, None
        if self._open is not None:
            await self._open.aclose()
            self._open = None
        if service is not None:
            await service.stop()


class LocalAxis:
    """Nodes by their agency's code: ``axis["H49"].client``. `folder` keeps everything; without it all is temporary.

    `clock` is handed to every node (default: the system's).
    """

    def __init__(self, codes: Sequence[str], *, folder: Path | None = None, clock: Clock | None = None) -> None:
        self.codes = tuple(codes)
        self._given = folder
        self._clock = clock
        self._folder: Path | None = None
        self.nodes: dict[str, AxisNode] = {}
        self.ground: Ground

    def __getitem__(self, code: str) -> AxisNode:
        return self.nodes[code]

    async def __aenter__(self) -> Self:
        self._folder = self._given or Path(tempfile.mkdtemp(prefix="docaxis-axis-"))
        agencies = {code: Agency(code, code, code, "test") for code in self.codes}
        try:
            self.ground = make_ground(self._folder, agencies, self._clock)
            self.nodes = {code: AxisNode(folder, self._clock) for code, folder in self.ground.nodes.items()}
            for node in self.nodes.values():
                await node.start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        for node in self.nodes.values():
            await node.stop()
        if self._given is None and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
