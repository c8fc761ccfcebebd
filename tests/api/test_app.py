"""The table of routes: guarded, and every error of every route a problem document."""

import json
import re
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from docaxis.api.app import ROUTES
from docaxis.core.errors import REGISTRY
from tests.api import described
from tests.api.conftest import Pair

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLACES = {"{doc}": "0" * 64, "{n}": "0", "{digest}": "0" * 64, "{party}": "H49"}


def plain(path: str) -> str:
    """A route's path as the description writes it."""
    return re.sub(r"\{(\w+):[^/]*\}", r"{\1}", path)


def filled(path: str) -> str:
    """A route's path with something in each of its places."""
    text = plain(path)
    for place, value in PLACES.items():
        text = text.replace(place, value)
    return text


async def problem_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The problem document that an error must be."""
    assert response.content_type == "application/problem+json"
    found: dict[str, Any] = await response.json(content_type=None)
    described.check("Problem", found)
    assert found["status"] == response.status == REGISTRY[found["code"]].status
    assert found["type"] == f"urn:docaxis:problem:{found['code']}"
    return found


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Basic Zm9v", "Bearer \udce9"])
async def test_no_route_answers_without_the_token(shared: Pair, token: str) -> None:
    """One forgotten route would be open to every program on the machine."""
    async with aiohttp.ClientSession(shared.url, headers={"Authorization": token}) as session:
        for route in ROUTES:
            async with session.request(route.method, filled(route.path)) as response:
                assert (await problem_of(response))["code"] == "request.unauthorised", route
                assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_name_of_the_scheme_may_be_written_in_any_case(shared: Pair) -> None:
    """RFC 9110 says so, and some libraries write it small; the token itself is what it is."""
    token = shared.http.headers["Authorization"].removeprefix("Bearer ")
    for header, status in ((f"bearer {token}", 200), (f"BEARER {token}", 200), (f"bearer {token.swapcase()}", 401)):
        async with aiohttp.ClientSession(shared.url, headers={"Authorization": header}) as session:
            assert (await session.get("/v1/status")).status == status


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8480", "127.0.0.1.evil.example", "[::2]", ""])
async def test_a_name_that_was_made_to_point_here_is_not_served(shared: Pair, host: str) -> None:
    """A web page that rebinds its name to loopback comes with its own Host."""
    async with shared.http.get("/v1/status", headers={"Host": host}) as response:
        assert (await problem_of(response))["code"] == "request.host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]:8480"])
async def test_every_name_of_loopback_is_served(shared: Pair, host: str) -> None:
    """A clerk's software may call this machine by any of its names."""
    async with shared.http.get("/v1/status", headers={"Host": host}) as response:
        assert response.status == 200


@pytest.mark.parametrize("path", ["/", "/v2/documents", "/v1/documents/x/y/z", "/v1/documents//statements", "/v1/%00"])
async def test_a_page_that_does_not_exist_is_a_problem_document(shared: Pair, path: str) -> None:
    """The web library's own pages never show."""
    async with shared.http.get(path) as response:
        assert (await problem_of(response))["code"] in ("request.not-found", "id.malformed")


async def test_a_wrong_method_names_the_right_ones(shared: Pair) -> None:
    """RFC 9110 §15.5.6 demands the Allow header."""
    async with shared.http.delete("/v1/documents") as response:
        assert (await problem_of(response))["code"] == "request.method"
        assert {"GET", "POST"} <= set(response.headers["Allow"].split(","))


async def test_what_is_too_long_is_refused_before_it_is_read(shared: Pair) -> None:
    """The length is believed at its word; the body is never kept."""
    body = BytesIO(b" " * (2**21 + 1))
    async with shared.http.post("/v1/documents", data=body, headers={"Idempotency-Key": "k"}) as response:
        assert (await problem_of(response))["code"] == "codec.too-long"


async def test_a_mistake_of_ours_tells_the_log_and_not_the_caller(
    shared: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A traceback in an answer would tell a stranger how the house is built."""

    async def broken() -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(shared.node, "status", broken)
    async with shared.http.get("/v1/status") as response:
        found = await problem_of(response)
    assert found["code"] == "node.internal"
    assert "secret" not in json.dumps(found)
    assert "a secret detail" in caplog.text
