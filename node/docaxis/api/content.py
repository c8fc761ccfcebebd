"""Content: chunks that come in, files that go out, byte for byte.

Names and media types of files were chosen by strangers: they leave only in forms that no browser acts upon.
"""

import re
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from aiohttp import web

from docaxis.api import limits, requests
from docaxis.api.answers import NODE, answer, document_of
from docaxis.api.documents import envelope_of
from docaxis.api.problems import BEGUN
from docaxis.core import limits as core_limits
from docaxis.core.envelope import File
from docaxis.core.errors import OurFault, TheirFault

_MEDIA: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\Z", re.ASCII)
_UPLOADS: Final = web.AppKey("docaxis.uploads", list[int])


def prepare(app: web.Application) -> None:
    """Sets the count of uploads under way to nought."""
    app[_UPLOADS] = [0]


async def upload(request: web.Request) -> web.Response:
    """``PUT /v1/chunks/{digest}``: one chunk for a document that will be handed in."""
    digest = requests.read_digest(request.match_info["digest"])
    under_way = request.app[_UPLOADS]
    if under_way[0] >= limits.UPLOADS_MAX:
        raise OurFault("node.busy", f"{limits.UPLOADS_MAX} uploads are under way")
    under_way[0] += 1
    try:
        data = await requests.read_body(request, core_limits.CHUNK_BYTES_MAX)
        await request.app[NODE].keep_chunk(digest, data)
    finally:
        under_way[0] -= 1
    return answer({"digest": digest.hex(), "size": len(data)}, 201)


async def download(request: web.Request) -> web.StreamResponse:
    """``GET /v1/documents/{doc}/files/{n}``: one file, streamed, each chunk checked before it leaves."""
    node = request.app[NODE]
    envelope = await envelope_of(node, await document_of(request))
    number = int(request.match_info["n"])
    if number >= len(envelope.files):
        raise TheirFault("content.missing", f"the document has {len(envelope.files)} files, counted from 0")
    file = envelope.files[number]
    chunks = node.open_file(file)
    # the first chunk is fetched before a word is sent, so that missing content is an error and not half a file
    first = await anext(chunks, b"")
    response = web.StreamResponse(headers=_headers(file))
    response.content_length = file.size
    await response.prepare(request)
    request[BEGUN] = True
    await _stream(response, first, chunks)
    return response


async def _stream(response: web.StreamResponse, first: bytes, rest: AsyncIterator[bytes]) -> None:
    await response.write(first)
    async for chunk in rest:
        await response.write(chunk)
    await response.write_eof()


def _headers(file: File) -> dict[str, str]:
    return {
        "Content-Type": file.media if _MEDIA.match(file.media) else "application/octet-stream",
        "Content-Disposition": disposition(file.name),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }


def disposition(name: str) -> str:
    """Always an attachment (RFC 6266): a plain ASCII name, and the true one in percent-encoded UTF-8 (RFC 8187)."""
    simple = re.sub(r"[^A-Za-z0-9 ._-]", "_", name)[:100]
    return f"attachment; filename=\"{simple}\"; filename*=UTF-8''{quote(name, safe='')}"
