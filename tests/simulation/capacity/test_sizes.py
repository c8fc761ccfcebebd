"""Sizes: laws of content, and what the protocol adds, held against the protocol's own encoding."""

import numpy as np
import pytest

from docaxis.core import envelope, limits
from docaxis.core.ids import party_id
from docaxis_sim.capacity import sizes
from docaxis_sim.capacity.chance import generator
from docaxis_sim.capacity.mistakes import BadScenario
from docaxis_sim.capacity.model import Size
from docaxis_sim.capacity.scenario import load
from tests.simulation.capacity.measured import SMALL


@pytest.mark.parametrize("law", [Size("lognormal", 640_000, 1.4), Size("pareto", 640_000, 1.2)])
def test_half_of_the_sizes_lie_below_the_median(law: Size) -> None:
    """The one figure that every planner states."""
    found = sizes.contents(generator(1, 0, "size"), law, 100_000)
    assert np.median(found) == pytest.approx(law.median_bytes, rel=0.03)
    assert found.max() <= law.max_bytes


def test_a_fixed_size_is_that_size_and_a_table_gives_its_own() -> None:
    """No chance where none is asked for."""
    assert set(sizes.contents(generator(1, 0, "size"), Size("fixed", 5_000_000), 10).tolist()) == {5_000_000}
    table = Size("table", table_bytes=(100, 200, 700))
    assert set(sizes.contents(generator(1, 0, "size"), table, 1000).tolist()) == {100, 200, 700}


def test_no_content_is_empty_or_larger_than_allowed() -> None:
    """Laws have tails at both ends; documents do not."""
    found = sizes.contents(generator(1, 0, "size"), Size("lognormal", 50, 6.0, 10_000), 20_000)
    assert found.min() == 1
    assert found.max() == 10_000


@pytest.mark.parametrize(("recipients", "content"), [(1, 640_000), (100, 640_000), (2000, 10 * limits.MIB)])
def test_an_envelope_is_counted_as_long_as_the_core_writes_it(recipients: int, content: int) -> None:
    """The estimate covers the encoding with signature and request around it, and wastes less than a KiB."""
    to = tuple(party_id(f"H{number % 63 + 1:02}.{number % 20 + 1:03}.{number:05}") for number in range(recipients))
    chunks = -(-content // limits.CHUNK_BYTES)
    file = envelope.make_file(
        "van-ban.pdf", "application/pdf", content, limits.CHUNK_BYTES, tuple(n.to_bytes(32) for n in range(chunks))
    )
    meta = {
        "number": "1204",
        "notation": "VPCP-KSTT",
        "place": "Hà Nội",
        "date": "2026-11-22",
        "kind_name": "Công văn",
        "subject": "V/v triển khai nhiệm vụ kiểm soát thủ tục hành chính trong quý tới",
        "signer_name": "Nguyễn Văn A",
    }
    normal = envelope.Priority.NORMAL
    written = envelope.encode(
        envelope.Envelope(party_id("G22"), to, "new", None, None, 1, 2, normal, meta, (file,), "none", 1, bytes(16), {})
    )
    counted = int(sizes.envelope_bytes(np.array([recipients]), np.array([content]))[0])
    assert len(written) <= counted <= len(written) + limits.KIB


def test_content_rides_in_the_batch_exactly_as_far_as_the_node_lets_it() -> None:
    """The form of a delivery follows the core's own bound."""
    sizes_ = np.array([1, limits.INLINE_BYTES_MAX, limits.INLINE_BYTES_MAX + 1])
    assert sizes.is_inline(sizes_).tolist() == [True, True, False]


def test_a_pareto_law_without_shape_is_refused_before_anything_is_drawn() -> None:
    """Its half would be at infinity; a planner gets a sentence, not a division by zero."""
    wrong = {"traffic.letters.size.law": "pareto", "traffic.letters.size.sigma": 0.0}
    with pytest.raises(BadScenario, match="a shape above 0"):
        load(SMALL, wrong)
