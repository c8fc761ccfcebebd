"""Costs: what one node needs for each thing it does, as measured on real nodes, and where the measurement comes from.

Read from a calibration file that `tools/calibrate` writes. Nothing here measures, and nothing invents a number.
"""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from docaxis_sim.capacity import bounded
from docaxis_sim.capacity.model import Scenario

BYTES_MAX: Final = 8 * bounded.MIB
"""A thousand times what `tools/calibrate` writes."""


class Costs(NamedTuple):
    """One node on the measured machine; all times in nanoseconds.

    `round_ns` is what a round of the loop costs however much it handles; the others are per thing, see
    `docaxis_sim.capacity.plan.Cost`. `commit_ns` is one group commit. `content_ns_per_kib`: hashing and handling of
    content on the loop; `blob_ns`, `blob_ns_per_kib`: writing it, which delays but does not occupy the loop.
    `wake_ns`: what a round costs on top where its process slept. `serve_ns`, `serve_ns_per_kib`: what a recipient that
    pulls its content costs the sender's loop. `connect_ns`, `accept_ns`: what a new connection, with its handshake,
    costs the caller's loop and that of the called. `commit_extra_ns`: what commits took beyond the quicker half, a
    sample of them in any order (empty: `commit_ns` is all there is).
    """

    round_ns: int
    submit_ns: int
    submit_more_ns: int
    envelope_ns: int
    content_ns: int
    relay_ns: int
    receipt_ns: int
    state_ns: int
    status_ns: int
    content_ns_per_kib: int
    blob_ns: int
    blob_ns_per_kib: int
    commit_ns: int
    stored_bytes_sender: int
    stored_bytes_recipient: int
    provenance: dict[str, Any]
    wake_ns: int = 0
    serve_ns: int = 0
    serve_ns_per_kib: int = 0
    connect_ns: int = 0
    accept_ns: int = 0
    commit_extra_ns: tuple[int, ...] = ()


class BadCalibration(ValueError):
    """A calibration file that cannot be used; says which file, which key, and what was expected."""


def read(path: Path) -> Costs:
    """The costs in a calibration file; raises `BadCalibration`."""
    try:
        found = json.loads(bounded.text(path, BYTES_MAX))
    except (OSError, ValueError, RecursionError) as error:
        raise BadCalibration(f"{path.name}: not a readable calibration file: {error}") from error
    values = found.get("costs") if isinstance(found, dict) else None
    provenance = found.get("provenance") if isinstance(found, dict) else None
    if not isinstance(values, dict) or not isinstance(provenance, dict):
        raise BadCalibration(f"{path.name}: needs the objects 'costs' and 'provenance'; tools/calibrate writes both")
    names = [name for name in Costs._fields if name not in ("provenance", "commit_extra_ns")]
    whole = {**{name: Costs._field_defaults.get(name) for name in names}, **values}
    extra_ns = whole.pop("commit_extra_ns", [])
    wrong = [name for name in names if not _is_count(whole[name])]
    if not isinstance(extra_ns, list) or not all(map(_is_count, extra_ns)):
        wrong.append("commit_extra_ns")
    if wrong or set(whole) - set(names):
        extra = sorted(set(whole) - set(names))
        raise BadCalibration(f"{path.name}: costs must be whole numbers ≥ 0; wrong: {wrong}; not known: {extra}")
    return Costs(**whole, commit_extra_ns=tuple(extra_ns), provenance=provenance)


def of(scenario: Scenario) -> Costs:
    """The costs that a scenario reckons with: those of its calibration, every time by its factor; raises
    `BadCalibration`."""
    found, factor = read(scenario.calibration), scenario.service_times
    if factor == 1:
        return found
    times = [name for name in Costs._fields if "_ns" in name and name != "commit_extra_ns"]
    return found._replace(
        **{name: round(getattr(found, name) * factor) for name in times},
        commit_extra_ns=tuple(round(each * factor) for each in found.commit_extra_ns),
    )


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0
