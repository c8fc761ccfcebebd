"""Addresses: fields of a scenario by name, such as ``nodes.commune.uplink``, to list them and to set them from outside.

The way through an array of tables is the name of an element. What a value may be is decided when it is read.
"""

import tomllib
from collections.abc import Iterator
from typing import Any, Final

from docaxis_sim.capacity.fields import SCENARIO
from docaxis_sim.capacity.kinds import Goals
from docaxis_sim.capacity.mistakes import BadScenario, Mistake, nearest
from docaxis_sim.capacity.shapes import Many, Named, Table
from docaxis_sim.capacity.source import OVERRIDE, Node, name_of, outside

_NAMED_BY_THE_SCENARIO: Final = ("expect", "profiles")
"""Tables whose keys no list knows beforehand."""


def listed(raw: dict[str, Any]) -> tuple[str, ...]:
    """The address of every field that a scenario with this content has, whether it states it or not."""
    return tuple(_below(SCENARIO, raw, ""))


def _below(shape: Any, value: Any, prefix: str) -> Iterator[str]:
    match shape:
        case Table():
            known = value if isinstance(value, dict) else {}
            for field in shape.fields:
                yield from _below(field.shape, known.get(field.key), f"{prefix}.{field.key}".lstrip("."))
        case Many() if isinstance(value, list):
            for each in value:
                name = each.get("name", each.get("state")) if isinstance(each, dict) else None
                if name:
                    yield from _below(shape.table, each, f"{prefix}.{name}")
        case Named() | Goals() if isinstance(value, dict):
            yield from (f"{prefix}.{name}" for name in value)
        case Many() | Named() | Goals():
            pass
        case _:
            yield prefix


def set_field(tree: Node, address: str, value: object) -> Node:
    """The tree with another value at an address; raises `BadScenario` when there is no such field.

    A text that can be read as a number, a truth value or a list is taken as one where the field is of that kind, since
    from a command line everything comes as text.
    """
    known = listed(tree.plain)
    parts = address.split(".", 1) if address.startswith("expect.") else address.split(".")
    open_ended = parts[0] in _NAMED_BY_THE_SCENARIO and len(parts) > 1
    if address not in known and not open_ended:
        hint = nearest(address, known)
        if any(each.startswith(f"{address}.") for each in known):
            hint = f"it is a table; name one of its fields, such as {next(e for e in known if e.startswith(address))}"
        raise BadScenario([Mistake(OVERRIDE, 0, address, f"no such field; {hint}".rstrip("; "))])
    return _put(tree, parts, outside(_typed(value), address, tree.folder))


def _put(tree: Node, parts: list[str], value: Node) -> Node:
    if not parts:
        return value
    head, *rest = parts
    if isinstance(tree.value, list):
        changed = [_put(each, rest, value) if name_of(each) == head else each for each in tree.value]
        return tree._replace(value=changed)
    inside = tree.value if isinstance(tree.value, dict) else {}
    absent = Node({}, tree.file, tree.line, head, tree.folder)
    return tree._replace(value=inside | {head: _put(inside.get(head, absent), rest, value)})


def _typed(value: object) -> object:
    """A text from a command line as TOML reads it, if it is a number, a truth value or a list; else as it is."""
    if not isinstance(value, str):
        return value
    try:
        found = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return value
    plain = found["value"] if set(found) == {"value"} else value
    return plain if isinstance(plain, bool | int | float | list | dict) else value
