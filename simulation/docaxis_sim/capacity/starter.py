"""Starter: a scenario to begin with, in which every field stands with its default and a sentence about it.

Text from fields only; what is right in a file is decided where it is read.
"""

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from docaxis_sim.capacity.fields import SCENARIO
from docaxis_sim.capacity.kinds import NAME, Goals
from docaxis_sim.capacity.shapes import REQUIRED, Field, Many, Named, Table
from docaxis_sim.capacity.units import BadValue

UNUSABLE: Final = 2
"""Exit code where nothing can be written as it was asked."""
_WIDTH: Final = 110
_HEAD: Final = """\
# A scenario of the docaxis simulator. Lines with a # before a key show what holds where nothing is stated: take the #
# away to change it. Every quantity has its unit.
#   docaxis simulate check {file}      what is wrong, with its line
#   docaxis simulate run {file}        the answer
"""
_STATED: Final[Mapping[str, Any]] = {
    "name": "",
    "question": "How long do documents take?",
    "topology.layout": "agencies",
    "traffic.name": "letters",
    "traffic.from": "all",
    "traffic.to": "any:all",
    "traffic.documents_per_day": 10_000,
    "traffic.recipients_mean": 2,
}
"""What the starter states, so that it runs as it is."""
_SHOWN: Final[Mapping[str, Any]] = {
    "extends": "normal-working-day.toml",
    "sites.name": "data-centre",
    "sites.members": "tier:central",
    "sites.uplink": "10 Gbit/s",
    "sites.downlink": "10 Gbit/s",
    "overrides.name": "mountain-communes",
    "overrides.members": "region:north-mountain - tier:province",
    "overrides.uplink": "2 Mbit/s",
    "overrides.downlink": "4 Mbit/s",
    "overrides.speed": 0.5,
    "overrides.disk": 2.0,
    "overrides.processes": 4,
    "traffic.at": "08:00",
    "failures.name": "cut",
    "failures.members": "province:Hà Giang",
    "failures.from": "08:00",
    "failures.until": "12:00",
    "experiment.replications_max": 20,
    "profiles": {"two-hours": [["09:00", 1], ["11:00", 1]]},
    "expect": {"latency.arrived.p99_s": "<= 1 min"},
}
"""Examples where there is no default."""


def new(name: str, folder: Path) -> int:
    """Write ``NAME.toml`` into a folder and say so; 2 when the name will not do or the file is there already."""
    name = name.removesuffix(".toml")
    path = folder / f"{name}.toml"
    try:
        NAME.convert(name)
        with path.open("x", encoding="utf-8") as file:
            file.write(text(name))
    except BadValue as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    except OSError as error:
        reason = "is there already" if isinstance(error, FileExistsError) else error.strerror or error
        sys.stderr.write(f"{path}: {reason}\n")
        return UNUSABLE
    sys.stdout.write(f"{path} is written; docaxis simulate check {path} tells what is wrong in it\n")
    return 0


def text(name: str) -> str:
    """The starter, for a scenario of this name."""
    head = _HEAD.format(file=f"{name}.toml")
    plain = [field for field in SCENARIO.fields if not isinstance(field.shape, Table | Many | Named | Goals)]
    tables = [field for field in SCENARIO.fields if field not in plain and field.key != "faults"]
    lines = [line for field in plain for line in _field(field, "", name)]
    lines += [line for field in tables for line in _table(field, name)]
    return head + "\n".join(lines) + "\n"


def _field(field: Field, prefix: str, name: str) -> Iterator[str]:
    """Its explanation, and a line for it: stated, or behind a #."""
    yield from _comment(field.explain)
    address = f"{prefix}.{field.key}".lstrip(".")
    stated = address in _STATED
    default = field.default if field.default is not REQUIRED else None
    value = name if address == "name" else _STATED.get(address, _SHOWN.get(address, default))
    if isinstance(field.shape, Table):
        yield from (f"#   {each.key}: {each.explain}" for each in field.shape.fields)
        value = {each.key: each.default for each in field.shape.fields}
    elif isinstance(field.shape, Many):
        yield from (f"#   {each.key}: {each.explain}" for each in field.shape.table.fields)
        value = [{each.key: _example(each) for each in field.shape.table.fields}]
    yield f"{'' if stated else '# '}{field.key} = {written(value)}"


def _example(field: Field) -> Any:
    return field.shape.example if field.default is REQUIRED else field.default


def _table(field: Field, name: str) -> Iterator[str]:
    yield ""
    shape = field.shape
    if isinstance(shape, Named | Goals):
        yield from _comment(field.explain)
        yield f"# [{field.key}]"
        yield from (f"# {_key(key)} = {written(value)}" for key, value in _SHOWN[field.key].items())
        return
    fields = shape.table.fields if isinstance(shape, Many) else shape.fields
    yield from _comment(shape.table.explain if isinstance(shape, Many) else shape.explain)
    if all(isinstance(each.shape, Table) for each in fields):
        for each in fields:
            yield from _below(each, f"{field.key}.{each.key}", f"[{field.key}.{each.key}]", name)
        return
    header = f"[[{field.key}]]" if isinstance(shape, Many) else f"[{field.key}]"
    yield from _members(fields, field.key, header, name)


def _below(field: Field, prefix: str, header: str, name: str) -> Iterator[str]:
    yield ""
    yield from _comment(field.explain)
    yield from _members(field.shape.fields, prefix, header, name)


def _members(fields: tuple[Field, ...], prefix: str, header: str, name: str) -> Iterator[str]:
    stated = any(address.startswith(f"{prefix}.") for address in _STATED)
    yield header if stated else f"# {header}"
    for field in fields:
        yield from _field(field, prefix, name)


def _comment(sentence: str) -> list[str]:
    return textwrap.wrap(sentence, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def _key(key: str) -> str:
    return json.dumps(key) if "." in key else key


def written(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {written(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
