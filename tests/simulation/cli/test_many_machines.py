"""The page about many machines does what it says: every `sh` block of it is executed, in order."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.town import free_port
from tests.simulation.capacity.measured import SMALL

PAGE = Path(__file__).resolve().parents[3] / "simulation" / "docs" / "many-machines.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
PATIENCE_S = 120


@pytest.mark.slow
def test_every_command_of_the_page_works_and_all_ways_give_one_answer(tmp_path: Path) -> None:
    """On one machine that plays all of them; the scheduler's address is the only thing that is another one."""
    shutil.copy(SMALL, tmp_path / "question.toml")
    text = "".join(BLOCKS).replace("10.0.0.5", "127.0.0.1").replace("8786", str(free_port()))
    assert text.count("docaxis simulate") == 8
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DASK_TEMPORARY_DIRECTORY": str(tmp_path),
    }
    with (tmp_path / "shown").open("w+", encoding="utf-8") as shown:
        shell = subprocess.Popen(
            ["sh", "-eu", "-c", text], cwd=tmp_path, env=environment, stdout=shown, stderr=shown, start_new_session=True
        )
        try:
            code = shell.wait(PATIENCE_S)
        finally:
            os.killpg(shell.pid, signal.SIGTERM)  # the scheduler and the workers, which end with nobody's command
            shell.wait()
        shown.seek(0)
        assert code == 0, shown.read()
    answers = {(tmp_path / f"{name}.csv").read_bytes() for name in ("here", "cluster", "files")}
    assert len(answers) == 1
    assert (tmp_path / "rows" / "deliveries.csv.gz").stat().st_size > 1000
