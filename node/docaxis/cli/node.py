"""`docaxis node`: make a node, run it, ask how it is, find out what ails it, revoke a key, back it up, restore it.

Folders and words. How a node is put together is in `serve`, what the doctor looks at in `doctor`; a running node is
spoken to through its local API like any other.
"""

import argparse
import base64
import getpass
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docaxis.cli import main, output
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.ids import PartyId, party_id

if TYPE_CHECKING:
    from docaxis.runtime.config import Settings

    Subparsers = argparse._SubParsersAction[Any]

NODE_VARIABLE: Final = "DOCAXIS_NODE"
TOKEN_BYTES: Final = 32

_EXAMPLES: Final = """\
examples, a node's life:
  docaxis node init ~/h49 --id H49 --endpoint https://trao-doi.h49.example.vn:8443 --root root.json
  docaxis node run ~/h49                                         until Ctrl-C or SIGTERM
  docaxis node status ~/h49                                      how it is, what waits for whom
  docaxis node doctor ~/h49                                      what is wrong, and what to do
  docaxis node backup /backup/h49-2026-11-22 --node ~/h49        while it runs

`docaxis node COMMAND --help` teaches each by example.
"""
_INIT_EXAMPLES: Final = """\
examples:
  docaxis node init ~/h49 --id H49 --endpoint https://trao-doi.h49.example.vn:8443 \\
      --root root.json --source https://danh-ba.example.vn
  DOCAXIS_PASSPHRASE='…' docaxis node init /srv/h49 --id H49      keys encrypted at rest
  docaxis node init ~/h49 --id H49 --ask-passphrase               the same, asked for at the terminal

then:
  1. hand DIR/entry.json to the officers of the directory; it is public, and they add it with `docaxis directory add`
  2. look through DIR/docaxis.toml, which explains every setting
  3. docaxis node run DIR
"""
_RUN_EXAMPLES: Final = """\
examples:
  docaxis node run ~/h49                     until Ctrl-C or SIGTERM; one log line per event on standard error
  DOCAXIS_LOG_LEVEL=debug docaxis node run ~/h49
  DOCAXIS_PASSPHRASE="$(cat /run/secrets/h49)" docaxis node run /srv/h49
"""
_STATUS_EXAMPLES: Final = """\
examples:
  docaxis node status ~/h49
  docaxis node status ~/h49 --json | jq '.totals.queued'
"""
_DOCTOR_EXAMPLES: Final = """\
examples:
  docaxis node doctor ~/h49                  whether the node runs or not
  docaxis node doctor ~/h49 --peer G22 --peer H54
  docaxis node doctor ~/h49 --json | jq '.findings[] | select(.level != "ok")'

exit code: 0 all is well · 1 something should be looked at · 2 the node cannot work like this
"""
_REVOKE_EXAMPLES: Final = """\
examples:
  docaxis node revoke H49-3fa9c1d2a0b1c2d3.revocation --node ~/g22
  docaxis node revoke /media/stick/revocations            the directory's whole file will do, too

FILE is what `docaxis directory revoke` drafted and enough officers signed with `docaxis directory sign`. No publisher
is needed: the running node refuses the key at once, keeps the word for ever, and serves it on to every node that asks.
"""
_BACKUP_EXAMPLES: Final = """\
examples:
  docaxis node backup /backup/h49-2026-11-22 --node ~/h49       while the node runs, or while it does not

Private keys are not in a backup: keep a copy of DIR/keys apart, once; it never changes.
"""
_RESTORE_EXAMPLES: Final = """\
examples:
  docaxis node restore ~/h49 --from /backup/h49-2026-11-22

Put the folder keys/ back, too, then start the node: peers send again what they hold since the backup.
"""


def add_parser(subparsers: "Subparsers") -> None:
    """Adds `docaxis node` and its commands."""
    text = "Make, run, examine, back up and restore the node of an agency."
    node = subparsers.add_parser("node", help=main.COMMANDS["node"].help, description=text, epilog=_EXAMPLES)
    commands = node.add_subparsers(metavar="COMMAND", required=True, parser_class=main.Parser)
    _add_init(commands)
    _add(commands, "run", run_run, "run a node until it is told to stop", _RUN_EXAMPLES)
    status = _add(commands, "status", run_status, "ask a running node how it is", _STATUS_EXAMPLES)
    output.json_option(status)
    doctor = _add(
        commands, "doctor", run_doctor, "look for what is or will be wrong, and say what to do", _DOCTOR_EXAMPLES
    )
    doctor.add_argument("--peer", action="append", default=[], metavar="CODE", help="call this peer, too (repeatable)")
    output.json_option(doctor)
    _add_revoke(commands)
    backup = commands.add_parser(
        "backup",
        help="make a consistent copy",
        description="Copy a node while it runs, or while it does not.",
        epilog=_BACKUP_EXAMPLES,
    )
    backup.add_argument("target", type=Path, metavar="TARGET", help="a new folder")
    backup.add_argument(
        "--node", metavar="DIR", type=Path, help=f"the node's folder (else {NODE_VARIABLE}, else this one)"
    )
    output.json_option(backup)
    backup.set_defaults(handler=run_backup)
    restore = commands.add_parser(
        "restore",
        help="make a node of a backup again",
        description="Make a node of a backup again.",
        epilog=_RESTORE_EXAMPLES,
    )
    restore.add_argument("node", type=Path, metavar="DIR", help="the node's folder; it must hold no documents yet")
    restore.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="BACKUP", help="a folder made by backup"
    )
    output.json_option(restore)
    restore.set_defaults(handler=run_restore)


def _add(commands: "Subparsers", name: str, handler: main.Handler, text: str, examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", epilog=examples
    )
    parser.add_argument(
        "node", nargs="?", type=Path, metavar="DIR", help=f"the node's folder (else {NODE_VARIABLE}, else this one)"
    )
    parser.set_defaults(handler=handler)
    return parser


def _add_revoke(commands: "Subparsers") -> None:
    text = "Have a running node honour signed revocations at once, wherever they come from."
    revoke = commands.add_parser(
        "revoke", help="honour a signed revocation at once", description=text, epilog=_REVOKE_EXAMPLES
    )
    revoke.add_argument("file", type=Path, metavar="FILE", help="a file of revocations, signed by the officers")
    revoke.add_argument(
        "--node", metavar="DIR", type=Path, help=f"the node's folder (else {NODE_VARIABLE}, else this one)"
    )
    output.json_option(revoke)
    revoke.set_defaults(handler=run_revoke)


def _add_init(commands: "Subparsers") -> None:
    text = "Make a node's folder: keys, certificate, settings, API token, and the entry for the directory."
    init = commands.add_parser("init", help="make a node", description=text, epilog=_INIT_EXAMPLES)
    init.add_argument("node", type=Path, metavar="DIR", help="a new folder")
    init.add_argument(
        "--id", required=True, metavar="CODE", help="the code of the agency or unit, such as H49 or H49.16"
    )
    init.add_argument("--name", default="", metavar="TEXT", help="its name in Vietnamese, for the directory")
    init.add_argument("--name-en", default="", metavar="TEXT", help="its name in English")
    init.add_argument("--kind", default="agency", metavar="WORD", help="what it is (default: agency)")
    init.add_argument("--endpoint", default="", metavar="URL", help="https address under which peers reach this node")
    init.add_argument("--root", type=Path, metavar="FILE", help="the directory's root file, received from its officers")
    init.add_argument(
        "--source", action="append", default=[], metavar="URL", help="where the directory is (repeatable)"
    )
    init.add_argument("--peers-port", type=int, metavar="PORT", help="port of the peers' listener")
    init.add_argument("--api-port", type=int, metavar="PORT", help="port of the local API")
    init.add_argument("--ask-passphrase", action="store_true", help="ask for a passphrase that encrypts the keys")
    output.json_option(init)
    init.set_defaults(handler=run_init)


# --- init ---------------------------------------------------------------------------------------------------------


def run_init(arguments: argparse.Namespace) -> int:
    """Makes a node's folder."""
    from docaxis.cli import newborn
    from docaxis.runtime import folder as places
    from docaxis.runtime.clock import SystemClock
    from docaxis.runtime.entropy import SystemEntropy

    me = party_id(arguments.id)
    folder: Path = arguments.node.expanduser()
    settings = _settings_for(me, arguments)
    root = None if arguments.root is None else newborn.read_root(arguments.root)
    passphrase = _new_passphrase(arguments.ask_passphrase)
    with newborn.whole_or_nothing(folder):
        entry = make_folder(folder, settings, passphrase, SystemClock().now_ms(), SystemEntropy().take(TOKEN_BYTES))
        entry |= {"name_vi": arguments.name or me, "name_en": arguments.name_en or me, "kind": arguments.kind}
        (folder / places.ENTRY).write_text(json.dumps(entry, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        if root is not None:
            (folder / places.ROOT).write_bytes(root)
    _say_next(folder, settings, encrypted=passphrase is not None, arguments=arguments)
    return main.OK


def make_folder(
    folder: Path, settings: "Settings", passphrase: str | None, now_ms: int, secret: bytes
) -> dict[str, Any]:
    """Makes folder, keys, certificate, token and settings; the fields of the entry that follow from them.

    Raises `OurFault` ``node.exists`` where a node is there already.
    """
    from docaxis.runtime import config
    from docaxis.runtime import folder as places
    from docaxis.seal import certificates, keys

    if (folder / config.FILE_NAME).exists() or (folder / "keys").exists():
        raise OurFault("node.exists", f"{folder} holds a node already")
    me = PartyId(settings.node.id)
    for each in (folder, folder / "keys", folder / places.DIRECTORY):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = keys.new_ed25519()
    keys.save_ed25519(folder / places.SIGNING_KEY, private, passphrase)
    tls_key = keys.new_tls_key(passphrase)
    keys.write_private(folder / places.TLS_KEY, tls_key)
    certificate = certificates.make_certificate(me, tls_key, now_ms, passphrase)
    (folder / places.TLS_CERTIFICATE).write_bytes(certificates.certificate_pem(certificate))
    keys.write_private(folder / places.API_TOKEN, base64.urlsafe_b64encode(secret).rstrip(b"=") + b"\n")
    (folder / config.FILE_NAME).write_text(config.render(settings), encoding="utf-8")
    public = base64.b64encode(keys.public_ed25519(private)).decode()
    since_ms = now_ms - certificates.BACKDATED_MS  # a clock that is set back a little must not disown the key
    return {
        "id": me,
        "parent": me.rpartition(".")[0] or None,
        "endpoints": [settings.peers.endpoint] if settings.peers.endpoint else [],
        "keys": [{"alg": "ed25519", "public": public, "not_before_ms": since_ms, "expires_ms": 0}],
        "certificates": [base64.b64encode(certificate).decode()],
    }


def _settings_for(me: PartyId, arguments: argparse.Namespace) -> "Settings":
    """The settings that the options ask for, checked as if they had been read from a file."""
    from docaxis.runtime import config

    settings = config.Settings(node=config.NodeSettings(me))
    peers = {"endpoint": arguments.endpoint, "port": arguments.peers_port}
    settings = replace(
        settings,
        peers=replace(settings.peers, **{name: value for name, value in peers.items() if value is not None}),
        api=replace(settings.api, **({} if arguments.api_port is None else {"port": arguments.api_port})),
        directory=replace(settings.directory, sources=tuple(arguments.source)),
    )
    return config.read(config.render(settings), {}, "the options").settings


def _new_passphrase(ask: bool) -> str | None:
    from docaxis.cli.serve import PASSPHRASE_VARIABLE

    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given or not ask:
        return given or None
    first = getpass.getpass("Passphrase for the new keys: ")
    if not first or first != getpass.getpass("Once more: "):
        raise OurFault("node.passphrase", "the passphrase is empty, or was not the same twice")
    return first


def _say_next(folder: Path, settings: "Settings", *, encrypted: bool, arguments: argparse.Namespace) -> None:
    from docaxis.runtime import folder as places

    steps = [f"Hand {folder / places.ENTRY} to the officers of the directory; it is public."]
    if arguments.root is None:
        steps.append(f"Put the directory's root file, which they give you, at {folder / places.ROOT}.")
    if not settings.directory.sources:
        steps.append("Name where the directory is as directory.sources, or this node never gets one.")
    if not settings.peers.endpoint:
        steps.append("Name the public address of this node as peers.endpoint, or peers cannot call it.")
    steps += [f"Look through {folder / 'docaxis.toml'}, which explains every setting.", f"docaxis node run {folder}"]
    if arguments.json:
        made = {"folder": str(folder), "id": settings.node.id, "entry": str(folder / places.ENTRY)}
        output.print_json({**made, "next": steps})
        return
    print(f"The node of {settings.node.id} is in {folder}; its keys are {'' if encrypted else 'not '}encrypted.")
    print("\n".join(["Next:", *(f"  {number}. {step}" for number, step in enumerate(steps, 1))]))


# --- run, status --------------------------------------------------------------------------------------------------


def run_run(arguments: argparse.Namespace) -> int:
    """Runs a node."""
    # A node trusts the certificates that its directory lists and no public authority. OpenSSL reads these two when
    # aiohttp is imported, and would load all authorities of the system for nothing: some two megabytes.
    os.environ |= {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}
    from docaxis.cli import serve
    from docaxis.runtime import config

    folder = folder_of(arguments.node)
    settings = config.load(folder, os.environ).settings
    serve.run(folder, settings, serve.passphrase_of(folder, os.environ))
    return main.OK


def folder_of(given: Path | None) -> Path:
    """The node's folder, from the command line, the environment or here."""
    from docaxis.cli import connect

    return connect.folder_of(argparse.Namespace(node=given))


def run_status(arguments: argparse.Namespace) -> int:
    """Asks a running node how it is."""
    from docaxis.cli import connect

    status = connect.with_node(argparse.Namespace(node=arguments.node), lambda client: client.status())
    if arguments.json:
        output.print_json(status)
    else:
        _print_status(status)
    return main.OK if status["state"] == "serving" else main.NEGATIVE


def _print_status(status: dict[str, Any]) -> None:
    directory, totals, disk = status["directory"], status["totals"], status["disk"]
    rows = [
        ("state", status["state"]),
        ("up", f"{status['uptime_ms'] // 1000} s, docaxis {status['version']}"),
        ("identity", _identity(status["identity"])),
        ("directory", f"version {directory['version']}, {directory['freshness']}{_failure(directory['failure'])}"),
        ("queued", str(totals["queued"])),
        ("sent", _counts(totals["outgoing"])),
        ("came in", _counts(totals["incoming"])),
        ("refused from outside", str(totals["refusals"])),
        ("disk free", f"{disk['free_bytes'] // 2**20} MiB (reserve {disk['reserve_bytes'] // 2**20} MiB)"),
        ("memory", f"{status['rss_bytes'] // 2**20} MiB"),
    ]
    output.print_table(f"Node {status['id']}", ("", ""), rows)
    busy = [peer for peer in status["peers"] if peer.get("fails") or peer["queued"]]
    if busy:
        columns = ("peer", "waiting", "oldest", "failed", "why", "since", "next try")
        output.print_table("Peers that do not answer, or for whom something waits", columns, list(map(_peer_row, busy)))


def _peer_row(peer: dict[str, Any]) -> tuple[str, ...]:
    oldest = _age(peer["oldest_age_ms"]) if peer["queued"] else "-"
    fails, since, next_try = (peer.get(name, 0) for name in ("fails", "down_since_ms", "next_try_ms"))
    why = peer.get("why") or "-"
    return (peer["peer"], _counts(peer["lanes"]), oldest, str(fails), why, _since(since), _since(next_try))


def _age(age_ms: int) -> str:
    """A duration in its largest unit, as people say it."""
    seconds = age_ms // 1000
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def _identity(identity: dict[str, Any]) -> str:
    if identity["listed"]:
        return f"key {identity['key']} is listed"
    return f"NOT LISTED, peers refuse it: {identity['detail']} ({identity['code']})"


def _failure(text: str) -> str:
    return f"; last refresh failed: {text}" if text else ""


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items()) or "nothing"


def _since(at_ms: int) -> str:
    return output.when(at_ms) if at_ms else "-"


# --- revoke, doctor, backup, restore ------------------------------------------------------------------------------


def run_revoke(arguments: argparse.Namespace) -> int:
    """Hands a file of revocations to a running node."""
    from docaxis.cli import connect

    try:
        raw = arguments.file.expanduser().read_bytes()
    except OSError as error:
        raise TheirFault("file.unusable", f"{arguments.file} cannot be read: {error.strerror}") from None
    found = connect.with_node(argparse.Namespace(node=arguments.node), lambda client: client.revoke(raw))
    if arguments.json:
        output.print_json(found)
        return main.OK
    for each in found["honoured"]:
        print(f"{each['party']}  {each['key']}  is refused from now on, and the word is served on to others")
    if found["known"]:
        print(f"{found['known']} known already")
    for each in found["passed_over"]:
        output.note(f"passed over: {each['detail']} ({each['code']})")
    return main.OK


def run_doctor(arguments: argparse.Namespace) -> int:
    """Examines a node."""
    from docaxis.cli import doctor

    findings = doctor.examine(folder_of(arguments.node), os.environ, arguments.peer)
    if arguments.json:
        output.print_json({"findings": [finding._asdict() for finding in findings]})
    else:
        doctor.show(findings)
    return max(doctor.LEVELS[finding.level] for finding in findings)


def run_backup(arguments: argparse.Namespace) -> int:
    """Copies a node: through its API where it runs, else from its files."""
    from docaxis.cli import connect
    from docaxis.runtime import folder as places
    from docaxis.runtime.clock import SystemClock

    folder, target = folder_of(arguments.node), arguments.target.expanduser().absolute()
    try:
        copied = connect.with_node(argparse.Namespace(node=folder), lambda client: client.backup(str(target)))
    except OurFault as error:
        if error.code != "node.unreachable":
            raise
        copied = places.take_backup(folder, target, SystemClock().now_ms())._asdict()
    _print_copied(copied, as_json=arguments.json)
    return main.OK


def run_restore(arguments: argparse.Namespace) -> int:
    """Makes a node of a backup."""
    from docaxis.runtime import folder as places

    folder: Path = arguments.node.expanduser()
    copied = places.restore_backup(arguments.source.expanduser(), folder)
    _print_copied(copied._asdict(), as_json=arguments.json)
    missing = [name for name in places.PRIVATE if not (folder / name).exists()]
    if missing and not arguments.json:
        print(f"Put back what no backup holds: {', '.join(missing)}. Then: docaxis node run {folder}", file=sys.stderr)
    return main.OK


def _print_copied(copied: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(copied)
        return
    megabytes = (copied["database_bytes"] + copied["chunks_bytes"]) / 2**20
    print(f"{copied['folder']}: {megabytes:.1f} MiB, {copied['chunks']} chunks of content")
