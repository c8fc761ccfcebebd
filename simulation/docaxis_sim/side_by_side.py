"""Side by side: the same few documents through full machines, the reference engine and the vector engine.

The only room that knows all three executors. It says what they disagree about, in numbers; it explains nothing: why
full machines differ is in `docaxis_sim.machines`.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from docaxis_sim import machines
from docaxis_sim.capacity import reference, vector
from docaxis_sim.capacity.excerpt import excerpt, pressed, with_lines_for
from docaxis_sim.capacity.plan import HOUR_NS, NEVER, SECOND_NS, CannotCarry, Float, Int64, Plan, Run, arrived_ns
from docaxis_sim.capacity.study import Table

NODES: Final = 8
DELIVERIES: Final = 300
BUSY: Final = 0.6
"""Where executors can part ways: nearly idle nodes say little about any of them."""
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
    return Table(_long(found), " ".join([_caption(small, faster), *_figures(found), *_disagreements(found), *refused]))


def late(plan: Plan) -> int:
    """How many documents of a plan arrive later than they would if each had everything to itself."""
    together = latencies_s(plan, reference.carry(plan))
    apart = plan.deliveries._replace(birth_ns=np.arange(len(plan.deliveries.hops)) * HOUR_NS)
    alone = plan._replace(deliveries=apart)
    return int((together > latencies_s(alone, reference.carry(alone)) + LATE_S).sum())


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
        apart = float(np.nanmax(np.abs(values - base)))
        middle, late = (np.nanpercentile(values, q) / np.nanpercentile(base, q) - 1 for q in (50, 95))
        said.append(
            f"{name} against reference: median {middle:+.2%}, p95 {late:+.2%}, "
            f"at most {apart * 1000:.3f} ms for any document."
        )
    return said
