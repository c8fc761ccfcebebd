"""An auditor with a file and the root keys, and nothing else."""

import json
from pathlib import Path

import pytest

from docaxis.cli import main
from docaxis.core import evidence, evidence_file
from docaxis.core import statement as statements
from docaxis.core.lifecycle import Code
from docaxis.core.signed import sign_together
from docaxis.runtime import folder as places
from docaxis.seal.sign import NodeSeal
from docaxis.testing.ground import Agency, make_ground
from tests.cli.axis import Offices, docaxis
from tests.cli.test_documents import eventually, send, state_at


@pytest.fixture(scope="module")
def proof(offices: Offices, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evidence of a letter that was received."""
    doc = send(offices, "--subject", "Về việc nghỉ Tết", "--number", "7816")
    assert offices.at("H49", "advance", doc, "--to", "completed", "--actor", "Nguyễn Văn An").code == main.OK
    target = tmp_path_factory.mktemp("audit") / "7816.evidence"
    written = offices.at("H49", "evidence", doc, "-o", target)
    assert written.code == main.OK, written
    assert offices.at("H49", "evidence", doc, "-o", target).code == main.OURS, "it exists"
    assert offices.at("H49", "evidence", doc, "-o", target, "--force", "--json").json["bytes"] > 0
    return target


def test_evidence_that_holds_is_a_plain_timeline(offices: Offices, proof: Path) -> None:
    """In both languages for the clerk, the result before the details; in one on request, as JSON for programs."""
    root = offices.ground.root
    said = docaxis("verify", proof, "--root", root)
    assert (said.code, said.err) == (main.OK, "")
    expected = (
        "EVIDENCE HOLDS · HỒ SƠ HỢP LỆ\n",
        "Subject · Trích yếu: Về việc nghỉ Tết\n",
        "Recipients · Nơi nhận: 1\n     1  completed · hoàn thành: H49\n",
        "H49 People's Committee of Quảng Ninh · Ủy ban nhân dân tỉnh Quảng Ninh: completed · hoàn thành\n",
        "  06 completed · hoàn thành  H49, Nguyễn Văn An  (key ",
    )
    places = [said.out.find(words) for words in expected]
    assert -1 not in places, said.out
    assert places == sorted(places)
    english, vietnamese = (docaxis("verify", proof, "--root", root, "--language", each).out for each in ("en", "vi"))
    assert english.startswith("EVIDENCE HOLDS\n")
    assert vietnamese.startswith("HỒ SƠ HỢP LỆ\n")
    found = docaxis("verify", proof, "--root", root, "--json").json
    assert found["holds"] is True
    assert [row["code"] for row in found["transmissions"][0]["rows"]] == ["01", "06"]


def test_an_altered_word_is_named_as_the_broken_link(offices: Offices, proof: Path, tmp_path: Path) -> None:
    """One letter of a name, and exit code 1."""
    raw = proof.read_bytes()
    forged = tmp_path / "forged.evidence"
    forged.write_bytes(raw.replace("Nguyễn Văn An".encode(), "Nguyễn Văn Ân".encode()[:-1] + b"m"))
    said = docaxis("verify", forged, "--root", offices.ground.root)
    assert said.code == main.NEGATIVE
    assert said.out.startswith("EVIDENCE DOES NOT HOLD · HỒ SƠ KHÔNG HỢP LỆ\n")
    same_length = raw.replace(b"Nguy", b"Ngoy")
    forged.write_bytes(same_length)
    said = docaxis("verify", forged, "--root", offices.ground.root)
    assert said.code == main.NEGATIVE
    assert "\nBroken link · Chỗ bị đứt: statement 2 of H49" in said.out
    assert "seal.bad-path" in said.out
    vietnamese = docaxis("verify", forged, "--root", offices.ground.root, "--language", "vi")
    assert vietnamese.out.startswith("HỒ SƠ KHÔNG HỢP LỆ\nChỗ bị đứt: statement 2 of H49")
    as_json = docaxis("verify", forged, "--root", offices.ground.root, "--json")
    assert '"holds": false' in as_json.out


def test_a_recipient_that_lies_is_named_and_the_others_hold(offices: Offices, tmp_path: Path) -> None:
    """Exit code 1, with the broken link of the one and the history of the other."""
    doc = offices.at("G22", "send", "--to", "H49", "--to", "H54", "--subject", "x").out.strip()
    eventually(state_at(offices, "G22", doc), lambda shown: "arrived" in str(shown))
    exported = tmp_path / "honest.evidence"
    assert offices.at("G22", "evidence", doc, "-o", exported).code == main.OK
    plain = evidence.read(exported.read_bytes())
    arrived = statements.decode(plain.statements[0].body)
    lie = statements.encode(arrived._replace(code=Code.RECEIVED, seq=7, prev=b"x" * 32))
    office, liar = (NodeSeal.load(offices.ground.nodes[code] / places.SIGNING_KEY) for code in ("G22", "H49"))
    kept = [*plain.statements, *sign_together(liar, arrived.by, [lie], arrived.at_ms)]
    to = evidence_file.decode_index(plain.closing.body).to
    raw = evidence.build(office, arrived.sender, 1, arrived.at_ms, plain.envelope, kept, to, plain.proofs)
    (tmp_path / "spoilt.evidence").write_bytes(raw)
    said = docaxis("verify", tmp_path / "spoilt.evidence", "--root", offices.ground.root)
    assert said.code == main.NEGATIVE
    assert said.out.startswith("EVIDENCE DOES NOT HOLD FOR · HỒ SƠ KHÔNG HỢP LỆ ĐỐI VỚI 1/2: H49\n")
    assert "\nEVIDENCE HOLDS FOR · HỒ SƠ HỢP LỆ ĐỐI VỚI 1/2: H54\n" in said.out
    assert "\n  Broken link · Chỗ bị đứt: statement 7 of H49 (03 received" in said.out
    found = json.loads(docaxis("verify", tmp_path / "spoilt.evidence", "--root", offices.ground.root, "--json").out)
    assert found["holds"] is False
    shown = {each["recipient"]["id"]: (each["holds"], each["state"]) for each in found["transmissions"]}
    assert shown == {"H49": (False, None), "H54": (True, "sent")}
    alone = tmp_path / "alone.evidence"
    assert offices.at("G22", "evidence", doc, "--recipient", "H54", "-o", alone).code == main.OK
    found = docaxis("verify", alone, "--root", offices.ground.root, "--json").json
    assert [each["recipient"]["id"] for each in found["transmissions"]] == ["H54"]
    assert found["others"] == 1


def test_evidence_under_other_root_keys_does_not_hold(offices: Offices, proof: Path, tmp_path: Path) -> None:
    """A directory of somebody else's making proves nothing."""
    other = make_ground(tmp_path / "other", {"G22": Agency("G22", "x", "x", "test")})
    said = docaxis("verify", proof, "--root", other.root)
    assert said.code == main.NEGATIVE
    assert "directory." in said.out


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x80", b"\xff" * 1000])
def test_what_is_no_evidence_is_refused(offices: Offices, tmp_path: Path, content: bytes) -> None:
    """Whatever the file is, the answer is an answer."""
    (tmp_path / "file").write_bytes(content)
    assert docaxis("verify", tmp_path / "file", "--root", offices.ground.root).code == main.NEGATIVE


def test_a_root_file_that_is_none_condemns_itself_and_no_evidence(
    offices: Offices, proof: Path, tmp_path: Path
) -> None:
    """The wrong file in the auditor's hand: nothing was checked, so nothing was found wrong with the evidence."""
    timestamp = next(offices.ground.root.parent.rglob("timestamp.json"))
    wrong = [b"", b"{}", b"\xff" * 9, proof.read_bytes(), timestamp.read_bytes()]
    wrong.append(
        offices.ground.root.read_bytes().replace(b'"sig": "', b'"sig": "00', 1).replace(b'"sig":"', b'"sig":"00', 1)
    )
    for number, content in enumerate(wrong):
        root = tmp_path / f"{number}.json"
        root.write_bytes(content)
        said = docaxis("verify", proof, "--root", root)
        assert (said.code, said.out) == (main.USAGE, ""), (number, said)
        assert str(root) in said.err
        assert "EVIDENCE" not in said.err


def test_a_file_that_is_not_there_is_a_mistake_of_the_caller(offices: Offices, proof: Path, tmp_path: Path) -> None:
    """Exit code 2, not 1: nothing was found wrong with any evidence."""
    assert docaxis("verify", tmp_path / "missing", "--root", offices.ground.root).code == main.USAGE
    assert docaxis("verify", proof, "--root", tmp_path / "missing").code == main.USAGE
