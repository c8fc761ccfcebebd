"""The demonstration itself: the main job of the product, on all its real input, as a newcomer runs it."""

import json
import subprocess
import sys
from pathlib import Path

from docaxis.cli import demo

PATIENCE_S = 240


def test_the_opening_of_the_axis_is_replayed_and_counted(tmp_path: Path) -> None:
    """95 real nodes, every state, three attacks, and figures from databases and signatures."""
    command = [sys.executable, "-m", "docaxis.cli.main", "demo", "--json", "--keep", str(tmp_path / "axis")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["agencies"] == 95
    assert (found["lost"], found["duplicated"], found["attacks_refused"]) == (0, 0, 3)
    assert (found["states_unproven"], found["replays_without_effect"]) == (0, 1)
    assert found["evidence_verified"] is True
    assert found["receipts_verified"] == found["deliveries"] == found["transmissions"]
    assert {"arrived", "completed", "refused", "recovered"} <= found["by_state"].keys()
    assert sum(found["by_state"].values()) == found["transmissions"]
    timeline = (tmp_path / "axis" / "auditor" / "timeline.txt").read_text(encoding="utf-8")
    assert timeline.startswith("EVIDENCE HOLDS · HỒ SƠ HỢP LỆ\n")
    assert "Recipients · Nơi nhận: 94\n" in timeline
    assert "UBND tỉnh Nam Định: completed · hoàn thành\n" in timeline


def test_a_place_that_holds_an_axis_already_is_not_overwritten(tmp_path: Path) -> None:
    """Somebody may want to keep what the last run left."""
    (tmp_path / "nodes").mkdir()
    command = [sys.executable, "-m", "docaxis.cli.main", "demo", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode != 0
    assert "node.exists" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_table_says_what_was_counted_and_leaves_out_what_is_empty() -> None:
    """Nought lost is news; an empty list of complaints is none."""
    found = {"lost": 0, "complaints": [], "by_state": {"arrived": 2, "refused": 1}, "evidence_verified": True}
    assert list(demo.readable(found | {"rss_mb_total": 4.5})) == [
        ("lost", "0"),
        ("by state", "arrived 2, refused 1"),
        ("evidence verified", "yes"),
        ("MB resident, all nodes", "4.5"),
    ]


def test_of_the_evidence_the_summary_and_the_histories_of_some_are_shown() -> None:
    """The verdict first, and of ninety-four recipients those whom the play is about."""
    parts = [
        "EVIDENCE HOLDS\nDocument: 1",
        "A00 x: arrived\n  01 arrived",
        "H40 y: completed\n  06 completed",
        "H4 z: sent",
    ]
    text = "\n\n".join(parts) + "\n"
    shown = ["EVIDENCE HOLDS", "Document: 1", "", "H40 y: completed", "  06 completed", "", "… and 2 more recipients"]
    assert list(demo.excerpt(text, ("H40", "H51"))) == shown
    assert list(demo.excerpt("EVIDENCE DOES NOT HOLD\nBroken link: x\n", ("H40",)))[1] == "Broken link: x"
