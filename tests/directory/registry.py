"""A small registry for the tests of the directory: real keys, real ceremonies, and a source that can lie.

Everything published here went through the same steps as on a publisher's machines; only the lies are made by hand.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docaxis.core.addresses import Entry
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.directory import drafts
from docaxis.directory.ceremony import Ceremony, new_officers
from docaxis.directory.entries import make_key, simple_entry
from docaxis.directory.publish import Online
from docaxis.directory.repository import Repository
from docaxis.directory.signing import Officer, Officers, add_signature, read_metadata
from docaxis.seal.certificates import make_certificate
from docaxis.seal.keys import new_ed25519, new_tls_key, public_ed25519

NOW_MS = 1_795_000_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_TLS_KEY = new_tls_key()  # one is enough for all: what the directory lists are certificates


def node_entry(code: str, port: int = 8443) -> Entry:
    """An agency that runs a node: an endpoint, a key, a certificate, its older code as alias."""
    party = PartyId(code)
    return simple_entry(party, f"Cơ quan {code}", f"Agency {code}", "province")._replace(
        endpoints=(f"https://127.0.0.1:{port}",),
        keys=(make_key(public_ed25519(new_ed25519()), NOW_MS - DAY_MS),),
        certificates=(make_certificate(party, _TLS_KEY, NOW_MS),),
        aliases=(f"000.00.00.{code}",),
    )


def unit_entry(code: str) -> Entry:
    """A unit whose mailbox is at its agency."""
    party, parent = PartyId(code), PartyId(code.rpartition(".")[0])
    return simple_entry(party, f"Đơn vị {code}", f"Unit {code}", "unit", parent=parent)._replace(
        via=(PartyId(code.partition(".")[0]),), keys=(make_key(public_ed25519(new_ed25519()), NOW_MS - DAY_MS),)
    )


def ceremony(folder: Path, codes: Iterable[str] = ("G22", "H49"), **settings: Any) -> Ceremony:
    """A published directory of agencies; H49 has a district and a commune."""
    found = Ceremony(folder / "publisher", NOW_MS, **settings)
    for code in codes:
        units = [unit_entry("H49.16"), unit_entry("H49.16.01")] if code == "H49" else []
        found.add_agency([node_entry(code), *units])
    found.publish(NOW_MS)
    return found


class Source:
    """Files that a node may fetch; a test changes them as an attacker would. `asked` lists the names fetched."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []

    @classmethod
    def of(cls, folder: Path) -> "Source":
        """Everything that is published in a folder."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        return cls({path.relative_to(folder).as_posix(): path.read_bytes() for path in files})

    async def fetch(self, name: str, bytes_max: int) -> bytes:
        """Hands out whatever is there, of any length: not every source keeps its word."""
        self.asked.append(name)
        if name not in self.files:
            raise TheirFault("directory.not-found", name)
        return self.files[name]

    def found(self) -> list[str]:
        """Names that were asked for and are there."""
        return [name for name in self.asked if name in self.files]


async def node(town: Ceremony, folder: Path, now_ms: int = NOW_MS) -> Repository:
    """A node that has refreshed once."""
    repository = Repository(folder, town.root)
    await repository.refresh(Source.of(town.public).fetch, now_ms)
    return repository


def republished(town: Ceremony, files: dict[str, bytes], version: int = 1) -> dict[str, bytes]:
    """The files with a snapshot and timestamp over whatever roles are among them, signed by the publisher: what a
    thief of the online keys can do."""
    roles = {name[2:-5]: (1, raw) for name, raw in files.items() if name.startswith("1.") and name.endswith(".json")}
    roles = {name: each for name, each in roles.items() if name not in ("root", "snapshot")}
    snapshot = resigned(drafts.new_snapshot(version, roles, NOW_MS + DAY_MS).to_bytes(), town.online.snapshot)
    timestamp = resigned(
        drafts.new_timestamp(version, version, snapshot, NOW_MS + DAY_MS).to_bytes(), town.online.timestamp
    )
    return {**files, f"{version}.snapshot.json": snapshot, "timestamp.json": timestamp}


def resigned(raw: bytes, *officers: Officer, **changes: Any) -> bytes:
    """Metadata with changed fields, signed anew by these officers alone."""
    metadata = read_metadata(raw)
    for name, value in changes.items():
        setattr(metadata.signed, name, value)
    metadata.signatures.clear()
    for officer in officers:
        add_signature(metadata, officer)
    return metadata.to_bytes()


def rotate_root(town: Ceremony, now_ms: int, online: Online | None = None) -> None:
    """Every officer of the root is replaced; optionally the publisher's keys, too."""
    old, town.people = town.people, new_officers(3)
    town.online = online or town.online
    table = Officers(2, tuple(each.public_key for each in town.people))
    town.bench.draft_root(table, table, town.online, now_ms + 700 * DAY_MS)
    town.bench.draft_list(now_ms + 700 * DAY_MS)
    for person in old[:2]:
        town.bench.sign("root", person)
