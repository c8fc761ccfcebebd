"""The specification pages say what the code does: codes, limits, tables and examples are compared, word by word."""

import json
import re
from pathlib import Path

import pytest

from docaxis.core import ids, limits, signed, statement
from docaxis.core.errors import REGISTRY
from docaxis.core.lifecycle import BY_SENDER, TABLE, VIETNAMESE, Code, State
from docaxis.core.schedule import SHARES

ROOT = Path(__file__).resolve().parent.parent.parent
SPEC = ROOT / "node/docs/spec"
VECTORS = ROOT / "tests/vectors"
PAGES = ("encoding", "signed-object", "envelope", "statement", "lifecycle", "delivery", "evidence")
EVERY_PAGE = sorted(path.stem for path in SPEC.glob("*.md"))
ROOMS_OF_CODES = sorted({code.partition(".")[0] for code in REGISTRY})
CODE = re.compile(rf"`((?:{'|'.join(ROOMS_OF_CODES)})\.[a-z-]+)`")
LIMIT = re.compile(r"^\| `([A-Z_]+)` \| ([\d,]+) \|", re.MULTILINE)
NAME = re.compile(r"`([A-Z]+(?:_[A-Z]+)+)`")


def page(name: str) -> str:
    """The text of a page."""
    return (SPEC / f"{name}.md").read_text(encoding="utf-8")


def constant(name: str) -> int:
    """A limit by its name, wherever the core keeps it."""
    found = [getattr(module, name) for module in (limits, signed, statement, ids) if hasattr(module, name)]
    assert found, f"no limit is called {name}"
    return int(found[0])


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    below = text.split(f"## {heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.group().splitlines()[2:]]


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_every_code_on_a_page_is_in_the_registry(name: str) -> None:
    """A stranger implements the codes that are written there."""
    codes = set(CODE.findall(page(name)))
    fields = {"file.name", "head.alg", "content.md", "evidence.json", "envelope.json", "statement.json"}
    assert codes - fields <= set(REGISTRY)
    assert codes


@pytest.mark.parametrize("name", PAGES)
def test_every_limit_on_a_page_has_the_value_of_the_code(name: str) -> None:
    """Numbers in prose go stale; these cannot."""
    quoted = LIMIT.findall(page(name))
    assert quoted
    assert {limit: int(value.replace(",", "")) for limit, value in quoted} == {
        limit: constant(limit) for limit, _ in quoted
    }
    for limit in NAME.findall(page(name)):
        assert constant(limit)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_the_same_order(name: str) -> None:
    """Definition, example, conventions, rules, refusals where there are any, limits, vectors."""
    text = page(name)
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[:2] == ["Example", "Conventions"]
    assert headings[-1] == "Vectors"
    assert "Limits" in headings
    definition = text.split("\n\n")[1]
    assert len(re.findall(r"\.(?:\s|$)", definition)) == 1, "one sentence defines the object"


def test_every_vector_file_is_named_by_a_page_and_every_page_names_one_that_exists() -> None:
    """A stranger finds the vectors, and no page promises what is not there."""
    named = {found for name in EVERY_PAGE for found in re.findall(r"tests/vectors/([a-z]+)\.json", page(name))}
    assert named == {path.stem for path in VECTORS.glob("*.json")}


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_every_link_between_pages_leads_somewhere(name: str) -> None:
    """A stranger who follows a link finds something."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page(name)):
        assert (SPEC / target).exists(), target


@pytest.mark.parametrize("name", EVERY_PAGE)
def test_every_id_in_an_example_is_in_the_vectors(name: str) -> None:
    """Examples are taken from the vectors, and the vectors from a second implementation."""
    made = "".join(path.read_text(encoding="utf-8") for path in VECTORS.glob("*.json"))
    for found in re.findall(r"\b[0-9a-f]{64}\b", page(name)):
        assert found in made


def test_the_table_of_the_lifecycle_is_the_one_of_the_code() -> None:
    """Ranks, names and what may be stated next."""
    text = page("lifecycle")
    assert [(int(rank), name, words) for rank, name, words in rows(text, "States and ranks")] == [
        (state.value, state.name.lower(), VIETNAMESE[state]) for state in State
    ]
    stated = {}
    for states, recipient, sender in rows(text, "What may be stated next"):
        for state in states.split(", "):
            stated[state] = (re.findall(r"\d\d", recipient), re.findall(r"\d\d", sender))
    assert stated == {
        state.name.lower(): (
            sorted(code.value for code in row if code not in BY_SENDER),
            sorted(code.value for code in row if code in BY_SENDER),
        )
        for state, row in TABLE.items()
    }


def test_every_code_of_the_lifecycle_has_its_row_and_its_side() -> None:
    """Two digits, who states it."""
    table = {row[0]: row[2] for row in rows(page("lifecycle"), "Codes")}
    assert set(table) == {code.value for code in Code}
    assert {code for code, side in table.items() if side.startswith("sender")} == {code.value for code in BY_SENDER}


def test_the_shares_of_the_lanes_are_those_of_the_code() -> None:
    """Advice to senders, but it is what this node does."""
    assert " : ".join(str(share) for share in SHARES if share) in page("delivery")


def test_the_fields_on_the_pages_are_those_of_the_vectors() -> None:
    """Neither a field that is not written nor one that is not explained."""
    for name, heading in (("envelope", "Fields"), ("statement", "Fields")):
        vectors = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))["vectors"]
        written = {key for key, _ in vectors[0]["value"]["map"]}
        assert {row[0].strip("`") for row in rows(page(name), heading)} == written
