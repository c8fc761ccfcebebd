"""Addresses: what an accepted directory says about parties, and every question the protocol asks of it.

Look-ups in a snapshot that is already in hand; nothing here fetches, and nothing here decides whether a snapshot
may be trusted (`docaxis.core.trust`). The book decodes nothing: an adapter hands it a look-up of entries.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from docaxis.core.errors import TheirFault
from docaxis.core.ids import KeyId, PartyId, party_id

RESOLVED_MAX: Final = 16_384
"""Spellings that a book remembers the answer for; a snapshot never changes its mind."""


class Status(StrEnum):
    """Standing of an entry."""

    OPEN = "open"
    CLOSED = "closed"
    SUSPENDED = "suspended"


class SigningKey(NamedTuple):
    """A party's signing key; valid from `not_before_ms` until `expires_ms` (0: without end). Old keys stay listed."""

    id: KeyId
    alg: str
    public: bytes
    not_before_ms: int
    expires_ms: int


class Entry(NamedTuple):
    """What the directory says of one party. `endpoints` are HTTPS base addresses; `via` names ancestors that keep its
    mailbox, nearest first; `certificates` are DER certificates it presents in TLS; `enc` keys are opaque here."""

    id: PartyId
    name_vi: str
    name_en: str
    kind: str
    parent: PartyId | None
    endpoints: tuple[str, ...]
    via: tuple[PartyId, ...]
    keys: tuple[SigningKey, ...]
    certificates: tuple[bytes, ...]
    aliases: tuple[str, ...]
    status: Status
    successors: tuple[PartyId, ...]
    not_before_ms: int
    expires_ms: int
    seq: int
    enc: tuple[bytes, ...] = ()


class Book:
    """One accepted directory snapshot.

    `lookup` finds an entry by its id; `aliases` maps other spellings to ids; `version` is the snapshot's number;
    `verified_ms` is when its freshness was last verified; `revoked` maps revoked key ids to the time (ms) from
    which nothing new signed with them is accepted; `parties` lists those that have an endpoint of their own.
    """

    def __init__(
        self,
        lookup: Callable[[PartyId], Entry | None],
        aliases: Mapping[str, PartyId],
        version: int,
        verified_ms: int,
        revoked: Mapping[KeyId, int],
        parties: Sequence[PartyId] = (),
    ) -> None:
        self._lookup = lookup
        self._aliases = aliases
        self.version = version
        self.verified_ms = verified_ms
        self.revoked = revoked
        self.parties = parties
        self._resolved: dict[str, PartyId] = {}

    def entry(self, party: PartyId) -> Entry | None:
        """The entry of an id, or None."""
        return self._lookup(party)

    def resolve(self, text: str) -> PartyId:
        """The id to send to for any spelling: aliases resolve, closed codes lead to their first open successor.

        Raises `TheirFault` ``id.malformed``, ``party.unknown`` or ``party.closed``.
        """
        found = self._resolved.get(text)
        if found is None:
            found = self._resolve(text)
            if len(self._resolved) < RESOLVED_MAX:
                self._resolved[text] = found
        return found

    def _resolve(self, text: str) -> PartyId:
        written = self._aliases.get(text) or party_id(text)
        seen: set[str] = set()
        party = written
        while party not in seen:
            seen.add(party)
            entry = self._lookup(party)
            if entry is None:
                raise TheirFault("party.unknown", f"{text} is not in directory version {self.version}")
            if entry.status is Status.OPEN:
                return party
            if not entry.successors:
                raise TheirFault(
                    "party.closed", f"{party} ({entry.name_en}) is {entry.status.value} and has no successor"
                )
            party = entry.successors[0]
        raise TheirFault("party.closed", f"the successors of {text} lead in a circle")

    def answers_for(self, speaker: PartyId, addressed: PartyId) -> bool:
        """Whether `speaker` may speak for `addressed`: it is that party, or a successor of its closed code."""
        seen: set[str] = set()
        party = addressed
        while party not in seen:
            if party == speaker:
                return True
            seen.add(party)
            entry = self._lookup(party)
            if entry is None or entry.status is not Status.CLOSED or not entry.successors:
                return False
            if speaker in entry.successors:
                return True
            party = entry.successors[0]
        return False

    def signing_key(self, party: PartyId, key: KeyId, at_ms: int) -> SigningKey:
        """The key that `party` may have signed with at `at_ms`.

        Raises `TheirFault` ``party.unknown``, ``seal.key-unknown`` or ``party.revoked``.
        """
        entry = self._lookup(party)
        if entry is None:
            raise TheirFault("party.unknown", f"{party} is not in directory version {self.version}")
        found = next((each for each in entry.keys if each.id == key), None)
        if found is None or at_ms < found.not_before_ms or (found.expires_ms and at_ms >= found.expires_ms):
            raise TheirFault("seal.key-unknown", f"{party} has no key {key.hex()} valid at that time")
        if key in self.revoked or entry.status is Status.SUSPENDED:
            raise TheirFault("party.revoked", f"key {key.hex()} of {party} is revoked")
        return found
