"""Scenario files are read into the model, or refused with every mistake, its file and its line."""

import contextlib
import copy
import json
import pickle
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis_sim.capacity import scenario, source
from docaxis_sim.capacity.mistakes import BadScenario, Mistake
from docaxis_sim.capacity.model import TIERS, Scenario
from docaxis_sim.capacity.plan import DAY_NS, HOUR_NS
from docaxis_sim.capacity.shipped import shipped

SMALL = Path(__file__).parent / "data" / "small.toml"
HEAD = 'name = "x"\nquestion = "?"\n'
LETTERS = '[[traffic]]\nname = "letters"\nfrom = "all"\nto = "any:all"\ndocuments_per_day = 10\n'
AGENCIES = '[topology]\nlayout = "agencies"\n'


def write(folder: Path, text: str, name: str = "it.toml") -> Path:
    """A scenario file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(path: Path | str, **overrides: object) -> tuple[Mistake, ...]:
    """What is wrong with a scenario."""
    with pytest.raises(BadScenario) as refused:
        scenario.load(path, overrides)
    return refused.value.mistakes


def test_a_small_scenario_says_what_its_file_says() -> None:
    """Units become whole numbers, priorities their places, and what is not stated its default."""
    small = scenario.load(SMALL)
    letters = small.traffic[0]
    assert (letters.name, letters.sender, letters.to, letters.documents_per_day) == ("letters", "all", "any:all", 400)
    assert letters.size.median_bytes == 64_000
    assert list(letters.priority) == [0.9, 0, 0, 0.1, 0]
    assert letters.statuses[0].state == "received"
    assert letters.deadline_ns == 60 * DAY_NS
    assert tuple(small.nodes) == TIERS
    assert small.expect[0] == ("latency.arrived.p99_s", "<=", 60.0)
    assert small.calibration.is_file()
    assert "office-hours" in small.profiles
    assert small.day_factors == (1.0,)


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    """Somebody who corrects one mistake a run gives up."""
    text = f"""{HEAD}dayz = 3
[topology]
layout = "vn2024"
[nodes.commune]
uplink = 20
[[traffic]]
name = "a"
from = "tier:comune"
to = "childs"
priority = {{ express = 0.1 }}
statuses = [{{ state = "recieved" }}]
at = "8 o'clock"
[[traffic]]
name = "a"
from = "all"
profile = "lunch"
[[failures]]
name = "f"
members = "province:Ha Giang"
from = "day 2 08:00"
until = "07:00"
[expect]
"latency.arrived.p98_s" = "<= 60 s"
"expired" = "0"
"""
    found = {(each.line, each.key): each.text for each in mistakes(write(tmp_path, text))}
    assert set(found) == {
        (3, "dayz"),
        (5, "topology.layout"),
        (7, "nodes.commune.uplink"),
        (12, "traffic.a.priority"),
        (13, "traffic.a.statuses.recieved.state"),
        (14, "traffic.a.at"),
        (15, "traffic.a.to"),
        (15, "traffic.a"),
        (16, "traffic.a.name"),
        (18, "traffic.a.profile"),
        (22, "failures.f.from"),
        (23, "failures.f.until"),
        (25, "expect.latency.arrived.p98_s"),
        (26, "expect.expired"),
    }
    assert found[3, "dayz"] == "no such key; did you mean days?"
    assert 'did you mean "vn-2024"?' in found[5, "topology.layout"]


def test_what_only_the_country_knows_is_checked_on_the_country(tmp_path: Path) -> None:
    """A misspelt province would otherwise be found when the run starts, or never."""
    text = f"""{HEAD}{AGENCIES}
[[sites]]
name = "one"
members = "tier:central"
uplink = "1 Gbit/s"
downlink = "1 Gbit/s"
[[sites]]
name = "two"
members = "agency:G22 + agency:H49"
uplink = "1 Gbit/s"
downlink = "1 Gbit/s"
[[overrides]]
name = "none"
members = "tier:commune"
[[traffic]]
name = "a"
from = "site:one"
to = "children"
[[traffic]]
name = "b"
from = "site:thre"
to = "any:provnce:H49"
"""
    found = {each.key: each.text for each in mistakes(write(tmp_path, text))}
    assert "G22 is at site one and at site two" in found["sites"]
    assert "no node" in found["overrides.none.members"]
    assert "nobody" not in found["traffic.b.from"]
    assert "anybody to send to" in found["traffic.a.to"]
    assert "did you mean" in found["traffic.b.to"]


def test_a_text_that_is_not_toml_says_where(tmp_path: Path) -> None:
    """The parser's own words, with the line in front like all others."""
    found = mistakes(write(tmp_path, "name = 'x'\nquestion = ?\n"))
    assert [each.line for each in found] == [2]
    assert found[0].text.startswith("not TOML: ")
    assert "nested too deeply" in mistakes(write(tmp_path, "name = " + "[" * 5_000 + "]" * 5_000))[0].text


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    """Neither a missing file, nor a folder, nor another encoding ends in a traceback."""
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe0"')
    assert "not UTF-8" in mistakes(tmp_path / "latin.toml")[0].text
    assert "did you mean pm-decision?" in mistakes("pm-decison")[0].text
    assert "no such scenario" in mistakes(tmp_path)[0].text


def test_a_scenario_changes_another_table_by_table_and_name_by_name(tmp_path: Path) -> None:
    """A variant states what is different and nothing else."""
    write(
        tmp_path,
        HEAD + AGENCIES + LETTERS + '[[traffic]]\nname = "b"\nfrom = "agency:G22"\nto = "each:all"\nat = "08:00"\n',
        "a.toml",
    )
    text = 'extends = "a.toml"\nname = "y"\n[[traffic]]\nname = "letters"\nscale = 2\n[experiment]\nseed = 9\n'
    merged = scenario.load(write(tmp_path, text))
    assert (merged.name, merged.question, merged.experiment.seed) == ("y", "?", 9)
    assert [(each.name, each.scale, each.documents_per_day) for each in merged.traffic] == [
        ("letters", 2.0, 10.0),
        ("b", 1.0, 0.0),
    ]
    assert merged.topology.layout == "agencies"


def test_a_mistake_is_told_in_the_file_in_which_it_stands(tmp_path: Path) -> None:
    """Whoever extends a file must not look for its mistakes in their own."""
    write(tmp_path, HEAD + AGENCIES + LETTERS + "scale = -1\n", "a.toml")
    found = mistakes(write(tmp_path, 'extends = "a.toml"\nload = "much"\n'))
    assert [(Path(each.file).name, each.line, each.key) for each in found] == [
        ("a.toml", 10, "traffic.letters.scale"),
        ("it.toml", 2, "load"),
    ]


def test_a_scenario_that_comes_along_can_be_extended_from_anywhere(tmp_path: Path) -> None:
    """Whoever installed a wheel has no folder of scenarios beside their own."""
    text = 'extends = "quang-ninh.toml"\nload = 2\n'
    assert scenario.load(write(tmp_path, text)).traffic == scenario.load("quang-ninh").traffic
    assert "did you mean quang-ninh.toml?" in mistakes(write(tmp_path, 'extends = "quangninh.toml"\n'))[0].text


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    """A circle has no beginning."""
    write(tmp_path, 'extends = "it.toml"\n', "a.toml")
    found = mistakes(write(tmp_path, 'extends = "a.toml"\n'))
    assert "it.toml → a.toml → it.toml" in found[0].text
    assert "did you mean a.toml?" in mistakes(write(tmp_path, 'extends = "aa.toml"\n'))[0].text


def test_every_field_has_an_address_that_sets_it() -> None:
    """Sweeps and searches change fields by address; from a command line all comes as text."""
    changed = scenario.load(
        SMALL,
        {
            "load": "2.5",
            "nodes.commune.uplink": "2 Mbit/s",
            "traffic.letters.documents_per_day": "100",
            "traffic.letters.statuses.received.share": "50 %",
            "topology.routing": "hub",
            "experiment.seed": 3,
            "until_done": "false",
            "expect.latency.arrived.p99_s": "<= 1 s",
        },
    )
    assert (changed.load, changed.topology.routing, changed.experiment.seed) == (2.5, "hub", 3)
    assert changed.nodes["commune"].up_bps == 2_000_000
    assert changed.traffic[0].documents_per_day == 100
    assert changed.traffic[0].statuses[0].share == 0.5
    assert changed.until_done is False
    assert changed.expect[0].value == 1.0
    assert {"load", "nodes.commune.uplink", "traffic.letters.size.median"} <= set(scenario.addresses(changed))


def test_a_wrong_override_is_a_mistake_like_any_other() -> None:
    """With its address, and without a line."""
    found = mistakes(SMALL, **{"nodes.comune.uplink": "1 Mbit/s", "nodes.commune.uplink": 3, "topology": "x"})
    assert {(each.file, each.line, each.key) for each in found} == {
        ("override", 0, "nodes.comune.uplink"),
        ("override", 0, "nodes.commune.uplink"),
        ("override", 0, "topology"),
    }
    assert str(found[0]).startswith("override: ")


def test_the_digest_knows_what_is_said_and_not_how_it_is_laid_out(tmp_path: Path) -> None:
    """Finished runs are found again by it."""
    plain = scenario.load(write(tmp_path, HEAD + AGENCIES + LETTERS))
    spaced = scenario.load(write(tmp_path, HEAD + "\n# a comment\n" + LETTERS + AGENCIES))
    assert plain.digest == spaced.digest
    assert plain.digest != scenario.load(tmp_path / "it.toml", {"experiment.seed": 2}).digest


def test_scenarios_and_their_mistakes_cross_a_process_boundary(tmp_path: Path) -> None:
    """Replications run in workers."""
    small = scenario.load(SMALL)
    assert pickle.loads(pickle.dumps(small)) == small
    with pytest.raises(BadScenario) as refused:
        scenario.load(write(tmp_path, "days = 0\n"))
    assert pickle.loads(pickle.dumps(refused.value)).mistakes == refused.value.mistakes


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    """A scenario is moved with its files."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "costs.json").write_text(scenario.load(SMALL).calibration.read_text())
    write(tmp_path / "in", HEAD + 'calibration = "costs.json"\n' + AGENCIES + LETTERS, "a.toml")
    extended = scenario.load(write(tmp_path, 'extends = "in/a.toml"\n'))
    assert extended.calibration == tmp_path / "in" / "costs.json"
    costs = json.loads(extended.calibration.read_text())
    costs["costs"]["round_ns"] += 1
    extended.calibration.write_text(json.dumps(costs))
    assert scenario.load(tmp_path / "it.toml").digest != extended.digest, "other costs, another answer"
    found = mistakes(tmp_path / "in" / "a.toml", calibration="cost.json")
    assert "did you mean costs.json?" in found[0].text


def test_times_fit_into_the_simulated_days(tmp_path: Path) -> None:
    """A failure that nobody sees is a slip; one that outlasts the last day is not, if the run goes on until all is
    done."""
    cut = '[[failures]]\nname = "f"\nmembers = "agency:G22"\nfrom = "08:00"\nuntil = "day 2 08:00"\n'
    found = scenario.load(write(tmp_path, HEAD + AGENCIES + LETTERS + cut))
    assert found.failures[0].until_ns == DAY_NS + 8 * HOUR_NS
    assert [each.key for each in mistakes(tmp_path / "it.toml", until_done=False)] == ["failures.f.until"]


def test_checking_prints_what_is_wrong_and_what_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code says whether all are right; other programs get a list."""
    bad = write(tmp_path, "days = 0\n")
    assert scenario.check([SMALL]) == 0
    assert capsys.readouterr().out == f"{SMALL}: right\n"
    assert scenario.check([SMALL, bad], as_json=True) == 1
    found = json.loads(capsys.readouterr().out)["mistakes"]
    assert {"file", "line", "key", "text"} == set(found[0])


@pytest.mark.parametrize("path", sorted(shipped().glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_scenario_is_right(path: Path) -> None:
    """And has its question in English and its name in Vietnamese."""
    found: Scenario = scenario.load(path)
    assert found.question.endswith("?")
    assert found.name_vi
    assert not found.name_vi.isascii()


@pytest.mark.parametrize("name", ["pm-decision", "swarm", "swarm.toml", "alive-5-f79652b0"])
def test_what_comes_along_is_found_by_its_name(name: str) -> None:
    """Planners' questions, worlds with faults, and worlds that once failed."""
    assert scenario.find(name).stem == name.removesuffix(".toml")


EVERYTHING = f"""{HEAD}{AGENCIES}
[nodes.commune]
uplink = "1 Mbit/s"
{LETTERS}
statuses = [{{ state = "received", share = 0.5 }}]
size = {{ median = "1 kB" }}
[[sites]]
name = "s"
members = "tier:central"
uplink = "1 Gbit/s"
downlink = "1 Gbit/s"
[[failures]]
name = "f"
members = "site:s"
from = "08:00"
until = "09:00"
[profiles]
short = [["09:00", 1], ["10:00", 1]]
[expect]
"expired" = "== 0"
[faults]
seeds = "0..9"
"""
JUNK = st.sampled_from(
    [True, -1, 0, 3, 1.5, 1e30, float("nan"), [], [1], [[]], [{}], {}, {"name": "x"}, {"name": 1}]
) | (st.sampled_from(["", "x", "all", "08:00", "1 MB", "0 s", "tier:", "each:", "any:all - all", "site:s", "1e5 %"]))


@given(st.data())
def test_whatever_a_file_holds_it_is_read_or_refused(data: st.DataObject) -> None:
    """Any value in any place, any key gone or added: a mistake is told, never a traceback."""
    tree = tomllib.loads(EVERYTHING)
    for _ in range(data.draw(st.integers(1, 3))):
        inside: Any = tree
        while True:
            keys = sorted(inside) if isinstance(inside, dict) else range(len(inside))
            if not keys:
                break
            key = data.draw(st.sampled_from(list(keys)))
            if isinstance(inside[key], dict | list) and data.draw(st.integers(0, 3)):
                inside = inside[key]
                continue
            inside[key] = copy.deepcopy(data.draw(JUNK))
            break
    node = source.outside(tree, "", SMALL.parent)
    with contextlib.suppress(BadScenario):
        checked = scenario.from_tree(node, SMALL)
        assert isinstance(checked, Scenario)
