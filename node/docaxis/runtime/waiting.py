"""Waiting: for a time (the machine's one timer) and for news (whoever polls the feed of changes).

Nothing here knows what the timer is for or what the news are.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from docaxis.runtime.clock import Clock

GLANCE_INTERVAL_MS: Final = 30_000
"""The clock is looked at this often while a timer runs, so that setting the clock also moves what waits for it."""


class Alarm:
    """Calls back once, when the time has come; setting it again forgets the earlier wish."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._at_ms = 0
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at_ms: int) -> None:
        """Rings at `at_ms`, or at once if that has passed."""
        self.cancel()
        self._at_ms = at_ms
        self._wait()

    def cancel(self) -> None:
        """Rings no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wait(self) -> None:
        wait_ms = min(max(0, self._at_ms - self._clock.now_ms()), GLANCE_INTERVAL_MS)
        self._handle = asyncio.get_running_loop().call_later(wait_ms / 1000, self._look)

    def _look(self) -> None:
        if self._clock.now_ms() < self._at_ms:
            self._wait()
        else:
            self._handle = None
            self._ring()


class News:
    """Wakes everybody who waits whenever there is something new."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def announce(self) -> None:
        """Wakes whoever waits now."""
        self._next.set()
        self._next = asyncio.Event()

    def subscribe(self) -> asyncio.Event:
        """What will be set at the next announcement; take it before looking whether there is news already."""
        return self._next
