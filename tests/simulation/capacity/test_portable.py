"""A scenario as a parcel is the same scenario on a machine that has none of its files."""

import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.portable import Parcel, pack, read, toml, unpacked, write
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.shipped import shipped
from tests.simulation.capacity.measured import SMALL

SHIPPED = sorted(path.stem for path in shipped().glob("*.toml"))


@pytest.mark.parametrize("name", [*SHIPPED, str(SMALL)])
def test_every_shipped_scenario_survives_being_packed(name: str, tmp_path: Path) -> None:
    """Every field but the places of its files."""
    here = load(name)
    there = load(write(pack(here), tmp_path))
    moved = {"path", "calibration", "raw", "digest", "topology"}
    for field in set(here._fields) - moved:
        assert getattr(there, field) == getattr(here, field), field
    assert there.topology._replace(graph="") == here.topology._replace(graph="")
    assert there.calibration.read_bytes() == here.calibration.read_bytes()


def test_overrides_travel_along() -> None:
    """What was set from the command line is in the parcel."""
    assert unpacked(pack(load(SMALL, {"load": 3, "experiment.seed": 9}))).load == 3


def test_threads_that_unpack_one_parcel_at_once_get_one_scenario() -> None:
    """A worker of a cluster has several; none may read what another one has half written."""
    parcel, together = pack(load(SMALL, {"experiment.seed": 4711})), Barrier(8)

    def at_once(parcel: Parcel) -> Scenario:
        together.wait()
        return unpacked(parcel)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(at_once, [parcel] * 8))
    assert all(each is found[0] for each in found)


def test_a_parcel_in_a_folder_is_the_parcel(tmp_path: Path) -> None:
    """So that somebody else's folder can be checked."""
    parcel = pack(load(SMALL))
    write(parcel, tmp_path)
    assert read(tmp_path) == parcel


def test_equal_scenarios_are_equal_parcels_and_others_are_not() -> None:
    """Results are found by this."""
    assert pack(load(SMALL)).digest == pack(load(SMALL)).digest != pack(load(SMALL, {"load": 2})).digest


def test_toml_is_read_back_as_it_was() -> None:
    """Texts with quotes and Vietnamese, tables in lists, numbers, truth values."""
    table = {"name": 'Hỏa tốc "1"', "a": [{"b.c": 1.5, "d": True}, {"e": []}], "n": -3, "expect": {"x.y": "<= 1 s"}}
    assert tomllib.loads(toml(table)) == table
