"""The typed client: what it repeats and what not, and what it makes of answers that are none."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from docaxis.client import Attachment, Client, Failed, Refused
from docaxis.client import http as http_module
from docaxis.core.errors import DocaxisError, OurFault, TheirFault
from docaxis.core.lifecycle import State
from docaxis.testing.axis import LocalAxis

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SENT = {"doc": "00" * 32, "to": ["H49"], "written_as": {}, "created_ms": 1, "expires_ms": 2, "warnings": []}


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[Client]:
    """A client of a listener that is no node, for what a node never does."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with Client(f"http://127.0.0.1:{runner.addresses[0][1]}", "token") as client:
            yield client
    finally:
        await runner.cleanup()


def problem(code: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
    """An error as a node words it."""
    body = {"code": code, "detail": "words", "remedy": "do this"}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")


async def test_a_broken_connection_is_tried_again_under_the_same_key() -> None:
    """The node may have done it already; the key makes the second request the first."""
    keys: list[str] = []

    async def breaks_twice(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) < http_module.ATTEMPTS:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(SENT, status=202)

    async with answering(breaks_twice) as client:
        assert (await client.send(["H49"])).to == ("H49",)
    assert len(keys) == http_module.ATTEMPTS
    assert len(set(keys)) == 1


async def test_attempts_are_bounded() -> None:
    """A clerk waits for half a second, not for ever."""
    tries = []

    async def breaks(request: web.Request) -> web.Response:
        tries.append(request.path)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with answering(breaks) as client:
        with pytest.raises(OurFault) as caught:
            await client.send(["H49"])
    assert caught.value.code == "node.unreachable"
    assert len(tries) == http_module.ATTEMPTS


async def test_a_busy_node_is_asked_again_as_it_wished() -> None:
    """503 with Retry-After means later; the error comes only when later is over."""
    answers = [problem("node.busy", 503, {"Retry-After": "0"}), web.json_response({"id": "H49"})]

    async def busy_once(request: web.Request) -> web.Response:
        return answers.pop(0)

    async with answering(busy_once) as client:
        assert (await client.status())["id"] == "H49"

    async def always_busy(request: web.Request) -> web.Response:
        return problem("node.busy", 503, {"Retry-After": "0"})

    async with answering(always_busy) as client:
        with pytest.raises(Failed) as caught:
            await client.status()
    assert (caught.value.code, caught.value.detail, caught.value.remedy) == ("node.busy", "words", "do this")


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (lambda: problem("document.unknown", 404), Refused, "document.unknown"),
        (lambda: problem("node.disk-full", 507), Failed, "node.disk-full"),
        (lambda: problem("a.code-of-the-future", 418), Failed, "node.internal"),
        (lambda: web.Response(status=404, text="<html>"), OurFault, "node.unreachable"),
        (lambda: web.Response(status=302, headers={"Location": "http://example.vn"}), OurFault, "node.unreachable"),
        (lambda: web.json_response({"doc": "x"}), OurFault, "peer.malformed"),
        (lambda: web.json_response([]), OurFault, "peer.malformed"),
        (lambda: web.Response(text="not json"), OurFault, "peer.malformed"),
    ],
)
async def test_every_answer_is_a_value_or_an_error_of_the_family(
    answer: Callable[[], web.Response], kind: type[DocaxisError], code: str
) -> None:
    """Another program on the port, a newer node, a damaged answer: each has its name."""

    async def handler(request: web.Request) -> web.Response:
        return answer()

    async with answering(handler) as client:
        with pytest.raises(kind) as caught:
            await client.document("00" * 32)
    assert caught.value.code == code


async def test_files_are_judged_before_anything_is_sent(tmp_path: Path) -> None:
    """No connection is needed to say that a file is missing or too large."""
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    cases: list[tuple[Any, str]] = [
        ([tmp_path / "missing"], "file.unusable"),
        ([tmp_path], "file.unusable"),
        ([big], "content.too-large"),
        ([Attachment(b"")] * 65, "content.too-large"),
    ]
    async with Client("http://127.0.0.1:1", "token") as client:
        for files, code in cases:
            with pytest.raises(TheirFault) as caught:
                await client.send(["H49"], files=files)
            assert caught.value.code == code


async def test_what_is_too_large_by_a_byte_is_told_in_bytes(tmp_path: Path) -> None:
    """16.0 MiB are no more than 16 MiB, to whoever reads that."""
    with (tmp_path / "big").open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    async with Client("http://127.0.0.1:1", "token") as client:
        with pytest.raises(TheirFault, match=r"16,777,217 bytes; .* 16 MiB \(16,777,216 bytes\)"):
            await client.send(["H49"], files=[tmp_path / "big"])


async def test_a_node_that_is_off_is_told_in_the_systems_words() -> None:
    """There is no TLS between a client and its node, and no word of it."""
    async with Client("http://127.0.0.1:1", "token") as client:
        with pytest.raises(OurFault) as caught:
            await client.status()
    assert caught.value.detail == "http://127.0.0.1:1: Connection refused"


async def test_a_letter_goes_to_a_real_node_and_every_method_speaks_of_it(tmp_path: Path) -> None:
    """The client and a node agree on every answer."""
    progress: list[tuple[int, int]] = []
    async with LocalAxis(["G22", "H49"]) as axis:
        office, province = axis["G22"].client, axis["H49"].client
        content = bytes(range(256)) * 5_000
        sent = await office.send(
            ["H49"],
            files=[Attachment(content, "số liệu.bin")],
            meta={"subject": "Số liệu"},
            progress=lambda done, total: progress.append((done, total)),
        )
        async for change in office.changes(0):
            if change.state is State.ARRIVED:
                break
        assert progress[-1] == (len(content), len(content))
        assert [row.doc async for row in office.outbox()] == [sent.doc]
        assert [row.doc async for row in province.inbox(State.ARRIVED)] == [sent.doc]
        assert [row async for row in province.inbox(State.REFUSED)] == []
        document = await province.document(sent.doc[:8])
        saved = await province.save_file(document, 0, tmp_path / "saved")
        assert saved.read_bytes() == content
        assert (await office.party("H49")).id == "H49"
        assert [party.id async for party in office.parties()] == ["G22", "H49"]
        assert (await province.metrics()).keys()
        assert sent.doc in (await office.evidence(sent.doc)).hex()
        refused = await province.refuse(sent.doc, "Không thuộc thẩm quyền", actor="Văn thư")
        assert refused.statements[0][0] == "H49"
