"""What `docaxis directory` does: one function per command, each a thin step around `docaxis.directory`.

Files are read and written here, passphrases asked for, results printed. What may be published, and whether it was
signed by enough officers, is decided in `docaxis.directory`.
"""

import argparse
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from docaxis.cli import main, output
from docaxis.core.addresses import Entry
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.ids import KeyId, PartyId, party_id
from docaxis.core.limits import DAY_MS
from docaxis.core.trust import Revocation, SignedRevocation, decode_revocation
from docaxis.directory import layout
from docaxis.directory.drafts import PERIODS
from docaxis.directory.entries import certificate_key_id
from docaxis.directory.files import read_if_there, write_durably
from docaxis.directory.publish import NOTHING, Bench, Online
from docaxis.directory.readable import entry_of_json, json_of_entry
from docaxis.directory.renewal import Accepted, drive, renewal
from docaxis.directory.review import AtHand, lines, review, shards_of
from docaxis.directory.signing import Officers, count_signatures, read_metadata, sign_file
from docaxis.runtime.clock import SystemClock
from docaxis.seal import keys
from docaxis.seal.certificates import certificate_der
from docaxis.seal.sign import NodeSeal

PASSPHRASE_VARIABLE: Final = "DOCAXIS_PASSPHRASE"
PUBLIC_SUFFIX: Final = ".pub"
ONLINE_FILES: Final = ("keys/snapshot.pem", "keys/timestamp.pem")


def officer_key(arguments: argparse.Namespace) -> int:
    """Makes an officer's key pair."""
    private = keys.new_ed25519()
    keys.save_ed25519(arguments.file, private, _new_passphrase(arguments.ask_passphrase))
    public = keys.public_ed25519(private)
    target = arguments.file.with_suffix(PUBLIC_SUFFIX)
    result = {"key": keys.key_id(public).hex(), "alg": "ed25519", "public": public.hex()}
    target.write_text(json.dumps(result) + "\n", encoding="utf-8")
    _say(
        arguments,
        {**result, "private_file": str(arguments.file), "public_file": str(target)},
        f"Officer's key {result['key']}.\n"
        f"  {arguments.file}  stays with the officer, who alone may read it\n"
        f"  {target}  goes to the publisher; it is public",
    )
    return main.OK


def init(arguments: argparse.Namespace) -> int:
    """Makes a publisher's folder and drafts the first root and list of agencies."""
    if (arguments.folder / "keys").exists():
        raise OurFault("node.exists", f"{arguments.folder} holds a publisher's keys already")
    root = Officers(arguments.threshold, tuple(read_public(each) for each in arguments.officer)).check("root")
    targets = root
    if arguments.list_officer:
        publics = tuple(read_public(each) for each in arguments.list_officer)
        targets = Officers(arguments.list_threshold, publics).check("targets")
    passphrase = _new_passphrase(arguments.ask_passphrase)
    (arguments.folder / "keys").mkdir(mode=0o700, parents=True)
    for name in ONLINE_FILES:
        keys.save_ed25519(arguments.folder / name, keys.new_ed25519(), passphrase)
    bench = Bench(arguments.folder)
    bench.draft_root(root, targets, _online(arguments.folder, passphrase), _until(PERIODS.root_ms))
    bench.draft_list(_until(PERIODS.targets_ms))
    return _drafted(arguments, bench, "The first root and the empty list of agencies are drafted.")


def add(arguments: argparse.Namespace) -> int:
    """Drafts entries, and the officers of an agency that is new."""
    bench = Bench(arguments.folder)
    entries = [entry_of_json(_read(path)) for path in arguments.entry]
    agencies = {layout.agency_of(entry.id) for entry in entries}
    if arguments.officer:
        if len(agencies) != 1:
            raise TheirFault("directory.invalid", "name officers for one agency at a time")
        officers = Officers(arguments.threshold, tuple(read_public(each) for each in arguments.officer))
        bench.draft_agency(next(iter(agencies)), officers, _until(PERIODS.targets_ms))
    for agency in sorted(agencies):
        if not bench.is_delegated(agency):
            raise TheirFault("directory.invalid", f"{agency} is new: name its officers with --officer")
        bench.put_entries([each for each in entries if layout.agency_of(each.id) == agency], _until(PERIODS.role_ms))
    return _drafted(arguments, bench, f"Drafted: {', '.join(entry.id for entry in entries)}.")


def rotate(arguments: argparse.Namespace) -> int:
    """Drafts new officers of a role, or new keys of a party beside its old ones."""
    bench = Bench(arguments.folder)
    if arguments.entry is not None:
        entry = _rotated(bench, entry_of_json(_read(arguments.entry)), arguments.overlap_days * DAY_MS)
        bench.put_entries([entry], _until(PERIODS.role_ms))
        return _drafted(arguments, bench, f"New keys of {entry.id} are drafted; the old ones end.")
    if not arguments.officer or not arguments.role:
        raise TheirFault("directory.invalid", "give --entry, or --role with its new --officer files")
    officers = Officers(arguments.threshold, tuple(read_public(each) for each in arguments.officer))
    if arguments.role in ("root", "list"):
        root, targets = bench.top_officers()
        root, targets = (officers, targets) if arguments.role == "root" else (root, officers)
        online = _online(arguments.folder, _passphrase([arguments.folder / name for name in ONLINE_FILES]))
        bench.draft_root(root, targets, online, _until(PERIODS.root_ms))
        if arguments.role == "list":
            bench.draft_list(_until(PERIODS.targets_ms))
    else:
        agency = layout.agency_code(arguments.role)
        bench.draft_agency(agency, officers, _until(PERIODS.targets_ms))
        bench.redraft_role(agency, _until(PERIODS.role_ms))
    return _drafted(arguments, bench, f"New officers of {arguments.role} are drafted.")


def _rotated(bench: Bench, new: Entry, overlap_ms: int) -> Entry:
    """The entry with its new keys beside the old ones, which end after the overlap; both certificates stay."""
    old = bench.entries_of(layout.agency_of(new.id)).get(new.id)
    if old is None:
        raise TheirFault("party.unknown", f"{new.id} has no entry yet; use `docaxis directory add`")
    end_ms = SystemClock().now_ms() + overlap_ms
    fresh = {key.id for key in new.keys}
    kept = [
        key._replace(expires_ms=min(key.expires_ms or end_ms, end_ms) if key.not_before_ms < end_ms else key.expires_ms)
        for key in old.keys
        if key.id not in fresh
    ]
    certificates = tuple(dict.fromkeys((*new.certificates, *old.certificates)))
    return old._replace(keys=(*new.keys, *kept), certificates=certificates, endpoints=new.endpoints or old.endpoints)


def revoke(arguments: argparse.Namespace) -> int:
    """Drafts a word against a key."""
    bench = Bench(arguments.folder)
    if arguments.certificate is not None:
        key = certificate_key_id(certificate_der(_read(arguments.certificate)))
    else:
        key = _key_id(arguments.key)
    now_ms = SystemClock().now_ms()
    bench.draft_revocation(Revocation(party_id(arguments.party), key, now_ms, arguments.reason))
    return _drafted(arguments, bench, f"The revocation of {key.hex()} of {arguments.party} is drafted.")


def sign(arguments: argparse.Namespace) -> int:
    """Shows all that a file says, then adds an officer's signature to it."""
    raw = _read(arguments.file)
    found = review(raw, _at_hand(arguments.file, raw, arguments.published))
    if not arguments.json:
        # before anybody is asked for a passphrase: giving it is the officer's yes
        print("\n".join(map(output.plain, lines(found))), flush=True)
    officer = _officer(arguments.key)
    found.check_signer(officer.key_id)
    target = arguments.out or arguments.file
    write_durably(target, sign_file(raw, officer))
    says = {**found.says, "changes": found.changes}
    _say(
        arguments,
        {"file": str(target), "signed_by": officer.key_id.hex(), "says": says},
        f"Signed by {officer.key_id.hex()}: {target}",
    )
    return main.OK


def _officer(path: Path) -> NodeSeal:
    """The officer's key; raises `TheirFault` ``file.*`` for another file, `OurFault` where it cannot be opened."""
    if b"PRIVATE KEY" not in _read(path):
        raise TheirFault("file.wrong", f"{path} is no private key; give the officer's .pem, not the .pub")
    return NodeSeal.load(path, _passphrase([path]))


def _at_hand(path: Path, raw: bytes, published: Path | None) -> AtHand:
    """The drafts and shards that lie beside a file, and the published directory where there is one."""
    folder = published or path.absolute().parent.parent / "public"
    folder = folder / "public" if (folder / "public").is_dir() else folder
    root = read_if_there(folder, layout.metadata_name("root", 1))
    if published is not None and root is None:
        raise TheirFault("file.wrong", f"{published} holds no published directory; name the publisher's folder")
    accepted = drive(renewal(root, None, NOTHING, 0), lambda file: read_if_there(folder, file.name)) if root else None
    above = [_metadata_beside(path, name) for name in ("root", "targets")]
    shards = {each: shard for each in shards_of(raw) if (shard := read_if_there(path.parent, each)) is not None}
    return AtHand(above[0], above[1], shards, accepted)


def _metadata_beside(path: Path, role: str) -> Any:
    raw = read_if_there(path.parent, f"{role}.json")
    return None if raw is None else read_metadata(raw).signed


def publish(arguments: argparse.Namespace) -> int:
    """Merges signed copies, and publishes every draft or nothing."""
    bench = Bench(arguments.folder)
    merged = [bench.merge(_read(path)) for path in arguments.merge]
    if merged:
        bench.save()
    online = _online(arguments.folder, _passphrase([arguments.folder / name for name in ONLINE_FILES]))
    before = sorted(bench.drafts)
    revoked = [_revocation_json(each) for each in bench.revocations]
    version = bench.publish(online, SystemClock().now_ms())
    root = bench.public / layout.metadata_name("root", 1)
    _say(
        arguments,
        {"version": version, "published": before, "revoked": revoked, "public": str(bench.public), "root": str(root)},
        "\n".join(
            [
                f"Directory version {version} is published in {bench.public}.",
                *(f"Published with it: {_revocation_line(each)}" for each in revoked),
                f"Serve that folder; give {root} to every node, once, by a way that can be trusted.",
            ]
        ),
    )
    return main.OK


def show(arguments: argparse.Namespace) -> int:
    """Shows a directory, one entry of it, or what waits for signatures."""
    bench = Bench(arguments.folder)
    if arguments.party:
        return _show_entry(arguments, bench)
    accepted = bench.accepted
    if accepted is None and not bench.drafts:
        raise TheirFault("directory.not-found", f"{arguments.folder} holds neither a directory nor drafts of one")
    drafts = {role: _signatures(bench, role) for role in sorted(bench.drafts)}
    waiting = [_revocation_json(each) for each in bench.revocations]
    revoked = [_revocation_json(each) for each in bench.revoked()]
    if arguments.json:
        words = {"drafts": drafts, "draft_revocations": waiting, "revoked": revoked}
        output.print_json({**(_summary(accepted) if accepted else {}), **words})
        return main.OK
    if accepted is not None:
        rows = [[code, str(info.version), str(len(info.shards))] for code, info in accepted.roles.items()]
        output.print_table(f"Directory version {accepted.versions.snapshot}", ["agency", "version", "shards"], rows)
        print(f"{accepted.entries.count()} entries, {len(accepted.entries.nodes)} nodes")
    for each in revoked:
        print(_revocation_line(each))
    for role, (have, need) in drafts.items():
        print(f"draft {role}: {have} of {need} signatures")
    for each in waiting:
        print(f"draft: {_revocation_line(each)}, {output.counted(each['signatures'], 'signature')}")
    return main.OK


def _show_entry(arguments: argparse.Namespace, bench: Bench) -> int:
    party = PartyId(arguments.party)
    if bench.accepted is not None:
        party = bench.accepted.entries.aliases.get(arguments.party, party)
    entry = bench.entries_of(layout.agency_of(party)).get(party)
    if entry is None:
        raise TheirFault("party.unknown", f"{arguments.party} is not in {arguments.folder}")
    revoked = [each for each in map(_revocation_json, bench.revoked()) if each["party"] == party]
    value = {**json_of_entry(entry), "revoked": revoked}
    if arguments.json:
        output.print_json(value)
    else:
        print(json.dumps(value, ensure_ascii=False, indent=2))
    return main.OK


def verify(arguments: argparse.Namespace) -> int:
    """Reads a folder of static files exactly as every node does, as of now."""
    folder = arguments.folder / "public" if (arguments.folder / "public").is_dir() else arguments.folder
    root = _read(arguments.root)
    now_ms = SystemClock().now_ms()

    accepted = drive(renewal(root, None, NOTHING, now_ms), lambda file: read_if_there(folder, file.name))
    timestamp = read_metadata(accepted.files[layout.TIMESTAMP]).signed
    found = {**_summary(accepted), "timestamp_until": timestamp.expires.isoformat(), "holds": True}
    lines = [f"{name}: {value}" for name, value in found.items()]
    _say(arguments, found, "\n".join(["The directory holds together under this root.", *lines]))
    return main.OK


def _summary(accepted: Accepted) -> dict[str, Any]:
    versions = accepted.versions
    return {
        "version": versions.snapshot,
        "root_version": versions.root,
        "timestamp_version": versions.timestamp,
        "agencies": len(accepted.roles),
        "entries": accepted.entries.count(),
        "nodes": len(accepted.entries.nodes),
    }


def _signatures(bench: Bench, role: str) -> tuple[int, int]:
    return count_signatures(bench.drafts[role].to_bytes(), role, bench.delegator(role))


def _revocation_json(signed: SignedRevocation) -> dict[str, Any]:
    revocation = decode_revocation(signed.body)
    return {
        "party": revocation.party,
        "key": revocation.key.hex(),
        "from_ms": revocation.from_ms,
        "reason": revocation.reason,
        "signatures": len(signed.signatures),
    }


def _revocation_line(value: dict[str, Any]) -> str:
    reason = f" ({output.plain(value['reason'])})" if value["reason"] else ""
    return f"revoked {value['party']} {value['key']} from {output.when_exactly(value['from_ms'])}{reason}"


def _drafted(arguments: argparse.Namespace, bench: Bench, text: str) -> int:
    """Saves the drafts and says who must sign what."""
    bench.save()
    waiting = {role: _signatures(bench, role) for role in sorted(bench.drafts)}
    files = {role: str(bench.folder / "drafts" / f"{role}.json") for role in waiting}
    files |= {each["key"]: str(path) for each, path in _revocation_files(bench)}
    lines = [f"  {files[role]}  {have} of {need} signatures" for role, (have, need) in waiting.items()]
    lines += [f"  {path}" for _, path in _revocation_files(bench)]
    sign_line = "Each officer signs on a machine of their own: docaxis directory sign FILE --key OFFICER.pem"
    _say(
        arguments, {"drafts": waiting, "files": files}, "\n".join([text, "Waiting for signatures:", *lines, sign_line])
    )
    return main.OK


def _revocation_files(bench: Bench) -> list[tuple[dict[str, Any], Path]]:
    found = [_revocation_json(each) for each in bench.revocations]
    return [(each, bench.folder / "drafts" / f"{each['party']}-{each['key']}.revocation") for each in found]


def read_public(path: Path) -> bytes:
    """The public key in an officer's ``.pub`` file; raises `TheirFault` ``file.wrong``."""
    try:
        public = bytes.fromhex(json.loads(_read(path))["public"])
    except (ValueError, TypeError, KeyError):
        raise TheirFault("file.wrong", f"{path} is not the public file (.pub) of an officer") from None
    if len(public) != 32:
        raise TheirFault("file.wrong", f"{path} does not hold an Ed25519 key; give an officer's .pub")
    return public


def _key_id(text: str) -> KeyId:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 8:
        raise TheirFault("id.malformed", "a key's id has 16 hexadecimal digits; `docaxis directory show` lists them")
    return KeyId(raw)


def _online(folder: Path, passphrase: str | None) -> Online:
    return Online(*(NodeSeal.load(folder / name, passphrase) for name in ONLINE_FILES))


def _until(period_ms: int) -> int:
    return SystemClock().now_ms() + period_ms


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TheirFault("file.unusable", f"{path} cannot be read: {error.strerror}") from None


def _new_passphrase(ask: bool) -> str | None:
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given or not ask:
        return given
    first = getpass.getpass("New passphrase: ")
    if first != getpass.getpass("Once more: "):
        raise OurFault("node.passphrase", "the two passphrases differ")
    return first


def _passphrase(paths: list[Path]) -> str | None:
    """The passphrase for some keys: from the environment, or asked for at a terminal if one of them is encrypted."""
    given = os.environ.get(PASSPHRASE_VARIABLE)
    encrypted = [path for path in paths if path.exists() and b"ENCRYPTED" in path.read_bytes()]
    if given or not encrypted:
        return given
    if not sys.stdin.isatty():
        raise OurFault("node.passphrase", f"{encrypted[0]} is encrypted; set {PASSPHRASE_VARIABLE}")
    return getpass.getpass(f"Passphrase for {encrypted[0]}: ")


def _say(arguments: argparse.Namespace, value: dict[str, Any], text: str) -> None:
    if arguments.json:
        output.print_json(value)
    else:
        print(text)
