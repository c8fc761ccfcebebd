"""One process that runs real nodes as `docaxis.testing.host` does, takes documents at the moments it is told, and
counts.

Started by `tools.calibration.plant`, which speaks to it in lines of JSON. Documents enter by the node's own `submit`,
the method that its local API calls: a third process with an HTTP client would take the two cores that are measured.
When each is due comes through a pipe, number by number, so that the loop hears of it as it hears of any request.
"""

import argparse
import asyncio
import itertools
import json
import os
import resource
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from docaxis.cli.serve import Service, open_service, tune_interpreter
from docaxis.core.envelope import File, make_file
from docaxis.core.errors import DocaxisError
from docaxis.core.events import Act, Submission
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Code
from docaxis.runtime import config
from docaxis.runtime import folder as places
from tools.calibration.ledger import INBOUND, CountingStore, Ledger
from tools.calibration.load import Birth, births_read
from tools.calibration.pacing import NUMBER
from tools.calibration.yardstick import Yardstick

CHUNK_BYTES: Final = 1 << 20
_META: Final = {"number": "28", "notation": "2018/QĐ-TTg", "subject": "Về việc gửi, nhận văn bản điện tử"}
_PIPE_BYTES: Final = 1 << 16
_LINE_BYTES_MAX: Final = 1 << 20


class Hosted:
    """One node and its ledger, through all its lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger(PartyId(folder.name))
        self.service: Service | None = None

    async def start(self) -> None:
        """Starts the node, for the first time or again."""
        settings = config.load(self.folder, os.environ).settings
        store = CountingStore(self.folder / places.DATABASE, self.ledger)
        self.service = await open_service(self.folder, settings, probe=self.ledger, store=store)
        await self.service.start()

    async def stop(self) -> None:
        """Stops it gracefully."""
        service, self.service = self.service, None
        if service is not None:
            await service.stop()

    def counts(self) -> dict[str, int]:
        """Everything counted of this node since it first started, requests since its last start."""
        found = dict(self.ledger.counts)
        sends = {} if self.service is None else self.service.node.metrics()
        found["requests"] = sum(amount for name, amount in sends.items() if name.startswith("sends."))
        return found


class Host:
    """Nodes of one process by their number in the whole set-up."""

    def __init__(self, nodes: dict[int, Hosted], codes: list[str], yardstick: Yardstick) -> None:
        self.nodes = nodes
        self._yardstick = yardstick
        self._codes = codes
        self._births: tuple[Birth, ...] = ()
        self._submissions: dict[int, Submission] = {}
        self._docs: dict[bytes, int] = {}
        self._handed: dict[int, tuple[int, int, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._rest = b""
        self._next: Iterator[int] = iter(())

    # --- commands ---

    async def prepare(self, path: str) -> dict[str, Any]:
        """Builds what will be handed in here; chunks that will be pulled are uploaded, as a clerk's software does."""
        text = Path(path).read_text(encoding="utf-8")  # noqa: ASYNC240 - nothing is measured yet
        self._births = births_read(json.loads(text))
        mine = {number: birth for number, birth in enumerate(self._births) if birth.sender in self.nodes}
        self._submissions = {number: await self._submission(number, birth) for number, birth in mine.items()}
        self._docs, self._handed = {}, {}
        for node in self.nodes.values():
            node.ledger.moments.clear()
            node.ledger.commit_ns.clear()
        tune_interpreter()
        return {"births": len(mine)}

    async def _submission(self, number: int, birth: Birth) -> Submission:
        seed = sha256(os.urandom(16) + number.to_bytes(8, "big")).digest()
        data = (seed * (birth.bytes // len(seed) + 1))[: birth.bytes]
        chunks = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
        digests = tuple(sha256(chunk).digest() for chunk in chunks)
        files: tuple[File, ...] = ()
        if chunks:
            files = (make_file("van-ban.pdf", "application/pdf", len(data), CHUNK_BYTES, digests),)
        if not birth.inline:
            service = self.nodes[birth.sender].service
            assert service is not None
            for digest, chunk in zip(digests, chunks, strict=True):
                await service.node.keep_chunk(digest, chunk)
        inline = tuple(chunks) if birth.inline else ()
        to = tuple(self._codes[each] for each in birth.to)
        return Submission(0, "", b"", to, "new", None, 0, 0, _META, files, inline)

    async def counts(self) -> dict[str, Any]:
        """What was used and done until now."""
        return {
            "at_ns": time.monotonic_ns(),
            "cpu_ns": time.process_time_ns(),
            "loop_ns": time.thread_time_ns(),
            "waits": resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw,
            "yardstick": [self._yardstick.times, self._yardstick.ns],
            "nodes": {number: node.counts() for number, node in self.nodes.items()},
        }

    async def harvest(self, path: str) -> dict[str, Any]:
        """Writes what became of the documents: when each was handed in and answered, and every arrival seen here."""
        moments = [
            [side, self._docs.get(doc, -1), doc.hex(), recipient, at_ns]
            for node in self.nodes.values()
            for side, doc, recipient, at_ns in node.ledger.moments
        ]
        commit_ns = {number: node.ledger.commit_ns for number, node in self.nodes.items()}
        found = {"handed": self._handed, "moments": moments, "commit_ns": commit_ns}
        Path(path).write_text(json.dumps(found), encoding="utf-8")  # noqa: ASYNC240 - nothing is measured any more
        return {"documents": len(self._handed)}

    async def done(self) -> dict[str, Any]:
        """How many arrivals and homecomings were seen since the load was prepared."""
        moments = [side for node in self.nodes.values() for side, *_ in node.ledger.moments]
        arrived = sum(side == INBOUND for side in moments)
        return {"arrived": arrived, "home": len(moments) - arrived, "handing_in": len(self._tasks)}

    async def stored(self) -> dict[str, Any]:
        """Bytes that the rows of each node's database fill, whether copied back from its log or not."""
        return {"bytes": {number: _database_bytes(node.folder) for number, node in self.nodes.items()}}

    async def keep_going(self, in_flight: int) -> dict[str, Any]:
        """Hands in the next document whenever one is home, so that `in_flight` are under way."""
        self._next = itertools.cycle(sorted(self._submissions))
        for node in self.nodes.values():
            node.ledger.heard = self._go_on
        for _ in range(in_flight):
            self._go_on()
        return {}

    async def let_go(self) -> dict[str, Any]:
        """Hands in no more; returns when what is under way is home, or nothing moves any more."""
        for node in self.nodes.values():
            node.ledger.heard = None
        seen = -1
        while seen != (seen := sum(len(node.ledger.moments) for node in self.nodes.values())):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.5)
        return {}

    def _go_on(self) -> None:
        self._begin(next(self._next))

    async def blobs(self, node: int, size: int, count: int) -> dict[str, Any]:
        """How long it takes to keep a new chunk, again and again."""
        service = self.nodes[node].service
        assert service is not None
        found = []
        for _ in range(count):
            data = os.urandom(32) + bytes(size - 32)
            began_ns = time.monotonic_ns()
            await service.node.keep_chunk(sha256(data).digest(), data)
            found.append(time.monotonic_ns() - began_ns)
        return {"ns": found}

    async def switch(self, number: int, on: bool) -> dict[str, Any]:
        """Switches one node on or off; the moment at which that was done."""
        if number in self.nodes:
            await (self.nodes[number].start() if on else self.nodes[number].stop())
        return {"at_ns": time.monotonic_ns()}

    async def act(self, number: int, codes: list[str], together: bool) -> dict[str, Any]:
        """People at a node state steps of every document that arrived there, one document after the other or at
        once."""
        node = self.nodes.get(number)
        if node is None or node.service is None:
            return {"acts": 0}
        docs = [DocId(doc) for side, doc, _, _ in node.ledger.moments if side == INBOUND]
        for code in codes:
            acts = [node.service.node.act(Act(0, "", b"", doc, "", Code(code), "", "")) for doc in docs]
            if together:
                await asyncio.gather(*acts)
            else:
                for each in acts:
                    await each
        return {"acts": len(docs) * len(codes)}

    # --- documents ---

    def hand_in(self, pipe: int) -> None:
        """Documents whose moment has come, by number."""
        data = self._rest + os.read(pipe, _PIPE_BYTES)
        whole = len(data) - len(data) % NUMBER.size
        self._rest = data[whole:]
        for (number,) in NUMBER.iter_unpack(data[:whole]):
            self._begin(number)

    def _begin(self, number: int) -> None:
        task = asyncio.create_task(self._hand_in(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_in(self, number: int) -> None:
        began_ns = time.monotonic_ns()
        service = self.nodes[self._births[number].sender].service
        refused = ""
        try:
            if service is None:
                refused = "node.stopped"
            else:
                answer = await service.node.submit(self._submissions[number])
                self._docs[bytes.fromhex(str(answer["doc"]))] = number
        except DocaxisError as error:
            refused = error.code
        self._handed[number] = (began_ns, time.monotonic_ns(), refused)


def _database_bytes(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / places.DATABASE}?mode=ro", uri=True)) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


async def _serve(host: Host, pipe: int) -> None:
    loop = asyncio.get_running_loop()
    loop.add_reader(pipe, host.hand_in, pipe)
    reader = asyncio.StreamReader(limit=_LINE_BYTES_MAX)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        answer = await getattr(host, command.pop("do"))(**command)
        _say(answer)


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


async def _run(args: argparse.Namespace) -> None:
    codes = [folder.name for folder in args.folders]
    mine = {number: Hosted(args.folders[number]) for number in args.mine}
    try:
        for node in mine.values():
            await node.start()
        tune_interpreter()
        yardstick = Yardstick()
        measuring = asyncio.create_task(yardstick.keep_measuring())
        _say("ready")
        await _serve(Host(mine, codes, yardstick), args.pipe)
        measuring.cancel()
    finally:
        await asyncio.gather(*(node.stop() for node in mine.values()))


def main() -> int:
    """Runs until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m tools.calibration.host", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="the folders of all nodes of the set-up, by number")
    parser.add_argument("--mine", nargs="+", type=int, required=True, help="the numbers of the nodes that run here")
    parser.add_argument("--pipe", type=int, required=True, help="the open file that says which document is due")
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import uvloop  # noqa: PLC0415 - the loop that nodes use

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(args))
    return 0


if __name__ == "__main__":
    sys.exit(main())
