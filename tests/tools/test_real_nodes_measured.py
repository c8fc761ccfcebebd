"""`tools/calibrate` and `tools/validate_simulation` from end to end on a few real nodes. No figure is judged."""

import json
from pathlib import Path

import pytest

from docaxis_sim.capacity.costs import read
from tools.calibration import __main__ as calibrate
from tools.validation import __main__ as validate


@pytest.fixture(scope="module")
def calibration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A calibration of a few seconds."""
    path = tmp_path_factory.mktemp("calibration") / "node.json"
    assert calibrate.main(["--out", str(path), "--effort", "0.05", "--passes", "1"]) == 0
    return path


def test_a_calibration_is_one_that_the_simulator_reads(calibration: Path) -> None:
    """With costs above nothing where a node works, and where they come from."""
    costs = read(calibration)
    assert costs.round_ns + costs.wake_ns > 0
    assert costs.submit_ns > 0
    assert costs.stored_bytes_sender > 0
    assert len(costs.commit_extra_ns) > 0
    assert {"machine", "method", "commit", "date", "per_thing_us"} <= costs.provenance.keys()


def test_three_nodes_are_predicted_beside_what_they_did(
    calibration: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Every load has a row with both, the machine is named, and what was recorded is predicted again the same way."""
    words = ["--json", "--calibration", str(calibration)]
    record = ["--record", str(tmp_path / "record.json")]
    assert validate.main([*words, "--nodes", "3", "--quick", "--seconds", "0.6", *record]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(found["rows"]) == 10
    assert all(row["documents"] and row["predicted"]["home_p50_ms"] > 0 for row in found["rows"])
    assert {"inline, 30%", "pulled, 60%", "one to all", "node off", "all at once"} <= {
        row["load"] for row in found["rows"]
    }
    assert found["machine"]["cores"] >= 1
    assert validate.main([*words, "--replay", str(tmp_path / "record.json")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == found


def test_a_calibration_that_is_not_there_is_told_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before any node is started."""
    assert validate.main(["--calibration", str(tmp_path / "none.json")]) == 1
    assert "not validated" in capsys.readouterr().err
