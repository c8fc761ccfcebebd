"""Drafts: metadata that nobody, or not everybody, has signed yet.

Builds what officers sign, from what is published; it signs nothing and publishes nothing. Whoever carries a draft from
one officer's machine to the next carries one file.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from hashlib import sha256
from typing import Final, NamedTuple

from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Role,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from docaxis.core.ids import PartyId
from docaxis.core.limits import DAY_MS
from docaxis.directory import layout
from docaxis.directory.signing import Officers, tuf_key
from docaxis.directory.verified import time_of

ONLINE: Final = ("snapshot", "timestamp")


class Periods(NamedTuple):
    """For how long each kind of metadata is signed, ms. A timestamp's is how long a frozen source can go unnoticed; an
    agency's is a reminder only, for nothing an agency must renew stops anything."""

    root_ms: int = 730 * DAY_MS
    targets_ms: int = 730 * DAY_MS
    role_ms: int = 365 * DAY_MS
    snapshot_ms: int = 30 * DAY_MS
    timestamp_ms: int = 1 * DAY_MS


PERIODS: Final = Periods()


def draft_root(
    old: Root | None, root: Officers, targets: Officers, online: Mapping[str, bytes], until_ms: int
) -> Metadata[Root]:
    """The next root: who may sign root and the list of agencies, and the keys of snapshot and timestamp."""
    signed = Root(version=(old.version if old else 0) + 1, expires=time_of(until_ms), consistent_snapshot=True)
    signed.roles = {
        "root": Role([], root.check("root").threshold),
        "targets": Role([], targets.check("targets").threshold),
        **{role: Role([], 1) for role in ONLINE},
    }
    for role, publics in (("root", root.keys), ("targets", targets.keys), *((r, (online[r],)) for r in ONLINE)):
        for public in publics:
            signed.add_key(tuf_key(public), role)
    return Metadata(signed)


def draft_targets(old: Targets | None, until_ms: int) -> Metadata[Targets]:
    """The next list of agencies, so far the same as `old`."""
    signed = Targets(version=(old.version if old else 0) + 1, expires=time_of(until_ms), targets={})
    signed.delegations = deepcopy(old.delegations) if old and old.delegations else Delegations({}, {})
    return Metadata(signed)


def delegate(targets: Targets, agency: PartyId, officers: Officers) -> None:
    """Says in a draft of the list of agencies who signs for one of them, confined to its own units."""
    layout.agency_code(agency)
    delegations = targets.delegations
    assert delegations is not None
    assert delegations.roles is not None
    keys = [tuf_key(public) for public in officers.check(agency).keys]
    role = DelegatedRole(agency, [k.keyid for k in keys], officers.threshold, True, paths=[f"{agency}/*"])
    delegations.roles[agency] = role
    used = {keyid for each in delegations.roles.values() for keyid in each.keyids}
    known = {**delegations.keys, **{key.keyid: key for key in keys}}
    delegations.keys = {keyid: known[keyid] for keyid in sorted(used)}


def draft_role(agency: PartyId, version: int, shards: Iterable[bytes], until_ms: int) -> Metadata[Targets]:
    """An agency's metadata over its shards."""
    targets = {}
    for part, raw in enumerate(shards):
        path = layout.shard_path(agency, part)
        targets[path] = TargetFile(len(raw), {"sha256": sha256(raw).hexdigest()}, path)
    return Metadata(Targets(version=version, expires=time_of(until_ms), targets=targets))


def new_snapshot(version: int, files: Mapping[str, tuple[int, bytes]], until_ms: int) -> Metadata[Snapshot]:
    """A snapshot over the version and bytes of each role."""
    meta = {
        f"{role}.json": MetaFile.from_data(number, raw, ["sha256"]) for role, (number, raw) in sorted(files.items())
    }
    return Metadata(Snapshot(version=version, expires=time_of(until_ms), meta=meta))


def new_timestamp(version: int, snapshot_version: int, snapshot: bytes, until_ms: int) -> Metadata[Timestamp]:
    """A timestamp over a snapshot."""
    meta = MetaFile.from_data(snapshot_version, snapshot, ["sha256"])
    return Metadata(Timestamp(version=version, expires=time_of(until_ms), snapshot_meta=meta))
