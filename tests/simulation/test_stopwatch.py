"""The simulator's one real clock runs forward."""

from docaxis_sim.stopwatch import Stopwatch


def test_a_stopwatch_never_runs_backwards() -> None:
    """Whatever the machine's wall clock does."""
    watch = Stopwatch()
    first = watch.seconds
    assert 0 <= first <= watch.seconds
