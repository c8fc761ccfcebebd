"""Failures: what the client calls each way in which a call to a peer can come to nothing.

One table from the world's errors and a peer's answers to codes of the registry. Whether to try again, and when, is
decided elsewhere. A peer's words are believed only as far as they can do no harm.
"""

import ssl
from typing import Final, NamedTuple

import aiohttp

from docaxis.core import limits
from docaxis.transport.base import RETRY_AFTER_S_MAX
from docaxis.transport.problems import read_problem

_WAIT_MS_DEFAULT: Final = 1 * limits.SECOND_MS

# What a peer may say of a request that it has refused. Anything else it says is `peer.refused`.
_BELIEVED: Final = frozenset(
    {
        "codec.too-long",
        "codec.malformed",
        "codec.not-canonical",
        "codec.schema",
        "party.unknown",
        "party.revoked",
        "party.closed",
        "party.mismatch",
        "document.unknown",
        "content.missing",
        "content.unsupported",
        "directory.not-found",
    }
)
_BELIEVED_BUSY: Final = frozenset({"node.busy", "node.stopping", "node.disk-full"})


class Failure(NamedTuple):
    """Why an attempt failed; `answered`: somebody answered, so that another endpoint would say the same."""

    code: str
    detail: str
    wait_ms: int = 0
    answered: bool = False


def failure_of(error: BaseException) -> Failure:
    """The failure for an exception of the network, of TLS, or of what reads HTTP."""
    detail = f"{type(error).__name__}: {error}"[:200]
    if isinstance(error, TimeoutError):
        return Failure("peer.timeout", f"no answer in time ({type(error).__name__})")
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError) or "SSL" in detail:
        return Failure("peer.refused", detail)
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ClientResponseError):
        return Failure("peer.malformed", detail)
    return Failure("peer.unreachable", detail)


def may_be_refusal(error: BaseException) -> bool:
    """Whether the line broke after it was made and before anything was answered."""
    return isinstance(error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError) and not isinstance(
        error, aiohttp.ClientConnectorError | TimeoutError
    )


def failure_of_answer(status: int, retry_after: str, body: bytes) -> Failure:
    """The failure that an answer other than 200 tells of."""
    code, said = read_problem(body)
    detail = f"HTTP {status}: {said or code}"[:300]
    if status == 503:
        return Failure(code if code in _BELIEVED_BUSY else "node.busy", detail, _wait_ms(retry_after), answered=True)
    if status == 413 and not code:
        code = "codec.too-long"
    return Failure(code if code in _BELIEVED else "peer.refused", detail, answered=True)


def _wait_ms(retry_after: str) -> int:
    """Seconds only (RFC 9110 §10.2.3 knows dates, too; nodes do not send them), bounded."""
    if not (retry_after.isascii() and retry_after.isdigit()) or len(retry_after) > 9:
        return _WAIT_MS_DEFAULT
    return min(int(retry_after), RETRY_AFTER_S_MAX) * limits.SECOND_MS
