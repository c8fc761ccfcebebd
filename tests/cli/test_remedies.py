"""What is wrong with a node's folder is answered with what helps against that, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docaxis.cli import main as cli
from docaxis.runtime import config
from docaxis.runtime import folder as places
from docaxis.seal.keys import new_tls_key, write_private
from docaxis.store.disk import Owner
from tests.runtime.town import Town


def open_to_all(folder: Path) -> None:
    """A key that was copied carelessly."""
    (folder / places.TLS_KEY).chmod(0o644)


def lost(folder: Path) -> None:
    """A key that was left behind in a move."""
    (folder / places.SIGNING_KEY).unlink()


def exchanged(folder: Path) -> None:
    """The key of another certificate."""
    (folder / places.TLS_KEY).unlink()
    write_private(folder / places.TLS_KEY, new_tls_key())


def locked(folder: Path) -> None:
    """A key under another passphrase."""
    (folder / places.TLS_KEY).unlink()
    write_private(folder / places.TLS_KEY, new_tls_key("another"))


@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (open_to_all, "node.keys", "chmod 600"),
        (lost, "node.keys", "your own copy"),
        (exchanged, "node.keys", "is not the key of"),
        (locked, "node.passphrase", "Give the right passphrase"),
    ],
)
def test_each_trouble_with_keys_has_its_own_remedy(
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    harm: Callable[[Path], None],
    code: str,
    words: str,
) -> None:
    """A passphrase does not help against a file that is gone."""
    monkeypatch.setenv("DOCAXIS_PASSPHRASE", "bí mật")
    folder = town.folder("G22")
    (folder / config.FILE_NAME).write_text(config.render(town.settings["G22"]), encoding="utf-8")
    harm(folder)
    assert cli.main(["node", "run", str(folder)]) == cli.OURS
    said = capsys.readouterr().err
    assert code in said
    assert words in said
    assert "PEM lib" not in said
    assert ("passphrase" in said) == (code == "node.passphrase")


def test_a_second_run_of_one_folder_is_told_of_the_first(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor would find nothing."""
    folder = town.folder("G22")
    (folder / config.FILE_NAME).write_text(config.render(town.settings["G22"]), encoding="utf-8")
    first = Owner(folder / "node.lock")
    assert cli.main(["node", "run", str(folder)]) == cli.OURS
    first.release()
    said = capsys.readouterr().err
    assert "node.running" in said
    assert "doctor" not in said


def test_a_folder_that_is_no_backup_is_a_wrong_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No store failed: the name was wrong."""
    assert cli.main(["node", "restore", str(tmp_path / "h49"), "--from", str(tmp_path)]) == cli.USAGE
    said = capsys.readouterr().err
    assert "file.wrong" in said
    assert "docaxis node backup" in said


def test_a_token_that_is_gone_is_named(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """No passphrase opens it, for it has none."""
    folder = town.folder("G22")
    (folder / config.FILE_NAME).write_text(config.render(town.settings["G22"]), encoding="utf-8")
    (folder / places.API_PORT).write_text("1", encoding="ascii")
    (folder / places.API_TOKEN).unlink()
    assert cli.main(["inbox", "--node", str(folder)]) == cli.OURS
    said = capsys.readouterr().err
    assert f"{folder / places.API_TOKEN} cannot be read: No such file" in said
    assert "passphrase" not in said
