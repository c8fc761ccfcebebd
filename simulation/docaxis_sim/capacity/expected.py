"""Expected: how many deliveries a scenario asks for, and whether there is memory for them, before any is drawn.

Estimates only: what is drawn is decided in `traffic`, which asks here first. Nothing here changes a delivery.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

from docaxis_sim.capacity import relations
from docaxis_sim.capacity.model import Scenario, Traffic
from docaxis_sim.capacity.topology import Topology, select

ROW_BYTES: Final = 400
"""Of memory for each delivery. Measured at the peak of preparing normal-working-day at load 0.3: 326 bytes. A shared
delivery, which is parted, takes more."""

_CGROUP: Final = Path("/sys/fs/cgroup/memory.max")


def deliveries(scenario: Scenario, topology: Topology) -> dict[str, float]:
    """Expected deliveries of each traffic, by name. Raises what selectors and relations raise."""
    sites = {site.name: site.members for site in scenario.sites}
    days = scenario.load * sum(scenario.day_factors)
    return {
        each.name: days * each.scale * _submissions(each) * _recipients(each, topology, sites)
        for each in scenario.traffic
    }


def _submissions(traffic: Traffic) -> float:
    return traffic.submissions if traffic.at_ns >= 0 else traffic.documents_per_day


def _recipients(traffic: Traffic, topology: Topology, sites: dict[str, str]) -> float:
    """Of one document, over the senders that have anybody to send to."""
    pools = relations.pools(topology, traffic.to, sites)
    sizes = pools.sizes(select(topology, traffic.sender, sites).astype(np.int64))
    usable = sizes[sizes > 0]
    if not len(usable):
        return 0.0
    most = usable.astype(np.float64) if pools.everyone else np.minimum(usable, traffic.recipients_mean)
    return float(most.mean())


def too_large(scenario: Scenario, topology: Topology, memory_bytes: int = 0) -> str:
    """Why a replication does not fit into memory (0: this machine's), with what to lower; empty where it does."""
    there, wanted = memory_bytes or memory(), deliveries(scenario, topology)
    total = sum(wanted.values())
    if not there or total * ROW_BYTES <= there:
        return ""
    most = max(wanted, key=lambda name: wanted[name])
    return (
        f"too large a load: about {total:,.0f} deliveries in a replication take {total * ROW_BYTES / 1e9:,.0f} GB of "
        f"memory ({ROW_BYTES} bytes each), and there are {there / 1e9:,.0f} GB; lower load ({scenario.load:g}), the "
        f"days ({scenario.days}), or what traffic {most!r} sends ({wanted[most]:,.0f} of them)"
    )


def memory() -> int:
    """Bytes that this process may hold at most: the machine's, or its control group's where that is less; 0 where the
    system does not say."""
    known = []
    if {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= os.sysconf_names.keys():
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):  # no control group, or one without a limit ("max")
        known.append(int(_CGROUP.read_text(encoding="ascii")))
    return min(known, default=0)
