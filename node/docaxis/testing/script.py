"""The script of the demonstration, read from its TOML file: who issues, who is off, who refuses, what is attacked.

Reading only. What is done with it is `docaxis.testing.opening`'s, and what became of it is counted by the audit.
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from docaxis.core.errors import OurFault


class Decision(NamedTuple):
    """The act that opens the axis: one document from `issuer` to everybody."""

    issuer: str
    file: Path
    priority: int
    meta: dict[str, str]


class Recalled(NamedTuple):
    """A letter sent to the wrong agency, and taken back."""

    sender: str
    recipient: str
    subject: str
    reason: str
    answer: str


class Overtaking(NamedTuple):
    """Ordinary letters that wait for an absent agency, and an express telegram that passes them."""

    sender: str
    recipient: str
    letters: int
    subject: str
    telegram: str


class Large(NamedTuple):
    """A letter whose file is pulled in chunks."""

    sender: str
    recipient: str
    size_kib: int
    subject: str


class Script(NamedTuple):
    """Everything that happens, by agency code."""

    decision: Decision
    absent: str
    handled: tuple[str, ...]
    steps: tuple[str, ...]
    refusing: str
    refusal: str
    recalled: Recalled
    overtaking: Overtaking
    large: Large
    victim: str
    stolen_from: str


_DECISION_OWN = frozenset({"issuer", "file", "priority"})


def load(path: Path) -> Script:
    """Reads a script; raises `OurFault` ``node.config`` where it is not one."""
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
        return _script(value, path.parent)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise OurFault("node.config", f"{path.name} is no script of a demonstration: {error!r}") from None


def _script(value: dict[str, Any], folder: Path) -> Script:
    decision = value["decision"]
    meta = {name: text for name, text in decision.items() if name not in _DECISION_OWN}
    return Script(
        decision=Decision(decision["issuer"], folder / decision["file"], decision["priority"], meta),
        absent=value["absent"]["agency"],
        handled=tuple(value["handled"]["agencies"]),
        steps=tuple(value["handled"]["steps"]),
        refusing=value["refused"]["agency"],
        refusal=value["refused"]["reason"],
        recalled=Recalled(**value["recalled"]),
        overtaking=Overtaking(**value["overtaking"]),
        large=Large(**value["large"]),
        victim=value["attacks"]["victim"],
        stolen_from=value["attacks"]["stolen_from"],
    )
