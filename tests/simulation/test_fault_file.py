"""Files that describe worlds: what they say becomes plans, mistakes are told with line and word, and plans go back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docaxis.core.lifecycle import Code
from docaxis.core.limits import HOUR_MS, MINUTE_MS, SECOND_MS
from docaxis_sim import fault_file, faults
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.plan import AGENCIES, Deed, Fault, Kind, Letter, Plan
from docaxis_sim.swarm import draw

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
HEAD = 'name = "x"\nquestion = "y"\n'
SHIPPED = sorted((SCENARIOS / "faults").glob("*.toml"))


def written(folder: Path, text: str) -> Path:
    """A scenario file with these tables."""
    file = folder / "world.toml"
    file.write_text(HEAD + text, encoding="utf-8")
    return file


def test_what_a_file_states_replaces_what_is_drawn(tmp_path: Path) -> None:
    """The rest is the seed's, as without a file."""
    file = written(tmp_path, '[faults]\ndraw = true\nrefresh = "20 min"\n[faults.weather]\nlose_answer = "12.5 %"\n')
    plan, drawn = fault_file.plan(fault_file.read(file), 7), draw(7)
    weather = drawn.weather._replace(lose_answer=125)
    assert plan == drawn._replace(refresh_ms=20 * MINUTE_MS, weather=weather)


def test_a_file_can_say_everything_itself(tmp_path: Path) -> None:
    """Nothing is drawn unless it is asked for."""
    text = """
    [faults]
    parties = ["G22", "H49"]
    busy = "1 h"
    crash_at = [17]
    [faults.work]
    documents = 0
    [[faults.fault]]
    kind = "clock"
    party = "H49"
    until = "30 min"
    amount = "-1 h"
    [[faults.letter]]
    number = 1
    at = "5 s"
    from = "G22"
    to = ["H49"]
    content = "inline"
    [[faults.act]]
    at = "1 min"
    party = "H49"
    letter = 1
    says = "completed"
    """
    plan = fault_file.plan(fault_file.read(written(tmp_path, text)), 3)
    assert plan.faults == (Fault(Kind.CLOCK, 0, 30 * MINUTE_MS, "H49", amount=-HOUR_MS),)
    assert plan.letters == (Letter(1, 5 * SECOND_MS, "G22", ("H49",), "inline"),)
    assert plan.deeds == (Deed(MINUTE_MS, "H49", 1, Code.COMPLETED),)
    assert (plan.busy_ms, plan.crash_at, plan.work.documents) == (HOUR_MS, (17,), 0)
    assert faults.run(3, plan).happened["code 06"] == 2


def test_all_mistakes_are_told_at_once_with_line_and_nearest_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A planner corrects a file once, not five times."""
    text = (
        '[faults]\ndrow = true\nparties = ["G22", "H49"]\nbusy = 90\n[[faults.fault]]\nkind = "restor"\nuntil = "1 h"\n'
    )
    file = written(tmp_path, text)
    assert faults.main([str(file)]) == faults.USAGE
    said = capsys.readouterr().err
    assert "world.toml:4: faults.drow: no such key; did you mean draw?" in said
    assert "world.toml:6: faults.busy: 90 has no unit" in said
    assert 'world.toml:8: faults.fault.1.kind: "restor" is not one of' in said
    assert 'did you mean "restore"?' in said
    assert "Traceback" not in said


BAD = {
    'parties = ["G22"]': "at least two agencies",
    '[[faults.fault]]\nkind = "outage"\nparty = "H49"\nuntil = "1 h"': "must be stated where faults or letters name",
    'parties = ["G22", "H49"]\n[[faults.fault]]\nkind = "outage"\nparty = "H94"\nuntil = "1 h"': "did you mean H49",
    'parties = ["G22", "H49"]\n[[faults.fault]]\nkind = "cut"\nparty = "H49"\nuntil = "1 h"': "needs a second party",
    'parties = ["G22", "H49"]\n[[faults.fault]]\nkind = "slow"\nparty = "H49"\nuntil = "1 h"': "how much longer",
    'parties = ["G22", "H49"]\n[[faults.fault]]\nkind = "outage"\nparty = "H49"\nat = "2 h"\nuntil = "1 h"': "is over",
    'parties = ["G22", "H49"]\n[[faults.act]]\nat = "1 h"\nparty = "H49"\nletter = 4\nsays = "received"': "no letter 4",
    'parties = ["G22", "H49"]\n[[faults.letter]]\nnumber = 1\nat = "1 h"\nfrom = "H49"\nto = ["H49"]': "is the sender",
    'seeds = "9..1"': "a range goes upwards",
}


@pytest.mark.parametrize("text", BAD)
def test_what_does_not_fit_together_is_refused(text: str, tmp_path: Path) -> None:
    """Each with what would fit."""
    with pytest.raises(BadScenario, match=BAD[text]):
        fault_file.read(written(tmp_path, f"[faults]\n{text}\n"))


@given(st.integers(0, 10**6))
def test_a_drawn_plan_goes_to_a_file_and_back(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """With every figure, so that the file repeats the world byte for byte."""
    plan = draw(seed)
    file = tmp_path_factory.mktemp("plans") / "plan.toml"
    file.write_text(fault_file.text(seed, plan, "x", "y", "z"), encoding="utf-8")
    source = fault_file.read(file)
    assert fault_file.plan(source, seed) == plan
    assert source.stated.seeds == range(seed, seed + 1)


def test_letters_and_acts_go_to_a_file_and_back(tmp_path: Path) -> None:
    """Also those that change others, and whatever is left to be drawn."""
    letters = (
        Letter(3, 0, "G22", ("H49", "G09"), "chunked", expires_ms=HOUR_MS, priority=4),
        Letter(5, 61_001, "G22", ("H49",), kind="replace", about=3),
        Letter(6, 1, "H49", ("G09",), kind="new"),
    )
    plan = Plan(crash_at=(5, 9), letters=letters, deeds=(Deed(1_234, "G22", 3, Code.RECALL),))
    file = tmp_path / "plan.toml"
    file.write_text(fault_file.text(1, plan, 'a "quoted" name', "y", "two\nlines"), encoding="utf-8")
    assert fault_file.plan(fault_file.read(file), 1) == plan


def test_a_capacity_scenario_gives_its_agencies_and_its_failures() -> None:
    """Some agencies from inside what is cut off and some from outside, cut off from each other at those times."""
    source = fault_file.read(SCENARIOS / "province-cut.toml")
    assert len(source.agencies) == 95
    plan = fault_file.plan(source, 1)
    assert plan.faults
    assert {fault.kind for fault in plan.faults} <= {Kind.CUT, Kind.OUTAGE}
    assert all(fault.until_ms <= plan.busy_ms for fault in plan.faults)
    assert 2 <= len(plan.parties) <= 6


def test_failures_that_no_agency_feels_are_named_and_the_others_happen(capsys: pytest.CaptureFixture[str]) -> None:
    """In the flood week the units of one province lose power, but not its agency; another province is cut off."""
    source = fault_file.read(SCENARIOS / "flood-week.toml")
    assert source.left_out == ("quang-tri-dark",)
    for seed in range(5):
        assert {fault.kind for fault in fault_file.plan(source, seed).faults} == {Kind.CUT}
    assert faults.main([str(SCENARIOS / "flood-week.toml"), "--seeds", "1"]) == faults.HELD
    assert "left out, for no agency would feel it: quang-tri-dark" in capsys.readouterr().err


def test_a_capacity_scenario_whose_failures_concern_no_agency_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A world without any of them would hold every promise and prove nothing."""
    file = tmp_path / "villages.toml"
    cut = '[[failures]]\nname = "quang-binh-cut"\nmembers = "province:Quảng Bình - agency:H46"\n'
    file.write_text(f'extends = "{SCENARIOS / "flood-week.toml"}"\n{HEAD}{cut}', encoding="utf-8")
    assert faults.main([str(file)]) == faults.USAGE
    said = capsys.readouterr().err
    assert "failures: no agency would feel any of quang-tri-dark, quang-binh-cut" in said


def test_a_capacity_scenario_without_failures_is_drawn_on_its_agencies() -> None:
    """All 95 of them may take part, not the ten of the default."""
    source = fault_file.read(SCENARIOS / "normal-working-day.toml")
    parties = {party for seed in range(20) for party in fault_file.plan(source, seed).parties}
    assert len(parties - set(AGENCIES)) > 20


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_every_shipped_world_says_what_it_is_for_and_holds(file: Path) -> None:
    """In English with a Vietnamese title; one of its seeds is run here, all of them by the command."""
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert 'name_vi = "' in text
    assert faults.main([str(file), "--seeds", "1"]) == faults.HELD
