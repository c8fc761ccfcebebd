"""One connection pool to one node: requests that are repeated safely, and errors that keep the node's code.

A request is repeated only when it never got an answer, or the node asked to wait (503 with Retry-After): at most
`ATTEMPTS` times in all, after `RETRY_DELAYS_S`. That is safe, because whatever changes something carries an idempotency
key. Nothing here knows what a document is.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any, Final, NamedTuple

import aiohttp

from docaxis.client.errors import from_problem
from docaxis.core.errors import DocaxisError, OurFault

RETRY_DELAYS_S: Final = (0.1, 0.4)
ATTEMPTS: Final = 1 + len(RETRY_DELAYS_S)
CONNECT_TIMEOUT_S: Final = 5
SILENCE_TIMEOUT_S: Final = 90
"""Longer than the longest long poll."""
WAIT_S_MAX: Final = 5.0
MEDIA_BYTES: Final = "application/octet-stream"
_PROBLEM_BYTES_MAX: Final = 64 * 1024
_BODY_BYTES_PLAIN_MAX: Final = 2**20
"""Longer bodies are written piece by piece, so that the loop can do other work between."""

Params = Mapping[str, str | int] | Sequence[tuple[str, str]]
_LOST: Final = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)


class _Call(NamedTuple):
    """One request, however often it is made."""

    method: str
    path: str
    params: Params | None = None
    body: bytes | None = None
    headers: Mapping[str, str] | None = None


class Http:
    """Requests to the node at `url` with its `token`."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Makes the connection pool; connections open when they are needed."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=SILENCE_TIMEOUT_S)
        # a node is called where its folder says, never through a proxy of the environment
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout, trust_env=False)

    async def close(self) -> None:
        """Closes every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, params: Params | None = None) -> dict[str, Any]:
        """The JSON object of an answer; raises `DocaxisError`."""
        return _read_answer(await self.read("GET", path, params=params))

    async def post(self, path: str, value: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Posts JSON under an idempotency key and gives the JSON object of the answer; raises `DocaxisError`."""
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return _read_answer(await self.read("POST", path, body=json.dumps(value).encode(), headers=headers))

    async def post_bytes(self, path: str, body: bytes) -> dict[str, Any]:
        """Posts bytes that may come twice, and gives the JSON object of the answer; raises `DocaxisError`."""
        return _read_answer(await self.read("POST", path, body=body, headers={"Content-Type": MEDIA_BYTES}))

    async def read(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body of an answer; raises `DocaxisError`, with the node's own code where it answered."""
        call = _Call(method, path, params, body, headers)
        for delay_s in (*RETRY_DELAYS_S, None):
            try:
                async with self._answer(call) as response:
                    return await response.read()
            except _LOST as error:
                if delay_s is None:
                    raise self._unreachable(error) from None
                await asyncio.sleep(delay_s)
            except _Busy as busy:
                if delay_s is None:
                    raise busy.error from None
                await asyncio.sleep(max(delay_s, busy.wait_s))
        raise AssertionError("the last attempt returns or raises")

    @asynccontextmanager
    async def _answer(self, call: _Call) -> AsyncIterator[aiohttp.ClientResponse]:
        """One attempt; its answer is a success. Raises what aiohttp raises where there is none."""
        assert self._session is not None, "use the client as an async context manager"
        method, path, params, body, headers = call
        data = BytesIO(body) if body is not None and len(body) > _BODY_BYTES_PLAIN_MAX else body
        async with self._session.request(
            method, self._url + path, params=params, data=data, headers=headers, allow_redirects=False
        ) as response:
            if response.status >= 300:
                raise await self._problem(response)
            yield response

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer to be read piece by piece; a connection that breaks is ``node.unreachable``, without repetition."""
        try:
            async with self._answer(_Call("GET", path)) as response:
                yield response
        except _LOST as error:
            raise self._unreachable(error) from None
        except _Busy as busy:
            raise busy.error from None

    async def _problem(self, response: aiohttp.ClientResponse) -> Exception:
        body = await response.content.read(_PROBLEM_BYTES_MAX)
        if response.content_type != "application/problem+json":
            return OurFault("node.unreachable", f"{self._url} answers {response.status}, but not as a docaxis node")
        error = from_problem(response.status, _object(body) or {})
        wait = response.headers.get("Retry-After", "")
        if response.status == 503 and wait.isdigit():
            return _Busy(error, min(float(wait), WAIT_S_MAX))
        return error

    def _unreachable(self, error: BaseException) -> OurFault:
        return OurFault("node.unreachable", f"{self._url}: {_why_lost(error)}")


def _why_lost(error: BaseException) -> str:
    """In the system's words; the library's name an address again, and TLS where there is none."""
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return os.strerror(abs(error.os_error.errno))
    return str(error) or type(error).__name__


class _Busy(Exception):
    """The node asked to wait."""

    def __init__(self, error: DocaxisError, wait_s: float) -> None:
        super().__init__(error.code)
        self.error = error
        self.wait_s = wait_s


def _read_answer(body: bytes) -> dict[str, Any]:
    value = _object(body)
    if value is None:
        raise OurFault("peer.malformed", "the node's answer is no JSON object; is it another program?")
    return value


def _object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in a body, or None where it holds something else."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
