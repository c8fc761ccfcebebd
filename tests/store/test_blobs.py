"""Chunks as files: durable under their own name or not there at all."""

import errno
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.limits import CHUNK_BYTES_MAX
from docaxis.store.blobs import Blobs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where chunks go; it does not exist yet."""
    return tmp_path / "blobs"


@pytest.fixture
def blobs(folder: Path) -> Blobs:
    """No chunk yet."""
    return Blobs(folder)


def digest_of(data: bytes) -> bytes:
    """Its name."""
    return sha256(data).digest()


async def keep(blobs: Blobs, *chunks: bytes) -> list[bytes]:
    """Keeps chunks and gives their digests."""
    for chunk in chunks:
        await blobs.keep(digest_of(chunk), chunk)
    return [digest_of(chunk) for chunk in chunks]


def make_old(blobs: Blobs, digest: bytes, at_ms: int) -> None:
    """As if it had been kept at that time."""
    os.utime(blobs.path(digest), ns=(at_ms * 1_000_000, at_ms * 1_000_000))


def files(folder: Path) -> list[str]:
    """Every file below, without its folders."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_a_chunk_is_found_under_its_digest(blobs: Blobs, folder: Path) -> None:
    """Two levels of folders, so that none grows too long."""
    (digest,) = await keep(blobs, b"content")
    name = digest.hex()
    assert blobs.path(digest) == folder / name[:2] / name[2:4] / name
    assert (await blobs.read(digest), await blobs.size(digest)) == (b"content", 7)
    assert (await blobs.read(b"\0" * 32), await blobs.size(b"\0" * 32)) == (None, None)


async def test_keeping_twice_is_once_and_leaves_no_rest(blobs: Blobs, folder: Path) -> None:
    """Two clerks upload the same form."""
    digest, _ = await keep(blobs, b"content", b"content")
    assert files(folder) == [digest.hex()]


async def test_bytes_that_are_not_the_announced_ones_leave_nothing(blobs: Blobs, folder: Path) -> None:
    """Whoever sends them."""
    with pytest.raises(TheirFault) as refused:
        await blobs.keep(digest_of(b"content"), b"CONTENT")
    assert refused.value.code == "content.corrupt"
    assert files(folder) == []


async def test_a_write_that_fails_leaves_nothing(blobs: Blobs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk may fill up between the look and the write."""

    def refuse(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", refuse)
    with pytest.raises(OurFault) as refused:
        await keep(blobs, b"content")
    assert refused.value.code == "node.disk-full"
    assert files(folder) == []


async def test_a_chunk_has_a_largest_size(blobs: Blobs, folder: Path) -> None:
    """The wire has the same limit."""
    with pytest.raises(TheirFault) as refused:
        await keep(blobs, b"x" * (CHUNK_BYTES_MAX + 1))
    assert refused.value.code == "content.too-large"
    assert not folder.exists()


async def test_chunks_leave_room_to_the_database(folder: Path) -> None:
    """A disk filled with attachments must not stop receipts."""
    blobs = Blobs(folder, free_bytes_min=1 << 60)
    with pytest.raises(OurFault) as refused:
        await keep(blobs, b"content")
    assert refused.value.code == "node.disk-full"
    assert files(folder) == []


async def test_sweeping_takes_what_is_old_and_not_claimed(blobs: Blobs, folder: Path) -> None:
    """What was uploaded a moment ago may be claimed in the next."""
    old, claimed, young = await keep(blobs, b"old", b"claimed", b"young")
    for digest in (old, claimed):
        make_old(blobs, digest, 1_000)
    unfinished = folder / "unfinished" / "rest"
    unfinished.write_bytes(b"of a crash")
    os.utime(unfinished, (1, 1))
    asked: list[bytes] = []

    async def claims(digests: Sequence[bytes]) -> frozenset[bytes]:
        asked.extend(digests)
        return frozenset([claimed])

    assert await blobs.sweep(claims, 2_000) == 1
    assert sorted(asked) == sorted([old, claimed])
    assert files(folder) == sorted([claimed.hex(), young.hex()])


@pytest.mark.parametrize("how", ["kept", "asked for"])
async def test_a_chunk_that_is_wanted_again_while_it_is_swept_stays(blobs: Blobs, how: str) -> None:
    """Between the question and the answer somebody may upload it once more, or name it and find it here already."""
    (digest,) = await keep(blobs, b"content")
    make_old(blobs, digest, 1_000)

    async def claims(digests: Sequence[bytes]) -> frozenset[bytes]:
        if how == "kept":
            await keep(blobs, b"content")
        else:
            assert await blobs.size(digest) == 7
        return frozenset()

    assert await blobs.sweep(claims, 2_000) == 0
    assert await blobs.read(digest) == b"content"


async def test_scrubbing_goes_round_and_sets_aside_what_has_changed(blobs: Blobs, folder: Path) -> None:
    """Disks forget in silence; a chunk that lies is worse than one that is missing."""
    digests = sorted(await keep(blobs, *(b"chunk %d" % number for number in range(5))))
    blobs.path(digests[1]).write_bytes(b"rotten")
    first = await blobs.scrub(3)
    assert (first.looked_at, first.damaged, first.ended) == (3, (digests[1],), False)
    assert await blobs.read(digests[1]) is None
    assert (folder / "damaged" / digests[1].hex()).read_bytes() == b"rotten"
    second = await blobs.scrub(3)
    assert (second.looked_at, second.damaged, second.ended) == (2, (), True)
    assert (await blobs.scrub(9)).looked_at == 4


async def test_scrubbing_an_empty_folder_ends_at_once(blobs: Blobs) -> None:
    """Nothing was ever kept."""
    assert await blobs.scrub(3) == (0, (), True)
