"""Each row of the list of threats names an attacker that is described and tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "node/docs/threats.md").read_text(encoding="utf-8")
REFERENCE = re.compile(r"`([a-z]+)/(test_[a-z0-9_]+)`")


def rows() -> list[list[str]]:
    """The cells of every row below a header of four columns."""
    found = []
    for table in re.findall(
        r"^\| Attacker \| Attack \| Answer \| Test \|\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE
    ):
        found += [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return found


@cache
def functions(room: str) -> frozenset[str]:
    """The names of all functions in the tests of a room."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests" / room).glob("test_*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_threat_names_tests_that_exist() -> None:
    """An answer that nobody tries is a hope; a renamed test must not leave one behind."""
    missing = []
    for row in rows():
        references = REFERENCE.findall(row[-1])
        assert references, row
        assert ", ".join(f"`{room}/{name}`" for room, name in references) == row[-1], row
        missing += [f"{room}/{name}" for room, name in references if name not in functions(room)]
    assert not missing


def test_every_row_says_attacker_attack_and_answer() -> None:
    """The page is read from left to right: who, what, and why it does not work."""
    described = {
        line.split("|")[1].strip() for line in PAGE.split("| Attacker | Can do |")[1].split("\n\n")[0].splitlines()[2:]
    }
    assert len(rows()) > 60
    for row in rows():
        assert len(row) == 4, row
        assert all(row), row
        assert row[0] in described, row[0]
    assert described == {row[0] for row in rows()}, "an attacker without an attack is a gap"


def test_no_attack_is_listed_twice() -> None:
    """Two rows for one attack would hide that one of them has no answer of its own."""
    attacks = [(row[0], row[1]) for row in rows()]
    assert len(attacks) == len(set(attacks))
