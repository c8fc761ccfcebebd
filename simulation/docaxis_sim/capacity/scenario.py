"""Scenario: a TOML file, with all that it extends and all that is set from outside, to a checked `model.Scenario`.

Composes the rooms that read, know the fields and check; decides nothing about any field itself. Wherever something is
wrong, all of it is told at once, with file and line.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from docaxis_sim.capacity import addresses as field_addresses
from docaxis_sim.capacity import bounded, source
from docaxis_sim.capacity.checks import check_meaning
from docaxis_sim.capacity.fields import BUILT_IN_PROFILES, SCENARIO
from docaxis_sim.capacity.kinds import PROFILE
from docaxis_sim.capacity.mistakes import BadScenario, Mistake, file_name, nearest
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.shapes import Sink
from docaxis_sim.capacity.shipped import shipped

CALIBRATION: Final = "calibration/node-2026-11.json"
"""The costs that come with the simulator."""


def load(path: Path | str, overrides: Mapping[str, object] | None = None) -> Scenario:
    """The scenario in a file, or the shipped one of that name; `overrides` by address. Raises `BadScenario`."""
    found = find(path)
    tree = source.read(found)
    unknown: list[Mistake] = []
    for address, value in (overrides or {}).items():
        try:
            tree = field_addresses.set_field(tree, address, value)
        except BadScenario as error:
            unknown += error.mistakes
    return from_tree(tree, found, unknown)


def from_tree(tree: source.Node, path: Path, unknown: Iterable[Mistake] = ()) -> Scenario:
    """The scenario that a tree says, with mistakes found before; raises `BadScenario`."""
    sink = Sink(unknown)
    values = SCENARIO.read(tree, sink)
    raw = tree.plain
    built_in = {name: PROFILE.convert(points) for name, points in BUILT_IN_PROFILES.items()}
    values["profiles"] = built_in | values["profiles"]
    values["calibration"] = values["calibration"] or shipped() / CALIBRATION
    values["day_factors"] = values["day_factors"] or (1.0,) * values["days"]
    digest = _digest(raw, values["calibration"], values["topology"].graph)
    scenario = Scenario(**values, path=path.resolve(), raw=raw, digest=digest)
    check_meaning(scenario, tree, sink)
    if sink:
        raise BadScenario(sink)
    return scenario


def _digest(raw: dict[str, Any], *files: Path | str) -> str:
    """Of everything that is said, wherever it stands: the merged table, and what the files that it names hold."""
    sha = hashlib.sha256(json.dumps(raw, sort_keys=True, ensure_ascii=False, default=str).encode())
    for file in files:
        sha.update(hashlib.sha256(_content(Path(file))).digest())
    return sha.hexdigest()


def _content(path: Path) -> bytes:
    """Of a file, or nothing where there is none to be read: what is wrong with it is told by whoever needs it."""
    try:
        return bounded.content(path)
    except OSError:
        return b""


SHIPPED: Final = ("", "faults", "found")
"""Folders of `scenarios/` whose files are found by their names alone."""


def find(path: Path | str) -> Path:
    """The file that is meant: a path, or the name of a shipped scenario. Raises `BadScenario`."""
    path = Path(path)
    if path.is_file():
        return path
    here = sorted(each for room in SHIPPED for each in (shipped() / room).glob("*.toml"))
    if len(path.parts) == 1 and path.suffix in ("", ".toml"):
        for each in here:
            if each.stem == path.stem:
                return each
    near = nearest(path.stem, (each.stem for each in (*here, *path.parent.glob("*.toml"))))
    raise BadScenario([Mistake(file_name(path), 0, "", f"there is no such scenario; {near}".rstrip("; "))])


def addresses(scenario: Scenario) -> tuple[str, ...]:
    """The address of every field of a scenario, for `load`'s overrides."""
    return field_addresses.listed(scenario.raw)


def check(paths: Iterable[Path | str], *, as_json: bool = False) -> int:
    """Print every mistake in some files, or that there is none; 0 when all are right, else 1."""
    found = {str(path): _mistakes(path) for path in paths}
    mistakes = [each for some in found.values() for each in some]
    if as_json:
        report: dict[str, Any] = {"scenarios": list(found), "mistakes": [each._asdict() for each in mistakes]}
        sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    else:
        lines = [str(each) for name, some in found.items() for each in some or (f"{name}: right",)]
        sys.stdout.write("\n".join(lines) + "\n")
    return int(bool(mistakes))


def _mistakes(path: Path | str) -> tuple[Mistake, ...]:
    try:
        load(path)
    except BadScenario as error:
        return error.mistakes
    return ()
