"""What the node survives: a full disk, a wrong clock, a silent peer, the loss of its machine, and its own mistakes."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from docaxis.cli.serve import Service
from docaxis.core.effects import Op
from docaxis.core.errors import OurFault
from docaxis.core.ids import DocId
from docaxis.core.lifecycle import State
from docaxis.core.limits import HOUR_MS, MINUTE_MS
from docaxis.runtime import folder as places
from docaxis.runtime.clock import SystemClock
from docaxis.runtime.lives import store_failure
from docaxis.store.sqlite import SqliteStore
from tests.runtime.town import HOST, Town, eventually, submission, until


class MoodyStore(SqliteStore):
    """The real store on a disk that is full whenever the test says so."""

    full = False

    async def commit(self, ops: Sequence[Op]) -> None:
        """Keeps nothing while the disk is full."""
        if self.full:
            raise OurFault("node.disk-full", "no room, says the test")
        await super().commit(ops)


def doc_of(answer: object) -> DocId:
    """The document's id in an answer."""
    assert isinstance(answer, dict)
    return DocId(bytes.fromhex(str(answer["doc"])))


async def test_a_full_disk_turns_people_and_peers_away_and_goes_on_by_itself_when_it_has_room(town: Town) -> None:
    """Nothing is lost, nobody has to restart anything, and reading goes on meanwhile."""
    store = MoodyStore(town.folder("G22") / places.DATABASE)
    async with town.running("G22", store=store) as office:
        async with town.running("H49") as province:
            before = doc_of(await office.node.submit(submission(["H49"])))
            await until(office, before, State.ARRIVED)
            store.full = True
            with pytest.raises(OurFault, match=r"node\.disk-full"):
                await office.node.submit(submission(["H49"], key="later"))
            waiting = doc_of(await province.node.submit(submission(["G22"])))
            await eventually(lambda: counted(province, "sends.node.disk-full"))
            assert (await office.node.status())["state"] == "node.disk-full"
            assert len(await office.node.store.documents(True, None, 10, None)) == 1
            store.full = False
            await eventually(lambda: serves(office))
            after = doc_of(await office.node.submit(submission(["H49"], key="later")))
            await until(office, after, State.ARRIVED)
            assert (await office.node.status())["lives"] != 1
        # The province was asked to wait a minute; two minutes later it tries again.
        async with town.running("H49", clock=SystemClock(2 * MINUTE_MS)) as province:
            await until(province, waiting, State.ARRIVED)


async def counted(service: Service, name: str) -> bool:
    """Whether this counter has moved."""
    return service.node.metrics().get(name, 0) > 0


def log_of(service: Service) -> str:
    """Everything that a node of the town has logged."""
    stream = service.node.log._stream
    assert isinstance(stream, StringIO)
    return stream.getvalue()


async def serves(service: Service) -> bool:
    """Whether the node takes requests."""
    return (await service.node.status())["state"] == "serving"


async def test_below_the_reserve_nothing_new_is_taken(town: Town) -> None:
    """A node stops taking in while there is still room to finish what it began."""
    async with town.running("G22") as office:
        office.node.disk.reserve_bytes = 2**60
        with pytest.raises(OurFault, match=r"node\.disk-full"):
            await office.node.submit(submission(["H49"]))
        with pytest.raises(OurFault, match=r"node\.disk-full"):
            await office.node.keep_chunk(b"x" * 32, b"data")


async def test_below_the_reserve_status_and_log_say_so_until_there_is_room_again(town: Town) -> None:
    """The operator's alarm is the state; whoever reads the log afterwards sees from when to when."""
    async with town.running("G22") as office:
        assert await serves(office)
        office.node.disk.reserve_bytes = 2**60
        for _ in range(2):
            assert (await office.node.status())["state"] == "node.disk-full"
        office.node.disk.reserve_bytes = 0
        assert await serves(office)
        said = log_of(office)
    assert said.count("event=node.disk-full") == said.count("event=node.disk-has-room") == 1


@pytest.mark.parametrize("offset_ms", [-HOUR_MS, HOUR_MS])
async def test_a_clock_an_hour_wrong_delays_nothing(town: Town, offset_ms: int) -> None:
    """Times are claims; order comes from chains. The wrong clock shows in the record, and nowhere else."""
    async with town.running("G22", clock=SystemClock(offset_ms)) as office, town.running("H49") as province:
        there = doc_of(await office.node.submit(submission(["H49"])))
        back = doc_of(await province.node.submit(submission(["G22"])))
        await until(office, there, State.ARRIVED)
        await until(province, back, State.ARRIVED)


async def test_a_peer_that_accepts_and_never_answers_delays_nobody_else(tmp_path: Path) -> None:
    """One bad peer harms only itself."""
    town = Town(tmp_path, ["G22", "H49", "H54"])
    with closing(socket.create_server((HOST, town.settings["H54"].peers.port))):
        async with town.running("G22") as office, town.running("H49"):
            silent = doc_of(await office.node.submit(submission(["H54"])))
            for _ in range(5):
                doc = doc_of(await office.node.submit(submission(["H49", "H54"])))
                await until(office, doc, State.ARRIVED, "H49")
            records, _ = await office.node.store.document(silent)
            assert [record.standing.state for record in records] == [State.SENT]


async def test_a_restored_node_gets_back_what_peers_still_hold(town: Town, tmp_path: Path) -> None:
    """A backup is never of the last minute; the epoch tells peers to send again what came after it."""
    async with town.running("H49") as province:
        async with town.running("G22") as office:
            first = doc_of(await province.node.submit(submission(["G22"])))
            await until(province, first, State.ARRIVED)
            copied = await office.node.backup(str(tmp_path / "backup"))
            assert copied["chunks"] == 0
            second = doc_of(await province.node.submit(submission(["G22"])))
            third = doc_of(await office.node.submit(submission(["H49"])))
            await until(province, second, State.ARRIVED)
            await until(office, third, State.ARRIVED)
        for name in ("node.db", "node.db-wal", "node.db-shm"):
            (town.folder("G22") / name).unlink(missing_ok=True)
        places.restore_backup(tmp_path / "backup", town.folder("G22"))
        async with town.running("G22") as office:
            for doc in (first, second):
                await until(office, doc, State.ARRIVED)
            await until(office, third, State.ARRIVED)
            totals = await office.node.store.totals()
            assert (totals.incoming, totals.outgoing) == ({State.ARRIVED: 2}, {State.ARRIVED: 1})


async def test_a_mistake_of_ours_ends_the_node_visibly(town: Town) -> None:
    """A bug that were swallowed would be a node that looks alive and does nothing."""

    class Stumble:
        def reached(self, seam: str) -> None:
            if seam == "committed":
                raise ZeroDivisionError("a mistake")

    service = town.running("G22", probe=Stumble())
    async with service as office:
        with pytest.raises(OurFault, match=r"node\.stopping"):
            await office.node.submit(submission(["H49"]))
        with pytest.raises(BaseExceptionGroup) as caught:
            await office.node.wait()
        assert caught.group_contains(ZeroDivisionError)


def test_only_the_store_s_own_errors_are_survived() -> None:
    """Where a mistake is among them, it counts."""
    full, other = OurFault("node.disk-full", "a"), OurFault("node.store", "b")
    assert store_failure(BaseExceptionGroup("", [BaseExceptionGroup("", [full]), other])) is full
    assert store_failure(BaseExceptionGroup("", [full, ZeroDivisionError()])) is None
    assert store_failure(BaseExceptionGroup("", [OurFault("node.keys", "c")])) is None


async def test_the_loop_may_be_asked_to_stop_at_once(town: Town) -> None:
    """Starting and stopping without a pause in between leaves nothing behind."""
    for _ in range(3):
        async with town.running("G22"):
            pass
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("node ")]
