"""The wire: a batch of signed objects from one peer to another, and the answer with one result per item.

Reading and writing bytes only, bounded before parsed; no signature is checked and no state is touched here.
Specification: ``node/docs/spec/delivery.md``.
"""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, NamedTuple

from docaxis.core import codec, limits
from docaxis.core.ids import PartyId, party_id
from docaxis.core.signed import Signed, SignedHead, read_place, read_signed_head
from docaxis.core.tree import leaf_hash

ENVELOPE: Final = "envelope"
STATEMENT: Final = "statement"
_KINDS: Final = {ENVELOPE: limits.ENVELOPE_BYTES_MAX, STATEMENT: limits.STATEMENT_BYTES_MAX}
_BATCH: Final = frozenset({"type", "from", "to", "epoch", "since", "dir", "heads", "items"})
_ANSWER: Final = frozenset({"type", "from", "epoch", "since", "dir", "credit", "wait", "heads", "results"})


class Item(NamedTuple):
    """One object on its way: `id` is its leaf hash; `inline` holds the chunks that travel with an envelope."""

    kind: str
    id: bytes
    signed: Signed
    inline: tuple[bytes, ...]


class Batch(NamedTuple):
    """What one request carries. `epoch` numbers the speaker's log; a peer that sees a new one sends back what it holds
    since `since_ms` (the time of the backup the speaker was restored from). `dir` is the directory version in use."""

    sender: PartyId
    recipient: PartyId
    epoch: int
    since_ms: int
    dir: int
    items: tuple[Item, ...]


class Outcome(StrEnum):
    """What became of one item."""

    KEPT = "kept"
    """Durable at the receiver; for an envelope with the receiver's signed word (00, 01 or 02)."""
    REFUSED = "refused"
    """Never acceptable as it is; `code` says why."""
    DEFERRED = "deferred"
    """Not now; try again after `wait_ms`."""


class Result(NamedTuple):
    """One item's outcome, with the receiver's signed statement where it has one to give."""

    outcome: Outcome
    code: str
    wait_ms: int
    receipt: Signed | None


class Reply(NamedTuple):
    """The answer to a batch: results in the order of the items; `credit` items are welcome now, none for `wait_ms`."""

    sender: PartyId
    epoch: int
    since_ms: int
    dir: int
    credit: int
    wait_ms: int
    results: tuple[Result, ...]


def batch_id(items: Sequence[Item]) -> bytes:
    """Content-derived id of a batch, for the idempotent PUT: SHA-256 over the items' ids."""
    return sha256(b"".join(item.id for item in items)).digest()


def encode_batch(batch: Batch) -> bytes:
    """Canonical bytes of a batch; heads that several items share are written once."""
    heads = _Heads()
    items = [
        [item.kind, item.signed.body, heads.number(item.signed.head), item.signed.place, item.signed.path, item.inline]
        for item in batch.items
    ]
    return codec.pack(
        {
            "dir": batch.dir,
            "epoch": batch.epoch,
            "from": batch.sender,
            "heads": heads.values,
            "items": items,
            "since": batch.since_ms,
            "to": batch.recipient,
            "type": "batch/1",
        }
    )


def decode_batch(raw: bytes) -> Batch:
    """Reads a batch; raises `TheirFault` ``codec.*`` or ``id.malformed``."""
    value = codec.fields(codec.decode(raw, limits.BATCH_BYTES_MAX), _BATCH, "batch")
    if value["type"] != "batch/1":
        raise codec.wrong("batch.type", "batch/1")
    heads = codec.array(value["heads"], "batch.heads", limits.BATCH_ITEMS_MAX, read_signed_head)
    return Batch(
        sender=party_id(value["from"]),
        recipient=party_id(value["to"]),
        epoch=codec.integer(value["epoch"], "batch.epoch", 1),
        since_ms=codec.integer(value["since"], "batch.since"),
        dir=codec.integer(value["dir"], "batch.dir"),
        items=codec.array(value["items"], "batch.items", limits.BATCH_ITEMS_MAX, lambda item: _read_item(item, heads)),
    )


def encode_reply(reply: Reply) -> bytes:
    """Canonical bytes of an answer."""
    heads = _Heads()
    results = [[r.outcome.value, r.code, r.wait_ms, _receipt_value(r.receipt, heads)] for r in reply.results]
    return codec.pack(
        {
            "credit": reply.credit,
            "dir": reply.dir,
            "epoch": reply.epoch,
            "from": reply.sender,
            "heads": heads.values,
            "results": results,
            "since": reply.since_ms,
            "type": "reply/1",
            "wait": reply.wait_ms,
        }
    )


def decode_reply(raw: bytes) -> Reply:
    """Reads an answer; raises `TheirFault` ``codec.*`` or ``id.malformed``."""
    value = codec.fields(codec.decode(raw, limits.ANSWER_BYTES_MAX), _ANSWER, "reply")
    if value["type"] != "reply/1":
        raise codec.wrong("reply.type", "reply/1")
    heads = codec.array(value["heads"], "reply.heads", limits.BATCH_ITEMS_MAX, read_signed_head)
    return Reply(
        sender=party_id(value["from"]),
        epoch=codec.integer(value["epoch"], "reply.epoch", 1),
        since_ms=codec.integer(value["since"], "reply.since"),
        dir=codec.integer(value["dir"], "reply.dir"),
        credit=codec.integer(value["credit"], "reply.credit"),
        wait_ms=codec.integer(value["wait"], "reply.wait", 0, limits.DAY_MS),
        results=codec.array(
            value["results"], "reply.results", limits.BATCH_ITEMS_MAX, lambda result: _read_result(result, heads)
        ),
    )


class _Heads:
    """Numbers heads in the order of their first use."""

    def __init__(self) -> None:
        self.values: list[list[bytes]] = []
        self._numbers: dict[SignedHead, int] = {}

    def number(self, head: SignedHead) -> int:
        found = self._numbers.get(head)
        if found is None:
            found = self._numbers[head] = len(self.values)
            self.values.append([head.raw, head.signature])
        return found


def _read_item(value: Any, heads: tuple[SignedHead, ...]) -> Item:
    if type(value) is not list or len(value) != 6:
        raise codec.wrong("item", "an array of kind, body, head, index, path and inline chunks")
    kind, body, head, index, path, inline = value
    if type(kind) is not str or kind not in _KINDS or type(body) is not bytes or len(body) > _KINDS[kind]:
        raise codec.wrong("item.body", "an envelope or a statement within its limit")
    chunks = codec.array(inline, "item.inline", limits.FILES_MAX, _read_chunk)
    if sum(map(len, chunks)) > limits.INLINE_BYTES_MAX:
        raise codec.wrong("item.inline", f"at most {limits.INLINE_BYTES_MAX} bytes")
    return Item(kind, leaf_hash(body), Signed(body, _head(heads, head), *read_place(index, path)), chunks)


def _read_result(value: Any, heads: tuple[SignedHead, ...]) -> Result:
    if type(value) is not list or len(value) != 4:
        raise codec.wrong("result", "an array of outcome, code, wait and receipt")
    outcome, code, wait_ms, receipt = value
    if outcome not in Outcome.__members__.values():
        raise codec.wrong("result.outcome", "kept, refused or deferred")
    return Result(
        Outcome(outcome),
        codec.text(code, "result.code", 64),
        codec.integer(wait_ms, "result.wait", 0, limits.DAY_MS),
        None if receipt is None else _read_receipt(receipt, heads),
    )


def _receipt_value(receipt: Signed | None, heads: _Heads) -> list[Any] | None:
    return None if receipt is None else [receipt.body, heads.number(receipt.head), receipt.place, receipt.path]


def _read_receipt(value: Any, heads: tuple[SignedHead, ...]) -> Signed:
    if type(value) is not list or len(value) != 4 or type(value[0]) is not bytes:
        raise codec.wrong("receipt", "an array of body, head, index and path")
    if len(value[0]) > limits.STATEMENT_BYTES_MAX:
        raise codec.wrong("receipt", f"at most {limits.STATEMENT_BYTES_MAX} bytes")
    return Signed(value[0], _head(heads, value[1]), *read_place(value[2], value[3]))


def _head(heads: tuple[SignedHead, ...], number: Any) -> SignedHead:
    if type(number) is not int or not 0 <= number < len(heads):
        raise codec.wrong("head number", "the place of a head in this message")
    return heads[number]


def _read_chunk(value: Any) -> bytes:
    if type(value) is not bytes or not value:
        raise codec.wrong("inline chunk", "bytes")
    return value
