"""Portable: a scenario with all the files it needs, as text, for machines that do not have them.

The country's tables are not in it: they come with the simulator. Whoever gets a parcel gets the contents of the files
that the scenario names. Nothing here runs anything.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

from docaxis_sim.capacity import bounded
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.scenario import load
from docaxis_sim.capacity.starter import written

SCENARIO: Final = "scenario.toml"
CALIBRATION: Final = "calibration.json"
GRAPH: Final = "country.graphml"


class Parcel(NamedTuple):
    """`text`: the whole scenario, merged, with overrides. `files`: what it refers to, by the names it uses."""

    text: str
    files: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """SHA-256 over all of it."""
        sha = hashlib.sha256(self.text.encode())
        for name, text in self.files:
            sha.update(f"\0{name}\0{text}".encode())
        return sha.hexdigest()


def pack(scenario: Scenario) -> Parcel:
    """A scenario made independent of the folder that it lies in."""
    raw = dict(scenario.raw)
    files = {CALIBRATION: bounded.text(scenario.calibration)}
    raw["calibration"] = CALIBRATION
    if scenario.topology.graph:
        files[GRAPH] = bounded.text(Path(scenario.topology.graph))
        topology = raw["topology"]
        assert isinstance(topology, dict)
        raw["topology"] = {**topology, "graph": GRAPH}
    return Parcel(toml(raw), tuple(sorted(files.items())))


def write(parcel: Parcel, folder: Path) -> Path:
    """The parcel's files in a folder; the scenario's path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((SCENARIO, parcel.text), *parcel.files):
        (folder / name).write_text(text, encoding="utf-8")
    return folder / SCENARIO


def read(folder: Path) -> Parcel:
    """The parcel whose files are in a folder; raises `OSError` and `UnicodeDecodeError`."""
    found = [(name, bounded.text(folder / name)) for name in (CALIBRATION, GRAPH) if (folder / name).exists()]
    return Parcel(bounded.text(folder / SCENARIO), tuple(found))


def unpacked(parcel: Parcel) -> Scenario:
    """The scenario, from a folder made for it that is gone when this process ends. Threads that ask for one parcel at
    the same time get one scenario."""
    with _ONE_AT_A_TIME:
        return _unpacked(parcel)


_ONE_AT_A_TIME: Final = Lock()
"""Nobody reads files that another thread has half written."""


@lru_cache(maxsize=16)
def _unpacked(parcel: Parcel) -> Scenario:
    return load(write(parcel, _folder() / parcel.digest))


@lru_cache(maxsize=1)
def _folder() -> Path:
    keeper = tempfile.TemporaryDirectory(prefix="docaxis-simulate-")
    _KEPT.append(keeper)
    return Path(keeper.name)


_KEPT: Final[list["tempfile.TemporaryDirectory[str]"]] = []


def toml(table: Mapping[str, Any]) -> str:
    """A table as TOML, one line per key of the top, everything below inline."""
    return "".join(f"{json.dumps(key)} = {written(value)}\n" for key, value in table.items())
