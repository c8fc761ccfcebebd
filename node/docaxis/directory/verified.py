"""Verified metadata: TUF's rules, through python-tuf, as values of ours and errors of ours.

The one module that knows `TrustedMetadataSet`, which python-tuf calls internal; the version is pinned, and this
module's tests say what we rely on. It keeps no files, fetches nothing and reads no clock. What a role's number may
follow is `docaxis.core.trust.check_replaces`'s to say, and how old is too old `docaxis.core.trust.freshness`'s: an
expired role of an agency is therefore accepted here, and only root, timestamp and snapshot expire.
Specification: ``node/docs/spec/directory.md`` §3 and §5.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Key
from tuf.api.exceptions import (
    BadVersionNumberError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import DelegatedRole, Metadata, MetaFile, Root, Targets

from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId
from docaxis.core.trust import Authority
from docaxis.directory import layout
from docaxis.directory.engine import EnvelopeType, TrustedMetadataSet
from docaxis.directory.shards import Shard
from docaxis.seal.keys import key_id

ROLES_REMEMBERED_MAX: Final = 512
_NEVER_EXPIRED: Final = datetime.min.replace(tzinfo=UTC)


class ShardInfo(NamedTuple):
    """What a role's metadata says of one shard."""

    path: str
    sha256_hex: str
    length: int

    @property
    def file_name(self) -> str:
        """The name under which it is fetched."""
        return layout.shard_name(self.path, self.sha256_hex)

    def open(self, raw: bytes) -> Shard:
        """The shard, read only once it is what was signed; raises `TheirFault` ``directory.mismatch`` and `Shard`'s."""
        if len(raw) != self.length or sha256(raw).hexdigest() != self.sha256_hex:
            raise TheirFault("directory.mismatch", f"{self.path} is not the shard that was signed")
        shard = Shard(raw)
        if shard.path != self.path:
            raise TheirFault("directory.wrong-path", f"{self.path} holds the shard {shard.path}")
        return shard


class RoleInfo(NamedTuple):
    """What an agency's officers signed: the shards of its entries, and until when they meant to sign anew (ms)."""

    name: str
    version: int
    expires_ms: int
    shards: tuple[ShardInfo, ...]


class TimestampInfo(NamedTuple):
    """A verified timestamp: its number, and the snapshot it names."""

    version: int
    snapshot_version: int


@contextmanager
def refusing(what: str, version_code: str = "directory.rollback") -> Iterator[None]:
    """Turns python-tuf's errors into `TheirFault` ``directory.*``; `version_code` for a number that is not right."""
    try:
        yield
    except BadVersionNumberError as error:
        raise TheirFault(version_code, f"{what}: {_line(error)}") from None
    except UnsignedMetadataError as error:
        raise TheirFault("directory.threshold", f"{what}: {_line(error)}") from None
    except ExpiredMetadataError as error:
        raise TheirFault("directory.expired", f"{what}: {_line(error)}") from None
    except LengthOrHashMismatchError as error:
        raise TheirFault("directory.mismatch", f"{what}: {_line(error)}") from None
    except (RepositoryError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TheirFault("directory.malformed", f"{what}: {_line(error)}") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def time_of(at_ms: int) -> datetime:
    """A moment as python-tuf wants it."""
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def check_length(what: str, raw: bytes, bytes_max: int) -> None:
    """Raises `TheirFault` ``codec.too-long``; python-tuf would read anything."""
    if len(raw) > bytes_max:
        raise TheirFault("codec.too-long", f"{what} has {len(raw)} bytes, at most {bytes_max}")


class MetadataSet:
    """One pass through a repository's metadata, in TUF's order: roots, timestamp, snapshot, targets, roles."""

    def __init__(self, root: bytes) -> None:
        """`root` is the trusted root; raises `TheirFault` ``directory.*``."""
        check_length("root", root, layout.ROOT_BYTES_MAX)
        with refusing("trusted root"):
            self._set = TrustedMetadataSet(root, EnvelopeType.METADATA)
        self._digests: dict[str, bytes] = {}

    @property
    def root_version(self) -> int:
        """Number of the newest root."""
        return self._set.root.version

    def add_root(self, raw: bytes) -> None:
        """Accepts the next root: signed by enough officers of the one before it, and of its own."""
        check_length("root", raw, layout.ROOT_BYTES_MAX)
        with refusing(f"root after {self.root_version}"):
            self._set.update_root(raw)

    def online_keys(self) -> frozenset[str]:
        """Ids of the keys of timestamp and snapshot; where they change, their numbers may start anew (TUF 5.3.11)."""
        roles = self._set.root.roles
        return frozenset(roles["timestamp"].keyids) | frozenset(roles["snapshot"].keyids)

    def set_timestamp(self, raw: bytes, now_ms: int) -> TimestampInfo:
        """Accepts a timestamp that is signed and has not expired at `now_ms`; nor may the root have."""
        check_length("timestamp", raw, layout.TIMESTAMP_BYTES_MAX)
        self._set.reference_time = time_of(now_ms)
        with refusing("timestamp"):
            timestamp = self._set.update_timestamp(raw)
        return TimestampInfo(timestamp.version, timestamp.snapshot_meta.version)

    def set_snapshot(self, raw: bytes) -> Mapping[str, int]:
        """Accepts the snapshot that the timestamp names; the version of each role in it."""
        check_length("snapshot", raw, layout.SNAPSHOT_BYTES_MAX)
        with refusing("snapshot", "directory.mismatch"):
            snapshot = self._set.update_snapshot(raw)
        return {name.removesuffix(".json"): meta.version for name, meta in snapshot.meta.items()}

    def set_targets(self, raw: bytes) -> tuple[str, ...]:
        """Accepts the list of agencies; their codes. Each must speak for its own units and nothing else."""
        check_length("targets", raw, layout.TARGETS_BYTES_MAX)
        self._set.reference_time = _NEVER_EXPIRED
        with refusing("targets", "directory.mismatch"):
            targets = self._set.update_targets(raw)
        return tuple(check_delegations(targets))

    def role_version(self, name: str) -> int:
        """The version of a role that the snapshot names; raises `TheirFault` ``directory.mismatch``."""
        return self._meta(name).version

    def _meta(self, name: str) -> MetaFile:
        meta = self._set.snapshot.meta.get(f"{name}.json")
        if meta is None:
            raise TheirFault("directory.mismatch", f"the snapshot does not name {name[:40]}")
        return meta

    def delegation_digest(self, name: str) -> bytes:
        """Digest of who may sign for an agency; while it and the version stay, a verified role stays verified."""
        if name not in self._digests:
            self._digests[name] = delegation_digest(self._set.targets, name)
        return self._digests[name]

    def check_role(self, name: str, raw: bytes) -> RoleInfo:
        """What an agency's officers signed, once it is the version in the snapshot and enough of them signed."""
        with refusing(f"role {name}", "directory.mismatch"):
            self._meta(name).verify_length_and_hashes(raw)
        info = check_role(self._set.targets, self.delegation_digest(name), name, raw)
        if info.version != self.role_version(name):
            raise TheirFault("directory.mismatch", f"{name}: snapshot names another version than {info.version}")
        return info

    def authority(self, role: str) -> Authority | None:
        """Officers of ``root`` or of an agency, as `docaxis.core.trust` counts them; None where there are none."""
        if role == Root.type:
            return _authority(
                self._set.root.keys, self._set.root.roles[role].keyids, self._set.root.roles[role].threshold
            )
        delegations = self._set.targets.delegations
        found = delegations.roles.get(role) if delegations and delegations.roles else None
        return _authority(delegations.keys, found.keyids, found.threshold) if delegations and found else None


def check_delegations(targets: Targets) -> Iterator[str]:
    """Each agency that a list of agencies names; raises `TheirFault` ``directory.wrong-path`` for one that may more."""
    if targets.targets:
        raise TheirFault("directory.wrong-path", "the list of agencies may hold no entries of its own")
    roles = targets.delegations.roles if targets.delegations and targets.delegations.roles else {}
    for name, role in roles.items():
        layout.agency_code(name)
        if role.paths != [f"{name}/*"] or not role.terminating:
            raise TheirFault("directory.wrong-path", f"the role {name} must be confined to {name}/*")
        yield name


_remembered: OrderedDict[tuple[bytes, bytes], RoleInfo] = OrderedDict()
"""Roles verified lately, by (who may sign, what was signed): the outcome depends on nothing else. Many nodes in one
process, and the reopening of a cache, then pay once."""


def check_role(targets: Targets, digest: bytes, name: str, raw: bytes) -> RoleInfo:
    """Verifies an agency's metadata against its delegation in `targets` (whose `digest` it is), whatever its number.

    Raises `TheirFault` ``directory.*`` or ``codec.too-long``.
    """
    check_length(f"role {name}", raw, layout.ROLE_BYTES_MAX)
    key = (digest, sha256(raw).digest())
    info = _remembered.get(key)
    if info is None:
        info = _remembered[key] = _verify_role(targets, name, raw)
        if len(_remembered) > ROLES_REMEMBERED_MAX:
            _remembered.popitem(last=False)
    return info


def _verify_role(targets: Targets, name: str, raw: bytes) -> RoleInfo:
    with refusing(f"role {name}"):
        metadata = Metadata[Targets].from_bytes(raw)
        if not isinstance(metadata.signed, Targets):
            raise RepositoryError("another kind of metadata")
        targets.verify_delegate(name, metadata.signed_bytes, metadata.signatures)
        return _role_info(name, metadata.signed)


def _role_info(name: str, signed: Targets) -> RoleInfo:
    shards = []
    for path, target in signed.targets.items():
        agency, _ = layout.read_shard_path(path)
        if agency != name:
            raise TheirFault("directory.wrong-path", f"the role {name} speaks for {path}")
        if target.length > layout.SHARD_BYTES_MAX:
            raise TheirFault("codec.too-long", f"{path} has {target.length} bytes, at most {layout.SHARD_BYTES_MAX}")
        digest = target.hashes.get("sha256", "")
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise TheirFault("directory.malformed", f"{path} needs one lower-case SHA-256")
        shards.append(ShardInfo(path, digest, target.length))
    if len(shards) > layout.SHARDS_PER_AGENCY_MAX:
        raise TheirFault("directory.malformed", f"{name} has more than {layout.SHARDS_PER_AGENCY_MAX} shards")
    return RoleInfo(name, signed.version, int(signed.expires.timestamp()) * 1000, tuple(sorted(shards)))


def delegation_digest(targets: Targets, name: str) -> bytes:
    """Digest of who may sign for an agency; raises `TheirFault` ``directory.wrong-path`` where nobody may."""
    role = delegated_role(targets, name)
    keys = targets.delegations.keys if targets.delegations else {}
    value = {"role": role.to_dict(), "keys": {each: keys[each].to_dict() for each in role.keyids if each in keys}}
    return sha256(str(encode_canonical(value)).encode()).digest()


def delegated_role(targets: Targets, name: str) -> DelegatedRole:
    """The delegation to an agency; raises `TheirFault` ``directory.wrong-path`` where there is none."""
    found = targets.delegations.roles.get(name) if targets.delegations and targets.delegations.roles else None
    if found is None:
        raise TheirFault("directory.wrong-path", f"the list of agencies does not name {name[:40]}")
    return found


def _authority(keys: Mapping[str, Key], ids: list[str], threshold: int) -> Authority:
    found: dict[KeyId, tuple[str, bytes]] = {}
    for each in ids:
        public = raw_public(keys[each]) if each in keys else b""
        if public:
            found[key_id(public)] = (keys[each].scheme, public)
    return Authority(threshold, found)


def raw_public(key: Key) -> bytes:
    """The raw public key of an Ed25519 key; empty for other kinds, whose officers cannot sign revocations."""
    try:
        return bytes.fromhex(str(key.keyval["public"])) if key.keytype == "ed25519" else b""
    except (KeyError, ValueError):
        return b""
