"""Counters: plain numbers under plain names, counted since the node started.

They are for people and graphs and decide nothing. No library of metrics is known here; whoever exports them translates.
"""

from collections.abc import Mapping


class Metrics:
    """Counters that only grow."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, name: str, amount: int = 1) -> None:
        """Adds to the counter `name`, which needs no announcement."""
        self._counts[name] = self._counts.get(name, 0) + amount

    def counts(self) -> Mapping[str, int]:
        """All counters as they are now, by name."""
        return dict(sorted(self._counts.items()))
