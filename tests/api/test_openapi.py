"""The description of the API for programs: exactly the routes that exist, and no loose ends."""

import json
import re
from typing import Any

from docaxis.api.app import ROUTES
from tests.api import described
from tests.api.test_app import plain


def test_the_description_lists_exactly_the_routes() -> None:
    """Whoever writes a client from the description finds every route and no other."""
    listed = {(method.upper(), path) for path, methods in described.DESCRIPTION["paths"].items() for method in methods}
    assert listed == {(route.method, plain(route.path)) for route in ROUTES}


def test_the_description_points_only_at_what_it_holds() -> None:
    """A dangling reference breaks every generator of clients."""
    for target in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described.DESCRIPTION)):
        found: Any = described.DESCRIPTION
        for step in target.split("/"):
            found = found[step]


def test_every_place_in_a_path_is_described() -> None:
    """A path's parameters are those of its operations."""
    components = described.DESCRIPTION["components"]["parameters"]
    for path, methods in described.DESCRIPTION["paths"].items():
        for operation in methods.values():
            refs = [each["$ref"].rpartition("/")[2] for each in operation.get("parameters", [])]
            named = {components[ref]["name"] for ref in refs if components[ref]["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path)), path
