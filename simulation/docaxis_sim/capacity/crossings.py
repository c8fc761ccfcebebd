"""Crossings: where a token is on its way between two nodes: over which hop it goes, from whom to whom, and how long.

Numbers of steps and columns of the plan only; nothing here knows of outages or decides anything.
"""

from collections.abc import Callable
from typing import Final

from docaxis_sim.capacity.columns import Columns
from docaxis_sim.capacity.plan import (
    ENVELOPE,
    NEVER,
    NODE,
    STATUS_FIRST,
    STEP_BITS,
    STEP_MASK,
    UP,
    Plan,
    hop,
    receipt,
    status,
)

UP_TO_NODE: Final = hop(0, NODE) - hop(0, UP)
"""From the token that goes out to the one that has come in, of what travels inline."""
_PER_HOP: Final = hop(1, ENVELOPE) - hop(0, ENVELOPE)
_PER_STATUS: Final = status(1, 0) - status(0, 0)


class Crossings:
    """All crossings of a plan. `paths`: by place on its path, the node of each delivery. `hop_of`: by step, a function
    from a delivery to the hop that this step of it crosses."""

    def __init__(self, plan: Plan, columns: Columns) -> None:
        self.paths: Final = [row.tolist() for row in plan.deliveries.path[: columns.hops_max + 1]]
        self._columns: Final = columns
        self.hop_of: Final = {step: self._made_hop_of(step) for step in columns.left}

    def _made_hop_of(self, step: int) -> Callable[[int], int]:
        if step < receipt(0):
            return lambda d: hop_number(step)
        back = step - receipt(0) + 1 if step < STATUS_FIRST else (step - STATUS_FIRST) % _PER_STATUS
        hops = self._columns.hops
        return lambda d: hops[d] - back

    def ends(self, token: int) -> tuple[int, int]:
        """From where to where a token crosses: documents forward, receipts and statuses back."""
        d, step = token >> STEP_BITS, token & STEP_MASK
        h = self.hop_of[step](d)
        near, far = self.paths[h][d], self.paths[h + 1][d]
        return (near, far) if step < receipt(0) else (far, near)

    def latency_ns(self, token: int) -> int:
        """How long a token takes to the other side."""
        d = token >> STEP_BITS
        return self._columns.latency[self.hop_of[token & STEP_MASK](d)][d]


def hop_number(step: int) -> int:
    """The hop of a step on the way there."""
    return (step - hop(0, ENVELOPE)) // _PER_HOP


def part(step: int) -> int:
    """ENVELOPE, UP, DOWN or NODE, or NEVER for a step that is not on the way there."""
    return (step - hop(0, ENVELOPE)) % _PER_HOP if hop(0, ENVELOPE) <= step < receipt(0) else NEVER


def is_document(token: int) -> bool:
    """Whether a token is of the document itself, and not of what is said about it."""
    return token & STEP_MASK < receipt(0)


def is_state(step: int) -> bool:
    """Whether somebody states something at this step, at a node of their own."""
    return step >= STATUS_FIRST and (step - STATUS_FIRST) % _PER_STATUS == 0
