"""Bounded: the content of a file that a scenario names, if it is a file and no larger than is sensible.

A scenario may come from anybody: devices, pipes and files without end are refused before they fill the memory. What a
content means is others' matter.
"""

import io
import stat
from pathlib import Path
from typing import Final

MIB: Final = 2**20
BYTES_MAX: Final = 64 * MIB
"""Of any file that a scenario names."""


class Refused(OSError):
    """What is there is not read; says why."""


def content(path: Path, bytes_max: int = BYTES_MAX) -> bytes:
    """All of a file; raises `OSError`, of which `Refused` is one."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise Refused("is not a regular file")
    with path.open("rb") as file:
        found = file.read(bytes_max + 1)
    if len(found) > bytes_max:
        raise Refused(f"is larger than {bytes_max // MIB} MiB")
    return found


def text(path: Path, bytes_max: int = BYTES_MAX) -> str:
    """All of a UTF-8 file, its line ends as ``\\n``; raises `OSError` and `UnicodeDecodeError`."""
    return io.TextIOWrapper(io.BytesIO(content(path, bytes_max)), encoding="utf-8").read()
