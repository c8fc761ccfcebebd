"""The authority: the directory of a simulated world, made in memory, with versions, rotation, revocation and closing.

It hands out books; signing and fetching of directory files belong to the node's own directory room and are not
simulated. Old keys stay listed, as in the real directory, so that old statements can still be checked.
"""

from types import MappingProxyType

from docaxis.core.addresses import Book, Entry, SigningKey, Status
from docaxis.core.ids import KeyId, PartyId
from docaxis.seal.paper import PAPER, PaperSeal
from docaxis_sim.ground import Ground
from docaxis_sim.network import endpoint_of


class Authority:
    """Who is who. `unreachable_for` counts the reasons for which parties get no newer directory (the empty name: all of
    them); `revoked` maps revoked keys to the time of their revocation."""

    def __init__(self, ground: Ground, parties: tuple[str, ...]) -> None:
        self._ground = ground
        self.unreachable_for: dict[str, int] = {}
        self.version = 1
        self.revoked: dict[KeyId, int] = {}
        self.entries: dict[PartyId, Entry] = {}
        self.first_seals = {party: PaperSeal(f"{party} key 1", simulation=True) for party in parties}
        for party in parties:
            self.entries[PartyId(party)] = self._entry(party)

    def book(self, verified_ms: int) -> Book:
        """The directory as it is now, as a node that verified it at `verified_ms` (its own clock) sees it."""
        entries = dict(self.entries)
        return Book(entries.get, MappingProxyType({}), self.version, verified_ms, dict(self.revoked), tuple(entries))

    def publish_key(self, party: str) -> PaperSeal:
        """Lists a further key for a party, to be used from now on or later; its seal."""
        entry = self.entries[PartyId(party)]
        seal = PaperSeal(f"{party} key {len(entry.keys) + 1}", simulation=True)
        self._publish(entry._replace(keys=(*entry.keys, self._key(seal))))
        return seal

    def revoke(self, party: str, key: KeyId) -> None:
        """The key is no longer trusted."""
        self.revoked[key] = self._ground.now_ms
        self._publish(self.entries[PartyId(party)])

    def close(self, party: str, successor: str) -> None:
        """The code is closed; its mail goes to the successor."""
        entry = self.entries[PartyId(party)]
        self._publish(entry._replace(status=Status.CLOSED, successors=(PartyId(successor),)))

    def _publish(self, entry: Entry) -> None:
        self.version += 1
        self.entries[entry.id] = entry._replace(seq=entry.seq + 1)

    def _key(self, seal: PaperSeal) -> SigningKey:
        """Valid from a day ago: clocks of parties differ."""
        return SigningKey(seal.key_id, PAPER, seal.public_key, self._ground.now_ms - 24 * 3_600_000, 0)

    def _entry(self, party: str) -> Entry:
        return Entry(
            id=PartyId(party),
            name_vi=party,
            name_en=party,
            kind="agency",
            parent=None,
            endpoints=(endpoint_of(party),),
            via=(),
            keys=(self._key(self.first_seals[party]),),
            certificates=(),
            aliases=(),
            status=Status.OPEN,
            successors=(),
            not_before_ms=0,
            expires_ms=0,
            seq=1,
        )
