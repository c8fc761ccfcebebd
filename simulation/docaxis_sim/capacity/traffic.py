"""Traffic: every delivery of one replication, drawn before it starts: who sends what to whom, when, and how large.

Each traffic of a scenario draws from generators named after itself and the thing drawn, so that changing one size law,
one link or one traffic leaves all other draws as they were. Nothing here knows what a delivery costs or how long it
takes.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from docaxis_sim.capacity import choosing, expected, profiles, relations, sizes
from docaxis_sim.capacity.assembly import assembled
from docaxis_sim.capacity.chance import generator
from docaxis_sim.capacity.model import Scenario, Traffic
from docaxis_sim.capacity.plan import DAY_NS, NEVER, STATUSES_MAX, Deliveries, Float, Form, Int32, Int64
from docaxis_sim.capacity.relations import Pools
from docaxis_sim.capacity.relay import relayed
from docaxis_sim.capacity.rows import Documents, Drawn, Rows
from docaxis_sim.capacity.sharing import shared
from docaxis_sim.capacity.topology import Topology, latency_ns, select

WEIGHTS: Final = ("equal", "population", "units")
"""How documents spread over senders: each the same; by people served; by how many units there are at and below it."""


class BadTraffic(ValueError):
    """A traffic that cannot be drawn on this topology; says which, and why."""


class _Chance(NamedTuple):
    """The generators of one traffic."""

    seed: int
    replication: int
    traffic: str

    def __call__(self, what: str) -> np.random.Generator:
        return generator(self.seed, self.replication, f"{self.traffic}/{what}")


def deliveries(scenario: Scenario, topology: Topology, replication: int) -> Deliveries:
    """All deliveries of a replication. Raises `BadTraffic`, also where they would not fit into memory,
    `relations.BadRelation`, `docaxis_sim.capacity.topology.BadSelector` and `docaxis_sim.capacity.routes.NoRoute`."""
    if text := expected.too_large(scenario, topology):
        raise BadTraffic(text)
    sites = {site.name: site.members for site in scenario.sites}
    drawn = [
        _draw(scenario, traffic, topology, sites, _Chance(scenario.experiment.seed, replication, traffic.name))
        for traffic in scenario.traffic
    ]
    return assembled(scenario.topology, topology, drawn)


def _draw(scenario: Scenario, traffic: Traffic, topology: Topology, sites: Mapping[str, str], chance: _Chance) -> Drawn:
    pools = relations.pools(topology, traffic.to, sites)
    births = _births(scenario, traffic, chance)
    sender = _senders(traffic, topology, pools, sites, chance("sender").random(len(births)))
    recipients = _recipient_counts(traffic, pools.sizes(sender), chance)
    documents = Documents(
        birth_ns=births,
        sender=sender.astype(np.int32),
        content=sizes.contents(chance("size"), traffic.size, len(births)),
        priority=choosing.weighted(chance("priority").random(len(births)), np.array(traffic.priority)).astype(np.int8),
        recipients=recipients,
    )
    rows = _direct(documents, _targets(documents, pools, chance))
    if traffic.fanout == "relay":
        rows = relayed(topology, rows)
    if traffic.sharing == "shared":
        if traffic.fanout == "relay":
            raise BadTraffic(f"traffic {traffic.name!r}: what is relayed cannot be shared too; choose one of them")
        rows = shared(documents, rows, lambda a, b: latency_ns(topology, scenario.topology.latency, a, b))
    return Drawn(traffic, documents, rows, _statuses(traffic, rows, chance))


def _births(scenario: Scenario, traffic: Traffic, chance: _Chance) -> Int64:
    """When documents are submitted, in order. A campaign's number is rounded, but never to nothing."""
    scale = scenario.load * traffic.scale
    per_day = [scale * factor for factor in scenario.day_factors]
    if traffic.at_ns >= 0:
        counts = [max(1, round(traffic.submissions * factor)) if factor > 0 else 0 for factor in per_day]
        return np.repeat(np.arange(scenario.days, dtype=np.int64) * DAY_NS + traffic.at_ns, counts)
    wanted = profiles.intensity(
        scenario.profiles[traffic.profile], [traffic.documents_per_day * factor for factor in per_day]
    )
    return profiles.arrivals(chance("arrivals"), wanted)


def _senders(traffic: Traffic, topology: Topology, pools: Pools, sites: Mapping[str, str], uniform: Float) -> Int64:
    """A sender for each uniform number; who has nobody to send to is left out."""
    candidates = select(topology, traffic.sender, sites).astype(np.int64)
    weights = _weights(topology, traffic.weights)[candidates]
    usable = (pools.sizes(candidates) > 0) & (weights > 0)
    if not usable.any():
        raise BadTraffic(
            f"traffic {traffic.name!r}: none of the {len(candidates)} senders ({traffic.sender}) has anybody to "
            f"send to ({traffic.to}) in the layout {topology.layout}"
        )
    return candidates[usable][choosing.weighted(uniform, weights[usable])]


def _weights(topology: Topology, law: str) -> Float:
    if law == "population":
        return topology.weight_population
    weights = np.ones(len(topology.ids))
    if law == "units":
        above = topology.parent
        while (above >= 0).any():
            np.add.at(weights, above[above >= 0], 1.0)
            above = np.where(above >= 0, topology.parent[above], np.int32(-1))
    return weights


def _recipient_counts(traffic: Traffic, available: Int64, chance: _Chance) -> Int64:
    if traffic.to.startswith("each:"):
        return available
    drawn = choosing.geometric(
        chance("recipients").random(len(available)), traffic.recipients_mean, traffic.recipients_max
    )
    return np.minimum(drawn, available)


def _targets(documents: Documents, pools: Pools, chance: _Chance) -> Int32:
    """The recipients of each document, one document after the other."""
    counts = documents.recipients
    if pools.everyone:
        ranks = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    else:
        uniform = chance("recipient").random(int(counts.sum()))
        ranks = choosing.distinct(uniform, counts, pools.sizes(documents.sender.astype(np.int64)))
    return pools.pick(np.repeat(documents.sender, counts).astype(np.int64), ranks)


def _direct(documents: Documents, target: Int32) -> Rows:
    """Every recipient gets it from the sender."""
    counts = documents.recipients
    document = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    first = np.zeros(len(document), np.bool_)
    first[np.cumsum(counts) - counts] = True
    inline = sizes.is_inline(documents.content)
    envelopes = sizes.envelope_bytes(counts, documents.content)
    travels = envelopes + np.where(inline, documents.content, sizes.chunked_bytes(documents.content))
    form = np.where(inline, np.int8(Form.INLINE), np.int8(Form.CHUNKED))
    return Rows(
        document=document,
        parent=np.full(len(document), -1, np.int32),
        delay_ns=np.zeros(len(document), np.int64),
        source=documents.sender[document],
        target=target,
        bytes=travels[document],
        form=form[document],
        first=first,
    )


def _statuses(traffic: Traffic, rows: Rows, chance: _Chance) -> Int64:
    """Delays ``(statuses, rows)``. A share is of all recipients; who makes a later statement made the earlier ones."""
    found = np.full((min(len(traffic.statuses), STATUSES_MAX), len(rows.document)), NEVER, np.int64)
    if not len(found):
        return found
    willing = np.where(rows.form == Form.CHUNK, 2.0, chance("statuses").random(len(rows.document)))
    for number, (step, row) in enumerate(zip(traffic.statuses, found, strict=False)):
        share = min(each.share for each in traffic.statuses[: number + 1])
        drawn = chance(f"status {number}").standard_exponential(len(row)) * step.after_ns
        np.copyto(row, drawn.astype(np.int64), where=willing < share)
    return found
