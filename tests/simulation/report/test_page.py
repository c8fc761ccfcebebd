"""The page of a study: small, complete, alone; looked at in a real Chromium."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect, sync_playwright

from docaxis_sim.report.page import render, write
from docaxis_sim.report.tables import interval
from tests.simulation.report.studies import study

BYTES_MAX = 1_500_000
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)


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
    assert interval(found["latency.arrived.p99_s"], "time") == "12.5 s ± 0.2"
    assert interval(found["carried_per_s"], "number") == "69.4 ±?"


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
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine: tools/chromium --install brings it")
    path = write(tmp_path_factory.mktemp("report"), study(name="<script>alert('no')</script>"))
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page()
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(path.as_uri())
        yield page, asked, complaints, path
        browser.close()


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
