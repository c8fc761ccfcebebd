"""Ciw: another simulator, written by others, finds the same in the same networks.

Both are run over independent seeds; the intervals of the difference (Welch) must hold zero.
"""

from collections.abc import Callable, Sequence

import ciw
import numpy as np
import pytest
from scipy import stats

from docaxis_sim.capacity import reference, vector
from docaxis_sim.capacity.cases import UNIT_NS, at_loops, customers, exponential, stations
from docaxis_sim.capacity.chance import generator
from docaxis_sim.capacity.plan import NODE, Int64, Plan, Run, arrived_ns, hop

REPLICATIONS = 8
OURS = 16
"""Replications: Ciw's are dearer than ours."""
CUSTOMERS = 10_000
WIDTH_MAX = 0.08
"""Of the mean: a difference of half of this is found nearly always."""
LATER = CUSTOMERS // 10
"""Customers before this one meet a system that has not settled."""


def by_ciw(network: object, classes: Sequence[str], horizon: float) -> list[list[float]]:
    """Mean sojourn of each class in each replication; only who is settled and got through counts."""
    means = []
    for seed in range(REPLICATIONS):
        ciw.seed(seed)
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(horizon)
        stays: dict[str, dict[int, tuple[float, float]]] = {name: {} for name in classes}
        for record in simulation.get_all_records():
            begun, ended = stays[record.customer_class].get(record.id_number, (np.inf, 0.0))
            stays[record.customer_class][record.id_number] = (
                min(begun, record.arrival_date),
                max(ended, record.exit_date),
            )
        means.append([_settled_mean(list(stays[name].values()), horizon) for name in classes])
    return means


def _settled_mean(stays: list[tuple[float, float]], horizon: float) -> float:
    return float(np.mean([ended - begun for begun, ended in stays if 0.1 * horizon <= begun <= 0.9 * horizon]))


def agree(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    """Whether Welch's 99 % interval of the difference holds zero; it must be narrow enough to mean something."""
    found = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(0.99)
    assert found.high - found.low < WIDTH_MAX * float(np.mean(theirs))
    return bool(found.low <= 0 <= found.high)


TANDEM = [2.0, 1.9, 2.3]


@pytest.fixture(scope="module")
def tandem_by_ciw() -> list[float]:
    """One stream through three exponential servers of different speed."""
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(1.0), None, None],
        service_distributions=[ciw.dists.Exponential(rate) for rate in TANDEM],
        routing=[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]],
        number_of_servers=[1, 1, 1],
    )
    return [row[0] for row in by_ciw(network, ["Customer"], CUSTOMERS)]


def tandem(carry: Callable[[Plan], Run], slower: int = 0) -> list[float]:
    """Mean sojourn in each of our replications; services may be so many hundredths longer than they should."""
    make = at_loops(TANDEM, 1.0, exponential)
    means = []
    for number in range(OURS):
        crowd = make(generator(1, number, "ciw tandem"), CUSTOMERS)
        extra = {step: column + column * slower // 100 for step, column in crowd.plan.deliveries.extra_ns.items()}
        plan = crowd.plan._replace(deliveries=crowd.plan.deliveries._replace(extra_ns=extra))
        sojourn = (arrived_ns(plan, carry(plan)) - crowd.came_ns) / UNIT_NS
        means.append(float(sojourn[LATER:].mean()))
    return means


@pytest.mark.parametrize("carry", [vector.carry, reference.carry], ids=["vector", "reference"])
def test_a_tandem_of_three_queues(carry: Callable[[Plan], Run], tandem_by_ciw: list[float]) -> None:
    """Both engines, each in replications of its own."""
    assert agree(tandem(carry), tandem_by_ciw)


def test_a_wrong_model_is_found(tandem_by_ciw: list[float]) -> None:
    """Services a twentieth longer are another network, and Ciw says so."""
    assert not agree(tandem(vector.carry, slower=5), tandem_by_ciw)


SERVERS = 2
ARRIVALS = {"letter": 0.5, "parcel": 0.4}
RATES = {"letter": 1.2, "parcel": 0.9}
SECOND = {"letter": 1.2, "parcel": 1.4}


def test_two_classes_that_share_one_counter_and_then_part() -> None:
    """Two servers for both, first come first served, each class with its own speed, and then a server for each."""
    network = ciw.create_network(
        arrival_distributions={
            "letter": [ciw.dists.Exponential(ARRIVALS["letter"]), None, None],
            "parcel": [ciw.dists.Exponential(ARRIVALS["parcel"]), None, None],
        },
        service_distributions={
            name: [ciw.dists.Exponential(RATES[name]), *[ciw.dists.Exponential(SECOND[name])] * 2] for name in RATES
        },
        routing={
            "letter": [[0.0, 1.0, 0.0], [0.0] * 3, [0.0] * 3],
            "parcel": [[0.0, 0.0, 1.0], [0.0] * 3, [0.0] * 3],
        },
        number_of_servers=[SERVERS, 1, 1],
    )
    theirs = np.array(by_ciw(network, list(RATES), CUSTOMERS))
    ours = np.array([_two_classes(number) for number in range(OURS)])
    for column in range(2):
        assert agree(ours[:, column].tolist(), theirs[:, column].tolist())


def _two_classes(number: int) -> list[float]:
    """Mean sojourn of letters and of parcels in one replication on the vector engine."""
    chance = generator(1, number, "ciw classes")
    births = np.cumsum(chance.standard_exponential(CUSTOMERS)) * UNIT_NS / sum(ARRIVALS.values())
    is_parcel = chance.random(CUSTOMERS) < ARRIVALS["parcel"] / sum(ARRIVALS.values())
    path = np.stack([np.zeros(CUSTOMERS, np.int32), np.ones(CUSTOMERS, np.int32), 2 + is_parcel])
    rates = [np.where(is_parcel, law["parcel"], law["letter"]) for law in (RATES, SECOND)]
    extra = {hop(h, NODE): _ns(chance.standard_exponential(CUSTOMERS) / rate) for h, rate in enumerate(rates)}
    deliveries = customers(_ns(births / UNIT_NS), path.astype(np.int32), np.zeros(CUSTOMERS, np.int64), extra)
    found = stations(4)
    counter = found.servers.copy()
    counter[1] = SERVERS
    plan = Plan(("door", "counter", "letters", "parcels"), found._replace(servers=counter), deliveries, (), 0)
    sojourn = ((arrived_ns(plan, vector.carry(plan)) - deliveries.birth_ns) / UNIT_NS)[LATER:]
    return [float(sojourn[~is_parcel[LATER:]].mean()), float(sojourn[is_parcel[LATER:]].mean())]


def _ns(units: np.ndarray) -> Int64:
    return np.asarray(np.rint(units * UNIT_NS), np.int64)
