"""Charts are well-formed, stay in their frame, and take words for words."""

from xml.etree import ElementTree

import pytest

from docaxis_sim.report import charts, country, plots
from docaxis_sim.report.scales import Axis


def wrapped(markup: str) -> ElementTree.Element:
    """Markup of several elements, parsed strictly."""
    return ElementTree.fromstring(f"<page>{markup}</page>")


def test_a_chart_has_a_curve_and_a_name_for_every_line() -> None:
    """With a band where an interval is known."""
    lines = [charts.Line("p50", [0, 1, 2], [1, 2, 3], [0.5, 1, 2], [2, 3, 4]), charts.Line("p99", [0, 1], [5, 6])]
    found = wrapped(charts.chart(lines, Axis("time", "clock"), Axis("latency", "time")))
    assert len(found.findall(".//path[@class='band c0']")) == 1
    assert [span.text or span[0].tail for span in found.findall(".//span")] == ["p50", "p99"]


@pytest.mark.parametrize("log", [False, True])
def test_a_chart_of_nothing_is_an_empty_frame(log: bool) -> None:
    """A run in which nothing arrived has a report, too."""
    wrapped(charts.chart([charts.Line("", [], [])], Axis("s", "time", log=log), Axis("share", "share")))


def test_names_from_a_scenario_cannot_leave_their_place() -> None:
    """Whoever opens a report runs no script that a scenario brought."""
    bad = "</title><script>alert(1)</script>"
    found = wrapped(
        charts.chart([charts.Line(bad, [0, 1], [1, 2])], Axis(bad), Axis(bad), [charts.Span(bad, 0, 1)], bad)
    )
    assert not found.findall(".//script")


def test_a_long_curve_keeps_its_peaks() -> None:
    """Thinning must not hide the worst moment."""
    y = [1.0] * 10_000
    y[7_777] = 99.0
    kept = charts.thin(list(range(10_000)), y)
    assert len(kept) <= charts.POINTS_MAX
    assert (7_777, 99.0) in kept


def test_twelve_thousand_nodes_are_a_small_map() -> None:
    """One path per tier and colour; an element of its own for agencies only."""
    places = [country.Place(f"c{n}", "commune", 8.5 + n % 150 / 10, 102 + n % 70 / 10) for n in range(12_000)]
    places.append(country.Place("Hà Nội", "province", 21.0, 105.8, "Hà Nội: 40 %"))
    layers = [country.Layer("load", [n % charts.SHADES for n in range(12_001)], ["none"] * charts.SHADES)]
    found = country.country(places, layers, failed=[5], worst=[12_000])
    assert len(found) < 200_000
    assert len(wrapped(found).findall(".//circle")) == 2


def test_a_band_keeps_the_highest_and_the_lowest_of_what_is_thinned() -> None:
    """The worst of all replications is what the band is for."""
    x, low, high = list(range(1_000)), [5.0] * 1_000, [6.0] * 1_000
    low[333], high[777] = 1.0, 9.0
    assert (333, 1.0) in charts.thin(x, low, lowest=True)
    assert (777, 9.0) in charts.thin(x, high)


def test_a_distribution_has_its_band_along_the_other_axis() -> None:
    """Of each share the time is uncertain, not of each time the share; a time below 0 stays in the frame."""
    line = charts.Line("all", [1.0, 10.0], [0.5, 1.0], left=[-3.0, 9.0], right=[2.0, 11.0])
    found = wrapped(charts.chart([line], Axis("after", "time", log=True), Axis("", "share", low=0, high=1)))
    band = found.find(".//path[@class='band c0']")
    assert band is not None
    assert band.get("d", "").count("L") == 3


def test_a_figure_that_is_never_stands_at_the_upper_edge_with_its_words() -> None:
    """It is not left out, and has no whisker."""
    points = [plots.Point(1, 2.0, 1.0, 3.0, "two"), plots.Point(2, float("inf"), float("-inf"), float("inf"), "never")]
    across = plots.Across("load", [plots.Tick(1, "1"), plots.Tick(2, "2")])
    found = wrapped(plots.points([plots.Curve("p99", points)], across, Axis("", "time"), [plots.Tick(2.5, "goal")]))
    assert len(found.findall(".//circle")) == 1
    assert [each.text for each in found.findall(".//title")] == ["two", "never"]
    assert len(found.findall(".//path[@class='whisker c0']")) == 1


def test_half_and_double_are_equally_far_from_the_same() -> None:
    """Multiples are compared by eye."""
    rows = [plots.Ratio(str(mean), mean, mean, mean, "", True) for mean in (0.5, 1.0, 2.0)]
    rows.append(plots.heading("a figure", "12 s"))
    found = wrapped(plots.forest(rows))
    half, same, double = (float(each.get("cx", "")) for each in found.findall(".//circle"))
    assert same - half == pytest.approx(double - same, abs=0.2)
    assert [plots.times(each) for each in (0.5, 0.8, 1.0, 1.5, 10.0)] == ["÷ 2", "−20 %", "the same", "+50 %", "× 10"]


def test_no_name_of_a_moment_leaves_the_frame() -> None:
    """The last of eight days is read to its end."""
    days = [86_400.0 * day for day in range(9)]
    found = wrapped(charts.chart([charts.Line("", days, days)], Axis("", "clock"), Axis("", "time")))
    ends = [
        (float(each.get("x", "")), len(each.text or "")) for each in found.findall(".//text") if "day" in str(each.text)
    ]
    assert len(ends) >= 3
    assert all(x + charts.LETTER * letters / 2 <= charts.WIDTH for x, letters in ends)


def test_depths_count_the_steps_that_are_reached() -> None:
    """And what is not known has no colour."""
    assert country.depths([0.0, 0.1, 0.5, float("nan")], [0.1, 0.3]) == [0, 1, 2, 0]
    assert country.depths([float("inf")], [0.1, 0.3]) == [2], "what never arrives is the worst there is"
