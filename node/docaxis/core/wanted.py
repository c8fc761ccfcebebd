"""What the machine must know before it can handle some events, and what of it a store found.

Values only: the machine names them, a driver reads them from the store, the machine absorbs them.
"""

from typing import NamedTuple

from docaxis.core.effects import PutRequest
from docaxis.core.ids import DocId, PartyId
from docaxis.core.record import Loaded

RecordKey = tuple[DocId, PartyId]


class Wanted(NamedTuple):
    """What the machine needs before it can handle some events: records by key, answers by idempotency key, and
    which of some object ids are kept already."""

    records: tuple[RecordKey, ...] = ()
    requests: tuple[str, ...] = ()
    objects: tuple[bytes, ...] = ()
    documents: tuple[DocId, ...] = ()


class Found(NamedTuple):
    """What of it exists; what does not exist is absent. `documents` maps a document to all its records."""

    records: dict[RecordKey, Loaded]
    requests: dict[str, PutRequest]
    objects: frozenset[bytes]
    documents: dict[DocId, tuple[Loaded, ...]]
