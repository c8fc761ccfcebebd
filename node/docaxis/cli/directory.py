"""`docaxis directory`: the signed directory, made and kept by several officers, each on a machine of their own.

The parsers and what the help teaches; what the commands do is in `docaxis.cli.officers`.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, officers, output

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[Any]

_EXAMPLES: Final = """\
example: the first directory, three officers, two of whom must sign:

  on each officer's machine
    docaxis directory officer-key an.pem --ask-passphrase        makes an.pem (stays) and an.pub (is handed in)
  on the publisher's machine
    docaxis directory init /srv/danh-ba --officer an.pub --officer binh.pub --officer chi.pub --threshold 2
    docaxis directory add /srv/danh-ba h49/entry.json --officer van.pub      an agency, and who signs for it
  on two officers' machines, with the files of /srv/danh-ba/drafts carried there and back
    docaxis directory sign root.json --key an.pem
    docaxis directory sign targets.json --key an.pem
  on the machine of the agency's officer
    docaxis directory sign H49.json --key van.pem                the folder H49/ lies beside it and is shown
  on the publisher's machine
    docaxis directory publish /srv/danh-ba                       all of it, or nothing and what is missing

every day, from a timer: docaxis directory publish /srv/danh-ba
"""
_KEY_EXAMPLES: Final = """\
examples:
  docaxis directory officer-key an.pem --ask-passphrase
  DOCAXIS_PASSPHRASE='…' docaxis directory officer-key an.pem --json
"""
_INIT_EXAMPLES: Final = """\
examples:
  docaxis directory init /srv/danh-ba --officer an.pub --officer binh.pub --officer chi.pub --threshold 2
  docaxis directory init /srv/danh-ba --officer 1.pub --officer 2.pub --officer 3.pub --officer 4.pub --officer 5.pub \\
      --threshold 3 --list-officer an.pub --list-officer binh.pub --list-threshold 2

The folder keeps two keys of its own, for snapshot and timestamp: they say what is newest, never what is true.
Set DOCAXIS_PASSPHRASE, or give --ask-passphrase, to have them encrypted.
"""
_ADD_EXAMPLES: Final = """\
examples:
  docaxis directory add /srv/danh-ba h49/entry.json --officer van.pub                    a new agency
  docaxis directory add /srv/danh-ba h57/entry.json --officer a.pub --officer b.pub --threshold 2
  docaxis directory add /srv/danh-ba h49.16.json h49.17.json                             units of a known agency
  docaxis directory show /srv/danh-ba H49 > h49.json; edit h49.json; docaxis directory add /srv/danh-ba h49.json

`docaxis node init` writes entry.json. Beside what it writes, an entry may have:
  "aliases": ["000.00.00.H49"]   "via": ["H49"]   "not_before_ms", "expires_ms"
  "status": "open" | "suspended" | "closed" with "successors": ["H57"]
Entries are closed, never removed: what they signed must stay verifiable.
"""
_ROTATE_EXAMPLES: Final = """\
examples:
  docaxis directory rotate /srv/danh-ba --entry h49/entry.json --overlap-days 7     a node's new keys beside its old
  docaxis directory rotate /srv/danh-ba --role H49 --officer moi.pub              new officers of an agency
  docaxis directory rotate /srv/danh-ba --role root --officer an.pub --officer dung.pub --officer chi.pub --threshold 2

A new root is signed by enough of its old officers and by enough of its new ones. Roles: root, list, or an agency.
"""
_REVOKE_EXAMPLES: Final = """\
examples:
  docaxis directory revoke /srv/danh-ba H49 --key 4f0c93d1a7e2b865 --reason "máy chủ bị chiếm"
  docaxis directory revoke /srv/danh-ba H49 --certificate h49.crt

Signed by the agency's officers, or by the root's. Published, it counts at every node from its next refresh on.
"""
_SIGN_EXAMPLES: Final = """\
examples:
  docaxis directory sign drafts/root.json --key an.pem                  shows what it says, then adds the signature
  docaxis directory sign H49.json --key van.pem --out H49.van.json      a signed copy, to be merged by publish
  docaxis directory sign H49.json --key van.pem --published /media/stick/public   shows what changes, too

All that is signed is shown first: keys, certificates and addresses of each entry, officers and thresholds. For entries,
the folder with the agency's code must lie beside the draft. Compare what you see with what the parties told you.
"""
_PUBLISH_EXAMPLES: Final = """\
examples:
  docaxis directory publish /srv/danh-ba
  docaxis directory publish /srv/danh-ba --merge root.an.json --merge root.chi.json     copies signed at the same time

Without drafts it renews the timestamp, which nodes want to see new every day: run it from a timer. Nodes that see none
for a day go on and warn; after thirty days they hold documents back.
"""
_SHOW_EXAMPLES: Final = """\
examples:
  docaxis directory show /srv/danh-ba                   agencies, and what waits for signatures
  docaxis directory show /srv/danh-ba 000.00.00.H49     one entry, by code or by any alias
"""
_VERIFY_EXAMPLES: Final = """\
example:
  docaxis directory verify /srv/danh-ba --root root.json       reads it exactly as a node does, as of now
"""


def add_parser(subparsers: "Subparsers") -> None:
    """Adds `docaxis directory` and its commands."""
    text = "Make and keep the signed directory: who is an agency, which keys and addresses it has."
    directory = subparsers.add_parser(
        "directory", help=main.COMMANDS["directory"].help, description=text, epilog=_EXAMPLES
    )
    commands = directory.add_subparsers(metavar="COMMAND", required=True, parser_class=main.Parser)
    key = _add(commands, "officer-key", officers.officer_key, "make an officer's key", _KEY_EXAMPLES)
    key.add_argument("file", type=Path, metavar="FILE.pem", help="a new file; FILE.pub comes beside it")
    _passphrase_option(key)
    _add_init(commands)
    _add_add(commands)
    _add_rotate(commands)
    _add_revoke(commands)
    _add_sign(commands)
    _add_publish_show_verify(commands)


def _add(commands: "Subparsers", name: str, handler: main.Handler, text: str, examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", epilog=examples
    )
    output.json_option(parser)
    parser.set_defaults(handler=handler)
    return parser


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the publisher's folder")


def _passphrase_option(parser: argparse.ArgumentParser) -> None:
    text = f"ask for a passphrase that encrypts the private key (else {officers.PASSPHRASE_VARIABLE}, else none)"
    parser.add_argument("--ask-passphrase", action="store_true", help=text)


def _officer_options(parser: argparse.ArgumentParser, *, threshold: int = 1, required: bool = False) -> None:
    parser.add_argument(
        "--officer", action="append", default=[], type=Path, required=required, metavar="FILE.pub",
        help="an officer's public key (repeatable)",
    )  # fmt: skip
    parser.add_argument(
        "--threshold",
        type=output.positive,
        default=threshold,
        metavar="N",
        help=f"how many of them must sign (default {threshold})",
    )


def _add_init(commands: "Subparsers") -> None:
    init = _add(commands, "init", officers.init, "make a publisher's folder and draft the first root", _INIT_EXAMPLES)
    init.add_argument("folder", type=Path, metavar="DIR", help="a new folder")
    _officer_options(init, threshold=2, required=True)
    init.add_argument(
        "--list-officer", action="append", default=[], type=Path, metavar="FILE.pub",
        help="an officer of the list of agencies (default: those of the root)",
    )  # fmt: skip
    init.add_argument(
        "--list-threshold", type=output.positive, default=2, metavar="N", help="how many of those must sign (default 2)"
    )
    _passphrase_option(init)


def _add_add(commands: "Subparsers") -> None:
    add = _add(commands, "add", officers.add, "draft new or changed entries", _ADD_EXAMPLES)
    _folder(add)
    add.add_argument("entry", nargs="+", type=Path, metavar="ENTRY.json", help="entries, as node init writes them")
    _officer_options(add)


def _add_rotate(commands: "Subparsers") -> None:
    rotate = _add(commands, "rotate", officers.rotate, "draft new keys or new officers", _ROTATE_EXAMPLES)
    _folder(rotate)
    rotate.add_argument("--entry", type=Path, metavar="ENTRY.json", help="a party's entry with its new keys")
    rotate.add_argument(
        "--overlap-days", type=output.positive, default=7, metavar="N", help="how long the old keys still count"
    )
    rotate.add_argument("--role", default="", metavar="ROLE", help="root, list, or the code of an agency")
    _officer_options(rotate)


def _add_revoke(commands: "Subparsers") -> None:
    revoke = _add(commands, "revoke", officers.revoke, "draft a word against a key or certificate", _REVOKE_EXAMPLES)
    _folder(revoke)
    revoke.add_argument("party", metavar="CODE", help="whose key it is")
    what = revoke.add_mutually_exclusive_group(required=True)
    what.add_argument("--key", metavar="ID", help="16 hexadecimal digits")
    what.add_argument("--certificate", type=Path, metavar="FILE", help="a certificate in PEM")
    revoke.add_argument("--reason", default="", metavar="TEXT", help="why, for everybody to read")


def _add_sign(commands: "Subparsers") -> None:
    sign = _add(commands, "sign", officers.sign, "add an officer's signature to a draft", _SIGN_EXAMPLES)
    sign.add_argument("file", type=Path, metavar="FILE", help="a draft: .json or .revocation")
    sign.add_argument("--key", type=Path, required=True, metavar="OFFICER.pem", help="the officer's private key")
    help_published = "the published directory to compare with (default: public/ beside the folder of drafts)"
    sign.add_argument("--published", type=Path, metavar="DIR", help=help_published)
    sign.add_argument("--out", type=Path, metavar="FILE", help="write the signed copy here (default: in place)")


def _add_publish_show_verify(commands: "Subparsers") -> None:
    publish = _add(commands, "publish", officers.publish, "publish every draft, or nothing", _PUBLISH_EXAMPLES)
    _folder(publish)
    publish.add_argument(
        "--merge", action="append", default=[], type=Path, metavar="FILE", help="a signed copy of a draft (repeatable)"
    )
    show = _add(commands, "show", officers.show, "show a directory, an entry, or what waits", _SHOW_EXAMPLES)
    _folder(show)
    show.add_argument("party", nargs="?", default="", metavar="CODE", help="one entry, by code or alias")
    verify = _add(commands, "verify", officers.verify, "check a directory as every node does", _VERIFY_EXAMPLES)
    verify.add_argument("folder", type=Path, metavar="DIR", help="a publisher's folder, or one of static files")
    verify.add_argument("--root", type=Path, required=True, metavar="FILE", help="the root file that is trusted")
