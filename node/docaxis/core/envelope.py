"""Envelopes: the one signed act by which a document enters the axis, for all its recipients at once.

Format and field rules only; bytes are signed as sent and never re-encoded. Delivery, lifecycle and storage live
elsewhere. Specification: ``node/docs/spec/envelope.md``; names after QCVN 102:2016/BTTTT (edXML).
"""

from enum import IntEnum
from typing import Any, Final, NamedTuple

from docaxis.core import codec, limits
from docaxis.core.errors import TheirFault
from docaxis.core.ids import HASH_BYTES, DocId, PartyId, party_id
from docaxis.core.tree import leaf_hash, root_of

KINDS: Final = ("new", "update", "replace")
NONCE_BYTES: Final = 16
CLEAR: Final = "none"

_FIELDS: Final = frozenset(
    {
        "type",
        "from",
        "to",
        "kind",
        "ref",
        "thread",
        "created",
        "expires",
        "priority",
        "meta",
        "files",
        "enc",
        "dir",
        "nonce",
        "as",
    }
)
_FILE_FIELDS: Final = frozenset({"name", "media", "size", "chunk", "root", "chunks"})
_META: Final = {
    "number": 20,
    "notation": 60,
    "place": 100,
    "date": 10,
    "kind_code": 10,
    "kind_name": 100,
    "subject": 2_000,
    "signer_name": 100,
    "signer_position": 200,
    "signer_competence": 100,
    "due": 10,
    "secrecy": 20,
    "note": 2_000,
}
"""Metadata fields, each with the most characters it may have; all are text, and absent is the empty text."""
_META_FIELDS: Final = frozenset(_META)

_NOT_IN_NAMES: Final = frozenset(
    "/\\\n\t\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
"""What a file name may not hold besides control characters: separators, and marks that turn the reading direction and
so disguise an ending."""


class Priority(IntEnum):
    """Urgency, Decree 30/2020: thường, khẩn, thượng khẩn, hỏa tốc, hỏa tốc hẹn giờ."""

    NORMAL = 0
    URGENT = 1
    VERY_URGENT = 2
    EXPRESS = 3
    TIMED_EXPRESS = 4


class File(NamedTuple):
    """One file: name, media type, size in bytes, chunk size in bytes, RFC 9162 root over the chunks' SHA-256
    digests as leaf hashes, and the digests themselves (empty where the list is fetched by its root)."""

    name: str
    media: str
    size: int
    chunk: int
    root: bytes
    chunks: tuple[bytes, ...]


class Envelope(NamedTuple):
    """The header of one document. Times are ms since 1970 UTC; `dir` is the directory version the sender used;
    `written_as` names, for each recipient found through an alias or a closed code, the code the sender wrote."""

    sender: PartyId
    to: tuple[PartyId, ...]
    kind: str
    ref: DocId | None
    thread: DocId | None
    created_ms: int
    expires_ms: int
    priority: Priority
    meta: dict[str, str]
    files: tuple[File, ...]
    enc: str
    dir: int
    nonce: bytes
    written_as: dict[str, str]


def content_bytes(files: tuple[File, ...]) -> int:
    """Size of all files together."""
    return sum(file.size for file in files)


def chunk_digests(files: tuple[File, ...]) -> list[bytes]:
    """Every chunk's digest, in order, each once."""
    return list(dict.fromkeys(digest for file in files for digest in file.chunks))


def check_meta(meta: Any) -> dict[str, str]:
    """Checks metadata given by anybody; raises `TheirFault` ``codec.schema`` or ``envelope.secret``."""
    if type(meta) is not dict or not meta.keys() <= _META_FIELDS:
        raise codec.wrong("meta", f"a map with fields among {sorted(_META_FIELDS)}")
    for name, value in meta.items():
        codec.text(value, f"meta.{name}", _META[name], 1)
    if meta.get("secrecy"):
        raise TheirFault("envelope.secret", "documents marked secret never enter the axis (Decision 28/2018, Art. 1.2)")
    return meta


def encode(envelope: Envelope) -> bytes:
    """Canonical bytes of an envelope."""
    return codec.pack(
        {
            "as": _sorted(envelope.written_as),
            "created": envelope.created_ms,
            "dir": envelope.dir,
            "enc": {"alg": envelope.enc},
            "expires": envelope.expires_ms,
            "files": [_file_value(file) for file in envelope.files],
            "from": envelope.sender,
            "kind": envelope.kind,
            "meta": _sorted(envelope.meta),
            "nonce": envelope.nonce,
            "priority": int(envelope.priority),
            "ref": envelope.ref,
            "thread": envelope.thread,
            "to": envelope.to,
            "type": "envelope/1",
        }
    )


def decode(raw: bytes) -> Envelope:
    """Reads an envelope; raises `TheirFault` ``codec.*``, ``id.malformed``, ``content.*`` or ``envelope.secret``."""
    value = codec.fields(codec.decode(raw, limits.ENVELOPE_BYTES_MAX), _FIELDS, "envelope")
    if value["type"] != "envelope/1":
        raise codec.wrong("envelope.type", "envelope/1")
    envelope = Envelope(
        sender=party_id(value["from"]),
        to=codec.array(value["to"], "envelope.to", limits.RECIPIENTS_MAX, party_id, 1),
        kind=value["kind"],
        ref=_optional_id(value["ref"], "envelope.ref"),
        thread=_optional_id(value["thread"], "envelope.thread"),
        created_ms=codec.integer(value["created"], "envelope.created"),
        expires_ms=codec.integer(value["expires"], "envelope.expires"),
        priority=Priority(codec.integer(value["priority"], "envelope.priority", 0, max(Priority))),
        meta=check_meta(value["meta"]),
        files=codec.array(value["files"], "envelope.files", limits.FILES_MAX, _read_file),
        enc=_read_enc(value["enc"]),
        dir=codec.integer(value["dir"], "envelope.dir"),
        nonce=codec.blob(value["nonce"], "envelope.nonce", NONCE_BYTES),
        written_as=_read_written_as(value["as"]),
    )
    check(envelope)
    return envelope


def check(envelope: Envelope) -> None:
    """The rules between fields, for envelopes of ours and of others; raises `TheirFault`."""
    if envelope.kind not in KINDS or (envelope.ref is None) != (envelope.kind == "new"):
        raise codec.wrong("envelope.kind", f"one of {KINDS}, with ref exactly when not new")
    if not set(envelope.written_as) <= set(envelope.to):
        raise codec.wrong("envelope.as", "a map from recipients of this envelope")
    if len(set(envelope.to)) != len(envelope.to):
        raise codec.wrong("envelope.to", "each recipient once")
    if not limits.EXPIRES_MS_MIN <= envelope.expires_ms - envelope.created_ms <= limits.EXPIRES_MS_MAX:
        raise codec.wrong("envelope.expires", "a time after created, within the limits")
    if (size := content_bytes(envelope.files)) > limits.CONTENT_BYTES_MAX:
        raise TheirFault("content.too-large", f"{size} bytes, at most {limits.CONTENT_BYTES_MAX}")


def envelope_id(raw: bytes) -> DocId:
    """The document's id: RFC 9162 leaf hash of the envelope's bytes."""
    return DocId(leaf_hash(raw))


def make_file(name: str, media: str, size: int, chunk: int, digests: tuple[bytes, ...]) -> File:
    """A file's entry from its chunk digests (SHA-256 of each chunk, in order)."""
    return check_file(File(name, media, size, chunk, root_of(digests) if digests else bytes(HASH_BYTES), digests))


def check_file(file: File) -> File:
    """Checks one file's entry against itself; raises `TheirFault`."""
    if file.name in ("", ".", "..") or not _NOT_IN_NAMES.isdisjoint(file.name):
        raise codec.wrong("file.name", "a plain file name")
    expected = -(-file.size // file.chunk)
    if expected and not file.chunks:
        raise TheirFault("content.unsupported", "chunk lists outside the envelope belong to a later version")
    if len(file.chunks) != expected or file.root != (root_of(file.chunks) if file.chunks else bytes(HASH_BYTES)):
        raise TheirFault("content.corrupt", "the chunk list does not match size and root")
    return file


def _read_file(value: Any) -> File:
    entry = codec.fields(value, _FILE_FIELDS, "file")
    return check_file(
        File(
            name=codec.text(entry["name"], "file.name", limits.FILE_NAME_CHARS_MAX, 1),
            media=codec.text(entry["media"], "file.media", 100, 1),
            size=codec.integer(entry["size"], "file.size", 0, limits.CONTENT_BYTES_MAX),
            chunk=codec.integer(entry["chunk"], "file.chunk", 1, limits.CHUNK_BYTES_MAX),
            root=codec.blob(entry["root"], "file.root", HASH_BYTES),
            chunks=codec.array(entry["chunks"], "file.chunks", limits.CHUNKS_LISTED_MAX, _read_digest),
        )
    )


def _file_value(file: File) -> dict[str, Any]:
    return {
        "chunk": file.chunk,
        "chunks": file.chunks,
        "media": file.media,
        "name": file.name,
        "root": file.root,
        "size": file.size,
    }


def _sorted(texts: dict[str, str]) -> dict[str, str]:
    return {name: texts[name] for name in sorted(texts)}


def _read_digest(value: Any) -> bytes:
    return codec.blob(value, "chunk digest", HASH_BYTES)


def _optional_id(value: Any, field: str) -> DocId | None:
    return None if value is None else DocId(codec.blob(value, field, HASH_BYTES))


def _read_enc(value: Any) -> str:
    alg = codec.fields(value, frozenset({"alg"}), "envelope.enc")["alg"]
    if alg != CLEAR:
        raise TheirFault("seal.algorithm", f"content encryption {str(alg)[:32]!r} belongs to a later version")
    return CLEAR


def _read_written_as(value: Any) -> dict[str, str]:
    if type(value) is not dict:
        raise codec.wrong("envelope.as", "a map from recipient to the code that was written")
    return {party_id(recipient): party_id(code) for recipient, code in value.items()}
