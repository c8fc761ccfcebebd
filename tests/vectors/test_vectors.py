"""The product against vectors that a second implementation made, in another language and from the pages alone.

Each vector names its outcome: what it reads as, or the code with which it is refused.
"""

import filecmp
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from docaxis.core import codec, evidence, limits, wire
from docaxis.core import envelope as envelopes
from docaxis.core import statement as statements
from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.errors import TheirFault
from docaxis.core.evidence import Broken
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.signed import Signed, SignedHead, check_path, check_signature, decode_head
from docaxis.core.tree import leaf_hash, root_and_paths, root_from_path
from docaxis.seal import sign
from docaxis.seal.keys import key_id

HERE = Path(__file__).parent
MAKER = HERE.parent.parent / "tools/vectors/make.mjs"
FILES = ("encoding", "tree", "signed", "envelope", "statement", "wire", "evidence")


def load(name: str) -> Any:
    """One file of vectors."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def vectors(name: str) -> Any:
    """The vectors of a file as parameters, each named as in the file."""
    return [pytest.param(each, id=each["name"]) for each in load(name)["vectors"]]


def raw_of(vector: dict[str, Any]) -> bytes:
    """The bytes of a vector, written at once or in parts."""
    parts = vector.get("parts") or [vector["hex"]]
    return b"".join(
        bytes.fromhex(part) if isinstance(part, str) else bytes.fromhex(part[0]) * part[1] for part in parts
    )


def value_of(shown: Any) -> Any:
    """A decoded value from its JSON form."""
    if isinstance(shown, list):
        return [value_of(each) for each in shown]
    if not isinstance(shown, dict):
        return shown
    if "bytes" in shown:
        return bytes.fromhex(shown["bytes"])
    return int(shown["integer"]) if "integer" in shown else {key: value_of(item) for key, item in shown["map"]}


def outcome_of(act: Any) -> str:
    """``ok``, or the code of the refusal."""
    try:
        act()
    except TheirFault as error:
        return error.code
    return "ok"


@pytest.mark.parametrize("vector", vectors("encoding"))
def test_encoding(vector: dict[str, Any]) -> None:
    """Every form of every value, and every form that is not one."""
    raw = raw_of(vector)
    assert outcome_of(lambda: codec.decode(raw, limits.MIB)) == vector["outcome"]
    if vector["outcome"] == "ok":
        assert codec.decode(raw, limits.MIB) == value_of(vector["value"])
        assert codec.encode(value_of(vector["value"])) == raw


@pytest.mark.parametrize("vector", vectors("tree"))
def test_tree(vector: dict[str, Any]) -> None:
    """Roots and all paths, and paths that lead elsewhere."""
    root = bytes.fromhex(vector["root"])
    if "leaves" in vector:
        found, paths = root_and_paths([leaf_hash(bytes.fromhex(leaf)) for leaf in vector["leaves"]])
        assert (found, [[each.hex() for each in path] for path in paths]) == (root, vector["paths"])
    else:
        path = [bytes.fromhex(each) for each in vector["path"]]
        led = root_from_path(leaf_hash(bytes.fromhex(vector["leaf"])), vector["index"], vector["count"], path)
        assert (led == root) == (vector["outcome"] == "ok")


@pytest.mark.parametrize("vector", vectors("signed"))
def test_signed(vector: dict[str, Any]) -> None:
    """Head, signature and path, in the order in which a reader checks them."""
    head, signature, body = (bytes.fromhex(vector[field]) for field in ("head", "signature", "body"))
    path = tuple(bytes.fromhex(each) for each in vector["path"])
    each = Signed(body, SignedHead(head, signature), vector["index"], path)

    def read() -> None:
        said = decode_head(head)
        check_signature(sign, said, each.head, bytes.fromhex(vector["public"]))
        check_path(each, said)

    assert outcome_of(read) == vector["outcome"]
    assert vector["outcome"] != "ok" or each.id.hex() == vector["id"]


@pytest.mark.parametrize("vector", vectors("envelope"))
def test_envelope(vector: dict[str, Any]) -> None:
    """Fields, ids, and the same bytes when written again."""
    raw = raw_of(vector)
    assert outcome_of(lambda: envelopes.decode(raw)) == vector["outcome"]
    if vector["outcome"] == "ok":
        assert envelopes.encode(envelopes.decode(raw)) == raw
        assert codec.decode(raw, len(raw)) == value_of(vector["value"])
        assert envelopes.envelope_id(raw).hex() == vector["id"]


@pytest.mark.parametrize("vector", vectors("statement"))
def test_statement(vector: dict[str, Any]) -> None:
    """Fields, ids, and the same bytes when written again."""
    raw = raw_of(vector)
    assert outcome_of(lambda: statements.decode(raw)) == vector["outcome"]
    if vector["outcome"] == "ok":
        assert statements.encode(statements.decode(raw)) == raw
        assert codec.decode(raw, len(raw)) == value_of(vector["value"])
        assert leaf_hash(raw).hex() == vector["id"]


@pytest.mark.parametrize("vector", vectors("wire"))
def test_wire(vector: dict[str, Any]) -> None:
    """Batches and answers."""
    raw = raw_of(vector)
    reads: dict[str, Any] = {"batch": wire.decode_batch, "reply": wire.decode_reply}
    writes: dict[str, Any] = {"batch": wire.encode_batch, "reply": wire.encode_reply}
    read, write = reads[vector["message"]], writes[vector["message"]]
    assert outcome_of(lambda: read(raw)) == vector["outcome"]
    if vector["outcome"] == "ok":
        assert write(read(raw)) == raw
        assert codec.decode(raw, len(raw)) == value_of(vector["value"])
    if "batch_id" in vector:
        items = wire.decode_batch(raw).items
        assert [item.id.hex() for item in items] == vector["ids"]
        assert wire.batch_id(items).hex() == vector["batch_id"]


def book() -> Book:
    """What the proofs of the evidence vectors would prove."""
    entries = {}
    for each in load("evidence")["parties"]:
        public, party = bytes.fromhex(each["public"]), PartyId(each["id"])
        key = SigningKey(KeyId(key_id(public)), "ed25519", public, 0, 0)
        entries[party] = Entry(
            party, each["name_vi"], each["name_en"], "", None, (), (), (key,), (), (), Status.OPEN, (), 0, 0, 1
        )
    return Book(entries.get, {}, 1, 0, {})


@pytest.mark.parametrize("vector", vectors("evidence"))
def test_evidence(vector: dict[str, Any]) -> None:
    """States per recipient, the broken link of a transmission, or that of the whole file."""
    raw = raw_of(vector)
    outcome = outcome_of(lambda: evidence.check(evidence.read(raw), sign, book()))
    assert outcome == ("ok" if vector["outcome"] == "in part" else vector["outcome"])
    if outcome == "ok":
        timeline = evidence.check(evidence.read(raw), sign, book())
        assert timeline.holds == (vector["outcome"] == "ok")
        states = {each.recipient.id: each.state.name for each in timeline.transmissions if each.state is not None}
        faults = {each.recipient.id: each.fault for each in timeline.transmissions if each.fault is not None}
        assert states == vector["states"]
        assert {party: fault.code for party, fault in faults.items()} == {
            party: code for party, (code, _) in vector.get("faults", {}).items()
        }
        for party, (_, link) in vector.get("faults", {}).items():
            assert faults[party].link.startswith(link)
    elif "link" in vector:
        with pytest.raises(Broken) as caught:
            evidence.check(evidence.read(raw), sign, book())
        assert caught.value.link.startswith(vector["link"])


def test_the_maker_makes_exactly_these_files(tmp_path: Path) -> None:
    """The vectors are what the second implementation says, not what somebody wrote into them."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed: the vectors were run, but not made again by tools/vectors/make.mjs")
    subprocess.run([node, str(MAKER), str(tmp_path)], check=True, timeout=60)
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(FILES)
    for name in FILES:
        assert filecmp.cmp(HERE / f"{name}.json", tmp_path / f"{name}.json", shallow=False), name
