"""Changes: the feed of everything that became different, read by cursor, waited for by long poll.

A waiter costs a counter and a place in the node's own wake-up; nothing is polled and nothing is kept per caller.
"""

from typing import Final

from aiohttp import web

from docaxis.api import limits, requests, views
from docaxis.api.answers import NODE, answer
from docaxis.core.errors import OurFault

_WAITERS: Final = web.AppKey("docaxis.waiters", list[int])
_CURSOR_MAX: Final = 2**63 - 1
LATEST: Final = "latest"


def prepare(app: web.Application) -> None:
    """Sets the count of waiters to nought."""
    app[_WAITERS] = [0]


async def changes(request: web.Request) -> web.Response:
    """``GET /v1/changes``: lines above ``after`` (``latest``: only what is still to come), waited for if need be."""
    node = request.app[NODE]
    limit = requests.query_integer(request, "limit", limits.CHANGES_MAX, limits.CHANGES_MAX, 1)
    wait_s = requests.query_integer(request, "wait_s", 0, limits.WAIT_S_MAX)
    if request.query.get("after") == LATEST:
        return answer({"changes": [], "after": await node.store.last_change()})
    after = requests.query_integer(request, "after", 0, _CURSOR_MAX)
    waiters = request.app[_WAITERS]
    if waiters[0] >= limits.WAITERS_MAX:
        raise OurFault("node.busy", f"{limits.WAITERS_MAX} callers are waiting for changes")
    waiters[0] += 1
    try:
        lines = await node.wait_changes(after, limit, wait_s * 1000)
    finally:
        waiters[0] -= 1
    return answer({"changes": [views.change(line) for line in lines], "after": lines[-1].cursor if lines else after})
