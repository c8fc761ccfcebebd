"""Side by side: the same few documents through full machines, the reference engine and the vector engine.

The only room that knows all three executors. It says what they disagree about, in numbers; it explains nothing: why
full machines differ is in `docaxis_sim.machines`.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from docaxis_sim import machines
from docaxis_sim.capacity import reference, vector
from docaxis_sim.capacity.excerpt import excerpt, pressed, with_a_cut, with_lines_for
from docaxis_sim.capacity.plan import (
    HOUR_NS,
    MINUTE_NS,
    NEVER,
    SECOND_NS,
    Bool,
    CannotCarry,
    Float,
    Int64,
    Plan,
    Run,
    arrived_ns,
)
from docaxis_sim.capacity.study import Table

NODES: Final = 8
DELIVERIES: Final = 300
BUSY: Final = 0.6
"""Where executors can part ways: nearly idle nodes say little about any of them."""
KNOW_CUTS: Final = ("machines", "reference")
LATE_S: Final = 0.002
"""More than this is waiting, and not another turn of the disk."""
EXECUTORS: Final[dict[str, Callable[[Plan], Run]]] = {
    "machines": machines.carry,
    "reference": reference.carry,
    "vector": vector.carry,
}


def side_by_side(plan: Plan) -> Table:
    """Distributions of the latency to *arrived* in long form (executor, latency_s, share), over an excerpt of a plan
    in which documents meet: pressed together until its busiest loop has `BUSY` to do, over lines that have no more.
    An executor that cannot carry the excerpt is named in `about` with its reason, and has no rows."""
    small, faster = with_lines_for(excerpt(plan, NODES, DELIVERIES))
    small = pressed(small, BUSY)
    found: dict[str, Float] = {}
    refused: list[str] = []
    for name, carry in EXECUTORS.items():
        try:
            found[name] = latencies_s(small, carry(small))
        except CannotCarry as error:
            refused.append(f"{name}: {error}")
    said = [_caption(small, faster), *_figures(found), *_disagreements(found), *refused]
    return Table(_long(found), " ".join(said + (_after_a_cut(small) if found.keys() >= set(KNOW_CUTS) else [])))


def _after_a_cut(small: Plan) -> list[str]:
    """The same documents once more, where those executors can part ways that know what a cut does."""
    cut = with_a_cut(small)
    held = int(held_up(cut).sum())
    if not held:
        return []
    node = cut.node_ids[cut.outages[0].inside[0]]
    after = ", ".join(f"{drained_min(cut, name):.2f} min ({name})" for name in KNOW_CUTS)
    what = f"With {node} cut off for the middle third of an hour, the last of {held} documents that this held up"
    return [f"{what} arrives so long after its end: {after}."]


def late(plan: Plan) -> int:
    """How many documents of a plan arrive later than they would if each had everything to itself."""
    together = latencies_s(plan, reference.carry(plan))
    apart = plan.deliveries._replace(birth_ns=np.arange(len(plan.deliveries.hops)) * HOUR_NS)
    alone = plan._replace(deliveries=apart)
    return int((together > latencies_s(alone, reference.carry(alone)) + LATE_S).sum())


def held_up(plan: Plan) -> Bool:
    """Which documents of a plan were submitted while a cut lay before them."""
    rows = plan.deliveries
    held = np.zeros(len(rows.hops), np.bool_)
    for outage in plan.outages:
        crosses = np.isin(rows.path[0], outage.inside) != np.isin(rows.path[1], outage.inside)
        held |= crosses & (rows.birth_ns >= outage.from_ns) & (rows.birth_ns < outage.until_ns)
    return held


def drained_min(plan: Plan, executor: str) -> float:
    """How long after the end of a plan's cuts the last document that they held up has arrived; infinity if never."""
    arrived = arrived_ns(plan, EXECUTORS[executor](plan))[held_up(plan)]
    ends_ns = max(outage.until_ns for outage in plan.outages)
    return float((arrived.max() - ends_ns) / MINUTE_NS) if (arrived != NEVER).all() else float("inf")


def latencies_s(plan: Plan, run: Run) -> Float:
    """From birth to *arrived* in seconds, a row per delivery; NaN for what did not arrive."""
    arrived = arrived_ns(plan, run)
    found: Float = np.where(arrived == NEVER, np.nan, (arrived - plan.deliveries.birth_ns) / SECOND_NS)
    return found


def _long(found: dict[str, Float]) -> dict[str, tuple[str, ...] | Float | Int64]:
    sorted_s = {name: np.sort(values[np.isfinite(values)]) for name, values in found.items()}
    return {
        "executor": tuple(name for name, values in sorted_s.items() for _ in values),
        "latency_s": np.concatenate([np.empty(0), *sorted_s.values()]),
        "share": np.concatenate(
            [np.empty(0), *(np.arange(1, len(values) + 1) / len(values) for values in sorted_s.values() if len(values))]
        ),
    }


def _caption(small: Plan, faster: float) -> str:
    count = len(small.deliveries.hops)
    return (
        f"{count} documents between {', '.join(small.node_ids)}, without failures and later states, pressed together "
        f"until the busiest node has work for {BUSY:.0%} of the time, over lines {faster:.3g} times as fast; "
        f"{late(small)} of them waited for another one."
    )


def _figures(found: dict[str, Float]) -> list[str]:
    """Each executor's own figures."""
    return [
        f"{name}: median {np.nanmedian(values) * 1000:.1f} ms, p95 {np.nanpercentile(values, 95) * 1000:.1f} ms, "
        f"longest {np.nanmax(values) * 1000:.1f} ms."
        for name, values in found.items()
        if np.isfinite(values).any()
    ]


def _disagreements(found: dict[str, Float]) -> list[str]:
    """Each executor beside the reference engine: the largest difference of any document, and of the median and p95."""
    if "reference" not in found or not len(found["reference"]):
        return []
    base = found["reference"]
    said = []
    for name, values in found.items():
        if name == "reference":
            continue
        if not (np.isfinite(values) & np.isfinite(base)).any():
            said.append(f"{name} against reference: no document arrived in both.")
            continue
        apart = float(np.nanmax(np.abs(values - base)))
        middle, late = (np.nanpercentile(values, q) / np.nanpercentile(base, q) - 1 for q in (50, 95))
        said.append(
            f"{name} against reference: median {middle:+.2%}, p95 {late:+.2%}, "
            f"at most {apart * 1000:.3f} ms for any document."
        )
    return said
