"""A warning when a number and notation go out twice in one year (Decree 30/2020, Appendix VI).

A help for clerks, not a rule: nothing is refused. What the API has sent is remembered since the node started, up to
`limits.NUMBERS_MAX` numbers; the register itself is the office's own software.
"""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from docaxis.api import limits, views

Number = tuple[str, str, str]


class Duplicates:
    """Numbers sent from here, with the document that each was first sent as."""

    def __init__(self) -> None:
        self._sent: dict[Number, str] = {}

    def note(self, meta: Mapping[str, str], doc: str, created_ms: int) -> list[dict[str, Any]]:
        """Remembers a document's number; warnings where another document of the same year had it."""
        number, notation = meta.get("number", ""), meta.get("notation", "")
        if not number:
            return []
        year = meta.get("date", "")[:4] or (views.iso(created_ms) or "")[:4]
        first = self._sent.setdefault((year, number, notation), doc)
        if len(self._sent) > limits.NUMBERS_MAX:
            del self._sent[next(iter(self._sent))]
        return [] if first == doc else [_warning("/".join(filter(None, (number, notation))), year, first)]


def _warning(number: str, year: str, first: str) -> dict[str, Any]:
    return {
        "warning": "number-used",
        "doc": first,
        "text": f"{number} of {year} was sent before, as document {first[:12]}",
        "text_vi": f"{number} năm {year} đã được gửi trước đó, mã văn bản {first[:12]}",
    }


DUPLICATES: Final = web.AppKey("docaxis.duplicates", Duplicates)
