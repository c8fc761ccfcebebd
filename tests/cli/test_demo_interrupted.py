"""The demonstration, interrupted: by whoever has seen enough, or called the wrong command."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from docaxis.cli import main as cli

PATIENCE_S = 60


@pytest.mark.parametrize("moment", ["key ceremony", "starting the nodes", "of 95 ready", "ordinary letters"])
def test_an_interrupt_ends_everything_at_once_and_leaves_nothing(tmp_path: Path, moment: str) -> None:
    """No process, no folder, no traceback, and a word about it; whoever presses the keys twice changes nothing."""
    process = subprocess.Popen(
        [sys.executable, "-m", "docaxis.cli.main", "demo"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    assert process.stderr is not None
    while moment not in (line := process.stderr.readline()):
        assert line, "it ended before"
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == cli.INTERRUPTED
    assert any("stopping" in line for line in said.splitlines()[:2])
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_an_interrupt_while_a_command_is_being_loaded_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command needs may take a second to load."""

    def interrupted(words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "build", interrupted)
    assert cli.main(["demo"]) == cli.INTERRUPTED
