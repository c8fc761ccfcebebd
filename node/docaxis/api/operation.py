"""Operation: how the node is, what it counts, who is in the directory and whose key is revoked, and its backup.

For the officer who runs the node. Settings are not changed here: they are in the node's file.
"""

from bisect import bisect_right
from pathlib import Path
from typing import Any

from aiohttp import web

from docaxis.api import limits, requests, views
from docaxis.api.answers import NODE, answer
from docaxis.core.addresses import Book
from docaxis.core.ids import party_id
from docaxis.core.trust import REVOCATIONS_BYTES_MAX


async def status(request: web.Request) -> web.Response:
    """``GET /v1/status``: the node in figures, for people."""
    return answer(views.plain(await request.app[NODE].status()))


async def metrics(request: web.Request) -> web.Response:
    """``GET /v1/metrics``: counters since the start, by name."""
    return answer(views.plain(request.app[NODE].metrics()))


async def backup(request: web.Request) -> web.Response:
    """``POST /v1/admin/backup``: a consistent copy into a new folder on the node's machine."""
    value = await requests.read_object(request)
    target = value.get("target")
    if value.keys() != {"target"} or type(target) is not str or "\0" in target or not Path(target).is_absolute():
        raise requests.malformed("target", "the absolute path of a new folder, and no other field")
    return answer(views.plain(await request.app[NODE].backup(target)))


async def revoke(request: web.Request) -> web.Response:
    """``POST /v1/admin/revocations``: a file of revocations, as officers sign it, is honoured at once."""
    raw = await requests.read_body(request, REVOCATIONS_BYTES_MAX)
    return answer(views.plain(await request.app[NODE].revoke(raw)))


async def parties(request: web.Request) -> web.Response:
    """``GET /v1/directory``: parties that can be sent to directly, in the order of their codes."""
    book = request.app[NODE].book
    limit = requests.query_integer(request, "limit", limits.PAGE_ITEMS_MAX, limits.PAGE_ITEMS_MAX, 1)
    after = request.query.get("after", "")
    codes = sorted(book.parties)
    start = bisect_right(codes, party_id(after)) if after else 0
    page = codes[start : start + limit]
    found = [entry for code in page if (entry := book.entry(code)) is not None]
    following = page[-1] if start + limit < len(codes) else None
    return answer({"parties": [views.entry(each) for each in found], "next": following, **_version(book)})


async def party(request: web.Request) -> web.Response:
    """``GET /v1/directory/{party}``: one party by its code, an alias or a closed code, and where mail to it goes."""
    book = request.app[NODE].book
    resolved = book.resolve(request.match_info["party"])
    entry = book.entry(resolved)
    assert entry is not None, "a code resolves only to an entry"
    return answer({"party": views.entry(entry), **_version(book)})


def _version(book: Book) -> dict[str, Any]:
    return {"directory_version": book.version, **views.times("verified", book.verified_ms)}
