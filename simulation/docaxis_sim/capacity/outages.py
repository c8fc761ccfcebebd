"""Outages: who cannot reach whom at a moment, and which deliveries will ever have to ask.

Windows of time and sets of nodes only; what somebody does who is not reached is `courier`'s.
"""

from typing import Final

import numpy as np

from docaxis_sim.capacity.plan import NEVER, Bool, Int32, Outage, Plan


class Outages:
    """All outages of a plan. `touched`, by hop: for each delivery, 1 if some outage ever lies between its two nodes."""

    def __init__(self, plan: Plan) -> None:
        nodes = len(plan.node_ids)
        self._masks: Final = [_mask(outage, nodes) for outage in plan.outages]
        self._all: Final = plan.outages
        self._insides: Final = [mask.tobytes() for mask in self._masks]
        self._on: Final[list[int]] = []
        self.touched: Final = [
            self._between(plan.deliveries.path[h], plan.deliveries.path[h + 1]).tobytes()
            for h in range(int(plan.deliveries.hops.max(initial=0)))
        ]

    def _between(self, here: Int32, there: Int32) -> Bool:
        met: Bool = np.zeros(len(here), np.bool_)
        for outage, mask in zip(self._all, self._masks, strict=True):
            met |= (mask[here] | mask[there]) if outage.dark else (mask[here] != mask[there])
        return met

    def begin(self, number: int) -> None:
        """The outage is there."""
        self._on.append(number)

    def end(self, number: int) -> None:
        """It is over."""
        self._on.remove(number)

    def blocked(self, a: int, b: int) -> bool:
        """Whether nothing passes between two nodes now."""
        return any(self._lies_between(number, a, b) for number in self._on)

    def _lies_between(self, number: int, a: int, b: int) -> bool:
        inside = self._insides[number]
        return bool(inside[a] | inside[b] if self._all[number].dark else inside[a] ^ inside[b])

    def dark_until_ns(self, node: int) -> int:
        """How long a node is still switched off; NEVER if it is not."""
        return max(
            (self._all[n].until_ns for n in self._on if self._all[n].dark and self._insides[n][node]), default=NEVER
        )

    def interrupted(self, a: int, b: int, from_ns: int, until_ns: int) -> bool:
        """Whether something between two nodes broke after `from_ns` and before `until_ns`."""
        return any(
            outage.from_ns < until_ns and outage.until_ns > from_ns and self._lies_between(number, a, b)
            for number, outage in enumerate(self._all)
        )


def _mask(outage: Outage, nodes: int) -> Bool:
    mask: Bool = np.zeros(nodes, np.bool_)
    mask[outage.inside] = True
    return mask
