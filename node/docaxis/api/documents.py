"""Documents: handing them in, finding them again, stating about them, and taking their evidence home.

Each handler reads a request, asks the node once, and shows what it said; no rule about documents lives here.
"""

from typing import Final

from aiohttp import web

from docaxis.api import cursors, limits, requests, views
from docaxis.api.answers import NODE, answer, document_of
from docaxis.api.cursors import Cursor
from docaxis.api.duplicates import DUPLICATES
from docaxis.api.requests import Uploads
from docaxis.api.service import NodeService
from docaxis.core import envelope as envelopes
from docaxis.core.envelope import Envelope
from docaxis.core.errors import TheirFault
from docaxis.core.ids import DocId
from docaxis.core.record import Record
from docaxis.core.wanted import Wanted

EVIDENCE_TYPE: Final = "application/vnd.docaxis.evidence"
_BOXES: Final = ("inbox", "outbox")


async def submit(request: web.Request) -> web.Response:
    """``POST /v1/documents``: one document to its recipients, acknowledged when it is durable."""
    node = request.app[NODE]
    submission, uploads = requests.read_submission(await requests.read_object(request), requests.key_of(request))
    if not submission.inline:
        await _gather(node, uploads, submission.key)
    sent = views.plain(await node.submit(submission))
    known = request.app[DUPLICATES]
    warnings = known.note(submission.meta, sent["doc"], sent["created_ms"]) if submission.kind == "new" else []
    return answer(sent | {"warnings": warnings}, 202)


async def _gather(node: NodeService, uploads: Uploads, key: str) -> None:
    """Sees to it that every chunk is kept here before the document that names it is handed in."""
    for digest, data in uploads.inline.items():
        await node.keep_chunk(digest, data)
    elsewhere = [digest for digest in uploads.uploaded if digest not in uploads.inline]
    sizes = await node.chunk_sizes(elsewhere) if elsewhere else {}
    missing = [digest for digest in elsewhere if digest not in sizes]
    # a repeated request gets its first answer even when the content was destroyed since
    if missing and not (await node.store.find(Wanted(requests=(key,)))).requests:
        raise TheirFault("content.missing", f"{len(missing)} chunks, the first is {missing[0].hex()}")
    for digest, size in sizes.items():
        if size != uploads.uploaded[digest]:
            want = uploads.uploaded[digest]
            raise TheirFault(
                "content.corrupt", f"chunk {digest.hex()} has {size} bytes; the file's sizes make it {want}"
            )


async def listing(request: web.Request) -> web.Response:
    """``GET /v1/documents``: a page of inbox or outbox, newest first."""
    query = request.query
    box = query.get("box", "inbox")
    if box not in _BOXES:
        raise requests.malformed("box", "inbox or outbox")
    limit = requests.query_integer(request, "limit", limits.PAGE_ITEMS, limits.PAGE_ITEMS_MAX, 1)
    state = requests.read_state(query.get("state", ""))
    name = "" if state is None else state.name.lower()
    after = cursors.decode(query["cursor"], box, name) if query.get("cursor") else None
    before = None if after is None else (after.created_ms, after.doc, after.recipient)
    rows = await request.app[NODE].store.documents(box == "outbox", before, limit + 1, state)
    cursor = _cursor(box, name, rows[limit - 1][0]) if len(rows) > limit else None
    return answer({"documents": _rows(rows[:limit]), "next": cursor})


def _cursor(box: str, state: str, last: Record) -> str:
    return cursors.encode(Cursor(box, state, last.created_ms, last.doc, last.recipient))


def _rows(rows: list[tuple[Record, bytes]]) -> list[dict[str, object]]:
    """A document to many recipients has one row for each, and is read once."""
    read: dict[DocId, Envelope] = {}
    shown = []
    for record, raw in rows:
        if record.doc not in read:
            read[record.doc] = envelopes.decode(raw)
        shown.append(views.row(record, read[record.doc]))
    return shown


async def show(request: web.Request) -> web.Response:
    """``GET /v1/documents/{doc}``: everything about one document, or one recipient's part of it."""
    node = request.app[NODE]
    doc = await document_of(request)
    records, kept = await node.store.document(doc)
    if not kept:
        raise TheirFault("document.unknown", f"no document {doc.hex()}")
    return answer(views.document(doc, node.me, records, kept, request.query.get("recipient", "")))


async def state(request: web.Request) -> web.Response:
    """``POST /v1/documents/{doc}/statements``: what people say about a document, signed and on its way."""
    key = requests.key_of(request)
    value = await requests.read_object(request)
    act = requests.read_act(value, key, await document_of(request))
    return answer(views.plain(await request.app[NODE].act(act)), 202)


async def evidence(request: web.Request) -> web.Response:
    """``GET /v1/documents/{doc}/evidence``: one file that a stranger can check offline; ``recipient``, as often as
    wanted, names those whom it is about."""
    doc = await document_of(request)
    body = await request.app[NODE].evidence(doc, request.query.getall("recipient", []))
    headers = {
        "Content-Disposition": f'attachment; filename="{doc.hex()[:12]}.evidence"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return web.Response(body=body, content_type=EVIDENCE_TYPE, headers=headers)


async def envelope_of(node: NodeService, doc: DocId) -> Envelope:
    """The envelope of a document that is kept here; raises `TheirFault` ``document.unknown``."""
    found = (await node.store.find(Wanted(documents=(doc,)))).documents.get(doc)
    if not found:
        raise TheirFault("document.unknown", f"no document {doc.hex()}")
    return envelopes.decode(found[0].envelope)
