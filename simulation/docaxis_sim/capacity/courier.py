"""Courier: what becomes of a delivery that meets an outage: its sender's own outbox, its recipient's own retries.

Stands before the handlers of `docaxis_sim.capacity.steps`, and only in plans that have outages; a pair that none of
them touches passes at once. Nothing here decides when to try again: `docaxis.core.outbox` and `docaxis.core.schedule`
do, called as the core's machine calls them.

**What is assumed.** A crossing meets an outage if nothing passes between its nodes at the moment at which it would
reach the other side (what travels inline: at which it would take the line); content also if anything broke while its
bytes were under way. Then the first contact (an announcement, what travels inline, a receipt, a statement) goes into
its sender's outbox, in the core's lane for it, and so does whatever follows for that peer until nothing waits for it
any more. A request to a peer that is cut off fails when `CONNECT_TIMEOUT_NS` is over; to one that is switched off,
after a round trip (it is refused). A request that arrives is answered, one latency after the last of its items is
durable, and the answer comes home; it has failed if one of them was lost, and that is known `CONNECT_TIMEOUT_NS` after
the loss. A first contact that gets through is a sign of life, upon which the core tries a peer again. Pulled content is
tried again by its recipient. A node that is switched off finishes its round, takes no other, sends nothing, and goes on
where it stood; its clerks come back when it does, and so do its pulls. A document in an outbox is given up at its
deadline, unless its peer has it or is about to; one whose content is missing, where it would be tried again at its
deadline or later. At one instant outages begin and end before anything else, and nothing is sent at its deadline.
"""

from functools import partial
from typing import Final

import numpy as np

from docaxis.core.schedule import content_delay_ms
from docaxis_sim.capacity.calendar import Calendar, Handler
from docaxis_sim.capacity.columns import Columns
from docaxis_sim.capacity.crossings import UP_TO_NODE, Crossings, hop_number, is_state, part
from docaxis_sim.capacity.flights import Flights
from docaxis_sim.capacity.outages import Outages
from docaxis_sim.capacity.plan import DOWN, MILLISECOND_NS, NEVER, NODE, STEP_BITS, SUBMIT, UP, Form, Plan, hop
from docaxis_sim.capacity.rounds import Leave, Loop, Rounds

_ID_BYTES: Final = 32


class Courier:
    """Carries what meets an outage. `tries` and `expired` are columns of the outcome."""

    def __init__(self, plan: Plan, calendar: Calendar, rounds: Rounds, columns: Columns) -> None:
        self._plan: Final = plan
        self._calendar: Final = calendar
        self._rounds: Final = rounds
        self._columns: Final = columns
        self._outages: Final = Outages(plan)
        self._crossings: Final = Crossings(plan, columns)
        self._begun_ns: Final[dict[int, int]] = {}
        self._pulls: Final[dict[int, int]] = {}
        self.tries: Final = np.zeros(len(plan.deliveries.hops), np.int32)
        self.expired: Final = np.zeros(len(plan.deliveries.hops), np.bool_)
        self._flights: Final = Flights(
            plan, calendar, columns, self._crossings, self._outages, self.tries, self.expired
        )

    def install(self) -> None:
        """Stands before the handlers of all that an outage can meet, and switches off and on what outages do."""
        handlers = self._calendar.handlers
        for step in self._columns.left:
            handlers[step] = self._guard(step, handlers[step])
        for number, outage in enumerate(self._plan.outages):
            self._calendar.call_at(outage.from_ns, partial(self._begin, number))
        for number, outage in enumerate(self._plan.outages):
            self._calendar.call_at(outage.until_ns, partial(self._end, number))

    def watch(self, step: int, leave: Leave) -> Leave:
        """A `leave` that also tells the request which brought the token that it is durable now."""
        if part(step) in (UP, DOWN) or step == SUBMIT or is_state(step):
            return leave
        aboard, durable = self._flights.aboard, self._flights.durable

        def leave_and_tell(time_ns: int, token: int) -> None:
            leave(time_ns, token)
            if token in aboard:
                durable(time_ns, token)

        return leave_and_tell

    def _guard(self, step: int, handler: Handler) -> Handler:
        if step == SUBMIT or is_state(step):
            return self._at_home(step, handler)
        which = part(step)
        if which == UP:
            return self._before_up(step, handler)
        if which == NODE:
            return self._before_node(step, handler)
        return handler if which == DOWN else self._before_contact(step, handler)

    # --- outages come and go ---

    def _begin(self, number: int, now_ns: int) -> None:
        self._outages.begin(number)
        for loop in self._darkened(number):
            self._rounds.stand(loop)

    def _end(self, number: int, now_ns: int) -> None:
        self._outages.end(number)
        for loop in self._darkened(number):
            self._rounds.go_on(loop, now_ns)
        for node in self._plan.outages[number].inside.tolist():
            self._calendar.call_at(now_ns, partial(self._flights.look, node))

    def _darkened(self, number: int) -> list[Loop]:
        outage = self._plan.outages[number]
        loops = {self._rounds.nodes[node].loop.number: self._rounds.nodes[node].loop for node in outage.inside.tolist()}
        return [loops[each] for each in sorted(loops)] if outage.dark else []

    # --- guards: what comes to a handler, and is perhaps kept from it ---

    def _at_home(self, step: int, handler: Handler) -> Handler:
        """A clerk whose node is switched off tries again when it is back."""
        place, hops = self._crossings.paths, self._columns.hops

        def guard(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            until_ns = self._outages.dark_until_ns(place[0 if step == SUBMIT else hops[d]][d])
            if until_ns == NEVER:
                handler(time_ns, token)
            else:
                self._calendar.push(until_ns, token)

        return guard

    def _before_contact(self, step: int, handler: Handler) -> Handler:
        touched, hop_of = self._outages.touched, self._crossings.hop_of[step]

        def guard(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            if not touched[hop_of(d)][d] or self._passes(time_ns, token):
                handler(time_ns, token)

        return guard

    def _before_up(self, step: int, handler: Handler) -> Handler:
        h, inline, aboard = hop_number(step), Form.INLINE.value, self._flights.aboard
        touched, form = self._outages.touched[h], self._columns.form

        def guard(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            if touched[d]:
                if not (self._passes(time_ns, token) if form[d] == inline else self._pulls_now(time_ns, token, h)):
                    return
                self._begun_ns[d] = time_ns
                if token in aboard:
                    aboard[token + UP_TO_NODE] = aboard.pop(token)
            handler(time_ns, token)

        return guard

    def _before_node(self, step: int, handler: Handler) -> Handler:
        """Content whose bytes were cut off is not there."""
        h, flights = hop_number(step), self._flights

        def guard(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            begun_ns = self._begun_ns.pop(d, NEVER)
            here, there = self._crossings.paths[h][d], self._crossings.paths[h + 1][d]
            if begun_ns == NEVER or not self._outages.interrupted(here, there, begun_ns, time_ns):
                self._pulls.pop(d, None)
                handler(time_ns, token)
                return
            self._columns.left[hop(h, UP)][d] = self._columns.left[hop(h, DOWN)][d] = NEVER
            if self._columns.form[d] != Form.INLINE:
                self._pull_again(time_ns, token - UP_TO_NODE, h)
            elif token in flights.aboard:
                flights.lose(time_ns, token)
            else:
                self.tries[d] += 1
                flights.offer(time_ns, token - UP_TO_NODE)

        return guard

    def _passes(self, time_ns: int, token: int) -> bool:
        """Whether a first contact gets through; if not, its sender's outbox has it now."""
        here, there = self._crossings.ends(token)
        flights = self._flights
        aboard = token in flights.aboard
        if self._outages.blocked(here, there):
            (flights.lose if aboard else flights.offer)(time_ns, token)
            return False
        if not aboard and flights.waits(here, there):
            flights.offer(time_ns, token)
            return False
        flights.heard(time_ns, there, here)
        return True

    # --- content that is pulled ---

    def _pulls_now(self, time_ns: int, token: int, h: int) -> bool:
        """Whether a recipient reaches what it pulls from; if not, it will try again."""
        d = token >> STEP_BITS
        here, there = self._crossings.paths[h][d], self._crossings.paths[h + 1][d]
        until_ns = self._outages.dark_until_ns(there)
        if until_ns != NEVER:
            self._pull_at(until_ns, token)
        elif self._outages.blocked(here, there):
            self._pull_again(time_ns, token, h)
        else:
            return True
        return False

    def _pull_again(self, time_ns: int, token: int, h: int) -> None:
        d = token >> STEP_BITS
        here, there = self._crossings.paths[h][d], self._crossings.paths[h + 1][d]
        self.tries[d] += 1
        self._pulls[d] = tries = self._pulls.get(d, 0) + 1
        delay_ms = content_delay_ms(self._plan.node_ids[there], d.to_bytes(_ID_BYTES), tries)
        self._pull_at(time_ns + self._flights.fails_after_ns(here, token) + delay_ms * MILLISECOND_NS, token)

    def _pull_at(self, again_ns: int, token: int) -> None:
        """The recipient tries again then, unless it is too late for that."""
        if again_ns < self._flights.due_ns(token >> STEP_BITS):
            self._calendar.push(again_ns, token)
        else:
            self.expired[token >> STEP_BITS] = True
