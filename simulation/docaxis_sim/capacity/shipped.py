"""Shipped: where the scenarios, calibrations and tables are that come with the simulator.

A place and nothing else; who reads what there is others' matter.
"""

from pathlib import Path


def shipped() -> Path:
    """The folder of scenarios and data: inside the installed package, or in the repository that it is used from."""
    here = Path(__file__).resolve()
    inside = here.parents[1] / "scenarios"
    return inside if inside.is_dir() else here.parents[3] / "scenarios"
