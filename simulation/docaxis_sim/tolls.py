"""Tolls: the times that full machines take when they carry a capacity plan: loops, disks, blobs and links of the plan.

`Tolls` answers a life (`docaxis_sim.timing.Timing`), `Wires` is the network of such a world. The prices are the plan's
`Stations`; what is done when is the machines' own business.
"""

from collections.abc import Generator, Sequence
from typing import Final

import simpy

from docaxis.core import statement as statements
from docaxis.core import wire
from docaxis.core.effects import Send
from docaxis.core.events import Acted, Delivered, Event, Fetched, Inbound, Submitted
from docaxis.core.ids import DocId
from docaxis.core.lifecycle import Code
from docaxis_sim.capacity.plan import (
    COMMIT_STRIDE,
    DOWN,
    ENVELOPE,
    NODE,
    SUBMIT,
    UP,
    Cost,
    Form,
    Plan,
    hop,
    receipt,
    status,
)
from docaxis_sim.diary import WORDS, Diary
from docaxis_sim.ground import Ground
from docaxis_sim.network import Network

NS_PER_MS: Final = 1_000_000

Steps = Generator[simpy.Event, object, None]


class Tolls:
    """One node's times, as the plan has them. A round in which nothing has a price costs nothing: what such rounds cost
    was measured with those that caused them."""

    def __init__(self, plan: Plan, node: int, diary: Diary) -> None:
        self._stations = plan.stations
        self._deliveries = plan.deliveries
        self._node = node
        self._diary = diary
        self.rounds = 0
        self.busy_ns = 0
        self.commits = 0

    def round_ms(self, events: Sequence[Event], slept: bool) -> float:
        """The round's own time, and what each thing in it costs."""
        prices = [price for event in events for price in self._prices(event)]
        if not prices:
            return 0
        loop = self._stations.loop_of[self._node]
        woken_ns = int(self._stations.wake_ns[loop]) if slept else 0
        busy_ns = woken_ns + int(self._stations.round_ns[loop]) + sum(prices)
        self.rounds += 1
        self.busy_ns += busy_ns
        return busy_ns / NS_PER_MS

    def read_ms(self) -> float:
        """Nothing: the plan has no price for it."""
        return 0

    def reads_early(self) -> bool:
        """It makes no difference."""
        return True

    def commit_ms(self) -> float:
        """As the disk of the plan, with its stalls."""
        stations, disk = self._stations, int(self._stations.disk_of[self._node])
        stall = (COMMIT_STRIDE * disk + self.commits) % len(stations.commit_extra_ns)
        self.commits += 1
        return int(stations.commit_ns[disk] + stations.commit_extra_ns[stall]) / NS_PER_MS

    def together(self, waiting: int) -> int:
        """All of them: group commit."""
        return waiting

    def blob_ms(self, digest: bytes) -> float:
        """As the plan's delay for writing content."""
        size = self._diary.paper(digest).size
        return (
            int(self._stations.blob_ns[self._node]) + (size * int(self._stations.blob_ns_per_kib[self._node]) >> 10)
        ) / NS_PER_MS

    # --- what has a price ---

    def _prices(self, event: Event) -> list[int]:
        match event:
            case Submitted(submissions):
                return [self._submit(row) for each in submissions for row in self._rows(each.meta)]
            case Acted(acts):
                rows = [(self._diary.row(act.doc, act.recipient), WORDS[act.code]) for act in acts]
                return [self._cost(Cost.STATE, status(number, 0), row) for row, number in rows]
            case Inbound(_, _, batch):
                return [price for item in batch.items for price in self._item(item, batch.recipient)]
            case Delivered(_, _, reply):
                return [price for each in reply.results if each.receipt for price in self._statement(each.receipt.body)]
            case Fetched(doc, recipient):
                return [self._content(self._diary.row(doc, recipient))]
            case _:
                return []

    def _rows(self, meta: dict[str, str]) -> list[int]:
        return list(self._diary.papers[int(meta["number"])].rows.values())

    def _submit(self, row: int) -> int:
        return self._cost(Cost.SUBMIT if self._deliveries.first[row] else Cost.SUBMIT_MORE, SUBMIT, row)

    def _item(self, item: wire.Item, recipient: str) -> list[int]:
        if item.kind == wire.STATEMENT:
            return self._statement(item.signed.body)
        row = self._diary.row(DocId(item.id), recipient)
        if self._deliveries.form[row] == Form.CHUNKED:
            return [self._cost(Cost.ENVELOPE, hop(0, ENVELOPE), row)]
        return [self._content(row)]

    def _statement(self, body: bytes) -> list[int]:
        """The *held* of an announcement is part of the price of serving it."""
        said = statements.decode(body)
        row = self._diary.row(said.doc, said.recipient)
        if said.code is Code.ARRIVED:
            return [self._cost(Cost.RECEIPT, receipt(0), row)]
        return [self._cost(Cost.STATUS, status(WORDS[said.code], 1), row)] if said.code in WORDS else []

    def _content(self, row: int) -> int:
        weighed = int(self._deliveries.bytes[row]) * int(self._stations.content_ns_per_kib[self._node]) >> 10
        return self._cost(Cost.CONTENT, hop(0, NODE), row) + weighed

    def _cost(self, cost: Cost, step: int, row: int) -> int:
        extra = self._deliveries.extra_ns.get(step)
        return int(self._stations.cost_ns[cost, self._node]) + (0 if extra is None else int(extra[row]))


class Wires(Network):
    """Links of a plan: up and down in order of coming, bytes flowing through, and a latency for each pair of nodes.
    What carries no content takes the latency alone."""

    def __init__(self, ground: Ground, plan: Plan, diary: Diary) -> None:
        super().__init__(ground)
        self._plan = plan
        self._diary = diary
        self._node = {party: node for node, party in enumerate(plan.node_ids)}
        self._up_free_ms = [0.0] * len(plan.stations.up_ns_per_kib)
        self._down_free_ms = [0.0] * len(plan.stations.down_ns_per_kib)
        self._latency: dict[tuple[int, int], float] = {}
        ends = plan.deliveries.path[:2].T.tolist()
        for (source, target), latency_ns in zip(ends, plan.deliveries.latency_ns[0].tolist(), strict=True):
            for pair in ((source, target), (target, source)):
                self._latency.setdefault(pair, latency_ns / NS_PER_MS)

    def way(self, source: str, target: str, cargo: Send | bytes | None = None) -> Steps:
        """The time from one party to another."""
        there = self._node[source], self._node[target]
        latency_ms = self._latency.get(there, 0.0)
        rows = self._rows(cargo, target)
        size = sum(int(self._plan.deliveries.bytes[row]) for row in rows)
        if not rows:
            yield self._ground.env.timeout(latency_ms)
            return
        stations, env = self._plan.stations, self._ground.env
        up, down = int(stations.up_of[there[0]]), int(stations.down_of[there[1]])
        start_ms = max(env.now, self._up_free_ms[up])
        end_ms = self._up_free_ms[up] = start_ms + (size * int(stations.up_ns_per_kib[up]) >> 10) / NS_PER_MS
        yield env.timeout(start_ms + latency_ms - env.now)
        begin_ms = max(env.now, self._down_free_ms[down])
        self._down_free_ms[down] = begin_ms + (size * int(stations.down_ns_per_kib[down]) >> 10) / NS_PER_MS
        left_ms = max(self._down_free_ms[down], end_ms + latency_ms)
        yield env.timeout(left_ms - env.now)
        for row in rows:
            self._diary.mark(hop(0, UP), row, self._diary.now_ns() - round((left_ms - end_ms) * NS_PER_MS))
            self._diary.mark(hop(0, DOWN), row)

    def _rows(self, cargo: Send | bytes | None, target: str) -> list[int]:
        """The deliveries whose content travels."""
        if isinstance(cargo, bytes):
            return [self._diary.paper(cargo).rows[target]]
        if cargo is None:
            return []
        documents = [item for item in wire.decode_batch(cargo.body).items if item.kind == wire.ENVELOPE]
        rows = [self._diary.row(DocId(item.id), target) for item in documents]
        return [row for row in rows if self._plan.deliveries.form[row] == Form.INLINE]
