"""A small axis of real nodes in a process of its own, and the real command in a process for each call."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from docaxis.testing.ground import Agency, Ground, make_ground

AGENCIES = {
    "G22": ("Văn phòng Chính phủ", "Government Office"),
    "H49": ("Ủy ban nhân dân tỉnh Quảng Ninh", "People's Committee of Quảng Ninh"),
    "H54": ("Ủy ban nhân dân tỉnh Thái Bình", "People's Committee of Thái Bình"),
}
COMMAND = Path(sys.executable).parent / "docaxis"
PATIENCE_S = 60


class Said(NamedTuple):
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object that `--json` prints."""
        assert self.code == 0, self
        assert self.out.count("\n") == 1, self
        return json.loads(self.out)


def docaxis(*words: object, cwd: Path | None = None, node: Path | None = None) -> Said:
    """Runs the command as a person would, without a terminal and without anything in the environment about nodes."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCAXIS_")}
    if node is not None:
        environment["DOCAXIS_NODE"] = str(node)
    done = subprocess.run(
        [COMMAND, *map(str, words)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


class Offices(NamedTuple):
    """The ground that all stand on; G22 and H49 run, H54 is switched off."""

    ground: Ground

    def at(self, code: str, *words: object) -> Said:
        """A command at the desk of an agency."""
        return docaxis(*words, node=self.ground.nodes[code])


@contextmanager
def opened(folder: Path) -> Iterator[Offices]:
    """Makes the ground, and runs the nodes until the end."""
    ground = make_ground(folder, {code: Agency(code, *names, "test") for code, names in AGENCIES.items()})
    running = [str(ground.nodes[code]) for code in ("G22", "H49")]
    host = subprocess.Popen([sys.executable, "-m", "docaxis.testing.host", *running], stdout=subprocess.PIPE, text=True)
    try:
        assert host.stdout is not None
        assert any(line == "ready\n" for line in iter(host.stdout.readline, ""))
        yield Offices(ground)
    finally:
        host.terminate()
        host.communicate(timeout=PATIENCE_S)
    assert host.returncode == 0
