"""Flow: how much was sent, carried, expired and stored, and what became of everything that did not arrive.

Everything submitted is accounted for: arrived, expired, or under way. Nothing here looks at stations.
"""

from typing import Final

import numpy as np

from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.forgotten import forgotten
from docaxis_sim.capacity.hours import is_whole_day
from docaxis_sim.capacity.metrics import slug
from docaxis_sim.capacity.model import Scenario
from docaxis_sim.capacity.plan import HOUR_NS, NEVER, SECOND_NS, Bool, Form, Int64, Outage, arrived_ns
from docaxis_sim.capacity.reading import Reading
from docaxis_sim.capacity.study import Check, Table

_HOUR_S: Final = HOUR_NS / SECOND_NS
_QUEUES: Final = "queues on its way"


def metrics(reading: Reading) -> dict[str, float]:
    """Counts, rates and the time of the last arrival."""
    first = reading.plan.deliveries.first[reading.row] & (reading.plan.deliveries.parent[reading.row] < 0)
    seconds = max(1, reading.span_ns) / SECOND_NS
    sent, arrived = int(reading.born.sum()), int(reading.arrived.sum())
    starts, ends = reading.born_ns[reading.born], reading.arrived_ns[reading.arrived]
    return {
        "documents": float((first & reading.born).sum()),
        "deliveries": float(sent),
        "arrived": float(arrived),
        "expired": float(reading.expired.sum()),
        "under_way": float(under_way(reading).sum()),
        "never_sent": float((~reading.born).sum()),
        "lost": float(lost(reading)),
        "tries": float(reading.run.tries.sum()),
        "tries.max": float(reading.run.tries.max(initial=0)),
        "offered_per_s": sent / seconds,
        "offered_per_s.busiest_hour": _busiest(starts),
        "carried_per_s": arrived / seconds,
        "carried_per_s.busiest_hour": _busiest(ends),
        **({"carried_share": arrived / sent} if sent else {}),  # nothing has no share
        "last_arrival_s": float(ends.max() - starts.min()) / SECOND_NS if len(ends) else 0.0,
    }


def _busiest(moments: Int64) -> float:
    return float(np.bincount(moments // HOUR_NS).max()) / _HOUR_S if len(moments) else 0.0


def under_way(reading: Reading) -> Bool:
    """Which documents were neither here nor there when the run ended, though it had not promised to finish them."""
    waiting = reading.born & ~reading.arrived & ~reading.expired
    return waiting if reading.plan.end_ns else np.zeros_like(waiting)


def lost(reading: Reading) -> int:
    """How many documents nothing accounts for."""
    return int((reading.born & ~reading.arrived & ~reading.expired & ~under_way(reading)).sum())


def conservation(reading: Reading) -> Check:
    """Submitted = arrived + expired + under way, exactly; nobody received what was not sent, and what was under way
    when a run was stopped was with somebody."""
    sent, gone = int(reading.born.sum()), forgotten(reading.plan, reading.run)
    parts = [int(each.sum()) for each in (reading.arrived, reading.expired, under_way(reading))]
    impossible = int(((reading.arrived_ns != NEVER) & ~(reading.born & (reading.arrived_ns >= reading.born_ns))).sum())
    off = abs(sent - sum(parts)) + impossible + gone
    text = f"{sent:,} sent = {parts[0]:,} arrived + {parts[1]:,} expired + {parts[2]:,} under way at the end"
    text += f", {gone:,} of them forgotten" if gone else ""
    return Check("conservation", off == 0, float(off), 0.0, text)


def losses(reading: Reading) -> Table:
    """Why documents expired or were still under way: one row per class of traffic and reason."""
    traffic, names = reading.plan.deliveries.traffic[reading.row], [each.name for each in reading.scenario.traffic]
    rows = [
        (names[number], fate, why, count)
        for number in range(len(names))
        for fate, which in (("expired", reading.expired), ("under way at the end", under_way(reading)))
        for why, count in _reasons(reading, np.flatnonzero(which & (traffic == number)))
    ]
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Table(
        {
            **dict(zip(("traffic", "fate", "reason"), columns[:3], strict=True)),
            "deliveries": np.array(columns[3], np.int64),
        },
        "What was sent and did not arrive in time, and why.",
    )


def _reasons(reading: Reading, some: Int64) -> list[tuple[str, int]]:
    """What held some documents up, all failures that did so named together, and how many documents each of that."""
    held = reading.held_up[:, some]
    if not held.size:
        return [(_QUEUES, len(some))] if len(some) else []
    which, count = np.unique(held, axis=1, return_counts=True)
    names = [[outage.name for outage, one in zip(reading.plan.outages, each, strict=True) if one] for each in which.T]
    words = [f"cut off by {' and '.join(each)}" if each else _QUEUES for each in names]
    return list(zip(words, count.tolist(), strict=True))


def failures(reading: Reading) -> Table:
    """One row per failure: how many nodes, how many documents it held up, and how long until they had arrived."""
    outages, held = reading.plan.outages, reading.held_up
    return Table(
        {
            "name": tuple(outage.name for outage in outages),
            "from_s": np.array([outage.from_ns / SECOND_NS for outage in outages], np.float64),
            "until_s": np.array([outage.until_ns / SECOND_NS for outage in outages], np.float64),
            "nodes": np.array([len(outage.inside) for outage in outages], np.int64),
            "documents_waited": held.sum(axis=1, dtype=np.int64),
            "drain_s": np.array([_recovery_s(reading, *each) for each in zip(outages, held, strict=True)], np.float64),
        },
        "Failures: the documents they held up, and how long after their end the last of these had arrived.",
    )


def recovery(reading: Reading) -> dict[str, float]:
    """Per failure, how long after its end the last document that it held up had arrived."""
    return {
        f"recovery.{slug(outage.name)}_s": _recovery_s(reading, outage, held)
        for outage, held in zip(reading.plan.outages, reading.held_up, strict=True)
    }


def _recovery_s(reading: Reading, outage: Outage, held: Bool) -> float:
    """Infinite as soon as anything that it held up did not arrive in time: letting documents expire is no recovery."""
    if (held & ~reading.arrived).any():
        return float("inf")
    last = int(reading.arrived_ns[held].max(initial=0))
    return max(0, last - outage.until_ns) / SECOND_NS


def stored_bytes(reading: Reading, costs: Costs) -> Int64:
    """What the run added to each node's store: records of either side, content once at who submitted it and at every
    recipient. A unit that only hands on keeps nothing."""
    deliveries = reading.plan.deliveries
    nodes = len(reading.plan.stations.loop_of)
    born = reading.born
    total = np.bincount(reading.sender[born], minlength=nodes) * float(costs.stored_bytes_sender)
    submitted = born & deliveries.first[reading.row] & (deliveries.parent[reading.row] < 0)
    total += np.bincount(reading.sender[submitted], _content_bytes(reading)[submitted], nodes)
    here = arrived_ns(reading.plan, reading.run) != NEVER
    kept = deliveries.bytes + np.where(deliveries.form == Form.CHUNK, 0, costs.stored_bytes_recipient)
    recipient = deliveries.path[deliveries.hops, np.arange(len(deliveries.hops))]
    total += np.bincount(recipient[here], kept[here], nodes)
    return total.astype(np.int64)


def _content_bytes(reading: Reading) -> Int64:
    """Size of each document's content: what travels to a recipient, its parts included."""
    deliveries = reading.plan.deliveries
    parts = deliveries.form == Form.CHUNK
    own = deliveries.bytes[reading.row]
    if not parts.any():
        return own
    groups = int(deliveries.group.max()) + 1
    recipients = np.bincount(deliveries.group[reading.row], minlength=groups)
    per_group = np.bincount(deliveries.group[parts], deliveries.bytes[parts], groups) / np.maximum(1, recipients)
    return own + per_group.astype(np.int64)[deliveries.group[reading.row]]


def storage(stored: Int64, scenario: Scenario) -> dict[str, float]:
    """Growth of the stores; nothing where no whole day is simulated."""
    if not is_whole_day(scenario):
        return {}
    return {
        "storage_bytes_per_day": float(stored.sum()) / scenario.days,
        "storage.node_bytes_per_day": float(stored.max(initial=0)) / scenario.days,
    }
