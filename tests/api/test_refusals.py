"""What the local API refuses: each with its own code, and nothing of it kept."""

from typing import Any

import pytest

from tests.api.conftest import Pair
from tests.api.test_app import problem_of
from tests.api.test_documents import LETTER, get, post

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("key", [None, "", "x" * 129, "a\tb", "é"])
async def test_whatever_changes_something_needs_a_key(shared: Pair, key: str | None) -> None:
    """Without one, a repeated request would be a second document."""
    headers = {} if key is None else {"Idempotency-Key": key}
    async with shared.http.post("/v1/documents", json=LETTER, headers=headers) as response:
        found = await problem_of(response)
    assert found["code"] == "request.malformed"
    assert "Idempotency-Key" in found["detail"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": []}, "request.malformed"),
        ({"to": "H49"}, "request.malformed"),
        ({"to": ["h49"]}, "id.malformed"),
        ({"to": ["H99"]}, "party.unknown"),
        ({"to": ["G22"]}, "envelope.to-self"),
        ({"kind": "recall"}, "request.malformed"),
        ({"kind": "update"}, "request.malformed"),
        ({"kind": "update", "ref": "00" * 32}, "envelope.reference"),
        ({"ref": "00" * 32}, "request.malformed"),
        ({"priority": "soon"}, "request.malformed"),
        ({"meta": {"date": "2026-13-45"}}, "request.malformed"),
        ({"meta": {"due": "30/11/2026"}}, "request.malformed"),
        ({"meta": {"due": "20261130"}}, "request.malformed"),
        ({"meta": {"due": "2026-W01-1"}}, "request.malformed"),
        ({"priority": True}, "request.malformed"),
        ({"expires_ms": 1}, "envelope.expired"),
        ({"expires_ms": 2**53}, "codec.schema"),
        ({"meta": {"secrecy": "mật"}}, "envelope.secret"),
        ({"meta": {"subject": "x" * 2001}}, "codec.schema"),
        ({"meta": {"unknown": "x"}}, "codec.schema"),
        ({"files": [{"name": "a/b", "data": ""}]}, "codec.schema"),
        ({"files": [{"name": "..", "data": ""}]}, "codec.schema"),
        ({"files": [{"name": "a", "data": "%%"}]}, "request.malformed"),
        ({"files": [{"name": "a", "size": 2**25, "chunks": []}]}, "request.malformed"),
        ({"files": [{"name": "a", "size": 5, "chunks": ["00" * 32]}]}, "content.missing"),
        ({"files": [{"name": "a", "size": 5, "chunks": []}]}, "content.unsupported"),
        ({"files": [{"name": "a", "size": 5, "chunks": ["00" * 32] * 2}]}, "content.corrupt"),
        ({"surprise": 1}, "request.malformed"),
    ],
)
async def test_what_cannot_be_sent_is_refused_by_its_code(shared: Pair, change: dict[str, Any], code: str) -> None:
    """Software reads the code; people read the detail."""
    refused = {"meta": {"subject": "refused"}, "to": ["H49"]} | change
    async with shared.http.post("/v1/documents", json=refused, headers={"Idempotency-Key": "k"}) as response:
        assert (await problem_of(response))["code"] == code
    assert [row async for row in shared.sender.outbox() if row.meta == refused["meta"]] == []


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{", b'{"to": NaN}', b"[" * 100_000, b'{"to": ["\\ud800"]}'])
async def test_a_body_that_is_no_json_object_is_refused(shared: Pair, body: bytes) -> None:
    """Nothing of it reaches the node, and nothing of it is a mistake of ours."""
    async with shared.http.post("/v1/documents", data=body, headers={"Idempotency-Key": "k"}) as response:
        assert (await problem_of(response))["code"] == "request.malformed"


@pytest.mark.parametrize("query", ["box=spam", "limit=0", "limit=501", "limit=x", "limit=-1", "state=lost", "limit=９"])
async def test_a_wrong_query_is_refused(shared: Pair, query: str) -> None:
    """A misspelt filter must not show everything."""
    assert (await get(shared, f"/v1/documents?{query}", 400))["code"] == "request.malformed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": "received"}, "statement.wrong-author"),
        ({"code": "01"}, "request.malformed"),
        ({"code": "recall"}, "lifecycle.reason-needed"),
        ({"code": "recall", "text": "x" * 2001}, "codec.schema"),
        ({"code": "recall", "text": "a\x00b"}, "codec.schema"),
        ({"code": 13}, "request.malformed"),
        ({}, "request.malformed"),
        ({"code": "recall", "text": "x", "more": 1}, "request.malformed"),
        ({"code": "recall", "text": "x", "recipient": "H54"}, "document.unknown"),
    ],
)
async def test_what_cannot_be_stated_is_refused_by_its_code(shared: Pair, body: dict[str, Any], code: str) -> None:
    """A sender cannot receive its own letter, and the node's own words are nobody's to say."""
    sent = await post(shared, "/v1/documents", LETTER, "the letter")
    async with shared.http.post(
        f"/v1/documents/{sent['doc']}/statements", json=body, headers={"Idempotency-Key": "s"}
    ) as response:
        assert (await problem_of(response))["code"] == code
