"""Inline chunks: which chunks travel with an envelope, the same rule for every engine.

A pure function over what was read; no engine lives here and nothing is kept.
"""

from collections.abc import Mapping

from docaxis.core import envelope
from docaxis.core.limits import FILES_MAX, INLINE_BYTES_MAX


def chunks_to_send(body: bytes, claims: Mapping[bytes, bytes | None]) -> tuple[bytes, ...]:
    """The chunks of the envelope `body` in its own order, or none at all unless every one of them is kept inline and
    all together are at most `INLINE_BYTES_MAX` and `FILES_MAX` of them (more, no peer reads in one item).

    `claims` maps digest to bytes (None: kept as a file) for one document; without claims nothing is decoded.
    """
    if not claims or None in claims.values():
        return ()
    found = [claims.get(digest) for digest in envelope.chunk_digests(envelope.decode(body).files)]
    chunks = tuple(chunk for chunk in found if chunk is not None)
    small = len(chunks) <= FILES_MAX and sum(map(len, chunks)) <= INLINE_BYTES_MAX
    return chunks if small and len(chunks) == len(found) else ()
