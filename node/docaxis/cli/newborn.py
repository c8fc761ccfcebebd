"""A new node's folder: made whole or not at all, and with a root file that is one.

What goes into the folder is made in `node`; nothing here knows a setting or a key.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from docaxis.core.errors import TheirFault


@contextmanager
def whole_or_nothing(folder: Path) -> Iterator[None]:
    """Removes what was made in `folder`, and `folder` and those above it where they are new, if the block fails."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    before = set() if missing else set(folder.iterdir())
    try:
        yield
    except BaseException:
        if missing:
            shutil.rmtree(missing[-1], ignore_errors=True)
        else:
            for path in set(folder.iterdir()) - before:
                _remove(path)
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def read_root(path: Path) -> bytes:
    """The directory's root file at `path`; raises `TheirFault` ``file.unusable`` or ``file.wrong``."""
    from docaxis.directory.verified import MetadataSet

    try:
        raw = path.expanduser().read_bytes()
    except OSError as error:
        raise TheirFault("file.unusable", f"{path} cannot be read: {error.strerror}") from None
    try:
        MetadataSet(raw)
    except TheirFault as fault:
        detail = f"{path} is not the root file of a directory, signed by its officers ({fault.detail})"
        raise TheirFault("file.wrong", f"{detail}; give 1.root.json as they publish it") from None
    return raw
