"""The timer rings when the time has come, by the clock in hand; news reach everybody who waits."""

import asyncio

from docaxis.runtime.clock import SettableClock
from docaxis.runtime.waiting import Alarm, News
from tests.runtime.town import eventually


async def test_the_last_wish_counts_and_past_times_ring_at_once() -> None:
    """The machine has one timer, and sets it again whenever it changes its mind."""
    rang = asyncio.Event()
    alarm = Alarm(SettableClock(1_000), rang.set)
    alarm.set(1_000_000)
    alarm.set(500)
    await asyncio.wait_for(rang.wait(), 5)


async def test_it_does_not_ring_before_its_time_even_if_the_loop_wakes_early() -> None:
    """The clock decides, not the loop's own."""
    rings: list[int] = []
    clock = SettableClock(1_000)
    alarm = Alarm(clock, lambda: rings.append(clock.at_ms))
    alarm.set(1_001)
    await asyncio.sleep(0.02)
    assert rings == []
    clock.advance(1)

    async def rang() -> bool:
        return bool(rings)

    await eventually(rang)
    assert rings == [1_001]


async def test_a_cancelled_alarm_is_silent() -> None:
    """A life that ended wants nothing any more."""
    rings: list[int] = []
    alarm = Alarm(SettableClock(1_000), lambda: rings.append(1))
    alarm.set(0)
    alarm.cancel()
    await asyncio.sleep(0.01)
    assert rings == []


async def test_news_wake_whoever_subscribed_before() -> None:
    """Subscribe, look, wait: nothing falls between looking and waiting."""
    news = News()
    before = news.subscribe()
    news.announce()
    assert before.is_set()
    assert not news.subscribe().is_set()
