"""`tools/bench`: figures with their machine, as tables for people and one object for programs. No figure is judged."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.benchmarks import __main__ as bench

HERE = Path(__file__).resolve().parents[2]

SMALL = {
    "exchange": ("--seconds", "0.5", "--warm-up", "0.2", "--concurrency", "1", "8"),
    "fanout": ("--nodes", "6", "--dead", "1", "--silent", "1", "--rounds", "1"),
    "idle": ("--agencies", "3", "--runs", "1", "--seconds", "0"),
    "transport": ("--seconds", "0.3"),
    "simulation": ("--parts", "a2", "a3", "--load", "0.002", "--window", "60", "--customers", "500"),
    "agreement": ("--scenarios", "quang-ninh", "province-cut", "--load", "0.02"),
    "routes": ("--layout", "agencies", "--pairs", "2000", "--searched", "20"),
}
PROMISED = {
    "exchange": {"documents_per_s", "p50_ms", "p99_ms", "cpu_ms_per_document", "rss_mb"},
    "fanout": {"last_receipt_ms", "p99_ratio_with_faults", "rss_mb"},
    "idle": {"ready_s", "rss_mib"},
    "transport": {"bare_per_s"},
    "simulation": {"a2", "a3"},
    "agreement": {"deliveries", "differing", "rows"},
    "routes": {"layout", "nodes", "routings"},
}


def measured(*words: str) -> dict[str, Any]:
    """The object that a benchmark prints last."""
    command = [sys.executable, "-m", "tools.benchmarks", *words, "--json"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", SMALL)
def test_a_benchmark_prints_what_the_documents_promise(name: str) -> None:
    """Software reads these names, and a benchmark that nobody can run measures nothing."""
    found = measured(name, *SMALL[name])
    assert PROMISED[name] <= found.keys()
    assert all(row["documents_per_s"] > 0 for row in found.get("rows", []) if "documents_per_s" in row)


def test_each_benchmark_is_there() -> None:
    """A name in the help is a module that measures."""
    folder = Path(bench.__file__).parent
    assert all((folder / f"{name}.py").is_file() for name in bench.NAMES)


def test_the_directory_is_measured_and_the_machine_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The smallest size; the object comes last and alone on standard output."""
    assert bench.main(["directory", "--entries", "95", "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["benchmark"] == "directory"
    row = found["rows"][0]
    assert row["entries"] == 95
    assert {"cold_load_ms", "one_entry_change_ms", "lookups_per_s", "rss_mb"} <= row.keys()
    assert found["machine"]["cores"] >= 1
    assert "cold_load_ms" in said.err


def test_people_get_tables_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json nothing else is printed."""
    assert bench.main(["directory", "--entries", "95"]) == 0
    assert "one_entry_change_ms" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["nothing"]])
def test_an_unknown_benchmark_is_refused(words: list[str]) -> None:
    """With the list of those there are."""
    with pytest.raises(SystemExit) as done:
        bench.main(words)
    assert done.value.code == 2
