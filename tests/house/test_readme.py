"""The README's example is a program: it runs here exactly as a reader would paste it."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]


def test_the_example_of_the_readme_passes_as_written(tmp_path: Path) -> None:
    """A developer's first minute is spent pasting it."""
    example = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(example) == 1
    (tmp_path / "test_example.py").write_text(example[0], encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_place_the_readme_names_exists() -> None:
    """A map with roads that are not there is worse than none."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:node|simulation|scenarios|tests|tools)/[\w./-]*)`", text)
    assert named
    assert not [place for place in named if not (HERE / place).exists()]
