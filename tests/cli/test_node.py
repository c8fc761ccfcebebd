"""`docaxis node`: folders are made right or not at all, and every refusal says what to do."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from docaxis.cli import main as cli
from docaxis.cli import node
from docaxis.core.errors import OurFault
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.trust import Revocation, encode_revocations
from docaxis.directory.signing import sign_revocation
from docaxis.runtime import config
from docaxis.runtime import folder as places
from docaxis.seal.keys import load_ed25519
from tests.cli.axis import Offices
from tests.runtime.town import Town, submission


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches them."""
    for name in [name for name in os.environ if name.startswith("DOCAXIS_")]:
        monkeypatch.delenv(name)


def run(*words: str | Path) -> int:
    """The command, in this process."""
    return cli.main(["node", *map(str, words)])


def test_init_makes_a_folder_that_only_its_owner_can_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys and token belong to the node alone; the entry is for everybody."""
    node = tmp_path / "h49"
    assert run("init", node, "--id", "H49", "--endpoint", "https://h49.example:8443", "--name", "Quảng Ninh") == cli.OK
    for name in places.PRIVATE:
        assert stat.S_IMODE((node / name).stat().st_mode) == 0o600
    entry = json.loads((node / places.ENTRY).read_text(encoding="utf-8"))
    assert (entry["id"], entry["name_vi"], entry["endpoints"]) == ("H49", "Quảng Ninh", ["https://h49.example:8443"])
    assert (node / places.TLS_CERTIFICATE).read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    shown = capsys.readouterr().out
    assert "entry.json" in shown
    assert f"docaxis node run {node}" in shown
    assert config.load(node, {}).settings.peers.endpoint == "https://h49.example:8443"


def test_init_touches_nothing_where_a_node_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that were overwritten would be an identity lost."""
    assert run("init", tmp_path / "h49", "--id", "H49") == cli.OK
    before = (tmp_path / "h49" / places.SIGNING_KEY).read_bytes()
    assert run("init", tmp_path / "h49", "--id", "H49") == cli.OURS
    assert "node.exists" in capsys.readouterr().err
    assert (tmp_path / "h49" / places.SIGNING_KEY).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--id", "h-49"], "not a party code"),
        (["--id", "H49", "--endpoint", "http://h49.example"], "peers.endpoint"),
        (["--id", "H49", "--api-port", "70000"], "api.port"),
        (["--id", "H49", "--source", "ftp://a.example"], "directory.sources"),
    ],
)
def test_init_refuses_wrong_settings_before_anything_is_made(
    tmp_path: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a node would be in the way of a whole one."""
    assert run("init", tmp_path / "h49", *words) != cli.OK
    assert said in capsys.readouterr().err
    assert not (tmp_path / "h49").exists()


def test_keys_are_encrypted_when_a_passphrase_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stolen disk is not a stolen identity."""
    monkeypatch.setenv("DOCAXIS_PASSPHRASE", "bí mật")
    assert run("init", tmp_path / "h49", "--id", "H49") == cli.OK
    for name in (places.SIGNING_KEY, places.TLS_KEY):
        assert b"ENCRYPTED" in (tmp_path / "h49" / name).read_bytes()
    assert load_ed25519(tmp_path / "h49" / places.SIGNING_KEY, "bí mật")
    with pytest.raises(OurFault, match=r"node\.passphrase"):
        load_ed25519(tmp_path / "h49" / places.SIGNING_KEY, "wrong")


def test_run_without_the_passphrase_says_which_variable_it_wants(tmp_path: Path) -> None:
    """Nobody sits at a server's terminal."""
    environment = {**os.environ, "DOCAXIS_PASSPHRASE": "x"}
    program = [sys.executable, "-m", "docaxis.cli.main", "node"]
    subprocess.run(
        [*program, "init", tmp_path / "h49", "--id", "H49"], env=environment, check=True, capture_output=True
    )
    done = subprocess.run(
        [*program, "run", tmp_path / "h49"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == cli.OURS
    assert "DOCAXIS_PASSPHRASE" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_without_a_root_file_says_whose_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trust has to be handed over by people; a node cannot invent it."""
    run("init", tmp_path / "h49", "--id", "H49")
    assert run("run", tmp_path / "h49") == cli.OURS
    assert "root.json" in capsys.readouterr().err


def test_status_of_a_node_that_does_not_run_is_unreachable(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts tell it from a refusal by its exit code."""
    assert run("status", town.folder("G22")) == cli.UNREACHABLE
    assert "docaxis node run" in capsys.readouterr().err


def test_a_folder_without_a_node_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The commonest mistake is the wrong folder."""
    assert run("status", tmp_path) == cli.OURS
    assert str(tmp_path) in capsys.readouterr().err


async def test_a_stopped_node_is_backed_up_and_restored(
    town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Backup needs no running node, restore no network; private keys travel another way."""
    async with town.running("G22") as office:
        await office.node.submit(submission(["H49"]))

    backup, restored = tmp_path / "backup", tmp_path / "restored"
    assert await asyncio.to_thread(run, "backup", backup, "--node", town.folder("G22"), "--json") == cli.OK
    assert json.loads(capsys.readouterr().out)["database_bytes"] > 0
    assert not list(backup.rglob("*.pem"))
    assert not (backup / places.API_TOKEN).exists()
    assert await asyncio.to_thread(run, "backup", backup, "--node", town.folder("G22")) == cli.OURS
    assert await asyncio.to_thread(run, "restore", restored, "--from", backup) == cli.OK
    assert places.SIGNING_KEY in capsys.readouterr().err
    assert config.load(restored, {}).settings.node.id == "G22"
    assert await asyncio.to_thread(run, "restore", restored, "--from", backup) == cli.OURS


def test_a_signed_revocation_is_handed_to_a_running_node(offices: Offices, tmp_path: Path) -> None:
    """Officers sign it, anybody carries it; a second time it is known, and without officers it is nothing."""
    bench = offices.ground.ceremony.bench
    unsigned = bench.draft_revocation(Revocation(PartyId("H54"), KeyId(b"old key!"), 1, "mất USB"))
    bench.revocations.clear()
    signed = unsigned
    for officer in offices.ground.ceremony.people:
        signed = sign_revocation(signed, officer)
    file = tmp_path / "H54.revocation"
    file.write_bytes(encode_revocations([unsigned]))
    refused = offices.at("G22", "node", "revoke", file)
    assert refused.code == cli.REFUSED
    assert "directory.threshold" in refused.err
    file.write_bytes(encode_revocations([signed]))
    key = b"old key!".hex()
    said = offices.at("G22", "node", "revoke", file, "--json").json
    assert said == {"honoured": [{"party": "H54", "key": key}], "known": 0, "passed_over": []}
    assert offices.at("G22", "node", "revoke", file).out == "1 known already\n"
    assert offices.at("G22", "node", "status", "--json").json["directory"]["revoked_keys"] == 1
    assert offices.at("G22", "node", "revoke", tmp_path / "missing").code == cli.USAGE


@pytest.mark.parametrize("command", ["init", "run", "status", "doctor", "revoke", "backup", "restore"])
def test_help_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """People read the example and skip the rest."""
    with pytest.raises(SystemExit) as ended:
        run(command, "--help")
    assert ended.value.code == 0
    assert f"docaxis node {command} " in capsys.readouterr().out.partition("examples:")[2]


def test_status_says_why_a_peer_fails() -> None:
    """A code tells whom to call: a peer that is off is not a peer that refuses our certificate."""
    known = {"fails": 3, "down_since_ms": 1, "next_try_ms": 2, "queued": 0, "lanes": {}, "oldest_age_ms": 0}
    peers = [{"peer": "H49", "why": "peer.refused", **known}, {"peer": "H54", **known}]
    assert [node._peer_row(peer)[4] for peer in peers] == ["peer.refused", "-"]
