"""Turns: a burst at once, the rest one after the other."""

from docaxis.transport.pace import Pace


def test_handshakes_after_the_burst_take_their_turn() -> None:
    """A return of ninety peers at once must not occupy the processor; an hour of quiet saves up one burst, not more."""
    pace = Pace(per_s=10, burst=3)
    for now_s in (1_000.0, 4_600.0):
        waits = [round(pace.wait_s(now_s), 6) for _ in range(6)]
        assert waits == [0, 0, 0, 0.1, 0.2, 0.3]
