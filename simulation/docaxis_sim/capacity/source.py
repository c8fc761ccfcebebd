"""Source: the text of a scenario as a tree whose every value knows its file and line; `extends` and overrides on it.

What a field means, and whether a value is right, is decided elsewhere; here a file is read, or it is not.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from docaxis_sim.capacity import bounded
from docaxis_sim.capacity.mistakes import BadScenario, Mistake, file_name, nearest
from docaxis_sim.capacity.shipped import shipped
from docaxis_sim.capacity.toml_lines import Place, lines

BYTES_MAX: Final = 4 * bounded.MIB
"""Of one file; what people write is a thousandth of it."""

OVERRIDE: Final = "override"
"""The file of values that were set from outside; they have no line."""

_AT: Final = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")


class Node(NamedTuple):
    """A value where it stands: a scalar, a dict of nodes by key or a list of nodes. `folder` is what paths in it are
    relative to, `key` its address in its file as people write it."""

    value: Any
    file: str
    line: int
    key: str
    folder: Path

    def mistake(self, text: str) -> Mistake:
        """What is wrong with it."""
        return Mistake(self.file, self.line, self.key, text)

    @property
    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.value.items()}
        return [node.plain for node in self.value] if isinstance(self.value, list) else self.value


def read(path: Path) -> Node:
    """The tree of a file and of all that it extends; raises `BadScenario`."""
    return _read(path, ())


def _read(path: Path, readers: tuple[Path, ...]) -> Node:
    tree = parse(_text(path), file_name(path), path.resolve().parent)
    extends = tree.value.pop("extends", None)
    if extends is None:
        return tree
    if not isinstance(extends.value, str):
        raise BadScenario([extends.mistake('must name a file, such as "normal-working-day.toml"')])
    beside, along = extends.folder / extends.value, shipped() / extends.value
    other = beside if beside.is_file() or not along.is_file() else along
    chain = (*readers, path.resolve())
    if other.resolve() in chain:
        names = " → ".join(each.name for each in (*chain, other))
        raise BadScenario([extends.mistake(f"extends itself: {names}")])
    if not other.is_file():
        folders = (other.parent, shipped())
        near = nearest(other.name, (each.name for folder in folders for each in folder.glob("*.toml")))
        raise BadScenario([extends.mistake(f"there is no file {extends.value}; {near}".rstrip("; "))])
    return merge(_read(other, chain), tree)


def _text(path: Path) -> str:
    try:
        return bounded.text(path, BYTES_MAX)
    except OSError as error:
        raise BadScenario([Mistake(file_name(path), 0, "", f"cannot be read: {error.strerror or error}")]) from error
    except UnicodeDecodeError as error:
        raise BadScenario([Mistake(file_name(path), 0, "", "is not UTF-8 text")]) from error


def parse(text: str, file: str, folder: Path) -> Node:
    """The tree of a TOML text; raises `BadScenario` where it is not TOML."""
    try:
        table = tomllib.loads(text)
        return _keyed(_located(table, (), {(): 1} | lines(text), file, folder), "")
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        raise BadScenario([Mistake(file, line, "", f"not TOML: {_AT.sub('', str(error))}")]) from error
    except RecursionError as error:
        raise BadScenario([Mistake(file, 0, "", "is nested too deeply to be meant")]) from error


def _located(value: Any, place: Place, found: Mapping[Place, int], file: str, folder: Path) -> Node:
    line = found[place]
    if isinstance(value, dict):
        value = {each: _located(inner, (*place, each), found, file, folder) for each, inner in value.items()}
    elif isinstance(value, list):
        value = [_located(inner, (*place, index), found, file, folder) for index, inner in enumerate(value)]
    return Node(value, file, line, "", folder)


def _keyed(node: Node, key: str) -> Node:
    """The tree with the address of each value as people write it: elements by name, or counted from 1."""
    value = node.value
    if isinstance(value, dict):
        value = {each: _keyed(inner, f"{key}.{each}" if key else each) for each, inner in value.items()}
    elif isinstance(value, list):
        value = [_keyed(inner, f"{key}.{name_of(inner) or at}") for at, inner in enumerate(value, 1)]
    return node._replace(value=value, key=key)


def merge(base: Node, over: Node) -> Node:
    """`over` laid on `base`: tables key by key, arrays of tables by name, anything else replaced."""
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        merged = dict(base.value)
        for key, node in over.value.items():
            merged[key] = merge(base.value[key], node) if key in base.value else node
        return over._replace(value=merged)
    if isinstance(base.value, list) and isinstance(over.value, list):
        names = {name_of(node): index for index, node in enumerate(base.value) if name_of(node)}
        if len(names) == len(base.value) and all(map(name_of, over.value)):
            return over._replace(value=_by_name(base.value, over.value, names))
    return over


def _by_name(base: list[Node], over: list[Node], names: Mapping[str, int]) -> list[Node]:
    merged = list(base)
    for node in over:
        index = names.get(name_of(node))
        if index is None:
            merged.append(node)
        else:
            merged[index] = merge(base[index], node)
    return merged


def name_of(node: Node) -> str:
    """What an element of an array of tables is known by: its `name` (a status: its `state`); empty if it has none."""
    if isinstance(node.value, dict):
        for key in ("name", "state"):
            if key in node.value and isinstance(node.value[key].value, str):
                return str(node.value[key].value)
    return ""


def outside(value: object, key: str, folder: Path) -> Node:
    """A value set from outside, as a tree."""
    return _keyed(_located(value, (), defaultdict(int), OVERRIDE, folder), key)
