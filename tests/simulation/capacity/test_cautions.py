"""Cautions: a planner is told what the node as it is would not do."""

import pytest

from docaxis.core.limits import CONTENT_BYTES_MAX
from docaxis_sim.capacity import experiment, sizes
from docaxis_sim.capacity.cautions import notes, too_large
from docaxis_sim.capacity.chance import generator
from docaxis_sim.capacity.model import Size
from docaxis_sim.capacity.scenario import load

DRAWN = 200_000


@pytest.mark.parametrize(
    "law",
    [
        Size("lognormal", 640_000, 1.4, 200_000_000),
        Size("lognormal", 20_000_000, 0.0, 200_000_000),
        Size("lognormal", 20_000_000, 0.5, 200_000_000),
        Size("pareto", 640_000, 1.1, 10_000_000_000),
        Size("fixed", CONTENT_BYTES_MAX, 1.4, 200_000_000),
        Size("fixed", CONTENT_BYTES_MAX + 1, 1.4, 200_000_000),
        Size("table", table_bytes=(1_000, 20_000_000, 30_000_000, CONTENT_BYTES_MAX)),
        Size("lognormal", 640_000, 1.4, CONTENT_BYTES_MAX),
    ],
    ids=str,
)
def test_the_share_of_too_large_documents_is_that_of_what_is_drawn(law: Size) -> None:
    """The law's formula against the generator's draws, within five standard deviations."""
    drawn = sizes.contents(generator(7, 1, "sizes"), law, DRAWN)
    share = too_large(law)
    seen = float((drawn > CONTENT_BYTES_MAX).mean())
    assert seen == pytest.approx(share, abs=5 * (share * (1 - share) / DRAWN) ** 0.5 + 1e-12)


def test_what_a_node_would_refuse_is_said_by_name() -> None:
    """A planner who believes an answer about 2 GB must know that no node takes them."""
    (told,) = notes(load("ministry-annexes"))
    assert "no document above 16 MiB" in told
    assert "100.0 % of annexes, 1.0 % of axis" in told


def test_nothing_is_said_where_every_document_is_taken() -> None:
    """A note that always stands there is read by nobody."""
    names = [each.name for each in load("normal-working-day").traffic]
    assert notes(load("normal-working-day"))
    assert notes(load("normal-working-day", {f"traffic.{name}.size.max": "16 MiB" for name in names})) == ()


def test_a_study_tells_its_cautions() -> None:
    """Beside the figures, not in a page that somebody may read."""
    scenario = load("ministry-annexes")
    assert set(notes(scenario)) <= set(experiment.notes(scenario, ()))
