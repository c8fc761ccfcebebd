"""The clock shows the time, smooths what is small, and says aloud what is large."""

import pytest

from docaxis.runtime.clock import JUMP_MS_MIN, SettableClock, SystemClock

MS = 1_000_000


class Dials:
    """The two dials of a machine, turned by hand."""

    def __init__(self) -> None:
        self.wall_ms = 1_700_000_000_000
        self.steady_ms = 5_000

    def pass_ms(self, by_ms: int) -> None:
        """Time passes on both."""
        self.wall_ms += by_ms
        self.steady_ms += by_ms

    def clock(self, offset_ms: int = 0) -> SystemClock:
        """A clock over these dials."""
        return SystemClock(offset_ms, wall_ns=lambda: self.wall_ms * MS, steady_ns=lambda: self.steady_ms * MS)


@pytest.fixture
def dials() -> Dials:
    """Fresh dials."""
    return Dials()


def test_time_is_wall_time_moved_by_the_offset(dials: Dials) -> None:
    """A rehearsal with a wrong clock needs no wrong machine."""
    clock = dials.clock(offset_ms=-3_600_000)
    dials.pass_ms(250)
    assert clock.now_ms() == dials.wall_ms - 3_600_000
    assert clock.ticks_ms() == 5_250


def test_a_small_step_back_is_standing_still(dials: Dials) -> None:
    """Time servers nudge clocks all day; an order of events must not turn around for it."""
    clock = dials.clock()
    before = clock.now_ms()
    dials.wall_ms -= JUMP_MS_MIN - 1
    assert clock.now_ms() == before
    assert clock.jumps == 0


@pytest.mark.parametrize("jump_ms", [-3_600_000, JUMP_MS_MIN, 86_400_000])
def test_a_jump_is_followed_and_told(dials: Dials, jump_ms: int) -> None:
    """Somebody set the clock: the node lives on with the new time, and its operator reads of it."""
    told: list[int] = []
    clock = dials.clock()
    clock.on_jump = told.append
    dials.wall_ms += jump_ms
    assert clock.now_ms() == dials.wall_ms
    dials.pass_ms(10)
    assert clock.now_ms() == dials.wall_ms
    assert told == [jump_ms]
    assert clock.jumps == 1


def test_a_settable_clock_moves_only_by_hand() -> None:
    """Tests decide what time it is."""
    clock = SettableClock(1_000)
    clock.advance(500)
    assert (clock.now_ms(), clock.ticks_ms()) == (1_500, 1_500.0)
