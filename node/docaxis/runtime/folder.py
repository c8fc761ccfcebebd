"""A node's folder: which file is where, and how the whole of it is backed up and restored.

Names and copies only. What is in the files is known to the rooms that read them; keys are made by `docaxis.seal`.
"""

import shutil
from pathlib import Path
from typing import Final, NamedTuple

from docaxis.core.errors import OurFault
from docaxis.runtime import config
from docaxis.store import backup

API_TOKEN: Final = "api.token"
API_PORT: Final = "api.port"
"""Holds the port while the node runs with ``api.port = 0``."""
DATABASE: Final = backup.DATABASE
BLOBS: Final = backup.BLOBS
DIRECTORY: Final = "directory"
ROOT: Final = "directory/root.json"
ENTRY: Final = "entry.json"
SIGNING_KEY: Final = "keys/signing.pem"
TLS_KEY: Final = "keys/tls.pem"
TLS_CERTIFICATE: Final = "keys/tls.crt"
PRIVATE: Final = (SIGNING_KEY, TLS_KEY, API_TOKEN)

COPIED: Final = (config.FILE_NAME, ROOT, ENTRY, TLS_CERTIFICATE)
"""What a backup holds besides documents. Private keys are not among it: whoever finds a backup must not find them."""


class Copied(NamedTuple):
    """What was copied: sizes in bytes, and how many chunks of content are files."""

    folder: str
    database_bytes: int
    chunks: int
    chunks_bytes: int


def take_backup(folder: Path, target: Path, now_ms: int) -> Copied:
    """Copies the node in `folder`, running or not, into the new folder `target`.

    Raises `OurFault` ``node.exists``, ``node.disk-full`` or ``node.store``.
    """
    if target.exists() and any(target.iterdir() if target.is_dir() else [target]):
        raise OurFault("node.exists", f"{target} is there already; give the name of a new folder")
    taken = backup.take(folder / DATABASE, folder / BLOBS, target, now_ms)
    _copy(folder, target)
    return Copied(str(target), *taken)


def restore_backup(source: Path, folder: Path) -> Copied:
    """Puts a backup into the folder of a node that holds no documents; settings that are there already stay.

    Raises `OurFault` ``node.exists``, ``node.disk-full`` or ``node.store``, and `TheirFault` ``file.wrong``.
    """
    taken = backup.restore(source, folder / DATABASE, folder / BLOBS)
    _copy(source, folder)
    return Copied(str(folder), *taken)


def _copy(source: Path, target: Path) -> None:
    for name in COPIED:
        if (source / name).is_file() and not (target / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(source / name, target / name)
