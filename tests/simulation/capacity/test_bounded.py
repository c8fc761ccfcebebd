"""Files that a scenario names are read to their end only if they are files and have one within reach."""

import bz2
import gzip
import os
from pathlib import Path

import pytest

from docaxis_sim.capacity import bounded, costs, source
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.capacity.planners_graph import BadGraph, read_units
from docaxis_sim.capacity.scenario import load
from tests.simulation.capacity.measured import SMALL

ENDLESS = Path("/dev/zero")


def sparse(path: Path, size_bytes: int) -> Path:
    """A file that is large and takes no room."""
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return path


def test_a_text_is_what_any_editor_wrote(tmp_path: Path) -> None:
    """Line ends are one thing afterwards."""
    (tmp_path / "a").write_bytes("Hỏa tốc\r\nhai\n".encode())
    assert bounded.text(tmp_path / "a") == "Hỏa tốc\nhai\n"
    with pytest.raises(FileNotFoundError):
        bounded.content(tmp_path / "b")


@pytest.mark.skipif(not ENDLESS.exists(), reason="needs a device without an end")
def test_what_has_no_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A device, and a pipe that nobody writes to: reading either never ends."""
    os.mkfifo(tmp_path / "pipe")
    for endless in (ENDLESS, tmp_path / "pipe"):
        with pytest.raises(costs.BadCalibration, match="not a regular file"):
            costs.read(endless)
        with pytest.raises(BadGraph, match="not a regular file"):
            read_units(endless)
        with pytest.raises(BadScenario, match="not a regular file"):
            source.read(endless)


@pytest.mark.skipif(not ENDLESS.exists(), reason="needs a device without an end")
def test_a_scenario_that_names_a_device_is_told_so() -> None:
    """Instead of waiting for the device's last byte."""
    for address in ("calibration", "topology.graph"):
        with pytest.raises(BadScenario, match=f"{address}: /dev/zero is not a regular file") as refused:
            load(SMALL, {address: str(ENDLESS)})
        assert len(refused.value.mistakes) == 1


def test_what_is_too_large_is_said_to_be(tmp_path: Path) -> None:
    """One byte too many, of each kind of file."""
    large = sparse(tmp_path / "large", bounded.BYTES_MAX + 1)
    with pytest.raises(costs.BadCalibration, match="larger than 8 MiB"):
        costs.read(sparse(tmp_path / "costs.json", costs.BYTES_MAX + 1))
    with pytest.raises(BadGraph, match="larger than 64 MiB"):
        read_units(large)
    with pytest.raises(BadScenario, match="larger than 4 MiB"):
        source.read(sparse(tmp_path / "it.toml", source.BYTES_MAX + 1))
    endless = sparse(tmp_path / "endless", 64 * 1024 * bounded.MIB)
    for address, most in (("calibration", "8 MiB"), ("topology.graph", "64 MiB")):
        with pytest.raises(BadScenario, match=f"larger than {most}"):
            load(SMALL, {address: str(endless)})


def test_a_packed_graph_is_not_unpacked(tmp_path: Path) -> None:
    """A hundred bytes may become as many gigabytes; whatever the file is called."""
    graph = b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph/></graphml>'
    for name, content in (("a.graphml.gz", gzip.compress(graph)), ("a.graphml.BZ2", bz2.compress(graph))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadGraph, match="is packed; unpack it"):
            read_units(tmp_path / name)
    (tmp_path / "a.graphml").write_bytes(gzip.compress(graph))
    with pytest.raises(BadGraph, match="not a readable GraphML file"):
        read_units(tmp_path / "a.graphml")
