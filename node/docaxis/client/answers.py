"""Answers of the local API as frozen values, and how each is read from JSON.

Values only: nothing here asks a node. Ids are their hexadecimal digits; times are ms since 1970 UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docaxis.core.envelope import Priority
from docaxis.core.lifecycle import Code, State

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file as lists of documents have it."""

    name: str
    media: str
    size: int


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One file of a document: `n` is its place, from 0; `chunks` are the SHA-256 digests of its pieces of `chunk`
    bytes."""

    n: int
    name: str
    media: str
    size: int
    chunk: int
    root: str
    chunks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """The node has the document, durable and signed: `to` are the recipients as resolved; `written_as` names, for
    those found through an alias or a closed code, what was written; `warnings` are for a person to read."""

    doc: str
    to: tuple[str, ...]
    written_as: Mapping[str, str]
    created_ms: int
    expires_ms: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stated:
    """What was stated, about which transmissions: pairs of recipient and statement id."""

    doc: str
    code: Code
    statements: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of inbox or outbox: a document at one recipient."""

    doc: str
    box: str
    sender: str
    recipient: str
    state: State
    recall_waiting: bool
    waits: str
    superseded_by: str | None
    kind: str
    ref: str | None
    priority: Priority
    meta: Mapping[str, str]
    files: tuple[FileLine, ...]
    created_ms: int
    expires_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a box; `next` is the cursor of those that follow, None where there are none."""

    rows: tuple[Row, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed with which key; `signed_ms` is the signer's clock, `kept_ms` when this node stored it."""

    signed_by: str
    key: str
    alg: str
    signed_ms: int
    kept_ms: int


@dataclass(frozen=True, slots=True)
class Said:
    """One signed statement. `answers` is the recall that an agreement or a refusal to give back answers."""

    id: str
    by: str
    recipient: str
    code: Code
    answers: str | None
    reason: str
    text: str
    actor: str
    said_ms: int
    signature: Signature


@dataclass(frozen=True, slots=True)
class Transmission:
    """Where a document is at one recipient, and what this node may state next."""

    recipient: str
    state: State
    recall_waiting: bool
    waits: str
    superseded_by: str | None
    updated_ms: int
    possible: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Everything this node knows of one document."""

    doc: str
    box: str
    sender: str
    to: tuple[str, ...]
    kind: str
    ref: str | None
    thread: str | None
    priority: Priority
    meta: Mapping[str, str]
    files: tuple[FileInfo, ...]
    created_ms: int
    expires_ms: int
    signature: Signature
    transmissions: tuple[Transmission, ...]
    history: tuple[Said, ...]
    history_complete: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the feed; `cursor` is where to go on from."""

    cursor: int
    doc: str
    box: str
    recipient: str
    by: str
    code: Code
    state: State
    said_ms: int


@dataclass(frozen=True, slots=True)
class Party:
    """What the directory says of one agency or unit."""

    id: str
    name_vi: str
    name_en: str
    kind: str
    parent: str | None
    status: str
    successors: tuple[str, ...]
    aliases: tuple[str, ...]
    endpoints: tuple[str, ...]


def sent(value: Json) -> Sent:
    """Reads the answer to a submission."""
    written = dict(value.get("written_as", {}))
    warnings = tuple(f"{each['text']} · {each['text_vi']}" for each in value.get("warnings", ()))
    return Sent(value["doc"], tuple(value["to"]), written, value["created_ms"], value["expires_ms"], warnings)


def stated(value: Json) -> Stated:
    """Reads the answer to a statement."""
    said_of = tuple((each["recipient"], each["statement"]) for each in value["statements"])
    return Stated(value["doc"], Code(value["code"]), said_of)


def row(value: Json) -> Row:
    """Reads a line of inbox or outbox."""
    files = tuple(FileLine(**_copied(file, "name", "media", "size")) for file in value["files"])
    plain = _copied(value, "doc", "box", "sender", "recipient", "created_ms", "expires_ms", "updated_ms")
    return Row(**plain, **_standing(value), **_act(value), files=files)


def page(value: Json) -> Page:
    """Reads a page of inbox or outbox."""
    return Page(tuple(map(row, value["documents"])), value["next"])


def document(value: Json) -> Document:
    """Reads everything about a document."""
    plain = _copied(value, "doc", "box", "sender", "thread", "created_ms", "expires_ms", "history_complete")
    return Document(
        **plain,
        **_act(value),
        to=tuple(value["to"]),
        files=tuple(_file(each) for each in value["files"]),
        signature=_signature(value["envelope"]),
        transmissions=tuple(_transmission(each) for each in value["transmissions"]),
        history=tuple(_said(each) for each in value["history"]),
    )


def change(value: Json) -> Change:
    """Reads a line of the feed."""
    plain = _copied(value, "cursor", "doc", "box", "recipient", "by", "said_ms")
    return Change(**plain, code=Code(value["code"]), state=State[value["state"].upper()])


def party(value: Json) -> Party:
    """Reads an entry of the directory."""
    plain = _copied(value, "id", "name_vi", "name_en", "kind", "parent", "status")
    lists: dict[str, Any] = {name: tuple(value[name]) for name in ("successors", "aliases", "endpoints")}
    return Party(**plain, **lists)


def _copied(value: Json, *names: str) -> dict[str, Any]:
    return {name: value[name] for name in names}


def _standing(value: Json) -> dict[str, Any]:
    plain = _copied(value, "recall_waiting", "waits", "superseded_by")
    return plain | {"state": State[value["state"].upper()]}


def _act(value: Json) -> dict[str, Any]:
    return _copied(value, "kind", "ref", "meta") | {"priority": Priority[value["priority"].upper()]}


def _file(value: Json) -> FileInfo:
    plain = _copied(value, "n", "name", "media", "size", "chunk", "root")
    return FileInfo(**plain, chunks=tuple(value["chunks"]))


def _signature(value: Json) -> Signature:
    return Signature(**_copied(value, "signed_by", "key", "alg", "signed_ms", "kept_ms"))


def _said(value: Json) -> Said:
    plain = _copied(value, "id", "by", "recipient", "answers", "reason", "text", "actor", "said_ms")
    return Said(**plain, code=Code(value["code"]), signature=_signature(value))


def _transmission(value: Json) -> Transmission:
    possible = tuple(Code(each["code"]) for each in value["possible"])
    plain = _copied(value, "recipient", "updated_ms")
    return Transmission(**plain, **_standing(value), possible=possible)
