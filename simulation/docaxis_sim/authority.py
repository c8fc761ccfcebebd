"""The authority: the directory of a simulated world, made in memory, with versions, rotation, revocation and closing.

It hands out issues, and books where nothing stands between it and a node; `docaxis_sim.mirror` lies in its place. Old
keys stay listed, as in the real directory, so that old statements can still be checked.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.limits import DAY_MS
from docaxis.core.trust import SignedRevocation, Versions
from docaxis.seal.paper import PAPER, PaperSeal
from docaxis_sim import issue
from docaxis_sim.ground import Ground
from docaxis_sim.issue import Issue
from docaxis_sim.network import endpoint_of

FIRST_KEY_MS: Final = 366 * DAY_MS
"""How old the keys are that a world begins with."""


class Authority:
    """Who is who. `unreachable_for` counts the reasons for which parties get no newer directory (the empty name: all of
    them); `mirrors` are asked in its place by some parties; `revoked` maps revoked keys to the time of their
    revocation, `published` every key that was ever listed to whose it is and its public part; `history` holds the
    issues of earlier versions."""

    def __init__(self, ground: Ground, parties: tuple[str, ...]) -> None:
        self._ground = ground
        self.unreachable_for: dict[str, int] = {}
        self.mirrors: dict[str, Callable[[], Issue]] = {}
        self.version = 1
        self.revoked: dict[KeyId, int] = {}
        self.published: dict[KeyId, tuple[str, bytes]] = {}
        self.entries: dict[PartyId, Entry] = {}
        self.history: list[Issue] = []
        self._words: tuple[SignedRevocation, ...] = ()
        self._proofs: dict[PartyId, bytes] = {}
        self.first_seals = {party: PaperSeal(f"{party} key 1", simulation=True) for party in parties}
        for party in parties:
            self._list(self._entry(party))

    def book(self, verified_ms: int) -> Book:
        """The directory as it is now, as a node that verified it at `verified_ms` (its own clock) sees it."""
        entries = dict(self.entries)
        return Book(entries.get, MappingProxyType({}), self.version, verified_ms, dict(self.revoked), tuple(entries))

    def issue(self, signed_ms: int | None = None) -> Issue:
        """The directory as it is now, with a stamp of this moment or of another one."""
        signed_ms = self._ground.now_ms if signed_ms is None else signed_ms
        entries = dict(self.entries)
        roles = {str(party): entry.seq for party, entry in entries.items()}
        versions = Versions(1, self.version, self.version, roles)
        return Issue(versions, signed_ms, issue.stamp(versions, signed_ms), entries, dict(self._proofs), self._words)

    def ask(self, party: str) -> Issue:
        """What a party gets that asks for the directory: of its mirror, where it has one."""
        mirror = self.mirrors.get(party)
        return self.issue() if mirror is None else mirror()

    def publish_key(self, party: str) -> PaperSeal:
        """Lists a further key for a party, to be used from now on or later; its seal."""
        entry = self.entries[PartyId(party)]
        seal = PaperSeal(f"{party} key {len(entry.keys) + 1}", simulation=True)
        self._publish(entry._replace(keys=(*entry.keys, self._key(party, seal, DAY_MS))))
        return seal

    def revoke(self, party: str, key: KeyId) -> None:
        """The key is no longer trusted."""
        self.revoked[key] = self._ground.now_ms
        self._words = (*self._words, issue.word(party, key, self._ground.now_ms, party))
        self.sign_anew(party)

    def close(self, party: str, successor: str) -> None:
        """The code is closed; its mail goes to the successor."""
        entry = self.entries[PartyId(party)]
        self._publish(entry._replace(status=Status.CLOSED, successors=(PartyId(successor),)))

    def sign_anew(self, party: str) -> None:
        """The officers of a party sign its entry once more: a new version, in which nothing else has changed."""
        self._publish(self.entries[PartyId(party)])

    def _publish(self, entry: Entry) -> None:
        self.history.append(self.issue())
        self.version += 1
        self._list(entry._replace(seq=entry.seq + 1))

    def _list(self, entry: Entry) -> None:
        self.entries[entry.id], self._proofs[entry.id] = entry, issue.proof(entry, entry.id)

    def _key(self, party: str, seal: PaperSeal, since_ms: int) -> SigningKey:
        """Valid since some time ago: clocks of parties differ, and first keys are older than any directory in use."""
        self.published[seal.key_id] = party, seal.public_key
        return SigningKey(seal.key_id, PAPER, seal.public_key, self._ground.now_ms - since_ms, 0)

    def _entry(self, party: str) -> Entry:
        return Entry(
            id=PartyId(party),
            name_vi=party,
            name_en=party,
            kind="agency",
            parent=None,
            endpoints=(endpoint_of(party),),
            via=(),
            keys=(self._key(party, self.first_seals[party], FIRST_KEY_MS),),
            certificates=(),
            aliases=(),
            status=Status.OPEN,
            successors=(),
            not_before_ms=0,
            expires_ms=0,
            seq=1,
        )
