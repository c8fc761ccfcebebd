"""Rivals: the same documents in the way other tools would be used, for `tools/bench simulation` to compare with.

Written as their manuals teach it: SimPy with a process per document, `Resource` for links and `Store` for what waits at
a node; and Ciw. Each gives back what it found, so that the comparison can be seen to be of equals. The same laws with
callbacks instead of processes are in `callbacks`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final, NamedTuple

import ciw
import numpy as np
import simpy

from docaxis_sim.capacity.plan import NODE, SUBMIT, Cost, Deliveries, Form, Int64, Plan, hop

Events = Generator[simpy.Event, Any, Any]
SALT: Final = 7919
"""Of the plan's rule which commit takes how long."""


class Way(NamedTuple):
    """A delivery of one hop, from `a` to `b`: what its visits cost and how long its ways are, in ns. `envelope`: -1
    where content rides in the batch; `after`: before its status is stated, -1 where there is none."""

    birth: int
    a: int
    b: int
    way: int
    submit: int
    envelope: int
    up: int
    down: int
    blob: int
    node: int
    receipt: int
    after: int
    state: int
    status: int


class Town(NamedTuple):
    """All deliveries, and per node: what a round costs, waking up, a commit, and what commits take longer."""

    ways: list[Way]
    round_ns: list[int]
    wake_ns: list[int]
    commit_ns: list[int]
    stalls_ns: list[int]
    round_max: list[int]


def town(plan: Plan) -> Town:
    """A plan whose deliveries all take one hop and whose nodes share nothing."""
    stations, deliveries = plan.stations, plan.deliveries
    assert (deliveries.hops == 1).all()
    assert (stations.servers == 1).all()
    a, b, size = deliveries.path[0], deliveries.path[1], deliveries.bytes
    cost, nothing = stations.cost_ns, np.zeros(len(size), np.int64)
    inline = deliveries.form == Form.INLINE
    delays = deliveries.status_delay_ns
    columns = (
        deliveries.birth_ns,
        a,
        b,
        deliveries.latency_ns[0],
        np.where(deliveries.first, cost[Cost.SUBMIT, a], cost[Cost.SUBMIT_MORE, a])
        + deliveries.extra_ns.get(SUBMIT, nothing),
        np.where(inline, -1, cost[Cost.ENVELOPE, b]),
        size * stations.up_ns_per_kib[stations.up_of[a]] >> 10,
        size * stations.down_ns_per_kib[stations.down_of[b]] >> 10,
        np.where(inline, 0, stations.blob_ns[b] + (size * stations.blob_ns_per_kib[b] >> 10)),
        cost[Cost.CONTENT, b]
        + (size * stations.content_ns_per_kib[b] >> 10)
        + deliveries.extra_ns.get(hop(0, NODE), nothing),
        cost[Cost.RECEIPT, a],
        delays[0] if len(delays) else nothing - 1,
        cost[Cost.STATE, b],
        cost[Cost.STATUS, a],
    )
    loops = (stations.round_ns, stations.wake_ns, stations.commit_ns, stations.commit_extra_ns, stations.round_max)
    ways = [Way(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return Town(ways, *(column.tolist() for column in loops))


def window(plan: Plan, from_ns: int, length_ns: int) -> Plan:
    """The deliveries that are born in a while of a day, among the same nodes; their first status alone is kept."""
    deliveries = plan.deliveries
    inside = (deliveries.birth_ns >= from_ns) & (deliveries.birth_ns < from_ns + length_ns) & (deliveries.parent < 0)
    columns: dict[str, Any] = {
        name: getattr(deliveries, name)[..., inside] for name in Deliveries._fields if name != "extra_ns"
    }
    columns["birth_ns"] = columns["birth_ns"] - from_ns
    columns["status_delay_ns"] = columns["status_delay_ns"][:1]
    extra = {step: _picked(column, inside) for step, column in deliveries.extra_ns.items()}
    return plan._replace(deliveries=Deliveries(**columns, extra_ns=extra), outages=(), end_ns=0)


def _picked(column: Int64, inside: Any) -> Int64:
    picked: Int64 = column[inside]
    return picked


class _Node:
    """A node as two processes: a loop that takes all that waits into one round, and a disk that takes all that waits
    into one commit."""

    def __init__(self, environment: simpy.Environment, town: Town, number: int) -> None:
        self._environment, self._town, self._number = environment, town, number
        self.waiting = simpy.Store(environment)
        self._written = simpy.Store(environment)
        self.up, self.down = simpy.Resource(environment), simpy.Resource(environment)
        environment.process(self._loop())
        environment.process(self._disk())

    def visit(self, cost: int) -> Events:
        """Waits until the loop and the disk are through with it."""
        done = self._environment.event()
        yield self.waiting.put((cost, done))
        yield done

    def _loop(self) -> Events:
        town, number, slept = self._town, self._number, True
        while True:
            batch = [(yield self.waiting.get())]
            while self.waiting.items and len(batch) < town.round_max[number]:
                batch.append((yield self.waiting.get()))
            wake = town.wake_ns[number] if slept else 0
            yield self._environment.timeout(wake + town.round_ns[number] + sum(cost for cost, _ in batch))
            yield self._written.put(batch)
            slept = not self.waiting.items

    def _disk(self) -> Events:
        town, number, count = self._town, self._number, 0
        while True:
            batches = [(yield self._written.get())]
            while self._written.items:
                batches.append((yield self._written.get()))
            stall = town.stalls_ns[(SALT * number + count) % len(town.stalls_ns)]
            count += 1
            yield self._environment.timeout(town.commit_ns[number] + stall)
            for batch in batches:
                for _, done in batch:
                    done.succeed()


def idiomatic(town: Town) -> list[int]:
    """A process for each document; when each arrived, in ns."""
    environment = simpy.Environment()
    nodes: dict[int, _Node] = {}
    arrived = [0] * len(town.ways)

    def at(number: int) -> _Node:
        if number not in nodes:
            nodes[number] = _Node(environment, town, number)
        return nodes[number]

    def down(each: Way) -> Events:
        yield environment.timeout(each.way)
        with at(each.b).down.request() as request:
            yield request
            yield environment.timeout(each.down)

    def content(each: Way) -> Events:
        with at(each.a).up.request() as request:
            yield request
            flowing = environment.process(down(each))
            yield environment.timeout(each.up)
        yield environment.timeout(each.way)
        yield flowing
        yield environment.timeout(each.blob)

    def status(each: Way) -> Events:
        yield environment.timeout(each.after)
        yield from at(each.b).visit(each.state)
        yield environment.timeout(each.way)
        yield from at(each.a).visit(each.status)

    def document(number: int, each: Way) -> Events:
        yield from at(each.a).visit(each.submit)
        if each.envelope >= 0:
            yield environment.timeout(each.way)
            yield from at(each.b).visit(each.envelope)
            yield environment.timeout(each.way)
        yield from content(each)
        yield from at(each.b).visit(each.node)
        arrived[number] = int(environment.now)
        if each.after >= 0:
            environment.process(status(each))
        yield environment.timeout(each.way)
        yield from at(each.a).visit(each.receipt)

    def clerks() -> Events:
        for number, each in enumerate(town.ways):
            yield environment.timeout(each.birth - environment.now)
            environment.process(document(number, each))

    environment.process(clerks())
    environment.run()
    return arrived


def ciw_tandem(customers: int, load: float) -> float:
    """Three M/M/1 queues one after the other in Ciw; the mean sojourn."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(load), None, None],
        service_distributions=[ciw.dists.Exponential(1.0)] * 3,
        routing=[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]],
        number_of_servers=[1, 1, 1],
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(customers, method="Finish")
    records = simulation.get_all_records()
    stays = [float(record.waiting_time + record.service_time) for record in records]
    return 3 * sum(stays) / len(stays)


def simpy_tandem(customers: int, load: float) -> float:
    """The same in SimPy, a process for each customer; the mean sojourn."""
    environment = simpy.Environment()
    servers = [simpy.Resource(environment) for _ in range(3)]
    chance = np.random.Generator(np.random.Philox(1))
    stays: list[float] = []

    def customer() -> Events:
        came = environment.now
        for server in servers:
            with server.request() as request:
                yield request
                yield environment.timeout(chance.standard_exponential())
        stays.append(environment.now - came)

    def door() -> Events:
        for _ in range(customers):
            yield environment.timeout(chance.standard_exponential() / load)
            environment.process(customer())

    environment.process(door())
    environment.run()
    return sum(stays) / len(stays)
