"""Reading: what bytes say, decoded with MessagePack alone, so that checkers need not trust the core's decoders.

The formats are written down a second time, after ``node/docs/spec``: a field that the core's codec loses, swaps or
invents is seen as it is on the wire and on disk. Nothing is judged here; bytes that are not of their format are
`Unreadable`, which a world counts as a broken promise.
"""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b, sha256
from typing import Any, Final, NamedTuple

import msgpack

ENVELOPE: Final = "envelope"
STATEMENT: Final = "statement"
KEPT: Final = "kept"


class Unreadable(ValueError):
    """Bytes that a node made and that are not what they must be."""


class Word(StrEnum):
    """What a statement can say, two digits on the wire; written down a second time on purpose."""

    HELD = "00"
    ARRIVED = "01"
    REFUSED = "02"
    RECEIVED = "03"
    ASSIGNED = "04"
    PROCESSING = "05"
    COMPLETED = "06"
    RECALL = "13"
    AGREE = "15"
    DECLINE = "16"
    EXPIRED = "91"


class Said(NamedTuple):
    """A statement: who says what about whose document at whom, and its place in the chain. `at_ms` is claimed."""

    by: str
    doc: bytes
    sender: str
    recipient: str
    code: Word
    epoch: int
    seq: int
    prev: bytes
    at_ms: int
    reason: str

    def __str__(self) -> str:
        """As a person reads it in a broken promise."""
        what = f"{self.code.value} {self.reason}".strip()
        which = f"{self.doc.hex()[:16]} of {self.sender} at {self.recipient}"
        return f"{self.by} says {what} about {which} (number {self.seq} of epoch {self.epoch}, at {self.at_ms} ms)"


class Header(NamedTuple):
    """An envelope: who sends it to whom until when, and the SHA-256 digests of all chunks of its content."""

    sender: str
    to: tuple[str, ...]
    expires_ms: int
    digests: tuple[bytes, ...]


class Sealed(NamedTuple):
    """A head: who signed with which key (`alg`: how) the root over so many `leaves`."""

    signer: str
    key: bytes
    alg: str
    root: bytes
    leaves: int


class Part(NamedTuple):
    """One object in a request; `id` is worked out from its bytes, `inline` are the chunks that travel with it."""

    kind: str
    id: bytes
    body: bytes
    inline: tuple[bytes, ...]


class Request(NamedTuple):
    """What one party asks another to take."""

    sender: str
    recipient: str
    parts: tuple[Part, ...]


class Result(NamedTuple):
    """What became of one of those: ``kept``, ``refused`` or ``deferred``, and the statement that came with it."""

    outcome: str
    receipt: bytes | None


def object_id(body: bytes) -> bytes:
    """The id of an object: the hash of a leaf, RFC 9162 §2.1.1."""
    return sha256(b"\x00" + body).digest()


def statement(raw: bytes) -> Said:
    """Reads the body of a statement."""
    value = _fields(raw, "statement/1")
    try:
        code = Word(value["code"])
    except ValueError:
        raise Unreadable(f"a statement says {value['code']!r}") from None
    place = value["epoch"], value["seq"], value["prev"]
    return Said(value["by"], value["doc"], value["from"], value["to"], code, *place, value["at"], value["reason"])


def envelope(raw: bytes) -> Header:
    """Reads the body of an envelope."""
    value = _fields(raw, "envelope/1")
    digests = tuple(digest for file in value["files"] for digest in file["chunks"])
    return Header(value["from"], tuple(value["to"]), value["expires"], digests)


def request(raw: bytes) -> Request:
    """Reads a batch as it goes over the wire."""
    value = _fields(raw, "batch/1")
    rows = _rows(value["items"], 6)
    parts = tuple(Part(row[0], object_id(row[1]), row[1], tuple(row[5])) for row in rows)
    return Request(value["from"], value["to"], parts)


def answer(raw: bytes) -> tuple[Result, ...]:
    """Reads the results of a reply."""
    rows = _rows(_fields(raw, "reply/1")["results"], 4)
    return tuple(Result(row[0], None if row[3] is None else row[3][0]) for row in rows)


def author(kind: str, body: bytes) -> str:
    """Who speaks in an object."""
    return envelope(body).sender if kind == ENVELOPE else statement(body).by


def seal(raw: bytes) -> Sealed:
    """Reads what was signed."""
    value = _fields(raw, "head/1")
    return Sealed(value["signer"], value["key"], value["alg"], value["root"], value["count"])


def is_signed(raw: bytes, signature: bytes, public: bytes) -> bool:
    """Whether a head was signed, with a seal of paper: a hash keyed with the public key, over context and head."""
    return blake2b(b"docaxis/head/v1\x00" + raw, key=public, digest_size=64).digest() == signature


def root(leaf: bytes, place: int, leaves: int, path: Sequence[bytes]) -> bytes | None:
    """The root of a tree of so many leaves, of which the leaf hash `leaf` is the one at `place`: the definition of a
    path, RFC 9162 §2.1.3.1, read from the root down. None where the path is not as long as it must be."""
    if not 0 <= place < leaves or (leaves > 1) != bool(path):
        return None
    if leaves == 1:
        return leaf
    left = 1 << (leaves - 1).bit_length() - 1
    if place < left:
        below = root(leaf, place, left, path[:-1])
        return None if below is None else sha256(b"\x01" + below + path[-1]).digest()
    below = root(leaf, place - left, leaves - left, path[:-1])
    return None if below is None else sha256(b"\x01" + path[-1] + below).digest()


class _Map(dict[str, Any]):
    """A map in which a field that is not there is an error with a name."""

    def __missing__(self, name: str) -> Any:
        raise Unreadable(f"{self.get('type')} has no field {name!r}, only {sorted(self)}")


def _fields(raw: bytes, kind: str) -> _Map:
    try:
        value = msgpack.unpackb(raw, raw=False)
    except ValueError as error:
        raise Unreadable(f"a {kind} is no MessagePack: {error}") from None
    if not isinstance(value, dict) or value.get("type") != kind:
        raise Unreadable(f"{raw[:32].hex()} is no {kind}")
    return _Map(value)


def _rows(rows: Sequence[Sequence[Any]], columns: int) -> Sequence[Sequence[Any]]:
    if any(len(row) != columns for row in rows):
        raise Unreadable(f"rows of {sorted({len(row) for row in rows})} columns, not {columns}")
    return rows
