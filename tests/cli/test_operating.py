"""The manual for operators does what it says: every `sh` block of it is executed, in order."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from docaxis.core import limits
from docaxis.directory.ceremony import Ceremony
from docaxis.directory.readable import entry_of_json
from docaxis.runtime import config
from tests.runtime.town import HOST, Town, free_port

MANUAL = Path(__file__).resolve().parents[2] / "node" / "docs" / "operating.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", MANUAL.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
PATIENCE_S = 60


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """The rest of the country: a directory and one running peer."""
    town = Town(tmp_path / "country", ["G22"])
    (town.folder("G22") / config.FILE_NAME).write_text(config.render(town.settings["G22"]), encoding="utf-8")
    (tmp_path / "root.json").write_bytes(town.ceremony.root)
    return town


@contextmanager
def running(folder: Path) -> Iterator[None]:
    """A node in a process of its own."""
    command = [sys.executable, "-m", "docaxis.testing.host", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert any(line == b"ready\n" for line in iter(process.stdout.readline, b""))
        try:
            yield
        finally:
            process.terminate()


def publish(ceremony: Ceremony, entry_file: Path, now_ms: int) -> None:
    """What the officers of the directory do with the entry that an operator hands them."""
    ceremony.add_agency([entry_of_json(entry_file.read_bytes())])
    ceremony.publish(now_ms + limits.SECOND_MS)


def execute(block: str, place: Path, environment: dict[str, str]) -> None:
    """One block, as a shell would; on failure shows all that was printed."""
    with (place / "shown").open("w+", encoding="utf-8") as shown:
        command = ["sh", "-eu", "-c", block]
        done = subprocess.run(
            command, cwd=place, env=environment, stdout=shown, stderr=shown, timeout=PATIENCE_S, check=False
        )
        shown.seek(0)
        assert done.returncode == 0, f"{block}\n{shown.read()}"


@pytest.mark.slow
def test_every_command_of_the_manual_works_in_its_order(town: Town, tmp_path: Path) -> None:
    """An operator at night copies lines; each of them has to be true."""
    port = free_port()
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ENDPOINT": f"https://{HOST}:{port}",
        "DIRECTORY": town.ceremony.public.as_uri(),
        "DOCAXIS_PEERS_PORT": str(port),
        "DOCAXIS_API_PORT": "0",
        "DOCAXIS_DISK_RESERVE_MIB": "0",
    }
    assert len(BLOCKS) >= 7
    with ExitStack() as stack:
        stack.callback(subprocess.run, ["sh", "-c", 'kill "$(cat h49.pid)" 2>&-'], cwd=tmp_path, check=False)
        for block in BLOCKS:
            execute(block, tmp_path, environment)
            if "node init" in block:
                publish(town.ceremony, tmp_path / "h49" / "entry.json", town.now_ms)
                stack.enter_context(running(town.folder("G22")))
    assert (tmp_path / "backup-1" / "node.db").exists()
    assert not list((tmp_path / "backup-1").rglob("*.pem"))
