"""The page about the API is held against the table of routes."""

import re
from pathlib import Path

from docaxis.api.app import ROUTES
from tests.api.test_app import plain

PAGE = Path(__file__).resolve().parents[2] / "node" / "docs" / "api.md"


def test_the_page_lists_exactly_the_routes() -> None:
    """A reader who trusts the page finds nothing missing and nothing gone."""
    listed = set(re.findall(r"^\| `([A-Z]+) (/v1/[^`]*)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert listed == {(route.method, plain(route.path)) for route in ROUTES}
