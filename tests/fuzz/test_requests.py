"""Bytes on a peer's line: whatever a known party sends, the listener answers in its own words or hangs up.

`corpus/requests/` holds one raw request per file: the well-formed ones that the fuzzer bends, and every input that
once was worth a look. A new finding goes there under a name that says what it is.
"""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docaxis.transport.base import ServerSettings
from tests.transport.conftest import town
from tests.transport.town import Node, Town, line_to

__all__ = ["town"]

CORPUS = Path(__file__).parent / "corpus" / "requests"
FILES = sorted(CORPUS.glob("*.raw"))
HASTY = ServerSettings(head_s=0.4, body_s=0.4, request_s=2, sweep_s=0.05, linger_s=0.05, idle_s=1, requests_max=8)
LAST = b"GET /v1/hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
EXPECTED = frozenset({200, 400, 403, 404, 408, 411, 413, 415})
SPLICES = (
    b"\r\n",
    b"\r\n\r\n",
    b"\x00",
    b"%00",
    b"..",
    b"/",
    b" ",
    b":",
    b"\xff",
    b"Content-Length: 0\r\n",
    b"0\r\n\r\n",
)

Edit = tuple[int, int, bytes]


def bend(raw: bytes, edits: list[Edit]) -> bytes:
    """Each edit replaces so many bytes at a place by others."""
    for place, length, other in edits:
        at = place % (len(raw) + 1)
        raw = raw[:at] + other + raw[at + length :]
    return raw


bent = st.builds(
    bend,
    st.sampled_from([path.read_bytes() for path in FILES]),
    st.lists(
        st.tuples(st.integers(0, 5_000), st.integers(0, 40), st.sampled_from(SPLICES) | st.binary(max_size=12)),
        max_size=4,
    ),
)


async def answers_to(node: Node, caller: Node, raw: bytes) -> list[int]:
    """Statuses of everything that comes back, once what came back is known to be clean."""
    mistakes: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: mistakes.append(context))
    before = len(node.office.batches)
    async with line_to(node, caller.tls._identity) as line:
        await line.say(raw + LAST)
        said = await line.rest()
    assert not mistakes
    assert b"Traceback" not in said
    assert b"aiohttp" not in said
    assert all(peer == batch.sender == caller.party for peer, batch in node.office.batches[before:])
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n", said)]


async def still_serves(node: Node, caller: Node) -> bool:
    """Whether the next honest request is answered."""
    return await answers_to(node, caller, b"") == [200]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_the_kept_corpus_is_answered_or_cut(town: Town, path: Path) -> None:
    """Every input that was once worth a look, on every run."""
    hue, hanoi = await town.settle("H49", HASTY), await town.settle("G22")
    assert EXPECTED.issuperset(await answers_to(hue, hanoi, path.read_bytes()))
    assert await still_serves(hue, hanoi)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(raw=bent)
async def test_bent_requests_are_answered_or_cut(town: Town, raw: bytes) -> None:
    """The same town serves all examples, so that what one leaves behind would be seen by the next."""
    if not town.nodes:
        await town.settle("H49", HASTY)
        await town.settle("G22")
    hue, hanoi = town.nodes
    assert EXPECTED.issuperset(await answers_to(hue, hanoi, raw))
    assert await still_serves(hue, hanoi)
