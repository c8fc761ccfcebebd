"""Pacing: tells the process of each document's sender that the document is due, at its moment, and how late it was.

A thread of its own in the process that directs: it sleeps until the next moment and writes a number into a pipe.
Whoever takes the document is `tools.calibration.host`.
"""

import os
import struct
import threading
import time
from collections.abc import Sequence
from typing import Final

from tools.calibration.load import SECOND_NS, Load

NUMBER: Final = struct.Struct("<I")
LATE_NS_MIN: Final = 2_000_000
"""From so much behind its moment on, a document counts as handed in late."""


class Pacer(threading.Thread):
    """Writes each document's number into the pipe of its sender's process when it is due."""

    def __init__(self, load: Load, pipes: Sequence[int], begin_ns: int) -> None:
        super().__init__(name="pacer", daemon=True)
        self._births = load.births
        self._pipes = pipes
        self._begin_ns = begin_ns
        self.late = 0
        self.late_ns_max = 0

    def run(self) -> None:
        """Until the last document is handed in."""
        for number, (birth, pipe) in enumerate(zip(self._births, self._pipes, strict=True)):
            due_ns = self._begin_ns + birth.at_ns
            if (wait_ns := due_ns - time.monotonic_ns()) > 0:
                time.sleep(wait_ns / SECOND_NS)
            os.write(pipe, NUMBER.pack(number))
            behind_ns = time.monotonic_ns() - due_ns
            self.late += behind_ns > LATE_NS_MIN
            self.late_ns_max = max(self.late_ns_max, behind_ns)
