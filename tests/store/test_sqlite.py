"""What only an engine on a disk can be asked: kills, a full disk, a long log, other people's files."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from docaxis.core.effects import DropContent, LogRefusal, PutRecord
from docaxis.core.errors import OurFault
from docaxis.core.limits import MIB
from docaxis.core.wanted import Wanted
from docaxis.store import disk, migrate
from docaxis.store.sqlite import SqliteSettings, SqliteStore
from tests.store.making import H49, NOW_MS, Made, make

ROOT = Path(__file__).resolve().parents[2]
KILLS = 5


def commit_until_killed(database: Path, first: int, lines: int) -> list[int]:
    """The numbers of the commits that had returned, as far as the killed process could say so."""
    command = [sys.executable, "-m", "tests.store.committer", str(database), str(first)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    return [int(line) for line in said if line.endswith("\n")]


async def test_what_was_committed_survives_kills_at_any_moment(tmp_path: Path) -> None:
    """Everything whose commit returned is there, and nothing is there by half."""
    database, returned = tmp_path / "node.db", set[int]()
    for kill in range(KILLS):
        numbers = commit_until_killed(database, 10_000 * kill, 7 + 13 * kill)
        assert len(numbers) >= 7 + 13 * kill
        returned.update(numbers)
        store = SqliteStore(database)
        assert (await store.open(NOW_MS + 1)).epoch == NOW_MS
        totals = await store.totals()
        ids = tuple(make(number).doc for number in returned)
        assert (await store.find(Wanted(objects=ids))).objects == set(ids)
        assert totals.envelopes == totals.statements == totals.queued == sum(totals.outgoing.values())
        assert totals.envelopes == await store.last_change() >= len(returned)
        await store.close()
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def large(number: int) -> Made:
    """A document with 30 KiB of content."""
    return make(number, chunks=(number.to_bytes(2, "big") * 15_000,))


async def fill(store: SqliteStore) -> int:
    """Commits documents until there is no room; how many were kept."""
    kept = 0
    with contextlib.suppress(OurFault):
        while True:
            await store.commit(large(kept).submitted())
            kept += 1
    return kept


async def test_a_full_disk_refuses_what_is_new_and_keeps_the_rest_going(tmp_path: Path) -> None:
    """The reserve is for receipts and refusals; new documents come again once there is room."""
    settings = SqliteSettings(database_bytes_max=4 * MIB, reserve_bytes=MIB // 2)
    store = SqliteStore(tmp_path / "node.db", settings)
    await store.open(NOW_MS)
    kept = await fill(store)
    assert (await store.document(large(kept).doc)) == ((), ())
    assert not (tmp_path / "node.reserve").exists()

    for number in range(50):
        await store.commit([LogRefusal("H57", "node.disk-full", "", number), PutRecord(large(0).record(tries=number))])
    with pytest.raises(OurFault) as refused:
        await store.commit(make(5_000).submitted())
    assert refused.value.code == "node.disk-full"
    assert (await store.totals())[2:] == (kept, 0, kept, 50)

    await store.commit([DropContent(large(number).doc) for number in range(kept)])
    await store.commit(make(5_000).submitted())
    assert (tmp_path / "node.reserve").exists()
    await store.close()

    store = SqliteStore(tmp_path / "node.db", settings)
    await store.open(NOW_MS)
    assert (await store.totals()).envelopes == kept + 1
    await store.close()


async def test_on_a_full_disk_neighbours_that_need_no_room_are_kept(tmp_path: Path) -> None:
    """A receipt that waits together with a large document must not share its fate."""
    store = SqliteStore(tmp_path / "node.db", SqliteSettings(database_bytes_max=2 * MIB, reserve_bytes=MIB // 4))
    await store.open(NOW_MS)
    kept = await fill(store)
    commits = [store.commit(large(kept + number).submitted()) for number in range(5)]
    commits.insert(2, store.commit([LogRefusal("H57", "node.disk-full", "", 1)]))
    fates = await asyncio.gather(*commits, return_exceptions=True)
    assert [fate is None for fate in fates] == [False, False, True, False, False, False]
    assert (await store.totals()).refusals == 1
    await store.close()


async def test_the_log_does_not_grow_without_end_while_commits_keep_coming(tmp_path: Path) -> None:
    """It is copied back beside the commits, and starts again from its beginning."""
    store = SqliteStore(tmp_path / "node.db", SqliteSettings(wal_bytes=MIB))
    await store.open(NOW_MS)
    longest = 0
    for start in range(0, 1_600, 10):
        await asyncio.gather(*(store.commit(large(start + number).submitted()) for number in range(10)))
        longest = max(longest, (tmp_path / "node.db-wal").stat().st_size)
    await store.close()
    assert (tmp_path / "node.db").stat().st_size > 40 * MIB
    assert longest < 20 * MIB
    assert not (tmp_path / "node.db-wal").exists()


async def test_many_tasks_may_write_and_read_at_once(tmp_path: Path) -> None:
    """Reads wait neither for the writer nor for each other's end."""
    store = SqliteStore(tmp_path / "node.db")
    await store.open(NOW_MS)

    async def work(number: int) -> None:
        made = make(number)
        await store.commit(made.submitted())
        found = await store.find(Wanted(records=((made.doc, H49),)))
        assert found.records[made.doc, H49].envelope == made.body

    await asyncio.gather(*map(work, range(200)))
    assert (await store.totals()).envelopes == 200
    await store.close()


async def test_a_second_process_finds_the_store_in_use(tmp_path: Path) -> None:
    """Two writers would each believe the other's rows impossible."""
    first, second = SqliteStore(tmp_path / "node.db"), SqliteStore(tmp_path / "node.db")
    await first.open(NOW_MS)
    with pytest.raises(OurFault, match="in use"):
        await second.open(NOW_MS)
    await first.close()
    await second.open(NOW_MS)
    await second.close()


async def test_a_store_can_be_closed_twice_and_opened_again(tmp_path: Path) -> None:
    """After a failure the driver closes it, opens it and builds a new machine from it."""
    store = SqliteStore(tmp_path / "node.db")
    await store.close()
    await store.open(NOW_MS)
    await store.commit(make(1).submitted())
    await store.close()
    await store.close()
    for attempt in (store.commit([]), store.totals()):
        with pytest.raises(OurFault, match="not open"):
            await attempt
    assert (await store.open(NOW_MS)).waiting == ((H49, 2),)
    await store.close()


async def test_closing_writes_what_waits(tmp_path: Path) -> None:
    """Graceful means that whoever was told nothing yet is still told the truth."""
    store = SqliteStore(tmp_path / "node.db")
    await store.open(NOW_MS)
    commits = [asyncio.create_task(store.commit(make(number).submitted())) for number in range(20)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*commits)
    await store.open(NOW_MS)
    assert (await store.totals()).envelopes == 20
    await store.close()


@pytest.mark.parametrize("content", [b"SQLite format 3\0" + b"x" * 5_000, b"not a database at all" * 300])
async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """And the lock is free again for whoever repairs it."""
    (tmp_path / "node.db").write_bytes(content)
    store = SqliteStore(tmp_path / "node.db")
    for _ in range(2):
        with pytest.raises(OurFault) as refused:
            await store.open(NOW_MS)
        assert refused.value.code == "node.store"
    assert (tmp_path / "node.db").read_bytes() == content


async def test_a_newer_database_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """See `docaxis.store.migrate`."""
    store = SqliteStore(tmp_path / "node.db")
    await store.open(NOW_MS)
    await store.close()
    with closing(sqlite3.connect(tmp_path / "node.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {len(migrate.STEPS) + 5}")
        connection.execute("UPDATE meta SET value = ? WHERE name = 'compatible_from'", (len(migrate.STEPS) + 1,))
    with pytest.raises(OurFault) as refused:
        await store.open(NOW_MS)
    assert refused.value.code == "store.too-new"


async def test_a_network_disk_is_refused_unless_somebody_insists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """See `docaxis.store.disk`."""
    monkeypatch.setattr(disk, "mount_kind", lambda path, mounts: "cifs")
    with pytest.raises(OurFault, match="network"):
        await SqliteStore(tmp_path / "node.db").open(NOW_MS)
    insisting = SqliteStore(tmp_path / "node.db", SqliteSettings(network_disk=True))
    await insisting.open(NOW_MS)
    await insisting.close()


async def test_only_the_node_s_own_user_may_read_its_files(tmp_path: Path) -> None:
    """Letters are private, on the node's machine too."""
    store = SqliteStore(tmp_path / "node.db")
    await store.open(NOW_MS)
    await store.commit(make(1).submitted())
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}
    await store.close()


async def test_dropped_content_is_not_even_in_the_file(tmp_path: Path) -> None:
    """A recall takes back what a disk's finder could read."""
    secret = b"words that were taken back " * 300
    made = make(1, chunks=(secret,))
    store = SqliteStore(tmp_path / "node.db")
    await store.open(NOW_MS)
    await store.commit(made.submitted())
    await store.commit([DropContent(made.doc)])
    await store.close()
    assert b"taken back" not in (tmp_path / "node.db").read_bytes()
