"""The published JSON Schema takes what the loader takes, as far as a schema can know, and is up to date."""

import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.schema import schema
from docaxis_sim.capacity.shipped import shipped
from docaxis_sim.capacity.starter import text
from tools import publish_scenarios

HEAD = {"name": "x", "question": "?"}
LETTERS = {"name": "a", "from": "all", "to": "parent"}
VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_the_published_schema_is_what_the_fields_say() -> None:
    """`tools/publish_scenarios.py` writes it."""
    assert publish_scenarios.SCHEMA.read_text(encoding="utf-8") == publish_scenarios.schema_text()
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_reference_page_is_what_the_fields_say() -> None:
    """`tools/publish_scenarios.py` writes its tables."""
    assert publish_scenarios.PAGE.read_text(encoding="utf-8") == publish_scenarios.page_text()


def test_the_example_of_the_reference_page_is_right(tmp_path: Path) -> None:
    """People copy it."""
    example = re.findall(r"```toml\n(.*?)```", publish_scenarios.PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    (tmp_path / "it.toml").write_text(example, encoding="utf-8")
    assert load(tmp_path / "it.toml").traffic[0].name == "letters"
    VALIDATOR.validate(tomllib.loads(example))


@pytest.mark.parametrize("path", sorted(shipped().glob("*.toml")), ids=lambda path: path.stem)
def test_the_schema_accepts_every_shipped_scenario(path: Path) -> None:
    """An editor must not mark what is right."""
    VALIDATOR.validate(tomllib.loads(path.read_text(encoding="utf-8")))


def test_the_schema_accepts_the_starter() -> None:
    """It is the first file that an editor sees."""
    VALIDATOR.validate(tomllib.loads(text("mine")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x"},
        {"dayz": 1},
        {"days": 0},
        {"load": "2"},
        {"topology": {"layout": "vn"}},
        {"topology": {"latency": {"base": 2}}},
        {"nodes": {"commune": {"uplink": "20"}}},
        {"nodes": {"commune": {"uplink": "20 MB"}}},
        {"nodes": {"communes": {}}},
        {"traffic": [{"from": "all", "to": "parent"}]},
        {"traffic": [LETTERS | {"size": {"median": 5}}]},
        {"traffic": [LETTERS | {"at": "25:00"}]},
        {"traffic": [LETTERS | {"priority": {"express": 2}}]},
        {"traffic": [LETTERS | {"statuses": [{"state": "lost"}]}]},
        {"traffic": LETTERS},
        {"failures": [{"name": "f", "from": "day 0 08:00"}]},
        {"profiles": {"p": [["08:00"]]}},
        {"experiment": {"warm_up": "some"}},
        {"expect": {"latency.arrived.p99_s": 60}},
        {"faults": {"weather": {"lose": 1}}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_is_wrong(wrong: dict[str, Any]) -> None:
    """While somebody types, not only when they run."""
    assert not VALIDATOR.is_valid(wrong if wrong == {"name": "x"} else HEAD | wrong)
