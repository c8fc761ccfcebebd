"""A national day as a synthetic plan: many deliveries over all 10,826 nodes, one receipt and one status each.

For measuring engines, and where a plan must be large rather than odd; real traffic is drawn elsewhere.
"""

import numpy as np

from docaxis_sim.capacity.plan import (
    DAY_NS,
    HOPS_MAX,
    HOUR_NS,
    MILLISECOND_NS,
    NEVER,
    Cost,
    Deliveries,
    Form,
    Law,
    Plan,
    Stations,
)

NODES = 10_826


def stations(nodes: int = NODES, agencies: int = 95) -> Stations:
    """Each node alone on its loop, disk and links; agencies have links of 1 Gbit/s, all others 20 Mbit/s."""
    alone = np.arange(nodes, dtype=np.int32)
    # 2**13 bits per KiB: how many ns one KiB takes at so many bits per second.
    ns_per_kib = np.where(alone < agencies, 8192, 409_600).astype(np.int64)
    each = np.ones(nodes, np.int64)
    return Stations(
        loop_of=alone,
        disk_of=alone,
        up_of=alone,
        down_of=alone,
        cost_ns=np.outer(np.full(len(Cost), 400_000, np.int64), each),
        content_ns_per_kib=2_000 * each,
        blob_ns=MILLISECOND_NS * each,
        blob_ns_per_kib=2_000 * each,
        wake_ns=300_000 * each,
        round_ns=500_000 * each,
        round_max=np.full(nodes, 256, np.int32),
        servers=np.ones(nodes, np.int32),
        commit_ns=2 * MILLISECOND_NS * each,
        commit_extra_ns=np.arange(0, 1_000_000, 1_000, dtype=np.int64),
        up_ns_per_kib=ns_per_kib,
        down_ns_per_kib=ns_per_kib,
        up_law=Law.FIFO,
    )


def deliveries(count: int, nodes: int = NODES, hours: int = 10, seed: int = 1) -> Deliveries:
    """Births over so many hours from 07:00; 70 % announced and pulled, the others inline; agencies are busier."""
    chance = np.random.Generator(np.random.Philox(seed))
    sender = chance.integers(0, nodes, count)
    sender[chance.random(count) < 0.2] %= 95
    path = np.full((HOPS_MAX + 1, count), NEVER, np.int32)
    path[0], path[1] = sender, (sender + chance.integers(1, nodes, count)) % nodes
    latency_ns = np.zeros((HOPS_MAX, count), np.int64)
    latency_ns[0] = chance.integers(2, 17, count) * MILLISECOND_NS
    chunked = chance.random(count) < 0.7
    size = np.minimum(chance.lognormal(np.log(200_000), 1.2, count), 20e6)
    return Deliveries(
        birth_ns=np.sort(7 * HOUR_NS + chance.integers(0, hours * HOUR_NS, count)),
        parent=np.full(count, NEVER, np.int32),
        bytes=np.where(chunked, size, 30_000).astype(np.int64),
        form=np.where(chunked, Form.CHUNKED, Form.INLINE).astype(np.int8),
        first=np.ones(count, np.bool_),
        hops=np.ones(count, np.int8),
        path=path,
        latency_ns=latency_ns,
        status_delay_ns=chance.exponential(2 * HOUR_NS, (1, count)).astype(np.int64),
        deadline_ns=np.full(count, 60 * DAY_NS, np.int64),
        priority=np.zeros(count, np.int8),
        traffic=np.zeros(count, np.int16),
        group=np.arange(count, dtype=np.int32),
        extra_ns={},
    )


def plan(count: int) -> Plan:
    """So many deliveries over the whole country."""
    return Plan(tuple(f"N{number}" for number in range(NODES)), stations(), deliveries(count), (), 0)
