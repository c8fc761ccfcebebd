"""Stopwatch: how long something took on the machine that runs the simulator; the only reader of a real clock here.

What it shows is for progress, benchmarks and provenance. No result of a simulation may depend on it.
"""

from time import perf_counter


class Stopwatch:
    """Runs from its making on."""

    def __init__(self) -> None:
        self._started = perf_counter()

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return perf_counter() - self._started
