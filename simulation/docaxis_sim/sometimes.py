"""Sometimes: the rare paths that a set of worlds must have taken, by name, and how each of them is recognised.

A simulator that is too kind proves nothing: where one of these never happens, its run fails. They only count; what is
right or wrong is said in `docaxis_sim.checkers`.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from docaxis.core.effects import AppendChange, Effects, Noted, PutRecord
from docaxis.core.events import Event, QueueLoaded
from docaxis.core.limits import BREAKER_FAILS
from docaxis.core.record import WAITS_DIRECTORY

RARE: Final[dict[str, str]] = {
    "window shrank": "a first failure left one request in the air at a time",
    "breaker opened": "a peer failed so often that it is asked with few items only",
    "peer came back": "a peer that had failed answered again",
    "item postponed": "a peer would not take one item, and others went on",
    "item parked": "an item was refused so often that it is offered once an hour",
    "poisoned item set aside": "requests shrank to the one item that could not be read",
    "credit exhausted": "a request was filled to what the peer would take, and more waited",
    "queue read back": "items came from disk, because memory or a crash had let go of them",
    "duplicate refused": "an envelope came again, and was recognised",
    "statement overtook its document": "a word came before the document that it is about",
    "statement out of order": "a word came before the word that it follows",
    "recall race": "the sender's recall and the recipient's next step crossed",
    "recall agreed": "a recipient gave a document back",
    "recall declined": "a recipient kept a document that was asked back",
    "expired with evidence": "a deadline passed, and the sender said so",
    "chunk corrupt": "content did not match its digest, and was asked for again",
    "epoch changed": "a node restored from a backup began a new epoch",
    "resynchronised": "a peer gave back to a restored node what it had forgotten",
    "directory versions differed": "two nodes spoke under different versions of the directory",
    "key not yet known": "something was signed with a key that the reader's directory did not list yet",
    "revoked key refused": "something was signed with a key that was no longer trusted",
    "new key met": "what a party signed came under another key than before",
    "stale directory held documents": "a directory was so old that documents waited, or went into quarantine",
    "crash before commit": "a node died with a round decided and nothing of it durable",
    "crash in commit": "a node died while the disk wrote",
    "crash after commit": "a node died with everything durable and nothing said",
    "crash between chunk and commit": "a node died with content on disk that no commit named",
    "full-disk restart": "a commit failed, and the node came back when there was room",
    "request lost": "a request did not arrive",
    "answer lost": "a request arrived, and its answer did not",
    "request repeated": "the network delivered a request twice",
    "request overtaken": "a request arrived after one that had left later",
    "one-way cut": "nothing passed from one party to another, and the other direction was open",
    "silent peer": "a peer took a request and never answered",
    "slow answer": "a peer answered, much later than the way takes",
    "clock jumped": "a node's clock was set forward or back",
    "forged envelope refused": "a document came that its sender never signed, or not as it came",
    "forged statement refused": "a word came that its author never said",
    "forged receipt refused": "a document was answered with a receipt that its recipient never signed",
    "older directory refused": "a mirror handed out a directory older than the one in hand",
    "frozen directory refused": "a mirror handed out a directory whose time was over",
    "forged directory refused": "a mirror handed out numbers or entries that their officers never signed",
    "foreign revocation refused": "the officers of one agency revoked the key of another",
}
"""What must happen somewhere, each with what it means."""

_NOTED: Final = {
    "peer.back": "peer came back",
    "item.postponed": "item postponed",
    "item.parked": "item parked",
    "resync.begun": "epoch changed",
    "resync.for-peer": "resynchronised",
    "document.expired": "expired with evidence",
    "statement.unlinked": "statement out of order",
}
_CODED: Final = {
    "party.revoked": "revoked key refused",
    "seal.key-unknown": "key not yet known",
    "document.unknown": "statement overtook its document",
    "content.corrupt": "chunk corrupt",
}
_FAILS: Final = {1: "window shrank", BREAKER_FAILS: "breaker opened"}
_CODES: Final = {"15": "recall agreed", "16": "recall declined"}
_STEPS: Final = frozenset({"03", "04", "05", "06"})
REFUSED: Final = {
    "directory.rollback": "older directory refused",
    "directory.expired": "frozen directory refused",
    "directory.threshold": "forged directory refused",
}
"""The rare path of a directory that was not believed, by the code of its refusal."""
CRASHES: Final = {
    "disk": "full-disk restart",
    **{where: f"crash {where}" for where in ("before commit", "in commit", "after commit", "between chunk and commit")},
}
"""The rare path of a crash, by its reason."""


def seen(event: Event, effects: Effects, forged: Collection[str] = ()) -> Iterator[str]:
    """The rare paths that one event took. In the name of `forged` parties somebody else speaks, too: what is refused of
    them does not count as a path that honest traffic took."""
    if isinstance(event, QueueLoaded) and event.items:
        yield "queue read back"
    for told in effects.tell:
        if isinstance(told, Noted):
            yield from _noted(told, forged)
    open_recalls = set()
    for op in effects.durable:
        if isinstance(op, PutRecord):
            if op.record.waits == WAITS_DIRECTORY:
                yield "stale directory held documents"
            if op.record.outgoing and op.record.standing.waiting_recall is not None:
                open_recalls.add(op.record.key)
    for op in effects.durable:
        if isinstance(op, AppendChange):
            if op.code.value in _CODES:
                yield _CODES[op.code.value]
            if op.code.value in _STEPS and (op.doc, op.recipient) in open_recalls:
                yield "recall race"


def _noted(told: Noted, forged: Collection[str]) -> Iterator[str]:
    code = str(told.fields.get("code", ""))
    if told.event in _NOTED:
        yield _NOTED[told.event]
    if code in _CODED and str(told.fields.get("peer", "")) not in forged:
        yield _CODED[code]
    if told.event.startswith("item.") and code.startswith("codec."):
        yield "poisoned item set aside"
    if told.event == "refused" and str(told.fields["detail"]).startswith("receipt for") and code.startswith("seal."):
        yield "forged receipt refused"
    if told.event == "peer.failed" and told.fields["fails"] in _FAILS:
        yield _FAILS[int(str(told.fields["fails"]))]


def missing(happened: Mapping[str, int]) -> list[str]:
    """The rare paths that were never taken."""
    return [name for name in RARE if not happened.get(name)]
