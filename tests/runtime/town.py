"""Real nodes for the tests of the runtime: real folders, keys, SQLite files, HTTPS, a directory made by a ceremony."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

from docaxis.cli.node import make_folder
from docaxis.cli.serve import Service, open_service
from docaxis.core import limits
from docaxis.core.addresses import Entry
from docaxis.core.envelope import make_file
from docaxis.core.events import Act, Submission
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code, State
from docaxis.core.record import Record
from docaxis.directory.ceremony import Ceremony
from docaxis.directory.entries import make_key, simple_entry
from docaxis.runtime import config
from docaxis.runtime import folder as places
from docaxis.runtime.clock import Clock, SystemClock
from docaxis.runtime.perform import Probe
from docaxis.store.base import Store
from docaxis.testing.ground import free_ports

HOST = "127.0.0.1"
PATIENCE_S = 20.0


_PORTS = free_ports(2_000)


def free_port() -> int:
    """A port that nobody uses, given out once: outside the range that the system takes for outgoing connections."""
    return next(_PORTS)


class Town:
    """Some agencies, each with a node's folder, and the directory that lists them."""

    def __init__(self, place: Path, codes: Sequence[str]) -> None:
        self.place = place
        self.now_ms = SystemClock().now_ms()
        self.entries: dict[str, Entry] = {}
        self.settings: dict[str, config.Settings] = {}
        self.ceremony = Ceremony(place / "authority", self.now_ms)
        for code in codes:
            self._found(code)
        self.ceremony.publish(self.now_ms)
        for code in codes:
            (self.folder(code) / places.ROOT).write_bytes(self.ceremony.root)

    def folder(self, code: str) -> Path:
        """Where the node of this agency lives."""
        return self.place / code.lower()

    def _found(self, code: str) -> None:
        port = free_port()
        endpoint = f"https://{HOST}:{port}"
        text = f"""
            [node]
            id = "{code}"
            [peers]
            host = "{HOST}"
            port = {port}
            endpoint = "{endpoint}"
            [api]
            port = 0
            [directory]
            sources = ["{(self.place / "authority" / "public").as_uri()}"]
            [disk]
            reserve_mib = 0
        """
        self.settings[code] = config.read(text, {}).settings
        made = make_folder(self.folder(code), self.settings[code], None, self.now_ms, b"secret" * 6)
        key = make_key(base64.b64decode(made["keys"][0]["public"]), self.now_ms - limits.DAY_MS)
        certificates = tuple(map(base64.b64decode, made["certificates"]))
        entry = simple_entry(PartyId(code), f"Cơ quan {code}", f"Agency {code}", "agency")
        self.entries[code] = entry._replace(endpoints=(endpoint,), keys=(key,), certificates=certificates)
        self.ceremony.add_agency([self.entries[code]])

    @asynccontextmanager
    async def running(
        self, code: str, clock: Clock | None = None, probe: Probe | None = None, store: Store | None = None
    ) -> AsyncIterator[Service]:
        """The agency's node, until the test is done with it."""
        service = await open_service(
            self.folder(code), self.settings[code], clock=clock, probe=probe, store=store, log_to=StringIO()
        )
        await service.start()
        try:
            yield service
        finally:
            await service.stop()


def submission(to: Sequence[str], *, key: str = "", inline: Sequence[bytes] = (), **more: Any) -> Submission:
    """A document for some agencies, its contents travelling with it."""
    files = tuple(
        make_file(f"{i}.txt", "text/plain", len(data), limits.CHUNK_BYTES, (sha256(data).digest(),))
        for i, data in enumerate(inline)
    )
    given = {"files": files, **more}
    return Submission(
        0, key, b"d" * 32, tuple(to), "new", None, 0, 0, {"subject": "Về việc thử"}, given["files"], tuple(inline)
    )


def act(doc: DocId, code: Code, text: str = "", recipient: str = "") -> Act:
    """What people say."""
    return Act(0, "", b"d" * 32, doc, recipient, code, text, "Nguyễn Văn A")


async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
    """Returns once it is so; looks whenever the loop has done something else. Ends the test after a long patience."""
    async with asyncio.timeout(PATIENCE_S):
        while not await look():  # noqa: ASYNC110  # what is looked at announces nothing
            await asyncio.sleep(0.01)


async def until(service: Service, doc: DocId, state: State, recipient: str = "") -> Record:
    """The record at this node, once the document has reached `state`; waits for the feed, as software does."""
    node = service.node
    after = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            records, _ = await node.store.document(doc)
            for record in records:
                if record.standing.state is state and recipient in ("", record.recipient):
                    return record
            changes = await node.wait_changes(after, 1_000, 1_000)
            after = changes[-1].cursor if changes else after
