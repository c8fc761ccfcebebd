"""People see how far it is and how long it will take, in lines where there is no terminal."""

from threading import Event

import pytest

from docaxis_sim.capacity.plan import DAY_NS, HOUR_NS
from docaxis_sim.capacity.study import Measures, Replication
from docaxis_sim.cli import progress
from docaxis_sim.cli.progress import Watcher


def _ended(number: int, seconds: float = 0.0) -> Replication:
    return Replication(number, "reference", Measures({"arrived": 1234.0}, {}, {}, ()), "", 0, 0.0, seconds)


class _Clock:
    """A stopwatch that shows what the test says."""

    seconds = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """Time passes as the test says, every change is a line, and nothing happens beside."""
    clock = _Clock()
    monkeypatch.setattr(progress, "Stopwatch", lambda: clock)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_BEATS", 3600.0)
    return clock


def test_lines_say_what_has_been_done_and_what_is_left(clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Simulated time, documents, and seconds left; the last line when all is done."""
    assert clock.seconds == 0
    with Watcher("A day", 2, DAY_NS) as watcher:
        watcher.inside(14 * HOUR_NS, 700)
        watcher.done(_ended(1))
        watcher.inside(DAY_NS + HOUR_NS, 900)
        watcher.done(_ended(2))
    first, second, third, last = capsys.readouterr().err.splitlines()
    assert first.startswith("A day: 0 of 2 replications, 0 s, about ")
    assert first.endswith(" s left; day 1 14:00, 700 documents arrived")
    assert "1 of 2" in second
    assert "day 2 01:00, 900 documents" in third
    assert last == "A day: 2 of 2 replications, 0 s; 1,234 documents arrived in replication 2"


def test_a_fast_run_says_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody reads a line per millisecond."""
    with Watcher("A day", 1, DAY_NS) as watcher:
        for hour in range(24):
            watcher.inside(hour * HOUR_NS, hour)
        watcher.done(_ended(1))
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_more_replications_than_expected_are_no_more_than_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Sequential stopping adds some."""
    with Watcher("A day", 1, DAY_NS) as watcher:
        watcher.done(_ended(1))
        watcher.done(_ended(2))
    assert "2 of 2 replications" in capsys.readouterr().err


def test_of_other_processes_the_time_and_what_runs_is_told(clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is heard from inside them: so many at once, then how long the ended ones took times what is left."""
    with Watcher("A sweep", 5, 0, 2) as watcher:
        clock.seconds = 30.0
        watcher.beat()
        clock.seconds = 62.0
        watcher.done(_ended(1, 60.0))
        clock.seconds = 72.0
        watcher.beat()
        for number in range(2, 6):
            watcher.done(_ended(number, 60.0))
        watcher.beat()
    first, second, third, *_, last = capsys.readouterr().err.splitlines()
    assert first == "A sweep: 0 of 5 replications, 30 s; 2 side by side"
    assert second.startswith("A sweep: 1 of 5 replications, 62 s, about 2 min left; 2 side by side; 1,234 documents")
    assert third.startswith("A sweep: 1 of 5 replications, 72 s, about 110 s left")
    assert last.startswith("A sweep: 5 of 5 replications, 72 s; 1,234 documents arrived in replication 5")


def test_what_other_processes_of_this_machine_have_done_is_told(
    clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two at once how far they are on average, and the time left before the first has ended."""
    with Watcher("A day", 4, DAY_NS, 2) as watcher:
        clock.seconds = 30.0
        watcher.inside(DAY_NS, 700)
        watcher.ran(60.0)
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("A day: 0 of 4 replications, 30 s, about 90 s left; 2 side by side; ")
    assert first.endswith("day 1 12:00 on average, 700 documents arrived")


def test_a_search_that_takes_longer_than_expected_is_not_said_to_be_over(
    clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """As long as more will follow there is something left."""
    with Watcher("load", 1, DAY_NS, called="runs") as watcher:
        clock.seconds = 10.0
        watcher.ran(10.0, more=2)
        watcher.say("4: meets the goal in 1 replication")
    first, second = capsys.readouterr().err.splitlines()
    assert first == "load: 1 of 3 runs, 10 s, about 20 s left"
    assert second == "4: meets the goal in 1 replication"


def test_long_times_are_said_in_minutes_and_hours(clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody divides by sixty in the head."""
    with Watcher("A sweep", 20, 0) as watcher:
        clock.seconds = 900.0
        watcher.done(_ended(1, 900.0))
    assert "1 of 20 replications, 15 min, about 4.8 h left" in capsys.readouterr().err


def test_time_passes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the first of many replications sees that something lives."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_BEATS", 0.001)
    seen = Event()
    watcher = Watcher("A sweep", 5, 0, 2)
    monkeypatch.setattr(watcher, "beat", seen.set)
    with watcher:
        assert seen.wait(60)
