"""`docaxis node init` makes a whole node with a true root file, or nothing; and says all that is left to do."""

import json
from pathlib import Path

import pytest

from docaxis.cli import doctor
from docaxis.cli import main as cli
from docaxis.runtime import folder as places
from docaxis.seal import certificates
from tests.runtime.town import Town


def init(*words: str | Path) -> int:
    """The command, in this process."""
    return cli.main(["node", "init", *map(str, words)])


@pytest.mark.parametrize("name", ["1.targets.json", "timestamp.json", "nonsense", "absent"])
def test_a_root_file_that_is_none_makes_nothing(
    town: Town, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commonest slip is another file of the same folder; trust must not begin with it."""
    public = town.ceremony.public
    (public / "nonsense").write_text("{}", encoding="utf-8")
    assert init(tmp_path / "new" / "h50", "--id", "H50", "--root", public / name) == cli.USAGE
    said = capsys.readouterr().err
    assert str(public / name) in said
    assert not (tmp_path / "new").exists()


def test_a_true_root_file_is_put_in_its_place(town: Town, tmp_path: Path) -> None:
    """Byte for byte: the officers' signatures are over them."""
    (tmp_path / "root.json").write_bytes(town.ceremony.root)
    assert init(tmp_path / "h50", "--id", "H50", "--root", tmp_path / "root.json") == cli.OK
    assert (tmp_path / "h50" / places.ROOT).read_bytes() == town.ceremony.root


@pytest.mark.parametrize("there", [False, True])
def test_an_init_that_fails_half_way_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """Half a node would be in the way of a whole one; what was there before stays."""

    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    folder = tmp_path / "deep" / "h50"
    if there:
        folder.mkdir(parents=True)
        (folder / "notes.txt").touch()
    monkeypatch.setattr(certificates, "make_certificate", fail)
    assert init(folder, "--id", "H50") != cli.OK
    assert [path.name for path in folder.rglob("*")] == (["notes.txt"] if there else [])
    assert (tmp_path / "deep").exists() == there


def test_without_a_source_the_next_steps_name_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A node without one waits for a directory for ever."""
    assert init(tmp_path / "a", "--id", "H50") == cli.OK
    assert "directory.sources" in capsys.readouterr().out
    assert init(tmp_path / "b", "--id", "H50", "--source", "https://danh-ba.example.vn", "--json") == cli.OK
    steps = json.loads(capsys.readouterr().out)["next"]
    assert not any("directory.sources" in step for step in steps)
    assert steps[-1] == f"docaxis node run {tmp_path / 'b'}"


def test_the_doctor_calls_a_node_without_a_source_broken(town: Town, tmp_path: Path) -> None:
    """Running it would change nothing."""
    (tmp_path / "root.json").write_bytes(town.ceremony.root)
    init(tmp_path / "h50", "--id", "H50", "--root", tmp_path / "root.json")
    found = {each.check: each for each in doctor.examine(tmp_path / "h50", {}, [])}["sources"]
    assert found.level == "broken"
    assert "directory.sources is empty" in found.seen
