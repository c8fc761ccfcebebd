"""Pace: how many may begin in a second, after a burst.

It counts and waits; what begins is not its business.
"""

import asyncio


class Pace:
    """Lets through `per_s` a second, after a burst: a full handshake costs milliseconds of processor at both ends."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._gap_s = 1 / per_s
        self._slack_s = burst / per_s
        self._next_s = 0.0

    def wait_s(self, now_s: float) -> float:
        """How long the one who asks now must wait for its turn, which it has taken by asking."""
        self._next_s = max(self._next_s, now_s - self._slack_s) + self._gap_s
        return max(0.0, self._next_s - now_s)

    async def turn(self) -> None:
        """Returns when it is the caller's turn."""
        wait_s = self.wait_s(asyncio.get_running_loop().time())
        if wait_s:
            await asyncio.sleep(wait_s)
