"""`docaxis directory`: a directory made by officers who each have only their own key, command by command."""

import base64
import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from docaxis.cli import main
from docaxis.directory.readable import json_of_entry
from tests.directory.registry import node_entry, unit_entry

Run = Any


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the keys of four officers, encrypted by one passphrase."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCAXIS_PASSPHRASE", "bí mật")
    for name in ("an", "binh", "chi", "van"):
        assert main.main(["directory", "officer-key", f"{name}.pem"]) == main.OK
    return tmp_path


@pytest.fixture
def run(desk: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with --json; its exit code and its one object."""

    def call(*words: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main.main(["directory", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return call


def entry_file(code: str, **changes: Any) -> str:
    """An entry as `docaxis node init` writes it."""
    entry = (unit_entry if "." in code else node_entry)(code)._replace(**changes)
    value = {name: each for name, each in json_of_entry(entry).items() if name != "seq"}
    Path(f"{code}.json").write_text(json.dumps(value), encoding="utf-8")
    return f"{code}.json"


def publish_first(run: Run) -> None:
    """The first directory: H49 and a unit of it."""
    assert run("init", "pub", "--officer", "an.pub", "--officer", "binh.pub", "--officer", "chi.pub")[0] == 0
    assert run("add", "pub", entry_file("H49"), entry_file("H49.16"), "--officer", "van.pub")[0] == 0
    for officer in ("an", "chi"):
        for role in ("root", "targets"):
            assert run("sign", f"pub/drafts/{role}.json", "--key", f"{officer}.pem")[0] == 0
    assert run("sign", "pub/drafts/H49.json", "--key", "van.pem")[0] == 0
    assert run("publish", "pub")[1]["version"] == 1


def test_a_directory_is_made_by_officers_on_machines_of_their_own(run: Run) -> None:
    """Keys, drafts, signatures, publication, and the check that every node makes."""
    publish_first(run)
    code, found = run("verify", "pub", "--root", "pub/public/1.root.json")
    assert (code, found["holds"], found["agencies"], found["entries"], found["nodes"]) == (0, True, 1, 2, 1)
    code, shown = run("show", "pub")
    assert (shown["version"], shown["drafts"]) == (1, {})
    assert run("show", "pub", "000.00.00.H49")[1]["id"] == "H49"


def test_officers_keys_are_encrypted_and_never_printed(desk: Path) -> None:
    """What is handed in holds the public half alone."""
    assert b"ENCRYPTED" in (desk / "an.pem").read_bytes()
    assert (desk / "an.pem").stat().st_mode & 0o077 == 0
    assert set(json.loads((desk / "an.pub").read_text())) == {"key", "alg", "public"}


def test_publishing_says_whose_signatures_are_missing_and_changes_nothing(run: Run) -> None:
    """All or nothing; the drafts wait."""
    run("init", "pub", "--officer", "an.pub", "--officer", "binh.pub")
    code, found = run("publish", "pub")
    assert (code, found["error"]["code"]) == (main.USAGE, "directory.threshold")
    assert "0/2" in found["error"]["detail"]
    assert not Path("pub/public").exists()
    assert run("show", "pub")[1]["drafts"] == {"root": [0, 2], "targets": [0, 2]}


def test_copies_signed_elsewhere_are_merged(run: Run) -> None:
    """Each officer was sent a copy on the same day."""
    run("init", "pub", "--officer", "an.pub", "--officer", "binh.pub")
    merges = []
    for officer in ("an", "binh"):
        for role in ("root", "targets"):
            merges += ["--merge", f"{role}.{officer}.json"]
            run("sign", f"pub/drafts/{role}.json", "--key", f"{officer}.pem", "--out", f"{role}.{officer}.json")
    assert run("publish", "pub", *merges)[1]["version"] == 1


def test_an_officer_sees_the_entries_before_signing(run: Run, desk: Path) -> None:
    """The shards travel beside the draft; one that is not what the draft says stops the hand."""
    publish_first(run)
    run("add", "pub", entry_file("H49.17"))
    shutil.copytree("pub/drafts", "stick")
    says = run("sign", "stick/H49.json", "--key", "van.pem")[1]["says"]
    assert (list(says["entries"]), says["changes"]) == (["H49", "H49.16", "H49.17"], None)
    shard = next(Path("stick/H49").glob("s??"))
    other = next(Path("pub/public/H49").glob("*.s00"))
    shutil.copy(other, shard)
    code, found = run("sign", "stick/H49.json", "--key", "van.pem")
    assert (code, found["error"]["code"]) == (main.USAGE, "directory.mismatch")


def test_a_draft_whose_shards_stayed_behind_is_not_signed(run: Run) -> None:
    """What cannot be read is not signed."""
    publish_first(run)
    run("add", "pub", entry_file("H49.17"))
    shutil.copy("pub/drafts/H49.json", "H49.json")
    code, found = run("sign", "H49.json", "--key", "van.pem")
    assert (code, found["error"]["code"]) == (main.USAGE, "directory.incomplete")
    assert "H49/s00" in found["error"]["detail"]


def test_what_changes_is_shown_before_it_is_signed(run: Run, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key or an address that somebody slipped in stands out; a hand that has no part in it signs nothing."""
    publish_first(run)
    old = run("show", "pub", "H49")[1]
    run("rotate", "pub", "--entry", entry_file("H49", endpoints=("https://elsewhere.example",)))
    run("add", "pub", entry_file("H49.17"))
    shutil.copytree("pub/drafts", "stick")
    before = Path("stick/H49.json").read_bytes()
    command = ["directory", "sign", "stick/H49.json", "--published", "pub"]
    assert main.main([*command, "--key", "an.pem"]) == main.USAGE
    assert Path("stick/H49.json").read_bytes() == before
    assert main.main([*command, "--key", "van.pem"]) == main.OK
    shown = capsys.readouterr().out
    new = run("show", "pub", "H49")[1]
    digest = sha256(base64.b64decode(new["certificates"][0])).hexdigest()
    for words in (
        f"keys: {new['keys'][0]['id']}",
        f"certificates: {digest}",
        "endpoints: https://elsewhere.example",
        "status: open",
        "  H49: endpoints + https://elsewhere.example\n",
        f"  H49: endpoints - {old['endpoints'][0]}\n",
        f"  H49: keys + {new['keys'][0]['id']}",
        f"  H49: certificates + {digest}",
        "  H49.17: new\n",
    ):
        assert words in shown
    assert "H49.16: " not in shown
    assert shown.index("Changes against") < shown.index("Signed by")


def test_the_officers_and_their_thresholds_are_shown_by_key(run: Run) -> None:
    """A root that names a stranger, or lets one sign for all, must be seen by those who sign it."""
    publish_first(run)
    ids = {name: json.loads(Path(f"{name}.pub").read_text())["key"] for name in ("an", "binh", "chi", "van")}
    run("rotate", "pub", "--role", "root", "--officer", "van.pub", "--officer", "binh.pub", "--threshold", "1")
    says = run("sign", "pub/drafts/root.json", "--key", "an.pem")[1]["says"]
    assert says["officers"]["root"] == {"threshold": 1, "keys": sorted([ids["van"], ids["binh"]])}
    assert "root: threshold: 2 → 1" in says["changes"]
    assert f"root: keys + {ids['van']}" in says["changes"]
    assert f"root: keys - {ids['an']}" in says["changes"]
    run("rotate", "pub", "--role", "H49", "--officer", "an.pub")
    says = run("sign", "pub/drafts/targets.json", "--key", "chi.pem")[1]["says"]
    assert says["agencies"] == {"H49": {"threshold": 1, "keys": [ids["an"]]}}
    assert says["changes"] == [f"H49: keys + {ids['an']}", f"H49: keys - {ids['van']}"]


def test_a_key_that_has_no_part_in_a_role_does_not_sign(run: Run) -> None:
    """The hand is told at once, and not only at the publisher's desk."""
    publish_first(run)
    run("rotate", "pub", "--role", "root", "--officer", "an.pub", "--officer", "binh.pub")
    key = run("show", "pub", "H49")[1]["keys"][0]["id"]
    path = run("revoke", "pub", "H49", "--key", key)[1]["files"][key]
    for file, stranger in (("pub/drafts/root.json", "van.pem"), (path, "stranger.pem")):
        if not Path(stranger).exists():
            run("officer-key", stranger)
        code, found = run("sign", file, "--key", stranger)
        assert (code, found["error"]["code"]) == (main.USAGE, "directory.not-officer")
    code, found = run("sign", "pub/public/timestamp.json", "--key", "an.pem")
    assert (code, found["error"]["code"]) == (main.USAGE, "directory.invalid")


def test_a_changed_entry_keeps_its_keys_and_gets_the_next_seq(run: Run) -> None:
    """What show prints can be edited and added again."""
    publish_first(run)
    _, shown = run("show", "pub", "H49")
    shown["name_vi"] = "Tỉnh Quảng Ninh"
    Path("edited.json").write_text(json.dumps(shown), encoding="utf-8")
    run("add", "pub", "edited.json")
    run("sign", "pub/drafts/H49.json", "--key", "van.pem")
    assert run("publish", "pub")[1] | {"public": "", "root": ""} == {
        "version": 2, "published": ["H49"], "revoked": [], "public": "", "root": "",
    }  # fmt: skip
    again = run("show", "pub", "H49")[1]
    assert (again["name_vi"], again["seq"], again["keys"]) == ("Tỉnh Quảng Ninh", 2, shown["keys"])


def test_a_nodes_keys_are_rotated_with_an_overlap(run: Run) -> None:
    """The old key ends in days, the old certificate stays until then: no delivery fails in between."""
    publish_first(run)
    old = run("show", "pub", "H49")[1]
    code, _ = run("rotate", "pub", "--entry", entry_file("H49"), "--overlap-days", "3")
    run("sign", "pub/drafts/H49.json", "--key", "van.pem")
    run("publish", "pub")
    new = run("show", "pub", "H49")[1]
    assert code == 0
    assert [key["id"] for key in new["keys"]][1] == old["keys"][0]["id"]
    assert (new["keys"][0]["expires_ms"], new["keys"][1]["expires_ms"] > 0) == (0, True)
    assert new["certificates"][1:] == old["certificates"]
    assert new["aliases"] == old["aliases"]


@pytest.mark.parametrize("role", ["root", "list"])
def test_the_officers_of_the_root_and_of_the_list_are_rotated(run: Run, role: str) -> None:
    """The old ones let the new ones in; nodes that trust the first root follow."""
    publish_first(run)
    run("rotate", "pub", "--role", role, "--officer", "van.pub", "--officer", "binh.pub", "--threshold", "2")
    for officer in ("an", "binh", "van") if role == "root" else ("an", "chi"):
        run("sign", "pub/drafts/root.json", "--key", f"{officer}.pem")
    for officer in ("binh", "van") if role == "list" else ():
        run("sign", "pub/drafts/targets.json", "--key", f"{officer}.pem")
    assert run("publish", "pub")[0] == 0
    assert run("verify", "pub", "--root", "pub/public/1.root.json")[1]["root_version"] == 2


def test_the_officers_of_an_agency_are_rotated(run: Run) -> None:
    """The list names the new ones, who sign the same entries anew."""
    publish_first(run)
    run("rotate", "pub", "--role", "H49", "--officer", "binh.pub")
    for officer in ("an", "chi"):
        run("sign", "pub/drafts/targets.json", "--key", f"{officer}.pem")
    code, found = run("sign", "pub/drafts/H49.json", "--key", "van.pem")
    assert (code, found["error"]["code"]) == (main.USAGE, "directory.not-officer")
    assert run("publish", "pub")[1]["error"]["code"] == "directory.threshold"
    run("sign", "pub/drafts/H49.json", "--key", "binh.pem")
    assert run("publish", "pub")[1]["published"] == ["H49", "targets"]


def test_a_key_is_revoked_by_the_agencys_officers(run: Run) -> None:
    """The same three steps: draft, sign, publish."""
    publish_first(run)
    key = run("show", "pub", "H49")[1]["keys"][0]["id"]
    _, drafted = run("revoke", "pub", "H49", "--key", key, "--reason", "máy chủ bị chiếm")
    path = drafted["files"][key]
    assert run("publish", "pub")[1]["error"]["code"] == "directory.threshold"
    assert run("sign", path, "--key", "van.pem")[1]["says"]["says"][0]["reason"] == "máy chủ bị chiếm"
    assert run("show", "pub")[1]["draft_revocations"][0]["signatures"] == 1
    published = run("publish", "pub")[1]
    assert published["published"] == []
    assert [(each["party"], each["key"]) for each in published["revoked"]] == [("H49", key)]
    assert b"revocation/1" in Path("pub/public/revocations").read_bytes()


def test_what_is_revoked_is_told_when_it_is_published_and_ever_after(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A word against a key is never published in silence, nor forgotten by who looks the party up."""
    publish_first(run)
    key = run("show", "pub", "H49")[1]["keys"][0]["id"]
    path = run("revoke", "pub", "H49", "--key", key, "--reason", "máy chủ bị chiếm")[1]["files"][key]
    run("sign", path, "--key", "van.pem")
    main.main(["directory", "publish", "pub"])
    assert f"revoked H49 {key} from " in capsys.readouterr().out
    main.main(["directory", "show", "pub"])
    shown = capsys.readouterr().out
    assert f"revoked H49 {key} from " in shown
    assert "(máy chủ bị chiếm)" in shown
    assert [each["key"] for each in run("show", "pub")[1]["revoked"]] == [key]
    entry = run("show", "pub", "H49")[1]
    assert [each["key"] for each in entry["revoked"]] == [key]
    assert run("show", "pub", "H49.16")[1]["revoked"] == []
    Path("shown.json").write_text(json.dumps(entry), encoding="utf-8")
    assert run("add", "pub", "shown.json")[0] == 0, "what was shown can be edited and handed in again"


def test_published_drafts_leave_nothing_behind(run: Run) -> None:
    """An empty folder of an agency looks like a draft that lost its files."""
    publish_first(run)
    assert list(Path("pub/drafts").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["show", "nowhere"], "directory.not-found"),
        (["show", "pub", "H50"], "party.unknown"),
        (["add", "pub", "missing.json"], "file.unusable"),
        (["add", "pub", "an.pub"], "directory.invalid"),
        (["add", "pub", "H57.json"], "directory.invalid"),
        (["add", "pub", "H49.json", "H57.json", "--officer", "an.pub"], "directory.invalid"),
        (["add", "pub", "H49.json", "--officer", "H49.json"], "file.wrong"),
        (["rotate", "pub"], "directory.invalid"),
        (["rotate", "pub", "--entry", "H57.json"], "party.unknown"),
        (["rotate", "pub", "--role", "h49", "--officer", "an.pub"], "id.malformed"),
        (["revoke", "pub", "H49", "--key", "12"], "id.malformed"),
        (["revoke", "pub", "H49", "--certificate", "an.pub"], "codec.malformed"),
        (["sign", "pub/public/1.root.json", "--key", "an.pub"], "file.wrong"),
        (["sign", "H49.json", "--key", "an.pem"], "directory.malformed"),
        (["publish", "pub", "--merge", "pub/public/1.H49.json"], "directory.mismatch"),
        (["verify", "pub", "--root", "an.pub"], "directory.malformed"),
        (["init", "pub", "--officer", "an.pub"], "node.exists"),
        (["init", "new", "--officer", "an.pub"], "directory.invalid"),
        (["officer-key", "an.pem"], "node.exists"),
    ],
)
def test_what_cannot_be_done_has_a_code_and_no_traceback(run: Run, words: list[str], code: str) -> None:
    """Wrong names, wrong files, wrong order."""
    publish_first(run)
    entry_file("H57")
    Path("an.pub").chmod(0o600)
    exit_code, found = run(*words)
    assert exit_code in (main.USAGE, main.OURS)
    assert found["error"]["code"] == code


def test_without_a_passphrase_nobody_signs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a script there is nobody to ask."""
    publish_first(run)
    monkeypatch.delenv("DOCAXIS_PASSPHRASE")
    code, found = run("publish", "pub")
    assert (code, found["error"]["code"]) == (main.OURS, "node.passphrase")


def test_people_are_told_what_comes_next(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json, each step names the next one."""
    main.main(["directory", "init", "pub", "--officer", "an.pub", "--officer", "chi.pub"])
    said = capsys.readouterr().out
    assert "pub/drafts/root.json  0 of 2 signatures" in said
    assert "docaxis directory sign FILE --key OFFICER.pem" in said


@pytest.mark.parametrize(
    "command", ["officer-key", "init", "add", "rotate", "revoke", "sign", "publish", "show", "verify"]
)
def test_each_command_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its help shows at least one whole line to type."""
    with pytest.raises(SystemExit) as done:
        main.main(["directory", command, "--help"])
    assert done.value.code == 0
    assert f"docaxis directory {command} " in capsys.readouterr().out.split("example")[1]
