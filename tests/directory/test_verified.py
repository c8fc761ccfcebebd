"""What we rely on python-tuf for: each rule of TUF that refuses, with our code, at the step where it must."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Role, TargetFile

from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.directory import layout
from docaxis.directory.ceremony import Ceremony, new_officers
from docaxis.directory.drafts import Periods
from docaxis.directory.signing import Officers, read_metadata
from docaxis.directory.verified import MetadataSet, ShardInfo
from docaxis.seal.keys import key_id
from tests.directory.registry import DAY_MS, HOUR_MS, NOW_MS, Source, ceremony, node_entry, republished, resigned

Files = dict[str, bytes]


@pytest.fixture
def town(tmp_path: Path) -> Ceremony:
    """A published directory of two agencies."""
    return ceremony(tmp_path)


@pytest.fixture
def files(town: Ceremony) -> Files:
    """Its files."""
    return Source.of(town.public).files


def upto(step: str, files: Files, now_ms: int = NOW_MS) -> MetadataSet:
    """A pass that has accepted everything before `step`."""
    metadata = MetadataSet(files["1.root.json"])
    for name, accept in steps(metadata, files, now_ms):
        if name == step:
            break
        accept()
    return metadata


def steps(metadata: MetadataSet, files: Files, now_ms: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every step of a pass in order."""
    yield "timestamp", lambda: metadata.set_timestamp(files["timestamp.json"], now_ms)
    yield "snapshot", lambda: metadata.set_snapshot(files["1.snapshot.json"])
    yield "targets", lambda: metadata.set_targets(files["1.targets.json"])
    yield "role", lambda: metadata.check_role("H49", files["1.H49.json"])


def refused(act: Callable[[], object]) -> str:
    """The code that an act is refused with."""
    with pytest.raises(TheirFault) as caught:
        act()
    return caught.value.code


def test_a_good_directory_passes_and_says_what_it_holds(files: Files) -> None:
    """Versions, agencies, and each agency's shards by digest."""
    metadata = MetadataSet(files["1.root.json"])
    assert metadata.root_version == 1
    assert metadata.set_timestamp(files["timestamp.json"], NOW_MS) == (1, 1)
    assert metadata.set_snapshot(files["1.snapshot.json"]) == {"targets": 1, "G22": 1, "H49": 1}
    assert metadata.set_targets(files["1.targets.json"]) == ("G22", "H49")
    role = metadata.check_role("H49", files["1.H49.json"])
    assert [info.path for info in role.shards] == ["H49/s00"]
    assert role.shards[0].file_name in files


def test_officers_are_counted_as_the_core_counts_them(town: Ceremony, files: Files) -> None:
    """Revocations are signed with the same keys, under our own ids."""
    metadata = upto("none", files)
    root, agency = metadata.authority("root"), metadata.authority("H49")
    assert root is not None
    assert agency is not None
    assert (root.threshold, set(root.keys)) == (2, {each.key_id for each in town.people})
    assert agency.keys == {
        key_id(each.public_key): ("ed25519", each.public_key) for each in town.role_people[PartyId("H49")][1]
    }
    assert metadata.authority("H50") is None


@pytest.mark.parametrize("step", ["timestamp", "snapshot", "targets", "role"])
@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b'{"signed":{},"signatures":[]}', b"[" * 15_000])
def test_bytes_that_are_no_metadata_are_refused_at_every_step(files: Files, step: str, raw: bytes) -> None:
    """With a code; python-tuf raises many things here."""
    metadata = upto(step, files)
    acts: dict[str, Callable[[], object]] = {
        "timestamp": lambda: metadata.set_timestamp(raw, NOW_MS),
        "snapshot": lambda: metadata.set_snapshot(raw),
        "targets": lambda: metadata.set_targets(raw),
        "role": lambda: metadata.check_role("H49", raw),
    }
    assert refused(acts[step]) in {"directory.malformed", "directory.mismatch"}


def test_files_that_are_too_long_are_refused_before_they_are_read(files: Files) -> None:
    """python-tuf itself would read anything."""
    assert refused(lambda: MetadataSet(bytes(layout.ROOT_BYTES_MAX + 1))) == "codec.too-long"
    assert refused(lambda: upto("timestamp", files).add_root(bytes(layout.ROOT_BYTES_MAX + 1))) == "codec.too-long"
    assert refused(lambda: upto("timestamp", files).set_timestamp(bytes(20_000), NOW_MS)) == "codec.too-long"
    assert (
        refused(lambda: upto("snapshot", files).set_snapshot(bytes(layout.SNAPSHOT_BYTES_MAX + 1))) == "codec.too-long"
    )
    assert refused(lambda: upto("targets", files).set_targets(bytes(layout.TARGETS_BYTES_MAX + 1))) == "codec.too-long"


def test_a_root_signed_by_too_few_is_no_root(town: Ceremony, files: Files) -> None:
    """Neither as the first nor as the next."""
    one = town.people[:1]
    assert refused(lambda: MetadataSet(resigned(files["1.root.json"], *one))) == "directory.threshold"
    metadata = upto("timestamp", files)
    assert refused(lambda: metadata.add_root(resigned(files["1.root.json"], *one, version=2))) == "directory.threshold"


def test_a_next_root_needs_the_officers_of_the_one_before(town: Ceremony, files: Files) -> None:
    """Strangers who list themselves as root are strangers still."""
    strangers = new_officers(3)
    town.bench.draft_root(_table(strangers), _table(strangers), town.online, NOW_MS + DAY_MS)
    raw = resigned(town.bench.drafts["root"].to_bytes(), *strangers)
    assert refused(lambda: upto("timestamp", files).add_root(raw)) == "directory.threshold"


def _table(people: list[Any]) -> Officers:
    return Officers(2, tuple(each.public_key for each in people))


def test_roots_follow_each_other_without_a_gap(town: Ceremony, files: Files) -> None:
    """A root that skips a number could hide a rotation."""
    raw = resigned(files["1.root.json"], *town.people, version=3)
    assert refused(lambda: upto("timestamp", files).add_root(raw)) == "directory.rollback"


@pytest.mark.parametrize("late_ms", [0, HOUR_MS, 1000 * DAY_MS])
def test_an_expired_timestamp_or_root_is_refused(files: Files, late_ms: int) -> None:
    """This is what ends a freeze: an attacker has old timestamps only."""
    metadata = upto("timestamp", files)
    assert (
        refused(lambda: metadata.set_timestamp(files["timestamp.json"], NOW_MS + DAY_MS + late_ms))
        == "directory.expired"
    )


def test_a_timestamp_or_snapshot_by_another_key_is_refused(town: Ceremony, files: Files) -> None:
    """The snapshot's key signs no timestamp, and the other way round."""
    raw = resigned(files["timestamp.json"], town.online.snapshot)
    assert refused(lambda: upto("timestamp", files).set_timestamp(raw, NOW_MS)) == "directory.threshold"


def test_a_snapshot_that_the_timestamp_does_not_name_is_refused(town: Ceremony, files: Files) -> None:
    """Mix-and-match at the top, even with a good signature."""
    raw = resigned(files["1.snapshot.json"], town.online.snapshot, version=2)
    assert refused(lambda: upto("snapshot", files).set_snapshot(raw)) == "directory.mismatch"


def test_targets_or_a_role_that_the_snapshot_does_not_name_are_refused(town: Ceremony, files: Files) -> None:
    """Mix-and-match below, even with enough officers."""
    targets = resigned(files["1.targets.json"], *town.people, version=2)
    assert refused(lambda: upto("targets", files).set_targets(targets)) == "directory.mismatch"
    role = resigned(files["1.H49.json"], *town.role_people[PartyId("H49")][1], version=2)
    assert refused(lambda: upto("role", files).check_role("H49", role)) == "directory.mismatch"
    assert refused(lambda: upto("role", files).check_role("H49", files["1.G22.json"])) == "directory.mismatch"


def test_a_role_nobody_delegated_to_is_refused(files: Files) -> None:
    """Whoever invents an agency has no place to hang it."""
    metadata = upto("role", files)
    assert refused(lambda: metadata.check_role("H50", files["1.H49.json"])) == "directory.mismatch"
    assert refused(lambda: metadata.delegation_digest("H50")) == "directory.wrong-path"


def test_an_expired_list_of_agencies_or_role_is_accepted(tmp_path: Path) -> None:
    """An agency that forgets to sign anew for years stays reachable; only root, timestamp and snapshot expire."""
    long = Periods(root_ms=9999 * DAY_MS, snapshot_ms=9999 * DAY_MS, timestamp_ms=9999 * DAY_MS)
    town = Ceremony(tmp_path / "p", NOW_MS)
    town.bench.draft_root(_table(town.people), _table(town.people), town.online, NOW_MS + long.root_ms)
    town.add_agency([node_entry("H49")])
    town.publish(NOW_MS, long)
    files = Source.of(town.public).files
    assert upto("none", files, NOW_MS + 5000 * DAY_MS).check_role("H49", files["1.H49.json"]).version == 1


def _republished(town: Ceremony, files: Files, role: str, raw: bytes) -> Files:
    """The same directory with another file for a role, signed by a thief of the publisher's keys."""
    return republished(town, {**files, layout.metadata_name(role, 1): raw})


def test_whoever_steals_the_publishers_keys_cannot_speak_for_an_agency(town: Ceremony, files: Files) -> None:
    """They say what is newest, never what is true."""
    forged = resigned(files["1.H49.json"], *new_officers(3))
    lies = _republished(town, files, "H49", forged)
    assert refused(lambda: upto("none", lies)) == "directory.threshold"


def test_an_agency_cannot_speak_for_another(town: Ceremony, files: Files) -> None:
    """Its officers sign a path outside their own units: the whole role is refused."""
    targets = {"G22/s00": TargetFile(3, {"sha256": "0" * 64}, "G22/s00")}
    forged = resigned(files["1.H49.json"], *town.role_people[PartyId("H49")][1], targets=targets)
    lies = _republished(town, files, "H49", forged)
    assert refused(lambda: upto("none", lies)) == "directory.wrong-path"


@pytest.mark.parametrize("path", ["H49/s0", "H49/x/s00", "../s00", "H49/s00.json", "H49//s00", "h49/s00"])
def test_a_target_that_is_no_shard_is_refused(town: Ceremony, files: Files, path: str) -> None:
    """Hostile names never become file names."""
    targets = {path: TargetFile(3, {"sha256": "0" * 64}, path)}
    forged = resigned(files["1.H49.json"], *town.role_people[PartyId("H49")][1], targets=targets)
    assert refused(lambda: upto("none", _republished(town, files, "H49", forged))) == "directory.wrong-path"


@pytest.mark.parametrize(
    ("digest", "length", "code"),
    [
        ("../../etc/passwd", 3, "directory.malformed"),
        ("A" * 64, 3, "directory.malformed"),
        ("0" * 64, 600_000, "codec.too-long"),
    ],
)
def test_a_shard_of_hostile_digest_or_length_is_refused(
    town: Ceremony, files: Files, digest: str, length: int, code: str
) -> None:
    """Digests become file names, and lengths become buffers."""
    targets = {"H49/s00": TargetFile(length, {"sha256": digest}, "H49/s00")}
    forged = resigned(files["1.H49.json"], *town.role_people[PartyId("H49")][1], targets=targets)
    assert refused(lambda: upto("none", _republished(town, files, "H49", forged))) == code


@pytest.mark.parametrize(
    ("paths", "terminating"), [(["*/*"], True), (["H49/*", "G22/*"], True), (["H49/*"], False), (["H49/s0?"], True)]
)
def test_a_delegation_wider_than_the_agency_is_refused(
    town: Ceremony, files: Files, paths: list[str], terminating: bool
) -> None:
    """Even the officers of the list cannot let one province speak for others."""
    delegations = read_metadata(files["1.targets.json"]).signed.delegations
    delegations.roles["H49"].paths, delegations.roles["H49"].terminating = paths, terminating
    forged = resigned(files["1.targets.json"], *town.people, delegations=delegations)
    assert refused(lambda: upto("none", _republished(town, files, "targets", forged))) == "directory.wrong-path"


def test_the_file_of_a_shard_is_named_by_its_digest() -> None:
    """TUF's consistent snapshots: a name never changes its content."""
    assert ShardInfo("H49/s00", "ab" * 32, 3).file_name == f"H49/{'ab' * 32}.s00"


def test_a_role_of_threshold_counts_different_officers(tmp_path: Path) -> None:
    """One officer who signs twice is one officer."""
    town = ceremony(tmp_path, ["G22"], officers=5, threshold=3)
    files = Source.of(town.public).files
    twice = resigned(files["1.targets.json"], town.people[0], town.people[1], town.people[1])
    lies = _republished(town, files, "targets", twice)
    assert refused(lambda: upto("targets", lies).set_targets(twice)) == "directory.threshold"


def test_roles_know_no_threshold_of_zero() -> None:
    """python-tuf refuses to read one; we rely on it."""
    with pytest.raises(ValueError, match="threshold"):
        Role([], 0)
