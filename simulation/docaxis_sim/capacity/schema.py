"""Schema: the JSON Schema (draft 2020-12) of scenario files, made from their fields, for editors and other programs.

It can say what a single value may look like. What only a country or another value can decide, `docaxis simulate check`
tells.
"""

from typing import Any

from docaxis_sim.capacity.fields import SCENARIO
from docaxis_sim.capacity.shapes import tables


def schema() -> dict[str, Any]:
    """The whole schema; published as ``scenarios/schema.json``."""
    inner = {table.name: table.schema() for table in tables(SCENARIO) if table is not SCENARIO}
    whole = SCENARIO.schema() | {"required": []}
    stated = {"anyOf": [{"required": ["extends"]}, {"required": ["name", "question"]}]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of the docaxis simulator",
        **{key: value for key, value in whole.items() if key != "required"},
        **stated,
        "$defs": dict(sorted(inner.items())),
    }
