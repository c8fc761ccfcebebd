"""Clerks at their desks: real commands, each in its own process, against real nodes."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docaxis.cli import documents, main
from docaxis.client import Party
from tests.cli.axis import Offices, Said, docaxis

SUBJECT = "Về việc nghỉ Tết Nguyên đán Bính Ngọ"


def send(offices: Offices, *words: object) -> str:
    """A letter from G22 to H49 that has arrived; its id."""
    said = offices.at("G22", "send", "--to", "H49", "--wait", *words)
    assert said.code == main.OK, said
    return said.out.strip()


def eventually(ask: Callable[[], Said], hold: Callable[[Any], bool]) -> Any:
    """Asks until the answer is as it must become; the test's own time-out ends it."""
    while not hold(value := ask().json):
        continue
    return value


def state_at(offices: Offices, code: str, doc: str) -> Callable[[], Said]:
    """Asks an office what it knows of a document."""
    return lambda: offices.at(code, "show", doc, "--json")


def test_a_letter_is_sent_listed_shown_and_followed(offices: Offices, tmp_path: Path) -> None:
    """From the sender's desk to the recipient's and back, in the words that people read."""
    file = tmp_path / "quyết định.pdf"
    file.write_bytes(b"%PDF-1.7" + bytes(100_000))
    doc = send(
        offices, file, "--subject", SUBJECT, "--number", "7816", "--notation", "VPCP-TTĐT", "--priority", "express"
    )
    inbox = offices.at("H49", "inbox")
    assert doc[:12] in inbox.out
    assert SUBJECT in inbox.out
    assert "7816/VPCP-TTĐT" in inbox.out
    assert "arrived · đã đến" in inbox.out
    assert "[express · hỏa tốc]" in inbox.out
    shown = offices.at("H49", "show", doc[:8], "--save-to", tmp_path / ".")
    assert shown.code == main.OURS, "the folder holds a file of that name already"
    target = tmp_path / "in"
    target.mkdir()
    shown = offices.at("H49", "show", doc[:8], "--save-to", target)
    assert (target / "quyết định.pdf").read_bytes() == file.read_bytes()
    assert "from · bên gửi: G22 Government Office · Văn phòng Chính phủ" in shown.out
    assert f"docaxis advance {doc[:12]} --to received|assigned|processing|completed" in shown.out
    advanced = offices.at(
        "H49", "advance", doc[:8], "--to", "received", "--actor", "Nguyễn Văn An", "--note", "Sổ đến 12"
    )
    assert "03 received · đã tiếp nhận" in advanced.out
    sender = eventually(state_at(offices, "G22", doc), lambda found: found["transmissions"][0]["state"] == "received")
    assert [(said["code"], said["actor"]) for said in sender["history"]][-1] == ("03", "Nguyễn Văn An")
    assert "Nguyễn Văn An" in offices.at("G22", "show", doc).out


def waiting(found: Any) -> bool:
    """Whether a recall waits for its answer."""
    return bool(found["transmissions"][0]["recall_waiting"])


def test_a_recall_is_answered_at_the_other_desk(offices: Offices) -> None:
    """First declined, then agreed; a third is not possible."""
    doc = send(offices, "--subject", "gửi nhầm")
    for answer, ends in (("--decline", "arrived"), ("--agree", "recovered")):
        assert offices.at("G22", "recall", doc, "--reason", "Gửi nhầm phụ lục").code == main.OK
        eventually(state_at(offices, "H49", doc), waiting)
        assert "answer-recall" in offices.at("H49", "show", doc).out
        said = offices.at("H49", "answer-recall", doc, answer, "--reason", "như đã trao đổi")
        assert said.code == main.OK, said
        found = eventually(state_at(offices, "G22", doc), lambda found: not waiting(found))
        assert found["transmissions"][0]["state"] == ends
    again = offices.at("G22", "recall", doc, "--reason", "lần nữa")
    assert again.code == main.REFUSED
    assert "lifecycle.not-allowed" in again.err


def test_a_refusal_carries_its_reason_home(offices: Offices) -> None:
    """The sender reads why."""
    doc = send(offices, "--subject", "nhầm địa chỉ")
    assert offices.at("H49", "refuse", doc, "--reason", "Không thuộc thẩm quyền").code == main.OK
    found = eventually(state_at(offices, "G22", doc), lambda found: found["transmissions"][0]["state"] == "refused")
    assert found["history"][-1]["text"] == "Không thuộc thẩm quyền"


def test_what_only_the_other_party_may_say_is_refused_with_an_explanation(offices: Offices) -> None:
    """A tired clerk recalls a letter that came instead of one that went."""
    doc = send(offices, "--subject", "x")
    said = offices.at("H49", "recall", doc, "--reason", "x")
    assert said.code == main.REFUSED
    assert "only its sender may recall it" in said.err


def test_a_letter_to_all_goes_to_every_party_but_oneself(offices: Offices) -> None:
    """H54 is off: the wait ends at its time-out, with exit code 1, and the letter stays on its way, as status says."""
    said = offices.at("G22", "send", "--to", "all", "--subject", "x", "--wait", "--timeout", "3", "--json")
    assert said.code == main.NEGATIVE
    value = json.loads(said.out)
    assert value["to"] == ["H49", "H54"]
    assert value["states"] == {"H49": "arrived", "H54": "sent"}
    waiting = offices.at("G22", "node", "status")
    assert re.search(r"\nH54 +\d+ normal +\d+ (s|min) ", waiting.out), waiting.out


def test_the_same_key_sends_once(offices: Offices) -> None:
    """A script that was interrupted runs again."""
    first = offices.at("G22", "send", "--to", "H49", "--subject", "x", "--key", "tuần 47", "--json")
    assert first.code == main.REFUSED, "a key is ASCII"
    one, two = (
        offices.at("G22", "send", "--to", "H49,H49", "--subject", "x", "--key", "week 47", "--json") for _ in "12"
    )
    assert one.json == two.json
    assert "named twice" in one.err
    late = offices.at("G22", "send", "--to", "H49", "--subject", "x", "--key", "week 47", "--wait")
    assert late.code == main.OK, "it arrived before this wait began"


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["send", "missing.pdf", "--to", "H49"], main.USAGE, "does not exist"),
        (["send", ".", "--to", "H49"], main.USAGE, "is a folder"),
        (["send", "--to", "H49"], main.USAGE, "at least one file"),
        (["send", "--to", ",", "--subject", "x"], main.USAGE, "names nobody"),
        (["send", "--to", "H99", "--subject", "x"], main.REFUSED, "H99 is not in the directory"),
        (["send", "--to", "H49,H98,h54", "--subject", "x"], main.REFUSED, "did you mean 'H54'?"),
        (["send", "--to", "H49,H98,h54", "--subject", "x"], main.REFUSED, "H98 is not in the directory"),
        (["send", "--to", "G22", "--subject", "x"], main.REFUSED, "Leave this node's own code out"),
        (["send", "--to", "H49", "--subject", "x", "--days", "0"], main.USAGE, "a whole number from 1"),
        (["advance", "0" * 64, "--to", "arrived"], main.USAGE, "arrived is what a node says by itself"),
        (["advance", "0" * 64, "--to", "refused"], main.USAGE, "docaxis refuse"),
        (["send", "--to", "G22", "--subject", "x"], main.REFUSED, "G22 is this node itself"),
        (["send", "--to", "H49", "--subject", "x", "--kind", "update"], main.REFUSED, "ref exactly when"),
        (["send", "--to", "H49", "--subject", "x", "--date", "2026-13-45"], main.REFUSED, "meta.date: expected a day"),
        (["send", "--to", "H49", "--subject", "x", "--due", "30/11/2026"], main.REFUSED, "not '30/11/2026'"),
        (["outbox", "--cursor", "nonsense"], main.REFUSED, "cursor"),
        (["send", "--to", "H49", "--subject", "x", "--days", "-1"], main.USAGE, "a whole number from 1"),
        (["show", "zz"], main.REFUSED, "8 to 64 hexadecimal digits"),
        (["show", "zz"], main.REFUSED, "the id of a document or key is hexadecimal digits"),
        (["show", "0" * 12], main.REFUSED, "no document begins with"),
        (["advance", "0" * 64, "--to", "received"], main.REFUSED, "document.unknown"),
        (["evidence", "0" * 64], main.REFUSED, "document.unknown"),
    ],
)
def test_what_cannot_be_done_is_said_with_code_and_remedy(
    offices: Offices, tmp_path: Path, words: list[str], code: int, hint: str
) -> None:
    """In the words of the reader."""
    said = docaxis(*words, cwd=tmp_path, node=offices.ground.nodes["G22"])
    assert said.code == code, said
    assert hint in said.err


def test_an_error_is_json_where_json_was_asked_for(offices: Offices) -> None:
    """A script reads one stream, and decides by the code."""
    said = offices.at("G22", "show", "0" * 12, "--json")
    assert (said.code, said.err) == (main.REFUSED, "")
    error = json.loads(said.out)["error"]
    assert error["code"] == "document.unknown"
    assert error["title_vi"] == "Không có văn bản này"


def test_a_node_that_is_off_or_not_there_has_its_own_exit_codes(offices: Offices, tmp_path: Path) -> None:
    """A script may wait for the one, and must not wait for the other."""
    off = offices.at("H54", "inbox")
    assert off.code == main.UNREACHABLE
    assert "docaxis node run" in off.err
    nowhere = docaxis("inbox", cwd=tmp_path)
    assert nowhere.code == main.OURS
    assert "--node DIR" in nowhere.err


def test_empty_lists_say_so(offices: Offices) -> None:
    """Nothing is not silence."""
    assert offices.at("H49", "outbox").out == "outbox · văn bản đi: No document · Không có văn bản\n"
    assert offices.at("H49", "outbox", "--json").json == {"documents": [], "next": None}
    none = offices.at("H49", "inbox", "--state", "expired").out
    assert none == "inbox · văn bản đến: No document · Không có văn bản (expired · hết hạn chuyển)\n"


def test_software_pages_through_a_box_by_cursor(offices: Offices, tmp_path: Path) -> None:
    """Nothing twice and nothing left out, and of the files only what the list knows."""
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    send(offices, tmp_path / "a.txt", "--subject", "của trang đầu")
    whole = offices.at("G22", "outbox", "--limit", 600, "--json").json
    assert whole["next"] is None
    assert whole["documents"][0]["files"] == [{"name": "a.txt", "media": "text/plain", "size": 1}]
    pages: list[Any] = []
    following: str | None = ""
    while following is not None:
        page = offices.at("G22", "outbox", "--limit", 4, "--cursor", following, "--json").json
        pages += page["documents"]
        following = page["next"]
    assert pages == whole["documents"]
    assert "--cursor" in offices.at("G22", "outbox", "--limit", 1).err


@pytest.mark.parametrize(
    "name", ["a\nb.pdf", "a\x1b[2J.pdf", os.fsdecode(b"\xff.pdf")], ids=["newline", "escape", "bytes"]
)
def test_a_file_that_no_document_can_name_is_named_harmlessly(offices: Offices, tmp_path: Path, name: str) -> None:
    """The clerk sees which one it is, and the terminal is not moved by it."""
    (tmp_path / name).write_bytes(b"x")
    said = offices.at("G22", "send", tmp_path / name, "--to", "H49")
    assert said.code == main.USAGE
    assert f"{name!r} is no name" in said.err
    assert "rename it" in said.err
    assert "\x1b" not in said.err


def test_after_a_wait_each_recipient_is_told(offices: Offices) -> None:
    """Whoever waited wants the end of it, also in a log."""
    said = offices.at("G22", "send", "--to", "H49", "--subject", "x", "--wait")
    assert "  H49: arrived · đã đến\n" in said.err


def test_one_who_is_no_recipient_has_no_part(offices: Offices) -> None:
    """An empty page would read as: nothing has happened there."""
    doc = send(offices, "--subject", "x")
    said = offices.at("G22", "show", doc, "--recipient", "H54")
    assert said.code == main.REFUSED
    assert "document.unknown" in said.err
    assert "H54 is no recipient" in said.err


@pytest.mark.parametrize(
    ("vietnamese", "english", "shown"),
    [("H50", "H50", ""), ("Sở Nội vụ", "H50", "Sở Nội vụ"), ("Sở Nội vụ", "Home Affairs", "Home Affairs · Sở Nội vụ")],
)
def test_a_code_is_no_name(vietnamese: str, english: str, shown: str) -> None:
    """Where `node init` was given none, the code stands in; nobody reads H50 H50 · H50."""
    assert documents.name_of(Party("H50", vietnamese, english, "agency", None, "open", (), (), ())) == shown


def test_one_recipient_is_one(offices: Offices) -> None:
    """People read these lines."""
    said = offices.at("G22", "send", "--to", "H49", "--subject", "x")
    assert "signed and durable for 1 recipient ·" in said.err


def test_an_empty_file_is_sent_with_a_word(offices: Offices, tmp_path: Path) -> None:
    """It may be a mistake, and it may not."""
    (tmp_path / "rỗng.txt").touch()
    said = offices.at("G22", "send", tmp_path / "rỗng.txt", "--to", "H49")
    assert said.code == main.OK
    assert "is empty" in said.err


def test_a_file_over_the_limit_is_refused_before_it_is_read(offices: Offices, tmp_path: Path) -> None:
    """The size is in the answer, and the limit."""
    with (tmp_path / "huge.zip").open("wb") as file:
        file.truncate(2**40)
    said = offices.at("G22", "send", tmp_path / "huge.zip", "--to", "H49")
    assert said.code == main.USAGE
    assert "at most 16 MiB" in said.err


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("báo cáo.pdf", "báo cáo.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        (".bashrc", "bashrc"),
        ("...", "file-0"),
        ("a\u202egpj.exe", "a gpj.exe"),
        ("ệ" * 500, "ệ" * 66),
    ],
)
def test_a_strangers_file_name_stays_in_its_folder(name: str, safe: str) -> None:
    """No path, nothing hidden, nothing that turns the reading direction, nothing longer than a file system takes."""
    assert documents.safe_name(name, "file-0") == safe
