"""The log writes one line per event, whatever is in it."""

import asyncio
import io
import json
import logging
import sys
from collections import Counter

import pytest

from docaxis.core.effects import Noted
from docaxis.runtime.clock import SettableClock
from docaxis.runtime.log import (
    CALM_MS,
    HELD_BACK_MS_MAX,
    KINDS_MAX,
    LINES_AT_ONCE_MAX,
    VALUE_CHARS_MAX,
    Log,
    library_said,
)

NOW_MS = 1_774_000_000_123


def written(form: str, level: str, *noted: Noted) -> str:
    """What a log of this form and level writes."""
    stream = io.StringIO()
    Log(stream, level, form, lambda: NOW_MS, {"node": "H49"}).notes(noted)
    return stream.getvalue()


def test_logfmt_is_one_line_with_time_level_event_and_ids() -> None:
    """People grep."""
    text = written("logfmt", "info", Noted("document-sent", "info", {"doc": b"\x01\xff", "to": "G22", "bytes": 2048}))
    assert text == ("at=2026-03-20T09:46:40.123Z level=info event=document-sent node=H49 doc=01ff to=G22 bytes=2048\n")


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_hostile_text_stays_on_its_line(form: str) -> None:
    """A file name of a stranger must not be able to write lines of its own, or to colour a terminal."""
    text = written(
        form, "debug", Noted("x", "debug", {"name": 'a\nlevel=error event="b" \x1b[31m', "long": "ạ" * 5_000})
    )
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert text.count("ạ") == VALUE_CHARS_MAX


def test_json_lines_can_be_read_back() -> None:
    """Programs parse."""
    fields: dict[str, object] = {"flag": True, "none": None, "list": ["a", b"\x02"], "part": 0.5}
    line = json.loads(written("json", "info", Noted("x", "warning", fields)))
    assert line["level"] == "warning"
    assert (line["flag"], line["none"], line["list"], line["part"]) == (True, None, "a,02", 0.5)


def test_quiet_lines_are_not_written() -> None:
    """The level is a floor."""
    assert written("logfmt", "warning", Noted("x", "info", {})) == ""
    assert written("logfmt", "warning", Noted("x", "error", {})) != ""


def test_a_log_that_nobody_reads_any_more_does_not_stop_the_node() -> None:
    """A closed pipe is the reader's business."""
    stream = io.StringIO()
    stream.close()
    Log(stream, "info", "logfmt", lambda: NOW_MS, {}).note("x")


class Flooded:
    """A log on a clock that the test moves."""

    def __init__(self) -> None:
        self.clock = SettableClock(NOW_MS)
        self.stream = io.StringIO()
        self.log = Log(self.stream, "info", "json", self.clock.now_ms, {})

    def refuse(self, peer: str, times: int = 1) -> None:
        """The same thing, again and again."""
        self.log.notes([Noted("refused", "warning", {"peer": peer, "number": number}) for number in range(times)])

    @property
    def lines(self) -> list[dict[str, object]]:
        """What was written."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def counted(self) -> int:
        """Lines written, and lines that others stand for."""
        return sum(int(str(line.get("more_like_this", 1))) for line in self.lines)


def test_of_a_flood_by_one_peer_a_few_lines_are_written_and_all_are_counted() -> None:
    """Whoever sends nonsense may not decide how much the node writes."""
    flooded = Flooded()
    flooded.refuse("G22", 5_000)
    assert len(flooded.lines) == LINES_AT_ONCE_MAX
    flooded.clock.advance(CALM_MS)
    flooded.log.note("x")
    assert flooded.lines[-2] == {
        "at": "2026-03-20T09:46:45.123Z",
        "level": "warning",
        "event": "refused",
        "peer": "G22",
        "more_like_this": 5_000 - LINES_AT_ONCE_MAX,
    }
    assert flooded.counted() == 5_001


def test_a_flood_hides_nobody_else_and_nothing_else() -> None:
    """The measure is that of one event and one peer."""
    flooded = Flooded()
    flooded.refuse("G22", 500)
    flooded.refuse("H49")
    flooded.log.note("peer.back", peer="G22")
    assert [(line["event"], line["peer"]) for line in flooded.lines[-2:]] == [("refused", "H49"), ("peer.back", "G22")]
    flooded.log.notes([Noted("document.sent", "info", {"number": number}) for number in range(500)])
    assert len(flooded.lines) == LINES_AT_ONCE_MAX + 2 + 500


def test_a_flood_without_end_is_counted_from_time_to_time_and_bounded_for_each_second() -> None:
    """It may last for days: a line or so a second, and sums that can be added up."""
    flooded = Flooded()
    for _ in range(1_200):
        flooded.refuse("G22", 50)
        flooded.clock.advance(100)
    assert len(flooded.lines) < LINES_AT_ONCE_MAX + 120 + 2 * 120_000 / HELD_BACK_MS_MAX + 1
    flooded.log.count_now()
    assert flooded.counted() == 1_200 * 50


async def test_the_end_of_a_flood_is_told_though_nothing_else_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence afterwards must not keep the sum back."""
    monkeypatch.setattr("docaxis.runtime.log.CALM_MS", 10)
    flooded = Flooded()
    flooded.refuse("G22", 100)
    flooded.clock.advance(10)
    while flooded.counted() < 100:  # noqa: ASYNC110  # the log tells nobody
        await asyncio.sleep(0.005)


def test_a_clock_set_back_neither_silences_the_log_nor_floods_it() -> None:
    """The time of the log is the wall's."""
    flooded = Flooded()
    flooded.refuse("G22", 100)
    flooded.clock.advance(-3_600_000)
    flooded.refuse("G22", 100)
    assert len(flooded.lines) == LINES_AT_ONCE_MAX
    flooded.clock.advance(60_000)
    flooded.refuse("G22")
    assert flooded.lines[-1]["number"] == 0


def test_a_flood_by_very_many_peers_is_bounded_as_well() -> None:
    """What is remembered of each of them must not become the attack."""
    flooded = Flooded()
    for peer in range(2 * KINDS_MAX):
        flooded.refuse(f"G{peer}")
    flooded.log.count_now()
    assert Counter("more_like_this" in line for line in flooded.lines)[False] <= KINDS_MAX + LINES_AT_ONCE_MAX
    assert flooded.counted() == 2 * KINDS_MAX
    flooded.clock.advance(60_000)
    flooded.refuse("H49")
    assert "more_like_this" not in flooded.lines[-1]


def record_of(error: Exception) -> logging.LogRecord:
    """What asyncio says of an error that nobody caught, after the error has gone through code of ours."""
    try:
        SettableClock(0).advance(_Raises(error))  # type: ignore[arg-type]
    except (OSError, ArithmeticError):
        return logging.LogRecord(
            "asyncio", logging.ERROR, "", 0, "a request failed\nprotocol: <x>\ntransport: <y>", (), sys.exc_info()
        )
    raise AssertionError


class _Raises:
    """A number that is none."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __radd__(self, other: int) -> int:
        raise self._error


def test_what_a_library_says_is_one_line_and_shows_the_inside_only_for_a_mistake_of_ours() -> None:
    """What a caller does to its connection is no reason for a trace; our own mistakes are."""
    theirs = library_said(record_of(ConnectionResetError("gone")))
    assert theirs.fields == {
        "source": "asyncio",
        "text": "a request failed protocol: <x> transport: <y>: ConnectionResetError('gone')",
    }
    ours = library_said(record_of(ZeroDivisionError("oh")))
    assert "clock.py" in str(ours.fields["trace"])
    assert written("logfmt", "info", ours).count("\n") == 1
    quiet = logging.LogRecord("x", logging.WARNING, "", 0, "slow", (), None)
    assert library_said(quiet) == Noted("library.said", "warning", {"source": "x", "text": "slow"})
