"""Sizes: how large content is, and how many bytes that makes on the links.

Draws sizes by the law a scenario names and adds what the protocol puts around content. Who sends when is decided
elsewhere; what a byte costs is in the calibration.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from docaxis.core import limits
from docaxis_sim.capacity.model import Size
from docaxis_sim.capacity.plan import Bool, Float, Int64

ENVELOPE_BYTES: Final = 1_024
"""A signed envelope with its place in the sender's list and the request around it, before the recipients are named; a
test holds it against the core's encoding."""
RECIPIENT_BYTES: Final = 14
"""Each recipient that the envelope names."""
DIGEST_BYTES: Final = 34
"""Each chunk whose digest the envelope lists."""
CHUNK_OVERHEAD_BYTES: Final = 512
"""Asking for a chunk and the head of the answer: the digest in the envelope, and HTTP on both sides."""


def contents(chance: np.random.Generator, law: Size, count: int) -> Int64:
    """Sizes of `count` documents' content in bytes, each at least 1 and at most `law.max_bytes`."""
    drawn = _LAWS[law.law](chance, law, count)
    return np.clip(np.rint(drawn), 1, max(1, law.max_bytes)).astype(np.int64)


def _fixed(chance: np.random.Generator, law: Size, count: int) -> Float:
    return np.full(count, law.median_bytes, np.float64)


def _lognormal(chance: np.random.Generator, law: Size, count: int) -> Float:
    return law.median_bytes * np.exp(law.sigma * chance.standard_normal(count))


def _pareto(chance: np.random.Generator, law: Size, count: int) -> Float:
    """Pareto's first kind, by inversion; half of the mass lies above the median by definition."""
    smallest = law.median_bytes * 2 ** (-1 / law.sigma)
    return smallest * (1 - chance.random(count)) ** (-1 / law.sigma)


def _table(chance: np.random.Generator, law: Size, count: int) -> Float:
    table = np.array(law.table_bytes, np.float64)
    return table[(chance.random(count) * len(table)).astype(np.int64)]


_LAWS: Final[Mapping[str, Callable[[np.random.Generator, Size, int], Float]]] = MappingProxyType(
    {"fixed": _fixed, "lognormal": _lognormal, "pareto": _pareto, "table": _table}
)
LAWS: Final = tuple(_LAWS)
"""The names a scenario may give."""


def envelope_bytes(recipients: Int64, content: Int64) -> Int64:
    """What an envelope to so many recipients takes on a link, with the digests of its content's chunks."""
    return ENVELOPE_BYTES + RECIPIENT_BYTES * recipients + DIGEST_BYTES * -(-content // limits.CHUNK_BYTES)


def chunked_bytes(content: Int64) -> Int64:
    """What pulling this much content takes on a link."""
    return content + CHUNK_OVERHEAD_BYTES * -(-content // limits.CHUNK_BYTES)


def is_inline(content: Int64) -> Bool:
    """Whether the node puts content of this size into the batch."""
    return content <= limits.INLINE_BYTES_MAX
