"""Requests: JSON of strangers into the plain values that the node takes, and each request's digest.

Reading and checking only. What was read is whole and of the right types; whether a document may be sent, or a step
taken, is the machine's business. Field by field the same as ``node/docs/api.md``.
"""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any, Final, NamedTuple

from aiohttp import web

from docaxis.api import limits
from docaxis.core import codec, envelope
from docaxis.core import limits as core_limits
from docaxis.core.envelope import File, Priority
from docaxis.core.errors import TheirFault
from docaxis.core.events import Act, Submission
from docaxis.core.ids import HASH_BYTES, DocId, doc_id
from docaxis.core.lifecycle import BY_PEOPLE, Code, State
from docaxis.core.statement import ACTOR_CHARS_MAX

_SUBMISSION: Final = frozenset({"to", "kind", "ref", "priority", "expires_ms", "meta", "files"})
_STATEMENT: Final = frozenset({"code", "recipient", "text", "actor"})
_UPLOADED: Final = frozenset({"name", "media", "size", "chunk", "chunks"})
_INLINE: Final = frozenset({"name", "media", "data"})
_DAYS: Final = ("date", "due")
"""Fields of `meta` that are a day of the calendar."""
CODE_NAMES: Final = {code.name.lower(): code for code in BY_PEOPLE}
"""Words for the codes that people state, accepted beside the two digits."""


class Uploads(NamedTuple):
    """The content of one request: chunks that came with it by digest, and the sizes that others must have."""

    inline: dict[bytes, bytes]
    uploaded: dict[bytes, int]


def malformed(field: str, want: str) -> TheirFault:
    """The error for a field that is not as the API's description says."""
    return TheirFault("request.malformed", f"{field}: expected {want}")


async def read_body(request: web.Request, bytes_max: int) -> bytes:
    """The body, refused before it is read where it says that it is too long."""
    if (request.content_length or 0) > bytes_max:
        raise TheirFault("codec.too-long", f"{request.content_length} bytes, at most {bytes_max}")
    body = bytearray()
    async for part in request.content.iter_any():
        body += part
        if len(body) > bytes_max:
            raise TheirFault("codec.too-long", f"more than {bytes_max} bytes")
    return bytes(body)


async def read_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object."""
    body = await read_body(request, limits.REQUEST_BYTES_MAX)
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # half of a pair of surrogates is no text
    except (ValueError, RecursionError):
        raise malformed("body", "one JSON object in UTF-8") from None
    if type(value) is not dict:
        raise malformed("body", "one JSON object in UTF-8")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def key_of(request: web.Request) -> str:
    """The idempotency key, which every request that changes something must carry."""
    key = request.headers.get("Idempotency-Key", "")
    if not (0 < len(key) <= limits.KEY_CHARS_MAX and key.isascii() and key.isprintable()):
        want = f"a header of 1 to {limits.KEY_CHARS_MAX} printable ASCII characters, new for each new request"
        raise malformed("Idempotency-Key", want)
    return key


def read_submission(value: Mapping[str, Any], key: str) -> tuple[Submission, Uploads]:
    """What ``POST /v1/documents`` carries; raises `TheirFault`."""
    _only(value, _SUBMISSION)
    files, uploads = _read_files(value.get("files", []))
    kind, ref = value.get("kind", "new"), value.get("ref")
    if kind not in envelope.KINDS or (ref is None) != (kind == "new"):
        raise malformed("kind", f"one of {', '.join(envelope.KINDS)}; with ref exactly when it is not new")
    inline = _travels_inline(files, uploads)
    submission = Submission(
        ticket=0,
        key=key,
        digest=b"",
        to=_read_recipients(value.get("to")),
        kind=kind,
        ref=None if ref is None else _read_id(ref, "ref"),
        priority=int(_read_priority(value.get("priority", 0))),
        expires_ms=_read_integer(value.get("expires_ms", 0), "expires_ms", 0, 2**53),
        meta=_read_meta(value.get("meta", {})),
        files=files,
        inline=tuple(uploads.inline[digest] for digest in envelope.chunk_digests(files)) if inline else (),
    )
    return submission._replace(digest=_digest_of(submission)), uploads


def read_act(value: Mapping[str, Any], key: str, doc: DocId) -> Act:
    """What ``POST /v1/documents/{doc}/statements`` carries; raises `TheirFault`."""
    _only(value, _STATEMENT)
    act = Act(
        ticket=0,
        key=key,
        digest=b"",
        doc=doc,
        recipient=_read_text(value.get("recipient", ""), "recipient", 40),
        code=_read_code(value.get("code")),
        text=codec.text(value.get("text", ""), "text", core_limits.REASON_CHARS_MAX),
        actor=codec.text(value.get("actor", ""), "actor", ACTOR_CHARS_MAX),
    )
    canonical = codec.encode(["statement", doc, act.recipient, act.code.value, act.text, act.actor])
    return act._replace(digest=sha256(canonical).digest())


def read_state(text: str) -> State | None:
    """A state as a query names it, or None for any; raises `TheirFault`."""
    if not text:
        return None
    if text.upper() not in State.__members__:
        raise malformed("state", f"one of {', '.join(state.name.lower() for state in State)}")
    return State[text.upper()]


def query_integer(request: web.Request, name: str, default: int, most: int, least: int = 0) -> int:
    """A whole number of the query, within bounds; raises `TheirFault`."""
    text = request.query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise malformed(name, f"a whole number from {least} to {most}")
    return int(text)


def _digest_of(submission: Submission) -> bytes:
    """SHA-256 over what was asked for, whatever the spelling of its JSON, and whichever way the content came."""
    files = [[file.name, file.media, file.size, file.chunk, file.root] for file in submission.files]
    asked = [submission.to, submission.kind, submission.ref, submission.priority, submission.expires_ms]
    return sha256(codec.encode(["document", *asked, submission.meta, files])).digest()


def _only(value: Mapping[str, Any], known: frozenset[str]) -> None:
    if odd := sorted(value.keys() - known):
        raise malformed(odd[0][:40], f"no such field; known are {', '.join(sorted(known))}")


def _read_recipients(value: Any) -> tuple[str, ...]:
    if type(value) is not list or not 1 <= len(value) <= core_limits.RECIPIENTS_MAX:
        raise malformed("to", f"an array of 1 to {core_limits.RECIPIENTS_MAX} codes")
    return tuple(_read_text(code, "to", 40, 1) for code in value)


def _read_meta(value: Any) -> dict[str, str]:
    """Metadata by the rules of the format; days, besides, must be days, or the recipients' software stumbles."""
    meta = envelope.check_meta(value)
    for name in _DAYS:
        if name in meta and not _is_day(meta[name]):
            raise malformed(f"meta.{name}", f"a day of the calendar as YYYY-MM-DD, not {meta[name]!r}")
    return meta


def _is_day(text: str) -> bool:
    # the library alone would take weeks, and days without hyphens
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _read_files(value: Any) -> tuple[tuple[File, ...], Uploads]:
    if type(value) is not list or len(value) > core_limits.FILES_MAX:
        raise malformed("files", f"an array of at most {core_limits.FILES_MAX} files")
    uploads = Uploads({}, {})
    files = tuple(_read_file(entry, uploads) for entry in value)
    if (size := envelope.content_bytes(files)) > core_limits.CONTENT_BYTES_MAX:
        raise TheirFault("content.too-large", f"{size} bytes, at most {core_limits.CONTENT_BYTES_MAX}")
    return files, uploads


def _read_file(value: Any, uploads: Uploads) -> File:
    if type(value) is not dict:
        raise malformed("files", "objects")
    name = codec.text(value.get("name"), "file.name", core_limits.FILE_NAME_CHARS_MAX, 1)
    media = codec.text(value.get("media", "application/octet-stream"), "file.media", 100, 1)
    if "data" in value:
        _only(value, _INLINE)
        return _inline_file(name, media, _read_data(value["data"]), uploads)
    _only(value, _UPLOADED)
    size = _read_integer(value.get("size"), "file.size", 0, core_limits.CONTENT_BYTES_MAX)
    chunk = _read_integer(value.get("chunk", core_limits.CHUNK_BYTES), "file.chunk", 1, core_limits.CHUNK_BYTES_MAX)
    digests = _read_digests(value.get("chunks", []))
    for number, digest in enumerate(digests):
        uploads.uploaded[digest] = min(chunk, size - number * chunk)
    return envelope.make_file(name, media, size, chunk, digests)


def _inline_file(name: str, media: str, data: bytes, uploads: Uploads) -> File:
    chunk = core_limits.CHUNK_BYTES
    parts = [data[start : start + chunk] for start in range(0, len(data), chunk)]
    digests = tuple(sha256(part).digest() for part in parts)
    uploads.inline.update(zip(digests, parts, strict=True))
    return envelope.make_file(name, media, len(data), chunk, digests)


def _travels_inline(files: tuple[File, ...], uploads: Uploads) -> bool:
    """Whether all content came with the request and is small enough to go with the envelope."""
    small = envelope.content_bytes(files) <= core_limits.INLINE_BYTES_MAX
    return small and not uploads.uploaded.keys() - uploads.inline.keys()


def _read_data(value: Any) -> bytes:
    try:
        return b64decode(_read_text(value, "file.data", limits.REQUEST_BYTES_MAX), validate=True)
    except ValueError:
        raise malformed("file.data", "base64") from None


def _read_digests(value: Any) -> tuple[bytes, ...]:
    if type(value) is not list or len(value) > core_limits.CHUNKS_LISTED_MAX:
        raise malformed("file.chunks", f"an array of at most {core_limits.CHUNKS_LISTED_MAX} digests")
    return tuple(read_digest(each) for each in value)


def read_digest(value: Any) -> bytes:
    """A chunk's SHA-256 from its 64 hexadecimal digits; raises `TheirFault`."""
    return bytes(_read_id(value, "chunk digest"))


def _read_id(value: Any, field: str) -> DocId:
    if type(value) is not str or len(value) != 2 * HASH_BYTES:
        raise malformed(field, "64 hexadecimal digits")
    return doc_id(value)


def _read_priority(value: Any) -> Priority:
    if type(value) is str and value.upper() in Priority.__members__:
        return Priority[value.upper()]
    if type(value) is int and value in Priority.__members__.values():
        return Priority(value)
    raise malformed("priority", f"one of {', '.join(each.name.lower() for each in Priority)}, or its number from 0")


def _read_code(value: Any) -> Code:
    code = CODE_NAMES.get(value) if type(value) is str else None
    if code is None and value in Code.__members__.values():
        code = Code(value)
    if code not in BY_PEOPLE:
        words = ", ".join(f"{each.value} {name}" for name, each in sorted(CODE_NAMES.items(), key=lambda it: it[1]))
        raise malformed("code", f"one of {words}")
    return code


def _read_integer(value: Any, field: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise malformed(field, f"a whole number from {least} to {most}")
    return value


def _read_text(value: Any, field: str, most: int, least: int = 0) -> str:
    if type(value) is not str or not least <= len(value) <= most:
        raise malformed(field, f"text of {least} to {most} characters")
    return value
