"""Excerpt: a small part of a plan that is a plan itself: some nodes, and documents that go directly between them.

What is left out takes nothing from what is kept: stations that nodes of the excerpt shared with others become theirs
alone. So that documents meet, as they do in the whole, time may be pressed together; so that they have to wait for each
other's retries, a node may be cut off. Nothing here carries or measures.
"""

import numpy as np

from docaxis_sim.capacity.plan import (
    HOPS_MAX,
    HOUR_NS,
    NODE,
    SUBMIT,
    Bool,
    Cost,
    Deliveries,
    Form,
    Int32,
    Int64,
    Law,
    Outage,
    Plan,
    Stations,
    hop,
)


def excerpt(plan: Plan, nodes_max: int, deliveries_max: int) -> Plan:
    """The first `deliveries_max` deliveries among the `nodes_max` nodes that exchange most, without later states and
    without outages; empty where no document goes directly between two nodes."""
    direct = _direct(plan.deliveries)
    nodes = _together(plan, direct, nodes_max)
    inside = np.zeros(len(plan.node_ids), bool)
    inside[nodes] = True
    ends = plan.deliveries.path[:2]
    rows = np.flatnonzero(direct & inside[ends[0]] & inside[np.maximum(ends[1], 0)])[:deliveries_max]
    ids = tuple(plan.node_ids[node] for node in nodes)
    return Plan(ids, _stations(plan.stations, nodes), _deliveries(plan.deliveries, rows, nodes), (), 0)


def pressed(plan: Plan, share: float) -> Plan:
    """The same documents in less time: births so much closer together that the busiest loop has work for `share` of
    the time from the first to the last; as they are where it has more than that already."""
    birth_ns = plan.deliveries.birth_ns
    if not len(birth_ns):
        return plan
    since_ns = birth_ns - birth_ns.min()
    lasts_ns = float(_work_ns(plan).max()) / share
    factor = min(1.0, lasts_ns / max(float(since_ns.max()), 1.0))
    return plan._replace(deliveries=plan.deliveries._replace(birth_ns=(since_ns * factor).astype(np.int64)))


def with_lines_for(plan: Plan) -> tuple[Plan, float]:
    """The same with lines so much faster that none of them has more to do than the busiest loop, and how much faster;
    else whoever presses a plan together would see documents wait at lines alone."""
    stations, deliveries = plan.stations, plan.deliveries
    sent_ns, taken_ns = (
        np.bincount(link[deliveries.path[end]], deliveries.bytes * (rate[link[deliveries.path[end]]] / 1024))
        for end, link, rate in (
            (0, stations.up_of, stations.up_ns_per_kib),
            (1, stations.down_of, stations.down_ns_per_kib),
        )
    )
    busiest_ns = max(float(sent_ns.max(initial=0)), float(taken_ns.max(initial=0)))
    faster = max(1.0, busiest_ns / max(float(_work_ns(plan).max(initial=0)), 1.0))
    up, down = ((rate / faster).astype(np.int64) for rate in (stations.up_ns_per_kib, stations.down_ns_per_kib))
    return plan._replace(stations=stations._replace(up_ns_per_kib=up, down_ns_per_kib=down)), faster


def with_a_cut(plan: Plan) -> Plan:
    """The same documents within an hour, and the node that exchanges most cut off for the middle third of it."""
    deliveries = plan.deliveries
    if not len(deliveries.birth_ns):
        return plan
    since_ns = deliveries.birth_ns - deliveries.birth_ns.min()
    spread_ns = (since_ns * (HOUR_NS / max(float(since_ns.max()), 1.0))).astype(np.int64)
    busiest = np.bincount(deliveries.path[:2].ravel()).argmax()
    cut = Outage("cut", np.array([busiest], np.int32), HOUR_NS // 3, 2 * HOUR_NS // 3, dark=False)
    return plan._replace(deliveries=deliveries._replace(birth_ns=spread_ns), outages=(cut,))


def _work_ns(plan: Plan) -> Int64:
    """What each loop of a plan with direct documents has to do, if every visit is a round of its own."""
    stations, deliveries = plan.stations, plan.deliveries
    work_ns = np.zeros(len(stations.round_ns), np.int64)
    here, there = deliveries.path[0], deliveries.path[1]
    submit = np.where(deliveries.first, Cost.SUBMIT, Cost.SUBMIT_MORE)
    announced = deliveries.form == Form.CHUNKED
    content_ns = deliveries.bytes * stations.content_ns_per_kib[there] >> 10
    visits = [
        (here, stations.cost_ns[submit, here] + deliveries.extra_ns.get(SUBMIT, 0)),
        (there[announced], stations.cost_ns[Cost.ENVELOPE, there[announced]]),
        (there, stations.cost_ns[Cost.CONTENT, there] + content_ns + deliveries.extra_ns.get(hop(0, NODE), 0)),
        (here, stations.cost_ns[Cost.RECEIPT, here]),
    ]
    for node, cost_ns in visits:
        loop = stations.loop_of[node]
        np.add.at(work_ns, loop, stations.round_ns[loop] + cost_ns)
    return work_ns


def _direct(deliveries: Deliveries) -> Bool:
    """One hop, from a clerk, and whole."""
    found: Bool = (deliveries.hops == 1) & (deliveries.parent < 0) & (deliveries.form != Form.CHUNK)
    return found


def _together(plan: Plan, direct: Bool, most: int) -> Int32:
    """Nodes that exchange much: the busiest, then again and again who exchanges most with those taken already."""
    pairs = np.sort(plan.deliveries.path[:2, direct], axis=0)
    edges, counts = np.unique(pairs, axis=1, return_counts=True)
    taken: list[int] = []
    while len(taken) < most and len(counts):
        near = np.isin(edges, taken).sum(axis=0) == 1 if taken else np.ones(len(counts), bool)
        if not near.any():
            break
        best = edges[:, np.flatnonzero(near)[np.argmax(counts[near])]]
        taken += [int(node) for node in best if int(node) not in taken][: most - len(taken)]
    return np.array(sorted(taken), np.int32)


def _stations(all_of: Stations, nodes: Int32) -> Stations:
    """Each node of the excerpt with stations of its own."""
    own = np.arange(len(nodes), dtype=np.int32)
    loops, disks = all_of.loop_of[nodes], all_of.disk_of[nodes]
    return Stations(
        loop_of=own,
        disk_of=own,
        up_of=own,
        down_of=own,
        cost_ns=all_of.cost_ns[:, nodes],
        content_ns_per_kib=all_of.content_ns_per_kib[nodes],
        blob_ns=all_of.blob_ns[nodes],
        blob_ns_per_kib=all_of.blob_ns_per_kib[nodes],
        wake_ns=all_of.wake_ns[loops],
        round_ns=all_of.round_ns[loops],
        round_max=all_of.round_max[loops],
        servers=np.ones_like(all_of.servers[loops]),
        commit_ns=all_of.commit_ns[disks],
        commit_extra_ns=all_of.commit_extra_ns,
        up_ns_per_kib=all_of.up_ns_per_kib[all_of.up_of[nodes]],
        down_ns_per_kib=all_of.down_ns_per_kib[all_of.down_of[nodes]],
        up_law=Law.FIFO,
    )


def _deliveries(all_of: Deliveries, rows: Int64, nodes: Int32) -> Deliveries:
    """The chosen rows, with the excerpt's numbers of nodes and documents."""
    path = np.full((HOPS_MAX + 1, len(rows)), -1, np.int32)
    path[:2] = np.searchsorted(nodes, all_of.path[:2, rows])
    groups, group = np.unique(all_of.group[rows], return_inverse=True)
    first = np.zeros(len(rows), bool)
    first[[int(np.flatnonzero(group == number)[0]) for number in range(len(groups))]] = True
    return all_of._replace(
        birth_ns=all_of.birth_ns[rows],
        parent=np.full(len(rows), -1, np.int32),
        bytes=all_of.bytes[rows],
        form=all_of.form[rows],
        first=first,
        hops=all_of.hops[rows],
        path=path,
        latency_ns=all_of.latency_ns[:, rows],
        status_delay_ns=np.empty((0, len(rows)), np.int64),
        deadline_ns=all_of.deadline_ns[rows],
        priority=all_of.priority[rows],
        traffic=all_of.traffic[rows],
        group=group.astype(np.int32),
        extra_ns={step: column[rows] for step, column in all_of.extra_ns.items()},
    )
