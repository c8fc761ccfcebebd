"""The log writes one line per event, whatever is in it."""

import io
import json

import pytest

from docaxis.core.effects import Noted
from docaxis.runtime.log import VALUE_CHARS_MAX, Log

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
