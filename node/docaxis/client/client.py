"""The client: every call of the local API as a method with types.

It adds nothing to what the node says. Requests and their repetition are in `http`, files in `files`.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

from docaxis.client import answers, files
from docaxis.client.answers import Change, Document, Page, Party, Row, Sent, Stated
from docaxis.client.files import Attachment, Landing
from docaxis.client.http import Http
from docaxis.core import limits
from docaxis.core.envelope import Priority
from docaxis.core.errors import OurFault
from docaxis.core.lifecycle import Code, State
from docaxis.runtime.entropy import SystemEntropy

WAIT_S: Final = 50
PAGE_ITEMS: Final = 200
_READ_BYTES: Final = 256 * limits.KIB

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


class Client:
    """One node's local API. Use it as an async context manager; it may serve any number of tasks at once.

    Every method raises `DocaxisError`: `Refused` and `Failed` with the node's own code, ``node.unreachable`` when it
    does not answer. Whatever changes something carries an idempotency key, made here unless `key` is given, and is
    repeated with the same key when the connection breaks (see `docaxis.client.http`).
    """

    def __init__(self, url: str, token: str) -> None:
        self._http = Http(url, token)

    async def __aenter__(self) -> Self:
        self._http.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    # --- handing in ---

    async def send(
        self,
        to: Sequence[str],
        *,
        files: Sequence[Attachment | Path] = (),
        meta: Mapping[str, str] | None = None,
        kind: str = "new",
        ref: str | None = None,
        priority: Priority = Priority.NORMAL,
        expires_ms: int = 0,
        key: str = "",
        progress: Progress | None = None,
    ) -> Sent:
        """Hands in one document for `to` (codes or aliases) and returns once the node has made it durable.

        `meta` has the fields of ``node/docs/spec/envelope.md``; `ref` is the document that an update or a replacement
        is about; `expires_ms` is the deadline for delivery (0: the node's default).
        """
        body = {
            "to": list(to),
            "kind": kind,
            "ref": ref,
            "priority": priority.name.lower(),
            "expires_ms": expires_ms,
            "meta": dict(meta or {}),
            "files": await self._bring(files, progress),
        }
        return _read(answers.sent, await self._http.post("/v1/documents", body, key or fresh_key()))

    async def _bring(self, given: Sequence[Attachment | Path], progress: Progress | None) -> list[dict[str, Any]]:
        """Content that is small goes with the request; the rest is uploaded first, chunk by chunk."""
        in_memory = all(isinstance(file, Attachment) and isinstance(file.content, bytes) for file in given)
        found, total, small = _weigh(given) if in_memory else await asyncio.to_thread(_weigh, given)
        if small is not None:
            return small
        done = 0
        entries = []
        for file in found:
            entries.append(await self._upload(file, done, total, progress))
            done += entries[-1]["size"]
        return entries

    async def _upload(self, file: Attachment, done: int, total: int, progress: Progress | None) -> dict[str, Any]:
        name, media = file.named()
        size, digests = 0, []
        chunks = file.chunks()
        while chunk := await asyncio.to_thread(next, chunks, b""):
            digests.append(sha256(chunk).hexdigest())
            size += len(chunk)
            await self._http.read("PUT", f"/v1/chunks/{digests[-1]}", body=chunk)
            if progress is not None:
                progress(done + size, total)
        return {"name": name, "media": media, "size": size, "chunk": files.CHUNK_BYTES, "chunks": digests}

    # --- stating ---

    async def advance(self, doc: str, code: Code, *, text: str = "", actor: str = "", key: str = "") -> Stated:
        """States that a document was received, assigned, is being processed, or is completed."""
        return await self.state(doc, code, text=text, actor=actor, key=key)

    async def refuse(self, doc: str, reason: str, *, actor: str = "", key: str = "") -> Stated:
        """Refuses a document that has arrived."""
        return await self.state(doc, Code.REFUSED, text=reason, actor=actor, key=key)

    async def recall(self, doc: str, reason: str, *, recipient: str = "", actor: str = "", key: str = "") -> Stated:
        """Asks for a document back, from one recipient or from every one that may still be asked."""
        return await self.state(doc, Code.RECALL, recipient=recipient, text=reason, actor=actor, key=key)

    async def agree(self, doc: str, *, text: str = "", actor: str = "", key: str = "") -> Stated:
        """Gives a recalled document back."""
        return await self.state(doc, Code.AGREE, text=text, actor=actor, key=key)

    async def decline(self, doc: str, reason: str, *, actor: str = "", key: str = "") -> Stated:
        """Declines to give a recalled document back."""
        return await self.state(doc, Code.DECLINE, text=reason, actor=actor, key=key)

    async def state(
        self, doc: str, code: Code, *, recipient: str = "", text: str = "", actor: str = "", key: str = ""
    ) -> Stated:
        """States any code that people may state; the methods above are this one under better names."""
        body = {"code": code.value, "recipient": recipient, "text": text, "actor": actor}
        path = f"/v1/documents/{quote(doc, safe='')}/statements"
        return _read(answers.stated, await self._http.post(path, body, key or fresh_key()))

    # --- reading ---

    def inbox(self, state: State | None = None) -> AsyncIterator[Row]:
        """What came to this node, newest first, across all pages."""
        return self._rows("inbox", state)

    def outbox(self, state: State | None = None) -> AsyncIterator[Row]:
        """What this node sent, one row for each recipient, newest first, across all pages."""
        return self._rows("outbox", state)

    async def _rows(self, box: str, state: State | None) -> AsyncIterator[Row]:
        following: str | None = ""
        while following is not None:
            page = await self.page(box, state, following)
            for row in page.rows:
                yield row
            following = page.next

    async def page(self, box: str, state: State | None = None, cursor: str = "", limit: int = PAGE_ITEMS) -> Page:
        """At most `limit` lines of ``inbox`` or ``outbox``, newest first, from `cursor` on: the `next` of the page
        before, for the same box and state. A node has a bound of its own for `limit`."""
        params: dict[str, str | int] = {"box": box, "limit": limit}
        if state is not None:
            params["state"] = state.name.lower()
        if cursor:
            params["cursor"] = cursor
        return _read(answers.page, await self._http.get("/v1/documents", params))

    async def document(self, doc: str, recipient: str = "") -> Document:
        """Everything about a document, named by its id or by eight or more of its first digits."""
        params = {"recipient": recipient} if recipient else None
        return _read(answers.document, await self._http.get(f"/v1/documents/{quote(doc, safe='')}", params))

    async def save_file(self, document: Document, n: int, target: Path, progress: Progress | None = None) -> Path:
        """Writes a document's file to `target` once every byte of it was checked; nothing half done is left behind."""
        info = document.files[n]
        landing = await asyncio.to_thread(Landing, target, info)
        done = 0
        try:
            async with self._http.stream(f"/v1/documents/{document.doc}/files/{n}") as response:
                async for data in response.content.iter_chunked(_READ_BYTES):
                    await asyncio.to_thread(landing.write, data)
                    done += len(data)
                    if progress is not None:
                        progress(done, info.size)
            return await asyncio.to_thread(landing.finish)
        finally:
            landing.abandon()

    async def evidence(self, doc: str, recipients: Sequence[str] = ()) -> bytes:
        """Everything that was signed about a document, or about its transmissions to these recipients only, as one
        file that `docaxis verify` checks offline."""
        params = [("recipient", recipient) for recipient in recipients]
        return await self._http.read("GET", f"/v1/documents/{quote(doc, safe='')}/evidence", params=params)

    async def changes(self, after: int | None = None) -> AsyncIterator[Change]:
        """Every change above the cursor `after`, for ever; None: every change from now on.

        Keep the `cursor` of the last change that you have dealt with, and nothing is missed over a restart.
        """
        position = await self.last_change() if after is None else after
        while True:
            page = await self._http.get("/v1/changes", {"after": position, "wait_s": WAIT_S})
            for change in _read(lambda page: list(map(answers.change, page["changes"])), page):
                yield change
            position = _read(_after, page)

    async def last_change(self) -> int:
        """The cursor of the newest change."""
        return _read(_after, await self._http.get("/v1/changes", {"after": "latest"}))

    # --- the node ---

    async def status(self) -> dict[str, Any]:
        """How the node is."""
        return await self._http.get("/v1/status")

    async def metrics(self) -> dict[str, int]:
        """The node's counters since its start."""
        return await self._http.get("/v1/metrics")

    async def backup(self, target: str) -> dict[str, Any]:
        """Has the node write a copy of itself into the new folder `target` on its own machine."""
        return await self._http.post("/v1/admin/backup", {"target": target}, fresh_key())

    async def revoke(self, raw: bytes) -> dict[str, Any]:
        """Has the node honour a file of revocations at once; handing one in twice is once."""
        return await self._http.post_bytes("/v1/admin/revocations", raw)

    async def party(self, code: str) -> Party:
        """What the directory says of the party that mail to `code` reaches."""
        answer = await self._http.get(f"/v1/directory/{quote(code, safe='')}")
        return _read(lambda answer: answers.party(answer["party"]), answer)

    async def parties(self) -> AsyncIterator[Party]:
        """Every party that can be sent to directly, in the order of their codes."""
        params: dict[str, str | int] = {}
        while True:
            page = await self._http.get("/v1/directory", params)
            for party in _read(lambda page: list(map(answers.party, page["parties"])), page):
                yield party
            if not (following := page.get("next")):
                return
            params["after"] = following


def fresh_key() -> str:
    """An idempotency key that nobody has used."""
    return SystemEntropy().take(16).hex()


def _after(page: Mapping[str, Any]) -> int:
    return int(page["after"])


def _weigh(given: Sequence[Attachment | Path]) -> tuple[list[Attachment], int, list[dict[str, Any]] | None]:
    """The files, their size together, and what goes with the request where that is little enough."""
    found = files.attachments(given)
    total = sum(file.size() for file in found)
    return found, total, list(map(_inline, found)) if total <= limits.INLINE_BYTES_MAX else None


def _inline(file: Attachment) -> dict[str, Any]:
    name, media = file.named()
    return {"name": name, "media": media, "data": b64encode(b"".join(file.chunks())).decode("ascii")}


def _read(reader: Callable[[Mapping[str, Any]], T], value: Any) -> T:
    try:
        return reader(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OurFault(
            "peer.malformed", f"the node's answer is not as expected ({error!r}); another version?"
        ) from None
