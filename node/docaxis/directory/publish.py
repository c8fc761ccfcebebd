"""Publishing: the bench on which drafts become the directory that everybody reads.

Drafts are gathered, checked with the very pass that every node uses to read (`docaxis.directory.renewal`) and with the
rules of `docaxis.directory.lint`, and written as static files. The publisher's own two keys say only what is newest; it
cannot alter or invent what officers sign. No officer's key lives here.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from tuf.api.metadata import Metadata, Root, Targets

from docaxis.core.addresses import Entry
from docaxis.core.errors import OurFault, TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.limits import DAY_MS
from docaxis.core.trust import (
    Revocation,
    SignedRevocation,
    Versions,
    decode_revocation,
    decode_revocations,
    encode_revocation,
    encode_revocations,
)
from docaxis.directory import drafts, layout, lint
from docaxis.directory.drafts import PERIODS, Periods
from docaxis.directory.files import read_file, read_if_there, write_durably
from docaxis.directory.renewal import Accepted, drive, renewal
from docaxis.directory.revocations import checked
from docaxis.directory.shards import Shard, pack
from docaxis.directory.signing import (
    Officer,
    Officers,
    add_signature,
    merge_files,
    merge_revocation_signatures,
    read_metadata,
)
from docaxis.directory.verified import raw_public

SNAPSHOT_RENEWED_BEFORE_MS: Final = 7 * DAY_MS
NOTHING: Final = Versions(0, 0, 0, {})
_ANY_TIME_MS: Final = 0


class Online(NamedTuple):
    """The publisher's two keys."""

    snapshot: Officer
    timestamp: Officer


class Bench:
    """A publisher's folder: ``public/`` is the directory, ``drafts/`` what waits for signatures."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Opens the folder. Raises `TheirFault` ``directory.*`` where what is published does not hold together."""
        self.folder = folder
        self.public = folder / "public"
        self._drafts_folder = folder / "drafts"
        self._durable = durable
        self.drafts: dict[str, Metadata[Any]] = {}
        self.shards: dict[str, list[Shard]] = {}
        self._marks: dict[str, frozenset[bytes]] = {}
        self.revocations: list[SignedRevocation] = []
        self.accepted = self._load_public()
        self._load_drafts()

    # --- what is there ------------------------------------------------------------------------------------------

    def _load_public(self) -> Accepted | None:
        try:
            root = read_file(self.public, layout.metadata_name("root", 1))
        except TheirFault:
            return None
        return drive(renewal(root, None, NOTHING, _ANY_TIME_MS), lambda file: read_if_there(self.public, file.name))

    def _load_drafts(self) -> None:
        for path in sorted(self._drafts_folder.glob("*.json")):
            self.drafts[path.stem] = read_metadata(path.read_bytes())
        for path in sorted(self._drafts_folder.glob("*/s??")):
            self.shards.setdefault(path.parent.name, []).append(Shard(path.read_bytes()))
        self._marks = {agency: lint.marks(_entries(shards).values()) for agency, shards in self.shards.items()}
        for path in sorted(self._drafts_folder.glob("*.revocation")):
            self.revocations += decode_revocations(path.read_bytes())

    def root_file(self) -> bytes:
        """The first root, which everybody is given to trust; raises `TheirFault` ``directory.not-found``."""
        return read_file(self.public, layout.metadata_name("root", 1))

    def _published(self, role: str) -> Any:
        """The signed part of a published role, or None."""
        if self.accepted is None:
            return None
        versions = self.accepted.versions
        number = versions.root if role == Root.type else versions.roles.get(role)
        return read_metadata(self.accepted.files[layout.metadata_name(role, number)]).signed if number else None

    def entries_of(self, agency: PartyId) -> dict[PartyId, Entry]:
        """The entries of an agency, as drafted, else as published."""
        return _entries(self.shards.get(agency) or self._published_shards(agency))

    def _published_shards(self, agency: PartyId) -> tuple[Shard, ...]:
        return self.accepted.entries.shards_of(agency) if self.accepted else ()

    def revoked(self) -> tuple[SignedRevocation, ...]:
        """The words against keys that are published."""
        raw = read_if_there(self.public, layout.REVOCATIONS)
        return tuple(decode_revocations(raw)) if raw else ()

    # --- drafting -----------------------------------------------------------------------------------------------

    def draft_root(self, root: Officers, targets: Officers, online: Online, until_ms: int) -> None:
        """Drafts the next root; until it is signed by enough of the old and of the new officers, nothing changes."""
        keys = {"snapshot": online.snapshot.public_key, "timestamp": online.timestamp.public_key}
        self.drafts[Root.type] = drafts.draft_root(self._published(Root.type), root, targets, keys, until_ms)

    def draft_agency(self, agency: PartyId, officers: Officers, until_ms: int) -> None:
        """Drafts who signs for an agency, new or known; signatures given to the list so far are void."""
        self._open_targets(until_ms)
        drafts.delegate(self.drafts[Targets.type].signed, agency, officers)

    def draft_list(self, until_ms: int) -> None:
        """Drafts the list of agencies as it is, for its officers, who may be new, to sign anew."""
        self._open_targets(until_ms)

    def is_delegated(self, agency: PartyId) -> bool:
        """Whether the list of agencies, as drafted, else as published, names an agency."""
        draft = self.drafts.get(Targets.type)
        listed = draft.signed if draft else self._published(Targets.type)
        return bool(listed and listed.delegations and agency in (listed.delegations.roles or {}))

    def delegator(self, role: str) -> Root | Targets:
        """Whose word it is who may sign for a role: the root's or the list's, as drafted, else as published."""
        above = Root.type if role in (Root.type, Targets.type) else Targets.type
        draft = self.drafts.get(above)
        found: Root | Targets | None = draft.signed if draft else self._published(above)
        if found is None:
            raise TheirFault("directory.not-found", f"there is no {above} yet; start with `docaxis directory init`")
        return found

    def top_officers(self) -> tuple[Officers, Officers]:
        """The officers of the root and of the list of agencies; raises `TheirFault` ``directory.not-found``."""
        root = self.delegator(Root.type)
        assert isinstance(root, Root)
        tables = (root.roles[role] for role in (Root.type, Targets.type))
        one, two = (Officers(t.threshold, tuple(raw_public(root.keys[each]) for each in t.keyids)) for t in tables)
        return one, two

    def _open_targets(self, until_ms: int) -> None:
        if Targets.type not in self.drafts:
            self.drafts[Targets.type] = drafts.draft_targets(self._published(Targets.type), until_ms)
        self.drafts[Targets.type].signatures.clear()

    def draft_entries(self, agency: PartyId, entries: Iterable[Entry], until_ms: int) -> None:
        """Drafts all entries of an agency anew; raises `TheirFault` ``directory.invalid`` with every broken rule."""
        found = {entry.id: entry for entry in entries}
        lint.check(agency, found, _entries(self._published_shards(agency)), self._taken_outside(agency))
        self.shards[agency] = [Shard(raw) for raw in pack(agency, found.values())]
        self._marks[agency] = lint.marks(found.values())
        self._draft_role(agency, until_ms)

    def redraft_role(self, agency: PartyId, until_ms: int) -> None:
        """Drafts the same entries of an agency anew, for new officers to sign."""
        self.shards[agency] = list(self.shards.get(agency) or self._published_shards(agency))
        self._draft_role(agency, until_ms)

    def _draft_role(self, agency: PartyId, until_ms: int) -> None:
        version = (self.accepted.versions.roles.get(agency, 0) if self.accepted else 0) + 1
        shards = [shard.raw for shard in self.shards[agency]]
        self.drafts[agency] = drafts.draft_role(agency, version, shards, until_ms)

    def put_entries(self, changed: Iterable[Entry], until_ms: int) -> list[Entry]:
        """Drafts entries of one agency, new or changed, each with the next ``seq``; the entries as drafted."""
        index = self.accepted.entries if self.accepted else None
        put = []
        for entry in changed:
            published = None if index is None else index.entry(entry.id)
            put.append(entry._replace(seq=published.seq + 1 if published else 1))
        agency = layout.agency_of(put[0].id)
        self.draft_entries(agency, (self.entries_of(agency) | {each.id: each for each in put}).values(), until_ms)
        return put

    def draft_revocation(self, revocation: Revocation) -> SignedRevocation:
        """Drafts a word against a key."""
        draft = SignedRevocation(encode_revocation(revocation), ())
        self.revocations.append(draft)
        return draft

    def _taken_outside(self, agency: PartyId) -> Callable[[bytes], bool]:
        """Whether a key or certificate stands elsewhere: among other drafts, or anywhere in what is published."""
        drafted = [marks for name, marks in self._marks.items() if name != agency]
        published = self.accepted.entries.shards() if self.accepted else ()
        others = [shard.raw for shard in published if shard.agency != agency]
        return lambda mark: any(mark in marks for marks in drafted) or any(mark in raw for raw in others)

    def sign(self, role: str, officer: Officer) -> None:
        """Adds an officer's signature to a draft on this machine; raises `TheirFault` ``directory.not-found``."""
        if role not in self.drafts:
            raise TheirFault("directory.not-found", f"there is no draft of {role}")
        add_signature(self.drafts[role], officer)

    def merge(self, raw: bytes) -> str:
        """Takes back a copy of a draft that was signed elsewhere; the name of the draft. Raises `TheirFault`
        ``directory.mismatch`` where it is a copy of none."""
        if not raw.startswith(b"{"):
            self.revocations = merge_revocation_signatures((*self.revocations, *decode_revocations(raw)))
            return "revocations"
        for role, draft in self.drafts.items():
            try:
                self.drafts[role] = read_metadata(merge_files(draft.to_bytes(), raw))
            except TheirFault:
                continue
            return role
        raise TheirFault("directory.mismatch", "this is a signed copy of no draft that is waiting here")

    def save(self) -> None:
        """Writes the drafts, and removes the files of those that are no more."""
        files = {f"{role}.json": draft.to_bytes() for role, draft in self.drafts.items()}
        files |= {shard.path: shard.raw for role in self.drafts for shard in self.shards.get(role, ())}
        for signed in self.revocations:
            files[f"{_draft_name(signed)}.revocation"] = encode_revocations([signed])
        for path in (*self._drafts_folder.glob("*.*"), *self._drafts_folder.glob("*/s??")):
            if path.relative_to(self._drafts_folder).as_posix() not in files:
                path.unlink()
        for folder in self._drafts_folder.glob("*/"):
            with suppress(OSError):  # it holds shards of a draft that still waits, or something of the officers' own
                folder.rmdir()
        for name, raw in files.items():
            write_durably(self._drafts_folder / name, raw, durable=self._durable)

    # --- publishing ---------------------------------------------------------------------------------------------

    def publish(self, online: Online, now_ms: int, periods: Periods = PERIODS) -> int:
        """Publishes every draft, or nothing; the number of the snapshot in force afterwards.

        Without drafts it renews the timestamp, which is the publisher's daily duty. Raises `TheirFault`
        ``directory.threshold`` (the detail says whose signatures are missing), ``directory.rollback`` (somebody else
        published meanwhile: draft anew), ``directory.invalid`` and whatever a reader would raise.
        """
        with self._locked():
            self._check_nothing_moved()
            new = self._new_files(online, now_ms, periods)
            known = {**(self.accepted.files if self.accepted else {}), **new}
            root = known[layout.metadata_name("root", 1)]
            floor = self.accepted.versions if self.accepted else NOTHING
            accepted = drive(renewal(root, self.accepted, floor, now_ms), lambda file: known.get(file.name))
            new[layout.REVOCATIONS] = self._revocations_file(accepted)
            self._write(new)
            self.accepted = accepted
            self.drafts, self.shards, self._marks, self.revocations = {}, {}, {}, []
            self.save()
        return accepted.versions.snapshot

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _check_nothing_moved(self) -> None:
        """Compare and set: what is published must be what the drafts were made from."""
        raw = read_if_there(self.public, layout.TIMESTAMP)
        if raw != (self.accepted.files[layout.TIMESTAMP] if self.accepted else None):
            raise TheirFault("directory.rollback", "something was published meanwhile; open the folder anew")
        for role, draft in self.drafts.items():
            published = self._published(role)
            if draft.signed.version != (published.version if published else 0) + 1:
                raise TheirFault("directory.rollback", f"the draft of {role} does not follow what is published")

    def _new_files(self, online: Online, now_ms: int, periods: Periods) -> dict[str, bytes]:
        new = {
            layout.metadata_name(role, draft.signed.version): draft.to_bytes() for role, draft in self.drafts.items()
        }
        for role in self.drafts.keys() - {Root.type, Targets.type}:
            new |= {layout.shard_name(shard.path, shard.sha256_hex): shard.raw for shard in self.shards.get(role, ())}
        version, snapshot = self._snapshot(new, online, now_ms, periods)
        new[layout.metadata_name("snapshot", version)] = snapshot
        number = (self.accepted.versions.timestamp if self.accepted else 0) + 1
        timestamp = drafts.new_timestamp(number, version, snapshot, now_ms + periods.timestamp_ms)
        add_signature(timestamp, online.timestamp)
        return {**new, layout.TIMESTAMP: timestamp.to_bytes()}

    def _snapshot(self, new: Mapping[str, bytes], online: Online, now_ms: int, periods: Periods) -> tuple[int, bytes]:
        """The snapshot in force, or the next where something changed or it soon expires."""
        old = self.accepted
        if old is not None and not self.drafts:
            name = layout.metadata_name("snapshot", old.versions.snapshot)
            left_ms = int(read_metadata(old.files[name]).signed.expires.timestamp()) * 1000 - now_ms
            if left_ms > min(SNAPSHOT_RENEWED_BEFORE_MS, periods.snapshot_ms // 2):
                return old.versions.snapshot, old.files[name]
        numbers = dict(old.versions.roles) if old else {}
        numbers |= {role: draft.signed.version for role, draft in self.drafts.items() if role != Root.type}
        known = {**(old.files if old else {}), **new}
        files = {role: (number, known[layout.metadata_name(role, number)]) for role, number in numbers.items()}
        version = (old.versions.snapshot if old else 0) + 1
        snapshot = drafts.new_snapshot(version, files, now_ms + periods.snapshot_ms)
        add_signature(snapshot, online.snapshot)
        return version, snapshot.to_bytes()

    def _revocations_file(self, accepted: Accepted) -> bytes:
        for each in self.revocations:
            try:
                checked(each, accepted)
            except TheirFault as fault:
                detail = f"the revocation {_draft_name(each)} does not count: {fault.detail}"
                raise TheirFault("directory.threshold", detail) from None
        return encode_revocations(merge_revocation_signatures((*self.revoked(), *self.revocations)))

    def _write(self, new: Mapping[str, bytes]) -> None:
        """Files that are named by others first, the timestamp last: a reader at any moment sees a whole directory."""
        last = (layout.TIMESTAMP,)
        try:
            for name in (*(name for name in new if name not in last), *last):
                write_durably(self.public / name, new[name], durable=self._durable)
        except OSError as error:
            raise OurFault("node.store", f"{self.public} cannot be written: {error.strerror}") from None


def _entries(shards: Iterable[Shard]) -> dict[PartyId, Entry]:
    found = (shard.entry(party) for shard in shards for party in shard.parties())
    return {entry.id: entry for entry in found if entry is not None}


def _draft_name(signed: SignedRevocation) -> str:
    revocation = decode_revocation(signed.body)
    return f"{revocation.party}-{revocation.key.hex()}"
