"""Yardstick: a fixed piece of work, timed now and then inside a process that is measured, by its loop's own thread.

Processors of a shared machine are faster one minute than the next, by half and more, and no clock of the kernel says
so. What a process used is comparable only if it is known how fast it was meanwhile. The work is of the kind that nodes
do (small objects, text, hashes) and its result is of no use to anybody.
"""

import asyncio
import json
import time
from hashlib import sha256
from typing import Final

STANDARD_NS: Final = 1_000_000
"""What the work takes on a processor on which costs are noted down until it is known how fast the machine usually
is."""
_PAUSE_S: Final = 0.1
_ITEMS: Final = 900
_HASHES: Final = 40
_BLOCK: Final = bytes(2_048)


def work() -> None:
    """About half a millisecond on a processor of 2020."""
    found = {number % 97: (number, str(number)) for number in range(_ITEMS)}
    json.loads(json.dumps([[key, *value] for key, value in found.items()]))
    for _ in range(_HASHES):
        sha256(_BLOCK).digest()


class Yardstick:
    """How often the work was done since the process began, and what processor time it took, ns."""

    def __init__(self) -> None:
        self.times = 0
        self.ns = 0

    async def keep_measuring(self) -> None:
        """Never returns."""
        while True:
            began_ns = time.thread_time_ns()
            work()
            self.ns += time.thread_time_ns() - began_ns
            self.times += 1
            await asyncio.sleep(_PAUSE_S)
