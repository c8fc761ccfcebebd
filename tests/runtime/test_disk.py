"""The disk says in time that it is getting full."""

import os
from pathlib import Path

import pytest

from docaxis.core.errors import OurFault
from docaxis.runtime.clock import SettableClock
from docaxis.runtime.disk import LOOK_INTERVAL_MS, Disk


def test_room_is_what_is_free_above_the_reserve(tmp_path: Path) -> None:
    """The reserve is for finishing, not for starting."""
    disk = Disk(tmp_path, 0, SettableClock(0))
    free = disk.free_bytes()
    assert free > 0
    disk.require_room()
    disk.reserve_bytes = free + 1
    with pytest.raises(OurFault, match=r"disk\.reserve_mib"):
        disk.require_room()
    disk.reserve_bytes = free - 10
    assert disk.has_room(10)
    assert not disk.has_room(11)


def test_a_measurement_serves_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of documents a second must not ask the system thousands of times."""
    asked: list[Path] = []
    real = os.statvfs

    def counting(path: Path) -> os.statvfs_result:
        asked.append(path)
        return real(path)

    monkeypatch.setattr(os, "statvfs", counting)
    clock = SettableClock(0)
    disk = Disk(tmp_path, 0, clock)
    for _ in range(100):
        disk.free_bytes()
    assert len(asked) == 1
    clock.advance(LOOK_INTERVAL_MS)
    disk.free_bytes()
    assert len(asked) == 2
