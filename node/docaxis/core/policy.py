"""Policy: what the operator of a node may choose about its behaviour; bounds that are part of the protocol are limits.

Values only. Defaults come from `docaxis.core.limits`.
"""

from typing import NamedTuple

from docaxis.core import limits


class Policy(NamedTuple):
    """`expires_default_ms`: deadline for delivery where a submission names none; `credit_items`: how many items a peer
    may send at once; `batch_items`: how many items one request carries at most; `flights`: requests in the air."""

    expires_default_ms: int = limits.EXPIRES_DEFAULT_MS
    credit_items: int = limits.CREDIT_ITEMS_MAX
    batch_items: int = limits.BATCH_ITEMS_MAX
    flights: int = limits.FLIGHTS_MAX
