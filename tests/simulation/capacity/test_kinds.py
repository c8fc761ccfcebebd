"""Goals: a share is between 0 and 1, or per cent."""

from pathlib import Path

import pytest

from docaxis_sim.capacity.kinds import goal
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.units import BadValue
from tests.simulation.capacity.measured import SMALL


@pytest.mark.parametrize("metric", ["utilisation.loop.max", "utilisation.up.max.tier.commune", "carried_share"])
def test_a_share_above_one_without_per_cent_is_a_slip(metric: str) -> None:
    """Eighty is 8,000 %: the goal would always hold."""
    with pytest.raises(BadValue, match="80 is 8,000 %; write 80 %"):
        goal(f"{metric} <= 80")
    assert goal(f"{metric} <= 80 %").value == goal(f"{metric} <= 0.8").value == 0.8
    assert goal(f"{metric} <= 1").value == 1


def test_what_is_no_share_may_be_eighty() -> None:
    """Counts have no per cent."""
    assert goal("expired <= 80").value == 80


def test_a_scenario_that_states_such_a_goal_is_refused(tmp_path: Path) -> None:
    """With the same sentence, and its line."""
    path = tmp_path / "own.toml"
    path.write_text(f'extends = "{SMALL}"\n[expect]\n"carried_share" = ">= 80"\n', encoding="utf-8")
    with pytest.raises(BadScenario, match=r"own.toml:3: .*write 80 % if"):
        load(path)
