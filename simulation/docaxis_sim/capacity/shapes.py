"""Shapes: what a value in a scenario may look like; reading, checking and the JSON Schema of each follow from it.

The alphabet only: the words made of it, which fields there are and why, stand in `fields`. A value that is wrong is
noted and replaced by one that is right, so that one reading finds all mistakes.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from docaxis_sim.capacity.mistakes import Mistake, nearest
from docaxis_sim.capacity.source import Node, name_of
from docaxis_sim.capacity.units import BadValue, shown

REQUIRED: Final = object()
"""The default of a field that has none."""


class Sink(list[Mistake]):
    """Where mistakes are noted."""

    def note(self, node: Node, text: str) -> None:
        """One more, at `node`."""
        self.append(node.mistake(text))


class Shape(Protocol):
    """What a value may look like."""

    def read(self, node: Node, sink: Sink) -> Any:
        """The value as the model wants it; mistakes go to `sink`."""

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""

    def default(self) -> Any:
        """What takes the place of a wrong value."""


class Leaf(NamedTuple):
    """A single value. `convert` takes it as it stands and raises `BadValue`; `kind` says in a few words what it is."""

    kind: str
    convert: Callable[[Any], Any]
    example: Any
    rule: Mapping[str, Any]

    def read(self, node: Node, sink: Sink) -> Any:
        """As `Shape`; an empty table stands in no place where a single value is wanted."""
        try:
            if isinstance(node.value, dict):
                raise BadValue(f"is a table, but {self.kind} is wanted")
            return self.convert(node.plain)
        except BadValue as error:
            sink.note(node, str(error))
            return self.default()

    def schema(self) -> dict[str, Any]:
        """As `Shape`."""
        return dict(self.rule)

    def default(self) -> Any:
        """As `Shape`."""
        return self.convert(self.example)


class FilePath(NamedTuple):
    """A file, relative to the folder of the file that names it; empty for none."""

    kind: str = "a path"

    def read(self, node: Node, sink: Sink) -> Any:
        """As `Shape`: an absolute path, or an empty text."""
        if not isinstance(node.value, str):
            sink.note(node, f"{shown(node.plain)} is not a path")
            return ""
        path = node.folder / node.value
        if path.exists() and not path.is_file() and node.value:
            sink.note(node, f"{node.value} is not a regular file")
        elif node.value and not path.is_file():
            near = nearest(path.name, (each.name for each in path.parent.glob("*")) if path.parent.is_dir() else ())
            sink.note(node, f"there is no file {node.value}; {near}".rstrip("; "))
        return path if node.value else ""

    def schema(self) -> dict[str, Any]:
        """As `Shape`."""
        return {"type": "string"}

    def default(self) -> Any:
        """As `Shape`."""
        return Path()


class Field(NamedTuple):
    """A key of a table: its shape, its default as it would stand in the file, a sentence about it, the model's name of
    it where that differs. `default` None: stands for "not stated"."""

    key: str
    shape: Any
    default: Any
    explain: str
    into: str = ""

    def absent(self, folder: Path) -> Any:
        """The model's value when the key is not there."""
        if self.default is None:
            return None
        if self.default is REQUIRED:
            return self.shape.default()
        return self.shape.read(Node(literal(self.default), "", 0, self.key, folder), Sink())


class Table(NamedTuple):
    """A table with known keys; `make` takes them by the model's names."""

    name: str
    make: Callable[..., Any]
    fields: tuple[Field, ...]
    explain: str = ""

    def read(self, node: Node, sink: Sink) -> Any:
        """As `Shape`."""
        if not isinstance(node.value, dict):
            sink.note(node, f"{shown(node.plain)} is not a table; its keys are {', '.join(self.keys)}")
            return self.default()
        for key in node.value.keys() - set(self.keys):
            sink.note(node.value[key], self.unknown(key))
        return self.make(**{field.into or field.key: self._field(field, node, sink) for field in self.fields})

    def _field(self, field: Field, node: Node, sink: Sink) -> Any:
        if field.key in node.value:
            return field.shape.read(node.value[field.key], sink)
        if field.default is REQUIRED:
            missing = node._replace(key=f"{node.key}.{field.key}".lstrip("."))
            sink.note(missing, f"is missing: {field.explain}")
        return field.absent(node.folder)

    def unknown(self, key: str) -> str:
        """What to say about a key that the table does not have."""
        hint = nearest(key, self.keys) or f"the keys here are {', '.join(self.keys)}"
        return f"no such key; {hint}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys, in their order."""
        return tuple(field.key for field in self.fields)

    def schema(self) -> dict[str, Any]:
        """As `Shape`. Only what tells elements apart is demanded: a file that extends another states the rest there."""
        properties = {field.key: _documented(field) for field in self.fields}
        required = [key for key in self.keys[:1] if key in ("name", "state")]
        text = {"description": self.explain} if self.explain else {}
        schema = {"type": "object", **text, "additionalProperties": False, "properties": properties}
        return schema | ({"required": required} if required else {})

    def default(self) -> Any:
        """As `Shape`."""
        return self.make(**{field.into or field.key: field.absent(Path()) for field in self.fields})


class Many(NamedTuple):
    """An array of tables, each known by its first key."""

    table: Table
    most: int = 1000

    def read(self, node: Node, sink: Sink) -> Any:
        """As `Shape`: a tuple."""
        if not isinstance(node.value, list) or any(not isinstance(each.value, dict) for each in node.value):
            sink.note(node, f"must be a list of tables, each with {', '.join(self.table.keys)}")
            return ()
        if len(node.value) > self.most:
            sink.note(node, f"{len(node.value)} are too many; at most {self.most}")
        names: set[str] = set()
        for each in node.value:
            if name_of(each) in names:
                sink.note(each.value[self.table.keys[0]], f'there are two with the name "{name_of(each)}"')
            names |= {name_of(each)} - {""}
        return tuple(self.table.read(each, sink) for each in node.value)

    def schema(self) -> dict[str, Any]:
        """As `Shape`."""
        return {"type": "array", "items": {"$ref": f"#/$defs/{self.table.name}"}, "maxItems": self.most}

    def default(self) -> Any:
        """As `Shape`."""
        return ()


class Named(NamedTuple):
    """A table whose keys are names that the scenario chooses; all values have one shape."""

    shape: Any
    explain: str = ""

    def read(self, node: Node, sink: Sink) -> Any:
        """As `Shape`: a dict."""
        if not isinstance(node.value, dict):
            sink.note(node, f"{shown(node.plain)} is not a table")
            return {}
        return {key: self.shape.read(each, sink) for key, each in node.value.items()}

    def schema(self) -> dict[str, Any]:
        """As `Shape`."""
        return {"type": "object", "description": self.explain, "additionalProperties": self.shape.schema()}

    def default(self) -> Any:
        """As `Shape`."""
        return {}


def literal(value: Any) -> Any:
    """A default as a tree of nodes, as if it had been read."""
    if isinstance(value, dict):
        return {key: Node(literal(each), "", 0, key, Path()) for key, each in value.items()}
    return [Node(literal(each), "", 0, "", Path()) for each in value] if isinstance(value, list) else value


def tables(shape: Any) -> Iterator[Table]:
    """Every table inside a shape, inner ones first."""
    match shape:
        case Table():
            for field in shape.fields:
                yield from tables(field.shape)
            yield shape
        case Many():
            yield from tables(shape.table)
        case Named():
            yield from tables(shape.shape)
        case _:
            pass


def _documented(field: Field) -> dict[str, Any]:
    schema = {"$ref": f"#/$defs/{field.shape.name}"} if isinstance(field.shape, Table) else field.shape.schema()
    stated = field.default is not REQUIRED and field.default is not None
    return schema | {"description": field.explain} | ({"default": field.default} if stated else {})
