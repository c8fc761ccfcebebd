"""Counters add up and come out by name."""

from docaxis.runtime.metrics import Metrics


def test_counters_need_no_announcement_and_come_out_sorted() -> None:
    """What is counted is decided where it happens."""
    metrics = Metrics()
    metrics.add("b")
    metrics.add("a", 3)
    metrics.add("b", 2)
    assert list(metrics.counts().items()) == [("a", 3), ("b", 3)]
