"""The disk under a store: owners, mounts, reserves, and the names of errors."""

import errno
import sqlite3
from pathlib import Path

import pytest

from docaxis.core.errors import OurFault
from docaxis.store import disk

MOUNTS = """\
/dev/vda1 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw 0 0
files:/export /srv/files nfs4 rw,vers=4.2 0 0
/dev/vdb1 /srv/local ext4 rw 0 0
//server/share /mnt cifs rw 0 0
/dev/vdc1 /mnt xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/docaxis", "ext4"),
        ("/run/docaxis", "tmpfs"),
        ("/srv/local/docaxis", "ext4"),
        ("/srv/localized", "ext4"),
        ("/srv/files/docaxis", "nfs4"),
        ("/mnt/docaxis", "xfs"),
    ],
)
def test_the_mount_nearest_to_a_folder_counts_and_the_last_of_equals(path: str, kind: str) -> None:
    """Mounts lie over each other."""
    assert disk.mount_kind(Path(path), MOUNTS) == kind


def test_mount_points_with_blanks_are_read() -> None:
    """The kernel writes blanks in octal."""
    assert disk.mount_kind(Path("/srv/with blank/x"), "a / ext4 rw 0 0\nb /srv/with\\040blank nfs rw 0 0\n") == "nfs"


def test_a_folder_on_this_machine_is_no_network_file_system(tmp_path: Path) -> None:
    """Otherwise no test could open a store."""
    disk.refuse_network(tmp_path)


def test_a_network_file_system_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its locks and its fsync promise less than a receipt does."""
    monkeypatch.setattr(disk, "mount_kind", lambda path, mounts: "nfs4")
    with pytest.raises(OurFault, match="network file system"):
        disk.refuse_network(tmp_path)


def test_one_folder_has_one_owner(tmp_path: Path) -> None:
    """Two nodes on one database would both believe themselves to be the only writer."""
    first = disk.Owner(tmp_path / "node.lock")
    with pytest.raises(OurFault, match=r"node\.running.*in use"):
        disk.Owner(tmp_path / "node.lock")
    first.release()
    disk.Owner(tmp_path / "node.lock").release()


def test_a_reserve_is_real_room_and_can_be_given_up_and_taken_back(tmp_path: Path) -> None:
    """A sparse file would reserve nothing."""
    reserve = disk.Reserve(tmp_path / "node.reserve", 1 << 20)
    assert not reserve.held
    reserve.hold()
    found = (tmp_path / "node.reserve").stat()
    assert (reserve.held, found.st_size, found.st_blocks * 512 >= 1 << 20) == (True, 1 << 20, True)
    reserve.spend()
    assert not reserve.held
    assert not (tmp_path / "node.reserve").exists()


def test_without_room_there_is_no_reserve(tmp_path: Path) -> None:
    """A nearly full disk is left to what must be written."""
    reserve = disk.Reserve(tmp_path / "node.reserve", disk.free_bytes(tmp_path))
    reserve.hold()
    assert not reserve.held


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "no space"), "node.disk-full"),
        (OSError(errno.EDQUOT, "quota"), "node.disk-full"),
        (OSError(errno.EIO, "input/output"), "node.store"),
        (sqlite3.OperationalError("anything"), "node.store"),
    ],
)
def test_errors_leave_under_a_stable_code(error: Exception, code: str, tmp_path: Path) -> None:
    """Software upstairs knows codes, not engines."""
    with pytest.raises(OurFault) as fault, disk.faults(tmp_path):
        raise error
    assert fault.value.code == code


def test_a_full_database_is_a_full_disk(tmp_path: Path) -> None:
    """SQLite says so in its own way."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(OurFault) as fault, disk.faults(tmp_path):
        connection.executescript("".join(f"CREATE TABLE t{number} (a);" for number in range(9)))
    connection.close()
    assert fault.value.code == "node.disk-full"
