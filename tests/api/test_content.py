"""Content over the API: chunks in, files out, and names chosen by strangers that do no harm."""

import os
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.api import limits
from docaxis.api.content import disposition
from docaxis.client import Attachment
from docaxis.core.errors import DocaxisError
from docaxis.core.lifecycle import State
from tests.api.conftest import Pair, chunks_of
from tests.api.test_app import problem_of
from tests.api.test_documents import get, until


async def test_a_large_file_goes_in_by_chunks_and_comes_out_whole_at_the_other_end(pair: Pair, tmp_path: Path) -> None:
    """Three chunks, the last one short; each side gives back the same bytes."""
    content = os.urandom(2 * 2**20 + 12_345)
    (tmp_path / "phụ lục.pdf").write_bytes(content)
    sent = await pair.sender.send(["H49"], files=[tmp_path / "phụ lục.pdf"])
    await until(pair.recipient, State.ARRIVED, sent.doc)
    document = await pair.recipient.document(sent.doc)
    assert document.files[0].media == "application/pdf"
    saved = await pair.recipient.save_file(document, 0, tmp_path / "out.pdf")
    assert saved.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


async def test_small_and_empty_files_travel_with_the_letter(pair: Pair, tmp_path: Path) -> None:
    """Nothing has to be pulled for a note of one line, or of none."""
    files = [Attachment(b"one line", "note.txt"), Attachment(b"", "empty.txt")]
    sent = await pair.sender.send(["H49"], files=files)
    await until(pair.recipient, State.ARRIVED, sent.doc)
    document = await pair.recipient.document(sent.doc)
    for n, content in enumerate([b"one line", b""]):
        assert (await pair.recipient.save_file(document, n, tmp_path / str(n))).read_bytes() == content
    assert chunks_of(pair.province) == []


async def test_a_chunk_must_be_what_its_name_says(pair: Pair) -> None:
    """The digest is checked before anything is kept."""
    async with pair.http.put(f"/v1/chunks/{sha256(b'a').hexdigest()}", data=b"b") as response:
        assert (await problem_of(response))["code"] == "content.corrupt"
    async with pair.http.put("/v1/chunks/abc", data=b"b") as response:
        assert (await problem_of(response))["code"] == "request.malformed"
    async with pair.http.put(f"/v1/chunks/{sha256(b'a').hexdigest()}", data=BytesIO(b"x" * (2**22 + 1))) as response:
        assert (await problem_of(response))["code"] == "codec.too-long"
    assert chunks_of(pair.office) == []


async def test_a_file_whose_chunks_have_other_sizes_is_refused(pair: Pair) -> None:
    """The recipient would refuse it; the sender is told at once."""
    digest = sha256(b"four").hexdigest()
    async with pair.http.put(f"/v1/chunks/{digest}", data=b"four") as response:
        assert response.status == 201
    body = {"to": ["H49"], "files": [{"name": "a", "size": 5, "chunks": [digest]}]}
    async with pair.http.post("/v1/documents", json=body, headers={"Idempotency-Key": "k"}) as response:
        assert (await problem_of(response))["code"] == "content.corrupt"


async def test_uploads_are_bounded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds its chunk in memory; one too many is asked to wait, and told how long."""
    monkeypatch.setattr(limits, "UPLOADS_MAX", 0)
    async with pair.http.put(f"/v1/chunks/{sha256(b'a').hexdigest()}", data=b"a") as response:
        assert (await problem_of(response))["code"] == "node.busy"
        assert response.headers["Retry-After"] == "1"


async def test_content_that_is_not_here_is_an_error_and_not_half_a_file(pair: Pair) -> None:
    """It is noticed before the first word of the answer."""
    sent = await pair.sender.send(["H54"], files=[Attachment(b"x" * 100_000, "a")])
    for path in chunks_of(pair.office):
        path.unlink()
    assert (await get(pair, f"/v1/documents/{sent.doc}/files/0", 409))["code"] == "content.missing"
    assert (await get(pair, f"/v1/documents/{sent.doc}/files/1", 409))["code"] == "content.missing"


async def test_a_file_that_breaks_on_its_way_is_never_taken_for_whole(pair: Pair, tmp_path: Path) -> None:
    """The connection breaks, and the client leaves nothing behind."""
    content = os.urandom(2 * 2**20)
    sent = await pair.sender.send(["H54"], files=[Attachment(content, "a")])
    second = sha256(content[2**20 :]).hexdigest()
    next(path for path in chunks_of(pair.office) if path.name == second).unlink()
    with pytest.raises(DocaxisError) as caught:
        await pair.sender.save_file(await pair.sender.document(sent.doc), 0, tmp_path / "a")
    assert caught.value.code == "node.unreachable"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


async def test_a_hostile_file_leaves_in_a_form_that_no_browser_runs(pair: Pair) -> None:
    """A page with a script, under a name full of quotes, is still only an attachment."""
    name = 'a"; filename=b.html'
    sent = await pair.sender.send(["H54"], files=[Attachment(b"<script>", name, "text/html\u00a0;x")])
    async with pair.http.get(f"/v1/documents/{sent.doc}/files/0") as response:
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("sandbox")
        assert response.headers["Content-Disposition"].startswith("attachment; ")
        assert await response.read() == b"<script>"


@given(st.text(min_size=1, max_size=200))
def test_any_name_survives_its_header_and_breaks_nothing(name: str) -> None:
    """RFC 6266: a reader finds the true name; the header stays one line of ASCII."""
    clean = name.encode("utf-8", "replace").decode("utf-8")
    header = disposition(clean)
    assert header.isascii()
    assert header.isprintable()
    kind, _, (simple, true) = *header.partition("; ")[:2], header.partition("; ")[2].split("; filename*=UTF-8''")
    assert kind == "attachment"
    assert set(simple.removeprefix("filename=")[1:-1]).isdisjoint('";\\%')
    assert unquote(true) == clean
