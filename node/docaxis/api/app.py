"""The local API's table of contents: every route, and the application made of them.

Routes only. What a route does is in the module that its line names; how the listener runs is the runtime's business.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from docaxis.api import auth, changes, content, documents, operation, problems
from docaxis.api.answers import NODE
from docaxis.api.duplicates import DUPLICATES, Duplicates
from docaxis.api.service import NodeService
from docaxis.core.limits import CHUNK_BYTES_MAX


class Route(NamedTuple):
    """A method and a path, and the handler that answers."""

    method: str
    path: str
    handler: Handler


ROUTES: Final = (
    Route("POST", "/v1/documents", documents.submit),
    Route("GET", "/v1/documents", documents.listing),
    Route("GET", "/v1/documents/{doc}", documents.show),
    Route("GET", r"/v1/documents/{doc}/files/{n:\d{1,3}}", content.download),
    Route("GET", "/v1/documents/{doc}/evidence", documents.evidence),
    Route("POST", "/v1/documents/{doc}/statements", documents.state),
    Route("PUT", "/v1/chunks/{digest}", content.upload),
    Route("GET", "/v1/changes", changes.changes),
    Route("GET", "/v1/directory", operation.parties),
    Route("GET", "/v1/directory/{party}", operation.party),
    Route("GET", "/v1/status", operation.status),
    Route("GET", "/v1/metrics", operation.metrics),
    Route("POST", "/v1/admin/backup", operation.backup),
    Route("POST", "/v1/admin/revocations", operation.revoke),
)


def make_app(node: NodeService, token: str, hosts: Iterable[str] = ()) -> web.Application:
    """The local API of `node` for the holder of `token`; `hosts` are names it may be called by besides loopback's."""
    app = web.Application(
        middlewares=[problems.middleware, auth.guard(token, frozenset(hosts))],
        client_max_size=CHUNK_BYTES_MAX,
    )
    app[NODE] = node
    app[DUPLICATES] = Duplicates()
    changes.prepare(app)
    content.prepare(app)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler)
    return app
