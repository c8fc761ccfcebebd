"""Chance: the same numbers for the same question, others for any other."""

from docaxis_sim.capacity.chance import generator


def test_equal_questions_get_equal_numbers() -> None:
    """A run can be repeated anywhere."""
    assert (generator(1, 2, "a/size").random(5) == generator(1, 2, "a/size").random(5)).all()


def test_any_other_seed_replication_or_name_gets_other_numbers() -> None:
    """Streams that met would make replications or causes depend on each other."""
    asked = [(1, 2, "a"), (2, 2, "a"), (1, 3, "a"), (1, 2, "b"), (12, 0, "a"), (1, 20, "a")]
    first = {float(generator(*each).random()) for each in asked}
    assert len(first) == len(asked)


def test_the_numbers_are_these_on_every_machine() -> None:
    """A report that names seed and replication is only of use if others draw the same."""
    first = [0.8005982138965358, 0.4904386823891387, 0.13577725834384136]
    assert generator(1, 0, "daily/size").random(3).tolist() == first
