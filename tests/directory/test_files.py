"""Files: written whole or not at all, and read up to a bound."""

from pathlib import Path

import pytest

from docaxis.core.errors import TheirFault
from docaxis.directory.files import local_files, read_file, write_durably


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_whole_and_folders_are_made(tmp_path: Path, durable: bool) -> None:
    """No draft stays behind."""
    path = tmp_path / "H49" / "x.s00"
    for content in (b"one", b"two"):
        write_durably(path, content, durable=durable)
    assert path.read_bytes() == b"two"
    assert [each.name for each in path.parent.iterdir()] == ["x.s00"]


async def test_a_local_source_keeps_its_word(tmp_path: Path) -> None:
    """What is absent is not found; what is too long is not read."""
    (tmp_path / "a").write_bytes(b"12345")
    fetch = local_files(tmp_path)
    assert await fetch("a", 5) == b"12345"
    for name, bytes_max, code in (
        ("a", 4, "codec.too-long"),
        ("b", 4, "directory.not-found"),
        (".", 4, "directory.not-found"),
    ):
        with pytest.raises(TheirFault) as caught:
            await fetch(name, bytes_max)
        assert caught.value.code == code
    assert read_file(tmp_path, "a") == b"12345"
