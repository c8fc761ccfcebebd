"""Settings: one table, read from file and environment, and every mistake named at once."""

from dataclasses import fields
from pathlib import Path

import pytest

from docaxis.core.errors import OurFault
from docaxis.runtime import config

MINIMAL = '[node]\nid = "H49"\n'


def complaints(text: str, **environment: str) -> list[str]:
    """The lines of the refusal."""
    with pytest.raises(OurFault) as caught:
        config.read(text, environment)
    assert caught.value.code == "node.config"
    return caught.value.detail.strip().splitlines()


def test_an_id_is_enough() -> None:
    """Everything else has a default."""
    read = config.read(MINIMAL, {})
    assert read.settings.node.id == "H49"
    assert read.settings.api.host == "127.0.0.1"
    assert read.origins["node.id"] == "docaxis.toml"
    assert read.origins["api.port"] == "default"


def test_the_environment_wins_and_says_so() -> None:
    """Containers set ports without touching files; the doctor must be able to say where a value came from."""
    given = {
        "DOCAXIS_API_PORT": "9000",
        "DOCAXIS_DIRECTORY_ASK_PEERS": "false",
        "DOCAXIS_DIRECTORY_SOURCES": "https://a.example, file:///srv/d",
        "DOCAXIS_PASSPHRASE": "not a setting",
        "HOME": "/nowhere",
    }
    read = config.read(MINIMAL, given)
    assert read.settings.api.port == 9000
    assert read.settings.directory.ask_peers is False
    assert read.settings.directory.sources == ("https://a.example", "file:///srv/d")
    assert read.origins["api.port"] == "environment variable DOCAXIS_API_PORT"


def test_all_mistakes_come_at_once_each_with_key_and_remedy() -> None:
    """Nobody should have to start a node five times to learn of five mistakes."""
    text = """
        [node]
        id = "h49"
        [peer]
        port = 1
        [api]
        prot = 8480
        port = "8480"
        [log]
        form = "jsn"
        [directory]
        sources = ["ftp://a.example"]
    """
    lines = complaints(text, DOCAXIS_LOG_LEVEL="loud", DOCAXIS_DISK_RESERVE_MIB="-1")
    expected = [
        "node.id: expected a party code",
        "[peer]: no such table; did you mean peers?",
        "api.prot: no such setting (docaxis.toml); did you mean port?",
        "api.port: expected a whole number from 0 to 65535, found '8480' (docaxis.toml)",
        "did you mean json?",
        "directory.sources: expected a list of addresses",
        "log.level: expected one of",
        "disk.reserve_mib: expected a whole number",
    ]
    for part in expected:
        assert any(part in line for line in lines), (part, lines)
    assert len(lines) == len(expected)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "node.id: missing"),
        ("node = 3", "node: expected a table"),
        ("[node", "is not TOML"),
        ('[node]\nid = "H49"\n[peers]\nendpoint = "https://a.example/path"', "peers.endpoint"),
        ('[node]\nid = "H49"\n[peers]\nendpoint = "https://a.example:99999"', "peers.endpoint"),
        ('[node]\nid = "H49"\n[api]\nhost = "everywhere"', "api.host"),
        ('[node]\nid = "H49"\n[api]\nport = true', "api.port"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(text: str, part: str) -> None:
    """Wrong shapes are as plainly named as wrong values."""
    assert part in "\n".join(complaints(text))


def test_a_missing_file_names_the_command_that_makes_one(tmp_path: Path) -> None:
    """The commonest first mistake is the wrong folder."""
    with pytest.raises(OurFault, match=r"node\.not-found") as caught:
        config.load(tmp_path, {})
    assert "docaxis node init" in caught.value.known.remedy


def test_what_is_written_reads_back_as_the_same_settings() -> None:
    """The file and the table cannot disagree."""
    settings = config.read(
        MINIMAL + '[peers]\nendpoint = "https://h49.example:8443"\n[directory]\nsources = ["file:///a b/\\"c"]\n', {}
    ).settings
    assert config.read(config.render(settings), {}).settings == settings


def test_each_default_in_the_written_file_is_a_valid_line() -> None:
    """People uncomment lines: each must be right as it stands, and each setting must be there with its reason."""
    settings = config.read(MINIMAL, {}).settings
    text = config.render(settings)
    uncommented = [
        line.removeprefix("# ") if line.startswith("# ") and line[2:3].islower() and " = " in line else line
        for line in text.splitlines()
    ]
    assert config.read("\n".join(uncommented), {}).settings == settings
    for table in fields(config.Settings):
        for each in fields(table.type):  # type: ignore[arg-type]
            assert f"{each.name} = " in text
            assert each.metadata["explain"]
