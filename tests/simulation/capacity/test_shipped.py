"""What comes with the simulator is found in a checkout and in an installed package."""

import tomllib
from pathlib import Path

from docaxis_sim.capacity import shipped

ROOT = Path(__file__).resolve().parents[3]
WHEEL = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"][
    "wheel"
]


def test_a_checkout_uses_its_own_scenarios() -> None:
    """Whoever changes a scenario there runs the changed one."""
    assert shipped.shipped() == ROOT / "scenarios"


def test_a_wheel_takes_the_scenarios_to_where_the_package_looks_for_them() -> None:
    """Installed without a repository, the simulator still knows the country and the planners' questions."""
    package = Path(shipped.__file__).parents[1].relative_to(ROOT / "simulation")
    assert "scenarios" in WHEEL["only-include"]
    assert WHEEL["sources"]["scenarios"] == (package / "scenarios").as_posix()
    assert (ROOT / "scenarios" / "data" / "vietnam" / "LICENSE-vietnamadminunits.txt").is_file()
