"""Attacks on a running node by somebody who holds another node's TLS key, or nothing at all.

Each goes over the wire exactly as a thief would send it, and gives back what the victim answered and by what the audit
will know it. Whether it was refused and recorded is counted from the victim's database afterwards, not from the answer.
"""

import asyncio
import ssl
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import aiohttp

from docaxis.core import envelope as envelopes
from docaxis.core import wire
from docaxis.core.addresses import Entry
from docaxis.core.effects import Send
from docaxis.core.envelope import Envelope, Priority
from docaxis.core.events import Delivered, Undelivered
from docaxis.core.ids import DocId, PartyId
from docaxis.core.limits import DAY_MS
from docaxis.core.signed import Signed, sign_together
from docaxis.core.wire import Batch, Item, Result
from docaxis.runtime.entropy import Entropy
from docaxis.seal.sign import NodeSeal
from docaxis.testing.audit import Attempt, Repeat
from docaxis.transport.base import IN, MEDIA_BATCH
from docaxis.transport.client import PeerClient

REPLAYS: Final = 2
SHOWN_DIGITS: Final = 16
"""How many digits of an object's id a refusal's detail shows."""


class Thief(NamedTuple):
    """Who attacks: with the TLS key of `owner`, against `victim`, at `now_ms`,
    claiming the owner's `epoch`."""

    client: PeerClient
    owner: Entry
    victim: Entry
    now_ms: int
    epoch: int
    entropy: Entropy


class Played(NamedTuple):
    """An attack as it must stand in the victim's database, and the code of the victim's answer."""

    attempt: Attempt
    answer: str


async def forge(thief: Thief) -> Played:
    """An envelope of `owner` with its real key id, but signed with a key of the thief's own."""
    body = envelopes.encode(_envelope(thief))
    seal = _WrongSeal(thief.owner, thief.entropy)
    signed = sign_together(seal, thief.owner.id, [body], thief.now_ms)[0]
    result = await _hand_in(thief, Item(wire.ENVELOPE, signed.id, signed, ()))
    attempt = Attempt("forged envelope", thief.owner.id, "seal.bad-signature", signed.id.hex()[:SHOWN_DIGITS])
    return Played(attempt, _code_of(result))


async def replay_as_another(thief: Thief, genuine: Signed) -> Played:
    """A genuine envelope of another sender, handed in again by somebody who is not its sender."""
    result = await _hand_in(thief, Item(wire.ENVELOPE, genuine.id, genuine, ()))
    attempt = Attempt("replay", thief.owner.id, "party.mismatch", genuine.id.hex()[:SHOWN_DIGITS])
    return Played(attempt, _code_of(result))


async def replay(thief: Thief, genuine: Signed, inline: Sequence[bytes]) -> Repeat:
    """The genuine batch itself, byte for byte and with its sender's own TLS key, handed in `REPLAYS` times more."""
    item = Item(wire.ENVELOPE, genuine.id, genuine, tuple(inline))
    receipts = [_receipt_of(await _hand_in(thief, item)) for _ in range(REPLAYS)]
    return Repeat(DocId(genuine.id), thief.victim.id, tuple(receipts))


async def knock_unknown(victim: Entry, sender: str, entropy: Entropy) -> Played:
    """A batch from somebody whom the directory does not know and who shows no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    name = sha256(entropy.take(32)).hexdigest()
    body = wire.encode_batch(Batch(PartyId(sender), victim.id, 1, 0, 1, ()))
    async with (
        aiohttp.ClientSession() as session,
        session.put(
            f"{victim.endpoints[0]}{IN}{sender}/{name}", data=body, ssl=context, headers={"Content-Type": MEDIA_BATCH}
        ) as answer,
    ):
        code = str((await answer.json(content_type=None)).get("code", answer.status))
    return Played(Attempt("unknown sender", "", "party.unknown", f"{sender}/{name}"), code)


class _WrongSeal:
    """Claims the owner's key id and signs with another key."""

    def __init__(self, owner: Entry, entropy: Entropy) -> None:
        self._seal = NodeSeal(entropy.take(32))
        self.key_id = owner.keys[0].id
        self.algorithm = self._seal.algorithm

    def sign(self, message: bytes) -> bytes:
        return self._seal.sign(message)

    def verify(self, algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
        return self._seal.verify(algorithm, public_key, message, signature)


def _envelope(thief: Thief) -> Envelope:
    return Envelope(
        sender=thief.owner.id,
        to=(thief.victim.id,),
        kind="new",
        ref=None,
        thread=None,
        created_ms=thief.now_ms,
        expires_ms=thief.now_ms + DAY_MS,
        priority=Priority.NORMAL,
        meta={"subject": "Văn bản giả mạo"},
        files=(),
        enc=envelopes.CLEAR,
        dir=1,
        nonce=thief.entropy.take(16),
        written_as={},
    )


async def _hand_in(thief: Thief, item: Item) -> Result | str:
    """What the victim made of the item, or the code of a request that failed."""
    batch = Batch(thief.owner.id, thief.victim.id, thief.epoch, 0, 1, (item,))
    wish = Send(thief.victim.id, 1, thief.victim.endpoints, wire.batch_id([item]), wire.encode_batch(batch))
    match await asyncio.wait_for(thief.client.send(wish), 30):
        case Delivered(_, _, reply):
            return reply.results[0]
        case Undelivered(_, _, code):
            return code


def _code_of(result: Result | str) -> str:
    return result if isinstance(result, str) else result.code or result.outcome.value


def _receipt_of(result: Result | str) -> bytes | None:
    return None if isinstance(result, str) or result.receipt is None else result.receipt.id
