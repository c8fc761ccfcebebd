"""Attacks on a running node by somebody who holds another node's TLS key, or nothing at all.

Each goes over the wire exactly as a thief would send it, and gives back what the victim answered. Whether it was
refused and recorded is counted from the victim's database afterwards, not from these answers.
"""

import asyncio
import ssl
from hashlib import sha256
from typing import NamedTuple

import aiohttp

from docaxis.core import envelope as envelopes
from docaxis.core import wire
from docaxis.core.addresses import Entry
from docaxis.core.effects import Send
from docaxis.core.envelope import Envelope, Priority
from docaxis.core.events import Delivered, Undelivered
from docaxis.core.ids import PartyId
from docaxis.core.limits import DAY_MS
from docaxis.core.signed import Signed, sign_together
from docaxis.core.wire import Batch, Item
from docaxis.runtime.entropy import Entropy
from docaxis.seal.sign import NodeSeal
from docaxis.transport.base import IN, MEDIA_BATCH
from docaxis.transport.client import PeerClient


class Thief(NamedTuple):
    """Who attacks: with the TLS key of `owner`, against `victim`, at `now_ms`,
    claiming the owner's `epoch`."""

    client: PeerClient
    owner: Entry
    victim: Entry
    now_ms: int
    epoch: int
    entropy: Entropy


async def forge(thief: Thief) -> str:
    """An envelope of `owner` with its real key id, but signed with a key of the thief's own; the code of the answer."""
    body = envelopes.encode(_envelope(thief))
    seal = _WrongSeal(thief.owner, thief.entropy)
    signed = sign_together(seal, thief.owner.id, [body], thief.now_ms)[0]
    return await _hand_in(thief, Item(wire.ENVELOPE, signed.id, signed, ()))


async def replay(thief: Thief, genuine: Signed) -> str:
    """A genuine envelope of another sender, handed in again by somebody who is not its sender; the answer's code."""
    return await _hand_in(thief, Item(wire.ENVELOPE, genuine.id, genuine, ()))


async def knock_unknown(victim: Entry, sender: str) -> str:
    """A batch from somebody whom the directory does not know and who shows no certificate; the answer's code."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    address = f"{victim.endpoints[0]}{IN}{sender}/{sha256(b'').hexdigest()}"
    body = wire.encode_batch(Batch(PartyId(sender), victim.id, 1, 0, 1, ()))
    async with (
        aiohttp.ClientSession() as session,
        session.put(address, data=body, ssl=context, headers={"Content-Type": MEDIA_BATCH}) as answer,
    ):
        return str((await answer.json(content_type=None)).get("code", answer.status))


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


async def _hand_in(thief: Thief, item: Item) -> str:
    batch = Batch(thief.owner.id, thief.victim.id, thief.epoch, 0, 1, (item,))
    wish = Send(thief.victim.id, 1, thief.victim.endpoints, wire.batch_id([item]), wire.encode_batch(batch))
    match await asyncio.wait_for(thief.client.send(wish), 30):
        case Delivered(_, _, reply):
            return reply.results[0].code or reply.results[0].outcome.value
        case Undelivered(_, _, code):
            return code
