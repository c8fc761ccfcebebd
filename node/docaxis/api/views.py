"""Views: what a node knows, as the JSON that people's software reads; names in Vietnamese beside every code.

Reading only, and no wording of errors. Times appear twice: ``…_ms`` is ms since 1970 UTC, ``…_at`` is the same in
Vietnam's time (Decree 30/2020 counts in it). Bytes appear as hexadecimal digits.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from docaxis.api import limits
from docaxis.core import envelope as envelopes
from docaxis.core import statement as statements
from docaxis.core.addresses import Entry
from docaxis.core.envelope import Envelope, File
from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import BY_PEOPLE, CODE_VIETNAMESE, VIETNAMESE, Code, State, allowed
from docaxis.core.record import Record
from docaxis.core.signed import decode_head
from docaxis.store.base import Change, Kept

VIETNAM: Final = timezone(timedelta(hours=7))
_FAR_MS: Final = 253_402_275_599_999
"""Last moment that a calendar of four-digit years can name in Vietnam's time."""


def times(name: str, time_ms: int) -> dict[str, Any]:
    """``{name}_ms`` and ``{name}_at``; a time that no calendar names, and 0 (never), has none of the latter."""
    return {f"{name}_ms": time_ms, f"{name}_at": iso(time_ms)}


def iso(time_ms: int) -> str | None:
    """ISO 8601 in Vietnam's time, to the millisecond."""
    if not 0 < time_ms <= _FAR_MS:
        return None
    # in whole numbers: a float of this size has no milliseconds to give away
    moment = datetime(1970, 1, 1, tzinfo=VIETNAM) + timedelta(hours=7, milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds")


def plain(value: Any) -> Any:
    """Values of the node as JSON holds them: bytes as hexadecimal digits, keys as text; moments in both forms."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return dict(_pairs(value))
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def _pairs(value: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        name = key.name.lower() if isinstance(key, State) else key.hex() if isinstance(key, bytes) else str(key)
        yield name, plain(item)
        if name in _MOMENTS and type(item) is int:
            yield f"{name.removesuffix('_ms')}_at", iso(item)


_MOMENTS: Final = frozenset(
    f"{name}_ms"
    for name in (
        "created",
        "down_since",
        "ends",
        "expires",
        "kept",
        "next_try",
        "now",
        "refreshed",
        "since",
        "started",
        "verified",
    )
)
"""Names of moments; other names in ``_ms`` are durations."""


def state_of(state: State) -> dict[str, str]:
    """A state by its stable name and its Vietnamese one."""
    return {"state": state.name.lower(), "state_vi": VIETNAMESE[state]}


def code_of(code: Code) -> dict[str, str]:
    """A code by its digits, its stable name and its Vietnamese one."""
    return {"code": code.value, "name": code.name.lower(), "name_vi": CODE_VIETNAMESE[code]}


def file_of(number: int, file: File) -> dict[str, Any]:
    """One file; `number` is its place in the document, from 0."""
    chunks = [digest.hex() for digest in file.chunks]
    return {
        "n": number,
        "name": file.name,
        "media": file.media,
        "size": file.size,
        "chunk": file.chunk,
        "root": file.root.hex(),
        "chunks": chunks,
    }


def row(record: Record, envelope: Envelope) -> dict[str, Any]:
    """One line of inbox or outbox."""
    return {
        "doc": record.doc.hex(),
        "box": "outbox" if record.outgoing else "inbox",
        "sender": record.sender,
        "recipient": record.recipient,
        **standing(record),
        **_act(envelope),
        "files": [{"name": file.name, "media": file.media, "size": file.size} for file in envelope.files],
        **times("created", record.created_ms),
        **times("expires", record.expires_ms),
        **times("updated", record.updated_ms),
    }


def standing(record: Record) -> dict[str, Any]:
    """Where a transmission is, and what it waits for."""
    return {
        **state_of(record.standing.state),
        "recall_waiting": record.standing.waiting_recall is not None,
        "waits": record.waits,
        "superseded_by": None if record.superseded_by is None else record.superseded_by.hex(),
    }


def _act(envelope: Envelope) -> dict[str, Any]:
    return {
        "kind": envelope.kind,
        "ref": None if envelope.ref is None else envelope.ref.hex(),
        "priority": envelope.priority.name.lower(),
        "meta": envelope.meta,
    }


def document(doc: DocId, me: PartyId, records: Sequence[Record], kept: Sequence[Kept], only: str) -> dict[str, Any]:
    """Everything about one document; `only` one recipient's part where it is not empty."""
    envelope = envelopes.decode(kept[0].signed.body)
    shown = [record for record in records if only in ("", record.recipient)]
    said = [each for each in kept if each.kind == "statement" and only in ("", each.recipient)]
    return {
        "doc": doc.hex(),
        "box": "outbox" if envelope.sender == me else "inbox",
        "sender": envelope.sender,
        "to": list(envelope.to),
        "written_as": envelope.written_as,
        "thread": None if envelope.thread is None else envelope.thread.hex(),
        **_act(envelope),
        "files": [file_of(number, file) for number, file in enumerate(envelope.files)],
        **times("created", envelope.created_ms),
        **times("expires", envelope.expires_ms),
        "envelope": _signature(kept[0]),
        "transmissions": [_transmission(record, me) for record in shown],
        "history": [_statement(each) for each in said[-limits.HISTORY_ITEMS_MAX :]],
        "history_complete": len(said) <= limits.HISTORY_ITEMS_MAX,
    }


def _transmission(record: Record, me: PartyId) -> dict[str, Any]:
    by_people = [code for code in allowed(record.standing, record.outgoing) if code in BY_PEOPLE]
    return {
        "recipient": record.recipient,
        **standing(record),
        **times("updated", record.updated_ms),
        "possible": [code_of(code) for code in by_people],
    }


def _statement(kept: Kept) -> dict[str, Any]:
    said = statements.decode(kept.signed.body)
    return {
        "id": kept.signed.id.hex(),
        "by": said.by,
        "recipient": said.recipient,
        **code_of(said.code),
        "epoch": said.epoch,
        "seq": said.seq,
        "answers": None if said.answers is None else said.answers.hex(),
        "reason": said.reason,
        "text": said.text,
        "actor": said.actor,
        **times("said", said.at_ms),
        **_signature(kept),
    }


def _signature(kept: Kept) -> dict[str, Any]:
    head = decode_head(kept.signed.head.raw)
    return {
        "signed_by": head.signer,
        "key": head.key.hex(),
        "alg": head.alg,
        **times("signed", head.at_ms),
        **times("kept", kept.kept_ms),
    }


def change(line: Change) -> dict[str, Any]:
    """One line of the feed."""
    what = line.change
    return {
        "cursor": line.cursor,
        "doc": what.doc.hex(),
        "box": "outbox" if what.outgoing else "inbox",
        "recipient": what.recipient,
        "by": what.by,
        **code_of(what.code),
        **state_of(what.state),
        **times("said", what.at_ms),
    }


def entry(found: Entry) -> dict[str, Any]:
    """What the directory says of one party."""
    return {
        "id": found.id,
        "name_vi": found.name_vi,
        "name_en": found.name_en,
        "kind": found.kind,
        "parent": found.parent,
        "status": found.status.value,
        "successors": list(found.successors),
        "aliases": list(found.aliases),
        "endpoints": list(found.endpoints),
        "via": list(found.via),
        "keys": [{"id": key.id.hex(), "alg": key.alg} for key in found.keys],
        "seq": found.seq,
    }
