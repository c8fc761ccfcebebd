"""Means over replications: of rows that belong together, and of lists of the worst, ranked anew."""

import numpy as np
import pytest

from docaxis_sim.capacity import combine
from docaxis_sim.capacity.plan import HOUR_NS
from docaxis_sim.capacity.statistics import estimate
from docaxis_sim.capacity.study import Series, Table


def _table(**columns: object) -> Table:
    return Table({n: c if isinstance(c, tuple) else np.array(c) for n, c in columns.items()}, "")


def test_rows_with_the_same_texts_are_averaged() -> None:
    """Whole numbers stay whole where they can."""
    one, other = (
        _table(tier=("a", "b"), count=[3, 4], busy=[0.1, 0.2]),
        _table(tier=("a", "b"), count=[3, 4], busy=[0.3, 0.2]),
    )
    found = combine.tables([{"stations": one}, {"stations": other}], 0.95)["stations"].columns
    assert np.allclose(np.asarray(found["busy"]), [0.2, 0.2])
    assert np.asarray(found["count"]).tolist() == [3, 4]
    assert np.asarray(found["count"]).dtype.kind == "i"


def test_a_reason_that_one_replication_does_not_have_counts_as_nothing_there() -> None:
    """Six documents expired in one of two replications: three on average."""
    one, other = _table(traffic=("t",), deliveries=[6]), _table(traffic=(), deliveries=np.zeros(0, np.int64))
    found = combine.tables([{"losses": one}, {"losses": other}], 0.95)["losses"].columns
    assert np.asarray(found["deliveries"]).tolist() == [3]


def test_a_group_that_one_replication_does_not_have_is_the_mean_of_the_others() -> None:
    """An urgency that nobody used in one replication has no latency there, not a latency of 0."""
    one, other = _table(name=("all", "express"), p50_s=[2.0, 8.0]), _table(name=("all",), p50_s=[4.0])
    found = combine.tables([{"latency": one}, {"latency": other}], 0.95)["latency"].columns
    assert found["name"] == ("all", "express")
    assert np.asarray(found["p50_s"]).tolist() == [3.0, 8.0]


def test_what_is_unknown_everywhere_stays_unknown_without_a_warning() -> None:
    """A node that got nothing has no mean latency."""
    one = _table(id=("x", "y"), arrived_mean_s=[np.nan, 1.0])
    found = np.asarray(combine.tables([{"nodes": one}, {"nodes": one}], 0.95)["nodes"].columns["arrived_mean_s"])
    assert np.isnan(found[0])
    assert found[1] == 1


def test_the_worst_of_all_replications_are_ranked_anew() -> None:
    """Second in both is worse than first in one."""
    common = {"station": ("up", "up"), "busy": [0.5, 0.4], "visits": [3, 3], "wait_s": [1.0, 0.002]}
    one = _table(node=("a", "b"), waiting_s=[10.0, 9.0], **common)
    other = _table(node=("c", "b"), waiting_s=[10.0, 9.0], **common)
    found = combine.tables([{"bottlenecks": one}, {"bottlenecks": other}], 0.95)["bottlenecks"].columns
    assert found["node"] == ("b", "a", "c")
    assert np.asarray(found["waiting_s"]).tolist() == [9, 5, 5]
    assert np.asarray(found["wait_s"])[0] == 0.002


def test_every_mean_has_the_half_width_of_its_interval() -> None:
    """As the figures have theirs; a column that was the same everywhere has none, one value alone has no end."""
    same = [_table(id=("x", "y"), lat=[21.0, 10.0], busy=[value, np.nan]) for value in (0.2, 0.4, 0.9)]
    same[0].columns["busy"] = np.array([0.2, 0.7])
    found = combine.tables([{"nodes": each} for each in same], 0.9)["nodes"]
    assert set(found.half_widths) == {"busy"}
    expected = estimate([0.2, 0.4, 0.9], 0.9)
    assert found.half_widths["busy"][0] == pytest.approx(expected.half_width)
    assert found.half_widths["busy"][1] == np.inf
    assert found.intervals("busy")[0] == pytest.approx(expected)
    assert [each.half_width for each in found.intervals("lat")] == [0, 0]
    alone = combine.tables([{"nodes": same[1]}], 0.9)["nodes"]
    assert alone.replications == 1
    assert alone.intervals("lat")[0].half_width == np.inf


def test_what_is_infinite_in_one_replication_has_no_interval_and_no_warning() -> None:
    """A mean time that includes never is never."""
    same = [_table(id=("x",), wait_s=[value]) for value in (1.0, np.inf, 2.0)]
    found = combine.tables([{"nodes": each} for each in same], 0.95)["nodes"].intervals("wait_s")
    assert (found[0].mean, found[0].half_width) == (np.inf, np.inf)


def test_the_worst_keep_their_half_widths_in_their_order() -> None:
    """Ranked anew, with the rows' own uncertainty; of one replication nobody knows."""
    tables = [_table(node=("a", "b"), waiting_s=[value, 5.0], visits=[3, 3]) for value in (1.0, 2.0)]
    found = combine.tables([{"bottlenecks": each} for each in tables], 0.95)["bottlenecks"]
    assert found.columns["node"] == ("b", "a")
    assert [each.half_width > 0 for each in found.intervals("waiting_s")] == [False, True]
    alone = combine.tables([{"bottlenecks": tables[0]}], 0.95)["bottlenecks"]
    assert [each.half_width for each in alone.intervals("waiting_s")] == [np.inf, np.inf]


def test_a_curve_keeps_all_its_places_where_a_replication_lacks_another_curve() -> None:
    """Rows of a curve have one name: the first belongs to the first, the last to the last."""
    one = _table(name=("all", "all", "express", "express"), latency_s=[1.0, 2.0, 8.0, 9.0], share=[0.5, 1.0, 0.5, 1.0])
    other = _table(name=("all", "all"), latency_s=[3.0, 4.0], share=[0.5, 1.0])
    found = combine.tables([{"ecdf": one}, {"ecdf": other}], 0.95)["ecdf"].columns
    assert found["name"] == ("all", "all", "express", "express")
    assert np.asarray(found["latency_s"]).tolist() == [2.0, 3.0, 8.0, 9.0]


def test_series_are_averaged_from_the_hour_of_the_first_submission() -> None:
    """A replication that ended earlier had nothing under way afterwards."""
    step = HOUR_NS // 2
    one = Series(("offered",), np.array([[0.0, 0, 0, 4, 2]]), step, "1/s", "")
    other = Series(("offered",), np.array([[0.0, 0, 0, 2]]), step, "1/s", "")
    found = combine.series([{"rates": one}, {"rates": other}])["rates"]
    assert found.values.tolist() == [[0, 3, 1]]
    assert found.low is not None
    assert found.high is not None
    assert (found.low.tolist(), found.high.tolist(), found.replications) == ([[0, 2, 0]], [[0, 4, 2]], 2)
    assert found.start_ns == HOUR_NS


def test_series_of_other_widths_are_not_mixed() -> None:
    """The first replication alone is shown."""
    one = Series(("offered",), np.array([[1.0]]), HOUR_NS, "1/s", "")
    assert combine.series([{"rates": one}, {"rates": one._replace(step_ns=HOUR_NS // 2)}])["rates"] == one
