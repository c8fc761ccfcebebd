"""Documents over the API: handed in once, found again, stated about, and proved."""

import itertools
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from docaxis.client import Change, Client
from docaxis.core import evidence, evidence_file
from docaxis.core.errors import TheirFault
from docaxis.core.lifecycle import Code, State
from tests.api import described
from tests.api.conftest import Pair, chunks_of
from tests.api.test_app import problem_of

_KEYS = itertools.count()
pytestmark = pytest.mark.asyncio(loop_scope="module")
LETTER: dict[str, Any] = {"to": ["H49"], "meta": {"subject": "Về việc nghỉ Tết Nguyên đán"}}


def fresh() -> str:
    """A key that no request has had."""
    return f"key {next(_KEYS)}"


async def post(shared: Pair, path: str, body: Any, key: str = "", status: int = 202) -> dict[str, Any]:
    """Posts JSON under a key, a fresh one unless given."""
    async with shared.http.post(path, json=body, headers={"Idempotency-Key": key or fresh()}) as response:
        if response.status != 202:
            await problem_of(response)
        found: dict[str, Any] = await response.json(content_type=None)
        assert response.status == status, found
        return found


async def get(shared: Pair, path: str, status: int = 200) -> dict[str, Any]:
    """Gets JSON."""
    async with shared.http.get(path) as response:
        found: dict[str, Any] = await response.json(content_type=None)
        assert response.status == status, found
        return found


async def until(client: Client, state: State, doc: str) -> Change:
    """Waits until a document is in a state."""
    async for change in client.changes(0):
        if change.doc == doc and change.state is state:
            return change
    raise AssertionError("the feed has no end")


async def test_a_submission_is_answered_with_its_id_and_times_in_vietnam(shared: Pair) -> None:
    """The answer is the description's, and ms and ISO 8601 say the same."""
    sent = await post(shared, "/v1/documents", LETTER)
    described.check("Sent", sent)
    assert sent["to"] == ["H49"]
    assert sent["created_at"].endswith("+07:00")


async def test_the_same_key_and_request_is_one_document(shared: Pair) -> None:
    """A clerk's program that lost the answer asks again, in other JSON of the same meaning."""
    key = fresh()
    first = await post(shared, "/v1/documents", LETTER, key)
    again = await post(shared, "/v1/documents", {**dict(reversed(LETTER.items())), "kind": "new", "files": []}, key)
    assert first == again
    assert [row.doc async for row in shared.sender.outbox()].count(first["doc"]) == 1


async def test_the_same_key_for_another_request_is_refused(shared: Pair) -> None:
    """Otherwise the second letter would vanish behind the answer to the first."""
    key = fresh()
    await post(shared, "/v1/documents", LETTER, key)
    other = await post(shared, "/v1/documents", {**LETTER, "priority": "express"}, key, 409)
    assert other["code"] == "request.key-reused"


async def test_a_key_of_a_document_is_no_key_of_a_statement(shared: Pair) -> None:
    """What was asked is part of what the key stands for."""
    key = fresh()
    sent = await post(shared, "/v1/documents", LETTER, key)
    path = f"/v1/documents/{sent['doc']}/statements"
    assert (await post(shared, path, {"code": "recall", "text": "nhầm"}, key, 409))["code"] == "request.key-reused"


async def test_an_alias_is_resolved_and_remembered(shared: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old software writes old codes; the answer says whom they mean now, and twice the same is one copy."""
    monkeypatch.setattr(shared.node.book, "_aliases", {"000.00.00.H49": "H49"})
    sent = await post(shared, "/v1/documents", LETTER | {"to": ["000.00.00.H49", "H49"]})
    assert sent["to"] == ["H49"]
    assert sent["written_as"] == {"H49": "000.00.00.H49"}


async def test_pages_of_a_box_show_every_row_once_while_more_arrive(shared: Pair) -> None:
    """A cursor names a row, so that a new document shifts nothing."""
    before = len([row async for row in shared.sender.outbox()])
    for _ in range(7):
        await post(shared, "/v1/documents", {"to": ["H49", "H54"]})
    seen, cursor = [], ""
    while True:
        page = await get(shared, f"/v1/documents?box=outbox&limit=3&cursor={cursor}")
        described.check("Page", page)
        seen += [(row["doc"], row["recipient"]) for row in page["documents"]]
        await post(shared, "/v1/documents", LETTER)
        if page["next"] is None:
            break
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == before + 14


async def test_a_cursor_of_another_list_is_refused(shared: Pair) -> None:
    """It would silently show the wrong rows."""
    for _ in range(2):
        await post(shared, "/v1/documents", LETTER)
    cursor = (await get(shared, "/v1/documents?box=outbox&limit=1"))["next"]
    assert (await get(shared, f"/v1/documents?box=inbox&cursor={cursor}", 400))["code"] == "request.cursor"
    assert (await get(shared, "/v1/documents?cursor=nonsense", 400))["code"] == "request.cursor"


async def test_a_document_is_shown_with_its_history_and_next_steps(shared: Pair) -> None:
    """Who said what when, signed with which key, and what this side may do now."""
    sent = await post(shared, "/v1/documents", LETTER)
    await until(shared.sender, State.ARRIVED, sent["doc"])
    shown = await get(shared, f"/v1/documents/{sent['doc']}")
    described.check("Document", shown)
    (transmission,) = shown["transmissions"]
    assert (transmission["state"], transmission["state_vi"]) == ("arrived", "đã đến")
    assert [code["name"] for code in transmission["possible"]] == ["recall"]
    (said,) = shown["history"]
    assert (said["by"], said["name"], said["name_vi"]) == ("H49", "arrived", "đã đến")
    other = await get(shared, f"/v1/documents/{sent['doc']}?recipient=H54")
    assert other["transmissions"] == other["history"] == []


async def test_a_start_of_an_id_names_a_document(shared: Pair) -> None:
    """People do not type 64 digits; an odd number of them is no mistake."""
    sent = await post(shared, "/v1/documents", LETTER)
    for digits in (8, 9, 31, 64):
        assert (await get(shared, f"/v1/documents/{sent['doc'][:digits]}"))["doc"] == sent["doc"]
    assert (await get(shared, f"/v1/documents/{sent['doc'][:7]}", 400))["code"] == "id.malformed"
    assert (await get(shared, f"/v1/documents/{('0' * 20)}", 404))["code"] == "document.unknown"
    assert (await get(shared, f"/v1/documents/{('0' * 63 + '1')}", 404))["code"] == "document.unknown"


async def test_a_start_that_fits_two_documents_names_neither(shared: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusing the wrong document would be worse than asking again."""

    async def two(prefix: bytes, limit: int) -> list[bytes]:
        return [prefix + bytes(28), prefix + bytes(27) + b"\x01"]

    monkeypatch.setattr(shared.node.store, "starting", two)
    assert (await get(shared, "/v1/documents/00112233", 409))["code"] == "document.ambiguous"


async def test_statements_go_both_ways_and_say_so(shared: Pair) -> None:
    """The province receives and assigns; the office recalls; the province agrees; both see the same."""
    sent = await shared.sender.send(["H49"], meta={"subject": "x"})
    await until(shared.recipient, State.ARRIVED, sent.doc)
    stated = await shared.recipient.advance(sent.doc, Code.RECEIVED, actor="Nguyễn Văn An")
    assert stated.statements[0][0] == "H49"
    await until(shared.sender, State.RECEIVED, sent.doc)
    described.check(
        "Stated", await post(shared, f"/v1/documents/{sent.doc}/statements", {"code": "13", "text": "nhầm"}, "r 142")
    )
    await until_recall(shared.recipient, sent.doc)
    await shared.recipient.agree(sent.doc)
    await until(shared.sender, State.RECOVERED, sent.doc)
    names = [said.code.name for said in (await shared.sender.document(sent.doc)).history]
    assert names == ["ARRIVED", "RECEIVED", "RECALL", "AGREE"]


async def until_recall(client: Client, doc: str) -> None:
    """Waits until a recall has come."""
    async for change in client.changes(0):
        if change.doc == doc and change.code.name == "RECALL":
            return


async def test_the_evidence_of_a_document_is_a_file(shared: Pair) -> None:
    """It can be read by whoever gets it; that it holds is tested where evidence lives."""
    sent = await shared.sender.send(["H49"])
    await until(shared.sender, State.ARRIVED, sent.doc)
    async with shared.http.get(f"/v1/documents/{sent.doc}/evidence") as response:
        assert response.content_type == "application/vnd.docaxis.evidence"
        assert response.headers["Content-Disposition"] == f'attachment; filename="{sent.doc[:12]}.evidence"'
        assert len(evidence.read(await response.read()).statements) == 1


async def test_evidence_may_be_about_some_recipients_only(shared: Pair) -> None:
    """So one that floods a document with words, or lies about them, can be left out."""
    sent = await shared.sender.send(["H49", "H54"])
    await until(shared.sender, State.ARRIVED, sent.doc)
    closings = [
        evidence_file.decode_index(evidence_file.read(await shared.sender.evidence(sent.doc, to)).closing.body).to
        for to in ([], ["H49"], ["H54", "H49"])
    ]
    assert [set(each) for each in closings] == [{"H49", "H54"}, {"H49"}, {"H49", "H54"}]
    with pytest.raises(TheirFault, match=r"document\.unknown.*H55"):
        await shared.sender.evidence(sent.doc, ["H49", "H55"])


async def test_a_repeated_request_is_answered_though_its_content_is_gone(shared: Pair) -> None:
    """After a recall the content is destroyed, but the answer that was given stands."""
    key = fresh()
    content = b"x" * 70_000
    body = {**LETTER, "files": [{"name": "a", "data": b64encode(content).decode()}]}
    first = await post(shared, "/v1/documents", body, key)
    digest = sha256(content).hexdigest()
    uploaded = {**LETTER, "files": [{"name": "a", "size": 70_000, "chunks": [digest]}]}
    for path in chunks_of(shared.office):
        path.unlink()
    assert await post(shared, "/v1/documents", uploaded, key) == first
    assert (await post(shared, "/v1/documents", uploaded, status=409))["code"] == "content.missing"


async def test_a_number_sent_twice_in_a_year_draws_a_warning(shared: Pair) -> None:
    """Decree 30/2020, Appendix VI; the repeated request is no second letter, and another year is another number."""
    key = fresh()
    letter = LETTER | {"meta": {"number": "7816", "notation": "VPCP-TTĐT", "date": "2026-11-22"}}
    first = await post(shared, "/v1/documents", letter, key)
    assert first["warnings"] == (await post(shared, "/v1/documents", letter, key))["warnings"] == []
    second = await post(shared, "/v1/documents", letter)
    described.check("Sent", second)
    (warning,) = second["warnings"]
    assert warning["doc"] == first["doc"]
    assert "7816/VPCP-TTĐT" in warning["text_vi"]
    next_year = letter | {"meta": {**letter["meta"], "date": "2027-01-04"}}
    assert (await post(shared, "/v1/documents", next_year))["warnings"] == []
