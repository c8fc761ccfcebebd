"""The cache: records the machine has read or made, those not yet durable pinned until they are.

What is here wins over what a store says, because a store answers as of its last commit and the machine is ahead of it.
Bounded; it decides nothing.
"""

from collections import OrderedDict

from docaxis.core import limits
from docaxis.core.effects import PutRequest
from docaxis.core.ids import DocId, PartyId
from docaxis.core.record import Loaded
from docaxis.core.signed import Signed
from docaxis.core.statement import Position
from docaxis.core.wanted import Found, RecordKey, Wanted


class Cache:
    """Records by key; `turn` numbers the event that changed one, and pins it until that event is durable."""

    def __init__(self) -> None:
        self._records: OrderedDict[RecordKey, Loaded] = OrderedDict()
        self._changed: dict[RecordKey, int] = {}
        self._documents: dict[DocId, dict[PartyId, None]] = {}
        self._requests: OrderedDict[str, tuple[int, PutRequest]] = OrderedDict()
        self._objects: OrderedDict[bytes, int] = OrderedDict()
        self._positions: OrderedDict[Position, tuple[int, bytes]] = OrderedDict()
        self._through = 0
        self._bytes = 0

    def lacks(self, wanted: Wanted) -> Wanted:
        """The part of `wanted` that only the store can answer.

        Only here is anything forgotten: what is known now is still known when the events that want it are handled,
        and what the store is asked for cannot have changed in between."""
        self._trim()
        return Wanted(
            tuple(key for key in dict.fromkeys(wanted.records) if key not in self._records),
            tuple(key for key in dict.fromkeys(wanted.requests) if key not in self._requests),
            tuple(each for each in dict.fromkeys(wanted.objects) if each not in self._objects),
            tuple(dict.fromkeys(wanted.documents)),
            tuple(each for each in dict.fromkeys(wanted.positions) if each not in self._positions),
        )

    def absorb(self, found: Found) -> None:
        """Takes in what a store found, except where this side knows better."""
        for loaded in found.records.values():
            self.absorb_record(loaded)
        for documents in found.documents.values():
            for loaded in documents:
                self.absorb_record(loaded)
        for key, request in found.requests.items():
            self._requests.setdefault(key, (0, request))
        for each in found.objects:
            self._objects.setdefault(each, 0)
        for position, object_id in found.positions.items():
            self._positions.setdefault(position, (0, object_id))

    def absorb_record(self, loaded: Loaded) -> Loaded:
        """The record as known here after taking in `loaded`."""
        key = loaded.record.key
        known = self._records.get(key)
        if known is None:
            self._hold(loaded)
            return loaded
        return known

    def get(self, key: RecordKey) -> Loaded | None:
        """The record of a key, or None where there is none."""
        found = self._records.get(key)
        if found is not None:
            self._records.move_to_end(key)
        return found

    def of_document(self, doc: DocId) -> list[Loaded]:
        """All records of a document, once they were wanted."""
        return [self._records[doc, recipient] for recipient in self._documents.get(doc, ())]

    def put(self, loaded: Loaded, turn: int) -> None:
        """A record as event number `turn` made it."""
        key = loaded.record.key
        self._hold(loaded)
        self._records.move_to_end(key)
        self._changed[key] = turn

    def set_receipt(self, key: RecordKey, receipt: Signed) -> None:
        """The statement that the record's `receipt` names, once it is signed."""
        self._records[key] = self._records[key]._replace(receipt=receipt)

    def request(self, key: str) -> PutRequest | None:
        """What an idempotency key was answered."""
        known = self._requests.get(key)
        return None if known is None else known[1]

    def put_request(self, request: PutRequest, turn: int) -> None:
        """Remembers an answer that is about to be durable."""
        self._requests[request.key] = turn, request

    def has_object(self, object_id: bytes) -> bool:
        """Whether the object is kept, or is about to be."""
        return object_id in self._objects

    def put_object(self, object_id: bytes, turn: int) -> None:
        """Remembers an object that is about to be durable."""
        self._objects[object_id] = turn

    def put_position(self, position: Position, object_id: bytes, turn: int) -> bytes:
        """The statement that stands at a position: this one, which is about to be durable, unless there is one."""
        return self._positions.setdefault(position, (turn, object_id))[1]

    def committed(self, through: int) -> None:
        """Events up to number `through` are durable: what they changed need no longer be kept in memory."""
        self._through = through
        self._changed = {key: turn for key, turn in self._changed.items() if turn > through}

    def _trim(self) -> None:
        """The oldest beyond the bound go, unless the store does not have them yet."""
        most = limits.RECORDS_CACHED_MAX
        self._trim_records()
        while len(self._objects) > most and next(iter(self._objects.values())) <= self._through:
            self._objects.popitem(last=False)
        while len(self._positions) > most and next(iter(self._positions.values()))[0] <= self._through:
            self._positions.popitem(last=False)
        while len(self._requests) > most and next(iter(self._requests.values()))[0] <= self._through:
            self._requests.popitem(last=False)

    def _trim_records(self) -> None:
        """Counts records, and the bytes of the envelopes they hold: few large ones weigh as much as many small ones."""
        pinned = len(self._changed)
        while self._too_much():
            key = next(iter(self._records))
            if key in self._changed:
                if not pinned:
                    return
                self._records.move_to_end(key)
                pinned -= 1
            else:
                self._forget(key)

    def _too_much(self) -> bool:
        return len(self._records) > limits.RECORDS_CACHED_MAX or self._bytes > limits.RECORDS_CACHED_BYTES_MAX

    def _forget(self, key: RecordKey) -> None:
        self._bytes -= len(self._records.pop(key).envelope)
        recipients = self._documents[key[0]]
        del recipients[key[1]]
        if not recipients:
            del self._documents[key[0]]

    def _hold(self, loaded: Loaded) -> None:
        key = loaded.record.key
        known = self._records.get(key)
        self._bytes += len(loaded.envelope) - (0 if known is None else len(known.envelope))
        self._records[key] = loaded
        self._documents.setdefault(key[0], {})[key[1]] = None
