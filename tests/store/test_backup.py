"""Backup of a node that runs, and restoring: consistent, marked, complete, and never over something else."""

import asyncio
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from docaxis.core.effects import PutContent
from docaxis.core.errors import OurFault, TheirFault
from docaxis.store import backup
from docaxis.store.blobs import Blobs
from docaxis.store.sqlite import SqliteStore
from tests.store.making import NOW_MS, make


class Node:
    """A folder as a node has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.store = SqliteStore(folder / "node.db")
        self.blobs = Blobs(folder / "blobs")

    async def keep(self, number: int) -> None:
        """A document with one chunk that is a file."""
        chunk = b"chunk %d" % number
        digest = sha256(chunk).digest()
        await self.blobs.keep(digest, chunk)
        made = make(number)
        await self.store.commit([*made.submitted(), PutContent(made.doc, digest, None)])

    def take(self, target: Path, now_ms: int = NOW_MS + 10) -> backup.Taken:
        """Backs it up, in its own process or another."""
        return backup.take(self.folder / "node.db", self.folder / "blobs", target, now_ms)


@pytest.fixture
async def node(tmp_path: Path) -> Node:
    """An open node with three documents."""
    made = Node(tmp_path / "node")
    await made.store.open(NOW_MS)
    for number in range(3):
        await made.keep(number)
    return made


def restore(source: Path, folder: Path) -> backup.Taken:
    """Into a folder as a node has it."""
    return backup.restore(source, folder / "node.db", folder / "blobs")


async def test_a_restored_node_holds_everything_of_the_backup(node: Node, tmp_path: Path) -> None:
    """Rows and files, and nothing that came later."""
    taken = node.take(tmp_path / "backup")
    assert (taken.chunks, taken.chunks_bytes) == (3, 21)
    assert backup.check(tmp_path / "backup" / "node.db") == NOW_MS + 10
    await node.keep(3)
    await node.store.close()
    assert restore(tmp_path / "backup", tmp_path / "other") == taken
    other = Node(tmp_path / "other")
    assert (await other.store.open(NOW_MS + 20))[:2] == (NOW_MS + 20, NOW_MS + 10)
    assert (await other.store.totals()).envelopes == 3
    for number in range(3):
        assert await other.blobs.read(sha256(b"chunk %d" % number).digest()) == b"chunk %d" % number
    await other.store.close()


async def test_a_backup_is_consistent_while_commits_go_on(node: Node, tmp_path: Path) -> None:
    """Every file that a row of the backup names is in the backup."""

    async def write() -> None:
        for number in range(10, 60):
            await node.keep(number)

    writing = asyncio.create_task(write())
    for number in range(5):
        await asyncio.to_thread(node.take, tmp_path / f"backup-{number}")
    await writing
    await node.store.close()
    for number in range(5):
        restore(tmp_path / f"backup-{number}", tmp_path / f"node-{number}")
        other = Node(tmp_path / f"node-{number}")
        await other.store.open(NOW_MS + 20)
        totals = await other.store.totals()
        assert totals.envelopes == totals.queued == sum(totals.outgoing.values()) >= 3
        named = [each for each in range(60) if await other.store.claimed([sha256(b"chunk %d" % each).digest()])]
        assert len(named) == totals.envelopes
        assert all([await other.blobs.size(sha256(b"chunk %d" % each).digest()) for each in named])
        await other.store.close()


async def test_restoring_never_overwrites_a_node(node: Node, tmp_path: Path) -> None:
    """Not even one whose database is gone and whose log is not."""
    node.take(tmp_path / "backup")
    await node.store.close()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "node.db-wal").touch()
    for folder in (node.folder, tmp_path / "half"):
        with pytest.raises(OurFault) as refused:
            restore(tmp_path / "backup", folder)
        assert refused.value.code == "node.exists"


async def test_only_a_sound_backup_is_restored(node: Node, tmp_path: Path) -> None:
    """A copied database without its mark would speak with an old epoch, and its peers would not notice."""
    node.take(tmp_path / "backup")
    await node.store.close()
    with closing(sqlite3.connect(node.folder / "node.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "node.db").touch()
    damaged = tmp_path / "backup" / "node.db"
    content = bytearray(damaged.read_bytes())
    for source, why in (
        (node.folder, "not a backup"),
        (tmp_path / "nothing", "no backup"),
        (tmp_path / "empty", "is empty"),
    ):
        with pytest.raises(TheirFault, match=why):
            restore(source, tmp_path / "other")
    content[4_096 * 3 : 4_096 * 5] = b"\xff" * 8_192
    damaged.write_bytes(content)
    with pytest.raises(TheirFault, match="is damaged") as refused:
        restore(tmp_path / "backup", tmp_path / "other")
    assert refused.value.code == "file.wrong"
    assert not (tmp_path / "other" / "node.db").exists()


async def test_an_interrupted_backup_has_no_database_and_can_be_taken_again(node: Node, tmp_path: Path) -> None:
    """What is half done must not look like a backup."""
    target = tmp_path / "backup"
    target.mkdir()
    (target / "node.db.unfinished").write_bytes(b"half")
    node.take(target)
    assert sorted(path.name for path in target.iterdir()) == ["blobs", "node.db"]
    with pytest.raises(OurFault) as refused:
        node.take(target)
    assert refused.value.code == "node.exists"
    await node.store.close()


async def test_a_backup_that_fails_leaves_no_rest(node: Node, tmp_path: Path) -> None:
    """On a disk that was too small, the rest would take the room that receipts need."""
    with closing(sqlite3.connect(node.folder / "node.db")) as connection:
        connection.execute("DROP TABLE meta")
    target = tmp_path / "backup"
    with pytest.raises(OurFault):
        node.take(target)
    assert list(target.iterdir()) == []
    await node.store.close()


async def test_chunks_are_copied_where_they_cannot_be_linked(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup belongs on another disk."""

    def refuse(self: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    node.take(tmp_path / "backup")
    await node.store.close()
    copies = list((tmp_path / "backup" / "blobs").glob("*/*/*"))
    assert sorted(path.read_bytes() for path in copies) == [b"chunk 0", b"chunk 1", b"chunk 2"]
    assert all(path.stat().st_nlink == 1 for path in copies)


async def test_there_is_no_backup_of_nothing(tmp_path: Path) -> None:
    """A mistyped folder is told, not backed up."""
    with pytest.raises(OurFault, match="no database"):
        backup.take(tmp_path / "node.db", tmp_path / "blobs", tmp_path / "backup", NOW_MS)
