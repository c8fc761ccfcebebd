"""The pages point at what is there: every relative link, every heading, every file that they name."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "node/docs").rglob("*.md"), *(ROOT / "simulation/docs").rglob("*.md")])

LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"`([^`\s]+)(?: [^`]*)?`")
OURS = re.compile(r"(?!\w+/test_\w+$)(node|simulation|scenarios|tests|tools)/[\w./-]*|[\w./-]+\.(py|md|svg|mjs)")
"""What is meant as a file of this repository; other names are of a node's folder, a directory's, or the wire's."""

FIGURATIVE = {"tests/room"}
"""What stands for many."""

BASES = ("", "node", "node/docs", "node/docaxis", "simulation/docaxis_sim", "tests")
"""Pages name a module as readers of that room do: from the top, or from its package."""


def without_blocks(page: Path) -> str:
    """A page's text without its examples."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(page: Path) -> frozenset[str]:
    """The names under which a page's headings are linked: lower case, hyphens, nothing but word characters."""
    headings = re.findall(r"^#+ +(.*)$", without_blocks(page), flags=re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)


def leads_nowhere(page: Path, link: str) -> bool:
    """Whether a relative link names a file or a heading that does not exist."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return not target.exists() or bool(anchor and anchor not in anchors(target))


def is_missing(page: Path, name: str) -> bool:
    """Whether a file of ours that a page names is in none of the places that it may mean."""
    return not any((folder / name).exists() for folder in (page.parent, *(ROOT / base for base in BASES)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_and_every_file_that_a_page_names_exists(page: Path) -> None:
    """Whoever follows a page into a hole trusts the rest of it less."""
    text = without_blocks(page)
    links = [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]
    names = [name for name in NAMED.findall(text) if OURS.fullmatch(name) and name not in FIGURATIVE]
    assert not [link for link in links if leads_nowhere(page, link)]
    assert not [name for name in names if is_missing(page, name)]


def test_a_hole_is_found(tmp_path: Path) -> None:
    """The check itself: a good link, a heading that is not there, a file that is not there."""
    page = tmp_path / "page.md"
    page.write_text("# One heading\n\n[a](#one-heading) [b](#two) [c](other.md)\n", encoding="utf-8")
    assert [link for link in LINK.findall(page.read_text(encoding="utf-8")) if leads_nowhere(page, link)] == [
        "#two",
        "other.md",
    ]
    assert is_missing(page, "core/nothing.py")
    assert not is_missing(page, "core/machine.py")


def test_every_decision_is_in_the_list_of_decisions() -> None:
    """A page that the list does not name is not found by whoever looks for the reason."""
    folder = ROOT / "node/docs/decisions"
    listed = set(LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {page.name for page in folder.glob("0*.md")}
