"""Answers: how a value leaves the local API, and the node that handlers speak to.

No route and no reading of requests; errors leave through `docaxis.api.problems`.
"""

import json
import re
from typing import Any, Final

from aiohttp import web

from docaxis.api import limits
from docaxis.api.service import NodeService
from docaxis.core.errors import TheirFault
from docaxis.core.ids import DocId, doc_id

NODE: Final[web.AppKey[NodeService]] = web.AppKey("docaxis.node", NodeService)
_PREFIX: Final = re.compile(rf"[0-9a-f]{{{limits.PREFIX_DIGITS_MIN},64}}\Z", re.ASCII)
_FITTING_MAX: Final = 64


def answer(value: Any, status: int = 200) -> web.Response:
    """JSON in UTF-8 that nobody keeps a copy of."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return web.Response(
        body=body, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


async def document_of(request: web.Request) -> DocId:
    """The document that a path names by its id or by a start of it that fits only one.

    Raises `TheirFault` ``id.malformed``, ``document.unknown`` or ``document.ambiguous``.
    """
    text = request.match_info["doc"].lower()
    if not _PREFIX.match(text):
        want = f"{limits.PREFIX_DIGITS_MIN} to 64 hexadecimal digits"
        raise TheirFault("id.malformed", f"expected {want} of a document's id, found {text[:70]!r}")
    if len(text) == 64:
        return doc_id(text)
    whole_bytes = bytes.fromhex(text[: len(text) // 2 * 2])
    found = await request.app[NODE].store.starting(whole_bytes, _FITTING_MAX)
    fitting = [doc for doc in found if doc.hex().startswith(text)]
    if not fitting:
        raise TheirFault("document.unknown", f"no document begins with {text}")
    if len(fitting) > 1:
        raise TheirFault("document.ambiguous", f"{text} begins {', '.join(doc.hex()[:16] for doc in fitting[:4])}")
    return fitting[0]
