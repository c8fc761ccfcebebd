"""A backup holds what is needed and nothing that must not be found; restoring overwrites nothing."""

from pathlib import Path

import pytest

from docaxis.core.errors import OurFault, TheirFault
from docaxis.runtime import config
from docaxis.runtime import folder as places
from tests.runtime.town import Town


async def test_a_backup_holds_settings_and_root_but_no_secret(town: Town, tmp_path: Path) -> None:
    """Whoever finds a backup must not be able to sign, nor to call the API."""
    async with town.running("G22") as office:
        await office.node.backup(str(tmp_path / "copy"))
    copy = tmp_path / "copy"
    assert (copy / config.FILE_NAME).read_text() == (town.folder("G22") / config.FILE_NAME).read_text()
    assert (copy / places.ROOT).read_bytes() == town.ceremony.root
    for name in places.PRIVATE:
        assert not (copy / name).exists()
    with pytest.raises(OurFault, match=r"node\.exists"):
        places.take_backup(town.folder("G22"), copy, 0)
    with pytest.raises(OurFault, match=r"node\.exists"):
        places.restore_backup(copy, town.folder("G22"))


def test_settings_that_are_there_already_stay(town: Town, tmp_path: Path) -> None:
    """A new machine may have a new address."""
    source, folder = tmp_path / "source", town.folder("H49")
    source.mkdir()
    (source / config.FILE_NAME).write_text("old")
    before = (folder / config.FILE_NAME).read_text()
    with pytest.raises(TheirFault, match=r"file\.wrong"):
        places.restore_backup(source, folder)
    assert (folder / config.FILE_NAME).read_text() == before
