"""`docaxis verify`: an evidence file checked offline, with nothing but the directory's root keys.

Thin: the file is read and judged by `docaxis.core.evidence`, its proofs of keys by `docaxis.directory.proof`. No node,
no network and no clock is needed, so that an auditor can do it years later on any machine.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis.cli.newborn import read_root
from docaxis.core import codec, evidence, limits, timeline
from docaxis.core.addresses import Book, Entry
from docaxis.core.errors import TheirFault
from docaxis.core.evidence import Broken
from docaxis.core.ids import PartyId
from docaxis.core.timeline import Timeline

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]

_EXAMPLES: Final = """\
examples:
  docaxis verify 7816.evidence --root root.json
  docaxis verify 7816.evidence --root root.json --language en

root.json is any root file of the directory, from a source that you trust (`docaxis directory show` prints its keys).
exit code 0: every signature and every link holds; 1: the file is broken, or some recipient's history does not hold: the
broken link is named, and for whom it holds; 2: nothing could be checked.
"""


def add_parser(subparsers: "Subparsers") -> None:
    """Adds the command."""
    text = "Check an evidence file offline."
    parser = subparsers.add_parser("verify", help=text, description=text, epilog=_EXAMPLES)
    parser.add_argument("file", type=Path, metavar="FILE", help="the evidence file")
    parser.add_argument("--root", type=Path, required=True, metavar="ROOT", help="a trusted root file of the directory")
    parser.add_argument("--language", choices=["both", "en", "vi"], default="both", help="of the text (default both)")
    output.json_option(parser)
    parser.set_defaults(handler=run)


def run(arguments: argparse.Namespace) -> int:
    """Shows the timeline, or the exact broken link."""
    raw = _bytes_of(arguments.file, limits.EVIDENCE_BYTES_MAX)
    root = read_root(arguments.root)
    try:
        found = examine(raw, root)
    except TheirFault as error:
        return _broken(error, arguments)
    if arguments.json:
        output.print_json({"holds": found.holds, **as_json(found)})
    else:
        print(timeline.render(found, arguments.language), end="")
    return main.OK if found.holds else main.NEGATIVE


def examine(raw: bytes, root: bytes) -> Timeline:
    """What an evidence file proves to somebody who trusts `root`; raises `TheirFault` (`Broken` with the link)."""
    from docaxis.seal import sign

    file = evidence.read(raw)
    return evidence.check(file, sign, keys_of(file.proofs, root))


def keys_of(proofs: Sequence[bytes], root: bytes) -> Book:
    """What the file's proofs show: for each party the newest entry among them. Raises `TheirFault`."""
    from docaxis.directory.proof import read_proof, verify_proof

    proven = [verify_proof(root, read_proof(codec.decode(raw, limits.EVIDENCE_BYTES_MAX))) for raw in proofs]

    def lookup(party: PartyId) -> Entry | None:
        found = [entry for each in proven if (entry := each.entry(party)) is not None]
        return max(found, key=lambda entry: entry.seq, default=None)

    version = max((each.targets_version for each in proven), default=0)
    return Book(lookup, {}, version, 0, {})


def _broken(error: TheirFault, arguments: argparse.Namespace) -> int:
    link = error.link if isinstance(error, Broken) else ""
    if arguments.json:
        output.print_json({"holds": False, "link": link, "code": error.code, "detail": error.detail})
    else:
        print(timeline.render_broken(link, error, arguments.language), end="")
    return main.NEGATIVE


def as_json(found: Timeline) -> dict[str, Any]:
    """The timeline as JSON, times in ms and as Vietnam's clocks show them."""
    return {
        "doc": found.doc.hex(),
        "sender": found.sender._asdict(),
        "created_ms": found.created_ms,
        "meta": dict(found.meta),
        "files": [{"name": name, "size": size} for name, size in found.files],
        "transmissions": [
            {
                "recipient": each.recipient._asdict(),
                "holds": each.fault is None,
                "fault": each.fault and each.fault._asdict(),
                "state": None if each.state is None else each.state.name.lower(),
                "state_vi": None if each.state is None else timeline.state_words(each.state, "vi"),
                "rows": [_row_json(row) for row in each.rows],
            }
            for each in found.transmissions
        ],
        "others": found.others,
        "exporter": found.exporter._asdict(),
        "exported_ms": found.exported_ms,
    }


def _row_json(row: timeline.Row) -> dict[str, Any]:
    return {
        "code": row.code.value,
        "name": row.code.name.lower(),
        "name_vi": timeline.code_words(row.code, "vi"),
        "by": row.by.id,
        "actor": row.actor,
        "reason": row.reason,
        "text": row.text,
        "said_ms": row.at_ms,
        "said_at": timeline.moment(row.at_ms),
        "key": row.key.hex(),
        "id": row.id.hex(),
        "notes": list(row.notes),
    }


def _bytes_of(path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise TheirFault("file.unusable", f"{path} has {path.stat().st_size} bytes, at most {most}")
        return path.read_bytes()
    except OSError as error:
        raise TheirFault("file.unusable", f"{path}: {error.strerror}") from None
