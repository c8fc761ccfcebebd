"""Write what is made from the fields of scenario files: the JSON Schema and the tables of the reference page.

`.venv/bin/python -m tools.publish_scenarios` writes both; a test says when that was forgotten. It decides nothing.
"""

import json
from pathlib import Path
from typing import Final

from docaxis_sim.capacity.field_page import placed
from docaxis_sim.capacity.schema import schema

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMA: Final = ROOT / "scenarios" / "schema.json"
PAGE: Final = ROOT / "simulation" / "docs" / "scenarios.md"


def schema_text() -> str:
    """The published schema."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


def page_text() -> str:
    """The reference page with its generated part as it must be."""
    return placed(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    PAGE.write_text(page_text(), encoding="utf-8")
    print(f"written: {SCHEMA.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")
