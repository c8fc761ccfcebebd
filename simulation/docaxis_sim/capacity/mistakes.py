"""Mistakes: what is wrong in a scenario, where, and what was probably meant.

Nothing here reads a file or knows a field.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Mistake(NamedTuple):
    """One thing to correct. `line` is 1 for the first; 0 where there is none, as in a value from the command line."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.text}" if self.key else f"{place}: {self.text}"


class BadScenario(ValueError):
    """A scenario that cannot be run; carries every mistake that was found, in the order of files and lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(dict.fromkeys(sorted(mistakes, key=lambda each: (each.file, each.line))))
        super().__init__("\n".join(map(str, self.mistakes)))

    def __reduce__(self) -> tuple[type["BadScenario"], tuple[tuple[Mistake, ...]]]:
        """So that it crosses a process boundary whole."""
        return BadScenario, (self.mistakes,)


def nearest(word: str, words: Iterable[str], quote: str = "") -> str:
    """ "did you mean …" with the valid word nearest to `word`, or nothing when none is near."""
    valid = {each.lower(): each for each in words}
    found = difflib.get_close_matches(word.lower(), valid, n=1, cutoff=0.5)
    return f"did you mean {quote}{valid[found[0]]}{quote}?" if found else ""


def file_name(path: Path) -> str:
    """A path as people know it: relative to where they are, if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
