"""Each module opens alone: a fresh interpreter imports it and nothing before it."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("node/docaxis", "simulation/docaxis_sim")
WORKERS = 2

# Warnings are errors here too: a module that warns when it is opened warns every user.
PROBE = "import importlib, sys; importlib.import_module(sys.argv[1])"


def modules() -> Iterator[str]:
    """The dotted name of every module of the two packages; a `__main__` runs instead of opening."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to((ROOT / package).parent).with_suffix("").parts
            if parts[-1] != "__main__":
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def complaint(module: str) -> str | None:
    """What a fresh interpreter says when it imports a module first, or nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE, module], check=False, capture_output=True, text=True, timeout=60
    )
    return f"{module}: {done.stderr.strip().splitlines()[-1:]}" if done.returncode else None


def test_every_module_imports_alone_in_a_fresh_interpreter() -> None:
    """A cycle that only works in one order of imports works until somebody sorts the imports."""
    names = list(modules())
    assert "docaxis" in names
    assert "docaxis_sim" in names
    with ThreadPoolExecutor(WORKERS) as pool:
        complaints = [text for text in pool.map(complaint, names) if text]
    assert complaints == []
