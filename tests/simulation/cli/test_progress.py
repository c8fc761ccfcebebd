"""People see how far it is and how long it will take, in lines where there is no terminal."""

import pytest

from docaxis_sim.capacity.plan import DAY_NS, HOUR_NS
from docaxis_sim.capacity.study import Measures, Replication
from docaxis_sim.cli import progress
from docaxis_sim.cli.progress import Watcher


def _ended(number: int) -> Replication:
    return Replication(number, "reference", Measures({"arrived": 1234.0}, {}, {}, ()), "", 0, 0.0, 0.0)


def test_lines_say_what_has_been_done_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Simulated time, documents, and seconds left; the last line when all is done."""
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
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
