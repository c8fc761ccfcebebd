"""`docaxis send`: files from the clerk's desk to one, several or all agencies, and a look at where they are.

Reads the command line and speaks to the node; recipients, files and dates are judged by the node, with its reasons.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import connect, main, output
from docaxis.client import Client, Refused, Sent
from docaxis.core.envelope import Priority
from docaxis.core.errors import TheirFault
from docaxis.core.lifecycle import State
from docaxis.core.limits import DAY_MS

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]

ALL: Final = "all"
STATES_TOLD_MAX: Final = 8
"""Up to so many recipients, each is told; of more, those where it has not arrived."""
_UNKNOWN: Final = frozenset({"party.unknown", "id.malformed"})
PROGRESS_AFTER_S: Final = 2.0
_META: Final = {
    "subject": "what it is about (trích yếu)",
    "number": "its number, such as 7816",
    "notation": "its notation, such as VPCP-TTĐT",
    "place": "place of issue",
    "date": "date of issue, 2026-11-22",
    "kind_name": "kind of document, such as 'công văn'",
    "signer_name": "who signed it",
    "signer_position": "the signer's position",
    "due": "when an answer is due, 2026-11-30",
    "note": "a note to the recipients",
}
_OPTIONS: Final = {name: f"--{name.replace('_', '-')}" for name in _META} | {"kind_name": "--type"}

EPILOG: Final = """\
examples:
  docaxis send decision.pdf annex.xlsx --to H49,H54 --subject "Về việc nghỉ Tết" --number 7816 --notation VPCP-TTĐT
  docaxis send telegram.pdf --to all --priority express --wait
  docaxis send corrected.pdf --to H49 --kind replace --ref 3fa9c1d2 --subject "Thay văn bản 7816"

Codes may be old ones (000.00.00.H49); mail to a closed code goes to its successor, and the answer says so.
Sending the same command twice sends two documents; --key makes the second one the first.
"""


def add_parser(subparsers: "Subparsers") -> None:
    """Adds the command."""
    parser = subparsers.add_parser("send", help="send documents", description="Send documents.", epilog=EPILOG)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="files to send, 16 MiB together at most")
    help_to = "codes of the recipients, with commas between them, or 'all': every agency with a node but this one"
    parser.add_argument("--to", required=True, action="append", metavar="CODES", help=help_to)
    for name, help_text in _META.items():
        parser.add_argument(_OPTIONS[name], dest=name, default="", metavar="TEXT", help=help_text)
    priorities = [priority.name.lower() for priority in Priority]
    parser.add_argument("--priority", choices=priorities, default="normal", help="how urgent it is")
    parser.add_argument("--kind", choices=["new", "update", "replace"], default="new", help="what it does to --ref")
    parser.add_argument("--ref", metavar="DOC", help="the earlier document that it updates or replaces")
    help_days = "deadline for delivery, in days from now (else the node's setting)"
    parser.add_argument("--days", type=output.positive, metavar="N", help=help_days)
    parser.add_argument("--key", default="", help="idempotency key: sending again under it sends nothing twice")
    parser.add_argument("--wait", action="store_true", help="wait until it has arrived everywhere, or been refused")
    help_timeout = "with --wait: give up waiting (not sending) after so long; exit code 1"
    parser.add_argument("--timeout", type=float, default=3600, metavar="SECONDS", help=help_timeout)
    connect.node_option(parser)
    output.json_option(parser)
    parser.set_defaults(handler=run)


def run(arguments: argparse.Namespace) -> int:
    """Sends, and waits where asked."""
    return connect.with_node(arguments, lambda node: _send(node, arguments))


async def _send(node: Client, arguments: argparse.Namespace) -> int:
    if not (arguments.files or arguments.subject):
        raise TheirFault("content.missing", "name at least one file, or a --subject")
    _check_files(arguments.files)
    cursor = await node.last_change() if arguments.wait else 0
    ref = (await node.document(arguments.ref)).doc if arguments.ref else None
    to = await recipients(node, arguments.to)
    try:
        sent = await node.send(
            to,
            files=arguments.files,
            meta={name: value for name in _META if (value := getattr(arguments, name))},
            kind=arguments.kind,
            ref=ref,
            priority=Priority[arguments.priority.upper()],
            expires_ms=await _deadline(node, arguments.days),
            key=arguments.key,
            progress=upload_progress(),
        )
    except Refused as refused:
        raise await _all_unknown(node, to, refused) from None
    states = await _wait(node, sent, cursor, arguments) if arguments.wait else {}
    _report(sent, states, arguments)
    return main.OK if all(map(_there, states.values())) else main.NEGATIVE


async def recipients(node: Client, given: Sequence[str]) -> list[str]:
    """The codes that `--to` names, each once; `all` is every party of the directory with a node but this one."""
    written = [code.strip() for part in given for code in part.split(",") if code.strip()]
    if not written:
        raise TheirFault("id.malformed", "--to names nobody; give codes such as H49,H54")
    if ALL in written:
        me = (await node.status())["id"]
        written = [party.id async for party in node.parties() if party.status == "open" and party.id != me]
    once = list(dict.fromkeys(written))
    if len(once) < len(written):
        twice = output.counted(len(written) - len(once), "recipient")
        output.note(f"{twice} named twice; each gets one copy")
    return once


async def _all_unknown(node: Client, to: Sequence[str], refused: Refused) -> Refused:
    """The node names the first code that it does not know; a clerk wants to correct all of them at once."""
    if refused.code not in _UNKNOWN:
        return refused
    wrong = []
    for code in to:
        try:
            await node.party(code)
        except TheirFault as fault:
            if fault.code in _UNKNOWN:
                wrong.append(code)
    if not wrong:
        return refused
    known = [party.id async for party in node.parties()]
    hints = (f"{code} is not in the directory{output.nearest(code.upper(), known)}" for code in wrong)
    found = Refused("party.unknown", " · ".join(hints))
    found.remedy = "Correct these codes; nothing was sent."
    return found


def _check_files(files: Sequence[Path]) -> None:
    for file in files:
        if file.is_file() and file.stat().st_size == 0:
            output.note(f"{output.plain(str(file))} is empty; it is sent as it is")
    names = [file.name for file in files]
    for name in sorted({name for name in names if names.count(name) > 1}):
        output.note(
            f"{names.count(name)} of the files are called {output.plain(name)}; the recipients see them under one name"
        )


async def _deadline(node: Client, days: int | None) -> int:
    if days is None:
        return 0
    return int((await node.status())["now_ms"]) + days * DAY_MS


def upload_progress() -> Callable[[int, int], None]:
    """Says how far an upload is, once it has taken longer than people wait without a word."""
    begun = monotonic()

    def show(done: int, total: int) -> None:
        if monotonic() - begun > PROGRESS_AFTER_S and sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{done * 100 // total:3} % of {total / 2**20:.1f} MiB", end=end, file=sys.stderr, flush=True)

    return show


def _there(state: State) -> bool:
    return state >= State.ARRIVED and state is not State.REFUSED


def _under_way(states: dict[str, State]) -> bool:
    return any(state in (State.SENT, State.HELD) for state in states.values())


async def _wait(node: Client, sent: Sent, cursor: int, arguments: argparse.Namespace) -> dict[str, State]:
    """The state at each recipient once none is under way any more, or the time is over."""
    # what a repeated request sent the first time may have arrived long before the cursor
    document = await node.document(sent.doc)
    states = {each.recipient: each.state for each in document.transmissions}
    if not _under_way(states):
        return states
    try:
        async with asyncio.timeout(arguments.timeout):
            async for change in node.changes(cursor):
                if change.doc == sent.doc and change.recipient in states:
                    states[change.recipient] = change.state
                    _show_waiting(states)
                if not _under_way(states):
                    return states
    except TimeoutError:
        output.note("the time to wait is over; the node goes on delivering")
    return states


def _show_waiting(states: dict[str, State]) -> None:
    if sys.stderr.isatty():
        there = sum(map(_there, states.values()))
        end = "\n" if there == len(states) else ""
        print(f"\r{there} of {len(states)} arrived", end=end, file=sys.stderr, flush=True)


def _report(sent: Sent, states: dict[str, State], arguments: argparse.Namespace) -> None:
    if arguments.json:
        named = {recipient: state.name.lower() for recipient, state in states.items()}
        output.print_json({**asdict(sent), **({"states": named} if arguments.wait else {})})
        return
    print(f"{sent.doc}")
    many = len(sent.to)
    output.note(f"signed and durable for {output.counted(many, 'recipient')} · đã ký và lưu cho {many} nơi nhận")
    output.note(f"where it is · xem trạng thái: docaxis show {sent.doc[:12]}")
    for warning in sent.warnings:
        output.note(f"  warning: {warning}")
    for recipient, written in sent.written_as.items():
        output.note(f"  {written} is now {recipient}")
    if len(states) > STATES_TOLD_MAX:
        output.note(f"  {sum(map(_there, states.values()))} of {len(states)} arrived")
    for recipient, state in states.items():
        if len(states) <= STATES_TOLD_MAX or not _there(state):
            output.note(f"  {recipient}: {output.state(state)}")
