"""Loads: drawn from a seed, between different nodes, and with the calls that need a new connection told in advance."""

from itertools import pairwise

from tools.calibration.load import Birth, Call, births_read, births_value, broadcast, flood, new_calls, poisson


def test_a_seed_makes_one_load() -> None:
    """What real nodes carried is what the simulator is given."""
    assert poisson("p", 8, 100.0, 2.0, seed=7) == poisson("p", 8, 100.0, 2.0, seed=7)
    assert poisson("p", 8, 100.0, 2.0, seed=7) != poisson("p", 8, 100.0, 2.0, seed=8)


def test_births_are_in_order_and_nobody_writes_to_himself() -> None:
    """A plan's rows are sorted by birth, and a node refuses a document to itself."""
    births = poisson("p", 3, 400.0, 2.0, seed=1).births
    assert all(one.at_ns <= two.at_ns for one, two in pairwise(births))
    assert all(each.sender != to and 0 <= to < 3 for each in births for to in each.to)
    assert 600 < len(births) < 1_000


def test_births_survive_their_way_to_the_hosts() -> None:
    """They travel as JSON."""
    births = (*poisson("p", 4, 20.0, 1.0, seed=1).births, *broadcast("b", 4, 2, 1.0, inline=False).births)
    assert births_read(births_value(births)) == births


def test_a_flood_comes_all_at_once() -> None:
    """It measures how fast a backlog drains."""
    load = flood("f", 5, 50, seed=1)
    assert len(load.births) == 50
    assert {birth.at_ns for birth in load.births} == {0}


def test_only_the_first_call_of_a_pair_makes_a_connection() -> None:
    """Its handshake costs as much as a document; pulled content needs two more, made by the recipient."""
    inline, pulled = Birth(0, 0, (1,), 10, True), Birth(1, 0, (1,), 10, False)
    there, bulk, back = Call(0, 1, False), Call(1, 0, True), Call(1, 0, False)
    assert new_calls([inline, inline, pulled, pulled], frozenset()) == [[there], [], [bulk, back], []]
    assert new_calls([inline], frozenset([there])) == [[]]
