"""Files: written whole or not at all, durable where it matters, and read up to a bound.

What is in them is not known here, and nothing here watches or caches.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from docaxis.core.errors import TheirFault
from docaxis.core.limits import DIRECTORY_FILE_BYTES_MAX

Fetch = Callable[[str, int], Awaitable[bytes]]
"""Takes a file's name and how many bytes it may have; raises `TheirFault` ``directory.not-found`` where the source has
no such file, ``codec.too-long`` where it is longer, and any other `DocaxisError` where the source fails."""


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Writes a file whole or not at all; with `durable`, returns once content and name are on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)
    if durable:
        sync_folder(path.parent)


def local_files(folder: Path) -> Fetch:
    """A source that reads a folder of static files, such as the one a publisher writes."""

    async def fetch(name: str, bytes_max: int) -> bytes:
        return await asyncio.to_thread(read_file, folder, name, bytes_max)

    return fetch


def read_file(folder: Path, name: str, bytes_max: int = DIRECTORY_FILE_BYTES_MAX) -> bytes:
    """Reads one file of a repository; raises `TheirFault` ``directory.not-found`` or ``codec.too-long``."""
    try:
        with (folder / name).open("rb") as file:
            raw = file.read(bytes_max + 1)
    except OSError:
        raise TheirFault("directory.not-found", f"{name} is not in {folder}") from None
    if len(raw) > bytes_max:
        raise TheirFault("codec.too-long", f"{name} has more than {bytes_max} bytes")
    return raw


def read_if_there(folder: Path, name: str) -> bytes | None:
    """The same, or None where there is no such file; raises `TheirFault` ``codec.too-long``."""
    try:
        return read_file(folder, name)
    except TheirFault as error:
        if error.code == "directory.not-found":
            return None
        raise
