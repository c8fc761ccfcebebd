"""The simulator's pages say what it does: each law of time, each part of a report, each file beside it."""

import re
from pathlib import Path

import pytest

from docaxis.core.limits import CONTENT_BYTES_MAX, MIB
from docaxis_sim.capacity.costs import Costs
from docaxis_sim.report.page import render
from tests.simulation.report.studies import study

DOCS = Path(__file__).resolve().parents[3] / "simulation" / "docs"


def page(name: str) -> str:
    """One of them."""
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [each for each in Costs._field_defaults if each != "serve_ns_per_kib"])
def test_the_model_s_page_names_every_cost_that_a_calibration_may_leave_out(name: str) -> None:
    """Whoever reads an answer must be able to find out what it charges: waking, stalls, connections, serving."""
    assert f"`{name}`" in page("model.md")


def test_the_model_s_page_says_what_a_node_would_refuse() -> None:
    """The node's limit of content is the first thing that the model leaves out."""
    left_out = page("model.md").partition("## What is left out")[2]
    assert f"refuses content above {CONTENT_BYTES_MAX // MIB} MiB" in left_out


def test_every_section_of_a_report_is_explained() -> None:
    """In the words that stand over it."""
    headings = re.findall(r"<h2>(.*?)</h2>", render(study(nodes=50)))
    assert len(headings) > 5
    assert [each for each in headings if each.lower() not in page("reading-a-report.md").lower()] == []
