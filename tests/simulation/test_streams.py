"""Streams of chance: one per cause, the same for ever."""

from docaxis_sim.streams import Streams


def test_a_seed_and_a_name_give_the_same_numbers_everywhere() -> None:
    """A seed that failed on one machine must fail on another; the figures are kept here for that reason."""
    assert Streams(7)("latency").randbytes(4).hex() == "0184e503"


def test_a_new_cause_does_not_disturb_the_others() -> None:
    """Whoever adds a fault must not reshuffle the arrivals."""
    alone, together = Streams(1), Streams(1)
    together("a new fault").random()
    assert [alone("arrivals").random() for _ in range(5)] == [together("arrivals").random() for _ in range(5)]


def test_seeds_and_names_differ() -> None:
    """Two causes that move together would hide what only their difference shows."""
    drawn = {Streams(seed)(name).random() for seed in (1, 2) for name in ("a", "b")}
    assert len(drawn) == 4
