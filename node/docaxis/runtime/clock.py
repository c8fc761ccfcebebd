"""The clock: the one reader of time in the product.

Nobody else asks what time it is; everybody is handed a `Clock`, and the core is handed a number. Nothing here sleeps
or waits: that is the event loop's work.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

JUMP_MS_MIN: Final = 1_000
"""From this size on, a step of the wall clock is followed and noted; smaller steps back are smoothed away."""


class Clock(Protocol):
    """What the node is handed instead of the time."""

    def now_ms(self) -> int:
        """Wall time: ms since 1970 UTC."""
        ...

    def ticks_ms(self) -> float:
        """A steady count of ms for measuring durations; its zero means nothing, and no jump moves it."""
        ...


def _wall_ns() -> int:
    return time.time_ns()


def _steady_ns() -> int:
    return time.monotonic_ns()


class SystemClock:
    """The machine's clock, moved by `offset_ms` (for exercises with a wrong clock).

    Time never runs backwards by a little: a step back below `JUMP_MS_MIN` shows as standing still. A larger step is
    real (somebody set the clock): it is followed, counted in `jumps`, and `on_jump` is told its size in ms.
    """

    def __init__(
        self,
        offset_ms: int = 0,
        *,
        on_jump: Callable[[int], None] | None = None,
        wall_ns: Callable[[], int] = _wall_ns,
        steady_ns: Callable[[], int] = _steady_ns,
    ) -> None:
        self.offset_ms = offset_ms
        self.jumps = 0
        self.on_jump = on_jump
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._last_ms = wall_ns() // 1_000_000
        self._apart_ms = self._last_ms - steady_ns() // 1_000_000

    def now_ms(self) -> int:
        """Wall time: ms since 1970 UTC."""
        wall_ms = self._wall_ns() // 1_000_000
        apart_ms = wall_ms - self._steady_ns() // 1_000_000
        jump_ms = apart_ms - self._apart_ms
        if abs(jump_ms) >= JUMP_MS_MIN:
            self._jumped(wall_ms, apart_ms, jump_ms)
        self._last_ms = max(wall_ms, self._last_ms)
        return self._last_ms + self.offset_ms

    def ticks_ms(self) -> float:
        """A steady count of ms."""
        return self._steady_ns() / 1_000_000

    def _jumped(self, wall_ms: int, apart_ms: int, jump_ms: int) -> None:
        self._apart_ms = apart_ms
        self._last_ms = wall_ms
        self.jumps += 1
        if self.on_jump is not None:
            self.on_jump(jump_ms)


class SettableClock:
    """A clock that stands where it was put, for tests and rehearsals."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        """The time that was set: ms since 1970 UTC."""
        return self.at_ms

    def ticks_ms(self) -> float:
        """The same time; nothing passes by itself."""
        return float(self.at_ms)

    def advance(self, by_ms: int) -> None:
        """Lets `by_ms` pass."""
        self.at_ms += by_ms
