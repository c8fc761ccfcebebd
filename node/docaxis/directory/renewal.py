"""Renewal: one pass from a trusted root to a directory that may be used, as a conversation about files.

A generator asks for files by name and is answered with their bytes, from a cache, a disk or a network: it does not know
and does not wait. It reads no clock and keeps nothing; either everything holds together or the pass ends in a refusal.
Specification: ``node/docs/spec/directory.md`` §5.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Final, NamedTuple

from docaxis.core.errors import TheirFault
from docaxis.core.trust import Authority, Versions, check_replaces
from docaxis.directory import layout
from docaxis.directory.shards import Index
from docaxis.directory.verified import MetadataSet, RoleInfo, TimestampInfo

ROOTS_PER_PASS_MAX: Final = 64


class File(NamedTuple):
    """A file asked for: its name, how long it may be, and whether it may be absent."""

    name: str
    bytes_max: int
    optional: bool = False


class Accepted(NamedTuple):
    """A directory that holds together. `files` are all its files by name, verbatim, those of `roots` in order first;
    `authorities` say who may revoke: ``root``, and each agency."""

    versions: Versions
    roots: tuple[str, ...]
    files: Mapping[str, bytes]
    roles: Mapping[str, RoleInfo]
    authorities: Mapping[str, Authority]
    entries: Index

    @property
    def targets_name(self) -> str:
        """File name of the list of agencies."""
        return layout.metadata_name("targets", self.versions.roles["targets"])


Answers = Sequence[bytes | None]
Pass = Generator[list[File], Answers, Accepted]


def renewal(root: bytes, old: Accepted | None, floor: Versions, now_ms: int) -> Pass:
    """Asks for files until a directory holds together, and returns it.

    `root` is the trusted root file; `old` what was accepted before (its shards are not read again); `floor` the numbers
    below which nothing may fall; `now_ms` the time at which timestamp and root must not have expired. Where the
    timestamp is the one in hand, `old` comes back. Raises `TheirFault` ``directory.*``, ``codec.*``, ``id.malformed``.
    """
    metadata = MetadataSet(root)
    roots, floor = yield from _roots(metadata, root, old, floor)
    [raw] = yield [File(layout.TIMESTAMP, layout.TIMESTAMP_BYTES_MAX)]
    timestamp = metadata.set_timestamp(_there(raw), now_ms)
    if old is not None and list(roots) == list(old.roots) and raw == old.files[layout.TIMESTAMP]:
        return old
    _check_timestamp(metadata, timestamp, _there(raw), old, floor)
    files = {**roots, layout.TIMESTAMP: _there(raw)}
    versions = yield from _snapshot(metadata, timestamp, floor, files)
    agencies = yield from _targets(metadata, versions, files)
    roles = yield from _roles(metadata, agencies, files)
    index = yield from _shards(roles, old, files)
    authorities = {name: found for name in ("root", *agencies) if (found := metadata.authority(name)) is not None}
    return Accepted(versions, tuple(roots), files, roles, authorities, index)


def _there(raw: bytes | None) -> bytes:
    assert raw is not None, "only optional files may be absent"
    return raw


def _roots(
    metadata: MetadataSet, root: bytes, old: Accepted | None, floor: Versions
) -> Generator[list[File], Answers, tuple[dict[str, bytes], Versions]]:
    """TUF 5.3: every root between the trusted one and the newest, and the floor that is left: where the keys of
    timestamp or snapshot changed after the newest root known before, their numbers start anew (5.3.11)."""
    roots = {layout.metadata_name("root", metadata.root_version): root}
    keys = metadata.online_keys()
    for _ in range(ROOTS_PER_PASS_MAX):
        name = layout.metadata_name("root", metadata.root_version + 1)
        [raw] = yield [File(name, layout.ROOT_BYTES_MAX, optional=True)]
        if raw is None:
            break
        metadata.add_root(raw)
        roots[name] = raw
        if metadata.root_version <= floor.root:
            keys = metadata.online_keys()
    if metadata.root_version < floor.root:
        raise TheirFault("directory.rollback", f"root {floor.root} was verified before, this source ends earlier")
    return roots, floor if metadata.online_keys() == keys else Versions(floor.root, 0, 0, {})


def _check_timestamp(
    metadata: MetadataSet, timestamp: TimestampInfo, raw: bytes, old: Accepted | None, floor: Versions
) -> None:
    check_replaces(floor, Versions(metadata.root_version, timestamp.version, timestamp.snapshot_version, floor.roles))
    if old is not None and timestamp.version == floor.timestamp and raw != old.files[layout.TIMESTAMP]:
        raise TheirFault("directory.mismatch", f"two different timestamps have the number {timestamp.version}")


def _snapshot(
    metadata: MetadataSet, timestamp: TimestampInfo, floor: Versions, files: dict[str, bytes]
) -> Generator[list[File], Answers, Versions]:
    name = layout.metadata_name("snapshot", timestamp.snapshot_version)
    [raw] = yield [File(name, layout.SNAPSHOT_BYTES_MAX)]
    roles = metadata.set_snapshot(_there(raw))
    files[name] = _there(raw)
    versions = Versions(metadata.root_version, timestamp.version, timestamp.snapshot_version, roles)
    check_replaces(floor, versions)
    return versions


def _targets(
    metadata: MetadataSet, versions: Versions, files: dict[str, bytes]
) -> Generator[list[File], Answers, tuple[str, ...]]:
    if "targets" not in versions.roles:
        raise TheirFault("directory.mismatch", "the snapshot does not name the list of agencies")
    name = layout.metadata_name("targets", versions.roles["targets"])
    [raw] = yield [File(name, layout.TARGETS_BYTES_MAX)]
    agencies = metadata.set_targets(_there(raw))
    files[name] = _there(raw)
    unlisted = versions.roles.keys() - {"targets", *agencies}
    if unlisted:
        raise TheirFault(
            "directory.wrong-path", f"the snapshot names roles nobody delegated to: {sorted(unlisted)[:4]}"
        )
    # an agency whose officers have not signed anything yet is in the list, and not in the snapshot
    return tuple(each for each in agencies if each in versions.roles)


def _roles(
    metadata: MetadataSet, agencies: Sequence[str], files: dict[str, bytes]
) -> Generator[list[File], Answers, dict[str, RoleInfo]]:
    names = {agency: layout.metadata_name(agency, metadata.role_version(agency)) for agency in agencies}
    answers = yield [File(name, layout.ROLE_BYTES_MAX) for name in names.values()]
    roles = {}
    for (agency, name), raw in zip(names.items(), answers, strict=True):
        roles[agency] = metadata.check_role(agency, _there(raw))
        files[name] = _there(raw)
    return roles


def _shards(
    roles: Mapping[str, RoleInfo], old: Accepted | None, files: dict[str, bytes]
) -> Generator[list[File], Answers, Index]:
    known = {shard.sha256_hex: shard for shard in old.entries.shards()} if old else {}
    wanted = [info for role in roles.values() for info in role.shards if info.sha256_hex not in known]
    answers = yield [File(info.file_name, info.length) for info in wanted]
    known |= {info.sha256_hex: info.open(_there(raw)) for info, raw in zip(wanted, answers, strict=True)}
    shards = []
    for info in (info for role in roles.values() for info in role.shards):
        shard = known[info.sha256_hex]
        if shard.path != info.path:
            raise TheirFault("directory.wrong-path", f"{info.path} holds the shard {shard.path}")
        shards.append(shard)
        files[info.file_name] = shard.raw
    return Index(shards)


def step(steps: Pass, answers: Answers | None) -> tuple[list[File], Accepted | None]:
    """One step of a pass: the files it asks for, or what it found; `answers` is None the first time."""
    try:
        return (next(steps) if answers is None else steps.send(answers)), None
    except StopIteration as stop:
        found: Accepted = stop.value
        return [], found


def drive(steps: Pass, look_up: Callable[[File], bytes | None]) -> Accepted:
    """Answers a pass from files at hand; raises `TheirFault` ``directory.not-found``, and what the pass raises."""
    answers: Answers | None = None
    while True:
        wanted, accepted = step(steps, answers)
        if accepted is not None:
            return accepted
        answers = [look_up(file) for file in wanted]
        for file, raw in zip(wanted, answers, strict=True):
            if raw is None and not file.optional:
                raise TheirFault("directory.not-found", f"{file.name} is not there")
