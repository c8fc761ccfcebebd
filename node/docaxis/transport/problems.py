"""Problem documents (RFC 9457) between nodes: how a refusal is told, and how one is read.

One table of statuses for peers; what the local API tells people is another room's. A detail is told only where the
fault is theirs: what is wrong inside this node is nobody's business outside it.
"""

import json
from typing import Final, NamedTuple

from docaxis.core.errors import REGISTRY, DocaxisError, TheirFault

TYPE_PREFIX: Final = "urn:docaxis:problem:"
DETAIL_CHARS_MAX: Final = 300

# Where the status between nodes differs from the registry's, which is that of the local API.
_STATUS: Final = {
    "party.unknown": 401,
    "party.closed": 403,
    "content.missing": 404,
    "directory.not-found": 404,
    "node.busy": 503,
    "node.stopping": 503,
    "node.disk-full": 503,
    "node.store": 503,
}

# Seconds after which asking again makes sense, for every code that is told with 503.
_RETRY_AFTER_S: Final = {"node.busy": 1, "node.stopping": 5, "node.disk-full": 60, "node.store": 30}


class Problem(NamedTuple):
    """A refusal as it goes over the wire; `retry_after_s` 0: the header is absent."""

    status: int
    body: bytes
    retry_after_s: int


def status_of(code: str) -> int:
    """The HTTP status that tells a peer of `code`."""
    return _STATUS.get(code) or REGISTRY[code].status


def problem_of(error: DocaxisError, status: int = 0) -> Problem:
    """The problem document for `error`; `status` replaces the table's where HTTP has a more exact one."""
    status = status or status_of(error.code)
    detail = error.detail[:DETAIL_CHARS_MAX] if isinstance(error, TheirFault) else ""
    value = {
        "type": TYPE_PREFIX + error.code,
        "title": error.known.title_en,
        "status": status,
        "detail": detail,
        "code": error.code,
    }
    return Problem(status, json.dumps(value).encode(), _RETRY_AFTER_S.get(error.code, 1) if status == 503 else 0)


def read_problem(body: bytes) -> tuple[str, str]:
    """The code and detail of a problem document; a code that is not in the registry is none, and so is nonsense."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if type(value) is not dict:
        return "", ""
    code, detail = value.get("code"), value.get("detail")
    if type(code) is not str or code not in REGISTRY:
        return "", ""
    return code, _printable(detail) if type(detail) is str else ""


def _printable(text: str) -> str:
    """A peer's words may reach a log and a terminal: no line breaks, no control sequences."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:DETAIL_CHARS_MAX])
