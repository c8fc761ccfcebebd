"""`docaxis simulate` as people type it: every command, its exit code, its words and its JSON; never a traceback."""

import csv
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docaxis.cli import main
from docaxis_sim.capacity import cutpoints, search
from docaxis_sim.capacity.runner import Runner
from docaxis_sim.capacity.shipped import shipped
from docaxis_sim.capacity.study import NO_LATENCY
from docaxis_sim.cli import MODULES
from tests.simulation.capacity.measured import SMALL

COMMANDS = ("run", "sweep", "capacity", "compare", "check", "new", "graph", "faults", "verify")
TOWN = str(SMALL)
FIND_LOAD = (TOWN, "--find", "load", "--between", "1", "9", "--goal", "expired <= 1")

Said = tuple[int, str, str]
Simulate = Callable[..., Said]


@pytest.fixture
def simulate(capsys: pytest.CaptureFixture[str]) -> Simulate:
    """Runs a command in this process: exit code, standard output, standard error."""

    def run(*words: str) -> Said:
        try:
            code = main.main(["simulate", *words])
        except SystemExit as end:
            code = int(str(end.code))
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    return run


def as_json(said: Said) -> Any:
    """What a program reads."""
    return json.loads(said[1])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_examples_that_exist(command: str, simulate: Simulate) -> None:
    """Scenarios that the help names come along, and its command lines can be parsed."""
    code, text, _ = simulate(command, "--help")
    assert code == 0
    lines = re.findall(r"^  (docaxis simulate (?:.*\\\n)*.*)$", text, re.MULTILINE)
    names = {path.stem for path in shipped().glob("*.toml")} | {"my-question", "my-question.toml"}
    assert lines or command == "faults"
    for line in lines:
        words = shlex.split(re.split(r"\s{3,}", line.replace("\\\n", " ").replace("          ", " "))[0])
        assert words[2] == command
        stated = [word for word in words[3:] if re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+(\.toml)?", word)]
        assert {word for word in stated if not word.startswith("-")} <= names, line


def test_the_overview_names_every_command(simulate: Simulate) -> None:
    """And starts at once: a module per command."""
    _, text, _ = simulate("--help")
    assert all(re.search(rf"^    {command}\b", text, re.MULTILINE) for command in COMMANDS)
    assert len(MODULES) == len(COMMANDS) - 1


def test_a_run_shows_what_a_planner_asks_for(simulate: Simulate) -> None:
    """Rates, latencies by tier and priority, busy stations, bottlenecks by name, checks, verdict; and progress."""
    code, text, progress = simulate("run", TOWN)
    assert code == 0
    for part in (
        "Does every document arrive within a minute?", "2 replications of 1 day, seed 7", "sent to recipients",
        "in the busiest hour", "tier: province", "express", "half within", "processor",
        "Where documents wait longest",
        "line from the node", "checks: conservation", "held: latency.arrived.p99_s <= 1 min", "±",
    ):  # fmt: skip
        assert part in text, part
    assert "2 of 2 replications" in progress


def test_a_run_as_json_has_every_figure_with_its_interval(simulate: Simulate) -> None:
    """One object on standard output, and nothing else."""
    found = as_json(simulate("run", TOWN, "--json", "--replications", "3"))
    assert found["metrics"]["latency.arrived.p99_s"]["n"] == 3
    assert found["metrics"]["latency.arrived.p99_s"]["half_width"] > 0
    assert found["tables"]["bottlenecks"]["node"]
    assert all(check["held"] for check in found["checks"])


def test_an_expectation_that_does_not_hold_is_an_exit_code(simulate: Simulate) -> None:
    """1, as k6 and its like do."""
    code, text, _ = simulate("run", TOWN, "--set", "nodes.province.uplink=1 kbit/s", "--replications", "6")
    assert code == 1
    assert "NOT HELD: latency.arrived.p99_s <= 1 min" in text


def test_one_replication_is_shown_with_its_ignorance(simulate: Simulate) -> None:
    """±? behind every figure, and why."""
    _, text, _ = simulate("run", TOWN, "--replications", "1", "--seed", "3")
    assert "±?" in text
    assert "seed 3" in text
    assert "Note: One replication: no interval can be given" in text


def test_a_report_is_a_folder_with_a_page_and_all_rows(simulate: Simulate, tmp_path: Path) -> None:
    """index.html, the manifest, and CSV files."""
    code, text, _ = simulate("run", TOWN, "--csv", str(tmp_path / "rows"))
    assert code == 0
    assert f"Written to {tmp_path / 'rows'}" in text
    written = {path.name for path in (tmp_path / "rows").iterdir()}
    assert {"manifest.json", "metrics.csv", "series.csv", "nodes.csv", "deliveries.csv.gz"} <= written
    assert "index.html" not in written


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["run", "nowhere"], 2, "there is no such scenario"),
        (["run", TOWN, "--set", "lod=2"], 2, "did you mean load?"),
        (["run", TOWN, "--set", "load"], 2, "expected FIELD=VALUE"),
        (["run", TOWN, "--set", "traffic.letters.from=tier:comune"], 2, "did you mean commune?"),
        (["run", TOWN, "--seed", "-1"], 2, "expected a whole number from 0"),
        (["run", TOWN, "--engine", "vector", "--set", "link_sharing=ps"], 2, "the reference engine does"),
        (["run", TOWN, "--engine", "machines"], 2, "more than 10 nodes"),
        (["run", TOWN, "--set", "calibration=pyproject.toml"], 2, "calibration"),
        (["sweep", TOWN], 2, "give SCENARIO and --vary"),
        (["sweep", TOWN, "--vary", "load=4..1:1"], 2, "upwards"),
        (["sweep", TOWN, "--vary", "load=1", "--shard", "3/2"], 2, "expected a share"),
        (["sweep", "--work", "nowhere"], 2, "plan.json"),
        (["sweep", TOWN, "--vary", "load=1", "--plan", "folder", "--report", "out"], 2, "give them with --collect"),
        (["capacity", TOWN, "--find", "load", "--between", "9", "1", "--goal", "expired <= 1"], 2, "first end"),
        (
            ["capacity", TOWN, "--find", "load", "--between", "1", "9", "--goal", "expird <= 1"],
            2,
            "did you mean expired",
        ),
        (["capacity", TOWN, "--find", "load", "--between", "1", "9", "--goal", "fast"], 2, "is not a goal"),
        (
            [
                "capacity",
                TOWN,
                "--find",
                "load",
                "--between",
                "1",
                "9",
                "--goal",
                "utilisation.loop.max.tier.hub <= 80 %",
            ],
            2,
            "there is no node of tier hub",
        ),
        (
            [
                "capacity",
                TOWN,
                "--find",
                "load",
                "--between",
                "1",
                "9",
                "--set",
                "traffic.letters.to=any:tier:province",
                "--goal",
                "latency.arrived.p99.tier.central_s <= 1 min",
            ],
            2,
            "no document of this kind was sent",
        ),
        (["run", TOWN, "--csv", "a", "--report", "b"], 2, "not allowed with argument"),
        (["run", TOWN, "--report", ""], 2, "name of a file or a folder"),
        (["sweep", TOWN, "--vary", "load=1", "--csv", ""], 2, "name of a file or a folder"),
        (["run", TOWN, "--cluster", "foo"], 2, "tcp://HOST:PORT"),
        (["new", "../evil"], 2, "not a name"),
        (["new", "mine", "--to", "nowhere"], 2, "No such file"),
        (["run", TOWN, "--batches"], 2, "add --replications 1"),
        (["compare", TOWN], 2, "give a second scenario"),
        (["graph", TOWN, "--set", "topology.layout=vn-2042"], 2, "vn-2024"),
        (["check", TOWN], 0, "right"),
        (["check", "nowhere"], 1, "there is no such scenario"),
        (["verify", "--engine", "steam"], 2, "invalid choice"),
        (["fly"], 2, "invalid choice"),
    ],
)
def test_mistakes_are_said_in_words_with_the_familys_exit_codes(
    words: list[str], code: int, said: str, simulate: Simulate
) -> None:
    """What is wrong, where, and what was probably meant."""
    found, text, errors = simulate(*words)
    assert found == code
    assert said in text + errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", TOWN, "--csv", "FILE"], "is no folder"),
        (["run", TOWN, "--report", "FILE/out"], "nothing can be written to"),
        (["sweep", TOWN, "--vary", "load=1,2", "--report", "FILE"], "is no folder"),
        (["sweep", TOWN, "--vary", "load=1,2", "--csv", "NOWHERE/points.csv"], "No such file or directory"),
        (["sweep", TOWN, "--vary", "load=1,2", "--metric", "lost_s"], "did you mean lost?"),
        (["sweep", TOWN, "--vary", "load=1,2", "--report", "FILE", "--csv", "FILE"], "is no folder"),
        (["sweep", TOWN, "--vary", "load=1", "--report", "HERE", "--csv", "NOWHERE/a.csv"], "nowhere/a.csv: No such"),
        (["compare", TOWN, "--with", "load=2", "--report", "FILE"], "is no folder"),
        (["capacity", *FIND_LOAD, "--csv", "NOWHERE/tried.csv"], "No such file or directory"),
        (["capacity", *FIND_LOAD, "--report", "FILE"], "is no folder"),
        (["graph", TOWN, "--to", "NOWHERE/country.graphml"], "No such file or directory"),
    ],
)
def test_where_an_answer_goes_and_which_is_wanted_is_looked_at_before_it_is_worked_out(
    words: list[str], said: str, simulate: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for hours to read that a name was mistyped: not one replication begins."""
    for where, name in ((Runner, "carry"), (search, "figure"), (cutpoints, "graph_report")):
        monkeypatch.setattr(where, name, lambda *_: pytest.fail("work began"))
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    places = {"HERE": str(tmp_path), "FILE": str(tmp_path / "file"), "NOWHERE": str(tmp_path / "nowhere")}
    here = [re.sub("^(HERE|FILE|NOWHERE)", lambda found: places[found[0]], word) for word in words]
    code, text, errors = simulate(*here)
    assert code == 2
    assert said in text + errors
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_figure_that_one_point_of_a_sweep_can_have_is_not_refused(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other points have a dash there, whichever comes first."""
    monkeypatch.setattr(Runner, "carry", lambda *_: pytest.fail("work began"))
    metric = ("--metric", "latency.arrived.p50.tier.commune_s")
    with pytest.raises(pytest.fail.Exception, match="work began"):
        simulate("sweep", TOWN, "--vary", "topology.layout=agencies,vn-2024", *metric)
    assert simulate("sweep", TOWN, "--vary", "topology.layout=agencies", *metric)[0] == 2


def test_a_file_for_the_answer_is_not_left_behind_by_a_run_that_fails(simulate: Simulate, tmp_path: Path) -> None:
    """An empty one would look like an answer."""
    words = ["--vary", "load=1", "--engine", "vector", "--set", "link_sharing=ps", "--csv", str(tmp_path / "all.csv")]
    assert simulate("sweep", TOWN, *words)[0] == 2
    assert not list(tmp_path.iterdir())


def test_a_comparison_has_its_figures_as_rows(simulate: Simulate, tmp_path: Path) -> None:
    """The same as in the manifest, for spreadsheets."""
    words = ["--with", "load=2", "--with", "until_done=false", "--with", "nodes.province.uplink=10 bit/s"]
    assert simulate("compare", TOWN, *words, "--report", str(tmp_path))[0] == 0
    with (tmp_path / "differences.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    whole = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["differences"]
    assert list(rows) == list(whole)
    sent, last = rows["deliveries"], rows["latency.arrived.p99_s"]
    assert [float(sent[side]) for side in ("a", "b", "difference")] == [
        whole["deliveries"][side]["mean"] for side in ("a", "b", "difference")
    ]
    assert float(sent["difference_half_width"]) == whole["deliveries"]["difference"]["half_width"]
    assert (sent["unit"], sent["replications"], sent["sure"]) == ("", "2", str(int(whole["deliveries"]["sure"])))
    assert (last["unit"], last["b"], last["b_half_width"]) == ("s", "inf", "")
    assert "differences.csv" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_day_on_which_nothing_is_sent_says_so(simulate: Simulate, tmp_path: Path) -> None:
    """No share of nothing, no blank tables: 0 documents, and no times."""
    text = simulate("run", TOWN, "--set", "load=0", "--report", str(tmp_path))[1]
    assert re.search(r"documents submitted\s+0", text)
    assert NO_LATENCY in text
    assert "half within" not in text
    assert NO_LATENCY in (tmp_path / "index.html").read_text(encoding="utf-8")
    figures = ["--metric", "carried_share", "--metric", "latency.arrived.p99_s"]
    text = simulate("sweep", TOWN, "--vary", "load=0,1", *figures)[1]
    assert re.search(r"^\s*0\s+–\s+–\s", text, re.MULTILINE), text
    assert re.search(r"^\s*1\s+100 %\s+\d", text, re.MULTILINE), text


def test_errors_are_json_where_json_is_asked_for(simulate: Simulate) -> None:
    """With a stable code and the remedy."""
    said = simulate("run", TOWN, "--set", "lod=2", "--json")
    assert said[0] == 2
    assert as_json(said)["error"]["code"] == "scenario.wrong"


def test_a_sweep_shows_a_row_per_point_and_writes_all_figures(simulate: Simulate, tmp_path: Path) -> None:
    """Here and by files, with the same bytes."""
    here, there = tmp_path / "here.csv", tmp_path / "there.csv"
    question = [TOWN, "--vary", "load=1,2"]
    code, text, _ = simulate("sweep", *question, "--csv", str(here), "--metric", "deliveries")
    assert code == 0
    assert "deliveries" in text
    folder = str(tmp_path / "shards")
    assert "4 runs of 2 points" in simulate("sweep", *question, "--plan", folder)[1]
    assert "2 runs done, 2 left" in simulate("sweep", "--work", folder, "--shard", "1/2")[1]
    assert simulate("sweep", "--collect", folder)[0] == 2
    assert as_json(simulate("sweep", "--work", folder, "--json")) == {"done": 2, "left": 0}
    assert simulate("sweep", "--collect", folder, "--csv", str(there))[0] == 0
    assert here.read_bytes() == there.read_bytes()
    assert len(as_json(simulate("sweep", "--collect", folder, "--json"))["points"]) == 2


def test_a_capacity_question_is_answered_with_its_confidence(simulate: Simulate, tmp_path: Path) -> None:
    """What meets the goal, what does not, and everything that was tried."""
    question = ["--find", "nodes.province.uplink", "--between", "1 Mbit/s", "64 Mbit/s", "--within", "0.5"]
    goal = ["--goal", "latency.arrived.p99_s <= 5 s", "--replications", "3", "--csv", str(tmp_path / "tried.csv")]
    code, text, progress = simulate("capacity", TOWN, *question, *goal)
    assert code == 0
    assert re.search(
        r"is the smallest value found that meets .*, with its whole 95 % interval over 3 replications\. "
        r".* (does not: .* ± |is undecided, .* ± )",
        text,
    )
    assert "meets the goal in 3 replications" in progress
    assert (
        (tmp_path / "tried.csv").read_text(encoding="utf-8").startswith("nodes.province.uplink,latency.arrived.p99_s")
    )
    question += ["--goal", "latency.arrived.p99_s <= 1 us", "--replications", "6"]
    hopeless = simulate("capacity", TOWN, *question, "--json")
    assert hopeless[0] == 1
    assert as_json(hopeless)["best"] is None
    assert len(as_json(hopeless)["failing"]["figures"]) == 6
    text = simulate("capacity", TOWN, *question)[1]
    assert re.search(r"No value of nodes\.province\.uplink that was tried meets .*\. 64 Mbit/s does not: ", text)


def test_a_comparison_proves_that_arrivals_are_the_same(simulate: Simulate) -> None:
    """And says where they are not."""
    code, text, _ = simulate("compare", TOWN, "--with", "nodes.province.uplink=9 Mbit/s")
    assert code == 0
    assert "Same arrivals in all 2 replications" in text
    assert "b - a" in text
    assert re.search(r"Of \d+ figures about \d+\.\d would be called sure by luck alone", text)
    assert "Different arrivals" in simulate("compare", TOWN, "--with", "load=2")[1]
    found = as_json(simulate("compare", TOWN, TOWN, "--json"))
    assert found["same_arrivals"] is True
    assert all(each["difference"]["mean"] in (0, None) for each in found["differences"].values())
    assert found["sure_by_luck"] == 0


def test_a_comparison_with_an_overloaded_network_is_no_mistake_of_the_program(simulate: Simulate) -> None:
    """What never arrives cannot be subtracted; it comes first, in words."""
    change = ("--with", "until_done=false", "--with", "nodes.province.uplink=10 bit/s", "--with", "load=0.9")
    code, text, errors = simulate("compare", TOWN, *change)
    assert code == 0
    assert "becomes never" in text
    assert "Warning" not in errors


def test_every_answer_can_be_a_page_with_its_figures_beside_it(simulate: Simulate, tmp_path: Path) -> None:
    """A sweep, a comparison and a capacity question, with the command that repeats it."""
    few = ["--replications", "2"]
    questions: dict[str, tuple[list[str], set[str]]] = {
        "sweep": ([TOWN, "--vary", "load=1,2", *few], {"points.csv"}),
        "compare": ([TOWN, "--with", "load=2", *few], {"differences.csv"}),
        "capacity": ([TOWN, "--find", "load", "--between", "1", "2", "--goal", "expired <= 1", *few], {"tried.csv"}),
    }
    for command, (words, beside) in questions.items():
        folder = tmp_path / command
        code, text, _ = simulate(command, *words, "--report", str(folder))
        assert code == 0
        assert f"Written to {folder}" in text
        assert {path.name for path in folder.iterdir()} == {"index.html", "manifest.json"} | beside
        assert "<h2>Repeat it</h2>" in (folder / "index.html").read_text(encoding="utf-8")
        json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_a_capacity_question_has_the_same_answer_side_by_side(simulate: Simulate) -> None:
    """--jobs is about waiting, not about figures; and what is left is told."""
    words = [
        "capacity",
        TOWN,
        "--find",
        "nodes.province.uplink",
        "--between",
        "1 Mbit/s",
        "64 Mbit/s",
        "--within",
        "0.5",
    ]
    words += ["--goal", "latency.arrived.p99_s <= 5 s", "--replications", "3", "--json"]
    alone, two = simulate(*words), simulate(*words, "--jobs", "2")
    assert as_json(alone) == as_json(two)


def test_a_variation_that_is_no_scenario_is_refused_before_anything_runs(simulate: Simulate) -> None:
    """Not after all days have been carried once."""
    few = ("--set", "load=600000", "--set", "traffic.letters.documents_per_day=0.0001")
    code, _, told = simulate("run", TOWN, *few, "--sensitivity")
    assert code == 2
    assert "load" in told
    assert "replications" not in told


def test_a_run_says_how_far_it_hangs_on_what_was_measured_and_assumed(simulate: Simulate) -> None:
    """Service times and volumes halved and doubled, beside what it is."""
    code, text, _ = simulate("run", TOWN, "--sensitivity")
    assert code == 0
    hangs = text[text.index("What it hangs on") :]
    assert re.search(r"latency\.arrived\.p50_s\s+as it is\s+\d+", hangs)
    assert re.search(r"service times × 2\s+\d+", hangs)
    assert re.search(r"load × 0\.5\s+\d+", hangs)
    found = as_json(simulate("run", TOWN, "--sensitivity", "--json"))
    assert next((each["field"], each["factor"]) for each in found["variations"]) == ("service_times", 0.5)


def test_the_network_is_shown_and_written(simulate: Simulate, tmp_path: Path) -> None:
    """GraphML, and the failures that cut off most."""
    code, text, _ = simulate("graph", TOWN, "--set", "topology.routing=hub", "--to", str(tmp_path / "country.graphml"))
    assert code == 0
    assert "Single failures" in text
    assert "<graphml" in (tmp_path / "country.graphml").read_text(encoding="utf-8")[:400]
    assert as_json(simulate("graph", TOWN, "--json"))["nodes"]["province"] == 63


def test_a_starter_is_written_and_right(simulate: Simulate, tmp_path: Path) -> None:
    """From nothing to a scenario that can be checked."""
    assert simulate("new", "my-question", "--to", str(tmp_path))[0] == 0
    assert simulate("check", str(tmp_path / "my-question.toml"))[0] == 0
