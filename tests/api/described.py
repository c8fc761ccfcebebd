"""The API's description as a checker: whether an answer is what ``openapi.json`` says."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import docaxis.api

DESCRIPTION: dict[str, Any] = json.loads((Path(docaxis.api.__file__).parent / "openapi.json").read_text("utf-8"))


def check(name: str, value: Any) -> None:
    """Raises unless `value` fits the schema of that name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]}
    Draft202012Validator(schema).validate(value)
