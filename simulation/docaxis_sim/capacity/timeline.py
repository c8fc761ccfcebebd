"""Timeline: how a run went, bin by bin: rates, what was under way and where, ages, and how busy stations were.

Series only. What is under way is looked at when a bin begins; rates and busy shares are of the whole bin.
"""

import numpy as np

from docaxis_sim.capacity.metrics import KINDS
from docaxis_sim.capacity.model import TIERS
from docaxis_sim.capacity.occupancy import Occupancy
from docaxis_sim.capacity.plan import HOUR_NS, NEVER, SECOND_NS, Float, Int64
from docaxis_sim.capacity.reading import LATE, Reading
from docaxis_sim.capacity.study import Series
from docaxis_sim.capacity.visits import Kind


def series(reading: Reading, occupancy: Occupancy) -> dict[str, Series]:
    """Every series of a run."""
    step = occupancy.step_ns
    return {
        "rates": Series(("offered", "carried"), _rates(reading, occupancy), step, "1/s", "Documents per second."),
        "under_way": _under_way(reading, occupancy),
        "age_oldest_s": Series(
            ("oldest",),
            oldest_s(reading, occupancy)[None, :],
            step,
            "s",
            "Age of the oldest document that had not arrived.",
        ),
        "queue_by_province": _by_province(reading, occupancy),
        "utilisation": _utilisation(reading, occupancy),
    }


def _rates(reading: Reading, occupancy: Occupancy) -> Float:
    moments = (reading.born_ns[reading.born], reading.arrived_ns[reading.arrived])
    seconds = occupancy.step_ns / SECOND_NS
    counts = [np.bincount(each // occupancy.step_ns, minlength=occupancy.bins)[: occupancy.bins] for each in moments]
    rates: Float = np.array(counts, np.float64) / seconds
    return rates


def waiting(reading: Reading, occupancy: Occupancy) -> Int64:
    """Documents submitted and not yet arrived or expired, when each bin begins."""
    born = reading.born_ns[reading.born]
    end = _ends(reading)[reading.born]
    first = np.minimum(-(-born // occupancy.step_ns), occupancy.bins)
    beyond = np.minimum(-(-end // occupancy.step_ns), occupancy.bins)
    change = np.bincount(first, minlength=occupancy.bins + 1) - np.bincount(beyond, minlength=occupancy.bins + 1)
    standing: Int64 = np.cumsum(change)[:-1]
    return standing


def _ends(reading: Reading) -> Int64:
    """When each document stopped being under way: it arrived, or its deadline passed, or the run ended."""
    deadline = reading.born_ns + reading.plan.deliveries.deadline_ns[reading.row]
    arrived = np.where(reading.arrived_ns == NEVER, LATE, reading.arrived_ns)
    ends: Int64 = np.minimum(np.minimum(arrived, deadline), reading.until_ns + 1)
    return ends


def mean_waiting(reading: Reading) -> float:
    """Documents under way, mean over the simulated hours."""
    stay = reading.within_ns(_ends(reading)[reading.born]) - reading.within_ns(reading.born_ns[reading.born])
    return float(stay.sum()) / max(1, reading.span_ns)


def oldest_s(reading: Reading, occupancy: Occupancy) -> Float:
    """Age of the oldest document under way when each bin begins. It is the earliest born of all that end later: read
    off from the ends backwards."""
    moments = np.arange(occupancy.bins) * occupancy.step_ns
    beyond = np.minimum(-(-_ends(reading)[reading.born] // occupancy.step_ns), occupancy.bins)
    earliest = np.full(occupancy.bins + 1, LATE)
    np.minimum.at(earliest, beyond, reading.born_ns[reading.born])
    earliest = np.minimum.accumulate(earliest[::-1])[::-1][1:]
    age: Float = np.where(earliest <= moments, moments - earliest, 0) / SECOND_NS
    return age


def _under_way(reading: Reading, occupancy: Occupancy) -> Series:
    labels: tuple[str, ...] = ("all", "at nodes", "on lines up", "on lines down", "waiting for a peer")
    by_kind = occupancy.documents
    rows = [waiting(reading, occupancy), *(by_kind[kind] for kind in Kind), occupancy.at_peer]
    values = np.array(rows, np.float64)
    if not reading.plan.outages:
        labels, values = labels[:-1], values[:-1]
    return Series(labels, values, occupancy.step_ns, "documents", "Documents under way, and where.")


def _by_province(reading: Reading, occupancy: Occupancy) -> Series:
    """Visits at the stations of each province's nodes, and at those of each agency that is in no province."""
    topology = reading.topology
    numbers = np.arange(len(topology.ids), dtype=topology.province.dtype)
    own = np.where(topology.tier <= TIERS.index("central"), numbers, -1)
    keeper = np.where(topology.province >= 0, topology.province, own)
    keepers, place = np.unique(keeper, return_inverse=True)
    values = np.zeros((len(keepers), occupancy.bins), np.float64)
    np.add.at(values, place, occupancy.present)
    labels = tuple(topology.names[each] if each >= 0 else "in no province" for each in keepers)
    about = "Visits waiting or served at the nodes of each province, and at each central agency."
    return Series(labels, values, occupancy.step_ns, "visits", about)


def _utilisation(reading: Reading, occupancy: Occupancy) -> Series:
    """The busiest station of each kind, hour by hour."""
    servers = reading.plan.stations.servers
    rows = []
    for kind in KINDS:
        busy = occupancy.busy_ns[kind] / HOUR_NS
        rows.append((busy / servers[:, None] if kind == "loop" else busy).max(axis=0, initial=0.0))
    shown = np.array(rows)[:, : reading.shown_ns // HOUR_NS + 1]
    return Series(KINDS, shown, HOUR_NS, "share", "Busy share of each hour, of the busiest station of a kind.")
