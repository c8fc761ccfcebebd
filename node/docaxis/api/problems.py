"""Problems: every error leaves the local API as one problem document (RFC 9457) with a stable code.

The codes and titles are `docaxis.core.errors.REGISTRY`'s; nothing here makes up another, and no answer holds a secret
or a traceback.
"""

import json
import logging
from typing import Any, Final, NoReturn

from aiohttp import web
from aiohttp.typedefs import Handler

from docaxis.api import limits
from docaxis.core.errors import REGISTRY, DocaxisError

CONTENT_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:docaxis:problem:"
BEGUN: Final = web.RequestKey("docaxis.begun", bool)
"""Set on a request once a part of its answer is out."""
_LOG: Final = logging.getLogger("docaxis.api")

_OF_HTTP: Final = {404: "request.not-found", 405: "request.method", 413: "codec.too-long"}
"""Codes for what aiohttp itself refuses; whatever is not here is ``request.malformed``."""


def document(code: str, detail: str) -> dict[str, Any]:
    """The members of a problem document."""
    known = REGISTRY[code]
    return {
        "type": TYPE + code,
        "title": known.title_en,
        "title_vi": known.title_vi,
        "status": known.status,
        "detail": detail,
        "code": code,
        "remedy": known.remedy,
    }


def response(code: str, detail: str = "", headers: dict[str, str] | None = None) -> web.Response:
    """An answer that is a problem document."""
    status = REGISTRY[code].status
    headers = {"Cache-Control": "no-store", **(headers or {})}
    if status == 503:
        headers["Retry-After"] = str(limits.RETRY_AFTER_S)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="docaxis"'
    body = json.dumps(document(code, detail), ensure_ascii=False).encode()
    return web.Response(body=body, status=status, content_type=CONTENT_TYPE, headers=headers)


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns whatever a handler raises into a problem document."""
    try:
        return await handler(request)
    except DocaxisError as error:
        if request.get(BEGUN):
            _break_off(request)
        return response(error.code, error.detail)
    except web.HTTPException as error:
        return _of_http(error)
    except ConnectionError:
        raise  # the caller has gone; there is nobody to tell
    except Exception:  # noqa: BLE001 -- a mistake of ours may show in the log, never in an answer
        if request.get(BEGUN):
            _break_off(request)
        _LOG.exception("api.mistake method=%s path=%s", request.method, request.path)
        return response("node.internal", "see the node's log")


def _break_off(request: web.Request) -> NoReturn:
    """Half of the answer is out: the only honest end is a broken connection."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("an answer that had begun could not be finished")


def _of_http(error: web.HTTPException) -> web.Response:
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    return response(_OF_HTTP.get(error.status, "request.malformed"), error.reason, headers)
