"""Steps: what each step of a delivery is: a handler that takes its token in, and a `leave` that sends it on.

Says only what follows what and where; time is the calendar's, loops and disks are `rounds`, lanes and shared bandwidth
are `links`. One handler and one `leave` per step, made once for a plan, with all that does not change bound to them:
they are called some fifteen million times for a national day (which is why they compare where they could call `max`).
"""

# ruff: noqa: PLR1730

from collections.abc import Callable
from typing import Final

from docaxis_sim.capacity.calendar import Calendar, Handler
from docaxis_sim.capacity.columns import Columns, Link
from docaxis_sim.capacity.plan import (
    DOWN,
    ENVELOPE,
    NODE,
    STATUS_FIRST,
    STEP_BITS,
    SUBMIT,
    UP,
    Cost,
    Form,
    hop,
    receipt,
    status,
)
from docaxis_sim.capacity.rounds import Leave, Node, Rounds, Visit

Watch = Callable[[int, Leave], Leave]
"""Makes of a step's `leave` one that somebody else hears of too."""


class Steps:
    """Makes the handlers of a plan's steps, for `calendar.handlers`, and what follows them, for `rounds.leave`; `watch`
    may stand between. `until_ns`: when the run ends. `direct`: nobody else takes part, so what passes links that cost
    nothing needs no event there."""

    def __init__(
        self,
        calendar: Calendar,
        rounds: Rounds,
        columns: Columns,
        until_ns: int,
        watch: Watch | None = None,
        direct: bool = False,
    ) -> None:
        self.calendar: Final = calendar
        self.columns: Final = columns
        self._rounds: Final = rounds
        self._until_ns: Final = until_ns
        self._watch: Final = watch
        self._direct: Final = direct

    def install(self) -> None:
        """Makes the handler and the `leave` of each step that some delivery takes."""
        columns, handlers = self.columns, self.calendar.handlers
        if SUBMIT in columns.left:
            self._leaves(SUBMIT, self._enter_hop(SUBMIT, 0))
            handlers[SUBMIT] = self._submit()
        for h in range(columns.hops_max):
            self._install_hop(h)
        for step in columns.left:
            if step >= STATUS_FIRST:
                self._install_status(step)
            elif step >= receipt(0):
                self._leaves(step, self._leave_back(step, step - receipt(0) + 1))
                handlers[step] = self._back(step - receipt(0) + 1, Cost.RECEIPT, step)

    def _install_hop(self, h: int) -> None:
        handlers, envelope, node = self.calendar.handlers, hop(h, ENVELOPE), hop(h, NODE)
        if envelope in self.columns.left:
            self._leaves(envelope, self._pull(h))
            handlers[envelope] = self._plain(h + 1, Cost.ENVELOPE, envelope)
        self._leaves(hop(h, DOWN), self._leave_down(h))
        handlers[hop(h, UP)] = self._up(h)
        handlers[hop(h, DOWN)] = self._down(h)
        self._leaves(node, self._leave_node(h))
        handlers[node] = self._node(h)

    def _install_status(self, step: int) -> None:
        k, j = divmod(step - STATUS_FIRST, status(1, 0) - status(0, 0))
        self._leaves(step, self._leave_back(step, j) if j else self._leave_state(k))
        self.calendar.handlers[step] = self._back(j, Cost.STATUS if j else Cost.STATE, step)

    def _leaves(self, step: int, leave: Leave) -> None:
        self._rounds.leave[step] = self._watch(step, leave) if self._watch else leave

    def _is_free(self, links: list[Link]) -> bool:
        """Whether the links of a hop cost nothing: then nobody ever waits for one."""
        return self._direct and not any(link.ns_per_kib for link in links)

    def begin(self, d: int) -> int:
        """The token with which a delivery begins."""
        step = hop(0, UP) if self.columns.form[d] == Form.CHUNK else SUBMIT
        return d << STEP_BITS | step

    def _visit(self, step: int) -> tuple[Visit, Leave]:
        """How a step's token comes to a loop: with what each delivery costs there on top, if anything was drawn."""
        visit, leave, extra = self._rounds.visit, self._rounds.leave[step], self.columns.extra.get(step)
        if extra is None:
            return visit, leave

        def visit_for_more(node: Node, time_ns: int, token: int, cost_ns: int, leave: Leave) -> None:
            visit(node, time_ns, token, cost_ns + extra[token >> STEP_BITS], leave)

        return visit_for_more, leave

    # --- from the sender to the recipient ---

    def _submit(self) -> Handler:
        nodes, more, extra = self.columns.nodes[0], self.columns.more, self.columns.extra.get(SUBMIT)
        visit, leave = self._rounds.visit, self._rounds.leave[SUBMIT]

        def submit(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            node = nodes[d]
            visit(node, time_ns, token, node.costs[more[d]], leave)

        if extra is None:
            return submit

        def submit_for_more(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            node = nodes[d]
            visit(node, time_ns, token, node.costs[more[d]] + extra[d], leave)

        return submit_for_more

    def _enter_hop(self, step: int, h: int) -> Leave:
        """Announced content is announced over the hop; what travels inline goes to the link at once."""
        columns, push = self.columns, self.calendar.push
        left, latency, form, chunked = columns.left[step], columns.latency[h], columns.form, Form.CHUNKED.value
        to_envelope = hop(h, ENVELOPE) - step
        to_up = hop(h, UP) - step

        def leave(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            left[d] = time_ns
            if form[d] == chunked:
                push(time_ns + latency[d], token + to_envelope)
            else:
                push(time_ns, token + to_up)

        if not self._is_free(columns.ups[h]):
            return leave
        left_up, to_down, leave_down = columns.left[hop(h, UP)], hop(h, DOWN) - step, self._leave_down(h)
        free_down = self._is_free(columns.downs[h])

        def leave_and_pass(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            left[d] = time_ns
            if form[d] == chunked:
                push(time_ns + latency[d], token + to_envelope)
                return
            left_up[d] = time_ns
            (leave_down if free_down else push)(time_ns + latency[d], token + to_down)

        return leave_and_pass

    def _pull(self, h: int) -> Leave:
        columns, push = self.columns, self.calendar.push
        left, latency = columns.left[hop(h, ENVELOPE)], columns.latency[h]
        to_up = hop(h, UP) - hop(h, ENVELOPE)

        def leave(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            left[d] = time_ns
            push(time_ns + latency[d], token + to_up)

        return leave

    def _up(self, h: int) -> Handler:
        columns, push, until_ns = self.columns, self.calendar.push, self._until_ns
        links, size, latency, left = columns.ups[h], columns.size, columns.latency[h], columns.left[hop(h, UP)]
        to_down = hop(h, DOWN) - hop(h, UP)

        def up(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            link = links[d]
            start_ns = link.free_ns
            if start_ns < time_ns:
                start_ns = time_ns
            link.free_ns = left[d] = end_ns = start_ns + (size[d] * link.ns_per_kib >> 10)
            link.area_ns += (end_ns if end_ns < until_ns else until_ns) - time_ns  # noqa: FURB136
            push(start_ns + latency[d], token + to_down)

        def up_and_down(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            link = links[d]
            start_ns = link.free_ns
            if start_ns < time_ns:
                start_ns = time_ns
            link.free_ns = left[d] = end_ns = start_ns + (size[d] * link.ns_per_kib >> 10)
            link.area_ns += (end_ns if end_ns < until_ns else until_ns) - time_ns  # noqa: FURB136
            came_ns = start_ns + latency[d]
            left_ns = end_ns + latency[d]
            if came_ns < until_ns:
                downs[d].area_ns += (left_ns if left_ns < until_ns else until_ns) - came_ns  # noqa: FURB136
            leave_down(left_ns, token + to_down)

        downs, leave_down = columns.downs[h], self._rounds.leave[hop(h, DOWN)]
        return up_and_down if self._is_free(columns.downs[h]) else up

    def _down(self, h: int) -> Handler:
        columns, leave, until_ns = self.columns, self._rounds.leave[hop(h, DOWN)], self._until_ns
        links, size, latency, left_up = columns.downs[h], columns.size, columns.latency[h], columns.left[hop(h, UP)]

        def down(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            link = links[d]
            left_ns = left_up[d] + latency[d]
            free_ns = link.free_ns
            if free_ns < time_ns:
                free_ns = time_ns
            link.free_ns = free_ns = free_ns + (size[d] * link.ns_per_kib >> 10)
            if left_ns < free_ns:
                left_ns = free_ns
            link.area_ns += (left_ns if left_ns < until_ns else until_ns) - time_ns  # noqa: FURB136
            leave(left_ns, token)

        return down

    def _leave_down(self, h: int) -> Leave:
        """Announced and shared content is written before the loop hears of it."""
        columns, push = self.columns, self.calendar.push
        nodes, size, form, inline = columns.nodes[h + 1], columns.size, columns.form, Form.INLINE.value
        left, to_node = columns.left[hop(h, DOWN)], hop(h, NODE) - hop(h, DOWN)

        def leave(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            left[d] = time_ns
            if form[d] != inline:
                node = nodes[d]
                time_ns += node.blob_ns + (size[d] * node.blob_ns_per_kib >> 10)
            push(time_ns, token + to_node)

        return leave

    def _node(self, h: int) -> Handler:
        columns, (visit, leave) = self.columns, self._visit(hop(h, NODE))
        nodes, size, hops = columns.nodes[h + 1], columns.size, columns.hops
        content, relay, last = Cost.CONTENT.value, Cost.RELAY.value, h + 1
        at_once, extra = self._rounds.visit, columns.extra.get(hop(h, NODE))
        if last == columns.hops_max or last < columns.hops_min:
            row = content if last == columns.hops_max else relay

            def take(time_ns: int, token: int) -> None:
                d = token >> STEP_BITS
                node = nodes[d]
                visit(node, time_ns, token, node.costs[row] + (size[d] * node.content_ns_per_kib >> 10), leave)

            if extra is None:
                return take

            def take_for_more(time_ns: int, token: int) -> None:
                d = token >> STEP_BITS
                node = nodes[d]
                cost_ns = node.costs[row] + (size[d] * node.content_ns_per_kib >> 10)
                at_once(node, time_ns, token, cost_ns + extra[d], leave)

            return take_for_more

        def take_or_relay(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            node = nodes[d]
            cost_ns = node.costs[content if hops[d] == last else relay]
            visit(node, time_ns, token, cost_ns + (size[d] * node.content_ns_per_kib >> 10), leave)

        return take_or_relay

    def _leave_node(self, h: int) -> Leave:
        """On to the next hop, or *arrived*."""
        hops, last = self.columns.hops, h + 1
        if last == self.columns.hops_max:
            return self._arrive(h)
        arrive, go_on = self._arrive(h), self._enter_hop(hop(h, NODE), last)

        def leave(time_ns: int, token: int) -> None:
            (arrive if hops[token >> STEP_BITS] == last else go_on)(time_ns, token)

        return leave

    def _arrive(self, h: int) -> Leave:
        columns, push, step = self.columns, self.calendar.push, hop(h, NODE)
        left, latency, form, chunk = columns.left[step], columns.latency[h], columns.form, Form.CHUNK.value
        states = status(0, 0) in columns.left
        delay = columns.status_delay[0] if states else latency
        to_receipt, to_status = receipt(0) - step, status(0, 0) - step

        def leave(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            left[d] = time_ns
            if form[d] != chunk:
                push(time_ns + latency[d], token + to_receipt)
                if states and delay[d] >= 0:
                    push(time_ns + delay[d], token + to_status)

        return self._then_children(leave) if columns.children else leave

    def _then_children(self, arrive: Leave) -> Leave:
        children, birth, push = self.columns.children, self.columns.birth, self.calendar.push

        def leave(time_ns: int, token: int) -> None:
            arrive(time_ns, token)
            for child in children.get(token >> STEP_BITS, ()):
                push(time_ns + birth[child], self.begin(child))

        return leave

    # --- home: receipts and statuses ---

    def _plain(self, place: int, row: int, step: int) -> Handler:
        nodes, (visit, leave) = self.columns.nodes[place], self._visit(step)

        def take(time_ns: int, token: int) -> None:
            node = nodes[token >> STEP_BITS]
            visit(node, time_ns, token, node.costs[row], leave)

        return take

    def _back(self, j: int, row: int, step: int) -> Handler:
        columns = self.columns
        if columns.hops_min == columns.hops_max:
            return self._plain(columns.hops_max - j, row, step)
        places, hops, (visit, leave) = columns.nodes, columns.hops, self._visit(step)

        def take(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            node = places[hops[d] - j][d]
            visit(node, time_ns, token, node.costs[row], leave)

        return take

    def _leave_back(self, step: int, j: int) -> Leave:
        """From the j-th place on its way home to the next one, or home."""
        columns, push = self.columns, self.calendar.push
        left, hops, latency, to_next = columns.left[step], columns.hops, columns.latency, 1
        if j == columns.hops_max:

            def at_home(time_ns: int, token: int) -> None:
                left[token >> STEP_BITS] = time_ns

            return at_home

        def leave(time_ns: int, token: int) -> None:
            d = token >> STEP_BITS
            left[d] = time_ns
            before = hops[d] - 1 - j
            if before >= 0:
                push(time_ns + latency[before][d], token + to_next)

        return leave

    def _leave_state(self, k: int) -> Leave:
        columns, push = self.columns, self.calendar.push
        send_on = self._leave_back(status(k, 0), 0)
        if status(k + 1, 0) not in columns.left or k + 1 >= len(columns.status_delay):
            return send_on
        delay, to_next = columns.status_delay[k + 1], status(k + 1, 0) - status(k, 0)

        def leave(time_ns: int, token: int) -> None:
            send_on(time_ns, token)
            delay_ns = delay[token >> STEP_BITS]
            if delay_ns >= 0:
                push(time_ns + delay_ns, token + to_next)

        return leave
