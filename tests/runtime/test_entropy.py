"""Chance comes in the amount asked for, and spreads delays within known bounds."""

from hypothesis import given
from hypothesis import strategies as st

from docaxis.runtime.entropy import SystemEntropy, spread


def test_two_draws_differ() -> None:
    """What was drawn once must not come again."""
    source = SystemEntropy()
    assert len(source.take(32)) == 32
    assert source.take(32) != source.take(32)


@given(st.integers(0, 10**9), st.binary(min_size=4, max_size=8))
def test_a_delay_is_moved_by_at_most_half_of_itself(delay_ms: int, chance: bytes) -> None:
    """Jitter is proportional: small delays stay small, and nodes started together drift apart."""
    assert delay_ms // 2 <= spread(delay_ms, chance) <= delay_ms + delay_ms // 2
