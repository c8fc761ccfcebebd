"""Stations: whole numbers that follow from tiers, sites and overrides, and from nothing else."""

import numpy as np
import pytest

from docaxis_sim.capacity.costs import Costs
from docaxis_sim.capacity.model import NodeClass, Override, Site, TopologySpec
from docaxis_sim.capacity.plan import Cost, Law
from docaxis_sim.capacity.stations import BadStations, lines, link_names, stations
from docaxis_sim.capacity.topology import Topology, build, select
from tests.simulation.capacity.networks import MEGABIT, network

SPEC = TopologySpec(layout="agencies")
COSTS = Costs(
    round_ns=1_000,
    submit_ns=1_010,
    submit_more_ns=1_020,
    envelope_ns=1_030,
    content_ns=1_040,
    relay_ns=1_050,
    receipt_ns=1_060,
    state_ns=1_070,
    status_ns=1_080,
    content_ns_per_kib=1_090,
    blob_ns=1_100,
    blob_ns_per_kib=1_110,
    commit_ns=1_120,
    stored_bytes_sender=1_130,
    stored_bytes_recipient=1_140,
    provenance={},
    wake_ns=7,
)
NODES = {
    "central": NodeClass(100 * MEGABIT, 200 * MEGABIT, 2.0),
    "province": NodeClass(10 * MEGABIT, 20 * MEGABIT, 0.3),
}


@pytest.fixture
def agencies() -> Topology:
    """The 95."""
    return build(SPEC)


def test_a_link_s_time_for_a_kib_follows_from_its_rate(agencies: Topology) -> None:
    """8,192 bits at 10 Mbit/s take 819.2 µs."""
    found = stations(network(SPEC, NODES), agencies, COSTS)
    province = agencies.ids.index("H49")
    assert found.up_ns_per_kib[found.up_of[province]] == 819_200
    assert found.down_ns_per_kib[found.down_of[province]] == 409_600
    assert found.up_law is Law.FIFO


def test_speed_divides_every_cost_and_halves_are_rounded_up(agencies: Topology) -> None:
    """A node half as fast needs twice the time on its loop; its disk is as fast as before."""
    found = stations(network(SPEC, NODES), agencies, COSTS._replace(round_ns=101, commit_ns=3, submit_ns=100))
    central, province = agencies.ids.index("G22"), agencies.ids.index("H49")
    assert found.round_ns[[central, province]].tolist() == [51, 337]
    assert found.wake_ns[[central, province]].tolist() == [4, 23]
    assert found.commit_ns[[central, province]].tolist() == [3, 3]
    assert found.cost_ns[Cost.SUBMIT, [central, province]].tolist() == [50, 333]
    assert found.cost_ns.shape == (len(Cost), 95)


def test_a_disk_has_a_factor_of_its_own(agencies: Topology) -> None:
    """Who buys a faster processor has not bought a faster disk, and the other way round."""
    nodes = NODES | {"central": NodeClass(MEGABIT, MEGABIT, disk=2.0)}
    overrides = (Override("agency:H49", disk=0.5),)
    found = stations(network(SPEC, nodes, (), overrides), agencies, COSTS._replace(commit_ns=101, round_ns=100))
    central, ordinary, slow = (agencies.ids.index(each) for each in ("G22", "H22", "H49"))
    assert found.commit_ns[[central, ordinary, slow]].tolist() == [51, 101, 202]
    assert found.round_ns[[central, ordinary, slow]].tolist() == [100, 333, 333]


def test_processes_of_a_node_are_its_loop_s_servers(agencies: Topology) -> None:
    """By tier, and otherwise for some; every engine knows what several servers do."""
    nodes = NODES | {"central": NodeClass(MEGABIT, MEGABIT, processes=4)}
    found = stations(network(SPEC, nodes, (), (Override("agency:H49", processes=2),)), agencies, COSTS)
    wanted = [agencies.ids.index(each) for each in ("G22", "H22", "H49")]
    assert found.servers[found.loop_of[wanted]].tolist() == [4, 1, 2]
    assert found.servers.dtype == np.int32


def test_every_thing_that_a_loop_is_asked_to_do_has_its_own_cost(agencies: Topology) -> None:
    """Rows are named, not counted: a cost that moves to another row would be charged for something else."""
    nodes = {tier: NodeClass(MEGABIT, MEGABIT) for tier in ("central", "province")}
    found = stations(network(SPEC, nodes), agencies, COSTS)
    assert {each.name: int(found.cost_ns[each, 0]) for each in Cost} == {
        each.name: getattr(COSTS, f"{each.name.lower()}_ns") for each in Cost
    }


def test_members_of_a_site_share_its_line_and_nobody_else_does(agencies: Topology) -> None:
    """Their own lines are replaced, whatever an override says of them."""
    sites = (Site("centre", "tier:central", 50 * MEGABIT, 40 * MEGABIT),)
    scenario = network(SPEC, NODES, sites, (Override("agency:G22", up_bps=7 * MEGABIT),))
    found = stations(scenario, agencies, COSTS)
    central = select(agencies, "tier:central")
    assert set(found.up_of[central]) == set(found.down_of[central]) == {95}
    assert link_names(sites, agencies)[95] == "site:centre"
    assert found.up_ns_per_kib[95] == 163_840
    assert found.down_ns_per_kib[95] == 204_800
    others = select(agencies, "tier:province")
    assert np.array_equal(found.up_of[others], others)


def test_later_overrides_win_and_leave_alone_what_they_do_not_name(agencies: Topology) -> None:
    """In the order of the file, as a reader expects; members of a site can be meant by its name."""
    overrides = (
        Override("tier:province", up_bps=1_000_000, speed=1.0),
        Override("site:north", up_bps=2_000_000),
    )
    sites = (Site("north", "agency:H22", MEGABIT, MEGABIT),)
    found = lines(network(SPEC, NODES, sites, overrides), agencies)
    far, near = agencies.ids.index("H22"), agencies.ids.index("H49")
    assert found.up_bps[[far, near]].tolist() == [2_000_000, 1_000_000]
    assert found.down_bps[near] == 20 * MEGABIT
    assert found.speed[far] == 1.0


@pytest.mark.parametrize(
    ("nodes", "sites", "overrides", "told"),
    [
        ({"central": NODES["central"]}, (), (), r"nodes\.province is missing"),
        (NODES | {"province": NodeClass(0, 1)}, (), (), r"nodes\.province: 0 is no rate"),
        (NODES, (), (Override("all", speed=-1.0),), "override of all: -1 is no rate"),
        (NODES, (Site("a", "all", 0, 1),), (), "site a: 0 is no rate"),
        (NODES, (Site("a", "agency:G22", 1, 1), Site("b", "all", 1, 1)), (), "G22 is at site a and at site b"),
    ],
)
def test_nodes_that_cannot_be_built_are_refused_by_name(
    agencies: Topology,
    nodes: dict[str, NodeClass],
    sites: tuple[Site, ...],
    overrides: tuple[Override, ...],
    told: str,
) -> None:
    """Not a division by zero in an engine, but the place in the scenario."""
    with pytest.raises(BadStations, match=told):
        stations(network(SPEC, nodes, sites, overrides), agencies, COSTS)
