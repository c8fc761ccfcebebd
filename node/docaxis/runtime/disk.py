"""The disk: how much room is left, and when to say that there is too little.

Only measuring and refusing; nothing is freed here. A node stops taking in new things while there is still room for
finishing what is under way.
"""

import os
from pathlib import Path
from typing import Final

from docaxis.core.errors import OurFault
from docaxis.core.limits import MIB
from docaxis.runtime.clock import Clock

LOOK_INTERVAL_MS: Final = 250
"""How long a measurement is good for; it costs a system call."""


class Disk:
    """The file system that holds `folder`; below `reserve_bytes` of free space there is no room for anything new."""

    def __init__(self, folder: Path, reserve_bytes: int, clock: Clock) -> None:
        self.reserve_bytes = reserve_bytes
        self._folder = folder
        self._clock = clock
        self._looked_ms = float("-inf")
        self._free_bytes = 0

    def free_bytes(self) -> int:
        """What this process may still write."""
        now_ms = self._clock.ticks_ms()
        if now_ms - self._looked_ms >= LOOK_INTERVAL_MS:
            self._looked_ms = now_ms
            measured = os.statvfs(self._folder)
            self._free_bytes = measured.f_bavail * measured.f_frsize
        return self._free_bytes

    def has_room(self, more_bytes: int = 0) -> bool:
        """Whether `more_bytes` fit above the reserve."""
        return self.free_bytes() - more_bytes >= self.reserve_bytes

    def require_room(self, more_bytes: int = 0) -> None:
        """Raises `OurFault` ``node.disk-full`` where they do not fit."""
        if not self.has_room(more_bytes):
            free, kept = self.free_bytes() // MIB, self.reserve_bytes // MIB
            raise OurFault("node.disk-full", f"{free} MiB free, {kept} MiB are kept in reserve (disk.reserve_mib)")
