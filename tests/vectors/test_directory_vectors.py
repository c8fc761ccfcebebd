"""The directory against vectors that a second implementation made, in another language and from the page alone.

TUF metadata, too, was written and signed there: python-tuf reads what it did not write.
"""

import filecmp
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from docaxis.core import codec
from docaxis.core.errors import TheirFault
from docaxis.core.ids import PartyId
from docaxis.core.trust import Authority, check_revocation, decode_revocations, encode_revocations
from docaxis.directory.entries import decode_entry, encode_entry
from docaxis.directory.proof import proof_value, read_proof, verify_proof
from docaxis.directory.shards import Index, Shard, pack, part_of
from docaxis.seal.keys import key_id
from docaxis.seal.sign import verify

HERE = Path(__file__).parent
MAKER = HERE.parent.parent / "tools/vectors/directory.mjs"
FILE = json.loads((HERE / "directory.json").read_text(encoding="utf-8"))


def vectors(kind: str) -> Any:
    """The vectors of a kind as parameters, each named as in the file."""
    return [pytest.param(each, id=each["name"]) for each in FILE["vectors"] if each["kind"] == kind]


def outcome_of(act: Any) -> str:
    """``ok``, or the code of the refusal."""
    try:
        act()
    except TheirFault as error:
        return error.code
    return "ok"


def officers(role: str) -> Authority:
    """The officers in the file."""
    told = FILE["officers"][role]
    keys = [bytes.fromhex(each) for each in told["keys"]]
    return Authority(told["threshold"], {key_id(public): ("ed25519", public) for public in keys})


@pytest.mark.parametrize("vector", vectors("entry"))
def test_entries(vector: dict[str, Any]) -> None:
    """Read and written byte for byte, or refused."""
    raw = bytes.fromhex(vector["hex"])
    assert outcome_of(lambda: decode_entry(raw)) == vector["outcome"]
    if vector["outcome"] == "ok":
        assert encode_entry(decode_entry(raw)) == raw


@pytest.mark.parametrize("vector", vectors("shard"))
def test_shards(vector: dict[str, Any]) -> None:
    """What is found in it, and that we would write the same bytes."""
    raw = bytes.fromhex(vector["hex"])
    assert outcome_of(lambda: Shard(raw)) == vector["outcome"]
    if vector["outcome"] == "ok":
        index = Index([Shard(raw)])
        assert list(index.parties()) == vector["parties"]
        assert list(index.nodes) == vector["nodes"]
        assert dict(index.aliases) == vector["aliases"]
        entries = [entry for party in index.parties() if (entry := index.entry(party)) is not None]
        assert pack(PartyId("H49"), entries) == [raw]


@pytest.mark.parametrize("vector", vectors("part"))
def test_placement(vector: dict[str, Any]) -> None:
    """In which shard an entry lies."""
    assert part_of(vector["code"], vector["parts"]) == vector["part"]


@pytest.mark.parametrize("vector", vectors("revocation"))
def test_revocations(vector: dict[str, Any]) -> None:
    """Who may silence a key."""
    raw = bytes.fromhex(vector["hex"])
    signed = decode_revocations(raw)
    root, agency = officers("root"), officers("H49")
    found = outcome_of(lambda: check_revocation(signed[0], root, agency, lambda _: vector["owned"], verify))
    assert (found, encode_revocations(signed)) == (vector["outcome"], raw)


@pytest.mark.parametrize("vector", vectors("proof"))
def test_proofs(vector: dict[str, Any]) -> None:
    """What a stranger may believe."""
    raw, root = bytes.fromhex(vector["hex"]), bytes.fromhex(vector["root"])
    assert outcome_of(lambda: verify_proof(root, read_proof(codec.decode(raw, 10**6)))) == vector["outcome"]
    if vector["outcome"] == "ok":
        proof = read_proof(codec.decode(raw, 10**6))
        assert codec.encode(proof_value(proof)) == raw
        entry = verify_proof(root, proof).entry(PartyId("H49"))
        assert entry is not None
        assert verify_proof(root, proof).key(entry.id, entry.keys[0].id) == entry.keys[0]


def test_the_second_implementation_makes_the_same_file(tmp_path: Path) -> None:
    """The file in the tree is what its maker makes; without Node.js the vectors themselves are still run."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed: the vectors were run, but not made again by tools/vectors/directory.mjs")
    subprocess.run([node, str(MAKER), str(tmp_path)], check=True, timeout=60)
    assert filecmp.cmp(HERE / "directory.json", tmp_path / "directory.json", shallow=False)
