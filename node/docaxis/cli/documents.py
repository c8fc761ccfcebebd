"""`docaxis inbox`, `outbox`, `show` and `evidence`: where documents are, who said what when, and the proof of it.

Reading only; what moves a document is in `steps` and `send`.
"""

import argparse
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import connect, main, output
from docaxis.client import Client, Document, Party, Refused, Row, Said, Transmission
from docaxis.client.client import PAGE_ITEMS
from docaxis.core.envelope import Priority
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.lifecycle import CODE_VIETNAMESE, Code, State

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]

ROWS: Final = 50
NOBODY: Final = "-"
_COMMANDS: Final = {
    Code.REFUSED: "docaxis refuse {doc} --reason …",
    Code.RECALL: "docaxis recall {doc} --reason …",
    Code.AGREE: "docaxis answer-recall {doc} --agree",
    Code.DECLINE: "docaxis answer-recall {doc} --decline --reason …",
}
_STATES: Final = ", ".join(state.name.lower() for state in State)
_BOXES: Final = {"inbox": "inbox · văn bản đến", "outbox": "outbox · văn bản đi"}
_URGENCY: Final = {
    Priority.URGENT: "urgent · khẩn",
    Priority.VERY_URGENT: "very urgent · thượng khẩn",
    Priority.EXPRESS: "express · hỏa tốc",
    Priority.TIMED_EXPRESS: "timed express · hỏa tốc hẹn giờ",
}
"""Degrees of urgency after Decree 30/2020; an ordinary document says nothing."""

_LIST_EXAMPLES: Final = """\
examples:
  docaxis {box}
  docaxis {box} --state arrived --limit 200
  docaxis {box} --json | jq '.documents[].doc'
  docaxis {box} --json --cursor "$NEXT"      the page after the one whose `next` was $NEXT
"""
_SHOW_EXAMPLES: Final = """\
examples:
  docaxis show 3fa9c1d2                      by eight or more first digits of the id
  docaxis show 3fa9c1d2 --recipient H49      one recipient's part
  docaxis show 3fa9c1d2 --save-to ~/in       write its files there, each checked byte for byte
"""
_EVIDENCE_EXAMPLES: Final = """\
examples:
  docaxis evidence 3fa9c1d2 -o 7816.evidence
  docaxis evidence 3fa9c1d2 --recipient H49 --recipient H57 -o 7816.evidence
  docaxis verify 7816.evidence --root root.json
"""


def add_parser(subparsers: "Subparsers") -> None:
    """Adds the four commands."""
    _add_list(subparsers, "inbox", "documents that came to this node, newest first")
    _add_list(subparsers, "outbox", "documents that this node sent, one line for each recipient, newest first")
    text = "Show one document: who said what when, and what is possible next."
    show = subparsers.add_parser("show", help="show one document", description=text, epilog=_SHOW_EXAMPLES)
    _add_document(show)
    show.add_argument("--recipient", default="", metavar="CODE", help="only this recipient's part")
    show.add_argument("--save-to", type=Path, metavar="DIR", help="write the document's files into this folder")
    output.json_option(show)
    show.set_defaults(handler=run_show)
    text = "Write everything that was signed about a document into one file."
    proof = subparsers.add_parser(
        "evidence", help="write the evidence file", description=text, epilog=_EVIDENCE_EXAMPLES
    )
    _add_document(proof)
    proof.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to (default: the id and .evidence)")
    help_recipient = "only this recipient's part; may be given again (default: everybody's)"
    proof.add_argument("--recipient", action="append", default=[], metavar="CODE", help=help_recipient)
    proof.add_argument("--force", action="store_true", help="overwrite the file")
    output.json_option(proof)
    proof.set_defaults(handler=run_evidence)


def _add_list(subparsers: "Subparsers", box: str, text: str) -> None:
    examples = _LIST_EXAMPLES.format(box=box)
    parser = subparsers.add_parser(box, help=f"list {text}", description=f"List {text}.", epilog=examples)
    parser.add_argument("--state", type=state, metavar="STATE", help=f"only in this state: {_STATES}")
    parser.add_argument("--limit", type=output.positive, default=ROWS, help=f"most lines to show (default {ROWS})")
    help_cursor = "go on where an earlier list ended: the `next` of its JSON, for the same box and state"
    parser.add_argument("--cursor", default="", metavar="NEXT", help=help_cursor)
    connect.node_option(parser)
    output.json_option(parser)
    parser.set_defaults(handler=run_list, box=box)


def _add_document(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("doc", metavar="DOC", help="the document's id, or eight or more of its first digits")
    connect.node_option(parser)


def state(text: str) -> State:
    """A state by its name, for argparse; a wrong one is answered with the nearest."""
    if text.upper() in State.__members__:
        return State[text.upper()]
    hint = output.nearest(text.lower(), [each.name.lower() for each in State])
    raise argparse.ArgumentTypeError(f"no state is called {text!r}{hint}; states are {_STATES}")


def run_list(arguments: argparse.Namespace) -> int:
    """Shows a box."""
    rows, following = connect.with_node(arguments, lambda node: _rows(node, arguments))
    if arguments.json:
        output.print_json({"documents": [as_json(row) for row in rows], "next": following})
        return main.OK
    if not rows:
        there = "" if arguments.state is None else f" ({output.state(arguments.state)})"
        print(f"{_BOXES[arguments.box]}: No document · Không có văn bản{there}")
        return main.OK
    party = "from · nơi gửi" if arguments.box == "inbox" else "to · nơi nhận"
    columns = ["document", party, "state · trạng thái", "number · số", "subject · trích yếu", "sent · ngày gửi"]
    output.print_table(_BOXES[arguments.box], columns, [_line(row) for row in rows])
    if following is not None:
        output.note(f"There are more; show them with --limit {arguments.limit * 4}, or go on with --cursor {following}")
    return main.OK


async def _rows(node: Client, arguments: argparse.Namespace) -> tuple[list[Row], str | None]:
    """As many lines as were asked for, and the cursor of the next."""
    rows: list[Row] = []
    following: str | None = arguments.cursor
    while following is not None and (missing := arguments.limit - len(rows)):
        page = await node.page(arguments.box, arguments.state, following, min(missing, PAGE_ITEMS))
        rows += page.rows
        following = page.next
    return rows, following


def _line(row: Row) -> list[str]:
    shown = output.state(row.state) + (" (recall waiting · chờ trả lời lấy lại)" if row.recall_waiting else "")
    urgent = f"[{_URGENCY[row.priority]}] " if row.priority in _URGENCY else ""
    party = row.recipient if row.box == "outbox" else row.sender
    subject = urgent + (row.meta.get("subject") or (row.files[0].name if row.files else ""))
    return [row.doc[: output.ID_DIGITS], party, shown, number(row.meta), subject, output.when(row.created_ms)]


def number(meta: Any) -> str:
    """Number and notation as they stand on paper: 7816/VPCP-TTĐT."""
    return "/".join(part for part in (meta.get("number"), meta.get("notation")) if part)


def as_json(value: Any) -> Any:
    """An answer of the client as JSON: states and codes by name."""
    return _plain(asdict(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value if isinstance(value, Code) else value.name.lower()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def run_show(arguments: argparse.Namespace) -> int:
    """Shows one document, and saves its files where asked."""
    document, names, saved = connect.with_node(arguments, lambda node: _look(node, arguments))
    if arguments.json:
        output.print_json(as_json(document) | {"saved": [str(path) for path in saved]})
        return main.OK
    print("\n".join(lines(document, names)))
    for path in saved:
        output.note(f"wrote {path}")
    return main.OK


async def _look(node: Client, arguments: argparse.Namespace) -> tuple[Document, dict[str, str], list[Path]]:
    document = await node.document(arguments.doc, arguments.recipient)
    if arguments.recipient and not document.transmissions:
        unknown = Refused("document.unknown", f"{arguments.recipient} is no recipient of {document.doc}")
        unknown.remedy = f"See its recipients with `docaxis show {document.doc[: output.ID_DIGITS]}`."
        raise unknown
    saved = [path async for path in _save(node, document, arguments.save_to)] if arguments.save_to else []
    return document, await _names(node, document), saved


async def _names(node: Client, document: Document) -> dict[str, str]:
    """The names of the parties that a person will see; a few, however many recipients there are."""
    parties = dict.fromkeys([document.sender, *(each.recipient for each in document.transmissions[:8])])
    names = {}
    for party in parties:
        try:
            found = await node.party(party)
            names[party] = name_of(found)
        except TheirFault:
            names[party] = ""
    return names


def name_of(party: Party) -> str:
    """Its names, each once; a code that stands in for a missing one is left out, for it stands before them anyway."""
    return " · ".join(each for each in dict.fromkeys((party.name_en, party.name_vi)) if each not in ("", party.id))


async def _save(node: Client, document: Document, folder: Path) -> AsyncIterator[Path]:
    for n, target in enumerate(targets(document, folder)):
        yield await node.save_file(document, n, target)


def targets(document: Document, folder: Path) -> list[Path]:
    """Where the files of a document go, each to a place of its own that is free; raises `DocaxisError`."""
    if not folder.is_dir():
        raise TheirFault("file.unusable", f"--save-to {folder} is no folder")
    found: list[Path] = []
    for file in document.files:
        name = safe_name(file.name, f"file-{file.n}")
        found.append(folder / (f"{file.n}-{name}" if folder / name in found else name))
    if taken := next((target for target in found if target.exists()), None):
        raise OurFault("node.exists", f"{taken} exists; move it away first")
    return found


def safe_name(name: str, otherwise: str) -> str:
    """A stranger's file name as a name in a folder of ours: no path, nothing hidden, no control characters."""
    kept = output.plain(name.replace("/", "_").replace("\\", "_")).strip().lstrip(".")
    return kept.encode("utf-8", "replace")[:200].decode("utf-8", "ignore") or otherwise


def lines(document: Document, names: dict[str, str]) -> Iterator[str]:
    """A document as a clerk reads it: what it is, then for each recipient who said what when, and what may follow."""
    for label, text in _facts(document, names):
        if text:
            yield f"{label}: {output.plain(text)}"
    for transmission in document.transmissions:
        yield ""
        yield from _transmission(document, transmission, names)
    if not document.history_complete:
        yield "\nOlder statements are left out · Các phát biểu cũ hơn không hiển thị: docaxis show … --recipient CODE"


def _facts(document: Document, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield "document · mã văn bản", document.doc
    yield "number · số, ký hiệu", number(document.meta)
    yield "subject · trích yếu", document.meta.get("subject", "")
    yield "type · loại", document.meta.get("kind_name", "")
    yield "from · bên gửi", f"{document.sender} {names.get(document.sender, '')}"
    yield "urgency · độ khẩn", _URGENCY.get(document.priority, "")
    yield "kind · tính chất", "" if document.kind == "new" else f"{document.kind} of {document.ref}"
    yield "due · hạn xử lý", document.meta.get("due", "")
    yield "note · ghi chú", document.meta.get("note", "")
    yield "sent · đã gửi", f"{output.when_exactly(document.created_ms)}  (key {document.signature.key})"
    yield "deliver by · hạn chuyển", output.when_exactly(document.expires_ms)
    for file in document.files:
        yield "file · tệp", f"{file.name} ({output.size(file.size)}, {file.media})"


def _transmission(document: Document, transmission: Transmission, names: dict[str, str]) -> Iterator[str]:
    name = names.get(transmission.recipient, "")
    yield output.plain(f"{transmission.recipient} {name}").strip() + f": {output.state(transmission.state)}"
    if transmission.superseded_by:
        yield f"  replaced by · được thay bằng: {transmission.superseded_by}"
    for said in document.history:
        if said.recipient == transmission.recipient:
            yield from _said(said)
    if transmission.waits:
        yield f"  waits for · đang chờ: {transmission.waits}"
    for command in steps(document.doc[: output.ID_DIGITS], transmission.possible):
        yield f"  possible now · có thể làm: {command}"


def _said(said: Said) -> Iterator[str]:
    actor = f", {said.actor}" if said.actor else ""
    words = f"{said.code.value} {said.code.name.lower()} · {CODE_VIETNAMESE[said.code]}"
    signature = said.signature
    line = f"  {output.when_exactly(said.said_ms)}  {words}  {signature.signed_by}{actor}  (key {signature.key})"
    yield output.plain(line)
    if text := " ".join(part for part in (said.reason, said.text) if part):
        yield f"      “{output.plain(text)}”"


def steps(doc: str, possible: Sequence[Code]) -> Iterator[str]:
    """The commands that take the steps that are possible."""
    advances = "|".join(code.name.lower() for code in possible if code not in _COMMANDS)
    if advances:
        yield f"docaxis advance {doc} --to {advances}"
    for code in possible:
        if code in _COMMANDS:
            yield _COMMANDS[code].format(doc=doc)


def run_evidence(arguments: argparse.Namespace) -> int:
    """Writes the evidence file, whole or not at all."""
    doc, body = connect.with_node(arguments, lambda node: _evidence(node, arguments))
    target = arguments.output or Path(f"{doc[: output.ID_DIGITS]}.evidence")
    if target.exists() and not arguments.force:
        raise OurFault("node.exists", f"{target} exists; choose another name, or overwrite it with --force")
    _write_whole(target, body)
    if arguments.json:
        output.print_json({"doc": doc, "file": str(target), "bytes": len(body)})
    else:
        print(f"{target}: {output.size(len(body))}; `docaxis verify {target} --root root.json` checks it anywhere")
    return main.OK


async def _evidence(node: Client, arguments: argparse.Namespace) -> tuple[str, bytes]:
    # of the document only its whole id is wanted here, so no recipient's part is asked for
    doc = (await node.document(arguments.doc, NOBODY)).doc
    return doc, await node.evidence(doc, arguments.recipient)


def _write_whole(target: Path, body: bytes) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(body)
        os.replace(beside, target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise TheirFault("file.unusable", f"{target} cannot be written: {error.strerror}") from None
