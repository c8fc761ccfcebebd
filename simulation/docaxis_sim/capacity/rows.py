"""Rows: what the rooms that draw traffic hand to each other before routes and times are known.

Shapes only: `traffic` fills them, `relay` and `sharing` decide who passes what to whom, `assembly` makes deliveries of
the result.
"""

from typing import NamedTuple

import numpy as np

from docaxis_sim.capacity.model import Traffic
from docaxis_sim.capacity.plan import Bool, Int8, Int32, Int64


class Documents(NamedTuple):
    """The documents of one traffic, in the order of their submission: when (ns), by whom (node), how much content
    (bytes), how urgent (0–4), and to how many."""

    birth_ns: Int64
    sender: Int32
    content: Int64
    priority: Int8
    recipients: Int64


class Rows(NamedTuple):
    """Deliveries to be, document after document.

    `document`: row of `Documents`. `parent`: the row whose arrival starts this one, `delay_ns` later; -1 for what its
    sender submits. `bytes` on links; `form` as `docaxis_sim.capacity.plan.Form`; `first`: pays for the submission.
    """

    document: Int32
    parent: Int32
    delay_ns: Int64
    source: Int32
    target: Int32
    bytes: Int64
    form: Int8
    first: Bool


class Drawn(NamedTuple):
    """One traffic, drawn; `status_delay_ns` ``(statuses, rows)`` as in `docaxis_sim.capacity.plan.Deliveries`."""

    traffic: Traffic
    documents: Documents
    rows: Rows
    status_delay_ns: Int64


def joined(parts: list[Rows]) -> Rows:
    """Parts below each other. Parents are taken as they are: they count from the first row of the first part."""
    return Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
