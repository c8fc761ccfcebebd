"""Uplinks: the handlers of up and down links where up links are shared by lanes or equally.

Joins the laws of `docaxis_sim.capacity.links`, which know no clock, to the calendar; replaces the handlers that
`docaxis_sim.capacity.steps` made for links that send one thing after the other.
"""

from typing import Final

from docaxis_sim.capacity import links
from docaxis_sim.capacity.calendar import Calendar, Handler
from docaxis_sim.capacity.columns import Columns, Link
from docaxis_sim.capacity.plan import DOWN, NEVER, STEP_BITS, STEP_MASK, UP, Stations, hop
from docaxis_sim.capacity.rounds import Rounds

_HOP_STEPS: Final = hop(1, UP) - hop(0, UP)
_TO_DOWN: Final = hop(0, DOWN) - hop(0, UP)


def _hop_of(step: int) -> int:
    return (step - hop(0, UP)) // _HOP_STEPS


class Uplinks:
    """All shared up links of a plan. Their events have the last numbers below 0, in the order of the links. Whoever
    comes is there until the run ends at `until_ns`, as far as is known before it leaves."""

    def __init__(self, stations: Stations, calendar: Calendar, rounds: Rounds, columns: Columns, until_ns: int) -> None:
        self._links: Final = links.make(stations.up_law, stations.up_ns_per_kib)
        self._woken_ns: Final = [NEVER] * len(self._links)
        self._calendar: Final = calendar
        self._columns: Final = columns
        self._leave: Final = rounds.leave
        self._until_ns: Final = until_ns
        self._kept: Final[dict[int, int]] = {}

    def install(self, priority: bytes) -> None:
        """Puts these links in the place of the others."""
        for h in range(self._columns.hops_max):
            self._calendar.handlers[hop(h, UP)] = self._up(h, priority)
            self._calendar.handlers[hop(h, DOWN)] = self._down(h)

    def happen(self, time_ns: int, number: int) -> None:
        """Something happens at a link by itself."""
        link = number + len(self._links)
        self._woken_ns[link] = NEVER
        news = self._links[link].due(time_ns)
        for token in news.started:
            self._start(time_ns, token)
        for token in news.ended:
            self._end(time_ns, token)
        self._look_at(link)

    def _look_at(self, link: int) -> None:
        """An event when something happens there next, unless there is one."""
        next_ns = self._links[link].next_ns
        if next_ns not in (NEVER, self._woken_ns[link]):
            self._woken_ns[link] = next_ns
            self._calendar.push(next_ns, link - len(self._links))

    def _start(self, time_ns: int, token: int) -> None:
        h = _hop_of(token & STEP_MASK)
        self._calendar.push(time_ns + self._columns.latency[h][token >> STEP_BITS], token + _TO_DOWN)

    def _end(self, time_ns: int, token: int) -> None:
        """The last byte went out; a down link that was passed already was only kept for it."""
        d, step = token >> STEP_BITS, token & STEP_MASK
        h = _hop_of(step)
        self._columns.left[step][d] = time_ns
        self._columns.ups[h][d].area_ns += time_ns - self._until_ns
        free_ns = self._kept.pop(token, None)
        if free_ns is not None:
            self._leave_down(self._columns.downs[h][d], max(free_ns, time_ns + self._columns.latency[h][d]), token)

    def _leave_down(self, link: Link, left_ns: int, token: int) -> None:
        link.area_ns += min(left_ns, self._until_ns) - self._until_ns
        down = token + _TO_DOWN
        self._leave[down & STEP_MASK](left_ns, down)

    def _up(self, h: int, priority: bytes) -> Handler:
        ups, size = self._columns.ups[h], self._columns.size

        def up(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            ups[d].area_ns += self._until_ns - time_ns
            link = ups[d].number
            if self._links[link].arrive(time_ns, token, size[d], priority[d]) != NEVER:
                self._start(time_ns, token)
            self._look_at(link)

        return up

    def _down(self, h: int) -> Handler:
        columns = self._columns
        downs, size, latency, left_up = columns.downs[h], columns.size, columns.latency[h], columns.left[hop(h, UP)]

        def down(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            link = downs[d]
            link.area_ns += self._until_ns - time_ns
            link.free_ns = max(link.free_ns, time_ns) + (size[d] * link.ns_per_kib >> 10)
            if left_up[d] == NEVER:
                self._kept[token - _TO_DOWN] = link.free_ns
            else:
                self._leave_down(link, max(link.free_ns, left_up[d] + latency[d]), token - _TO_DOWN)

        return down
