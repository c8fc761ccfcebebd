"""Surroundings: what the machine did besides, and how its disk fares on its own, so that a noisy measurement shows.

Looks only; judges nothing.
"""

import os
import statistics
import time
from pathlib import Path
from typing import Final, NamedTuple

import psutil

_PAGE: Final = bytes(8_192)
_PAUSE_S: Final = 0.004
SECOND_NS: Final = 1_000_000_000


class Busy(NamedTuple):
    """Processor seconds that all processes of the machine have used, and when that was so."""

    used_s: float
    at_ns: int


def busy_now() -> Busy:
    """As of now, without idle time and waiting for disks."""
    times = psutil.cpu_times()
    return Busy(sum(times) - times.idle - times.iowait - times.guest, time.monotonic_ns())


def others_cores(before: Busy, after: Busy, ours_s: float) -> float:
    """How many cores were used by others than us on average; `ours_s` is what we used."""
    seconds = (after.at_ns - before.at_ns) / SECOND_NS
    return max(0.0, (after.used_s - before.used_s - ours_s) / seconds) if seconds else 0.0


def disk_ms(folder: Path, seconds: float) -> dict[str, float]:
    """Eight KiB made durable again and again, with nothing else: samples, percentiles and the longest, ms."""
    path = folder / "disk.probe"
    handle = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    found: list[float] = []
    until_ns = time.monotonic_ns() + int(seconds * SECOND_NS)
    try:
        while len(found) < 10 or time.monotonic_ns() < until_ns:
            os.write(handle, _PAGE)
            began_ns = time.monotonic_ns()
            os.fdatasync(handle)
            found.append((time.monotonic_ns() - began_ns) / 1e6)
            time.sleep(_PAUSE_S)
    finally:
        os.close(handle)
        path.unlink()
    share = statistics.quantiles(found, n=100, method="inclusive")
    percentiles = {f"p{q}": round(share[q - 1], 3) for q in (50, 90, 99)}
    return {"samples": len(found), **percentiles, "max": round(max(found), 1)}
