"""Sharing: large content cut into parts that recipients pass on to each other, so that the sender sends each part once.

Only who gets which part from whom; nothing is timed here. The sender's envelope goes to every recipient and carries no
content; a document has arrived where all its parts have.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from docaxis.core import limits
from docaxis_sim.capacity import sizes
from docaxis_sim.capacity.plan import Form, Int32, Int64
from docaxis_sim.capacity.rows import Documents, Rows, joined

PART_BYTES: Final = limits.CHUNK_BYTES_MAX

Latency = Callable[[Int32, Int32], Int64]
"""One way between nodes, ns."""


class _Parts(NamedTuple):
    """Every part for every recipient of the shared documents: document after document, part after part.

    `row`: the recipient's announcement; `keeper`: the announcement of the recipient that gets the part from the sender
    (round robin over the recipients in their order); `number`: counts parts over all documents; `bytes` of the part.
    """

    document: Int32
    row: Int64
    keeper: Int64
    number: Int64
    bytes: Int64


def shared(documents: Documents, rows: Rows, latency: Latency) -> Rows:
    """The same announcements with no content, and after them the parts, where that pays: content that would not ride in
    the batch, to more than one recipient.

    A recipient asks for its own parts when the announcement has arrived (one way later they start), and for the others'
    when whoever has them says so (there and back later).
    """
    pays = ~sizes.is_inline(documents.content) & (documents.recipients > 1)
    if not pays.any():
        return rows
    announced = pays[rows.document]
    envelopes = sizes.envelope_bytes(documents.recipients, documents.content)[rows.document]
    announcements = rows._replace(
        bytes=np.where(announced, envelopes, rows.bytes),
        form=np.where(announced, np.int8(Form.INLINE), rows.form),
    )
    return joined([announcements, _passed_on(_parts(documents, rows, np.flatnonzero(pays)), rows, latency)])


def _parts(documents: Documents, rows: Rows, which: Int64) -> _Parts:
    content, recipients = documents.content[which], documents.recipients[which]
    parts = -(-content // PART_BYTES)
    copies = parts * recipients
    of = np.repeat(np.arange(len(which)), copies)
    within = np.arange(len(of)) - (np.cumsum(copies) - copies)[of]
    part, rank = within // recipients[of], within % recipients[of]
    first_row = np.searchsorted(rows.document, which)[of]
    return _Parts(
        document=which[of].astype(np.int32),
        row=first_row + rank,
        keeper=first_row + part % recipients[of],
        number=(np.cumsum(parts) - parts)[of] + part,
        bytes=np.minimum(content[of] - part * PART_BYTES, PART_BYTES),
    )


def _passed_on(parts: _Parts, rows: Rows, latency: Latency) -> Rows:
    """Each part once from the sender to its keeper, and from there to all others."""
    is_gift = parts.row == parts.keeper
    gift = np.empty(int(parts.number[-1]) + 1, np.int64)
    gift[parts.number[is_gift]] = len(rows.document) + np.flatnonzero(is_gift)
    source = np.where(is_gift, rows.source[parts.row], rows.target[parts.keeper])
    target = rows.target[parts.row]
    one_way = latency(source, target)
    return Rows(
        document=parts.document,
        parent=np.where(is_gift, parts.row, gift[parts.number]).astype(np.int32),
        delay_ns=np.where(is_gift, one_way, 2 * one_way),
        source=source,
        target=target,
        bytes=sizes.chunked_bytes(parts.bytes),
        form=np.full(len(target), Form.CHUNK, np.int8),
        first=np.zeros(len(target), np.bool_),
    )
