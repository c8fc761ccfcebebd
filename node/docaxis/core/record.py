"""Records: what a node knows of one document at one recipient, as one flat row.

A value and nothing else. The machine makes new records from old ones; stores keep them as they are.
"""

from typing import NamedTuple

from docaxis.core.ids import DocId, PartyId
from docaxis.core.lifecycle import Standing
from docaxis.core.signed import Signed

WAITS_NOTHING = ""
WAITS_CONTENT = "content"
WAITS_DIRECTORY = "directory"


class Record(NamedTuple):
    """One transmission, key (`doc`, `recipient`). Times are ms since 1970 UTC.

    `outgoing`: this node is the sender. `mine_*`, `theirs_*`: place and id of the last statement of this node and
    of the other party; seq 0 and the document's id stand for "none yet". `waits`: what an incoming document lacks
    before it has arrived. `due_ms`: when the machine wants to look at it again (0: never). `tries`: failed
    attempts to fetch content. `superseded_by`: the update or replacement that names this document.
    `receipt`: the id of the recipient node's own first word (00, 01 or 02).
    """

    doc: DocId
    recipient: PartyId
    sender: PartyId
    outgoing: bool
    priority: int
    created_ms: int
    expires_ms: int
    standing: Standing
    mine_epoch: int
    mine_seq: int
    mine_last: bytes
    theirs_epoch: int
    theirs_seq: int
    theirs_last: bytes
    waits: str
    due_ms: int
    tries: int
    superseded_by: DocId | None
    receipt: bytes | None
    updated_ms: int

    @property
    def key(self) -> tuple[DocId, PartyId]:
        """What identifies the record."""
        return self.doc, self.recipient


class Loaded(NamedTuple):
    """A record as the machine needs it: with its envelope's bytes, and the statement named by `receipt`, if any."""

    record: Record
    envelope: bytes
    receipt: Signed | None
