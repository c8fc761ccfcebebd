"""Means over replications: of rows that belong together, and of lists of the worst, ranked anew."""

import numpy as np

from docaxis_sim.capacity import combine
from docaxis_sim.capacity.plan import HOUR_NS
from docaxis_sim.capacity.study import Series, Table


def _table(**columns: object) -> Table:
    return Table({n: c if isinstance(c, tuple) else np.array(c) for n, c in columns.items()}, "")


def test_rows_with_the_same_texts_are_averaged() -> None:
    """Whole numbers stay whole where they can."""
    one, other = (
        _table(tier=("a", "b"), count=[3, 4], busy=[0.1, 0.2]),
        _table(tier=("a", "b"), count=[3, 4], busy=[0.3, 0.2]),
    )
    found = combine.tables([{"stations": one}, {"stations": other}])["stations"].columns
    assert np.allclose(np.asarray(found["busy"]), [0.2, 0.2])
    assert np.asarray(found["count"]).tolist() == [3, 4]
    assert np.asarray(found["count"]).dtype.kind == "i"


def test_a_reason_that_one_replication_does_not_have_counts_as_nothing_there() -> None:
    """Six documents expired in one of two replications: three on average."""
    one, other = _table(traffic=("t",), deliveries=[6]), _table(traffic=(), deliveries=np.zeros(0, np.int64))
    found = combine.tables([{"losses": one}, {"losses": other}])["losses"].columns
    assert np.asarray(found["deliveries"]).tolist() == [3]


def test_a_group_that_one_replication_does_not_have_is_the_mean_of_the_others() -> None:
    """An urgency that nobody used in one replication has no latency there, not a latency of 0."""
    one, other = _table(name=("all", "express"), p50_s=[2.0, 8.0]), _table(name=("all",), p50_s=[4.0])
    found = combine.tables([{"latency": one}, {"latency": other}])["latency"].columns
    assert found["name"] == ("all", "express")
    assert np.asarray(found["p50_s"]).tolist() == [3.0, 8.0]


def test_what_is_unknown_everywhere_stays_unknown_without_a_warning() -> None:
    """A node that got nothing has no mean latency."""
    one = _table(id=("x", "y"), arrived_mean_s=[np.nan, 1.0])
    found = np.asarray(combine.tables([{"nodes": one}, {"nodes": one}])["nodes"].columns["arrived_mean_s"])
    assert np.isnan(found[0])
    assert found[1] == 1


def test_the_worst_of_all_replications_are_ranked_anew() -> None:
    """Second in both is worse than first in one."""
    common = {"station": ("up", "up"), "busy": [0.5, 0.4], "visits": [3, 3], "wait_s": [1.0, 0.002]}
    one = _table(node=("a", "b"), waiting_s=[10.0, 9.0], **common)
    other = _table(node=("c", "b"), waiting_s=[10.0, 9.0], **common)
    found = combine.tables([{"bottlenecks": one}, {"bottlenecks": other}])["bottlenecks"].columns
    assert found["node"] == ("b", "a", "c")
    assert np.asarray(found["waiting_s"]).tolist() == [9, 5, 5]
    assert np.asarray(found["wait_s"])[0] == 0.002


def test_series_are_averaged_from_the_hour_of_the_first_submission() -> None:
    """A replication that ended earlier had nothing under way afterwards."""
    step = HOUR_NS // 2
    one = Series(("offered",), np.array([[0.0, 0, 0, 4, 2]]), step, "1/s", "")
    other = Series(("offered",), np.array([[0.0, 0, 0, 2]]), step, "1/s", "")
    found = combine.series([{"rates": one}, {"rates": other}])["rates"]
    assert found.values.tolist() == [[0, 3, 1]]
    assert found.start_ns == HOUR_NS


def test_series_of_other_widths_are_not_mixed() -> None:
    """The first replication alone is shown."""
    one = Series(("offered",), np.array([[1.0]]), HOUR_NS, "1/s", "")
    assert combine.series([{"rates": one}, {"rates": one._replace(step_ns=HOUR_NS // 2)}])["rates"] == one
