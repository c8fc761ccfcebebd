"""Statements: receipts, states, refusals and recalls are one kind of object, one party's word about one document.

Format only. What a code does is the lifecycle's table; how statements are signed is `signed`; how they travel is
`wire`. Specification: ``node/docs/spec/statement.md``.

A party's statements about one (document, recipient) form a chain: `seq` counts from 1 within an epoch of that
party's log, `prev` is the id of the one before it (of the document, for the first one it ever made).
"""

from typing import Any, Final, NamedTuple

from docaxis.core import codec, limits
from docaxis.core.ids import HASH_BYTES, DocId, PartyId, StatementId, party_id
from docaxis.core.lifecycle import RECALL_ANSWERS, Code

_FIELDS: Final = frozenset(
    {"type", "by", "doc", "from", "to", "code", "epoch", "seq", "prev", "re", "at", "reason", "text", "actor", "dir"}
)
ACTOR_CHARS_MAX: Final = 200
REASON_CODE_CHARS_MAX: Final = 64

_UTF8_BYTES_MAX: Final = 4
_TEXT_CHARS_MAX: Final = limits.REASON_CHARS_MAX + ACTOR_CHARS_MAX + REASON_CODE_CHARS_MAX
assert _UTF8_BYTES_MAX * _TEXT_CHARS_MAX + 512 <= limits.STATEMENT_BYTES_MAX, "longest words must fit a statement"


class Position(NamedTuple):
    """One place in one author's chain about one transmission: two different statements there are a fork. An envelope,
    which belongs to no chain, has none (`recipient` empty, the numbers 0)."""

    doc: DocId
    recipient: str
    by: PartyId
    epoch: int
    seq: int


class Statement(NamedTuple):
    """One party's word. `sender` and `recipient` name the transmission; `answers` is the id of the recall that 15
    and 16 answer; `reason` is a code of the registry or empty; `at_ms` is the claimed time, ms since 1970 UTC."""

    by: PartyId
    doc: DocId
    sender: PartyId
    recipient: PartyId
    code: Code
    epoch: int
    seq: int
    prev: bytes
    answers: StatementId | None
    at_ms: int
    reason: str
    text: str
    actor: str
    dir: int

    @property
    def position(self) -> Position:
        """Where in its author's chain it claims to stand."""
        return Position(self.doc, self.recipient, self.by, self.epoch, self.seq)


def encode(statement: Statement) -> bytes:
    """Canonical bytes of a statement."""
    return codec.pack(
        {
            "actor": statement.actor,
            "at": statement.at_ms,
            "by": statement.by,
            "code": str(statement.code.value),
            "dir": statement.dir,
            "doc": statement.doc,
            "epoch": statement.epoch,
            "from": statement.sender,
            "prev": statement.prev,
            "re": statement.answers,
            "reason": statement.reason,
            "seq": statement.seq,
            "text": statement.text,
            "to": statement.recipient,
            "type": "statement/1",
        }
    )


def decode(raw: bytes) -> Statement:
    """Reads a statement; raises `TheirFault` ``codec.*`` or ``id.malformed``."""
    value = codec.fields(codec.decode(raw, limits.STATEMENT_BYTES_MAX), _FIELDS, "statement")
    if value["type"] != "statement/1":
        raise codec.wrong("statement.type", "statement/1")
    code, answers = _read_code(value["code"]), value["re"]
    if (answers is not None) != (code in RECALL_ANSWERS):
        raise codec.wrong("statement.re", "the id of a recall exactly when the code answers one")
    return Statement(
        by=party_id(value["by"]),
        doc=DocId(codec.blob(value["doc"], "statement.doc", HASH_BYTES)),
        sender=party_id(value["from"]),
        recipient=party_id(value["to"]),
        code=code,
        epoch=codec.integer(value["epoch"], "statement.epoch", 1),
        seq=codec.integer(value["seq"], "statement.seq", 1),
        prev=codec.blob(value["prev"], "statement.prev", HASH_BYTES),
        answers=None if answers is None else StatementId(codec.blob(answers, "statement.re", HASH_BYTES)),
        at_ms=codec.integer(value["at"], "statement.at"),
        reason=codec.text(value["reason"], "statement.reason", REASON_CODE_CHARS_MAX),
        text=codec.text(value["text"], "statement.text", limits.REASON_CHARS_MAX),
        actor=codec.text(value["actor"], "statement.actor", ACTOR_CHARS_MAX),
        dir=codec.integer(value["dir"], "statement.dir"),
    )


def _read_code(value: Any) -> Code:
    try:
        return Code(value)
    except ValueError:
        raise codec.wrong("statement.code", "a known code of two digits") from None
