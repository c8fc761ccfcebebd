"""The pages of a sweep, a comparison and a capacity question: complete, alone, looked at in a real Chromium."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from docaxis_sim.capacity import compare, kinds, search, sweep
from docaxis_sim.capacity.experiment import provenance
from docaxis_sim.capacity.runner import Runner
from docaxis_sim.capacity.scenario import load
from docaxis_sim.report import comparison, html
from docaxis_sim.report import search as search_page
from docaxis_sim.report import sweep as sweep_page
from tests.simulation.capacity.measured import SMALL
from tests.simulation.report import browser

FIGURES = ("latency.arrived.p50_s", "latency.arrived.p99_s", "carried_share", "utilisation.up.max", "expired")
FEW: dict[str, object] = {"experiment.replications": 3, "experiment.replications_max": 3}


@cache
def swept() -> str:
    """Two fields varied, one of them by words."""
    axes = [sweep.axis("load=1..4:x2"), sweep.axis("topology.routing=direct,hub")]
    with Runner() as runner:
        found = sweep.run(axes, sweep.scenarios(SMALL, axes, FEW), runner)
    return sweep_page.render(axes, found, FIGURES, provenance(found[0].scenario, "docaxis simulate sweep small.toml"))


@cache
def compared() -> str:
    """Lines on which nothing arrives, beside lines on which everything does; the name is a script."""
    a = load(SMALL, FEW | {"name": "<script>alert('no')</script>"})
    b = load(SMALL, FEW | {"nodes.province.uplink": "10 bit/s", "until_done": False})
    with Runner() as runner:
        found = compare.run(a, b, runner, slim=False)
    return comparison.render(found, FIGURES, provenance(a, "docaxis simulate compare small.toml"))


@cache
def searched() -> str:
    """A line for a goal."""
    goal = kinds.goal("latency.arrived.p99_s <= 2 s")
    between = search.scale("100 kbit/s", "100 Mbit/s")
    question = search.Search(SMALL, "nodes.province.uplink", between, goal, FEW, precision=0.5)
    answer = question.run()
    made = provenance(question.scenario, "docaxis simulate capacity small.toml")
    return search_page.render(answer, question.scenario, between, question.total, made)


PAGES: dict[str, Callable[[], str]] = {"sweep": swept, "compare": compared, "capacity": searched}


@pytest.mark.parametrize("name", PAGES)
def test_the_browser_asks_for_nothing_but_the_page(name: str, tmp_path: Path) -> None:
    """As the page of a run: nothing is loaded, refused or broken, and words of a scenario stay words."""
    path = html.save(tmp_path, PAGES[name]())
    with browser.opened(path) as found:
        assert found.asked == [path.as_uri()]
        assert found.complaints == []
        assert found.page.locator("svg").count() >= 1
        assert found.page.locator("svg circle").count() >= 3
        wide = found.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0  # nobody scrolls sideways to read a figure


@pytest.mark.parametrize("name", PAGES)
def test_everything_that_repeats_an_answer_is_on_its_page(name: str) -> None:
    """The command, the seed, digests, versions, the inputs as they were read, and where service times come from."""
    text = PAGES[name]()
    for words in (f"docaxis simulate {name} small.toml", "seed 7", "SHA-256", "numpy", "documents_per_day",
                  "default-src 'none'"):  # fmt: skip
        assert words in text
    assert "http:" not in text
    assert "https:" not in text


def test_a_sweep_has_a_chart_for_each_figure_and_every_point_with_its_interval() -> None:
    """A curve for each word of the other field; the goal as a line."""
    text = swept()
    assert text.count('class="plot"') == len(FIGURES)
    assert "goal ≤ 1 min" in text
    assert text.count('class="whisker') >= 6
    assert "load = 4, topology.routing = hub: " in text
    table = text[text.index('id="points-table"') :]
    table = table[: table.index("</table>")]
    assert table.count("<tr>") == 7
    assert table.count(" ± ") >= 6


def test_a_comparison_says_what_was_put_in_and_what_differs_and_how_surely() -> None:
    """What never arrives has no multiple, and is said in words."""
    text = compared()
    assert "nodes.province.uplink" in text[text.index("inputs-table") :][:3000]
    assert "10 bit/s" in text
    assert "becomes never" in text
    assert "forest" in text
    assert "→ never" in text
    assert "Documents under way" in text


def test_a_capacity_page_answers_in_a_sentence_and_shows_what_was_tried() -> None:
    """The goal as a line, what meets it, what does not, and how sure that is."""
    text = searched()
    assert "is the smallest value found that meets latency.arrived.p99_s" in text
    assert "Which nodes.province.uplink is enough for latency.arrived.p99_s ≤ 2 s?" in text
    assert "not of there being no better value" in text
    assert "mark good" in text
    assert "mark bad" in text
    assert "trials-table" in text
