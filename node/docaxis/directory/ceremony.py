"""Ceremony: a whole directory made at once, every officer's key at hand.

For demonstrations, tests and benchmarks: the same drafts, thresholds and checks as on separate machines, and nothing
that a real publisher should do, for here one process holds all keys. They live in memory and are gone with it.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from docaxis.core.addresses import Entry
from docaxis.core.ids import KeyId, PartyId
from docaxis.core.limits import DAY_MS
from docaxis.core.trust import Revocation
from docaxis.directory import layout
from docaxis.directory.drafts import PERIODS, Periods
from docaxis.directory.publish import Bench, Online
from docaxis.directory.signing import Officers, sign_revocation
from docaxis.seal.keys import new_ed25519
from docaxis.seal.sign import NodeSeal

_YEARS_MS = 730 * DAY_MS


def new_officers(count: int) -> list[NodeSeal]:
    """That many fresh keys."""
    return [NodeSeal(new_ed25519()) for _ in range(count)]


def _officers(threshold: int, people: Sequence[NodeSeal]) -> Officers:
    return Officers(threshold, tuple(each.public_key for each in people))


class Ceremony:
    """A directory in the making. `public` is the folder to read from; `root` the file to trust, once published."""

    def __init__(
        self, folder: Path, now_ms: int, *, officers: int = 3, threshold: int = 2, durable: bool = False
    ) -> None:
        """Opens an empty folder with a root of `threshold` of `officers`, who also sign the list of agencies. Without
        `durable`, files are not forced to disk."""
        self.bench = Bench(folder, durable=durable)
        self.people = new_officers(officers)
        self.role_people: dict[PartyId, tuple[int, list[NodeSeal]]] = {}
        self.online = Online(*new_officers(2))
        self._threshold = threshold
        self._now_ms = now_ms
        self.bench.draft_root(
            _officers(threshold, self.people), _officers(threshold, self.people), self.online, now_ms + _YEARS_MS
        )

    @property
    def public(self) -> Path:
        """The folder of static files."""
        return self.bench.public

    @property
    def root(self) -> bytes:
        """The first root file; raises `TheirFault` ``directory.not-found`` before the first publication."""
        return self.bench.root_file()

    def add_agency(self, entries: Iterable[Entry], *, officers: int = 1, threshold: int = 1) -> None:
        """Adds an agency and its units, with officers of its own; raises `TheirFault` ``directory.invalid``."""
        found = list(entries)
        agency = layout.agency_of(found[0].id)
        self.role_people[agency] = (threshold, new_officers(officers))
        self.bench.draft_agency(agency, _officers(*self.role_people[agency]), self._now_ms + _YEARS_MS)
        self.bench.draft_entries(agency, found, self._now_ms + _YEARS_MS)

    def put(self, entry: Entry) -> Entry:
        """Adds or changes one entry of an agency that is here already; the entry as it will be published."""
        return self.bench.put_entries([entry], self._now_ms + _YEARS_MS)[0]

    def revoke(self, party: PartyId, key: KeyId, from_ms: int, reason: str = "") -> None:
        """Revokes a key, signed by the agency's officers."""
        signed = self.bench.draft_revocation(Revocation(party, key, from_ms, reason))
        for person in self.role_people[layout.agency_of(party)][1]:
            signed = sign_revocation(signed, person)
        self.bench.revocations[-1] = signed

    def publish(self, now_ms: int, periods: Periods = PERIODS) -> int:
        """Has every draft signed by as many officers as it needs, and publishes; the snapshot's number."""
        for role in self.bench.drafts:
            threshold, people = self.role_people.get(PartyId(role), (self._threshold, self.people))
            for person in people[:threshold]:
                self.bench.sign(role, person)
        return self.bench.publish(self.online, now_ms, periods)
