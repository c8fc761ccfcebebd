"""What the machine must know before it can handle some events, and what of it a store found.

Values only: the machine names them, a driver reads them from the store, the machine absorbs them.
"""

from typing import NamedTuple

from docaxis.core.effects import PutRequest
from docaxis.core.ids import DocId, PartyId
from docaxis.core.record import Loaded
from docaxis.core.statement import Position

RecordKey = tuple[DocId, PartyId]


class Wanted(NamedTuple):
    """What the machine needs before it can handle some events: records by key, answers by idempotency key, which of
    some object ids are kept already, all records of documents, and what is kept at some positions of chains."""

    records: tuple[RecordKey, ...] = ()
    requests: tuple[str, ...] = ()
    objects: tuple[bytes, ...] = ()
    documents: tuple[DocId, ...] = ()
    positions: tuple[Position, ...] = ()


class Found(NamedTuple):
    """What of it exists; what does not exist is absent. `documents` maps a document to all its records, `positions` a
    position to the id of the statement that was kept there first."""

    records: dict[RecordKey, Loaded]
    requests: dict[str, PutRequest]
    objects: frozenset[bytes]
    documents: dict[DocId, tuple[Loaded, ...]]
    positions: dict[Position, bytes]
