"""Ratchets: what no formatter or type checker sees, and what may get better but not worse.

Each rule is a function from one file to its findings. A rule may not repair anything, and nothing may be let off in
silence: whoever needs an exception writes it into `LONG_FILES` with a reason, and an exception that is no longer needed
is itself a finding. Run it as `.venv/bin/python -m tools.tidy`, with another root as its argument in tests.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent

FILE_LINES_WISHED: Final = 300
FILE_LINES_MAX: Final = 500
FUNCTION_LINES_MAX: Final = 60

# Files that may be longer than FILE_LINES_MAX, each with its reason. It may shrink; an idle entry is a finding.
LONG_FILES: Final[Mapping[str, str]] = {}

# Where the tree is read. What is not named here (environments, caches, demo data) is nobody's business.
PLACES: Final = (".ci", "node", "scenarios", "simulation", "tests", "tools")
TEXT_SUFFIXES: Final = frozenset(
    {
        "",
        ".cfg",
        ".css",
        ".expected",
        ".html",
        ".js",
        ".json",
        ".md",
        ".py",
        ".sh",
        ".sql",
        ".toml",
        ".txt",
        ".yaml",
        ".yml",
    }
)
SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "node_modules"})

# The two packages whose every file is a room with a sign on its door.
ROOMS: Final = ("node/docaxis/", "simulation/docaxis_sim/")

MARKER: Final = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(\w[^()]*\):)")  # tidy: allow

# Written in pieces, so that the list does not find itself.
BANNED_WORDS: Final[Mapping[str, re.Pattern[str]]] = {
    "a path of one machine": re.compile(r"(?<![\w./])/(?:wo" + r"rk|ro" + r"ot)/"),
    "the address of a package index": re.compile(
        r"\b(?:pypi\.o" + r"rg|pythonhosted\.o" + r"rg|pypi\.python\.o" + r"rg)\b|--(?:extra-)?index" + r"-url"
    ),
}


class Finding(NamedTuple):
    """One thing to look at; a note does not fail the run."""

    path: str
    line: int
    text: str
    note: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'note: ' if self.note else ''}{self.text}"


class Source(NamedTuple):
    """A file of the tree: its path from the root, and its text."""

    path: str
    text: str

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.splitlines()

    @property
    def is_python(self) -> bool:
        """Whether the rules about code apply."""
        return self.path.endswith(".py")


def sources(root: Path) -> Iterator[Source]:
    """Every text file of the tree, in order: the files at the top, then the places."""
    at_the_top = [path for path in root.iterdir() if path.is_file()]
    below = [path for place in PLACES if (root / place).is_dir() for path in (root / place).rglob("*")]
    for path in sorted([*at_the_top, *below]):
        relative = path.relative_to(root)
        if path.suffix not in TEXT_SUFFIXES or not path.is_file() or SKIPPED_FOLDERS & set(relative.parts):
            continue
        try:
            yield Source(relative.as_posix(), path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue  # not a text, whatever its name says


def file_length(source: Source, allowed: Mapping[str, str]) -> Iterator[Finding]:
    """A long Python file has to be split, or to say why not."""
    if not source.is_python:
        return
    count = len(source.lines)
    if count > FILE_LINES_MAX and source.path not in allowed:
        yield Finding(source.path, 1, f"{count} lines; the limit is {FILE_LINES_MAX}: split it by subject")
    elif FILE_LINES_WISHED < count <= FILE_LINES_MAX:
        yield Finding(source.path, 1, f"{count} lines; {FILE_LINES_WISHED} are wished for", note=True)


def function_length(source: Source) -> Iterator[Finding]:
    """A function fits on a screen."""
    if not source.is_python:
        return
    for node in ast.walk(ast.parse(source.text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            if count > FUNCTION_LINES_MAX:
                text = f"{node.name} has {count} lines; the limit is {FUNCTION_LINES_MAX}: give its parts names"
                yield Finding(source.path, node.lineno, text)


def door_sign(source: Source) -> Iterator[Finding]:
    """Each file of the two packages says what it is for, and then what may not live in it."""
    if not source.is_python or not source.path.startswith(ROOMS):
        return
    docstring = ast.get_docstring(ast.parse(source.text))
    if not docstring:
        yield Finding(source.path, 1, "opens without a docstring: its first line says what the file is for")
        return
    first, *others = re.split(r"\n\s*\n", docstring.strip())
    if "\n" in first:
        yield Finding(source.path, 1, "the docstring's first paragraph is more than one line")
    if not others:
        yield Finding(source.path, 1, "the docstring has no second paragraph: say what may not live here")


def marker(source: Source) -> Iterator[Finding]:
    """A note to oneself says what would settle it, in parentheses and before a colon, or it does not stay."""
    for number, line in enumerate(source.lines, 1):
        found = MARKER.search(line) if source.is_python else None
        if found and "tidy: allow" not in line:
            yield Finding(source.path, number, f"bare {found[1]}: write {found[1]}(what would settle it): what is left")


def banned_words(source: Source) -> Iterator[Finding]:
    """Some words belong to the machine of the person who wrote them, not to the tree."""
    for number, line in enumerate(source.lines, 1):
        for meaning, pattern in BANNED_WORDS.items():
            if pattern.search(line):
                yield Finding(source.path, number, f"mentions {meaning}")


RULES: Final = (function_length, door_sign, marker, banned_words)


def idle_allowances(read: Mapping[str, int], allowed: Mapping[str, str]) -> Iterator[Finding]:
    """An allowance must have a reason, and still be needed."""
    for path, reason in allowed.items():
        if not reason.strip():
            yield Finding(path, 1, "is allowed to be long without a reason")
        if read.get(path, 0) <= FILE_LINES_MAX:
            yield Finding(path, 1, "no longer needs its entry in LONG_FILES: take it out")


def findings(root: Path, allowed: Mapping[str, str] = LONG_FILES) -> list[Finding]:
    """Everything there is to say about a tree."""
    found: list[Finding] = []
    read: dict[str, int] = {}
    for source in sources(root):
        read[source.path] = len(source.lines)
        found += file_length(source, allowed)
        for rule in RULES:
            try:
                found += rule(source)
            except SyntaxError as error:
                found.append(Finding(source.path, error.lineno or 1, f"is not Python: {error.msg}"))
                break
    return [*found, *idle_allowances(read, allowed)]


def main(arguments: list[str]) -> int:
    """Print the findings; 1 when any of them is more than a note."""
    found = findings(Path(arguments[0]) if arguments else ROOT)
    for finding in found:
        print(finding)
    refused = sum(not finding.note for finding in found)
    print(f"tidy: {refused} refused, {len(found) - refused} noted")
    return int(refused > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
