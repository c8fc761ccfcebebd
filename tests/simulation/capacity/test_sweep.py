"""A grid is what was meant, and its points meet the same documents."""

import pytest

from docaxis_sim.capacity import sweep
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.capacity.runner import Runner
from tests.simulation.capacity.measured import SMALL


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("load=1,2, 4", ("1", "2", "4")),
        ("load=1..4:1", ("1", "2", "3", "4")),
        ("load=0.1..0.5:0.2", ("0.1", "0.3", "0.5")),
        ("nodes.commune.uplink=1 Mbit/s..8 Mbit/s:x2", ("1 Mbit/s", "2 Mbit/s", "4 Mbit/s", "8 Mbit/s")),
        ("nodes.commune.uplink=1..3:1 Mbit/s", ("1 Mbit/s", "2 Mbit/s", "3 Mbit/s")),
        ("topology.routing=direct,hub", ("direct", "hub")),
    ],
)
def test_values_are_listed_or_counted(text: str, values: tuple[str, ...]) -> None:
    """With units, by steps or by factors, without the errors of binary fractions."""
    assert sweep.axis(text).values == values


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("load", "write FIELD"),
        ("=1,2", "write FIELD"),
        ("load=", "write FIELD"),
        ("load=1,,2", "missing between two commas"),
        ("load=4..1:1", "upwards"),
        ("load=1..4:0", "upwards"),
        ("load=1..4:x1", "upwards"),
        ("load=0..4:x2", "upwards"),
        ("load=1 s..4 min:1 s", "one unit"),
        ("load=0..1:0.00001", "more than 10,000 values"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(text: str, why: str) -> None:
    """Nothing endless, nothing empty, nothing that runs the wrong way."""
    with pytest.raises(sweep.BadRange, match=why):
        sweep.axis(text)


def test_the_grid_has_every_combination() -> None:
    """The last field runs fastest; a field may be varied once."""
    axes = [sweep.axis("a=1,2"), sweep.axis("b=x,y")]
    assert sweep.points(axes) == [("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")]
    with pytest.raises(sweep.BadRange, match="twice"):
        sweep.points([axes[0], axes[0]])
    with pytest.raises(sweep.BadRange, match="points"):
        sweep.points([sweep.axis("a=1..1000:1"), sweep.axis("b=1..1000:1")])


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (("500 kbit/s", "1 Mbit/s"), [5e5, 1e6]),
        (("1 s", "2 min"), [1e9, 120e9]),
        (("64 kB", "1 MB"), [64e3, 1e6]),
        (("10 %", "50 %"), [0.1, 0.5]),
        (("1", "0.5", "4"), [1, 0.5, 4]),
        (("direct", "hub"), None),
        (("1", "1 Mbit/s"), None),
    ],
)
def test_values_have_places_along_an_axis_where_they_are_of_one_kind(
    values: tuple[str, ...], numbers: list[float] | None
) -> None:
    """Quantities by their size, whatever their units; words have none."""
    assert sweep.amounts(values) == numbers


def test_every_point_is_checked_before_anything_runs() -> None:
    """A wrong unit at the last point is found at once."""
    with pytest.raises(BadScenario, match="Mbit"):
        sweep.scenarios(SMALL, [sweep.axis("nodes.province.uplink=1 Mbit/s,2 Mbyte/s")], {})


def test_points_differ_by_the_field_and_not_by_luck() -> None:
    """The same documents at every point, so that a thinner line is slower in every replication."""
    axes = [sweep.axis("nodes.province.uplink=100 kbit/s,10 Mbit/s")]
    grid = sweep.scenarios(SMALL, axes, {})
    with Runner() as runner:
        thin, wide = sweep.run(axes, grid, runner)
    assert thin.values == ("100 kbit/s",)
    for slow, fast in zip(thin.replications, wide.replications, strict=True):
        assert slow.births == fast.births
        assert slow.measures.metrics["latency.arrived.p99_s"] > fast.measures.metrics["latency.arrived.p99_s"]
    assert thin.verdicts[0].expectation.metric == "latency.arrived.p99_s"


def test_a_sweep_may_ask_for_precision_at_every_point() -> None:
    """Then every point has as many replications as it needs."""
    axes = [sweep.axis("load=1,6")]
    wanted = {
        "experiment.precise_metric": "deliveries",
        "experiment.precision": "6 %",
        "experiment.replications_max": 12,
    }
    with Runner() as runner:
        found = sweep.run(axes, sweep.scenarios(SMALL, axes, wanted), runner)
    few, many = sorted(len(each.replications) for each in found)
    assert 2 <= few < many <= 12
