"""The table of failures: each way in which a call fails has one code, and a peer's word counts only so far."""

import ssl

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.errors import REGISTRY
from docaxis.core.limits import DAY_MS
from docaxis.transport.failures import failure_of, failure_of_answer


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError(), "peer.timeout"),
        (aiohttp.ConnectionTimeoutError(), "peer.timeout"),
        (aiohttp.ServerDisconnectedError(), "peer.unreachable"),
        (aiohttp.ClientOSError(104, "Connection reset by peer"), "peer.unreachable"),
        (aiohttp.ClientOSError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca"), "peer.refused"),
        (ssl.SSLCertVerificationError(1, "unknown"), "peer.refused"),
        (ssl.SSLError(1, "[SSL] nonsense"), "peer.refused"),
        (aiohttp.ClientPayloadError("not complete"), "peer.malformed"),
        (aiohttp.InvalidURL("https://["), "peer.unreachable"),
        (OSError(113, "No route to host"), "peer.unreachable"),
        (ValueError("port out of range"), "peer.unreachable"),
    ],
)
def test_each_error_of_the_world_has_a_code(error: Exception, code: str) -> None:
    """The machine backs off by class, and an operator reads the code first."""
    failure = failure_of(error)
    assert failure.code == code
    assert not failure.answered
    assert len(failure.detail) <= 200


@given(st.integers(100, 599), st.text(max_size=30), st.binary(max_size=100))
def test_whatever_a_peer_answers_is_a_known_code_and_a_bounded_wait(status: int, after: str, body: bytes) -> None:
    """Nobody outside chooses a code that means something inside, or sends us away for a year."""
    failure = failure_of_answer(status, after, body)
    assert failure.code in REGISTRY
    assert failure.code.split(".")[0] in {"peer", "party", "codec", "node", "content", "document", "directory"}
    assert 0 <= failure.wait_ms <= DAY_MS
    assert failure.answered


@pytest.mark.parametrize(
    "code", ["node.keys", "node.config", "store.too-new", "request.unauthorised", "evidence.broken"]
)
def test_a_code_that_speaks_of_our_inside_is_not_taken_from_outside(code: str) -> None:
    """A hostile peer must not make this node report a fault of its own."""
    for status in (400, 403, 500, 503):
        assert failure_of_answer(status, "", b'{"code": "%s"}' % code.encode()).code in {"peer.refused", "node.busy"}


def test_too_long_is_believed_from_a_proxy_that_knows_no_codes() -> None:
    """Smaller requests then find the one that fits."""
    assert failure_of_answer(413, "", b"<html>").code == "codec.too-long"
