"""`tools/bench`: figures with their machine, as tables for people and one object for programs. No figure is judged."""

import json
from pathlib import Path

import pytest

from tools.benchmarks import __main__ as bench


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
