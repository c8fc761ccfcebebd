"""Proofs: a stranger with the root file alone can check whose key it was, years later, and nothing else passes."""

from pathlib import Path

import pytest

from docaxis.core import codec
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.directory.ceremony import Ceremony, new_officers
from docaxis.directory.proof import Proof, proof_value, read_proof, verify_proof
from docaxis.directory.repository import Repository
from docaxis.directory.verified import time_of
from tests.directory.registry import (
    DAY_MS,
    NOW_MS,
    Source,
    ceremony,
    node,
    node_entry,
    resigned,
    rotate_root,
    unit_entry,
)

H49, G22, COMMUNE = PartyId("H49"), PartyId("G22"), PartyId("H49.16.01")


@pytest.fixture
def town(tmp_path: Path) -> Ceremony:
    """A published directory of three agencies."""
    return ceremony(tmp_path, ["G22", "H49", "H57"])


@pytest.fixture
async def repository(town: Ceremony, tmp_path: Path) -> Repository:
    """A node that knows it."""
    return await node(town, tmp_path / "n")


def refused(root: bytes, proof: Proof) -> str:
    """The code with which a proof is refused."""
    with pytest.raises(TheirFault) as caught:
        verify_proof(root, proof)
    return caught.value.code


def test_a_proof_shows_the_keys_of_those_it_was_made_for(town: Ceremony, repository: Repository) -> None:
    """Through a file and back, with nothing but the root."""
    raw = codec.encode(proof_value(repository.prove([H49, G22, COMMUNE])))
    proven = verify_proof(town.root, read_proof(codec.decode(raw, 10**6)))
    for party in (H49, G22, COMMUNE):
        key = town.bench.entries_of(PartyId(party[:3]))[party].keys[0]
        assert proven.key(party, key.id) == key
    assert (proven.root_version, proven.targets_version) == (1, 1)
    assert {entry.id for entry in proven.entries()} >= {H49, G22, COMMUNE}


def test_a_proof_says_nothing_of_others(town: Ceremony, repository: Repository) -> None:
    """It is as small as its purpose."""
    proof = repository.prove([G22])
    proven = verify_proof(town.root, proof)
    assert (list(proof.roles), list(proof.shards)) == (["G22"], ["G22/s00"])
    assert proven.entry(H49) is None
    with pytest.raises(TheirFault) as unknown:
        proven.key(H49, town.bench.entries_of(H49)[H49].keys[0].id)
    with pytest.raises(TheirFault) as other:
        proven.key(G22, town.bench.entries_of(H49)[H49].keys[0].id)
    assert (unknown.value.code, other.value.code) == ("party.unknown", "seal.key-unknown")


def test_nobody_proves_a_party_that_is_not_there(repository: Repository) -> None:
    """The exporter learns it, not the court."""
    with pytest.raises(TheirFault) as caught:
        repository.prove([PartyId("H50")])
    assert caught.value.code == "party.unknown"


async def test_a_proof_after_rotations_starts_from_any_root_it_holds(town: Ceremony, tmp_path: Path) -> None:
    """The auditor's root may be the first or a later one; one from after the proof says so."""
    early = (await node(town, tmp_path / "n0")).prove([H49])
    for _ in range(2):
        rotate_root(town, NOW_MS)
        town.publish(NOW_MS)
    proof = (await node(town, tmp_path / "n1")).prove([H49])
    files = Source.of(town.public).files
    for version in (1, 2, 3):
        assert verify_proof(files[f"{version}.root.json"], proof).root_version == 3
    assert refused(files["3.root.json"], early) == "directory.mismatch"
    assert refused(town.root, proof._replace(roots=(proof.roots[0], proof.roots[2]))) == "directory.mismatch"


async def test_a_unit_of_a_large_agency_needs_only_its_own_shard(tmp_path: Path) -> None:
    """A letter from one commune does not carry a whole province."""
    town = Ceremony(tmp_path / "p", NOW_MS)
    units = [unit_entry(f"H49.{n}") for n in range(1200)]
    town.add_agency([node_entry("H49"), *units])
    town.publish(NOW_MS)
    proof = (await node(town, tmp_path / "n")).prove([units[700].id])
    assert len(proof.shards) == 1
    assert verify_proof(town.root, proof).entry(units[700].id) == units[700]


def test_a_proof_under_another_root_is_refused(tmp_path: Path, repository: Repository) -> None:
    """Somebody else's directory proves nothing."""
    other = ceremony(tmp_path / "other")
    proof = repository.prove([H49])
    assert refused(other.root, proof) == "directory.threshold"


@pytest.mark.parametrize("part", ["roots", "targets", "roles", "shards"])
def test_no_bit_of_a_proof_may_change(town: Ceremony, repository: Repository, part: str) -> None:
    """Each file is under a signature or a digest."""
    value = proof_value(repository.prove([H49]))

    def flip(raw: bytes) -> bytes:
        at = raw.index(b"H49") if b"H49" in raw else raw.index(b"root")
        return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]

    if part == "targets":
        value[part] = flip(value[part])
    elif part == "roots":
        value[part] = [flip(value[part][0])]
        value[part][0] = value[part][0].replace(b'"version":1', b'"version":2')
    else:
        value[part] = {name: flip(raw) for name, raw in value[part].items()}
    assert refused(town.root, read_proof(value)).startswith("directory.")


def test_parts_of_two_agencies_do_not_mix(town: Ceremony, repository: Repository) -> None:
    """A role stands for its own agency, and a shard for its own path."""
    one, two = repository.prove([H49]), repository.prove([G22])
    assert refused(town.root, one._replace(roles={"H49": two.roles["G22"]})) == "directory.threshold"
    assert refused(town.root, one._replace(shards={"H49/s00": two.shards["G22/s00"]})) == "directory.mismatch"
    assert refused(town.root, one._replace(shards=two.shards)) == "directory.mismatch"
    assert refused(town.root, one._replace(roles={"H50": one.roles["H49"]})) == "directory.wrong-path"
    assert refused(town.root, one._replace(shards={"../x": b""})) == "directory.wrong-path"


def test_forged_files_are_refused(town: Ceremony, repository: Repository) -> None:
    """Signed by strangers, or another kind of file in the place of one."""
    proof, strangers = repository.prove([H49]), new_officers(3)
    forged = resigned(proof.targets, *strangers)
    assert refused(town.root, proof._replace(targets=forged)) == "directory.threshold"
    assert refused(town.root, proof._replace(roles={"H49": resigned(proof.roles["H49"], *strangers)})) == (
        "directory.threshold"
    )
    assert refused(town.root, proof._replace(targets=proof.roots[0])) == "directory.malformed"
    assert refused(town.root, proof._replace(roots=(proof.targets,))) == "directory.malformed"
    assert refused(town.root, proof._replace(roles={"H49": proof.roots[0]})) == "directory.malformed"


@pytest.mark.parametrize(
    "change",
    [{"type": "x"}, {"roots": []}, {"roots": [1]}, {"targets": 1}, {"roles": []}, {"shards": {"a": 1}}, {"extra": 1}],
)
def test_what_is_not_a_proof_is_refused_before_it_is_verified(
    repository: Repository, change: dict[str, object]
) -> None:
    """By its form."""
    with pytest.raises(TheirFault) as caught:
        read_proof({**proof_value(repository.prove([H49])), **change})
    assert caught.value.code == "codec.schema"


def test_a_proof_holds_for_ever(town: Ceremony, repository: Repository) -> None:
    """Roles that expired long ago prove as well as new ones."""
    officers = town.role_people[H49][1]
    proof = repository.prove([H49])
    expired = resigned(proof.roles["H49"], *officers, expires=time_of(NOW_MS - 5000 * DAY_MS))
    assert verify_proof(town.root, proof._replace(roles={"H49": expired})).entry(H49) is not None
