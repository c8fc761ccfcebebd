"""Prepare: from a scenario and the number of a replication to a plan that any engine can carry.

Puts together what the other rooms make; nothing is decided here. Nothing but its arguments and the calibration file
influences a plan.
"""

from typing import NamedTuple

import numpy as np

from docaxis_sim.capacity import costs
from docaxis_sim.capacity.chance import generator
from docaxis_sim.capacity.contacts import extra_ns
from docaxis_sim.capacity.model import Failure, Scenario
from docaxis_sim.capacity.plan import DAY_NS, Outage, Plan
from docaxis_sim.capacity.stations import lines, stations
from docaxis_sim.capacity.topology import Topology, build, select
from docaxis_sim.capacity.traffic import deliveries


class Prepared(NamedTuple):
    """A plan, the topology whose numbers it uses, and where it comes from: the digest of the scenario and the number of
    the replication."""

    plan: Plan
    topology: Topology
    digest: str
    replication: int


def prepare(scenario: Scenario, replication: int) -> Prepared:
    """The plan of one replication; equal arguments give equal plans. The scenario's last day ends the run, or with
    `until_done` the arrival of everything.

    Raises what its parts raise about a scenario that does not fit its topology: `BadSelector`, `BadTopology`,
    `BadStations`, `BadRelation`, `BadTraffic`, `NoRoute`, `BadCalibration`, all of them `ValueError`.
    """
    topology, measured = build(scenario.topology), costs.of(scenario)
    drawn = deliveries(scenario, topology, replication)
    stalls = np.array(measured.commit_extra_ns or (0,), np.int64)
    plan = Plan(
        node_ids=topology.ids,
        stations=stations(scenario, topology, measured)._replace(
            commit_extra_ns=generator(scenario.experiment.seed, replication, "stalls of disks").permutation(stalls)
        ),
        deliveries=drawn._replace(extra_ns=extra_ns(drawn, measured, lines(scenario, topology).speed)),
        outages=tuple(_outage(scenario, topology, failure) for failure in scenario.failures),
        end_ns=0 if scenario.until_done else scenario.days * DAY_NS,
    )
    return Prepared(plan, topology, scenario.digest, replication)


def _outage(scenario: Scenario, topology: Topology, failure: Failure) -> Outage:
    sites = {site.name: site.members for site in scenario.sites}
    inside = select(topology, failure.members, sites)
    return Outage(failure.name, inside, failure.from_ns, failure.until_ns, failure.dark)
