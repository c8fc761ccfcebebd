"""The cache: what was kept is there after a crash, and what is damaged is not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.errors import OurFault
from docaxis.directory.cache import GARBAGE_BYTES_MAX, MAGIC, Cache, record

ONE = {"timestamp.json": b"1", "1.root.json": b"root", "state": b"s1"}


def keep(path: Path, *rounds: dict[str, bytes]) -> Cache:
    """A cache after some rounds; each round's files are all that is alive."""
    cache = Cache(path)
    for files in rounds:
        cache.keep(files, files.keys(), files)
    return cache


def test_what_was_kept_is_read_back_and_the_last_word_counts(tmp_path: Path) -> None:
    """Names are kept anew with every refresh."""
    keep(tmp_path / "c", ONE, {**ONE, "timestamp.json": b"2"})
    assert Cache(tmp_path / "c").load() == {**ONE, "timestamp.json": b"2"}


def test_nothing_kept_is_nothing_read(tmp_path: Path) -> None:
    """A first start, and a file that is not ours."""
    assert Cache(tmp_path / "none" / "c").load() == {}
    (tmp_path / "c").write_bytes(b"something else")
    assert Cache(tmp_path / "c").load() == {}


@given(st.integers(0, 400), st.data())
def test_a_torn_or_damaged_tail_costs_only_the_tail(
    tmp_path_factory: pytest.TempPathFactory, cut: int, data: st.DataObject
) -> None:
    """Power may fail at any byte; what was durable before stays whole."""
    path = tmp_path_factory.mktemp("cache") / "c"
    keep(path, ONE)
    sound = path.stat().st_size
    with path.open("ab") as file:
        file.write(record("timestamp.json", b"2" * 300)[:cut])
    if cut >= 338 + len("timestamp.json"):
        return
    cache = Cache(path)
    assert cache.load() == ONE
    damaged = bytearray(path.read_bytes()[:sound])
    damaged[data.draw(st.integers(0, sound - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(damaged)
    assert Cache(path).load().items() <= ONE.items()


def test_nothing_is_appended_behind_a_damaged_tail(tmp_path: Path) -> None:
    """It would never be read."""
    path = tmp_path / "c"
    keep(path, ONE)
    with path.open("ab") as file:
        file.write(b"torn")
    cache = Cache(path)
    cache.load()
    cache.keep({"state": b"s2"}, ONE.keys(), {**ONE, "state": b"s2"})
    assert Cache(path).load() == {**ONE, "state": b"s2"}


def test_a_cache_that_was_read_whole_is_appended_to(tmp_path: Path) -> None:
    """Opening does not cost a rewrite of everything."""
    path = tmp_path / "c"
    keep(path, ONE)
    before = path.stat()
    cache = Cache(path)
    cache.load()
    cache.keep({"state": b"s2"}, ONE.keys(), {**ONE, "state": b"s2"})
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_size == before.st_size + len(record("state", b"s2"))


def test_the_file_stays_within_twice_what_is_alive(tmp_path: Path) -> None:
    """A year of timestamps does not fill the disk."""
    path = tmp_path / "c"
    cache = Cache(path)
    for number in range(40):
        files = {"shard": bytes([number]) * 100_000}
        cache.keep(files, files.keys(), files)
    assert path.stat().st_size <= 2 * 100_000 + GARBAGE_BYTES_MAX + len(MAGIC)
    assert Cache(path).load() == {"shard": bytes([39]) * 100_000}


def test_a_disk_that_cannot_be_written_is_our_fault(tmp_path: Path) -> None:
    """With a code, never a traceback; and the next attempt starts anew."""
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(tmp_path / "file" / "c")
    with pytest.raises(OurFault) as caught:
        cache.keep(ONE, ONE.keys(), ONE)
    assert caught.value.code == "node.store"


def test_a_full_disk_has_its_own_code() -> None:
    """The operator must make room, not mend the disk."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs a device that is always full")
    cache = Cache(full)
    cache._bytes = 1
    with pytest.raises(OurFault) as caught:
        cache.keep(ONE, ONE.keys(), {name: bytes(1000) for name in ONE})
    assert caught.value.code == "node.disk-full"
