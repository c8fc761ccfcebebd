"""Settings of a node: one table, read from ``docaxis.toml`` and the environment, and written out with explanations.

The tables below are the only list of settings: reading, checking, `docaxis node doctor` and the file that
`docaxis node init` writes all come from them. Nothing here opens a socket, a database or a key.
"""

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from docaxis.core import limits
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.ids import party_id

FILE_NAME: Final = "docaxis.toml"
ENVIRONMENT_PREFIX: Final = "DOCAXIS_"

Check = Callable[[Any], bool]


def _setting(default: Any, explain: str, want: str, check: Check) -> Any:
    """A field of a table: what it is for, what is expected of its value in words, and the check of exactly that."""
    return field(default=default, metadata={"explain": explain, "want": want, "check": check})


def _whole(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _number(default: int, explain: str, least: int, most: int) -> Any:
    return _setting(default, explain, f"a whole number from {least} to {most}", _whole(least, most))


def _choice(default: str, explain: str, *words: str) -> Any:
    return _setting(default, explain, "one of " + ", ".join(f'"{word}"' for word in words), lambda v: v in words)


def _flag(default: bool, explain: str) -> Any:
    return _setting(default, explain, "true or false", lambda value: type(value) is bool)


def _is_party(value: Any) -> bool:
    try:
        return bool(party_id(value))
    except TheirFault:
        return False


def _is_address(value: Any) -> bool:
    if value == "localhost":
        return True
    try:
        return type(value) is str and bool(ip_address(value))
    except ValueError:
        return False


def is_base_url(value: Any, *schemes: str) -> bool:
    """Whether `value` is an address such as ``https://trao-doi.example.vn:8443``, without path, query or user."""
    if type(value) is not str:
        return False
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    plain = parts.path in ("", "/") and not parts.query and not parts.fragment and parts.username is None
    return parts.scheme in schemes and bool(parts.hostname) and plain and port != 0


def _is_source(value: Any) -> bool:
    if type(value) is not str:
        return False
    parts = urlsplit(value)
    return parts.scheme in ("https", "http", "file") and bool(parts.netloc or parts.path) and not parts.query


def _is_sources(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) <= 32 and all(map(_is_source, value))


_ADDRESS: Final = 'an IP address such as "0.0.0.0" or "::", or "localhost"'


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """Whose node this is."""

    id: str = _setting(
        "", "The code of the agency or unit, as the directory lists it.", 'a party code such as "H49"', _is_party
    )


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """The listener that the nodes of other agencies call, with TLS and mutual certificates."""

    host: str = _setting("0.0.0.0", "Local address to listen on.", _ADDRESS, _is_address)
    port: int = _number(8443, "Local port to listen on (0: any free one, for tests).", 0, 65_535)
    endpoint: str = _setting(
        "",
        "The address under which other agencies reach this listener; it goes into the directory entry. "
        "Empty: peers cannot call this node.",
        'empty, or an address such as "https://trao-doi.example.vn:8443"',
        lambda value: value == "" or is_base_url(value, "https"),
    )
    credit_items: int = _number(
        limits.CREDIT_ITEMS_MAX, "Documents and statements that one peer may send at once.", 1, limits.CREDIT_ITEMS_MAX
    )


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The listener for the agency's own software and for the command line; plain HTTP with a bearer token."""

    host: str = _setting(
        "127.0.0.1", "Local address to listen on. Keep it on loopback, or behind a TLS proxy.", _ADDRESS, _is_address
    )
    port: int = _number(8480, "Local port to listen on (0: any free one, for tests).", 0, 65_535)
    names: tuple[str, ...] = _setting(
        (),
        "Host names under which the API is called, besides those of loopback; requests to any other are refused.",
        'a list of host names such as ["truc.example.vn"]',
        lambda value: isinstance(value, list | tuple) and all(type(each) is str and each for each in value),
    )


@dataclass(frozen=True, slots=True)
class DirectorySettings:
    """Where the signed directory of all parties is fetched from. Any source will do: what counts are signatures."""

    sources: tuple[str, ...] = _setting(
        (),
        "Addresses or folders that hold the directory's files, asked in this order.",
        'a list of addresses such as ["https://danh-ba.example.vn"] or folders such as ["file:///srv/directory"]',
        _is_sources,
    )
    ask_peers: bool = _flag(True, "Whether to ask other nodes when no source answers.")
    refresh_interval_s: int = _number(
        3_600, "Seconds between two refreshes; each is moved by up to half of it, by chance.", 1, 86_400
    )


@dataclass(frozen=True, slots=True)
class DocumentSettings:
    """What holds for documents unless a request says otherwise."""

    expires_default_days: int = _number(
        limits.EXPIRES_DEFAULT_MS // limits.DAY_MS,
        "Days during which delivery is tried, for documents that name no deadline.",
        1,
        limits.EXPIRES_MS_MAX // limits.DAY_MS,
    )


@dataclass(frozen=True, slots=True)
class DiskSettings:
    """What keeps a full disk from being a surprise."""

    reserve_mib: int = _number(
        256,
        "Below this much free space (MiB) nothing new is accepted, from people or from peers, while what is under way "
        "goes on; at 0 only a really full disk stops the node.",
        0,
        1_048_576,
    )


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The log goes to standard error, one line per event; it never holds content or secrets."""

    level: str = _choice("info", "The least important lines that are written.", "debug", "info", "warning", "error")
    form: str = _choice("logfmt", "How a line is written: for people, or for programs.", "logfmt", "json")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one node. `folder` is where the file was found: keys and data lie beside it."""

    node: NodeSettings = NodeSettings()
    peers: PeerSettings = PeerSettings()
    api: ApiSettings = ApiSettings()
    directory: DirectorySettings = DirectorySettings()
    documents: DocumentSettings = DocumentSettings()
    disk: DiskSettings = DiskSettings()
    log: LogSettings = LogSettings()


class Read(NamedTuple):
    """Settings as read, and for each (such as ``api.port``) where its value came from."""

    settings: Settings
    origins: dict[str, str]


_TABLES: Final[dict[str, type[Any]]] = {each.name: each.type for each in fields(Settings)}  # type: ignore[misc]


def _known(table: str) -> dict[str, Field[Any]]:
    return {each.name: each for each in fields(_TABLES[table])}


def load(folder: Path, environment: Mapping[str, str]) -> Read:
    """Reads the settings of the node in `folder`; the environment (``DOCAXIS_API_PORT=9000``) wins over the file.

    Raises `OurFault` ``node.not-found``, or ``node.config`` that lists every mistake.
    """
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise OurFault("node.not-found", f"{folder} holds no node") from None
    except (OSError, UnicodeDecodeError) as error:
        raise OurFault("node.config", f"{path} cannot be read ({error})") from None
    return read(text, environment, str(path))


def read(text: str, environment: Mapping[str, str], path: str = FILE_NAME) -> Read:
    """Settings from the text of a file and from the environment; raises `OurFault` ``node.config``, all at once."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OurFault("node.config", f"{path} is not TOML: {error}") from None
    reader = _Reader(path)
    reader.take_file(found)
    reader.take_environment(environment)
    return reader.result()


class _Reader:
    """Collects values and mistakes; speaks only at the end."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._values: dict[str, dict[str, Any]] = {table: {} for table in _TABLES}
        self._origins: dict[str, str] = {}
        self._mistakes: list[str] = []

    def take_file(self, found: Mapping[str, Any]) -> None:
        for table, values in found.items():
            if table not in _TABLES:
                self._mistakes.append(f"[{table}]: no such table{_nearest(table, _TABLES)}")
            elif type(values) is not dict:
                self._mistakes.append(f"{table}: expected a table: write [{table}] on a line of its own")
            else:
                for name, value in values.items():
                    self._take(table, name, value, self._path)

    def take_environment(self, environment: Mapping[str, str]) -> None:
        for variable, text in sorted(environment.items()):
            table, _, name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().partition("_")
            if variable.startswith(ENVIRONMENT_PREFIX) and table in _TABLES and name:
                known = _known(table)
                value = _from_text(text, known[name].default) if name in known else text
                self._take(table, name, value, f"environment variable {variable}")

    def _take(self, table: str, name: str, value: Any, origin: str) -> None:
        known = _known(table)
        key = f"{table}.{name}"
        if name not in known:
            self._mistakes.append(f"{key}: no such setting ({origin}){_nearest(name, known)}")
        elif not known[name].metadata["check"](value):
            want = known[name].metadata["want"]
            self._mistakes.append(
                f"{key}: expected {want}, found {_shown(value)} ({origin}){_nearest_word(value, want)}"
            )
        else:
            self._values[table][name] = tuple(value) if type(value) is list else value
            self._origins[key] = origin

    def result(self) -> Read:
        if not self._mistakes and not self._values["node"].get("id"):
            self._mistakes.append('node.id: missing; expected a party code such as "H49"')
        if self._mistakes:
            raise OurFault("node.config", "\n".join(["", *(f"  {mistake}" for mistake in self._mistakes)]))
        tables = {table: kind(**self._values[table]) for table, kind in _TABLES.items()}
        everything = {f"{table}.{name}": "default" for table in _TABLES for name in _known(table)}
        return Read(Settings(**tables), everything | self._origins)


def _from_text(text: str, default: Any) -> Any:
    """A value of the environment, read as the kind that the setting's default has."""
    if type(default) is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if type(default) is int:
        return int(text) if text.isascii() and text.isdecimal() else text
    if type(default) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _nearest_word(value: Any, want: str) -> str:
    words = [part.strip('"') for part in want.removeprefix("one of ").split(", ")] if want.startswith("one of") else []
    close = difflib.get_close_matches(value, words, n=1) if type(value) is str else []
    return f"; did you mean {close[0]}?" if close else ""


def _shown(value: Any) -> str:
    return repr(value)[:80]


def render(settings: Settings) -> str:
    """The text of a ``docaxis.toml`` that explains every setting; what equals its default is commented out."""
    lines = ["# Settings of this node. A line that begins with # shows the default.", ""]
    for table, kind in _TABLES.items():
        lines += [f"# {line}" for line in _folded((kind.__doc__ or "").strip())]
        lines.append(f"[{table}]")
        for each in fields(kind):
            lines += _rendered(each, getattr(getattr(settings, table), each.name))
        lines.append("")
    return "\n".join(lines)


def _rendered(each: Field[Any], value: Any) -> list[str]:
    assert each.default is not MISSING
    explained = _folded(f"{each.metadata['explain']} Expected: {each.metadata['want']}.")
    mark = "# " if value == each.default and each.name != "id" else ""
    return ["", *(f"# {line}" for line in explained), f"{mark}{each.name} = {toml_value(value)}"]


def toml_value(value: Any) -> str:
    """A value of a setting as TOML writes it."""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is tuple:
        return "[" + ", ".join(map(toml_value, value)) + "]"
    assert type(value) is str
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _folded(text: str, width: int = 100) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
