"""Proof: what a stranger needs to see, offline and years later, that the directory listed a key for a party.

Root files from the trusted one on, the list of agencies, the agencies' signed metadata and the shards they signed:
nothing else is needed, since timestamps and snapshots say what is newest, not what is true. So a proof holds for ever,
whatever has expired. No clock, no network, no files. Specification: ``node/docs/spec/directory.md`` §9.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from tuf.api.metadata import Metadata, Root, Targets

from docaxis.core import codec
from docaxis.core.addresses import Entry, SigningKey
from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId
from docaxis.directory import layout
from docaxis.directory.renewal import Accepted
from docaxis.directory.shards import Shard
from docaxis.directory.verified import (
    RoleInfo,
    check_delegations,
    check_length,
    check_role,
    delegation_digest,
    refusing,
)

ROOTS_MAX: Final = 1_024
ROLES_MAX: Final = 4_096
_FIELDS: Final = frozenset({"type", "roots", "targets", "roles", "shards"})


class Proof(NamedTuple):
    """Files of a repository, verbatim: `roots` in order, the list of agencies `targets`, metadata of agencies by code,
    and shards by path. One proof serves many parties; agencies that nobody asked for are left out."""

    roots: tuple[bytes, ...]
    targets: bytes
    roles: Mapping[str, bytes]
    shards: Mapping[str, bytes]


def proof_value(proof: Proof) -> dict[str, Any]:
    """The proof as plain values, for a file of ours."""
    return {
        "type": "directory-proof/1",
        "roots": list(proof.roots),
        "targets": proof.targets,
        "roles": dict(proof.roles),
        "shards": dict(proof.shards),
    }


def read_proof(value: Any) -> Proof:
    """The inverse of `proof_value`, form only; raises `TheirFault` ``codec.schema``."""
    value = codec.fields(value, _FIELDS, "directory proof")
    if value["type"] != "directory-proof/1" or type(value["targets"]) is not bytes:
        raise codec.wrong("directory proof", "directory-proof/1 with the bytes of targets")
    roots = codec.array(value["roots"], "proof.roots", ROOTS_MAX, _file, least=1)
    return Proof(
        roots, value["targets"], _files(value["roles"], "proof.roles"), _files(value["shards"], "proof.shards")
    )


def _file(value: Any) -> bytes:
    if type(value) is not bytes:
        raise codec.wrong("directory proof", "the bytes of a file")
    return value


def _files(value: Any, field: str) -> dict[str, bytes]:
    if type(value) is not dict or len(value) > ROLES_MAX:
        raise codec.wrong(field, f"a map of at most {ROLES_MAX} files")
    return {name: _file(raw) for name, raw in value.items()}


class Proven:
    """What a verified proof shows: entries as the directory listed them. `version` is that of the list of agencies."""

    def __init__(self, shards: Iterable[Shard], root_version: int, targets_version: int) -> None:
        self._shards: dict[str, list[Shard]] = {}
        for shard in shards:
            self._shards.setdefault(shard.agency, []).append(shard)
        self.root_version = root_version
        self.targets_version = targets_version

    def entry(self, party: PartyId) -> Entry | None:
        """The entry of a party, or None where the proof says nothing of it."""
        found = (shard.entry(party) for shard in self._shards.get(layout.agency_of(party), ()))
        return next((entry for entry in found if entry is not None), None)

    def entries(self) -> Iterator[Entry]:
        """Every entry in the proof that can be read."""
        for shard in (each for parts in self._shards.values() for each in parts):
            yield from (entry for party in shard.parties() if (entry := shard.entry(party)) is not None)

    def key(self, party: PartyId, key: KeyId) -> SigningKey:
        """A key the directory listed for a party; raises `TheirFault` ``party.unknown`` or ``seal.key-unknown``."""
        entry = self.entry(party)
        if entry is None:
            raise TheirFault("party.unknown", f"the proof does not show {party}")
        found = next((each for each in entry.keys if each.id == key), None)
        if found is None:
            raise TheirFault("seal.key-unknown", f"the directory listed no key {key.hex()} for {party}")
        return found


def verify_proof(root: bytes, proof: Proof) -> Proven:
    """What a proof shows to somebody who trusts `root`, a root file of any version up to the newest in the proof.

    Independent of time. Raises `TheirFault` ``directory.*``, ``codec.*`` or ``id.malformed``.
    """
    newest = _newest_root(root, proof.roots)
    targets = _targets(newest, proof.targets)
    infos = {
        name: check_role(targets, delegation_digest(targets, name), name, raw) for name, raw in proof.roles.items()
    }
    shards = [_shard(infos, path, raw) for path, raw in proof.shards.items()]
    return Proven(shards, newest.version, targets.version)


def _newest_root(trusted: bytes, roots: tuple[bytes, ...]) -> Root:
    """TUF 5.3: each root is signed by enough officers of the one before it and of its own."""
    newest = _root(trusted)
    with refusing("trusted root"):
        _verify_root(newest, trusted, newest)
    for raw in roots:
        root = _root(raw)
        if root.version <= newest.version:
            continue  # before the one that is trusted already
        if root.version != newest.version + 1:
            raise TheirFault("directory.mismatch", f"root {newest.version + 1} is missing from the proof")
        with refusing(f"root {root.version}"):
            _verify_root(newest, raw, root)
        newest = root
    if _root(roots[-1]).version < newest.version:
        raise TheirFault("directory.mismatch", f"the proof ends before root {newest.version}, which is trusted")
    return newest


def _root(raw: bytes) -> Root:
    check_length("root", raw, layout.ROOT_BYTES_MAX)
    with refusing("root"):
        signed = Metadata[Root].from_bytes(raw).signed
    if not isinstance(signed, Root):
        raise TheirFault("directory.malformed", "a root file holds another kind of metadata")
    return signed


def _verify_root(before: Root, raw: bytes, root: Root) -> None:
    metadata = Metadata[Root].from_bytes(raw)
    before.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)
    root.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)


def _targets(root: Root, raw: bytes) -> Targets:
    check_length("targets", raw, layout.TARGETS_BYTES_MAX)
    with refusing("targets"):
        metadata = Metadata[Targets].from_bytes(raw)
        if not isinstance(metadata.signed, Targets):
            raise TypeError("another kind of metadata")
        root.verify_delegate(Targets.type, metadata.signed_bytes, metadata.signatures)
    list(check_delegations(metadata.signed))
    return metadata.signed


def _shard(infos: Mapping[str, RoleInfo], path: str, raw: bytes) -> Shard:
    agency, _ = layout.read_shard_path(path)
    stated = next((each for each in infos[agency].shards if each.path == path), None) if agency in infos else None
    if stated is None:
        raise TheirFault("directory.mismatch", f"the proof does not show who signed {path}")
    return stated.open(raw)


def prove(accepted: Accepted, parties: Iterable[PartyId]) -> Proof:
    """The files that show the entries of `parties`; raises `TheirFault` ``party.unknown``."""
    files, roles, shards = accepted.files, {}, {}
    for party in parties:
        agency = layout.agency_of(party)
        shard = accepted.entries.shard_of(party)
        if shard is None:
            raise TheirFault("party.unknown", f"{party} is not in directory version {accepted.versions.snapshot}")
        roles[str(agency)] = files[layout.metadata_name(agency, accepted.roles[agency].version)]
        shards[shard.path] = shard.raw
    return Proof(tuple(files[name] for name in accepted.roots), files[accepted.targets_name], roles, shards)
