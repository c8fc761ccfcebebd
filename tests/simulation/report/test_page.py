"""The page of a study: small, complete, alone; looked at in a real Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from docaxis_sim.capacity.model import Expectation
from docaxis_sim.capacity.statistics import Interval
from docaxis_sim.capacity.study import Difference, Variation, Verdict
from docaxis_sim.report.page import render, write
from docaxis_sim.report.tables import interval
from tests.simulation.report import browser
from tests.simulation.report.studies import study

BYTES_MAX = 1_500_000


def test_the_report_of_the_whole_country_is_one_small_file(tmp_path: Path) -> None:
    """12,000 nodes and 63 series in at most 1.5 MB, so that it can be sent by mail."""
    path = write(tmp_path, study())
    assert [each.name for each in tmp_path.iterdir()] == ["index.html"]
    assert path.stat().st_size <= BYTES_MAX


def test_the_page_names_no_address() -> None:
    """Nothing to load from anywhere, and a policy that would forbid it."""
    text = render(study(nodes=50))
    assert "http:" not in text
    assert "https:" not in text
    assert "default-src 'none'" in text


def test_no_figure_stands_without_its_interval() -> None:
    """Where one replication cannot tell, the page says that it cannot."""
    found = study(nodes=50).estimates
    assert interval(found["latency.arrived.p99_s"], "time") == "12.5 s ± 0.3"
    assert interval(found["carried_per_s"], "number") == "69.4 ±?"


def test_tables_of_several_replications_show_half_widths_and_others_say_what_they_are() -> None:
    """Latencies, stations, bottlenecks, nodes; bars are sorted by their numbers."""
    made = study(nodes=50)
    bottlenecks = made.tables["bottlenecks"]
    alone = render(made)
    assert "Of one replication alone" in alone
    assert 'data-v="0.99"' in alone
    several = bottlenecks._replace(half_widths={"wait_s": np.full(10, 0.5)}, replications=5, confidence=0.999)
    text = render(made._replace(tables={**made.tables, "bottlenecks": several}))
    assert "1.000 min ± 0.009" in text
    assert "Means of 5 replications; ± is half of a 99.9 % interval." in text
    assert "12.5 s ± 0.3" in text[text.index("latency-table") :][:4000]


def test_series_of_several_replications_have_a_band() -> None:
    """From the least to the most; of one there is none, and the page says so."""
    made = study(nodes=50)
    assert 'class="band' not in render(made)
    rates = made.series["rates"]
    wide = rates._replace(low=rates.values * 0.9, high=rates.values * 1.1, replications=5)
    text = render(made._replace(series={**made.series, "rates": wide}))
    assert 'class="band c1"' in text
    assert "means of 5 replications; bands: from the least to the most" in text


def test_an_undecided_goal_is_not_called_broken() -> None:
    """Where the goal lies inside the interval more replications may tell; as the terminal says."""
    goal = Verdict(Expectation("latency.arrived.p99_s", "<=", 12.6), Interval(12.5, 0.25, 5, 0.95), False)
    text = render(study(nodes=50)._replace(verdicts=(goal,)))
    assert "? undecided" in text
    assert "✗ not held" not in text
    assert "latency.arrived.p99_s ≤ 12.6 s" in text


def test_a_country_in_which_nobody_waits_has_no_empty_list() -> None:
    """It says that there is none."""
    made = study(nodes=50)
    found = made.tables["bottlenecks"]
    empty = found._replace(columns={name: column[:0] for name, column in found.columns.items()})
    text = render(made._replace(tables={**made.tables, "bottlenecks": empty}))
    assert text.count("Nowhere do visits wait 10 ms on average.") == 2


def test_what_an_answer_hangs_on_is_drawn_where_it_moves_and_named_where_not() -> None:
    """Each figure as a multiple of itself."""
    two, four, none = (Interval(value, value / 20, 5, 0.95) for value in (2.0, 4.0, 0.0))
    moved = Difference("latency.arrived.p99_s", two, four, two, sure=True)
    still = Difference("lost", none, none, none, sure=False)
    text = render(study(nodes=50)._replace(variations=(Variation("service_times", 2.0, (moved, still)),)))
    assert "service times × 2" in text
    assert "Nothing of this moved: lost." in text


def test_everything_that_repeats_the_run_is_on_the_page() -> None:
    """Command, seed, scenario and its hash, arrivals, calibration."""
    text = render(study(nodes=50))
    for words in ("docaxis simulate run day.toml", "seed 1", "cd" * 32, "ab" * 8, "two cores"):
        assert words in text


def test_a_study_of_nothing_is_still_a_page() -> None:
    """A run that failed early has figures to show, and no table."""
    text = render(study(nodes=50)._replace(tables={}, series={}, verdicts=(), executors=None, estimates={}))
    assert "<h2>Repeat it</h2>" in text


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page in a real browser, with everything that it asked for or complained about."""
    path = write(tmp_path_factory.mktemp("report"), study(name="<script>alert('no')</script>"))
    with browser.opened(path) as found:
        yield *found, path


def test_the_browser_asks_for_nothing_but_the_page(opened: Any) -> None:
    """An office machine tells nobody that somebody reads a report; and nothing on the page is refused or fails."""
    _, asked, complaints, path = opened
    assert asked == [path.as_uri()]
    assert complaints == []


def test_words_of_a_scenario_stay_words(opened: Any) -> None:
    """The study's name is a script; the heading shows it."""
    page, *_ = opened
    assert page.inner_text("h1") == "<script>alert('no')</script>"


def test_a_heading_sorts_its_table_and_a_word_filters_it(opened: Any) -> None:
    """The reader's own question."""
    page, *_ = opened
    page.click("summary:has-text('busiest nodes')")
    page.click("#nodes-table th:has-text('wait') button")
    waits = page.eval_on_selector_all(
        "#nodes-table tbody tr", "rows => rows.map(row => Number([...row.cells].at(-1).dataset.v))"
    )
    assert waits == sorted(waits, reverse=True)
    name = page.inner_text("#nodes-table tbody tr:first-child td:first-child")
    page.fill("input[data-table=nodes-table]", name)
    shown = page.eval_on_selector_all("#nodes-table tbody tr", "rows => rows.filter(row => !row.hidden).length")
    assert 1 <= shown < 100


def test_the_map_shows_the_chosen_figure_and_zooms(opened: Any) -> None:
    """One layer at a time, its key beside it."""
    page, *_ = opened
    page.select_option("#layer", "3")
    shown = page.eval_on_selector_all("svg g.layer", "all => all.map(g => getComputedStyle(g).display !== 'none')")
    assert [number for number, visible in enumerate(shown) if visible] == [3]
    before = page.get_attribute("svg#map", "viewBox")
    page.hover("svg#map")
    page.mouse.wheel(0, -300)
    expect(page.locator("svg#map")).not_to_have_attribute("viewBox", before)
