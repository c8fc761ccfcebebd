"""The walls stop what they say they stop: the contracts of pyproject.toml on a toy house, one breach at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("cli", "testing", "api", "client", "runtime", "store", "transport", "directory", "seal", "core")

BREACHES = [
    ("node/docaxis/core/bad.py", "import asyncio", "Core does no I/O, reads no clock, rolls no dice"),
    ("node/docaxis/core/bad.py", "import docaxis.seal", "The floors"),
    ("node/docaxis/core/bad.py", "import msgpack", "In core, only the codec knows msgpack"),
    ("node/docaxis/store/bad.py", "import docaxis.directory", "The floors"),
    ("node/docaxis/store/bad.py", "import cryptography.x509", "Only the seal imports cryptography"),
    ("node/docaxis/transport/bad.py", "import tuf.api", "Only the directory imports tuf and securesystemslib"),
    ("node/docaxis/runtime/bad.py", "import docaxis_sim", "The node does not know it is simulated"),
    ("node/docaxis/attic.py", "", "The floors"),
    ("simulation/docaxis_sim/bad.py", "import docaxis.runtime", "The simulator drives the core, not the adapters"),
]

PERMITTED = {
    "node/docaxis/core/codec.py": "import msgpack",
    "node/docaxis/seal/sign.py": "import cryptography.x509",
    "node/docaxis/directory/fetch.py": "import tuf.api, securesystemslib.signer",
    "node/docaxis/seal/paper.py": "",
    "simulation/docaxis_sim/host.py": "import simpy, docaxis.core.codec, docaxis.seal.paper",
    "simulation/docaxis_sim/cli/run.py": "import docaxis.cli.main, docaxis.cli.output",
    "node/docaxis/cli/main.py": "",
    "node/docaxis/cli/output.py": "",
}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A house with every room, our contracts, and all that the contracts expressly permit."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    packages = ("node/docaxis", "simulation/docaxis_sim", "simulation/docaxis_sim/cli")
    for folder in (*packages, *(f"node/docaxis/{room}" for room in ROOMS)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
    for name, text in PERMITTED.items():
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    return tmp_path


def broken(house: Path) -> list[str]:
    """The names of the contracts that a house breaks."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    paths = {"PYTHONPATH": f"{house / 'node'}:{house / 'simulation'}"}
    done = subprocess.run(command, cwd=house, env=os.environ | paths, check=False, capture_output=True, text=True)
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    lines = [line.split(" BROKEN")[0] for line in done.stdout.splitlines() if " BROKEN" in line]
    assert bool(done.returncode) == bool(lines)
    return lines


def test_what_the_walls_permit_passes(toy: Path) -> None:
    """A wall that stops honest work gets a hole."""
    assert broken(toy) == []


@pytest.mark.parametrize(("place", "text", "contract"), BREACHES)
def test_each_breach_is_caught_by_its_own_wall(toy: Path, place: str, text: str, contract: str) -> None:
    """One forbidden import breaks one contract, and its name tells which rule."""
    (toy / place).write_text(text + "\n", encoding="utf-8")
    assert broken(toy) == [contract]
